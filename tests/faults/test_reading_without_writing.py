"""On a disk that takes nothing, full or read-only, everything that only reads works."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from ingest_tui import open_workspace
from ingest_tui.services.jobs.jobs import cancel_job
from ingest_tui.worker.engine import Engine
from ingest_tui.worker.submit import submit_sync
from tests.faults.reading_trial import PLACES

WALLED_IN = ["setpriv", "--bounding-set=-dac_override,-dac_read_search"]
"""Root as an ordinary user: the modes of files and folders hold for it."""
TRIAL = Path(__file__).with_name("reading_trial.py")
MOUNT_POINT = Path("/mnt")  # of a namespace of its own; below it nobody else has to be able to look


@cache
def can_mount() -> bool:
    if not all(map(shutil.which, ("unshare", "setpriv"))):
        return False
    command = ["unshare", "-m", "mount", "-t", "tmpfs", "none", str(MOUNT_POINT)]
    return subprocess.run(command, capture_output=True, timeout=30, check=False).returncode == 0


pytestmark = [
    pytest.mark.slow,
    pytest.mark.usefixtures("superuser"),
    pytest.mark.skipif(not can_mount(), reason="nothing may be mounted here"),
]


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace with two documents, one failed file, an ended job and a queued one."""
    base = tmp_path_factory.mktemp("template")
    docs = base / "docs"
    docs.mkdir()
    (docs / "rain.md").write_text("# Weather\n\nrain in spring")
    (docs / "snow.md").write_text("# Weather\n\nsnow in winter")
    (docs / "broken.pdf").write_bytes(b"%PDF-1.7 broken")
    with open_workspace(base / "ws") as workspace:
        workspace.add_source("docs", path=str(docs))
        workspace.sync("docs")
        inner = workspace.workspace
        submit_sync(inner, inner.sources.get("docs"), trigger="manual", by="test")
        assert inner.layout.reserve_file.exists()
    return base / "ws"


def make_calls(template: Path, place: str, calls: list[list[str]]) -> list[dict[str, Any]]:
    """Make calls on a copy of the template in a place that takes nothing."""
    done = subprocess.run(
        ["unshare", "-m", *WALLED_IN, sys.executable, str(TRIAL), str(template), str(MOUNT_POINT), place],
        input=json.dumps(calls), capture_output=True, text=True, timeout=240, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def reading_calls(template: Path) -> list[list[str]]:
    with open_workspace(template) as workspace:
        document = workspace.documents[0].document_id
    return [
        ["search", "rain", "--json"],
        ["doc", "list", "--json"],
        ["doc", "show", document],
        ["doc", "text", document],
        ["doc", "versions", document],
        ["doc", "chunks", document],
        ["doc", "columns", document],
        ["doc", "explain", document],
        ["doc", "explain", "broken.pdf"],
        ["export", "--to", f"/tmp/{template.parent.name}-exported", "--format", "folder", "--force"],
        ["export"],
        ["job", "list"],
        ["job", "show", "last"],
        ["job", "items", "last"],
        ["job", "errors", "last"],
        ["job", "logs", "last"],
        ["status", "last"],
        ["source", "list"],
        ["source", "show", "docs"],
        ["collection", "list"],
        ["credential", "list"],
        ["worker", "status"],
        ["doctor"],
        ["audit"],
        ["errors", "list"],
        ["plan", "docs"],
        ["source", "test", "docs"],
        ["source", "preview", "docs"],
    ]


@pytest.mark.parametrize("place", [place for place in PLACES if place != "read_only_and_lost"])
def test_everything_that_reads_works(template: Path, place: str) -> None:
    """Each reading command ends as it does elsewhere, and what only the write-ahead log holds is read too."""
    results = make_calls(template, place, reading_calls(template))
    failed = [result for result in results if result["code"] != 0 and result["call"] != ["doctor"]]
    assert failed == []
    [doctor] = [result for result in results if result["call"] == ["doctor"]]
    assert "catalogue: consistent, 2 documents" in doctor["out"]
    assert [hit["title"] for hit in json.loads(results[0]["out"])]
    if "crash" in place or "log" in place:
        assert "only in the log" in results[1]["out"]


def test_lost_catalogue_that_cannot_be_made_again_is_refused(template: Path) -> None:
    """Where documents are on disk and no catalogue knows them, what reads says so, with the command; others go on."""
    calls = [["search", "rain"], ["doc", "list"], ["doctor"], ["job", "list"], ["audit"]]
    search, documents, doctor, jobs, audit = make_calls(template, "read_only_and_lost", calls)
    for refused in (search, documents):
        assert refused["code"] == 1
        assert "cannot be made again here" in refused["err"]
        assert "ingest-tui rebuild" in refused["err"]
    assert "catalogue: the catalogue is missing" in doctor["out"]
    assert (jobs["code"], audit["code"]) == (0, 0)


@pytest.mark.parametrize("place", ["full", "full_without_reserve", "full_after_a_crash"])
def test_jobs_are_cancelled_on_a_full_disk(template: Path, place: str) -> None:
    """Cancelling needs no room: the job ends at once, or the request waits for the next worker, and readers go on."""
    cancel, listed = make_calls(template, place, [["job", "cancel", "last"], ["job", "list", "--json"]])
    assert (cancel["code"], listed["code"]) == (0, 0), (cancel, listed)
    [newest, _older] = json.loads(listed["out"])
    assert newest["state"] == "cancelled" or place == "full_without_reserve"


def test_request_without_room_for_a_word_is_an_empty_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """On a disk that is full to the last byte the name of the request says what is asked for, and it is answered."""
    with open_workspace(tmp_path / "ws") as handle:
        handle.add_source("docs", path=str(tmp_path))
        workspace = handle.workspace
        manifest = submit_sync(workspace, workspace.sources.get("docs"), trigger="manual", by="test")

        def full(*_arguments: Any, **_options: Any) -> None:
            raise OSError(28, "No space left on device")

        with monkeypatch.context() as full_for_a_while:
            full_for_a_while.setattr("ingest_tui.store.jobs.write_durably", full)
            full_for_a_while.setattr("ingest_tui.store.jobs.write_record", full)
            assert cancel_job(workspace, manifest.job_id).state == "queued"
        [request] = workspace.jobs.paths(manifest.job_id).requests.iterdir()
        assert (request.name, request.stat().st_size) == ("cancel.json", 0)
        with Engine(workspace) as engine:
            while engine.start_ready_jobs() or engine.running:
                engine.wait(5.0)
        assert workspace.jobs.load(manifest.job_id).state == "cancelled"
