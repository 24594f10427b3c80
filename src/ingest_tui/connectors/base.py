"""What a connector owes, and the conveniences built on it."""

from __future__ import annotations

import json
import os
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Generator, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal, Protocol

import pydantic
from pydantic.fields import FieldInfo

from ingest_tui.connectors.probe import TestStep as TestStep  # noqa: PLC0414 - part of this contract
from ingest_tui.connectors.probe import probe
from ingest_tui.credentials.contract import Credential as Credential  # noqa: PLC0414 - part of this contract
from ingest_tui.credentials.contract import Credentials as Credentials  # noqa: PLC0414 - part of this contract
from ingest_tui.model.descriptor import Descriptor, ListingEnd, ListingPage
from ingest_tui.model.document import IngestedDocument
from ingest_tui.model.errors import ItemError, UsageError, ValidationError
from ingest_tui.model.file_names import safe_extension
from ingest_tui.model.invalid_values import refusal_in_words
from ingest_tui.model.keys import file_name_of
from ingest_tui.model.sighting import UNKNOWN, Sighting

ABOVE = ".."
"""The name of the place above the one that is browsed, where there is one to go on to."""


def absolute_path(value: str) -> str:
    """Return a path of this machine as a worker elsewhere finds it: ``~`` and relative ones are made absolute.

    Links are not followed. Raises ValueError for a path that is empty or holds a NUL.
    """
    if not value:
        raise ValueError("a path is needed")
    if "\0" in value:
        raise ValueError("the path holds a NUL")
    return os.path.abspath(os.path.expanduser(value))  # noqa: PTH100, PTH111 - resolve() would follow links


LocalPath = Annotated[str, pydantic.AfterValidator(absolute_path)]
"""The type of a setting that is a path of this machine; a relative one counts from where it is entered."""

Listing = Generator[ListingPage, None, ListingEnd]
Sample = Generator[Descriptor, None, ListingEnd | None]


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What a connector can do, declared as data.

    ``fetch_concurrency``: how many `fetch` calls at once pay off. ``resumes_listing``: `list` honours a cursor.
    ``ranged_fetch``: `fetch` honours an offset. ``watches_paths``: the source is a local folder that can be watched.
    ``remote``: calls may wait for a network, so they run where a job can be cancelled meanwhile.
    ``remembers_listing``: `list` uses `BaseConnector.memory` to ask only for what changed. ``lists_all_or_nothing``: a
    part that cannot be looked into makes `list` raise, never leave a gap. ``content_fingerprints``: fingerprints follow
    from the content, so that equal items share one. ``keeps_what_was_listed``: what was listed can be fetched as it
    was, whatever has changed since. ``notifies``: `wait_for_hint` may report changes. ``bounded_listings``: a listing
    may name less than there is (`ListingEnd.bounded`), and `is_gone` says of one item whether it is there.
    ``keeps_files``: what is fetched as a whole is kept in `BaseConnector.work_folder`.
    """

    fetch_concurrency: int = 1
    resumes_listing: bool = False
    ranged_fetch: bool = False
    watches_paths: bool = False
    remote: bool = False
    remembers_listing: bool = False
    lists_all_or_nothing: bool = False
    content_fingerprints: bool = False
    keeps_what_was_listed: bool = False
    notifies: bool = False
    bounded_listings: bool = False
    keeps_files: bool = False


class ListingMemory(Protocol):
    """What a connector keeps of its listings from job to job: entries by id, and notes such as delta tokens.

    It is a cache: it may be empty at any time, and then everything is listed again.
    """

    def note(self, name: str) -> str | None:
        """Return a note."""

    def entry(self, entry_id: str) -> str | None:
        """Return one entry."""

    def entries(self, prefix: str = "") -> Iterator[tuple[str, str]]:
        """Yield ``(id, entry)`` ordered by id, those whose id begins with ``prefix``; streams."""

    def apply(
        self,
        *,
        put: Iterable[tuple[str, str]] = (),
        remove: Iterable[str] = (),
        remove_prefix: str | None = None,
        notes: Mapping[str, str | None] | None = None,
    ) -> None:
        """Change entries and notes, all or none of it. ``remove_prefix`` is done first; a note of None is forgotten."""


class WorkFolder(Protocol):
    """Where a connector keeps files. It is a cache: it may be empty at any time, and then they are fetched again."""

    def path(self) -> Path:
        """Return the folder to write to, which is made at the first call: that of the source's jobs, one at a time,
        or one for this look alone.
        """

    def lender(self) -> Path | None:
        """Return the folder of the source's jobs for a look that has another: read only, it may change or go."""

    def room(self) -> int:
        """Return how many bytes may be written there now."""


@dataclass(frozen=True, slots=True)
class Place:
    """What `browse` shows: a folder (prefix, library) that can be walked into, or an item."""

    name: str
    path: str
    kind: Literal["folder", "item"]
    size: int | None = None
    modified_ns: int | None = None


