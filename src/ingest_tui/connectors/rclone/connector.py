"""Storages that rclone reaches: Drive, OneDrive, Dropbox, SFTP, SMB, WebDAV, Azure, GCS and some sixty others."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any, ClassVar, NamedTuple
from urllib.parse import quote, unquote

from pydantic import BaseModel

from ingest_tui.connectors.base import ABOVE, BaseConnector, Capabilities, Credential, Credentials, Listing, Place
from ingest_tui.connectors.filtering import build_filter
from ingest_tui.connectors.rclone.access import access_with, check_config_file, entry_for
from ingest_tui.connectors.rclone.config import RcloneConfig
from ingest_tui.connectors.rclone.entries import RemoteEntry, chosen_sum
from ingest_tui.connectors.rclone.failures import RcloneFailedError
from ingest_tui.connectors.rclone.listing import listed, options_of_filter
from ingest_tui.connectors.rclone.output import printed
from ingest_tui.connectors.rclone.program import SOURCE, RcloneAccess, check_version, executable
from ingest_tui.connectors.rclone.rclone_errors import folder_missing, source_error
from ingest_tui.connectors.rclone.reading import FileReader
from ingest_tui.connectors.rclone.remote_control import RemoteControl
from ingest_tui.model.argument_types import checks_types
from ingest_tui.model.descriptor import Descriptor, ListingEnd, ListingPage
from ingest_tui.model.errors import IngestError
from ingest_tui.model.keys import bytes_from_key, key_from_bytes
from ingest_tui.model.safe_text import safe_display

CONCURRENCY = 8
PAGE_SIZE = 1000
_SAFE_IN_URIS = "/-_.~"


class _Session(NamedTuple):
    """What one connector keeps open, and how it was reached."""

    access: RcloneAccess
    control: RemoteControl
    reader: FileReader


class RcloneConnector(BaseConnector):
    """Storages that rclone reaches: Drive, OneDrive, Dropbox, SFTP, SMB, WebDAV, Azure, GCS and some sixty others.

    The remote and what signs in to it are in a configuration file of rclone that a credential names. The fingerprint is
    a checksum where the storage knows one, else id, time and size, or without an id path, time and size.
    """

    source_type: ClassVar[str] = "rclone"
    config_model: ClassVar[type[BaseModel]] = RcloneConfig
    capabilities: ClassVar[Capabilities] = Capabilities(
        fetch_concurrency=CONCURRENCY, ranged_fetch=True, remote=True, lists_all_or_nothing=True
    )
    config: RcloneConfig
    page_size = PAGE_SIZE

    def __init__(
        self, config: dict[str, Any], *, max_size: int | None = None, credentials: Credentials | None = None
    ) -> None:
        super().__init__(config, max_size=max_size, credentials=credentials)
        self._filter = build_filter(self.config.include, self.config.exclude)
        name, root = self.config.name, self.config.root.rstrip("/")
        self._uri_start = f"rclone://{quote(name, '')}/{quote(root, _SAFE_IN_URIS)}{'/' if root else ''}"
        self._opening = threading.Lock()
        self._opened: _Session | None = None

    # Access

    def _entry(self) -> Credential:
        return entry_for(self.config.credential, self.credentials)

    def validate_config(self) -> None:
        """The program and the configuration file must be there, so that it shows when the source is added."""
        executable()
        if self.credentials is not None:
            check_config_file(self._entry())

    def check_credential(self) -> str:
        """Find the program and the configuration file, without asking the storage."""
        executable()
        path = check_config_file(self._entry())
        return f"signs in as remote '{safe_display(self.config.name)}' of {safe_display(path)}"

    async def authenticate(self) -> bool:
        """Look for the folder of the source."""
        with self._failing_as_a_source():
            # Before its remote control is asked, which an old one does not have.
            with printed(self._session().access, ["version"]) as pieces:
                check_version(b"".join(pieces).decode(errors="replace"))
            self._find_folder()
        return True

    def reauthenticate(self) -> bool:
        """Read the credential and the configuration file again."""
        self.close()
        return True

    def close(self) -> None:
        """End rclone."""
        with self._opening:
            session, self._opened = self._opened, None
        if session is not None:
            session.control.close()

    def account(self) -> str:
        """Return the credential and the remote of it: each has an account of its own."""
        return f"rclone:{self.config.credential}:{self.config.name}"

    def _session(self) -> _Session:
        with self._opening:
            if self._opened is None:
                access = access_with(self._entry(), self.config.remote)
                control = RemoteControl(access)
                self._opened = _Session(access, control, FileReader(access, control, self.max_size))
            return self._opened

    def _find_folder(self) -> None:
        found = self._session().reader.look("")
        if found is None or not found.is_folder:
            raise folder_missing(self.config.remote)

    @contextmanager
    def _failing_as_a_source(self) -> Iterator[None]:
        try:
            yield
        except RcloneFailedError as failure:
            raise self._source_error(failure) from None

    def _source_error(self, failure: RcloneFailedError) -> IngestError:
        known = None
        if failure.kind == "remote_missing":
            with suppress(RcloneFailedError, IngestError):
                known = _remotes(self.config.credential, self.credentials)
        return source_error(self.config.remote, failure, credential=self.config.credential, known=known)

    # Listing

    def list(self, cursor: str | None = None) -> Listing:  # noqa: ARG002 - rclone lists from the start
        """List the folder and all below it, streaming; fails as a whole when a part of it cannot be read."""
        with self._failing_as_a_source():
            self._find_folder()
            is_empty = True
            page: list[Descriptor] = []
            for entry in listed(self._session().access, ["-R", "--files-only", *self._options()]):
                is_empty = False
                if self._takes(entry.path):
                    page.append(self._describe(entry))
                    if len(page) >= self.page_size:
                        yield ListingPage(page)
                        page = []
            if page:
                yield ListingPage(page)
            if is_empty:
                # The folder may have gone in between: some storages say then that it is empty.
                self._find_folder()
        return ListingEnd(complete=True)

    def _options(self) -> Sequence[str]:
        filtering = options_of_filter(self.config.exclude, hidden=self.config.hidden)
        about = self._session().control.ask("operations/fsinfo", fs=f"{SOURCE}:")
        is_slow = bool((about.get("Features") or {}).get("SlowHash"))
        name = chosen_sum(about.get("Hashes") or [], is_slow=is_slow, wanted=self.config.hashes)
        return filtering if name is None else ["--hash", "--hash-type", name, *filtering]

    def _takes(self, path: str) -> bool:
        if not self.config.hidden and (path.startswith(".") or "/." in path):
            return False
        return self._filter.takes(path.encode(errors="replace"))

    def _describe(self, entry: RemoteEntry) -> Descriptor:
        key = key_from_bytes(entry.path.encode(errors="replace"))
        return Descriptor(
            key,
            self._uri_start + quote(entry.path, _SAFE_IN_URIS, errors="replace"),
            entry.fingerprint(key),
            entry.size,
            entry.modified_ns,
            self._refusal(entry.size),
            entry.identity,
        )

    def _refusal(self, size: int | None) -> tuple[str, str] | None:
        if self.max_size is None or size is None or size <= self.max_size:
            return None
        import humanize  # for what is too large only

        limit = f"the limit of this source is {humanize.naturalsize(self.max_size)}"
        return "too_large", f"{humanize.naturalsize(size)}; {limit}"

    def browse(self, path: str = "") -> Iterator[Place]:
        """Yield the folders and files directly in a folder, as they are listed."""
        folder = bytes_from_key(path).decode(errors="replace")
        with self._failing_as_a_source():
            for entry in listed(self._session().access, folder=folder):
                inner = f"{folder}/{entry.path}" if folder else entry.path
                yield _place(entry, key_from_bytes(inner.encode(errors="replace")))

    @classmethod
    def browse_for_settings(cls, config: dict[str, Any], path: str, credentials: Credentials | None) -> Iterator[Place]:
        """Yield the remotes of the configuration file, and the folders of one; paths are what the remote is set to."""
        where = path or str(config.get("remote") or "")
        if ":" not in where:
            for name in _remotes(str(config.get("credential") or ""), credentials):
                yield Place(name, name, "folder")
            return
        yield Place(ABOVE, _above(where), "folder")
        connector = cls({**config, "remote": where}, credentials=credentials)
        try:
            for place in connector.browse():
                if place.kind == "folder":
                    start = where if where.endswith((":", "/")) else f"{where}/"
                    yield Place(place.name, start + place.name, "folder")
        finally:
            connector.close()

    @classmethod
    def settings_of_place(cls, config: dict[str, Any], path: str) -> dict[str, Any]:  # noqa: ARG003 - it is whole
        """Return the remote with its folder."""
        return {"remote": path} if ":" in path else {}

    # Reading

    @checks_types
    @contextmanager
    def fetch(self, descriptor: Descriptor, offset: int = 0) -> Iterator[Iterator[bytes]]:
        """Read a file; it is checked against what was listed at its end."""
        with self._session().reader.fetch(descriptor, offset) as pieces:
            yield pieces

    # Asking

    def origin(self, descriptor: Descriptor) -> dict[str, str]:
        """Return by what the content was checked."""
        session = self._opened
        return {} if session is None else session.reader.origin_of(descriptor.uri)

    def key_of(self, address: str) -> str | None:
        """Return the key of an address in the remote; None for other places."""
        if not address.startswith(self._uri_start):
            return None
        return key_from_bytes(unquote(address.removeprefix(self._uri_start), errors="replace").encode(errors="replace"))

    def explain_left_out(self, key: str) -> str | None:
        """Return why a path would not be listed, or None when it would; one of a folder ends in /."""
        path = bytes_from_key(key)
        if not self.config.hidden and any(part.startswith(b".") for part in path.split(b"/")):
            return "hidden files are left out (--hidden takes them)"
        if not path.endswith(b"/") and not self._filter.takes(path):
            return "it does not match the include and exclude patterns"
        return None


def _place(entry: RemoteEntry, path: str) -> Place:
    name = key_from_bytes(entry.path.encode(errors="replace"))
    if entry.is_folder:
        return Place(name, path, "folder")
    return Place(name, path, "item", entry.size, entry.modified_ns)


def _remotes(credential: str, credentials: Credentials | None) -> list[str]:
    """Return the remotes of the configuration file of a credential, each with its colon."""
    with printed(access_with(entry_for(credential, credentials), None), ["listremotes"]) as pieces:
        return b"".join(pieces).decode(errors="replace").split("\n")[:-1]


def _above(where: str) -> str:
    """Return the folder above one of a remote; nothing, which is all remotes, above the top of one."""
    name, _, root = where.partition(":")
    root = root.rstrip("/")
    return f"{name}:{root.rpartition('/')[0]}" if root else ""
