"""Mail (RFC 5322, MIME) with the standard library: headers, the body as mail programs choose it, and attachments."""

from __future__ import annotations

import contextlib
import re
from base64 import b64decode
from codecs import BOM_UTF8
from collections.abc import Iterator
from email.errors import MessageError
from email.message import EmailMessage, Message
from email.parser import BytesParser
from email.policy import EmailPolicy
from typing import Any

from ingest_tui.extraction.backends.base import Parsed, ParseInput
from ingest_tui.extraction.intake.decoding import decode_declared, decode_text
from ingest_tui.extraction.intake.formats import BY_MEDIA_TYPE, media_type_of
from ingest_tui.extraction.mail.mail_content import SHOWN_HEADERS, Attachment, Mail
from ingest_tui.extraction.mail.uuencoded import take_files
from ingest_tui.extraction.markup.literal_text import literal
from ingest_tui.model.errors import IngestError, ProcessingError
from ingest_tui.model.extraction import Element, Finding

_MAX_HEADER_CHARACTERS = 20_000
_MAX_PARTS = 1_000
_MAX_DEPTH = 20
_MAX_BOUNDARIES = 1_000
_MAX_MESSAGES = 10_000
_FEWER_WORDS = 3
_OTHER_NAMES = {
    "text/x-vcard": "text/vcard",
    "text/directory": "text/vcard",
    "application/ics": "text/calendar",
    "text/rtf": "application/rtf",
    "text/xml": "application/xml",
    "text/x-patch": "text/x-diff",
    "application/x-pdf": "application/pdf",
    "application/ms-tnef": "application/vnd.ms-tnef",
}
_FLOWED = re.compile(r"(?m)(?<!^--) \r?\n(?=[^>\s])")
_SIGNATURE = re.compile(r"(?<=\S)[ \t]*\r?\n(?=-- ?\r?\n)")
"""Above the mark of a signature, which would make a heading of the line before it."""
_IMAGE = re.compile(r"!\[[^\[\]\n]{0,500}\]\([^()\n]{0,2000}\)")
_BASE64_LINE = re.compile(r"[A-Za-z0-9+/]+={0,2}\Z")
_UTF16_MARKS = (b"\xff\xfe", b"\xfe\xff")
_MBOX_LINE = re.compile(rb"^From ([^\n]{1,1000})\n", re.MULTILINE)
_YEAR = re.compile(rb"\d{4}")
_BODIES = frozenset(
    (
        *("text/plain", "text/html", "text/enriched", "text/richtext", "text/markdown", "text/rfc822-headers"),
        "application/xhtml+xml",
    )
)
_REPORTS = frozenset(("message/delivery-status", "message/disposition-notification", "message/feedback-report"))
_OTHER_VIEWS = frozenset(("text/x-amp-html", "text/watch-html", "text/rtf", "application/rtf"))
"""As alternatives these say again what the others say."""
_SIGNATURES = frozenset(("application/pgp-signature", "application/pkcs7-signature", "application/x-pkcs7-signature"))
_NOT_SHOWN = ("text/css", "text/javascript", "application/javascript", "application/x-javascript")


def parse(parse_input: ParseInput) -> Parsed:
    """Return a mail: its subject as heading, the main headers, its body, mails within it, and its attachments.

    Of alternatives the one is taken that a mail program shows; every other text is kept. The text of attachments that
    can be read follows under their names. Raises `ProcessingError` (``malformed``).
    """
    content = parse_input.content
    if content.startswith(_UTF16_MARKS) or b"\x00" in content[:64]:
        content = decode_text(content)[0].encode("utf-8", "replace")
    content = content.removeprefix(BOM_UTF8).lstrip(b"\r\n")
    if parse_input.format.name == "mbox":
        return _mailbox(content, parse_input)
    reader = _Reader(parse_input)
    message = _message(content)
    if not message.keys():
        raise ProcessingError("the mail has no headers", code="malformed", hint="the file may be cut short")
    mail = reader.read(message)
    markdown = mail.markdown(level=1)
    return Parsed(markdown, mail.elements(), title=mail.subject[:300] or None, findings=reader.findings)


class _ShortHeaders(EmailPolicy):
    """Reads the beginning of each header: the standard library takes minutes for one of a megabyte."""

    def header_fetch_parse(self, name: str, value: str) -> Any:
        return super().header_fetch_parse(name, value[:_MAX_HEADER_CHARACTERS])


