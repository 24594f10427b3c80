"""Jobs of sources that are switched to OCR, with real parser processes in their walls."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from ingest_tui import open_workspace
from ingest_tui.cli.source_options import workspace_settings
from ingest_tui.extraction.ocr import tesseract
from ingest_tui.extraction.pool.pool import ParserPool
from ingest_tui.model.extraction import ParseTask
from ingest_tui.model.job import Manifest
from ingest_tui.model.source import ExtractionSettings, Source
from ingest_tui.pipeline.job.ocr import what_ocr_lacks
from ingest_tui.pipeline.job.parse_limits import limits_for
from ingest_tui.pipeline.plan.rules import ruleset_of
from ingest_tui.services.api import WorkspaceHandle
from ingest_tui.services.jobs.jobs import job_items
from ingest_tui.services.sources.sources import edit_source
from ingest_tui.store.records.settings import Settings
from tests.made_images import drawn, ocr_request, saved, scanned_pdf


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[WorkspaceHandle]:
    """A workspace whose source has a photo, a scan, a text, an empty file and a song."""
    ocr_request()
    docs = tmp_path / "docs"
    docs.mkdir()
    (docs / "photo.png").write_bytes(saved(drawn(), "PNG"))
    (docs / "scan.pdf").write_bytes(scanned_pdf([drawn(), drawn(["The second page is here"])]))
    (docs / "a.txt").write_text("common words")
    (docs / "empty.txt").write_text("  \n")
    (docs / "song.mp3").write_bytes(b"ID3\x03\x00" + bytes(60))
    with open_workspace(tmp_path / "ws") as handle:
        handle.add_source("docs", path=str(docs))
        yield handle


@pytest.fixture
def parsed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the files that were handed to the parsers."""
    names: list[str] = []
    genuine = ParserPool.submit

    def noting(self: ParserPool, task: ParseTask, on_result: object) -> None:
        names.append(task.file_name)
        genuine(self, task, on_result)  # type: ignore[arg-type]

    monkeypatch.setattr(ParserPool, "submit", noting)
    return names


def outcomes(workspace: WorkspaceHandle, manifest: Manifest) -> dict[str, tuple[str, str, str]]:
    """Return outcome, reason and hint by key."""
    items = job_items(workspace.workspace, manifest.job_id, outcomes={"failed", "rejected", "empty", "ingested"})
    return {outcome.key: (outcome.outcome, outcome.reason, outcome.hint) for outcome, _ in items}


def records(workspace: WorkspaceHandle) -> dict[str, dict[str, object]]:
    """Return what is kept of each document, by key."""
    found = [json.loads(path.read_bytes()) for path in workspace.workspace.root.rglob("ingestion.json")]
    return {record["key"]: record for record in found}


@pytest.mark.slow
def test_switching_ocr_on_reads_what_needed_it_and_nothing_else(workspace: WorkspaceHandle, parsed: list[str]) -> None:
    """What was refused for want of OCR is read at the next sync, behind all walls; the rest is left alone."""
    first = outcomes(workspace, workspace.sync("docs"))
    assert first["photo.png"][:2] == ("rejected", "needs_ocr")
    assert first["scan.pdf"][:2] == ("empty", "needs_ocr")
    assert all("--ocr auto" in first[key][2] for key in ("photo.png", "scan.pdf"))
    edit_source(workspace.workspace, "docs", ocr="auto")
    parsed.clear()
    manifest = workspace.sync("docs")
    assert sorted(parsed) == ["photo.png", "scan.pdf"]
    assert manifest.counters.items_ingested == 2
    kept = records(workspace)
    assert kept["scan.pdf"]["ocr"] == {
        "engine": "tesseract",
        "languages": ["eng"],
        "pages": 2,
        "mean_confidence": pytest.approx(0.95, abs=0.06),
        "least_confidence": pytest.approx(0.95, abs=0.08),
    }
    assert "ocr" not in kept["a.txt"]
    assert len(workspace.search("orchard")) == 2
    parsed.clear()
    workspace.sync("docs")
    assert parsed == []


