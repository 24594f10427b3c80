"""What a file is, from its bytes; its name only decides between kinds of text that look alike."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from ingest_tui.extraction.intake.containers import (
    SEVEN_ZIP_MAGIC,
    TAR_HEADER_BYTES,
    ContainerError,
    found_container,
    is_tar,
)
from ingest_tui.extraction.intake.decoding import looks_like_text
from ingest_tui.extraction.intake.formats import BY_EXTENSION, BY_NAME, JSON_SEQUENCE_MARK, SHARED_EXTENSIONS, Format
from ingest_tui.extraction.intake.refused import is_refused, name_of
from ingest_tui.model.errors import ItemRejectedError, ProcessingError
from ingest_tui.model.extraction import Finding

_HEAD_BYTES = 4096
_PROMISES = ("zip", "ole", "binary")
"""Families whose names promise what the bytes are."""
_ZIP_MAGIC = (b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08")
_OLE_MAGIC = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_TNEF_MAGIC = b"\x78\x9f\x3e\x22"
_BINARY_MAGIC = (
    (JSON_SEQUENCE_MARK + b"{", "json-seq"),
    (JSON_SEQUENCE_MARK + b"[", "json-seq"),
    (b"PAR1", "parquet"),
    (_TNEF_MAGIC, "tnef"),
    (b"ARROW1\x00\x00", "arrow"),
    (b"ORC", "orc"),
    (b"SQLite format 3\x00", "sqlite"),
    (b"Obj\x01", "avro"),
    (b"\x89PNG\r\n\x1a\n", "png"),
    (b"\xff\xd8\xff", "jpeg"),
    (b"II*\x00", "tiff"),
    (b"MM\x00*", "tiff"),
    (b"GIF87a", "gif"),
    (b"GIF89a", "gif"),
)
_HEIC_BRANDS = (b"heic", b"heix", b"heim", b"heis", b"mif1")
_PALM_BOOKS = (b"BOOKMOBI", b"TEXtREAd")
_PALM_KIND_AT = 60
_DBF_VERSIONS = frozenset(b"\x02\x03\x04\x05\x30\x31\x32\x43\x63\x83\x8b\x8e\xcb\xf5\xfb")
_DBF_KINDS = frozenset(b"CNDLFMBGPTIYO@+VWQ0")
_PDF_MARK_WITHIN = 1024  # readers accept leading rubbish before "%PDF-" (ISO 32000-1, annex H.3.4.1)
_PDF_OBJECT = re.compile(rb"\n[ \t]*\d+[ \t]+\d+[ \t]+obj\b|\r[ \t]*\d+[ \t]+\d+[ \t]+obj\b")
_FAST_FIRST = frozenset(b" \t\r\n%PBMGIRS7({<\x7f\xff\xfe\xef\x00\x1f\x1e\x89\xd0\xfd")
_HTML = re.compile(rb"<(?:!doctype\s+html|html|head|body)\b", re.IGNORECASE)
_XML = re.compile(rb"\s*(?:<\?xml\s|<!DOCTYPE\s|<(?:svg|rss|feed)\b)")
_OF_PHP = re.compile(rb"<\?(?:php|=)|<\?\s", re.IGNORECASE)
_SCRIPTS = ("javascript", "php", "python", "ruby", "shell", "typescript")
_CODE = frozenset((*_SCRIPTS, "c", "c++", "css", "go", "java", "rust", "source", "sql"))
"""No text in these languages begins as a page does, but one in PHP."""
_PRINT_PAGES = frozenset(("php", "pl", "py", "rb"))
"""Extensions of programs that print pages: a page of that name is as it should be."""
_COMPONENT = re.compile(rb"\s*BEGIN:(VCALENDAR|VCARD)\s", re.IGNORECASE)
_COMPONENTS = {b"VCALENDAR": "icalendar", b"VCARD": "vcard"}
_DIALECT_BYTES = 32_768  # a flat OpenDocument names its kind after some forty namespaces
_FLAT_ODF = re.compile(
    rb"""\boffice:mimetype=["']application/vnd\.oasis\.opendocument\.(spreadsheet|text|presentation|graphics)\b"""
)
_FLAT_FORMATS = {b"spreadsheet": "fods", b"text": "fodt", b"presentation": "fodp", b"graphics": "fodg"}
_SPREADSHEETML = re.compile(rb"<(?:\w{1,20}:)?Workbook\b[^<>]*urn:schemas-microsoft-com:office:spreadsheet")
_XML_DIALECTS = frozenset((*_FLAT_FORMATS.values(), "spreadsheetml", "fb2", "confluence"))
_HEADER = re.compile(rb"^([A-Za-z][A-Za-z0-9-]{1,60}):[ \t]?\S", re.MULTILINE)
_MAIL_HEADERS = frozenset(
    b"from to cc bcc subject date message-id mime-version received return-path content-type delivered-to".split()
)
_MIN_MAIL_HEADERS = 3
_NOTEBOOK_KEYS = (b'"cells"', b'"nbformat"')


