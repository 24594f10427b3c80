"""The files of a commit, wherever its repository is: what sources of folders and of addresses have in common."""

from __future__ import annotations

import time
from abc import abstractmethod
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any, ClassVar
from urllib.parse import quote, quote_from_bytes, unquote_to_bytes

from pydantic import BaseModel

from ingest_tui.connectors.base import BaseConnector, Capabilities, Credentials, Listing, Place
from ingest_tui.connectors.filtering import build_filter
from ingest_tui.connectors.git.config import GitConfig
from ingest_tui.connectors.git.content import checked
from ingest_tui.connectors.git.repository import HEAD, Commit, Repository, TreeEntry
from ingest_tui.model.argument_types import checks_types
from ingest_tui.model.descriptor import Descriptor, ListingEnd, ListingPage
from ingest_tui.model.keys import bytes_from_key, key_from_bytes

CONCURRENCY = 4
HINT_SECONDS = 2.0
_PAGE = 1000
REFS_NAMED = 10


class CommitConnector(BaseConnector):
    """The files of a repository at a branch, tag or commit.

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
        self._repository = self._repository_at_first()
        self._filter = build_filter(self.config.include, self.config.exclude)
        self._uri_start = f"{self._repository_uri()}@{quote(self._ref, safe='/')}//"
        self._hinted: str | None = None

    @abstractmethod
    def _repository_at_first(self) -> Repository:
        """Return what is read, as far as that is known before anything is asked."""

    @abstractmethod
    def _repository_uri(self) -> str:
        """Return what the addresses of documents begin with."""

    @abstractmethod
    def _commit(self) -> Commit:
        """Return the commit that the settings name now, ready to be read; raises `SourceAccessError`."""

    @abstractmethod
    def _id_to_compare(self) -> str:
        """Return an id that changes with the commit that the settings name, for hints."""

    @abstractmethod
    def _failing_as_a_source(self) -> AbstractContextManager[None]:
        """Give errors of git while a commit is read as errors of the source."""

    # Listing

    def list(self, cursor: str | None = None) -> Listing:  # noqa: ARG002 - a commit is listed from its start
        """List one commit, streaming; fails as a whole when a part of it cannot be read."""
        commit = self._commit()
        metadata = metadata_of(commit)
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
            commit_id = self._id_to_compare()
            before, self._hinted = self._hinted, commit_id
            if before is not None and before != commit_id:
                return True
            left = deadline - time.monotonic()
            if left <= 0:
                return False
            time.sleep(min(HINT_SECONDS, left))


def metadata_of(commit: Commit) -> dict[str, str]:
    """Return what is kept of a commit for each of its files."""
    return {"commit": commit.commit_id, "author_date": commit.author_date}
