"""Git repositories of this machine, at a branch, tag or commit; those at an address are in `address_connector`."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any

from ingest_tui.connectors.base import BaseConnector, Credentials, Place
from ingest_tui.connectors.git.address import address_of
from ingest_tui.connectors.git.address_connector import GitAddressConnector
from ingest_tui.connectors.git.commit_connector import REFS_NAMED, CommitConnector, metadata_of
from ingest_tui.connectors.git.git_errors import GitFailedError, check_folder, ref_missing, source_error
from ingest_tui.connectors.git.repository import LINK, Commit, Repository, TreeEntry
from ingest_tui.connectors.local.connector import LocalConnector
from ingest_tui.model.errors import SourceAccessError
from ingest_tui.model.keys import bytes_from_key, file_uri
from ingest_tui.model.safe_text import safe_display
from ingest_tui.model.sighting import Sighting


class GitConnector(CommitConnector):
    """Git repositories, of this machine or at an address, at a branch, tag or commit.

    This class reads those of this machine.
    """

    def _repository_at_first(self) -> Repository:
        return Repository(self.config.repository)

    def _repository_uri(self) -> str:
        return f"git+{file_uri(os.fsencode(self.config.repository))}"

    @classmethod
    def serving(cls, config: Mapping[str, Any]) -> type[BaseConnector]:
        """Return the class for folders, or the one for addresses."""
        with suppress(ValueError):
            if address_of(str(config.get("repository"))) is not None:
                return GitAddressConnector
        return cls

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
                raise ref_missing(self.config.repository, self._ref, self._repository.refs(REFS_NAMED))
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

    @classmethod
    def browse_for_settings(cls, config: dict[str, Any], path: str, credentials: Credentials | None) -> Iterator[Place]:
        """Yield the folders of this machine, by absolute paths, and the one above."""
        repository = str(config.get("repository") or "")
        with suppress(ValueError):
            repository = "" if address_of(repository) else repository
        start = {"path": repository or "~"}
        places = LocalConnector.browse_for_settings(start, path, credentials)
        return (place for place in places if place.kind == "folder")

    @classmethod
    def settings_of_place(cls, config: dict[str, Any], path: str) -> dict[str, Any]:  # noqa: ARG003 - it is absolute
        """Return the folder."""
        return {"repository": path}

    # Asking

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
            return Sighting("item", descriptor=self._describe(entry, metadata_of(commit)))
        if entry.mode == LINK:
            return Sighting("link", "it is a symbolic link")
        return Sighting("folder") if entry.kind == "tree" else Sighting("gone", "it is a submodule")

    # Watching

    def _id_to_compare(self) -> str:
        return self._commit_id()