@dataclass(slots=True)
class Sniffed:
    """A recognised format and what was odd about it."""

    format: Format
    findings: list[Finding] = field(default_factory=list)


def sniff(content: bytes, extension: str) -> Sniffed:
    """Return the format of ``content``. ``extension`` is lower case without the dot, or anything else.

    Raises `ItemRejectedError` (``unsupported_type``, ``encrypted``, ``archive_bomb``, ``wrong_type``) and
    `ProcessingError` (``malformed``). Costs a few microseconds when the bytes are text and the name agrees.
    """
    named = BY_EXTENSION.get(extension)
    if (
        named is not None
        and named.family == "text"
        and content[0] not in _FAST_FIRST
        and b"%PDF-" not in content[:1024]
    ):
        return Sniffed(named)
    try:
        found = _by_content(content, named)
    except ContainerError as container:
        if named is not None and named.family in _PROMISES and extension not in SHARED_EXTENSIONS:
            raise ItemRejectedError(container.message, hint=container.hint, code=container.reason) from container
        raise
    if found is None:
        raise _unknown(content, named)
    is_dialect = named is not None and named.name == "xml" and found.format.name in _XML_DIALECTS
    is_page = extension in _PRINT_PAGES and found.format.name == "html"
    if named is not None and found.format is not named and not (is_dialect or is_page):
        found.findings.append(_disagreement(found.format, named, extension))
    return found


def _by_content(content: bytes, named: Format | None) -> Sniffed | None:
    head = content[:_HEAD_BYTES]
    if head.startswith(_ZIP_MAGIC):
        from ingest_tui.extraction.intake.containers import identify_zip

        return Sniffed(*identify_zip(content))
    if head.startswith(_OLE_MAGIC):
        from ingest_tui.extraction.intake.ole import identify_ole

        return Sniffed(*identify_ole(content))
    plain = _by_head(head, named)
    if head.startswith(SEVEN_ZIP_MAGIC):
        raise found_container("7z", content)
    if plain is None and is_tar(head[:TAR_HEADER_BYTES]):
        raise found_container("tar", content)
    if plain is not None and plain.name == "xml":
        plain = BY_NAME[_dialect_of(content[:_DIALECT_BYTES])]
    if plain is not None and plain.name in _CODE and _is_page_of_a_program(content, plain.name):
        plain = BY_NAME["html"]
    return Sniffed(plain) if plain is not None else None


def _is_page_of_a_program(content: bytes, language: str) -> bool:
    """Say whether it is what a program has printed: a page without any part of the program left in it."""
    is_html = _begins_as_html(content[:_HEAD_BYTES].removeprefix(b"\xef\xbb\xbf"))
    return is_html and (language != "php" or _OF_PHP.search(content) is None)


def _dialect_of(start: bytes) -> str:
    """Return the format of an office document or a book that is one XML file, or ``xml``."""
    if b"<FictionBook" in start:
        return "fb2"
    if b"<confluence-page " in start[:_HEAD_BYTES]:
        return "confluence"
    flat = _FLAT_ODF.search(start) if b"<office:document" in start else None
    if flat:
        return _FLAT_FORMATS[flat[1]]
    return "spreadsheetml" if _SPREADSHEETML.search(start) else "xml"


def _by_head(head: bytes, named: Format | None) -> Format | None:
    if head.startswith(b"%PDF-") or _is_pdf_after_rubbish(head, named):
        return BY_NAME["pdf"]
    binary = _binary_kind(head)
    if binary is not None and not (binary == "orc" and looks_like_text(head)):
        return BY_NAME[binary]
    if head.startswith((b"bplist", b"<?xml")) and b"WebMainResource" in head:
        return BY_NAME["webarchive"]
    if (
        head.removeprefix(b"\xef\xbb\xbf").lstrip().startswith(b"{\\rtf")
    ):  # with pictures, or padded with NULs, it is no text
        return BY_NAME["rtf"]
    if is_refused(head):
        return None
    return _by_text(head, named)


def _binary_kind(head: bytes) -> str | None:
    if head.startswith(_PALM_BOOKS, _PALM_KIND_AT):
        return "mobi"
    named = next((name for magic, name in _BINARY_MAGIC if head.startswith(magic)), None)
    return named or _image_in_container(head) or ("dbf" if _looks_like_dbf(head) else None)


def _is_pdf_after_rubbish(head: bytes, named: Format | None) -> bool:
    """Say whether a PDF begins later than it should; texts, pages and mails that mention how one begins are none."""
    if b"%PDF-" not in head[:_PDF_MARK_WITHIN] or (named is not None and named.family == "text"):
        return False
    if named is not None and named.name == "pdf":
        return True
    return _PDF_OBJECT.search(head) is not None and _text_by_shape(head).name == "text"


