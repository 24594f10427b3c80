"""Fingerprints that an older program wrote: taken over where the connector vouches for them."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager

from ingest_tui.connectors.base import BaseConnector
from ingest_tui.model.clock import seconds_since_epoch
from ingest_tui.model.descriptor import Descriptor
from ingest_tui.model.errors import IngestError
from ingest_tui.model.place import KnownPlace
from ingest_tui.model.plan import RENAMED
from ingest_tui.model.source import Source
from ingest_tui.store.catalogue.catalogue import Catalogue
from ingest_tui.store.workspace import Workspace

_AT_ONCE = 10_000
_END_OF_TIME_NS = 1 << 63


class OlderFingerprints:
    """Compares fingerprints of an older form with a listing, and writes those of the present one in their place.

    ``committing`` holds the commit lock while some are written, in batches: a rebuild that takes the place of the
    catalogue meanwhile would not have them. Without it they are only compared, for plans that leave no trace.
    """

    def __init__(
        self,
        workspace: Workspace,
        source: Source,
        connector: BaseConnector | None,
        *,
        committing: Callable[[Catalogue], AbstractContextManager[object]] | None = None,
    ) -> None:
        self._workspace = workspace
        self._source = source
        self._connector = connector
        self._committing = committing
        self._catalogue: Catalogue | None = None
        self._read_after: dict[str, int] = {}
        self._renewed: list[tuple[str, str, str]] = []

    def is_same(self, known: KnownPlace, descriptor: Descriptor) -> bool:
        """Whether a listed item, whose fingerprint differs from the known one, is unchanged all the same."""
        is_same = self._may_be_same(known, descriptor) and self._is_vouched_for(
            known, descriptor, self._time_of_reading(known)
        )
        if is_same and self._committing is not None:
            self._renewed.append((known.key, known.fingerprint, descriptor.fingerprint))
            if len(self._renewed) >= _AT_ONCE:
                self._write()
        return is_same

    def _may_be_same(self, known: KnownPlace, descriptor: Descriptor) -> bool:
        """A cheap look first. What an older program moved without reading it was perhaps another file."""
        return known.reason != RENAMED and self._is_vouched_for(known, descriptor, _END_OF_TIME_NS)

    def _is_vouched_for(self, known: KnownPlace, descriptor: Descriptor, read_after_ns: int) -> bool:
        return self._connector is not None and self._connector.vouches_for(
            known.fingerprint, descriptor.fingerprint, read_after_ns=read_after_ns
        )

    def _time_of_reading(self, known: KnownPlace) -> int:
        """Return a time before which the item was not read, in nanoseconds: when its job was made; 0 when unknown."""
        if self._catalogue is None:
            is_writing = self._committing is not None
            self._catalogue = self._workspace.open_catalogue() if is_writing else self._workspace.open_to_read()
        location = self._catalogue.locations(self._source.source_id, [known.key]).get(known.key)
        job_id = location.job_id if location is not None else ""
        if job_id not in self._read_after:
            self._read_after[job_id] = self._created_ns(job_id)
        return self._read_after[job_id]

    def _created_ns(self, job_id: str) -> int:
        try:
            seconds = seconds_since_epoch(self._workspace.jobs.load(job_id).created_at)
        except IngestError:  # it was removed; its id says when it was made, by the second
            seconds = seconds_since_epoch(f"{job_id[:8]}T{job_id[9:15]}Z")
        return int((seconds or 0) * 1_000_000_000)

    def _write(self) -> None:
        if self._renewed and self._catalogue is not None and self._committing is not None:
            with self._committing(self._catalogue), self._catalogue.transaction():
                self._catalogue.renew_fingerprints(self._source.source_id, self._renewed)
        self._renewed.clear()

    def close(self) -> None:
        """Write what was found and close the catalogue."""
        if self._catalogue is not None:
            try:
                self._write()
            finally:
                self._catalogue.close()