@pytest.mark.slow
def test_pages_that_were_read_before_are_not_read_again(workspace: WorkspaceHandle, tmp_path: Path) -> None:
    """The same page in another document is taken from the pages that are kept."""
    edit_source(workspace.workspace, "docs", ocr="auto")
    workspace.sync("docs")
    pages = workspace.workspace.layout.ocr_pages
    [second] = [path for path in pages.rglob("*.json") if "second" in path.read_text()]
    second.write_text(json.dumps({"text": "Taken from what was kept", "confidence": 0.9}))
    (tmp_path / "docs" / "again.pdf").write_bytes(scanned_pdf(["Typed", drawn(["The second page is here"])]))
    before = sorted(pages.rglob("*.json"))
    workspace.sync("docs")
    assert workspace.search("kept")
    assert sorted(pages.rglob("*.json")) == before


@pytest.mark.slow
def test_without_language_data_a_scan_fails_with_what_to_install(workspace: WorkspaceHandle, parsed: list[str]) -> None:
    """It is tried again at each sync, so that the data need only be installed."""
    edit_source(workspace.workspace, "docs", ocr="auto", ocr_languages="eng+fra")
    for _ in range(2):
        parsed.clear()
        found = outcomes(workspace, workspace.sync("docs"))
        assert found["scan.pdf"][:2] == ("failed", tesseract.MISSING_DATA)
        assert "apt install tesseract-ocr-fra" in found["scan.pdf"][2]
        assert "scan.pdf" in parsed
    source = workspace.workspace.sources.get("docs")
    lack = what_ocr_lacks(source, workspace.workspace.settings)
    assert lack is not None
    assert "fra" in lack[0]


def test_a_source_takes_precedence_over_the_workspace() -> None:
    """What a source leaves open is as the settings have it; while it is off, the ruleset has no part for it."""
    plain = Source(source_id="a", name="a", source_type="local")
    on = Settings(ocr="auto", ocr_languages="eng+deu")
    off = ruleset_of(plain, None, Settings())
    assert "+" not in off
    assert ruleset_of(plain, None, on).startswith(f"{off}+")
    assert ruleset_of(plain.model_copy(update={"ocr": "never"}), None, on) == off
    german = plain.model_copy(update={"ocr_languages": "deu"})
    assert ruleset_of(german, None, on) != ruleset_of(plain, None, on)


def test_time_for_ocr_does_not_follow_from_the_size() -> None:
    """What may hold pictures has the time of OCR; a text has none of it."""
    settings = Settings(ocr_total_seconds=5000)
    found = limits_for(settings, ExtractionSettings(), "a.pdf", ocr=ocr_request())
    assert found is not None
    assert (found.total_seconds, found.base_cpu_seconds) == (5000, 5000)
    assert found.base_memory_bytes == settings.parser_base_memory
    assert limits_for(settings, ExtractionSettings(), "a.docx", ocr=ocr_request()) is None


@pytest.mark.parametrize("languages", ["", "eng+", "../eng", "e", "eng deu"])
def test_what_names_no_languages_is_refused(languages: str) -> None:
    """Languages become names of files: nothing else passes."""
    with pytest.raises(ValueError, match="eng"):
        Settings(ocr_languages=languages)


def test_default_gives_a_setting_of_ocr_back_to_the_workspace() -> None:
    """What an option does not name stays; 'default' and empty languages clear what the source has of its own."""
    nothing = {"ocr": None, "ocr_languages": None, "ocr_engine": None}
    assert workspace_settings(nothing | {"attachments": None}) == {}
    assert workspace_settings(nothing | {"attachments": "default"}) == {"attachments": None}
    assert workspace_settings(nothing | {"ocr": "auto", "ocr_languages": "eng+deu"}) == {
        "ocr": "auto",
        "ocr_languages": "eng+deu",
    }
    assert workspace_settings({"ocr": "default", "ocr_languages": "", "ocr_engine": "default"}) == {
        "ocr": None,
        "ocr_languages": "",
        "ocr_engine": None,
    }
