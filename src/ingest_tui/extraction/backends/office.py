"""Office documents with xberg: docx, pptx, odt, odp, rtf, msg, doc, ppt as markdown."""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from typing import Any

from ingest_tui.extraction.backends.base import Parsed, ParseInput
from ingest_tui.extraction.office.native_xberg import native_xberg
from ingest_tui.model.errors import IngestError, ItemRejectedError, ProcessingError
from ingest_tui.model.extraction import MAX_FINDING_CHARACTERS, Finding

_TIMEOUT_SECONDS = 600
_of_thread = threading.local()


def parse(parse_input: ParseInput) -> Parsed:
    """Return an office document as markdown.

    Raises `ItemRejectedError` (``encrypted``, ``archive_bomb``) and `ProcessingError` (``malformed``).
    """
    xberg = native_xberg()
    try:
        source = xberg.ExtractInput(
            kind=xberg.ExtractInputKind.BYTES, bytes=parse_input.content, mime_type=parse_input.format.media_type
        )
        result = _run(xberg, source)
    except Exception as error:
        raise _refusal(error, xberg) from error
    if result.errors:
        raise _refusal(ProcessingError(str(result.errors[0].message)), xberg)
    if not result.results:
        raise ProcessingError("nothing could be read from it", code="malformed")
    document = result.results[0]
    metadata = document.metadata
    findings = [
        Finding("warning", "parser_warning", str(warning.message)[:MAX_FINDING_CHARACTERS])
        for warning in document.processing_warnings or ()
    ]
    pages = getattr(document.counts, "pages", None) if parse_input.format.name in ("pptx", "ppt", "odp") else None
    return Parsed(
        str(document.content),
        title=_one_line(getattr(metadata, "title", None)),
        language=_one_line(getattr(metadata, "language", None)),
        pages=pages or None,
        findings=findings,
    )


def _one_line(value: Any) -> str | None:
    return " ".join(str(value).split())[:300] or None if value else None


def _run(xberg: Any, source: Any) -> Any:
    """Run the asynchronous call, also for a caller that runs a loop itself: then in a thread of its own."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return _loop().run_until_complete(_awaited(xberg, source))
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(lambda: asyncio.run(_awaited(xberg, source))).result()


async def _awaited(xberg: Any, source: Any) -> Any:
    return await xberg.extract(source, _config())


def _loop() -> asyncio.AbstractEventLoop:
    """Return this thread's loop: one for all its documents, since a loop costs ten times as much as a small one."""
    loop: asyncio.AbstractEventLoop | None = getattr(_of_thread, "loop", None)
    if loop is None:
        loop = _of_thread.loop = asyncio.new_event_loop()
    return loop


@lru_cache(maxsize=1)
def _config() -> Any:
    """Return settings under which nothing is cached, downloaded, sent to OCR or unpacked recursively."""
    xberg = native_xberg()
    return xberg.ExtractionConfig(
        use_cache=False,
        disable_ocr=True,
        ocr_embedded_images=False,
        enable_quality_processing=False,
        output_format=xberg.OutputFormat("markdown"),
        escape_markdown=False,
        max_archive_depth=0,
        max_embedded_file_bytes=0,
        extraction_timeout_secs=_TIMEOUT_SECONDS,
        # Ratios were checked before, with a floor: an empty slide of 273 bytes unpacks to a thousand times its size.
        security_limits=xberg.SecurityLimits(
            max_compression_ratio=100_000, max_table_cells=2_000_000, max_entity_length=16 * 1024**2
        ),
    )


def _refusal(error: Exception, xberg: Any) -> IngestError:
    message = str(error)[:300]
    lowered = message.lower()
    if "password" in lowered or "encrypt" in lowered:
        return ItemRejectedError(
            "the document is encrypted", code="encrypted", hint="remove the password and put the file in place again"
        )
    if "invalid zip" in lowered:  # reported as a security limit, but only damage
        return ProcessingError(f"the document cannot be read: {message}", code="malformed", hint="fetch it again")
    if isinstance(error, xberg.SecurityError) or "security limit" in lowered or "zip bomb" in lowered:
        return ItemRejectedError(f"refused to unpack: {message}", code="archive_bomb")
    return ProcessingError(
        f"the document cannot be read: {message}", code="malformed", hint="open it with its program and save it again"
    )
