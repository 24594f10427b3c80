"""Local folders."""

from __future__ import annotations

import contextlib
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, ClassVar

from pydantic import BaseModel

from ingest_tui.connectors.base import ABOVE, BaseConnector, Capabilities, Credentials, Listing, Place
from ingest_tui.connectors.filtering import build_filter
from ingest_tui.connectors.local.config import LocalConfig
from ingest_tui.connectors.local.local_errors import (
    GONE,
    IT_WAS_NAMED,
    LEADS_NOWHERE,
    access_error,
    changed_since_listed,
    check_root,
    item_error,
)
from ingest_tui.connectors.local.sighting import sight
from ingest_tui.connectors.local.status import check_unchanged, fingerprint_of, is_older_form, listed_fingerprint
from ingest_tui.connectors.local.volumes import Links, identified, mounts_within, read_mounts, spanned
from ingest_tui.model.argument_types import checks_types
from ingest_tui.model.descriptor import Descriptor, ListingEnd, ListingPage
from ingest_tui.model.errors import ItemError, ValidationError
from ingest_tui.model.keys import bytes_from_key, file_uri, key_from_bytes
from ingest_tui.model.safe_text import safe_display
from ingest_tui.model.sighting import Sighting

_PAGE = 1000
_PIECE = 1 << 20
_SPECIAL = {
    stat.S_IFIFO: "named pipe",
    stat.S_IFSOCK: "socket",
    stat.S_IFCHR: "character device",
    stat.S_IFBLK: "block device",
}
_SMALL_READ = 1 << 16

# Named outside the class, where `list` is the method of the contract.
Gaps = list[tuple[str, str]]
Descriptors = list[Descriptor]
Pending = list[tuple[bytes, frozenset[tuple[int, int]]]]


