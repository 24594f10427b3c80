"""Mail (RFC 5322, MIME) with the standard library: headers, the body, and the names of the attachments."""

from __future__ import annotations

from email import policy
from email.errors import MessageError
from email.message import EmailMessage, Message
from email.parser import BytesParser
from typing import Any

from ingest_tui.extraction.backends.base import Parsed, ParseInput
from ingest_tui.extraction.intake.decoding import decode_declared
from ingest_tui.model.errors import IngestError, ProcessingError
from ingest_tui.model.extraction import Element, Finding

_SHOWN_HEADERS = ("From", "To", "Cc", "Date")
_MAX_HEADER_CHARACTERS = 2_000
_MAX_PARTS = 1_000


def parse(material: ParseInput) -> Parsed:
    """Return a mail: its subject as heading, the main headers, its body, and its attachments by name.

    Attachments are named, not parsed. Raises `ProcessingError` (``malformed``).
    """
    try:
        message = BytesParser(EmailMessage, policy=policy.default).parsebytes(material.content)
    except (MessageError, ValueError, LookupError, RecursionError) as error:
        raise ProcessingError(f"the mail cannot be read: {error}"[:300], code="malformed") from error
    if not message.keys():
        raise ProcessingError("the mail has no headers", code="malformed", hint="the file may be cut short")
    findings: list[Finding] = []
    headers = {name: value for name in (*_SHOWN_HEADERS, "Subject", "Message-ID") if (value := _header(message, name))}
    bodies, attachments, links = _walk(message, findings)
    subject = headers.get("Subject", "")
    shown = [f"- {name}: {headers[name]}" for name in _SHOWN_HEADERS if name in headers]
    parts = [f"# {subject}"] if subject else []
    elements = [Element("\n".join(shown), {"category": "EmailHeaders", **_keys(headers)})]
    parts += ["\n".join(shown), *bodies]
    elements += [Element(body, {"category": "EmailBody"}) for body in bodies]
    if attachments:
        named = "\n".join(f"- {one['name']} ({one['media_type']}, {one['bytes']} bytes)" for one in attachments)
        parts += ["## Attachments", named]
        elements.append(Element(named, {"category": "EmailAttachments", "attachments": attachments}))
    markdown = "\n\n".join(part for part in parts if part.strip()) + "\n"
    return Parsed(markdown, elements, title=subject[:300] or None, links=links, findings=findings)


def _keys(headers: dict[str, str]) -> dict[str, str]:
    return {name.lower().replace("-", "_"): value for name, value in headers.items()}


def _header(message: Message, name: str) -> str:
    try:
        value = str(message.get(name, ""))
    except Exception:  # noqa: BLE001 the header parser of the standard library raises almost anything on bad headers
        value = next((str(raw) for key, raw in message.raw_items() if key.lower() == name.lower()), "")
    return " ".join(value.split())[:_MAX_HEADER_CHARACTERS]


def _walk(message: Message, findings: list[Finding]) -> tuple[list[str], list[dict[str, Any]], list[str]]:
    """Return the texts to read, the attachments, and links; of alternatives, HTML only where there is no plain text."""
    plain: list[str] = []
    html: list[str] = []
    attachments: list[dict[str, Any]] = []
    for number, part in enumerate(message.walk()):
        if number >= _MAX_PARTS:
            findings.append(Finding("warning", "parts_cut", f"more than {_MAX_PARTS} parts: the rest is left out"))
            break
        if part.is_multipart():
            continue
        kind = part.get_content_type()
        content = part.get_payload(decode=True)
        body = content if isinstance(content, bytes) else b""
        name = _file_name(part)
        if name or part.get_content_disposition() == "attachment" or not kind.startswith("text/"):
            attachments.append({"name": name or "unnamed", "media_type": kind, "bytes": len(body)})
        elif kind == "text/html":
            html.append(_text_of(part, body, findings))
        else:
            plain.append(_text_of(part, body, findings))
    plain = [text for text in plain if text.strip()]
    if plain:
        return plain, attachments, []
    from ingest_tui.extraction.backends.html import html_to_markdown_text

    return [html_to_markdown_text(text) for text in html], attachments, []


def _file_name(part: Message) -> str:
    try:
        name = part.get_filename()
    except Exception:  # noqa: BLE001 see _header
        return "unnamed"
    return " ".join((name or "").split())[:255]


def _text_of(part: Message, body: bytes, findings: list[Finding]) -> str:
    if not body:
        return ""
    try:
        text, _encoding, more = decode_declared(body, part.get_content_charset(""))
    except IngestError:
        return ""
    findings += more
    return text
