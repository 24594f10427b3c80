"""Git repositories of this machine, at a branch, tag or commit."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, ClassVar
from urllib.parse import quote, quote_from_bytes, unquote_to_bytes

from pydantic import BaseModel

from ingest_tui.connectors.base import BaseConnector, Capabilities, Credentials, Listing, Place
from ingest_tui.connectors.filtering import build_filter
from ingest_tui.connectors.git.config import GitConfig
from ingest_tui.connectors.git.content import checked
from ingest_tui.connectors.git.git_errors import GitFailedError, check_folder, ref_missing, source_error
from ingest_tui.connectors.git.repository import HEAD, LINK, Commit, Repository, TreeEntry
from ingest_tui.connectors.local.connector import LocalConnector
from ingest_tui.model.argument_types import checks_types
from ingest_tui.model.descriptor import Descriptor, ListingEnd, ListingPage
from ingest_tui.model.errors import SourceAccessError
from ingest_tui.model.keys import bytes_from_key, file_uri, key_from_bytes
from ingest_tui.model.safe_text import safe_display
from ingest_tui.model.sighting import Sighting

CONCURRENCY = 4
HINT_SECONDS = 2.0
_PAGE = 1000
_REFS_NAMED = 10


class GitConnector(BaseConnector):
    """Git repositories of this machine, at a branch, tag or commit.

    A listing is of the commit that the branch or tag names when it begins.

    The fingerprint is the id of the content (blob), so a renamed or restored file is known without being read, and what
    was listed can be read as it was listed, whatever is committed meanwhile.
    """

    source_type: ClassVar[str] = "git"
    config_model: ClassVar[type[BaseModel]] = GitConfig
    capabilities: ClassVar[Capabilities] = Capabilities(
        fetch_concurrency=CONCURRENCY,
        lists_all_or_nothing=True,
        content_fingerprints=True,
        keeps_what_was_listed=True,
        notifies=True,
    )
    programs: ClassVar[tuple[str, ...]] = ("git",)
    config: GitConfig

    def __init__(
        self, config: dict[str, Any], *, max_size: int | None = None, credentials: Credentials | None = None
    ) -> None:
        super().__init__(config, max_size=max_size, credentials=credentials)
        self._ref = self.config.ref or HEAD
        self._repository = Repository(self.config.repository)
        self._filter = build_filter(self.config.include, self.config.exclude)
        self._uri_start = f"git+{file_uri(os.fsencode(self.config.repository))}@{quote(self._ref, safe='/')}//"
        self._hinted: str | None = None

    def validate_config(self) -> None:
        """The repository and what it is to be read at must be there, so that a typing error shows."""
        self._commit()

    async def authenticate(self) -> bool:
        """Find the commit."""
        self._commit()
        return True

    def _commit_id(self) -> str:
        """Return the id of the commit that the settings name now; raises `SourceAccessError`."""
        check_folder(self.config.repository)
        with self._failing_as_a_source():
            commit_id = self._repository.commit_id(self._ref)
            if commit_id is None:
                raise ref_missing(self.config.repository, self._ref, self._repository.refs(_REFS_NAMED))
        return commit_id

    def _commit(self) -> Commit:
        commit_id = self._commit_id()
        with self._failing_as_a_source():
            return self._repository.commit(commit_id)

    @contextmanager
    def _failing_as_a_source(self) -> Iterator[None]:
        try:
            yield
        except GitFailedError as failure:
            raise source_error(self.config.repository, failure) from None

    # Listing

    def list(self, cursor: str | None = None) -> Listing:  # noqa: ARG002 - a commit is listed from its start
        """List one commit, streaming; fails as a whole when a part of it cannot be read."""
        commit = self._commit()
        metadata = _metadata_of(commit)
        page = []
        with self._failing_as_a_source():
            for entry in self._repository.entries(commit):
                if entry.is_file and self._takes(entry.path):
                    page.append(self._describe(entry, metadata))
                    if len(page) >= _PAGE:
                        yield ListingPage(page)
                        page = []
        if page:
            yield ListingPage(page)
        return ListingEnd(complete=True)

    def _takes(self, path: bytes) -> bool:
        if not self.config.hidden and (path.startswith(b".") or b"/." in path):
            return False
        return self._filter.takes(path)

    def _describe(self, entry: TreeEntry, metadata: dict[str, str]) -> Descriptor:
        return Descriptor(
            key_from_bytes(entry.path),
            self._uri_start + quote_from_bytes(entry.path, safe="/~"),
            entry.object_id,
            entry.size,
            refusal=self._refusal(entry.size),
            metadata=metadata,
        )

    def _refusal(self, size: int | None) -> tuple[str, str] | None:
        if self.max_size is None or size is None or size <= self.max_size:
            return None
        import humanize  # for what is too large only

        limit = f"the limit of this source is {humanize.naturalsize(self.max_size)}"
        return "too_large", f"{humanize.naturalsize(size)}; {limit}"

    def browse(self, path: str = "") -> Iterator[Place]:
        """Yield the folders and files directly in a folder of the commit, folders first, by name."""
        commit, folder = self._commit(), bytes_from_key(path)
        with self._failing_as_a_source():
            entries = [*self._repository.entries(commit, folder, within=False)]
        for entry in sorted(entries, key=lambda entry: (entry.kind != "tree", entry.path)):
            name = key_from_bytes(entry.path)
            inner = key_from_bytes(folder + b"/" + entry.path if folder else entry.path)
            if entry.kind == "tree":
                yield Place(name, inner, "folder")
            elif entry.is_file:
                yield Place(name, inner, "item", entry.size)

    @classmethod
    def browse_for_settings(cls, config: dict[str, Any], path: str, credentials: Credentials | None) -> Iterator[Place]:
        """Yield the folders of this machine, by absolute paths, and the one above."""
        start = {"path": config.get("repository") or "~"}
        places = LocalConnector.browse_for_settings(start, path, credentials)
        return (place for place in places if place.kind == "folder")

    @classmethod
    def settings_of_place(cls, config: dict[str, Any], path: str) -> dict[str, Any]:  # noqa: ARG003 - it is absolute
        """Return the folder."""
        return {"repository": path}

    # Reading

    @checks_types
    @contextmanager
    def fetch(self, descriptor: Descriptor, offset: int = 0) -> Iterator[Iterator[bytes]]:  # noqa: ARG002 - no ranges
        """Read the content that was listed; its id is checked at the end."""
        with self._repository.content(descriptor.fingerprint) as pieces:
            yield checked(self._repository, descriptor, pieces)

    # Asking

    def origin(self, descriptor: Descriptor) -> dict[str, str]:
        """Return the commit at which the content was taken, its date, and the branch or tag."""
        return {**(descriptor.metadata or {}), "ref": self._ref}

    def key_of(self, address: str) -> str | None:
        """Return the key of an address in the repository; None for other places."""
        if not address.startswith(self._uri_start):
            return None
        return key_from_bytes(unquote_to_bytes(address.removeprefix(self._uri_start)))

    def sight(self, key: str) -> Sighting:
        """Look at one path of the commit that is named now; an empty key is the repository itself."""
        path = bytes_from_key(key)
        try:
            commit = self._commit()
            return self._sighting(commit, self._repository.entry(commit, path)) if path else Sighting("folder")
        except GitFailedError as failure:
            return Sighting("unreadable", f"git cannot read it: {safe_display(failure.said)}")
        except SourceAccessError as error:
            return Sighting("source_gone", error.message)

    def _sighting(self, commit: Commit, entry: TreeEntry | None) -> Sighting:
        if entry is None:
            return Sighting("gone")
        if entry.is_file:
            return Sighting("item", descriptor=self._describe(entry, _metadata_of(commit)))
        if entry.mode == LINK:
            return Sighting("link", "it is a symbolic link")
        return Sighting("folder") if entry.kind == "tree" else Sighting("gone", "it is a submodule")

    def explain_left_out(self, key: str) -> str | None:
        """Return why a path would not be listed, or None when it would; one of a folder ends in /."""
        path = bytes_from_key(key)
        if not self.config.hidden and any(part.startswith(b".") for part in path.split(b"/")):
            return "hidden files are left out (--hidden takes them)"
        if not path.endswith(b"/") and not self._filter.takes(path):
            return "it does not match the include and exclude patterns"
        return None

    # Watching

    def wait_for_hint(self, timeout: float) -> bool | None:
        """Look at the branch again and again: True once it names another commit than when it was last looked at."""
        deadline = time.monotonic() + timeout
        while True:
            commit_id = self._commit_id()
            before, self._hinted = self._hinted, commit_id
            if before is not None and before != commit_id:
                return True
            left = deadline - time.monotonic()
            if left <= 0:
                return False
            time.sleep(min(HINT_SECONDS, left))


def _metadata_of(commit: Commit) -> dict[str, str]:
    return {"commit": commit.commit_id, "author_date": commit.author_date}