def _message(content: bytes) -> Message:
    if content.count(b"boundary=") > _MAX_BOUNDARIES:  # the standard library takes seconds for nothing
        raise ProcessingError("the mail nests more than anybody writes", code="malformed")
    try:
        return BytesParser(EmailMessage, policy=_ShortHeaders()).parsebytes(content)
    except (MessageError, ValueError, LookupError, RecursionError) as error:
        raise ProcessingError(f"the mail cannot be read: {error}"[:300], code="malformed") from error


def _mailbox(content: bytes, parse_input: ParseInput) -> Parsed:
    """Return the mails of an mbox file, one below the other (RFC 4155)."""
    parts: list[str] = []
    elements: list[Element] = []
    findings: list[Finding] = []
    starts = [
        (match.start(), match.end())
        for match in _MBOX_LINE.finditer(content)
        if _YEAR.search(match[1]) and (match.start() == 0 or _after_blank(content, match.start()))
    ]
    if not starts or starts[0][0] > 0:  # the line above the first mail is missing
        starts.insert(0, (0, 0))
    for number, (_, begin) in enumerate(starts):
        if number >= _MAX_MESSAGES:
            findings.append(Finding("warning", "parts_cut", f"more than {_MAX_MESSAGES:,} mails: the rest is left out"))
            break
        end = starts[number + 1][0] if number + 1 < len(starts) else len(content)
        reader = _Reader(parse_input, folder=f"{number + 1}/")
        mail = reader.read(_message(re.sub(rb"(?m)^>(>*From )", rb"\1", content[begin:end])))
        parts.append(mail.markdown(level=1))
        elements += [Element(one.text, {**one.metadata, "mail": number + 1}) for one in mail.elements()]
        findings += reader.findings
        parse_input.tick()
    return Parsed("\n".join(parts), elements, findings=findings)


def _after_blank(content: bytes, start: int) -> bool:
    return content[max(0, start - 2) : start] == b"\n\n" or content[max(0, start - 4) : start] == b"\r\n\r\n"


