"""winmail.dat (TNEF) with tnefparse: the body of the mail and its attachments, as Outlook wraps them for others."""

from __future__ import annotations

import logging
from typing import Any

from ingest_tui.extraction.backends.base import Parsed, ParseInput
from ingest_tui.extraction.intake.decoding import decode_text
from ingest_tui.extraction.markup.literal_text import literal
from ingest_tui.extraction.markup.markdown import shift_headings
from ingest_tui.model.attachments import MAX_ATTACHMENTS
from ingest_tui.model.errors import IngestError, ProcessingError
from ingest_tui.model.extraction import Finding


def parse(parse_input: ParseInput) -> Parsed:
    """Return the text of a wrapped mail: its body in the richest form there is, and its attachments by name.

    Raises `ProcessingError` (``malformed``).
    """
    import tnefparse

    logging.getLogger("tnef-decode").setLevel(logging.ERROR)
    try:
        wrapped = tnefparse.TNEF(parse_input.content, do_checksum=False)
    except Exception as error:
        raise ProcessingError(f"the wrapped mail cannot be read: {error!r}"[:300], code="malformed") from error
    parts = [_body(wrapped, parse_input)]
    findings: list[Finding] = []
    if len(wrapped.attachments) > MAX_ATTACHMENTS:
        message = f"more than {MAX_ATTACHMENTS:,} attachments: the rest is left out"
        findings.append(Finding("warning", "parts_cut", message))
    attachments = [
        (" ".join(_text_of(one.long_filename() or one.name or "unnamed").split())[:255], bytes(one.data or b""))
        for one in wrapped.attachments[:MAX_ATTACHMENTS]
    ]
    if attachments:
        parts += ["## Attachments", "\n".join(f"- {name} ({len(data)} bytes)" for name, data in attachments)]
    for name, data in attachments:
        text = parse_input.read_attachment(name, data) if data else ""
        parse_input.tick()
        if text:
            parts += [f"### {name}", shift_headings(text, 3)]
    return Parsed("\n\n".join(part.strip("\n") for part in parts if part.strip()) + "\n", findings=findings)


def _body(wrapped: Any, parse_input: ParseInput) -> str:
    """Return the HTML, the RTF or the plain body, whichever says something first."""
    for name, form in (("body.html", "htmlbody"), ("body.rtf", "rtfbody"), ("body.txt", "body")):
        try:
            found = getattr(wrapped, form)
        except Exception:  # noqa: BLE001 - a compressed body that is damaged: the next form may be whole
            found = None
        content = found.encode("utf-8", "replace") if isinstance(found, str) else found
        if isinstance(content, list):
            content = b"".join(one for one in content if isinstance(one, bytes))
        if content and (text := parse_input.read_part(bytes(content), name)).strip():
            return literal(text, keeps_quotes=True) if name == "body.txt" else text
    return ""


def _text_of(name: str | bytes) -> str:
    if isinstance(name, str):
        return name.rstrip("\x00")
    try:
        return decode_text(name.rstrip(b"\x00"))[0]
    except IngestError:
        return "unnamed"
