"""Pages, Numbers and Keynote of Apple, by the preview in PDF that a document may carry: their form is not published."""

from __future__ import annotations

import zipfile
import zlib
from io import BytesIO

from ingest_tui.extraction.backends.base import Parsed, ParseInput
from ingest_tui.extraction.markup.markdown import find_title
from ingest_tui.model.errors import ItemRejectedError, ProcessingError
from ingest_tui.model.extraction import Finding

_MAX_PREVIEW_BYTES = 256 * 1024**2


def parse(parse_input: ParseInput) -> Parsed:
    """Return the text of the preview.

    Raises `ItemRejectedError` (``unsupported_type``) for a document without one, and `ProcessingError` (``malformed``).
    """
    try:
        with zipfile.ZipFile(BytesIO(parse_input.content)) as archive:
            preview = _preview(archive)
    except (zipfile.BadZipFile, zlib.error, EOFError, ValueError, NotImplementedError, OSError) as error:
        raise ProcessingError(
            f"the document cannot be read: {error}"[:300], code="malformed", hint="the file may be cut short"
        ) from error
    markdown = parse_input.read_part(preview, "preview.pdf")
    note = Finding("warning", "preview_only", "read from the preview, which may show less than the document holds")
    return Parsed(
        markdown,
        title=find_title(markdown),
        findings=[note],
        hint_if_empty="export it as PDF or in a format of Microsoft Office and ingest that",
    )


def _preview(archive: zipfile.ZipFile) -> bytes:
    for entry in archive.infolist():
        if entry.filename.rpartition("/")[2].lower() == "preview.pdf":
            with archive.open(entry) as part:
                return part.read(_MAX_PREVIEW_BYTES)
    raise ItemRejectedError(
        "cannot read an Apple Pages, Numbers or Keynote document without a preview in PDF",
        code="unsupported_type",
        hint="export it as PDF or in a format of Microsoft Office and ingest that",
    )
