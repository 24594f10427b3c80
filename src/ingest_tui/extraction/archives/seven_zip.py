"""The members of a 7-Zip archive, with py7zr (extra ``7z``)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from io import BytesIO
from pathlib import PurePath
from typing import Any

from ingest_tui.extraction.intake.containers import ENCRYPTED_HINT
from ingest_tui.extraction.members import MemberWriter, check_limits
from ingest_tui.model.errors import ItemRejectedError, ProcessingError
from ingest_tui.model.foreign_errors import described

_INSTALL = 'pip install "ingest-tui[7z]", then sync with --force'
_LOCKED = "PasswordRequired"


def unpack_7z(content: bytes, writer: MemberWriter, tick: Callable[[], None]) -> None:
    """Write out the members of a 7-Zip archive; one that is damaged keeps what comes before that."""
    try:
        import py7zr
    except ImportError:
        raise ItemRejectedError("cannot read a 7-Zip archive without py7zr", hint=_INSTALL) from None
    damage = ""
    try:
        with py7zr.SevenZipFile(BytesIO(content)) as archive:
            files = [one for one in archive.files if not one.is_directory]
            check_limits(len(files), sum(one.uncompressed or 0 for one in files), len(content))
            links = {str(at) for at, one in enumerate(archive.files) if one.is_symlink or one.is_junction}
            archive.extractall(factory=_Outputs(writer, tick, links, _numbered(archive)))
    except ItemRejectedError:
        raise
    except Exception as error:
        if type(error).__name__ == _LOCKED:
            raise ItemRejectedError("the archive is encrypted", code="encrypted", hint=ENCRYPTED_HINT) from error
        damage = f"damaged: {described(error)}"
        if not writer.count:
            message = f"the 7-Zip archive cannot be read, {damage}"[:300]
            raise ProcessingError(message, hint="fetch it again: it may be cut short") from error
    writer.end(damage)


def _numbered(archive: Any) -> dict[str, str]:
    """Give the entries numbers for names, and return their names by these.

    py7zr takes a name that leads out for damage of the whole archive, and gives others to names that it has twice.
    """
    names = {}
    for number, entry in enumerate(archive.files.files_list):
        names[str(number)] = str(entry["filename"])
        entry["filename"] = str(number)
    return names


class _Outputs:
    """Makes an output for each member: what py7zr calls a ``WriterFactory``."""

    def __init__(
        self, writer: MemberWriter, tick: Callable[[], None], links: set[str], names: Mapping[str, str]
    ) -> None:
        self._writer = writer
        self._tick = tick
        self._links = links
        self._names = names

    def create(self, filename: str) -> Any:
        number = PurePath(filename).name
        return _Output(self._names[number], self._writer, self._tick, is_link=number in self._links)


class _Output:
    """Takes the bytes of one member, up to the largest that is taken: what py7zr calls a ``Py7zIO``."""

    def __init__(self, name: str, writer: MemberWriter, tick: Callable[[], None], *, is_link: bool) -> None:
        self._name = name
        self._writer = writer
        self._tick = tick
        self._is_link = is_link
        self._buffer = BytesIO()
        self._size = 0

    def write(self, data: bytes | bytearray) -> int:
        self._tick()
        self._size += len(data)
        if self._size <= self._writer.largest:
            self._buffer.write(data)
        return len(data)

    def read(self, size: int | None = None) -> bytes:
        return self._buffer.read(size)

    def seek(self, offset: int, whence: int = 0) -> int:
        return self._buffer.seek(offset, whence)

    def flush(self) -> None:
        """Nothing is held back."""

    def size(self) -> int:
        return self._size

    def close(self) -> None:
        """The member is whole, and was compared with its checksum."""
        if self._is_link:
            self._writer.refuse(self._name, "special_file", "a symbolic link, which is not followed")
        elif self._size > self._writer.largest:
            self._writer.refuse_large(self._name)
        else:
            self._writer.add(self._name, self._buffer.getvalue())
        self._buffer = BytesIO()
