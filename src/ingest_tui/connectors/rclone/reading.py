"""The content of one file, checked while it is read."""

from __future__ import annotations

import hashlib
import http.client
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from ingest_tui.connectors.content_checks import NO_CHECKSUM, ContentChecks
from ingest_tui.connectors.rclone.entries import VERIFIABLE, RemoteEntry, entry_of, sum_in
from ingest_tui.connectors.rclone.failures import RcloneFailedError
from ingest_tui.connectors.rclone.output import printed
from ingest_tui.connectors.rclone.program import SOURCE, RcloneAccess
from ingest_tui.connectors.rclone.rclone_errors import item_error
from ingest_tui.connectors.rclone.remote_control import NotOpenedError, RemoteControl
from ingest_tui.model.counted import counted
from ingest_tui.model.descriptor import Descriptor
from ingest_tui.model.errors import ItemError
from ingest_tui.model.keys import bytes_from_key

if TYPE_CHECKING:
    from hashlib import _Hash

_PIECE = 1 << 18


class FileReader:
    """Reads files through a `RemoteControl`. Safe for threads."""

    def __init__(self, access: RcloneAccess, control: RemoteControl, max_size: int | None) -> None:
        self._access = access
        self._control = control
        self._max_size = max_size
        self._checks: ContentChecks[_Hash] = ContentChecks()

    def origin_of(self, uri: str) -> dict[str, str]:
        """Return, once, by what the content of an item was checked."""
        return self._checks.origin_of(uri)

    def look(self, path: str, sum_name: str | None = None) -> RemoteEntry | None:
        """Return what is at a path now, with its checksum of that name; None where nothing is.

        An empty path is the folder of the source.
        """
        options = {"noMimeType": True, "showHash": sum_name is not None, "hashTypes": [sum_name] if sum_name else []}
        found = self._control.ask("operations/stat", fs=f"{SOURCE}:", remote=path, opt=options)["item"]
        return None if found is None else entry_of(found)

    @contextmanager
    def fetch(self, descriptor: Descriptor, offset: int) -> Iterator[Iterator[bytes]]:
        """Open a file; what is read is that which was listed, or an `ItemError` is raised."""
        with _failing_as_an_item(descriptor):
            path = bytes_from_key(descriptor.key).decode(errors="replace")
            check = self._check_of(descriptor, offset)
            if offset and check is None:
                self._refuse_if_changed(descriptor, path)
            opened = self._whole(path, offset) if descriptor.size is None else self._part(descriptor, path, offset)
            with opened as pieces:
                yield self._checked(descriptor, path, offset, check, pieces)

    def _check_of(self, descriptor: Descriptor, offset: int) -> _Hash | None:
        """Return what the bytes from ``offset`` on are to be added to; None where no sum can be made of them."""
        name = sum_in(descriptor.fingerprint)
        if name not in VERIFIABLE:
            return None
        return self._checks.resume(_name_of(descriptor), offset) if offset else hashlib.new(name, usedforsecurity=False)

    @contextmanager
    def _part(self, descriptor: Descriptor, path: str, offset: int) -> Iterator[Iterator[bytes]]:
        size = descriptor.size or 0
        if offset and offset == size:
            # A range from the end of a file on is one that no server has.
            yield iter(())
            return
        with self._opened(path, offset) as answer:
            total = _total_of(answer)
            if total != size:
                raise self._other_size(descriptor, total)
            skipped = offset if answer.status == http.client.OK else 0
            yield _without(skipped, _pieces_of(answer))

    @contextmanager
    def _opened(self, path: str, offset: int) -> Iterator[http.client.HTTPResponse]:
        try:
            with self._control.file(path, offset) as answer:
                yield answer
        except NotOpenedError:
            raise self._why_not_opened(path) from None

    def _why_not_opened(self, path: str) -> RcloneFailedError:
        """Return why a storage refused a file: a process is told what the remote control does not say."""
        try:
            with printed(self._access, ["cat", "--count", "1", "--", f"{SOURCE}:{path}"]) as pieces:
                is_there = any(pieces)
        except RcloneFailedError as failure:
            return failure
        if is_there or self.look(path) is not None:
            return RcloneFailedError("the storage refused it at first", kind="network")
        return RcloneFailedError("object not found")

    @contextmanager
    def _whole(self, path: str, offset: int) -> Iterator[Iterator[bytes]]:
        """Read a file whose size only its end tells: only the code with which rclone ends says that it was the end."""
        with printed(self._access, ["cat", "--", f"{SOURCE}:{path}"]) as pieces:
            yield _without(offset, self._limited(pieces))

    def _limited(self, pieces: Iterator[bytes]) -> Iterator[bytes]:
        size = 0
        for piece in pieces:
            size += len(piece)
            if self._max_size is not None and size > self._max_size:
                raise ItemError(f"it is larger than {_limit(self._max_size)}", code="too_large")
            yield piece

    def _checked(
        self, descriptor: Descriptor, path: str, offset: int, check: _Hash | None, pieces: Iterator[bytes]
    ) -> Iterator[bytes]:
        position, is_whole = offset, False
        try:
            with _failing_as_an_item(descriptor):
                for piece in pieces:
                    position += len(piece)
                    if check is not None:
                        check.update(piece)
                    yield piece
                self._check_end(descriptor, path, position, check)
                is_whole = True
        finally:
            if check is not None and not is_whole and position > offset:
                self._checks.suspend(_name_of(descriptor), position, check)

    def _check_end(self, descriptor: Descriptor, path: str, position: int, check: _Hash | None) -> None:
        if descriptor.size is not None and position < descriptor.size:
            raise RcloneFailedError(f"it was cut after {counted(position, 'byte')}", kind="network")
        if check is None:
            self._refuse_if_changed(descriptor, path)
        elif f"{check.name}:{check.hexdigest()}" != descriptor.fingerprint:
            raise _changed(descriptor)
        self._checks.note(descriptor.uri, NO_CHECKSUM if check is None else check.name)

    def _refuse_if_changed(self, descriptor: Descriptor, path: str) -> None:
        """Raise unless the storage still says of the file what it said when it was listed."""
        entry = self.look(path, sum_in(descriptor.fingerprint))
        if entry is None:
            raise ItemError("it is gone since it was listed", code="not_found", uri=descriptor.uri)
        if entry.is_folder or entry.fingerprint(descriptor.key) != descriptor.fingerprint:
            raise _changed(descriptor)

    def _other_size(self, descriptor: Descriptor, total: int | None) -> ItemError:
        if self._max_size is not None and total is not None and total > self._max_size:
            import humanize  # for what is too large only

            message = f"it grew to {humanize.naturalsize(total)}; the limit is {_limit(self._max_size)}"
            return ItemError(message, code="too_large", uri=descriptor.uri)
        return _changed(descriptor)