def _image_in_container(head: bytes) -> str | None:
    """Return the format of an image that says what it is after the size of the file or of its first box."""
    if head.startswith(b"RIFF") and head[8:12] == b"WEBP":
        return "webp"
    if head[4:8] == b"ftyp" and head[8:12] in _HEIC_BRANDS:
        return "heic"
    return "bmp" if head.startswith(b"BM") and head[6:10] == bytes(4) else None


def _looks_like_dbf(head: bytes) -> bool:
    """Say whether a dBase table begins: a date, the length of a whole number of fields, and a first field."""
    if len(head) < 66 or head[0] not in _DBF_VERSIONS or not (head[2] <= 12 and head[3] <= 31):  # noqa: PLR2004 month, day
        return False
    header = int.from_bytes(head[8:10], "little")
    has_end = any((header - end) % 32 == 0 for end in (1, 2, 264))  # 263 bytes of FoxPro may follow
    return header > 64 and has_end and head[43] in _DBF_KINDS and head[32:33].isalpha()  # noqa: PLR2004 one field


def _by_text(head: bytes, named: Format | None) -> Format | None:
    if not looks_like_text(head):
        return None
    start = head.removeprefix(b"\xef\xbb\xbf")
    if named is not None and named.family in ("text", "markup"):
        if named.name in ("text", "csv", "tsv", "json") and _begins_as_html(start):
            return BY_NAME["html"]
        if named.name == "rtf" and start.lstrip().startswith(b"{\\"):
            return named  # a piece of one, as some programs write it
        if named.name in ("rtf", "icalendar", "vcard"):
            return _text_by_shape(start)
        return BY_NAME["html"] if named.name == "xml" and _begins_as_html(start) else named
    return _text_by_shape(start)


def _begins_as_html(start: bytes) -> bool:
    """Say whether a page begins after white space, an XML declaration and comments. Linear: no pattern backtracks."""
    at = 0
    while True:
        at += len(start[at:]) - len(start[at:].lstrip())
        if start.startswith(b"<?xml", at):
            end = start.find(b"?>", at)
        elif start.startswith(b"<!--", at):
            end = start.find(b"-->", at)
        else:
            return _HTML.match(start, at) is not None
        if end < 0:
            return False
        at = end + (2 if start.startswith(b"?>", end) else 3)


def _text_by_shape(start: bytes) -> Format:
    """Tell markup and mail from plain text where the name does not help."""
    if _begins_as_html(start):
        return BY_NAME["html"]
    component = _COMPONENT.match(start)
    if component or _XML.match(start):
        return BY_NAME[_COMPONENTS[component[1].upper()] if component else "xml"]
    if start.lstrip()[:1] in (b"{", b"["):
        if all(key in start for key in _NOTEBOOK_KEYS):
            return BY_NAME["notebook"]
        if _parses_as_json_start(start):
            return BY_NAME["json"]
    is_mailbox = start.startswith(b"From ")
    if _looks_like_mail(start.partition(b"\n")[2] if is_mailbox else start):
        return BY_NAME["mbox" if is_mailbox else "eml"]
    return BY_NAME["text"]


def _parses_as_json_start(start: bytes) -> bool:
    return re.match(rb'\s*(?:\{\s*"|\[\s*[\[{"\d])', start) is not None


def _looks_like_mail(start: bytes) -> bool:
    block = start.replace(b"\r\n", b"\n").split(b"\n\n", 1)[0]
    if not _HEADER.match(block):
        return False
    names = {name.lower() for name in _HEADER.findall(block)}
    return len(names & _MAIL_HEADERS) >= _MIN_MAIL_HEADERS


def _disagreement(found: Format, named: Format, extension: str) -> Finding:
    """Return the finding for a name that promises another format than the bytes hold."""
    if found.name == "text" and named.family not in ("text", "markup") and extension not in SHARED_EXTENSIONS:
        raise ItemRejectedError(
            f"the name promises {named.name}, the bytes are plain text",
            code="wrong_type",
            hint="rename the file to .txt if it really is text",
        )
    message = f"the name says {named.name}, the bytes are {found.name}: read as {found.name}"
    return Finding("warning", "type_mismatch", message)


def _unknown(content: bytes, named: Format | None) -> ItemRejectedError | ProcessingError:
    guess = name_of(content)
    if named is not None and named.family in _PROMISES:
        return ItemRejectedError(
            f"the name promises {named.name}, the bytes are {guess}",
            code="wrong_type",
            hint="open the file with the program that made it and save it again",
        )
    return ItemRejectedError(
        f"cannot read {guess}",
        code="unsupported_type",
        hint="'ingest-tui doctor' lists the formats that can be read",
    )
