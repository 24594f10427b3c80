"""The members of a tar archive, compressed or not, read from its beginning to its end without going back."""

from __future__ import annotations

import tarfile
from collections.abc import Callable
from tarfile import EOFHeaderError, HeaderError  # type: ignore[attr-defined]
from typing import Any, Self, cast

from ingest_tui.extraction.intake.compressed import open_limited
from ingest_tui.extraction.members import MemberWriter
from ingest_tui.model.errors import ItemRejectedError, ProcessingError

_PIECE = 1 << 20
_KINDS = {
    tarfile.SYMTYPE: "a symbolic link, which is not followed",
    tarfile.LNKTYPE: "a second name of another member",
}


class _Entry(tarfile.TarInfo):
    """An entry that notes how the archive ends: tarfile takes a cut, or a damaged header, for its end."""

    @classmethod
    def fromtarfile(cls, tarfile: tarfile.TarFile) -> Self:
        try:
            return super().fromtarfile(tarfile)
        except HeaderError as error:
            has_end = isinstance(error, EOFHeaderError)
            tarfile.damage = "" if has_end else f"damaged or cut short: {error}"  # type: ignore[attr-defined]
            raise


def unpack_tar(content: bytes, writer: MemberWriter, tick: Callable[[], None]) -> None:
    """Write out the members of a tar archive.

    One that ends early keeps what it has: then nobody knows what else was in it.
    """
    stream = open_limited(content)
    damage = ""
    try:
        with tarfile.open(None, "r|", cast("Any", stream), tarinfo=_Entry, encoding="utf-8") as archive:
            for entry in archive:
                tick()
                _unpack_one(archive, entry, writer)
                archive.members.clear()  # type: ignore[attr-defined] # else it keeps every entry
            damage = getattr(archive, "damage", "")
        while stream.read(_PIECE):  # to its end, where the checksum of what was compressed is
            tick()
    except ItemRejectedError:
        raise
    except Exception as error:  # each decompressor has errors of its own for damage
        damage = f"damaged or cut short: {error}"
        if not writer.count:
            raise ProcessingError(
                f"the tar archive cannot be read: {error}", hint="fetch it again: it may be cut short"
            ) from error
    writer.end(damage)


def _unpack_one(archive: tarfile.TarFile, entry: tarfile.TarInfo, writer: MemberWriter) -> None:
    name = _name_of(entry)
    if entry.isdir():
        return
    if not entry.isfile():
        writer.refuse(name, "special_file", _KINDS.get(entry.type, "a device or pipe, which is not read"))
    elif not 0 <= entry.size <= writer.largest:
        writer.refuse_large(name)
    else:
        file = archive.extractfile(entry)
        writer.add(name, file.read() if file is not None else b"", _modified_ns(entry))


def _modified_ns(entry: tarfile.TarInfo) -> int | None:
    """Return when an entry was modified: a header may say infinity, or that it is no number."""
    try:
        return int(entry.mtime * 1_000_000_000)
    except (ValueError, OverflowError):
        return None


def _name_of(entry: tarfile.TarInfo) -> str:
    """Return the name of an entry; one that is not UTF-8 is read as Latin-1, which every byte is."""
    try:
        entry.name.encode("utf-8")
    except UnicodeEncodeError:
        return entry.name.encode("utf-8", "surrogateescape").decode("latin-1")
    return entry.name
