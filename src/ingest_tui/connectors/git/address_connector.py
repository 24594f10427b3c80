"""Git repositories at an address: what a commit has is fetched as a whole, and read as from a folder."""

from __future__ import annotations

import shutil
import tempfile
import threading
import time
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar

from ingest_tui.connectors.base import Capabilities, Credentials
from ingest_tui.connectors.git.address import RepositoryAddress, address_of
from ingest_tui.connectors.git.commit_connector import REFS_NAMED, CommitConnector
from ingest_tui.connectors.git.fetched import Fetched
from ingest_tui.connectors.git.git_errors import GitFailedError, not_installed, ref_missing, shown
from ingest_tui.connectors.git.network_errors import network_error
from ingest_tui.connectors.git.remote import Remote
from ingest_tui.connectors.git.repository import HEAD, Commit, Repository, is_commit_id
from ingest_tui.connectors.git.sign_in import credential_for, name_and_password
from ingest_tui.model.descriptor import Descriptor
from ingest_tui.model.errors import IngestError, ItemError, SourceAccessError, TransientSourceError, ValidationError
from ingest_tui.model.safe_text import safe_display
from ingest_tui.model.sighting import UNKNOWN, Sighting

HINT_SECONDS = 60.0


class GitAddressConnector(CommitConnector):
    """Git repositories at an address, at a branch, tag or commit.

    One question to the server finds the commit; only when it is not here yet, what it has that is not here is fetched.
    """

    capabilities: ClassVar[Capabilities] = replace(CommitConnector.capabilities, remote=True, keeps_files=True)

    def __init__(
        self, config: dict[str, Any], *, max_size: int | None = None, credentials: Credentials | None = None
    ) -> None:
        super().__init__(config, max_size=max_size, credentials=credentials)
        self._remote = Remote(self._address, self._secret)
        self._answer: str | None = None
        self._compared: tuple[float, str] | None = None
        self._kept: Fetched | None = None
        self._held: set[str] = set()
        self._guard = threading.RLock()
        self._was_discarded = False
        self._is_damaged = False

    @property
    def _address(self) -> RepositoryAddress:
        address = address_of(self.config.repository)
        if address is None:
            raise ValidationError("git source: repository: not an address", hint="name a folder to a GitConnector")
        return address

    def _repository_at_first(self) -> Repository:
        return Repository("")  # that of ours, once something is there

    def _repository_uri(self) -> str:
        return self._address.uri

    # Access

    def validate_config(self) -> None:
        """Git and the credential must be there, so that it shows when the source is added; nobody is asked."""
        if shutil.which("git") is None:
            raise not_installed()
        if self.config.credential is not None and self.credentials is not None:
            credential_for(self.config.credential, self.credentials)

    def check_credential(self) -> str | None:
        """Return whose credential is used, without asking the server."""
        if self._address.scheme == "ssh":
            return "signs in with the keys of this user (ssh)"
        if self.config.credential is None:
            return None
        self._secret()
        return f"signs in with credential {self.config.credential!r}"

    def _secret(self) -> tuple[str, str] | None:
        if self.config.credential is None:
            return None
        return name_and_password(credential_for(self.config.credential, self.credentials), self._address)

    async def authenticate(self) -> bool:
        """Ask what the branch or tag names; a listing that follows does not ask again."""
        if is_commit_id(self._ref):
            with self._asking():
                self._remote.object_id(HEAD)
        self._answer = self._commit_id()
        return True

    def reauthenticate(self) -> bool:
        """Secrets are looked up for each question."""
        return self.config.credential is not None

    def account(self) -> str:
        """Return the server and the credential."""
        return f"git:{self._address.origin}:{self.config.credential or ''}"

    def close(self) -> None:
        """End what runs, and remove what is not kept or was found damaged."""
        self._remote.processes.end()
        with self._guard:
            if self._kept is not None and (self._is_damaged or self.work_folder is None):
                self._forget()

    # The commit

    def _commit_id(self) -> str:
        """Return the id of what the settings name now, a commit or a tag with a message."""
        if is_commit_id(self._ref):
            return self._ref
        with self._asking():
            object_id = self._remote.object_id(self._ref)
            if object_id is None:
                raise ref_missing(self.config.repository, self._ref, self._remote.names(REFS_NAMED))
        return object_id

    def _commit(self) -> Commit:
        answer, self._answer = self._answer, None
        object_id = answer or self._commit_id()
        with self._guard:
            self._fetch(object_id, is_current=True)
        try:
            commit_id = self._repository.commit_id(object_id)
            if commit_id is None:
                raise ref_missing(self.config.repository, self._ref, [])
            return self._repository.commit(commit_id)
        except GitFailedError as failure:
            raise self._damage(failure) from None

    def _fetch(self, object_id: str, *, is_current: bool) -> None:
        """Have an object with all that it names in the repository of ours; the guard is held."""
        kept = self._folder()
        try:
            repository = kept.repository_for(object_id)
            is_here = kept.has(repository, object_id) if is_current else repository.commit_id(object_id) is not None
        except GitFailedError as failure:
            raise self._damage(failure) from None
        if not is_here:
            with self._asking():
                try:
                    self._remote.fetch(Path(repository.folder), object_id, self._room())
                finally:
                    kept.sweep(Path(repository.folder))
            if is_current:
                kept.tidy(repository)
        self._repository = repository
        self._held.add(object_id)

    def _folder(self) -> Fetched:
        if self._kept is None:
            if self.work_folder is not None:
                self._kept = Fetched(self.work_folder.path(), self.work_folder.lender())
            else:
                folder = Path(tempfile.mkdtemp(prefix="ingest-tui-git-"))
                weakref.finalize(self, shutil.rmtree, folder, ignore_errors=True)
                self._kept = Fetched(folder)
        return self._kept

    def _room(self) -> int:
        if self.work_folder is not None:
            return self.work_folder.room()
        return shutil.disk_usage(tempfile.gettempdir()).free

    def _forget(self) -> None:
        if self._kept is not None:
            self._kept.discard()
        self._kept = None
        self._held.clear()

    @contextmanager
    def _asking(self) -> Iterator[None]:
        try:
            yield
        except GitFailedError as failure:
            raise network_error(self._address, failure) from None

    def _damage(self, failure: GitFailedError) -> IngestError:
        """Return the error of a repository of ours that cannot be read: once it is worth to fetch it again."""
        said = f"git cannot read what was fetched from {safe_display(self._address.text)}: {shown(failure)}"
        if self._was_discarded:
            return SourceAccessError(said, hint="'git fsck' in a clone of it shows what is wrong with it")
        self._was_discarded = True
        with self._guard:
            self._forget()
        return TransientSourceError(said, code="network")

    @contextmanager
    def _failing_as_a_source(self) -> Iterator[None]:
        try:
            yield
        except GitFailedError as failure:
            raise self._damage(failure) from None

    # Reading

    @contextmanager
    def fetch(self, descriptor: Descriptor, offset: int = 0) -> Iterator[Iterator[bytes]]:
        """Read the content that was listed; its commit is fetched again where it is not here any more."""
        commit_id = (descriptor.metadata or {}).get("commit", "")
        with self._guard:
            if commit_id not in self._held or not Path(self._repository.folder, "HEAD").exists():
                self._fetch(commit_id, is_current=False)
        with super().fetch(descriptor, offset) as pieces:
            yield self._noting_damage(pieces)

    def _noting_damage(self, pieces: Iterator[bytes]) -> Iterator[bytes]:
        try:
            yield from pieces
        except ItemError as error:
            self._is_damaged |= error.reason == "unreadable"
            raise

    # Asking

    def sight(self, key: str) -> Sighting:  # noqa: ARG002 - the server would have to be asked
        """Return that it is unknown what is there now."""
        return UNKNOWN

    def _id_to_compare(self) -> str:
        if self._compared is None or time.monotonic() - self._compared[0] >= HINT_SECONDS:
            self._compared = (time.monotonic(), self._commit_id())
        return self._compared[1]
