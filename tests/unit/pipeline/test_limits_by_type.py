"""Time limits of their own for single types, from the settings of the workspace."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ingest_tui import open_workspace
from ingest_tui.extraction.sandbox import ParserPool
from ingest_tui.model.errors import StoreError, ValidationError
from ingest_tui.model.extraction import ParseTask
from ingest_tui.pipeline.extract import limits_for
from ingest_tui.services.workspaces import doctor
from ingest_tui.store.workspace import Settings, open_workspace_at

SLOW_PDF = {"pdf": {"silence_seconds": 120, "total_seconds": 1800}}


def settings(by_type: dict[str, object]) -> Settings:
    return Settings.model_validate({"parser_limits_by_type": by_type, "parser_silence_seconds": 7})


@pytest.mark.parametrize(
    ("by_type", "name", "expected"),
    [
        (SLOW_PDF, "a.pdf", (120, 1800)),
        (SLOW_PDF, "A.PDF", (120, 1800)),
        (SLOW_PDF, "a.docx", None),
        (SLOW_PDF, "noname", None),
        ({}, "a.pdf", None),
        ({"application/pdf": {"total_seconds": 5}}, "a.pdf", (7, 5)),
        ({"docx": {"silence_seconds": 3}, ".DOCM": {"silence_seconds": 4}}, "a.docm", (4, 600)),
        ({"docx": {"silence_seconds": 3}, ".DOCM": {"silence_seconds": 4}}, "a.docx", (3, 600)),
    ],
)
def test_limits_follow_the_type_of_the_name(
    by_type: dict[str, object], name: str, expected: tuple[float, float] | None
) -> None:
    """A type may have limits of its own, the extension before the format; what it leaves out is as for all."""
    limits = limits_for(settings(by_type), name)
    assert (limits and (limits.silence_seconds, limits.total_seconds)) == expected


def test_the_parser_gets_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A job gives each file the limits of its type; a file of no such type has those of the pool."""
    docs = tmp_path / "docs"
    docs.mkdir()
    (docs / "a.md").write_text("# words")
    (docs / "b.txt").write_text("words")
    with open_workspace(tmp_path / "ws") as handle:
        handle.add_source("docs", path=str(docs))
    path = tmp_path / "ws" / "workspace.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"parser_limits_by_type": {"md": {"total_seconds": 9}}}))
    genuine = ParserPool.submit
    limits: dict[str, object] = {}

    def noting(self: ParserPool, task: ParseTask, on_result: object) -> None:
        limits[task.file_name] = task.limits and task.limits.total_seconds
        genuine(self, task, on_result)  # type: ignore[arg-type]

    monkeypatch.setattr(ParserPool, "submit", noting)
    with open_workspace(tmp_path / "ws") as handle:
        assert handle.sync("docs").counters.items_ingested == 2
    assert limits == {"a.md": 9, "b.txt": None}


@pytest.mark.parametrize("wrong", [{"pdf": {"total_seconds": 0}}, {"pdf": {"minutes": 3}}, {"pdf": 30}])
def test_wrong_limits_are_refused(tmp_path: Path, wrong: dict[str, object]) -> None:
    """A limit that is none, or of another name, is refused when the workspace is opened."""
    with open_workspace(tmp_path / "ws"):
        pass
    path = tmp_path / "ws" / "workspace.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"parser_limits_by_type": wrong}))
    with pytest.raises(StoreError, match="parser_limits_by_type"):
        open_workspace_at(tmp_path / "ws")


def test_unknown_type_is_told(tmp_path: Path) -> None:
    """A misspelt type is a problem that `doctor` names, and no file is parsed as if nothing had been asked for."""
    with pytest.raises(ValidationError, match="'pfd'"):
        limits_for(settings({"pfd": {"total_seconds": 9}}), "a.pdf")
    with open_workspace(tmp_path / "ws"):
        pass
    path = tmp_path / "ws" / "workspace.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"parser_limits_by_type": {"pfd": {"total_seconds": 9}}}))
    problems = {check.name: check.message for check in doctor(tmp_path / "ws") if check.level == "problem"}
    assert "'pfd'" in problems["settings"]
