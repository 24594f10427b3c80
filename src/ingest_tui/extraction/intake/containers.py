"""Look inside zip and OLE containers without unpacking them: what they hold, how large they would become."""

from __future__ import annotations

import zipfile
import zlib
from dataclasses import dataclass
from io import BytesIO

from ingest_tui.extraction.intake.formats import BY_NAME, Format
from ingest_tui.model.errors import ItemRejectedError, ProcessingError
from ingest_tui.model.extraction import Finding

MAX_ENTRIES = 10_000
MAX_RATIO = 100
RATIO_FLOOR_BYTES = 32 * 1024**2
"""Below this unpacked size the ratio says nothing: empty sheets and slide masters compress 1,000:1."""
MAX_UNPACKED_BYTES = 1024**3
MAX_DEPTH = 3
_MAX_NESTED_BYTES = 64 * 1024**2
_NESTED_ENDINGS = (".zip", ".jar", ".docx", ".xlsx", ".xlsm", ".pptx", ".odt", ".ods", ".odp", ".epub")
_ENCRYPTED_FLAG = 0x1

_MACRO_PART = "vbaProject.bin"
_MACRO_STREAMS = frozenset(("Macros", "_VBA_PROJECT_CUR", "_VBA_PROJECT"))

_ENCRYPTED_HINT = "remove the password and put the file in place again"
_ZIP_PARTS: tuple[tuple[str, str], ...] = (
    ("word/document", "docx"),
    ("ppt/presentation", "pptx"),
    ("xl/workbook.bin", "xlsb"),
    ("xl/workbook", "xlsx"),
)
_ODF_TYPES = {
    "application/vnd.oasis.opendocument.text": "odt",
    "application/vnd.oasis.opendocument.text-template": "odt",
    "application/vnd.oasis.opendocument.spreadsheet": "ods",
    "application/vnd.oasis.opendocument.spreadsheet-template": "ods",
    "application/vnd.oasis.opendocument.presentation": "odp",
    "application/vnd.oasis.opendocument.presentation-template": "odp",
    "application/epub+zip": "epub",
}


def identify_zip(content: bytes) -> tuple[Format, list[Finding]]:
    """Return the format of a zip container after checking its limits, and what is odd about it.

    Raises `ItemRejectedError` (``archive_bomb``, ``encrypted``, ``unsupported_type``) or `ProcessingError`
    (``malformed``).
    """
    try:
        with zipfile.ZipFile(BytesIO(content)) as archive:
            check_archive(archive, len(content))
            return _format_of_zip(archive), _macros(any(name.endswith(_MACRO_PART) for name in archive.namelist()))
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, EOFError, ValueError, OSError, RuntimeError) as error:
        raise ProcessingError(
            f"the zip container cannot be read: {error}",
            code="malformed",
            hint="the file may be cut short; fetch or save it again",
        ) from error


def _format_of_zip(archive: zipfile.ZipFile) -> Format:
    names = set(archive.namelist())
    kind = _ODF_TYPES.get(_read_small(archive, "mimetype").strip()) if "mimetype" in names else None
    if kind is None and "[Content_Types].xml" in names:
        kind = next((name for start, name in _ZIP_PARTS if any(entry.startswith(start) for entry in names)), None)
    if kind in ("odt", "ods", "odp") and "encryption-data" in _read_small(archive, "META-INF/manifest.xml"):
        raise ItemRejectedError("the document is encrypted", code="encrypted", hint=_ENCRYPTED_HINT)
    if kind == "epub" and names & {"META-INF/rights.xml", "META-INF/sinf.xml"}:
        raise ItemRejectedError("the book is protected (DRM)", code="encrypted", hint="get a copy without protection")
    if kind is None:
        what = "a Java archive" if "META-INF/MANIFEST.MF" in names else "a zip archive"
        raise ItemRejectedError(
            f"cannot read {what}", code="unsupported_type", hint="unpack it and ingest the folder instead"
        )
    return BY_NAME[kind]


def _macros(are_there: bool) -> list[Finding]:
    return [Finding("warning", "macros_present", "holds macros, which are never run")] if are_there else []


def _read_small(archive: zipfile.ZipFile, name: str) -> str:
    try:
        with archive.open(name) as entry:
            return entry.read(1024**2).decode("utf-8", "replace")
    except KeyError:
        return ""


def check_archive(archive: zipfile.ZipFile, packed_bytes: int, depth: int = 1) -> None:
    """Raise `ItemRejectedError` if the archive is encrypted or unpacks beyond the limits, with those inside it."""
    entries = archive.infolist()
    if len(entries) > MAX_ENTRIES:
        raise _bomb(f"{len(entries):,} entries, more than {MAX_ENTRIES:,}")
    unpacked = sum(entry.file_size for entry in entries)
    if unpacked > MAX_UNPACKED_BYTES:
        raise _bomb(f"would unpack to {unpacked:,} bytes")
    if unpacked > RATIO_FLOOR_BYTES and unpacked > MAX_RATIO * max(packed_bytes, 1):
        raise _bomb(f"would unpack to {unpacked // max(packed_bytes, 1)} times its size")
    for entry in entries:
        if entry.file_size > RATIO_FLOOR_BYTES and entry.file_size > MAX_RATIO * max(entry.compress_size, 1):
            raise _bomb(f"one entry would unpack to {entry.file_size // max(entry.compress_size, 1)} times its size")
        if entry.flag_bits & _ENCRYPTED_FLAG:
            raise ItemRejectedError("the archive is encrypted", code="encrypted", hint=_ENCRYPTED_HINT)
    for entry in entries:
        if entry.filename.lower().endswith(_NESTED_ENDINGS):
            _check_nested(archive, entry, depth + 1)