class _Reader:
    """Walks the parts of a mail: a sequence, alternatives, a root with what belongs to it, mails within it."""

    def __init__(self, parse_input: ParseInput, folder: str = "") -> None:
        """``folder`` is the beginning of the names of attachments, where they are documents of their own."""
        self.findings: list[Finding] = []
        self._parse_input = parse_input
        self._folder = folder
        self._parts = 0

    def read(self, message: Message, depth: int = 0) -> Mail:
        """Return what is shown of a mail."""
        names = (*SHOWN_HEADERS, "Subject", "Message-ID")
        mail = Mail({name: value for name in names if (value := _header(message, name))})
        self._walk(message, mail, depth)
        mail.bodies = [body for body in mail.bodies if body.strip()]
        if depth == 0:
            self._read_attachments(mail)
        return mail

    def _walk(self, part: Message, mail: Mail, depth: int) -> None:
        self._parts += 1
        if self._parts > _MAX_PARTS or depth > _MAX_DEPTH:
            if not any(finding.code == "parts_cut" for finding in self.findings):
                message = f"more than {_MAX_PARTS} parts, or nested deeper than {_MAX_DEPTH}: the rest is left out"
                self.findings.append(Finding("warning", "parts_cut", message))
            return
        kind = part.get_content_type()
        if kind == "multipart/alternative":
            self._alternatives(part, mail, depth)
        elif kind == "multipart/related":
            self._related(part, mail, depth)
        elif kind == "message/rfc822" or (kind == "message/global" and part.is_multipart()):
            for inner in _children(part):
                mail.inner.append(self.read(_unwrapped(part, inner), depth + 1))
        elif kind in _REPORTS:
            mail.bodies.append("\n\n".join(_status(one) for one in _children(part)))
        elif part.is_multipart():
            for child in _children(part):
                self._walk(child, mail, depth + 1)
        else:
            self._leaf(part, kind, mail)

    def _alternatives(self, part: Message, mail: Mail, depth: int) -> None:
        """Take the last alternative with a text, as mail programs do; an earlier one that says far more goes first."""
        shown: Mail | None = None
        others: list[Attachment] = []
        for child in reversed(_children(part)):
            tried = Mail({})
            self._walk(child, tried, depth + 1)
            tried.bodies = [body for body in tried.bodies if body.strip()]
            words = _words(tried)
            if words and (shown is None or words > _FEWER_WORDS * _words(shown)):
                if shown is not None:
                    tried.attachments += shown.attachments
                shown = tried
            elif shown is None:
                others += tried.attachments
        if shown is not None:
            others = [one for one in others if one.media_type not in _OTHER_VIEWS]
            mail.bodies += shown.bodies
            mail.inner += shown.inner
            mail.attachments += shown.attachments
        mail.attachments += others

    def _related(self, part: Message, mail: Mail, depth: int) -> None:
        """Show the root (RFC 2387); what belongs to it is shown by it, so texts are kept under their names."""
        children = _children(part)
        start = str(part.get_param("start", "") or "").strip()
        root = next((one for one in children if start and _header(one, "Content-ID") == start), None)
        if root is None:  # the first part, by the RFC; some programs put pictures before it
            root = next((one for one in children if one.is_multipart() or one.get_content_type() in _BODIES), None)
        for child in children:
            if child is root or child.is_multipart():
                self._walk(child, mail, depth + 1)
            elif child.get_content_type() not in _NOT_SHOWN:
                self._parts += 1
                self._attach(child, child.get_content_type(), mail)

    def _leaf(self, part: Message, kind: str, mail: Mail) -> None:
        if kind.startswith("multipart/"):  # its boundary is missing or another one
            mail.bodies.append(literal(self._text_of(part, _payload(part)), keeps_quotes=True))
            return
        attached = part.get_content_disposition() == "attachment" or bool(_file_name(part))
        if attached or kind not in _BODIES:
            if kind not in _NOT_SHOWN:
                self._attach(part, kind, mail)
            return
        text = self._text_of(part, _payload(part))
        if kind in ("text/enriched", "text/richtext"):
            text = literal(_without_marks(text))
        elif kind == "text/plain":
            if str(part.get_param("delsp", "")).lower() == "yes":
                text = _FLOWED.sub("", text)
            text, files = take_files(text)
            for one in files:
                kind_of_file = media_type_of(one.name)
                mail.attachments.append(Attachment(one.name, kind_of_file, len(one.content), "", one.content, one.name))
            text = literal(_SIGNATURE.sub("\n\n", text), keeps_quotes=True)
        elif kind == "text/rfc822-headers":
            text = literal(text)
        elif kind in ("text/html", "application/xhtml+xml"):
            from ingest_tui.extraction.backends.html import html_to_markdown_text

            text = html_to_markdown_text(text)
        mail.bodies.append(text)

    def _attach(self, part: Message, kind: str, mail: Mail) -> None:
        content = _payload(part)
        size = len(content)
        name = _file_name(part)
        named = name or _header(part, "Content-Location")[-255:] or "unnamed"
        readable = name or _name_of_kind(kind)
        if kind.startswith("text/") and not _is_utf8(content):
            content = self._text_of(part, content).encode("utf-8", "replace")
        is_to_read = readable and kind not in _SIGNATURES
        mail.attachments.append(Attachment(named, kind, size, content=content if is_to_read else b"", read_as=readable))

    def _read_attachments(self, mail: Mail) -> None:
        """Read what is attached, once it is known which parts are shown."""
        texts: set[str] = set()
        for one in mail.attachments:
            if not one.content:
                continue
            text = self._text_of_attachment(one)
            one.content = b""
            one.text = "" if text in texts else text  # invitations come twice, for mail programs and for people
            texts.add(text)
            self._parse_input.tick()
        for inner in mail.inner:
            self._read_attachments(inner)

    def _text_of_attachment(self, one: Attachment) -> str:
        """Return the text of an attachment that is part of the mail; what Outlook wraps is part of it always."""
        if _OTHER_NAMES.get(one.media_type, one.media_type) == "application/vnd.ms-tnef":
            return self._parse_input.read_part(one.content, one.read_as)
        return self._parse_input.read_attachment(f"{self._folder}{one.read_as}", one.content)

    def _text_of(self, part: Message, body: bytes) -> str:
        if not body:
            return ""
        try:
            text, _encoding, more = decode_declared(body, part.get_content_charset("") or "")
        except IngestError:
            return ""
        self.findings += more
        return text


