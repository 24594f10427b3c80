"""Time limits of their own for single types, from the settings of the workspace."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ingest_tui import open_workspace
from ingest_tui.extraction.pool.pool import ParserPool
from ingest_tui.model.errors import StoreError, ValidationError
from ingest_tui.model.extraction import ParseTask
from ingest_tui.model.parse_limits import file_limits
from ingest_tui.model.source import ExtractionSettings, Source
from ingest_tui.pipeline.job.parse_limits import limits_for, limits_of
from ingest_tui.pipeline.plan.rules import parsers_of
from ingest_tui.services.workspaces import doctor
from ingest_tui.store.records.settings import Settings
from ingest_tui.store.workspace import open_workspace_at

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
    limits = limits_for(settings(by_type), ExtractionSettings(), name)
    assert (limits and (limits.silence_seconds, limits.total_seconds)) == expected


@pytest.mark.parametrize(
    ("of_type", "extraction", "expected"),
    [
        ({}, ExtractionSettings(), (768, 15)),
        ({"silence_seconds": 9}, ExtractionSettings(), (768, 15)),
        ({"memory": "1 GiB"}, ExtractionSettings(), (1024, 15)),
        ({"cpu_seconds": 99}, ExtractionSettings(), (768, 99)),
        ({"total_seconds": 1800}, ExtractionSettings(), (768, 1800)),
        ({"total_seconds": 1800, "cpu_seconds": 99}, ExtractionSettings(), (768, 99)),
        ({"silence_seconds": 9}, ExtractionSettings(by_type={"pdf": "unstructured"}), (2048, 600)),
        ({"silence_seconds": 9}, ExtractionSettings(by_type={"pdf": "docling"}), (2048, 600)),
        ({"memory": "1 GiB"}, ExtractionSettings(backend="unstructured"), (1024, 600)),
    ],
)
def test_a_type_may_have_what_its_size_does_not_explain(
    of_type: dict[str, object], extraction: ExtractionSettings, expected: tuple[float, float]
) -> None:
    """Memory and processor time of a type take the place of those of the size; more time in all means both clocks."""
    found = settings({"xls": of_type})
    limits = file_limits(limits_for(found, extraction, "a.xls") or limits_of(found, extraction), 0)
    assert (limits.memory_bytes // 1024**2, limits.cpu_seconds) == expected


@pytest.mark.parametrize(
    "changed",
    [
        {"parser_base_memory": "900 MiB"},
        {"parser_memory_per_megabyte": 5},
        {"parser_base_cpu_seconds": 16},
        {"parser_cpu_seconds_per_megabyte": 21},
        {"parser_limits_by_type": {"xls": {"memory": "1 GiB"}}},
    ],
)
def test_files_that_failed_are_tried_again_with_other_limits(changed: dict[str, object]) -> None:
    """Each limit is part of what a failure is remembered with: with another one the file is parsed again."""
    source = Source(source_id="a", name="a", source_type="directory")
    assert parsers_of(source, Settings.model_validate(changed)) != parsers_of(source, Settings())


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


def test_unknown_type_is_reported(tmp_path: Path) -> None:
    """A misspelt type is a problem that `doctor` names, and no file is parsed as if nothing had been asked for."""
    with pytest.raises(ValidationError, match="'pfd'"):
        limits_for(settings({"pfd": {"total_seconds": 9}}), ExtractionSettings(), "a.pdf")
    with open_workspace(tmp_path / "ws"):
        pass
    path = tmp_path / "ws" / "workspace.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"parser_limits_by_type": {"pfd": {"total_seconds": 9}}}))
    problems = {check.name: check.message for check in doctor(tmp_path / "ws") if check.level == "problem"}
    assert "'pfd'" in problems["settings"]