class LocalConnector(BaseConnector):
    """Folders of this machine.

    Names are bytes on disk; keys are their text form (`key_from_bytes`).

    The fingerprint (`fingerprint_of`) changes with every write and every replacement, whatever times are set back. A
    renamed folder keeps those of its files; a renamed file gets another one and is known by its bytes.
    """

    source_type: ClassVar[str] = "local"
    config_model: ClassVar[type[BaseModel]] = LocalConfig
    capabilities: ClassVar[Capabilities] = Capabilities(watches_paths=True, ranged_fetch=True)
    config: LocalConfig

    def __init__(
        self, config: dict[str, Any], *, max_size: int | None = None, credentials: Credentials | None = None
    ) -> None:
        super().__init__(config, max_size=max_size, credentials=credentials)
        self._root = os.fsencode(self.config.path)
        self._real_root = os.path.realpath(self._root)
        self._filter = build_filter(self.config.include, self.config.exclude)
        self._links = Links((), self._real_root)

    def validate_config(self) -> None:
        """The folder must exist, so that a typing error shows when the source is added."""
        check_root(self._root, if_gone=IT_WAS_NAMED)
        if _is_workspace(self._root):
            raise ValidationError(
                "the folder is a workspace of ingest-tui", hint="name the folder with the documents instead"
            )

    async def authenticate(self) -> bool:
        """Check that the folder can be listed."""
        check_root(self._root)
        return True

    def list(self, cursor: str | None = None) -> Listing:  # noqa: ARG002 - a local folder is listed from its start
        """Walk the folder, streaming; a folder that cannot be read is a gap.

        What was mounted before and after is compared, and links that lead nowhere are doubts: both can hide documents.
        """
        check_root(self._root)
        real_root = os.path.realpath(self._root)
        mounted = identified(mounts_within(read_mounts(), real_root))
        self._links = Links(mounted, real_root)
        gaps: Gaps = []
        page: Descriptors = []
        for descriptor in self._walk(gaps):
            page.append(descriptor)
            if len(page) >= _PAGE:
                yield ListingPage(page)
                page = []
        if page:
            yield ListingPage(page)
        volumes, doubts = spanned(mounted, identified(mounts_within(read_mounts(), real_root)))
        return ListingEnd(
            complete=not gaps,
            gaps=tuple(gaps),
            volumes={key_from_bytes(path): volume for path, volume in (volumes | self._links.volumes).items()},
            doubts=tuple((key_from_bytes(path), why) for path, why in doubts + self._links.doubts),
        )

    def _walk(self, gaps: Gaps) -> Iterator[Descriptor]:
        pending: Pending = [(b"", frozenset())]
        while pending:
            folder, ancestors = pending.pop()
            full = self._root + b"/" + folder if folder else self._root
            try:
                entries = os.scandir(full)
            except OSError as error:
                if not folder:
                    raise access_error(self._root, error) from None
                _note_gap(gaps, folder, error)
                continue
            try:
                with entries:
                    yield from self._look_through(entries, folder, ancestors, pending, gaps)
            except OSError as error:
                gaps.append((key_from_bytes(folder), error.strerror or "cannot be read to its end"))

    def _look_through(
        self,
        entries: Iterator[os.DirEntry[bytes]],
        folder: bytes,
        ancestors: frozenset[tuple[int, int]],
        pending: Pending,
        gaps: Gaps,
    ) -> Iterator[Descriptor]:
        prefix = folder + b"/" if folder else b""
        for entry in entries:
            path = prefix + entry.name
            try:
                yield from self._look_at(entry, path, ancestors, pending)
            except OSError as error:
                _note_gap(gaps, path, error)

    def _look_at(
        self, entry: os.DirEntry[bytes], path: bytes, ancestors: frozenset[tuple[int, int]], pending: Pending
    ) -> Iterator[Descriptor]:
        if not self.config.hidden and entry.name.startswith(b"."):
            return
        if entry.is_dir(follow_symlinks=False):
            if self.config.recursive and self._filter.enters(path) and not _is_workspace(os.fsencode(entry.path)):
                pending.append((path, ancestors))
        elif entry.is_symlink():
            yield from self._followed(entry, path, ancestors, pending)
        elif self._filter.takes(path):
            yield self._describe(path, entry.stat(follow_symlinks=False))

    def _followed(
        self,
        entry: os.DirEntry[bytes],
        path: bytes,
        ancestors: frozenset[tuple[int, int]],
        pending: Pending,
    ) -> Iterator[Descriptor]:
        """Handle a symbolic link: only when asked, never out of the root, never round in circles."""
        if not self.config.follow_symlinks:
            self._ignore_link(path, "it is now a symbolic link, which this source does not follow")
            return
        target = os.path.realpath(entry.path)
        root = os.path.realpath(self._root)
        if target != root and not target.startswith(root + b"/"):
            self._ignore_link(path, "it is now a symbolic link that leads out of the source's folder")
            if self._filter.takes(path):
                yield self._refused(path, "symlink_outside", "the link leads out of the source's folder")
            return
        try:
            status = os.stat(target)  # noqa: PTH116
        except OSError as error:
            if error.errno not in LEADS_NOWHERE:
                raise
            self._ignore_link(path, "it is now a symbolic link that leads nowhere")
            return
        self._links.note_followed(path, target)
        if stat.S_ISDIR(status.st_mode):
            self._enter_link(entry, path, target, (status.st_dev, status.st_ino), ancestors, pending)
        elif self._filter.takes(path):
            yield self._describe(path, status)

    def _ignore_link(self, path: bytes, why: str) -> None:
        if self._filter.enters(path):  # one that is excluded hides nothing that was asked for
            self._links.note_ignored(path, why)

    def _enter_link(
        self,
        entry: os.DirEntry[bytes],
        path: bytes,
        target: bytes,
        identity: tuple[int, int],
        ancestors: frozenset[tuple[int, int]],
        pending: Pending,
    ) -> None:
        """Look into a folder behind a link, unless it holds the link itself, or two links would name each other."""
        parent = os.path.realpath(entry.path.rpartition(b"/")[0])
        holds_itself = (parent + b"/").startswith(target + b"/")
        if self.config.recursive and not holds_itself and identity not in ancestors and self._filter.enters(path):
            pending.append((path, ancestors | {identity}))

    def _describe(self, path: bytes, status: os.stat_result) -> Descriptor:
        if not stat.S_ISREG(status.st_mode):
            kind = _SPECIAL.get(stat.S_IFMT(status.st_mode), "not a regular file")
            return self._refused(path, "special_file", f"it is a {kind}")
        key = key_from_bytes(path)
        size = status.st_size
        refusal = None
        if self.max_size is not None and size > self.max_size:
            refusal = ("too_large", f"{_readable(size)}; the limit of this source is {_readable(self.max_size)}")
        return Descriptor(
            key,
            file_uri(self._root + b"/" + path),
            listed_fingerprint(status),
            size,
            status.st_mtime_ns,
            refusal,
        )

    def _refused(self, path: bytes, reason: str, detail: str) -> Descriptor:
        return Descriptor(key_from_bytes(path), file_uri(self._root + b"/" + path), "", None, None, (reason, detail))

    @checks_types
    @contextmanager
    def fetch(self, descriptor: Descriptor, offset: int = 0) -> Iterator[Iterator[bytes]]:
        """Read one file. What changes while it is read is found by its status before and after."""
        with self._opened(descriptor) as (handle, status):
            if (descriptor.fingerprint or offset) and fingerprint_of(status) != descriptor.fingerprint:
                raise changed_since_listed(self._describe(bytes_from_key(descriptor.key), status))
            yield _pieces(handle, offset, status, descriptor)

    async def read(self, descriptor: Descriptor) -> bytes:
        """Read one file without holding up the event loop, with the same checks as `fetch`."""
        import aiofiles

        with self._opened(descriptor) as (handle, status):
            async with aiofiles.open(handle, "rb", closefd=False) as file:
                content = await file.read()
            check_unchanged(handle, status)
        return content

    @contextmanager
    def _opened(self, descriptor: Descriptor) -> Iterator[tuple[int, os.stat_result]]:
        """Open one file and check that it is what may be read: regular, inside the root, not too large."""
        path = self._root + b"/" + bytes_from_key(descriptor.key)
        flags = os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK | (0 if self.config.follow_symlinks else os.O_NOFOLLOW)
        try:
            handle = os.open(path, flags)
        except OSError as error:
            raise item_error(descriptor, error) from None
        try:
            status = os.fstat(handle)
            if not stat.S_ISREG(status.st_mode):
                raise ItemError("it is no longer a regular file", code="special_file", uri=descriptor.uri)
            self._check_inside(handle, descriptor)
            if self.max_size is not None and status.st_size > self.max_size:
                raise ItemError(
                    f"it grew to {_readable(status.st_size)}; the limit of this source is {_readable(self.max_size)}",
                    code="too_large",
                )
            yield handle, status
        finally:
            os.close(handle)

    def _check_inside(self, handle: int, descriptor: Descriptor) -> None:
        """A link, or a folder replaced by one, may lead elsewhere since the listing: ask what was really opened."""
        try:
            opened = os.readlink(f"/proc/self/fd/{handle}".encode())  # noqa: PTH115
        except OSError:
            return
        if not opened.startswith(self._real_root + b"/"):
            raise ItemError("the link leads out of the source's folder", code="symlink_outside", uri=descriptor.uri)

    def browse(self, path: str = "") -> Iterator[Place]:
        """Yield the folders and files directly in a folder, folders first, by name."""
        folder = self._root + b"/" + bytes_from_key(path) if path else self._root
        try:
            with os.scandir(folder) as entries:
                found = sorted(entries, key=lambda entry: (not entry.is_dir(follow_symlinks=False), entry.name))
        except OSError as error:
            raise access_error(folder, error) from None
        for entry in found:
            name = key_from_bytes(entry.name)
            inner = f"{path}/{name}" if path else name
            if entry.is_dir(follow_symlinks=False):
                yield Place(name, inner, "folder")
            elif entry.is_file(follow_symlinks=False):
                with contextlib.suppress(OSError):
                    status = entry.stat(follow_symlinks=False)
                    yield Place(name, inner, "item", status.st_size, status.st_mtime_ns)

    @classmethod
    def browse_for_settings(cls, config: dict[str, Any], path: str, credentials: Credentials | None) -> Iterator[Place]:
        """Yield what is in a folder, by absolute paths, and the one above: in ``path``, the typed one, or at home."""
        folder = os.path.expanduser(path or str(config.get("path") or "~"))  # noqa: PTH111 - pathlib raises for nobody
        connector = cls({"path": folder}, credentials=credentials)
        if connector.config.path != "/":
            yield Place(ABOVE, os.path.dirname(connector.config.path), "folder")  # noqa: PTH120 - text stays text
        for place in connector.browse():
            yield replace(place, path=os.path.join(connector.config.path, place.path))  # noqa: PTH118 - text stays text

    @classmethod
    def settings_of_place(cls, config: dict[str, Any], path: str) -> dict[str, Any]:  # noqa: ARG003 - it is absolute
        """Return the path."""
        return {"path": path}

    def vouches_for(self, stored: str, listed: str, *, read_after_ns: int) -> bool:
        """Whether a fingerprint without change time is of a file that has not changed since it was read."""
        return is_older_form(stored, listed, read_after_ns=read_after_ns)

    def local_path(self, descriptor: Descriptor) -> str | None:
        """Return the path of the file."""
        return os.fsdecode(self._root + b"/" + bytes_from_key(descriptor.key))

    def watch_path(self) -> str | None:
        """Return the folder itself."""
        return self.config.path

    def sight(self, key: str) -> Sighting:
        """Look at one path as a listing would; an empty key is the folder itself."""
        return sight(self._root, bytes_from_key(key), self._describe, follows_links=self.config.follow_symlinks)

    def explain_left_out(self, key: str) -> str | None:
        """Return why a path of this folder would not be listed, or None when it would; one of a folder ends in /."""
        path = bytes_from_key(key)
        parts = path.split(b"/")
        if not self.config.hidden and any(part.startswith(b".") for part in parts):
            return "hidden files are left out (--hidden takes them)"
        if not self.config.recursive and len(parts) > 1:
            return "folders within the folder are left out (--recursive takes them)"
        for depth in range(1, len(parts)):
            if _is_workspace(self._root + b"/" + b"/".join(parts[:depth])):
                return "it is inside a workspace of ingest-tui, which is never a source"
            if not self._filter.enters(b"/".join(parts[:depth])):
                return f"its folder {safe_display(key_from_bytes(b'/'.join(parts[:depth])))} is excluded"
        is_folder = not parts[-1]  # what is in it has names of its own
        if not is_folder and not self._filter.takes(path):
            return "it does not match the include and exclude patterns"
        return None


def _pieces(handle: int, offset: int, before: os.stat_result, descriptor: Descriptor) -> Iterator[bytes]:
    if offset:
        os.lseek(handle, offset, os.SEEK_SET)
    size = _SMALL_READ if before.st_size < _SMALL_READ else _PIECE
    try:
        while piece := os.read(handle, size):
            yield piece
            if before.st_size < _SMALL_READ and len(piece) == before.st_size:
                break
    except OSError as error:
        raise item_error(descriptor, error) from None
    check_unchanged(handle, before)


def _readable(size: int) -> str:
    import humanize  # for what is too large only

    return humanize.naturalsize(size)


def _note_gap(gaps: Gaps, path: bytes, error: OSError) -> None:
    """A folder or file that vanished since its folder was read is no gap; one that cannot be read is."""
    if error.errno not in GONE:
        gaps.append((key_from_bytes(path), error.strerror or "cannot be read"))


def _is_workspace(folder: bytes) -> bool:
    """Whether a folder is a workspace: taking one in would feed every sync with the files of the last."""
    return os.path.lexists(folder + b"/workspace.json") and os.path.lexists(folder + b"/jobs")