@contextmanager
def _failing_as_an_item(descriptor: Descriptor) -> Iterator[None]:
    try:
        yield
    except RcloneFailedError as failure:
        raise item_error(descriptor, failure) from None


def _name_of(descriptor: Descriptor) -> tuple[str, str]:
    return descriptor.key, descriptor.fingerprint


def _changed(descriptor: Descriptor) -> ItemError:
    return ItemError("it changed since it was listed", code="changed_while_read", uri=descriptor.uri)


def _limit(size: int) -> str:
    import humanize

    return f"the limit of this source, {humanize.naturalsize(size)}"


def _total_of(answer: http.client.HTTPResponse) -> int | None:
    """Return the size of the whole file as the headers have it."""
    text: Any = answer.getheader("Content-Length")
    if answer.status == http.client.PARTIAL_CONTENT:
        text = (answer.getheader("Content-Range") or "").rpartition("/")[2]
    return int(text) if text and text.isdigit() else None


def _pieces_of(answer: http.client.HTTPResponse) -> Iterator[bytes]:
    try:
        while piece := answer.read(_PIECE):
            yield piece
    except (OSError, http.client.HTTPException) as error:
        raise RcloneFailedError(f"it was cut: {error}", kind="network") from None


def _without(number: int, pieces: Iterator[bytes]) -> Iterator[bytes]:
    """Yield pieces without the first bytes of them."""
    for piece in pieces:
        rest = piece[number:]
        number -= min(number, len(piece))
        if rest:
            yield rest