class BaseConnector(ABC):
    """A kind of source. One instance serves one job, or one `source test`; methods are called from several threads.

    A connector sees no path of the workspace but its `work_folder`, and never decides what is done with an item. It
    does not retry: what may succeed later it raises as `TransientSourceError` or `TransientItemError` (with
    ``retry_after`` where the source named one), and `resilience` does the rest, the same for all.
    """

    source_type: ClassVar[str]
    config_model: ClassVar[type[pydantic.BaseModel]]
    capabilities: ClassVar[Capabilities] = Capabilities()
    programs: ClassVar[tuple[str, ...]] = ()
    """Programs of the system that it runs, for the list of types: what is missing is reported there."""
    config: Any
    max_size: int | None
    credentials: Credentials | None
    memory: ListingMemory | None
    """Set before `list` for connectors that declare ``remembers_listing``; None: list everything."""
    work_folder: WorkFolder | None = None
    """Set before the first call for connectors that declare ``keeps_files``; None: a temporary folder of its own."""

    def __init__(
        self, config: dict[str, Any], *, max_size: int | None = None, credentials: Credentials | None = None
    ) -> None:
        self.max_size = max_size
        self.credentials = credentials
        self.memory = None
        try:
            self.config = self.config_model.model_validate(config)
        except pydantic.ValidationError as error:
            raise ValidationError(
                f"{self.source_type} source: {describe_invalid_settings(error)}",
                hint=f"settings of a {self.source_type} source: {', '.join(self.config_model.model_fields)}",
            ) from None

    @classmethod
    def serving(cls, config: Mapping[str, Any]) -> type[BaseConnector]:  # noqa: ARG003 - most kinds are one
        """Return the class for sources with these settings, which may be wrong: most have one for all.

        For a kind of source that is near or far: what differs is declared in the capabilities of two classes.
        """
        return cls

    def validate_config(self) -> None:  # noqa: B027 - many connectors have nothing to check without a network
        """Raise `ValidationError` when the settings cannot work. Called before a source is saved; no network."""

    @abstractmethod
    async def authenticate(self) -> bool:
        """Reach the source and check that access is granted; raises `SourceAccessError` with the reason when not.

        Called once before `list`, and by `source test`.
        """

    @abstractmethod
    def list(self, cursor: str | None = None) -> Listing:
        """Yield pages of descriptors and return how the listing ended. Streams: never holds the whole source.

        ``cursor`` is that of the last page which was kept by an interrupted listing. Called once a job. Raises
        `SourceAccessError` when the source cannot be listed at all; a part that cannot be looked into is a gap of the
        returned `ListingEnd`, which then is not complete.
        """

    @abstractmethod
    def fetch(self, descriptor: Descriptor, offset: int = 0) -> AbstractContextManager[Iterator[bytes]]:
        """Open one item and yield its bytes in pieces, from ``offset`` on where `capabilities` allow one.

        With an offset the bytes must be those of the item that the descriptor names: one that has changed since is
        ``changed_while_read``. What was received is checked against what the listing said (size, checksum) at its end.

        Raises `ItemError` with the reason (``not_found``, ``forbidden``, ``changed_while_read``, …) when this item
        cannot be had, `TransientItemError` (``locked``, ``network``, ``throttled``) when it cannot for now,
        `SourceAccessError` when the source as a whole fails.
        """

    def is_gone(self, key: str) -> bool:  # noqa: ARG002 - most listings name everything
        """Ask the source for one item: True only if it says that the item is not there (any more).

        For connectors that declare ``bounded_listings``: called for each known item that such a listing did not name.
        What cannot be said (no access, a failure) is False. Raises `TransientSourceError` to be asked again later.
        """
        return False

    def close(self) -> None:  # noqa: B027 - many connectors keep nothing open
        """Close the connections that are kept. Called once, when nothing more is asked of it; must not fail."""

    def account(self) -> str:
        """Return whom the source sees calling: sources with the same account share retries' waits and limits."""
        return f"{self.source_type}:{getattr(self.config, 'credential', None) or ''}"

    def choice(self) -> str:
        """Return what decides which items a listing names: the settings and whose account, as text without secrets.

        When it changes, what the next listing does not name was perhaps only chosen otherwise, and is not deleted
        without a person. A setting that chooses nothing says so: ``json_schema_extra={"chooses": False}``.
        """
        settings = self.config.model_dump(mode="json", exclude_defaults=True)
        declared = type(self.config).model_fields
        chosen = {name: value for name, value in settings.items() if _chooses(declared.get(name))}
        name = getattr(self.config, "credential", None)
        account = self.credentials.get(name).identity if name and self.credentials is not None else ""
        return json.dumps([self.source_type, chosen, account], sort_keys=True)

    def check_credential(self) -> str | None:
        """Return whose credential is used, without a secret, as far as that is known without asking the source.

        None for sources that need none. Raises `AuthenticationError` when there is none that could be used.
        """
        return None

    def reauthenticate(self) -> bool:
        """Forget what was derived from the credential, so that the next call reads it again; after an auth failure.

        Returns whether trying again can help.
        """
        return False

    def browse(self, path: str = "") -> Iterator[Place]:  # noqa: ARG002 - not every source can be walked
        """Yield what is directly in a place, lazily, for people who choose what to add; ``path`` is that of a `Place`.

        Raises `SourceAccessError` and `ItemError` as `list` and `fetch` do.
        """
        raise UsageError(f"a {self.source_type} source cannot be browsed", hint="give its settings by hand")

    def sample(self) -> Sample:
        """Yield what `list` would, the first of it soon: for people who look at what would be taken, not for syncs.

        Returns the `ListingEnd` where there is one: its gaps are shown. Raises what `list` raises.
        """
        pages = self.list()
        while True:
            try:
                page = next(pages)
            except StopIteration as end:
                return end.value if isinstance(end.value, ListingEnd) else None
            yield from page.descriptors

    @classmethod
    def browse_for_settings(cls, config: dict[str, Any], path: str, credentials: Credentials | None) -> Iterator[Place]:
        """Yield the places that a person may choose from while the settings are still being made, as `browse` does.

        ``config`` may lack what the choice will give. Raises what `browse` raises.
        """
        return cls(config, credentials=credentials).browse(path)

    @classmethod
    def settings_of_place(cls, config: dict[str, Any], path: str) -> dict[str, Any]:  # noqa: ARG003 - nothing to set
        """Return the settings that make a source of a place that `browse_for_settings` yielded; none: it cannot."""
        return {}

    def test_steps(self) -> Iterator[TestStep]:
        """Yield the steps of `source test` as they are done: reach, list one page, read one file."""
        return probe(self)

    async def load_documents(self) -> AsyncIterator[IngestedDocument]:
        """Yield every readable document of the source, parsed in this process: for scripts, not for the pipeline."""
        from ingest_tui.extraction.parse import extract_text

        await self.authenticate()
        for page in self.list():
            for descriptor in page.descriptors:
                if descriptor.refusal:
                    continue
                try:
                    content = await self.read(descriptor)
                    import asyncio

                    text = await asyncio.to_thread(extract_text, content, safe_extension(descriptor.key))
                except ItemError:
                    continue
                yield IngestedDocument(
                    content=text,
                    unique_id=descriptor.uri,
                    source_type=self.source_type,
                    metadata={"file_name": file_name_of(descriptor.key), **(descriptor.metadata or {})},
                    file_path=self.local_path(descriptor),
                )

    async def read(self, descriptor: Descriptor) -> bytes:
        """Return the bytes of one item, for `load_documents`; the default reads in a thread."""

        def read_all() -> bytes:
            with self.fetch(descriptor) as pieces:
                return b"".join(pieces)

        import asyncio

        return await asyncio.to_thread(read_all)

    def origin(self, descriptor: Descriptor) -> dict[str, str]:
        """Return what the record of a version is to keep of where it came from (``etag``, version ids, …).

        Called once for each version that is written; no network. Listings need not carry what follows from the rest.
        """
        return descriptor.metadata or {}

    def vouches_for(self, stored: str, listed: str, *, read_after_ns: int) -> bool:  # noqa: ARG002 - most have one form
        """Whether a stored fingerprint of an older form is of the item that is listed now with another one.

        For connectors whose fingerprints say more than they did. ``read_after_ns`` is a time before the item was read
        (nanoseconds since the epoch). No I/O; called for each item whose fingerprint differs.
        """
        return False

    def local_path(self, descriptor: Descriptor) -> str | None:  # noqa: ARG002 - most sources have no paths
        """Return the path of the original where it is a local file."""
        return None

    def key_of(self, address: str) -> str | None:  # noqa: ARG002 - paths are understood without asking
        """Return the key that an address given by a person stands for; None when it is none of this source."""
        return None

    def sight(self, key: str) -> Sighting:  # noqa: ARG002 - most sources have to be listed to know
        """Return what is at a key now, as far as that can be seen at once: no network, no waiting; see `Sighting`."""
        return UNKNOWN

    def explain_left_out(self, key: str) -> str | None:  # noqa: ARG002 - a connector without filters leaves nothing out
        """Return why a listing would not name ``key``, or None when it would."""
        return None

    def wait_for_hint(self, timeout: float) -> bool | None:  # noqa: ARG002 - most sources notify nobody
        """Wait for word from the source that something changed: True for yes, False when ``timeout`` seconds passed.

        None: this source reports nothing, it has to be listed to know. For connectors that declare ``notifies``; called
        again and again by the watch, never while a job runs on this instance. A hint may be lost or wrong: a listing is
        the truth. Raises `SourceAccessError` when hints cannot be had.
        """
        return None

    def watch_path(self) -> str | None:
        """Return the folder to watch for changes, for connectors that declare ``watches_paths``."""
        return None


def _chooses(setting: FieldInfo | None) -> bool:
    extra = setting.json_schema_extra if setting is not None else None
    return not isinstance(extra, dict) or bool(extra.get("chooses", True))


def describe_invalid_settings(error: pydantic.ValidationError) -> str:
    """Return the first problems of a pydantic error as one sentence."""
    return refusal_in_words(error, whole="settings")
