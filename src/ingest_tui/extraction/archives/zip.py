"""The members of a zip archive."""

from __future__ import annotations

import calendar
import lzma
import stat
import zipfile
import zlib
from collections.abc import Callable
from io import BytesIO

from ingest_tui.extraction.intake.containers import ENCRYPTED_HINT
from ingest_tui.extraction.members import MemberWriter, check_limits
from ingest_tui.model.errors import ItemRejectedError, ProcessingError

_ENCRYPTED = 0x1
_UTF8 = 0x800
_DAMAGE = (zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError, ValueError, OSError)
_OF_MACOS = "__MACOSX/"
"""Where macOS keeps what is no part of the files that somebody packed."""


def unpack_zip(content: bytes, writer: MemberWriter, tick: Callable[[], None]) -> None:
    """Write out the members of a zip archive."""
    try:
        archive = zipfile.ZipFile(BytesIO(content))
    except (*_DAMAGE, NotImplementedError) as error:
        raise ProcessingError(f"the zip archive cannot be read: {error}", hint="fetch or save it again") from error
    with archive:
        entries = [
            one
            for one in archive.infolist()
            if not one.filename.endswith("/") and not one.filename.startswith(_OF_MACOS)
        ]
        check_limits(len(entries), sum(entry.file_size for entry in entries), len(content))
        if entries and all(entry.flag_bits & _ENCRYPTED for entry in entries):
            raise ItemRejectedError("the archive is encrypted", code="encrypted", hint=ENCRYPTED_HINT)
        for entry in entries:
            tick()
            _unpack_one(archive, entry, writer)
    writer.end()


def _unpack_one(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, writer: MemberWriter) -> None:
    name = _name_of(entry)
    if stat.S_ISLNK(entry.external_attr >> 16):
        writer.refuse(name, "special_file", "a symbolic link, which is not followed")
    elif entry.flag_bits & _ENCRYPTED:
        writer.refuse(name, "encrypted", "the member is encrypted")
    elif entry.file_size > writer.largest:
        writer.refuse_large(name)
    else:
        try:
            with archive.open(entry) as file:
                content = file.read(writer.largest + 1)
        except (NotImplementedError, RuntimeError) as error:
            writer.refuse(name, "unsupported_type", f"packed in a way that cannot be read: {error}")
        except _DAMAGE as error:
            writer.refuse(name, "malformed", f"damaged in the archive: {error}", failed=True)
        else:
            writer.add(name, content, _modified_ns(entry))


def _name_of(entry: zipfile.ZipInfo) -> str:
    """Return the name of an entry: many programs write UTF-8 without saying so, and Windows its own separator."""
    name = entry.filename
    if not entry.flag_bits & _UTF8 and not name.isascii():
        try:
            name = name.encode("cp437").decode("utf-8")
        except UnicodeError:
            name = entry.filename
    return name.replace("\\", "/")


def _modified_ns(entry: zipfile.ZipInfo) -> int | None:
    try:
        return calendar.timegm((*entry.date_time, 0, 0, 0)) * 1_000_000_000
    except (ValueError, OverflowError):
        return None
