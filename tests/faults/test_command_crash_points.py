"""Commands that change documents outside of a sync: each system call is hit once with SIGKILL, EIO and ENOSPC.

Whoever opens the workspace next finds each document either here or in the trash, whole; the same command again does
what is left. By default a sample of the points is tried; every point, with a report for each command, by:

    INGEST_TUI_WHOLE=1 pytest -n 0 -s tests/faults/test_command_crash_points.py
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from ingest_tui.store.workspace import open_workspace_at
from tests.faults.crash_lab import new_workspace
from tests.faults.syscall_lab import command_line, run, sync_docs
from tests.faults.syscall_trial import SYSTEM_CALL_MARKS, Documents, Scenario, as_it_is, check_points, sampled

SAMPLE = 6
WORDS = ("weather", "alpha", "beta", "gamma", "script")
FILES = ("alpha", "beta", "gamma")

pytestmark = SYSTEM_CALL_MARKS


def _document_id(root: Path, name: str) -> str:
    workspace = open_workspace_at(root)
    try:
        sql = "SELECT document_id FROM documents WHERE file_name = ? ORDER BY created_at"
        return str(workspace.catalogue.value(sql, (f"{name}.md",)))
    finally:
        workspace.close()


def _documents(*words: str, names: tuple[str, ...] = ("alpha-again", "beta")) -> Callable[[Path], list[str]]:
    def command(root: Path) -> list[str]:
        return command_line(root, "doc", *words, *(_document_id(root, name) for name in names))

    return command


def _upload(root: Path) -> list[str]:
    return command_line(root, "upload", str(root.parent / "letter.md"))


def _register(root: Path) -> list[str]:
    return [sys.executable, str(Path(__file__).with_name("register_document.py")), str(root)]


def _whatever_was_done_before(documents: Documents) -> Documents:
    """A file that comes a second time is noted as such."""
    told = {"outcome", "reason", "detail", "ruleset"}
    locations = [{name: value for name, value in row.items() if name not in told} for row in documents.locations]
    folders = [name for name in documents.folders if not name.endswith("document.json")]
    return replace(documents, locations=locations, folders=folders)


@dataclass(frozen=True)
class Command:
    """A command, what is done before it on a workspace of three documents, and how it may end the second time."""

    command: Callable[[Path], list[str]]
    before: tuple[Callable[[Path], list[str]], ...] = ()
    codes_again: frozenset[int] = field(default=frozenset({0}))
    plain: Callable[[Documents], Documents] = as_it_is


def _words(*words: str) -> Callable[[Path], list[str]]:
    return lambda root: command_line(root, *words)


def _add_docs(root: Path) -> list[str]:
    return command_line(root, "source", "add", "local", "docs", "--path", str(root.parent / "source"))


NOT_FOUND, WRONG_USAGE = 4, 2
COMMANDS = {
    "source remove": Command(_words("source", "remove", "docs", "--yes"), codes_again=frozenset({0, NOT_FOUND})),
    "source remove, documents kept": Command(
        _words("source", "remove", "docs", "--yes", "--keep-documents"), codes_again=frozenset({0, NOT_FOUND})
    ),
    "doc remove": Command(_documents("remove", "--yes")),
    "doc restore": Command(
        _documents("restore", names=("alpha-again",)),
        before=(_documents("remove", "--yes"),),
        codes_again=frozenset({0, WRONG_USAGE}),
    ),
    "upload": Command(_upload, plain=_whatever_was_done_before),
    "register": Command(_register),
    "sync over kept documents": Command(
        sync_docs, before=(_words("source", "remove", "docs", "--yes", "--keep-documents"), _add_docs)
    ),
}


@pytest.fixture(scope="module", params=COMMANDS)
def scenario(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Scenario:
    """Three synced documents, one of them with a second place, and a command that changes some."""
    name, told = request.param, COMMANDS[request.param]
    base = tmp_path_factory.mktemp(name.replace(" ", "-").replace(",", ""))
    workspace = new_workspace(base / "prepared", base / "source")
    workspace.settings.parser_processes = 1
    workspace.layout.settings.write_text(workspace.settings.model_dump_json())
    workspace.close()
    (base / "letter.md").write_text("# letter\n\nThe weather in a letter.\n")
    for file in (*FILES, "alpha-again"):
        (base / "source" / f"{file}.md").write_text(f"# {file[:5]}\n\nThe weather in {file[:5]}.\n")
    for command in (sync_docs, *told.before):
        ending = run(command(base / "prepared"), base)
        assert ending.code == 0, ending
    found = Scenario(base / "prepared", base, WORDS, told.command, told.codes_again, told.plain)
    found.run_undisturbed()
    return found


def test_command_leaves_nothing_half_done_after_a_fault_at_any_call(scenario: Scenario) -> None:
    """After a death or an error at any call the workspace is whole, and the command again comes to the same end."""
    assert scenario.lesson is not None
    calls = [call for call in scenario.lesson.mutating if call.role != "ticker"]
    assert calls
    check_points(scenario, sampled(scenario.points(calls), SAMPLE), scenario.strike_coordinator)