def _is_utf8(content: bytes) -> bool:
    try:
        content.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _name_of_kind(kind: str) -> str:
    """Return a name for a part that has none, so that it is read as what it says that it is; empty for no document."""
    found = BY_MEDIA_TYPE.get(_OTHER_NAMES.get(kind, kind))
    if found is not None and found.extensions:
        return f"part.{found.extensions[0]}"
    return "part.txt" if kind.startswith("text/") else ""


def _unwrapped(part: Message, inner: Message) -> Message:
    """Return the mail in a part that is encoded as a whole, which MIME forbids and some programs do."""
    encoding = _encoding(part)
    if encoding not in ("base64", "quoted-printable") or inner.keys():
        return inner
    inner["Content-Transfer-Encoding"] = encoding
    content = _payload(inner)
    return _message(content) if content else inner


def _without_marks(text: str) -> str:
    """Return enriched text (RFC 1896) without its commands."""
    text = re.sub(r"<param>[^<]{0,1000}</param>", "", text, flags=re.IGNORECASE)
    text = re.sub(r"<nl>", "\n", text, flags=re.IGNORECASE)
    return re.sub(r"<<", "<", re.sub(r"(?<!<)</?[A-Za-z][\w-]{0,60}>", "", text))


def _words(mail: Mail) -> int:
    words = (word for body in mail.bodies for word in _IMAGE.sub("", body).split())
    return sum(any(map(str.isalnum, word)) for word in words) + sum(1 + _words(one) for one in mail.inner)


def _children(part: Message) -> list[Message]:
    payload: Any = part.get_payload()
    return [one for one in payload if isinstance(one, Message)] if isinstance(payload, list) else []


def _payload(part: Message) -> bytes:
    if part.get_content_maintype() == "text" and _encoding(part) == "base64":
        return _despite_footer(str(part.get_payload()))
    content = part.get_payload(decode=True)
    return content if isinstance(content, bytes) else b""


def _encoding(part: Message) -> str:
    return str(part.get("Content-Transfer-Encoding", "")).strip().lower()


def _despite_footer(payload: str) -> bytes:
    """Return what base64 stands for, and as it is written what does not belong to it: lists add footers so."""
    lines = payload.splitlines()
    encoded: list[str] = []
    for line in map(str.strip, lines):
        is_last = bool(encoded) and len(encoded[-1]) < len(encoded[0])
        if line and (is_last or not _BASE64_LINE.match(line)):
            break
        encoded.append(line)
    added = "\n".join(lines[len(encoded) :]).encode("utf-8", "surrogateescape")
    try:
        content = b64decode("".join(encoded) + "==")
    except ValueError:
        content = "\n".join(encoded).encode()
    return content + b"\n\n" + added if added else content


def _status(part: Message) -> str:
    return "\n".join(f"- {name}: {' '.join(str(value).split())}" for name, value in _raw_headers(part))


def _raw_headers(part: Message) -> Iterator[tuple[str, Any]]:
    yield from part.raw_items()


def _header(message: Message, name: str) -> str:
    raw = next((str(raw) for key, raw in message.raw_items() if key.lower() == name.lower()), "")
    if raw and not raw.isascii() and (written := _eight_bit(raw, message)):
        return " ".join(written.split())[:_MAX_HEADER_CHARACTERS]
    try:
        value = str(message.get(name, ""))
    except Exception:  # noqa: BLE001 the header parser of the standard library raises almost anything on bad headers
        value = raw
    return " ".join(value.split())[:_MAX_HEADER_CHARACTERS]


def _eight_bit(raw: str, message: Message) -> str:
    """Return a header whose bytes are not encoded as MIME asks: in the body's encoding; empty for one in UTF-8."""
    try:
        content = raw.encode("ascii", "surrogateescape")
        content.decode("utf-8")
    except UnicodeDecodeError:
        with contextlib.suppress(IngestError):
            return decode_declared(content, message.get_content_charset("") or "")[0]
    except UnicodeEncodeError:
        pass
    return ""


def _file_name(part: Message) -> str:
    try:
        name = part.get_filename()
    except Exception:  # noqa: BLE001 see _header
        return "unnamed"
    return " ".join((name or "").split())[:255]
