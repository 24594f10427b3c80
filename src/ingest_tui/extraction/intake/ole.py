"""Look inside OLE compound files ([MS-CFB]) without unpacking them: which streams they hold, and what is in one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from ingest_tui.extraction.intake.containers import ENCRYPTED_HINT, find_macros
from ingest_tui.extraction.intake.formats import BY_NAME, Format
from ingest_tui.model.errors import ItemRejectedError, ProcessingError
from ingest_tui.model.extraction import Finding

_MACRO_STREAMS = frozenset(("macros", "_vba_project_cur", "_vba_project"))
_FREE_SECTOR = 0xFFFFFFFA  # this and above are markers, not sectors
_ENTRY_BYTES = 128
_SHORT_SECTOR = 64
_ROOT = 5
_MAX_DIRECTORY_ENTRIES = 20_000
_HEADER_DIFAT = 109
_MAX_DIFAT_SECTORS = 1_000  # a file of 8 GB
_DOC_ENCRYPTED = 0x0100  # FibBase.fEncrypted, [MS-DOC] 2.5.2
_BIFF_BEGIN = frozenset((0x0009, 0x0209, 0x0409, 0x0809))
_BIFF_WRITE_PROTECT = 0x0086
_BIFF_PASSWORD = 0x002F  # FilePass, [MS-XLS] 2.4.117

_HWP_MAGIC = b"HWP Document File"
_REFUSED_STREAMS = {
    "visiodocument": "a Visio drawing of 2003 to 2010 (.vsd); save it as .vsdx",
    "quill": "a Microsoft Publisher document",
    "matost": "a Microsoft Works document",
    "catalog": "a cache of thumbnails (Thumbs.db)",
}
WORKBOOK_STREAMS = ("workbook", "book")


@dataclass(frozen=True, slots=True)
class OleEntry:
    """One stream or storage of the directory; ``left``, ``right`` and ``child`` are numbers of others."""

    name: str
    kind: int
    start: int
    size: int
    left: int
    right: int
    child: int


class CompoundFile:
    """The directory of an OLE compound file. ``streams`` are those at its top, by name in lower case.

    Programs differ in the case of the names, and a document embedded in another has its streams in a storage of its
    own: those of the outer one say what the file is. Raises `ValueError` or `IndexError` for a damaged file.
    """

    def __init__(self, content: bytes) -> None:
        self._content = content
        self._sector_bytes = _sector_size(content)
        self._entries = list(self._read_directory())
        self.names = frozenset(entry.name.lower() for entry in self._entries)
        self.streams = {entry.name.lower(): entry for entry in self._top_entries()}
        self._short: tuple[bytes, bytes] | None = None

    def read(self, name: str, limit: int | None = None) -> bytes:
        """Return a stream at the top, or so many of its first bytes; what is cut off at the end is left out."""
        return self.read_entry(self.streams[name], limit)

    def read_storage(self, name: str) -> list[OleEntry]:
        """Return what a storage at the top holds. Raises `KeyError` when there is none of that name."""
        return self.entries_of(self.streams[name])

    def read_entry(self, entry: OleEntry, limit: int | None = None) -> bytes:
        """Return a stream, wherever it is."""
        wanted = entry.size if limit is None else min(entry.size, limit)
        cutoff = _word(self._content, 56)
        if entry.size >= cutoff or not self._entries or self._entries[0].kind != _ROOT:
            return self._chain(entry.start, wanted)
        if self._short is None:
            container = self._chain(self._entries[0].start, self._entries[0].size)
            self._short = container, self._chain(_word(self._content, 60), len(container) // _SHORT_SECTOR * 4)
        container, table = self._short
        parts: list[bytes] = []
        sector = entry.start
        while sector < _FREE_SECTOR and len(parts) * _SHORT_SECTOR < wanted:
            parts.append(container[sector * _SHORT_SECTOR : (sector + 1) * _SHORT_SECTOR])
            sector = int.from_bytes(table[sector * 4 : sector * 4 + 4].ljust(4, b"\xff"), "little")
        return b"".join(parts)[:wanted]

    def _chain(self, sector: int, wanted: int) -> bytes:
        size = self._sector_bytes
        wanted = min(wanted, len(self._content))  # a chain that leads back to itself would have no end
        parts: list[bytes] = []
        while sector < _FREE_SECTOR and len(parts) * size < wanted:
            parts.append(self._content[(sector + 1) * size : (sector + 2) * size])
            try:
                sector = self._next_sector(sector)
            except ValueError:
                break
        return b"".join(parts)[:wanted]

    def _top_entries(self) -> list[OleEntry]:
        """Return what the root holds itself; everything where its tree is not to be followed."""
        if not self._entries or self._entries[0].kind != _ROOT:
            return self._entries
        return self.entries_of(self._entries[0]) or self._entries

    def entries_of(self, storage: OleEntry) -> list[OleEntry]:
        """Return what a storage holds itself."""
        found: list[OleEntry] = []
        seen: set[int] = set()
        waiting = [storage.child]
        while waiting:
            at = waiting.pop()
            if at in seen or at >= len(self._entries):
                continue
            seen.add(at)
            found.append(self._entries[at])
            waiting += (self._entries[at].left, self._entries[at].right)
        return found

    def _read_directory(self) -> Iterator[OleEntry]:
        content, size = self._content, self._sector_bytes
        sector = _word(content, 48)
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
                links = (_word(content, offset + at) for at in (68, 72, 76))
                yield OleEntry(
                    name, content[offset + 66], _word(content, offset + 116), _word(content, offset + 120), *links
                )
            sector = self._next_sector(sector)

    def _next_sector(self, sector: int) -> int:
        """Follow the file allocation table; the header lists its first 109 sectors, a chain of sectors the others."""
        content, size = self._content, self._sector_bytes
        table, index = divmod(sector, size // 4)
        if table < _HEADER_DIFAT:
            table_sector = _word(content, 76 + 4 * table)
        else:
            hops, place = divmod(table - _HEADER_DIFAT, size // 4 - 1)
            if hops > _MAX_DIFAT_SECTORS:
                raise ValueError("its allocation table has no end")
            listing = _word(content, 68)
            for _hop in range(hops):
                listing = _word(content, (listing + 2) * size - 4)
            table_sector = _word(content, (listing + 1) * size + 4 * place)
        return _word(content, (table_sector + 1) * size + 4 * index)


def identify_ole(content: bytes) -> tuple[Format, list[Finding]]:
    """Return the format of an OLE compound file from the names of its streams, and what is odd about it.

    Raises `ItemRejectedError` (``encrypted``, ``unsupported_type``) or `ProcessingError` (``malformed``).
    """
    try:
        compound = CompoundFile(content)
        kind = _kind_of(compound)
    except (IndexError, ValueError) as error:
        raise ProcessingError(
            f"the OLE container cannot be read: {error}", code="malformed", hint="the file may be cut short"
        ) from error
    if kind is None:
        raise ItemRejectedError(
            f"cannot read {_name_of(compound)}",
            code="unsupported_type",
            hint="'ingest-tui doctor' lists the formats that can be read",
        )
    return BY_NAME[kind], find_macros(kind != "msg" and bool(compound.names & _MACRO_STREAMS))


def _kind_of(compound: CompoundFile) -> str | None:
    streams = compound.streams
    kinds = (("worddocument", "doc"), ("workbook", "xls"), ("book", "xls"), ("powerpoint document", "ppt"))
    kind = next((kind for stream, kind in kinds if stream in streams), None)
    encrypted = "encryptedpackage" in streams or "encryptedsummary" in streams
    if kind == "doc":
        encrypted = encrypted or _word_is_encrypted(compound.read("worddocument", 12))
    elif kind == "xls":
        stream = next(name for name in WORKBOOK_STREAMS if name in streams)
        encrypted = encrypted or _workbook_is_encrypted(compound.read(stream, 256))
    if encrypted:
        raise ItemRejectedError("the document is encrypted", code="encrypted", hint=ENCRYPTED_HINT)
    if (
        kind is None
        and {"bodytext", "fileheader"} <= streams.keys()
        and compound.read("fileheader", 17) == b"HWP Document File"
    ):
        return "hwp"
    return "msg" if kind is None and "__properties_version1.0" in streams else kind


def _name_of(compound: CompoundFile) -> str:
    """Return what a file is that cannot be read, as far as its streams show."""
    names = compound.streams
    return next((name for stream, name in _REFUSED_STREAMS.items() if stream in names), "this kind of OLE file")


def _word_is_encrypted(start: bytes) -> bool:
    return start[:2] == b"\xec\xa5" and bool(int.from_bytes(start[10:12], "little") & _DOC_ENCRYPTED)


def _workbook_is_encrypted(start: bytes) -> bool:
    """Say whether a password is asked for: its record follows the first one, or that of write protection."""
    at = 0
    while at + 4 <= len(start):
        kind, length = int.from_bytes(start[at : at + 2], "little"), int.from_bytes(start[at + 2 : at + 4], "little")
        if kind == _BIFF_PASSWORD:
            return True
        if kind not in _BIFF_BEGIN and kind != _BIFF_WRITE_PROTECT:
            return False
        at += 4 + length
    return False


def _word(content: bytes, offset: int) -> int:
    if offset < 0 or offset + 4 > len(content):
        raise ValueError("it ends before its directory")
    return int.from_bytes(content[offset : offset + 4], "little")


def _sector_size(content: bytes) -> int:
    shift = int.from_bytes(content[30:32], "little")
    if shift not in (9, 12):
        raise ValueError("unknown sector size")
    return 1 << shift
