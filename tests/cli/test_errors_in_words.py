"""Whatever a library raises below a command, people read what happened and what to do, and never a class name alone."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn

import apsw
import botocore.exceptions
import pydantic
import pytest
import requests

from ingest_tui.cli.main import run
from ingest_tui.store.catalogue.catalogue import Catalogue
from ingest_tui.store.jobs import JobStore
from ingest_tui.store.records import json_files
from ingest_tui.store.workspace import init_workspace

pytestmark = pytest.mark.slow


class _Model(pydantic.BaseModel):
    size: int


def _not_valid() -> pydantic.ValidationError:
    try:
        _Model.model_validate({"size": "much"})
    except pydantic.ValidationError as error:
        return error
    raise AssertionError


_DATABASE = (
    apsw.AuthError, apsw.BusyError, apsw.ConstraintError, apsw.FullError, apsw.IOError, apsw.NotADBError,
    apsw.ReadOnlyError, apsw.SQLError, apsw.ThreadingViolationError,
)  # fmt: skip
_SYSTEM = (errno.EIO, errno.ENOSPC, errno.EROFS, errno.EACCES, errno.ESTALE)
ERRORS: dict[str, BaseException] = {
    **{kind.__name__: kind("as told") for kind in _DATABASE},
    **{errno.errorcode[number]: OSError(number, os.strerror(number)) for number in _SYSTEM},
    "MemoryError": MemoryError(),
    "pydantic": _not_valid(),
    "requests": requests.exceptions.ConnectTimeout("slow"),
    "botocore": botocore.exceptions.EndpointConnectionError(endpoint_url="https://host.invalid"),
}
CATALOGUE_COMMANDS = [
    ["doc", "list"],
    ["doc", "explain", "a.txt"],
    ["doc", "remove", "a.txt", "--yes"],
    ["doc", "restore", "a.txt"],
    ["search", "alpha"],
    ["errors", "list"],
    ["collection", "list"],
    ["source", "remove", "docs", "--yes"],
    ["export", "--to", "all.jsonl"],
]
MORE_CATALOGUE_COMMANDS = [
    ["plan", "docs"],
    ["sync", "docs"],
    ["upload", "docs/a.txt"],
    ["source", "list"],
    ["source", "test", "docs"],
    ["source", "preview", "docs"],
    ["source", "edit", "docs", "--exclude", "x"],
    ["doc", "show", "a.txt"],
    ["doc", "export", "a.txt"],
    ["trash", "list"],
    ["trash", "empty", "--yes"],
    ["errors", "retry", "--all"],
    ["job", "retry", "last"],
    ["status"],
    ["rebuild"],
    ["worker", "status"],
    ["audit"],
]
OTHER_COMMANDS: list[tuple[type | Any, str, list[str]]] = [
    (JobStore, "ids", ["job", "list"]),
    (JobStore, "ids", ["job", "show", "last"]),
    (json_files, "read_json", ["source", "show", "docs"]),
    (json_files, "read_json", ["collection", "list"]),
    (json_files, "write_durably", ["collection", "add", "more"]),
]
MORE_OTHER_COMMANDS: list[tuple[type | Any, str, list[str]]] = [
    (JobStore, "ids", ["status"]),
    (JobStore, "ids", ["source", "list"]),
    (JobStore, "ids", ["job", "cancel", "last"]),
    (JobStore, "ids", ["job", "retry", "last"]),
    (json_files, "read_json", ["sync", "docs"]),
    (json_files, "read_json", ["source", "edit", "docs", "--priority", "5"]),
    (json_files, "read_json", ["credential", "list"]),
    (json_files, "read_json", ["worker", "status"]),
    (json_files, "write_durably", ["sync", "docs"]),
    (json_files, "write_durably", ["source", "edit", "docs", "--priority", "5"]),
    (json_files, "write_durably", ["source", "disable", "docs"]),
]


@pytest.fixture
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    docs = tmp_path / "docs"
    docs.mkdir()
    root = tmp_path / "workspace"
    init_workspace(root)
    monkeypatch.chdir(tmp_path)
    assert run(["--workspace", str(root), "source", "add", "local", "docs", "--path", str(docs)]) == 0
    return root


def raising(error: BaseException) -> Callable[..., NoReturn]:
    def call(*_arguments: object, **_options: object) -> NoReturn:
        raise error

    return call


def check_words(root: Path, command: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    capsys.readouterr()
    code = run(["--workspace", str(root), *command])
    shown = capsys.readouterr()
    assert code in {0, 1, 2, 3, 4, 5, 6}
    assert "unexpected" not in shown.err + shown.out
    assert "Traceback" not in shown.err + shown.out
    if code not in {0, 3}:
        assert "error: " in shown.err
        assert "hint: " in shown.err


@pytest.mark.parametrize("name", ERRORS)
@pytest.mark.parametrize("command", CATALOGUE_COMMANDS, ids=" ".join)
def test_error_of_the_catalogue_is_reported_in_words(
    name: str,
    command: list[str],
    workspace: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """An error that a query raises ends each command with words and a hint."""
    for method in ("execute", "stream", "value"):
        monkeypatch.setattr(Catalogue, method, raising(ERRORS[name]))
    check_words(workspace, command, capsys)


@pytest.mark.parametrize("name", ERRORS)
@pytest.mark.parametrize(("place", "attribute", "command"), OTHER_COMMANDS)
def test_error_of_a_file_is_reported_in_words(
    name: str,
    place: Any,
    attribute: str,
    command: list[str],
    workspace: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """An error that reading or writing a file of the workspace raises ends each command with words and a hint."""
    monkeypatch.setattr(place, attribute, raising(ERRORS[name]))
    check_words(workspace, command, capsys)


def errors_that_end(command: list[str]) -> list[BaseException]:
    """Return the errors after which a command ends: with a full disk a job waits for room instead."""
    waits_for = {"FullError", "ENOSPC"} if command[0] in {"sync", "upload", "errors"} else set()
    return [error for name, error in ERRORS.items() if name not in waits_for]


@pytest.mark.parametrize("command", MORE_CATALOGUE_COMMANDS, ids=" ".join)
def test_errors_of_the_catalogue_are_reported_by_each_command(
    command: list[str], workspace: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The same holds, for one error after another in one workspace, for what else opens the catalogue, or might."""
    (workspace.parent / "docs" / "a.txt").write_text("alpha")
    for error in errors_that_end(command):
        for method in ("execute", "stream", "value"):
            monkeypatch.setattr(Catalogue, method, raising(error))
        check_words(workspace, command, capsys)


@pytest.mark.parametrize(("place", "attribute", "command"), MORE_OTHER_COMMANDS)
def test_errors_of_files_are_reported_by_each_command(
    place: Any,
    attribute: str,
    command: list[str],
    workspace: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """And for what else reads and writes files of the workspace."""
    for error in errors_that_end(command):
        with monkeypatch.context() as patched:
            patched.setattr(place, attribute, raising(error))
            check_words(workspace, command, capsys)
