"""Crashes of what embeds: the steps of its jobs, and workspaces to run them in again and again."""

from __future__ import annotations

import os
import shutil
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ingest_tui.store import vector_files, vector_log
from ingest_tui.store.records import generations, record_file
from ingest_tui.store.workspace import Workspace, open_workspace_at
from tests.faults.crash_lab import DIED, Tripwire, lay, run_queue
from tests.unit.pipeline.embed.embedding_lab import EmbeddingLab


def _lay(monkeypatch: pytest.MonkeyPatch, wire: Tripwire) -> None:
    lay(monkeypatch, wire)

    def before(owner: Any, attribute: str) -> None:
        original = getattr(owner, attribute)

        def stepping(*arguments: Any, **options: Any) -> Any:
            wire.about_to(f"{owner.__name__}.{attribute}")
            return original(*arguments, **options)

        monkeypatch.setattr(owner, attribute, stepping)

    before(vector_files, "write_new")
    before(Path, "rename")
    for attribute in ("write_all", "write_record", "remove_tree", "make_inner_folder"):
        before(vector_log, attribute)
    before(os, "truncate")
    before(generations, "write_record")
    before(record_file, "write_json")
    before(Path, "unlink")


def run_and_name_steps(
    root: Path, die_before: int | None, work: Callable[[Workspace], object] = run_queue
) -> tuple[list[str], bool]:
    """Run the queue, or ``work``, in a child; returns its steps, where it came to its end, and whether it did."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        try:
            wire = Tripwire(die_before=die_before)
            with pytest.MonkeyPatch.context() as monkeypatch:
                _lay(monkeypatch, wire)
                work(open_workspace_at(root))
            os.write(writing, "\n".join(wire.names).encode())
            os._exit(0)
        except BaseException:  # noqa: BLE001 - the child must not return into the test run
            traceback.print_exc()
            os._exit(1)
    os.close(writing)
    with os.fdopen(reading) as stream:
        names = stream.read().split("\n")
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    assert code in {0, DIED}, f"the child failed with {code}"
    return names, code == 0


def copied(lab: EmbeddingLab, target: Path) -> EmbeddingLab:
    """Return the same laboratory in another place."""
    shutil.copytree(lab.workspace.root, target)
    found = object.__new__(EmbeddingLab)
    found.workspace = open_workspace_at(target)
    found.space = lab.space
    found.key = lab.key
    found.folder = found.workspace.layout.vector_log("default", lab.space.space_id)
    return found
