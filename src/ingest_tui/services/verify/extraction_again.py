"""The text of a version made again from its raw bytes, by the same confined parsers as in a job."""

from __future__ import annotations

import threading
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

from ingest_tui.execution.extractor import Extractor
from ingest_tui.execution.local import local_parsers
from ingest_tui.model.document import Document
from ingest_tui.model.errors import IngestError
from ingest_tui.model.extraction import ParseResult, ParseTask
from ingest_tui.model.source import Source
from ingest_tui.pipeline.connecting import with_preferences
from ingest_tui.pipeline.job.attachments import attachments_of
from ingest_tui.pipeline.job.ocr import folders_for_ocr, ocr_of, ocr_on_this_machine
from ingest_tui.pipeline.job.parse_limits import limits_for, limits_of, works_through_programs
from ingest_tui.store.workspace import Workspace


class TextAgain(NamedTuple):
    """What a parser made of raw bytes: its result, and the text; empty where it made none."""

    result: ParseResult
    text: str


class TextExtraction:
    """Extracts single files again. The parser processes start with the first one, and end with `close`."""

    def __init__(self, workspace: Workspace, scratch: Path) -> None:
        self._workspace = workspace
        self._scratch = scratch
        self._extractors: dict[tuple[bool, bool], Extractor] = {}
        self._number = 0

    def of(self, document: Document, raw: Path) -> TextAgain | None:
        """Return what the parsers make of a raw file of a document; None where they make no text of it."""
        source = self._source(document)
        settings = self._workspace.settings
        ocr = ocr_of(source, settings)
        self._number += 1
        output = self._scratch / f"{self._number}.md"
        task = ParseTask(
            task_id=f"verify/{self._number}",
            input_path=str(raw),
            output_path=str(output),
            file_name=document.file_name,
            size=raw.stat().st_size,
            backend=source.extraction.backend,
            backends_by_type=source.extraction.by_type,
            limits=limits_for(settings, source.extraction, document.file_name, ocr=ocr),
            member_bytes=int(source.max_size) if source.containers == "documents" else None,
            attachments=attachments_of(source, settings),
            attachment_bytes=int(source.max_size),
            ocr=ocr_on_this_machine(ocr, self._workspace.layout),
        )
        result = self._result_of(source, task)
        with suppress(OSError):
            if result is not None and result.status == "parsed":
                return TextAgain(result, output.read_text(encoding="utf-8"))
        return None

    def close(self) -> None:
        """End the parser processes."""
        for extractor in self._extractors.values():
            extractor.close(cancel=True)
        self._extractors.clear()

    def _source(self, document: Document) -> Source:
        with suppress(IngestError):
            return with_preferences(self._workspace, self._workspace.sources.get(document.source_id))
        return Source(source_id="verify", name="verify", source_type="upload", collection_id=document.collection_id)

    def _result_of(self, source: Source, task: ParseTask) -> ParseResult | None:
        done, results = threading.Event(), []

        def settle(result: ParseResult) -> None:
            results.append(result)
            done.set()

        self._extractor(source).submit(task, settle)
        done.wait()
        return results[0] if results else None

    def _extractor(self, source: Source) -> Extractor:
        layout, settings = self._workspace.layout, self._workspace.settings
        ocr = ocr_of(source, settings)
        key = (works_through_programs(source.extraction), ocr.is_on)
        if key not in self._extractors or self._extractors[key].failure is not None:
            options: dict[str, Any] = {"scratch": layout.parsers, "may_run_programs": key[0]}
            readable = [layout.documents, layout.trash, *folders_for_ocr(ocr, layout)]
            limits = limits_of(settings, source.extraction)
            self._extractors[key] = local_parsers(1, limits, readable=readable, **options)
        return self._extractors[key]