def _check_nested(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, depth: int) -> None:
    if depth > MAX_DEPTH:
        raise _bomb(f"archives nested more than {MAX_DEPTH} deep")
    if entry.file_size > _MAX_NESTED_BYTES:
        return  # not unpacked by anything here, and too large to look into
    with archive.open(entry) as packed:
        content = packed.read(_MAX_NESTED_BYTES)
    if not zipfile.is_zipfile(BytesIO(content)):
        return
    with zipfile.ZipFile(BytesIO(content)) as nested:
        check_archive(nested, len(content), depth)


def _bomb(detail: str) -> ItemRejectedError:
    return ItemRejectedError(
        f"refused to unpack: {detail}",
        code="archive_bomb",
        hint="if the file is genuine, unpack it and ingest the folder instead",
    )


# --- OLE compound files ([MS-CFB]) ------------------------------------------------------------------------------

_FREE_SECTOR = 0xFFFFFFFA  # this and above are markers, not sectors
_ENTRY_BYTES = 128
_MAX_DIRECTORY_ENTRIES = 20_000
_HEADER_DIFAT = 109
_DOC_ENCRYPTED = 0x0100  # FibBase.fEncrypted, [MS-DOC] 2.5.2


@dataclass(frozen=True, slots=True)
class _OleEntry:
    name: str
    start: int
    size: int


def identify_ole(content: bytes) -> tuple[Format, list[Finding]]:
    """Return the format of an OLE compound file from the names of its streams, and what is odd about it.

    Raises `ItemRejectedError` (``encrypted``, ``unsupported_type``) or `ProcessingError` (``malformed``).
    """
    try:
        entries = _ole_entries(content)
    except (IndexError, ValueError) as error:
        raise ProcessingError(
            f"the OLE container cannot be read: {error}", code="malformed", hint="the file may be cut short"
        ) from error
    if entries.keys() & {"EncryptedPackage", "EncryptedSummary"}:
        raise ItemRejectedError("the document is encrypted", code="encrypted", hint=_ENCRYPTED_HINT)
    macros = _macros(bool(entries.keys() & _MACRO_STREAMS))
    if "WordDocument" in entries:
        if _word_is_encrypted(content, entries["WordDocument"]):
            raise ItemRejectedError("the document is encrypted", code="encrypted", hint=_ENCRYPTED_HINT)
        return BY_NAME["doc"], macros
    for stream, kind in (("Workbook", "xls"), ("Book", "xls"), ("PowerPoint Document", "ppt")):
        if stream in entries:
            return BY_NAME[kind], macros
    if "__properties_version1.0" in entries:
        return BY_NAME["msg"], []
    raise ItemRejectedError(
        "cannot read this kind of OLE file",
        code="unsupported_type",
        hint="'ingest-tui doctor' lists the formats that can be read",
    )


def _word(content: bytes, offset: int) -> int:
    if offset < 0 or offset + 4 > len(content):
        raise ValueError("it ends before its directory")
    return int.from_bytes(content[offset : offset + 4], "little")


def _sector_size(content: bytes) -> int:
    shift = int.from_bytes(content[30:32], "little")
    if shift not in (9, 12):
        raise ValueError("unknown sector size")
    return 1 << shift


def _next_sector(content: bytes, sector: int, size: int) -> int:
    """Follow the file allocation table; only the part of it that the header lists (7 MB with 512-byte sectors)."""
    table, index = divmod(sector, size // 4)
    if table >= _HEADER_DIFAT:
        raise ValueError("its directory lies beyond what is looked at")
    table_sector = _word(content, 76 + 4 * table)
    return _word(content, (table_sector + 1) * size + 4 * index)


def _ole_entries(content: bytes) -> dict[str, _OleEntry]:
    size = _sector_size(content)
    sector = _word(content, 48)
    entries: dict[str, _OleEntry] = {}
    visited = 0
    while sector < _FREE_SECTOR:
        visited += 1
        if visited * size // _ENTRY_BYTES > _MAX_DIRECTORY_ENTRIES:
            raise ValueError("its directory has no end")
        base = (sector + 1) * size
        _word(content, base + size - 4)  # the whole sector must be there
        for offset in range(base, base + size, _ENTRY_BYTES):
            length = int.from_bytes(content[offset + 64 : offset + 66], "little")
            name = content[offset : offset + max(0, min(length, 64) - 2)].decode("utf-16-le", "replace")
            if name:
                entries.setdefault(name, _OleEntry(name, _word(content, offset + 116), _word(content, offset + 120)))
        sector = _next_sector(content, sector, size)
    return entries


def _word_is_encrypted(content: bytes, entry: _OleEntry) -> bool:
    offset = (entry.start + 1) * _sector_size(content)
    flags = int.from_bytes(content[offset + 10 : offset + 12], "little")
    return content[offset : offset + 2] == b"\xec\xa5" and bool(flags & _DOC_ENCRYPTED)
