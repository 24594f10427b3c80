"""When the catalogue is read through to find out why something failed: only where it can be why."""

from __future__ import annotations

from pathlib import Path
from unittest.mock import Mock

import pytest

from ingest_tui import open_workspace
from ingest_tui.cli.main import run
from ingest_tui.model.errors import ValidationError
from ingest_tui.services import workspaces
from ingest_tui.store.workspace import init_workspace


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> Mock:
    """What is called in place of reading all rows."""
    asked = Mock(return_value=None)
    monkeypatch.setattr(workspaces, "contradiction_that_caused", asked)
    return asked


@pytest.fixture
def root(tmp_path: Path) -> Path:
    init_workspace(tmp_path / "ws")
    return tmp_path / "ws"


def test_command_that_opened_no_catalogue_does_not_read_it(root: Path, asked: Mock) -> None:
    """A setting that cannot be is refused without a look at 100,000 documents."""
    assert (
        run(["--workspace", str(root), "source", "add", "directory", "s", "--path", str(root), "--include", "["]) == 2
    )
    assert not asked.called


def test_failure_after_the_catalogue_was_opened_is_looked_into(root: Path, asked: Mock) -> None:
    """What fails once rows were read may fail for them."""
    handle = open_workspace(root)
    assert handle.documents == []
    assert workspaces.failure_of_catalogue(handle.workspace, ValidationError("a name from a row")) is None
    assert asked.called


def test_value_of_a_wrong_type_is_no_reason_to_read_it(root: Path, asked: Mock) -> None:
    """A caller's mistake is reported as such, also when the catalogue has been opened."""
    handle = open_workspace(root)
    assert handle.documents == []
    with pytest.raises(TypeError):
        handle.search(5)  # type: ignore[arg-type] # that is the mistake
    assert not asked.called
