"""The members of a container on their way from the parser that unpacks it to the job that takes them in.

One file: for each member a line of JSON and then its bytes, and last a line that says how it ended. So a parser writes
one file only, whatever names members have, and neither side has more than one member in memory.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self

import orjson

from ingest_tui.extraction.intake.containers import MAX_RATIO, RATIO_FLOOR_BYTES
from ingest_tui.model.clock import storable_ns
from ingest_tui.model.counted import counted
from ingest_tui.model.errors import ItemRejectedError
from ingest_tui.model.extraction import Finding
from ingest_tui.model.members import MAX_MEMBER_BYTES, MAX_MEMBERS
from ingest_tui.model.unicode import as_unicode

_LONGEST_LINE = 1 << 20
_PIECE = 1 << 20
_LONGEST_DETAIL = 300
_LONGEST_NAME = 10_000
TAKE_HINT = "if the file is genuine, unpack it and ingest the folder instead"


@dataclass(frozen=True, slots=True)
class Member:
    """A member as its container names it. ``reason`` is set when its bytes cannot be had: then ``size`` is 0.

    ``failed``: that is damage, and not a choice.
    """

    name: str
    size: int = 0
    modified_ns: int | None = None
    reason: str = ""
    detail: str = ""
    failed: bool = False


class MemberWriter:
    """Writes members as they are unpacked; refuses a container that has too many of them, or too large ones."""

    def __init__(self, path: str, largest: int) -> None:
        """``largest``: the bytes of the largest member that is taken."""
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        self._file: BinaryIO = os.fdopen(os.open(path, flags, 0o600), "wb")
        self.largest = min(largest, MAX_MEMBER_BYTES)
        self.count = 0
        self._bytes = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self._file.close()

    def add(self, name: str, content: bytes, modified_ns: int | None = None) -> None:
        """Write a member."""
        self._bytes += len(content)
        if self._bytes > MAX_MEMBER_BYTES:
            raise bomb(f"its members have more than {MAX_MEMBER_BYTES:,} bytes")
        self._write(Member(_clipped(name), len(content), storable_ns(modified_ns)))
        self._file.write(content)

    def refuse(self, name: str, reason: str, detail: str, *, failed: bool = False) -> None:
        """Note a member whose bytes are not taken; ``failed``: they are damaged."""
        self._write(Member(_clipped(name), reason=reason, detail=as_unicode(detail)[:_LONGEST_DETAIL], failed=failed))

    def refuse_large(self, name: str) -> None:
        """Note a member that is larger than what is taken."""
        self.refuse(name, "too_large", f"larger than the {counted(self.largest, 'byte')} that a member may have")

    def end(self, damage: str = "") -> None:
        """Note that all members were named, or how the end of the container is damaged: others may be missing then."""
        self._file.write(orjson.dumps({"end": True, "damage": as_unicode(damage)[:_LONGEST_DETAIL]}) + b"\n")

    def _write(self, member: Member) -> None:
        self.count += 1
        if self.count > MAX_MEMBERS:
            raise bomb(f"more than {MAX_MEMBERS:,} members")
        self._file.write(orjson.dumps(asdict(member)) + b"\n")


class AttachmentWriter:
    """Writes the attachments of a document as members; there is no file as long as there are none."""

    def __init__(self, path: str, largest: int) -> None:
        """``largest``: the bytes of the largest attachment that is taken."""
        self._path = path
        self._largest = largest
        self._writer: MemberWriter | None = None
        self._error: OSError | None = None
        self._left_out = ""

    def keep(self, name: str, content: bytes) -> None:
        """Write an attachment. Never raises: the document is read to its end, then `close` does."""
        if self._error is not None or self._left_out:
            return
        try:
            self._writer = writer = self._writer or MemberWriter(self._path, self._largest)
            if writer.count >= MAX_MEMBERS:
                self._left_out = f"more than {MAX_MEMBERS:,} attachments: the rest is left out"
            elif len(content) > writer.largest:
                writer.refuse_large(name)
            else:
                writer.add(name, content)
        except ItemRejectedError:
            self._left_out = f"its attachments have more than {MAX_MEMBER_BYTES:,} bytes: the rest is left out"
        except OSError as error:
            self._error = error

    def close(self) -> tuple[int, list[Finding]]:
        """Return how many attachments were written, and what is odd about them. Raises what writing them has raised."""
        if self._error is not None:
            raise self._error
        if self._writer is None:
            return 0, []
        with self._writer as writer:
            writer.end(self._left_out)
        findings = [Finding("warning", "attachments_cut", self._left_out)] if self._left_out else []
        return writer.count, findings

    def drop(self) -> None:
        """Remove what was written."""
        if self._writer is not None:
            with contextlib.suppress(OSError), self._writer:
                pass
            with contextlib.suppress(OSError):
                os.unlink(self._path)  # noqa: PTH108 as the pool does


class MemberReader:
    """Reads what a `MemberWriter` has written; after the last member ``damage`` says how it ended."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.damage = "the container was not read to its end"

    def members(self) -> Iterator[tuple[Member, Iterator[bytes]]]:
        """Yield each member and its bytes, which have to be read before the next. Raises `ValueError` for others."""
        with self._path.open("rb") as file:
            while line := file.readline(_LONGEST_LINE):
                record = orjson.loads(line)
                if "end" in record:
                    self.damage = str(record["damage"])
                    return
                member = Member(**record)
                if type(member.size) is not int or member.size < 0 or type(member.name) is not str:
                    raise ValueError("a member without a name or a size")
                yield member, _pieces(file, member.size)


def check_limits(members: int, unpacked_bytes: int, packed_bytes: int) -> None:
    """Refuse what would grow beyond the limits, before any of it is unpacked."""
    if members > MAX_MEMBERS:
        raise bomb(f"{counted(members, 'member')}, more than {MAX_MEMBERS:,}")
    if unpacked_bytes > MAX_MEMBER_BYTES:
        raise bomb(f"would unpack to {counted(unpacked_bytes, 'byte')}")
    if unpacked_bytes > RATIO_FLOOR_BYTES and unpacked_bytes > MAX_RATIO * max(packed_bytes, 1):
        raise bomb(f"would unpack to {counted(unpacked_bytes // max(packed_bytes, 1), 'time')} its size")


def _pieces(file: BinaryIO, left: int) -> Iterator[bytes]:
    while left:
        piece = file.read(min(left, _PIECE))
        if not piece:
            raise ValueError("a member that is cut")
        left -= len(piece)
        yield piece


def _clipped(name: str) -> str:
    return as_unicode(name[:_LONGEST_NAME])


def bomb(detail: str) -> ItemRejectedError:
    """Return the refusal of a container that unpacks beyond the limits."""
    return ItemRejectedError(f"refused to unpack: {detail}", code="archive_bomb", hint=TAKE_HINT)
