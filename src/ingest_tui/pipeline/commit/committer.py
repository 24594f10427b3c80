"""Commit in batches: version folders into place, one catalogue transaction, one write to the journal.

A batch is one `StoreChange`, whose order makes a crash harmless; after it the journal of the job gets its lines. What
was committed but has no line yet gets it when the job continues (`recovery`).
"""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable
from contextlib import closing
from types import TracebackType
from typing import Self

from ingest_tui.model.errors import DiskFullError, IngestError
from ingest_tui.model.foreign_errors import as_ingest_error
from ingest_tui.model.job import DISK_FULL
from ingest_tui.pipeline.commit.batch import CommitBatch
from ingest_tui.pipeline.extract import parse_item
from ingest_tui.pipeline.job.context import JobContext
from ingest_tui.pipeline.job.controls import JobCancelled
from ingest_tui.pipeline.staged_item import StagedItem
from ingest_tui.store.catalogue.catalogue import Catalogue
from ingest_tui.store.fs.disk import Room
from ingest_tui.store.records.plan_file import work_lines

BATCH_ITEMS = 1000
BATCH_BYTES = 16 * 1024**2
"""Of text whose chunks are in memory."""
BATCH_SECONDS = 0.4
MAX_WEIGHT_IN_FLIGHT = 4096
_WEIGHT_BYTES = 16_384
_LOOK_SECONDS = 0.01
_ROOM_SEEN_SECONDS = 0.05
_PLENTY_BYTES = 256 * 1024**2
"""More than any process writes in that time."""


class Committer:
    """Gathers finished items and commits them in a thread of its own. Leaving it waits for the last batch."""

    def __init__(self, job: JobContext, finished_keys: set[str] | None = None) -> None:
        """``finished_keys`` have their outcome in the journal already."""
        self._job = job
        self._finished_keys = finished_keys or set()
        self._finished: queue.SimpleQueue[StagedItem | None] = queue.SimpleQueue()
        self._failure: BaseException | None = None
        self._expected = 0
        self._settled = 0
        self._set_aside = 0
        self._containers: list[StagedItem] = []
        self._weight = 0
        self._bytes = 0
        self._room = Room(0, 0)
        self._room_seen_at = 0.0
        self._all_settled = threading.Condition()
        self._all_staged = threading.Event()
        self._abandoned = threading.Event()
        self._vanished = vanished_documents(job)
        self._thread = threading.Thread(target=self._run, name=f"commit-{job.manifest.job_id}", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self._all_staged.set()
        if kind is None:
            try:
                self._wait_for_parsers()
            except JobCancelled as cancelled:
                kind, error = JobCancelled, cancelled
        if kind is not None:
            self._abandoned.set()
            prefix = f"{self._job.manifest.job_id}/"
            # To its end: who continues the job uses the same names of tasks and files.
            self._job.extractor.cancel(lambda task_id: task_id.startswith(prefix), wait=True)
        self._finished.put(None)
        self._thread.join()
        if self._failure is not None and kind is None:
            raise self._failure
        if kind is None:
            for phase in ("extract", "commit"):
                self._job.meter.done(phase)
        elif error is not None and isinstance(error, JobCancelled):
            raise error

    def add(self, item: StagedItem) -> None:
        """Take an item that is fetched and parsed, or could not be. Called from several threads; never blocks.

        A container whose members were not taken yet is set aside for `next_container`: it is no more in the way of
        others until `resume` brings it back.
        """
        if not item.has_members_to_take:
            self._finished.put(item)
            return
        with self._all_settled:
            self._set_aside += 1
            self._count_out(item)
            self._containers.append(item)
            self._all_settled.notify_all()

    def next_container(self) -> StagedItem | None:
        """Return a container that was set aside; the caller sees to its members, and then to `resume`.

        The newest first, so that what is within one is done before the next: few wait, however many are nested.
        """
        with self._all_settled:
            return self._containers.pop() if self._containers else None

    def resume(self, container: StagedItem) -> None:
        """Take a container all of whose members are committed, or that is refused. Never blocks."""
        with self._all_settled:
            self._set_aside -= 1
            self._count_in(container.weight)
        self._finished.put(container)

    def forget(self, item: StagedItem) -> None:
        """Count an item that was expected as settled: an earlier attempt is done with it."""
        with self._all_settled:
            self._settled += 1
            self._count_out(item)
            self._all_settled.notify_all()

    def _count_in(self, size: int) -> None:
        self._weight += weight_of(size)
        self._bytes += size

    def _count_out(self, item: StagedItem) -> None:
        self._weight -= weight_of(item.weight)
        self._bytes -= item.weight

    def expect(self, size: int) -> None:
        """Count an item of ``size`` bytes that will be added; waits while too much is on its way.

        So memory and staged bytes stay bounded, by 4,096 small items or 64 MB, or by what the disk still holds. When
        nothing is on its way and there is still no room, the job is paused until there is.
        """
        with self._all_settled:
            while self._failure is None and not self.has_room(size):
                self._all_settled.wait(0.25)
                self._job.controls.checkpoint()
                self._look_after_the_parsers()
            is_alone = not self._in_flight
        if is_alone:  # else there was room for it and for what is on its way
            self._job.disk.await_room(self._job.disk.needed_for(size), unless=lambda: self._failure is not None)
        with self._all_settled:
            self._expected += 1
            self._count_in(size)
        if self._failure is not None:
            raise self._failure

    def has_room(self, size: int) -> bool:
        """Return whether `expect` would not wait now. Never blocks."""
        return self._weight < MAX_WEIGHT_IN_FLIGHT and not self._would_fill_the_disk(size)

    def _would_fill_the_disk(self, size: int) -> bool:
        """Whether there is no room for one more besides what those in flight will still write."""
        needed = self._job.disk.needed_for(self._bytes + size) - self._bytes
        return self._in_flight > 0 and not self._has_on_disk(needed)

    @property
    def _in_flight(self) -> int:
        """The number of items that will be settled without anything else being begun."""
        return self._expected - self._settled - self._set_aside

    def _has_on_disk(self, needed: int) -> bool:
        """Whether the disk has so much, as of a moment ago where that was plenty: it is asked for every item."""
        now = time.monotonic()
        if now - self._room_seen_at > _ROOM_SEEN_SECONDS or not self._room.has(needed + _PLENTY_BYTES):
            self._room, self._room_seen_at = self._job.workspace.room(), now
        return self._room.has(needed)

    def finish(self, unpack: Callable[[StagedItem], None]) -> None:
        """Wait until everything is settled, and unpack what is found to be a container; nothing more is staged."""
        self._all_staged.set()
        while True:
            while (container := self.next_container()) is not None:
                unpack(container)
            with self._all_settled:
                if self._settled >= self._expected or self._failure is not None:
                    return
                if not self._containers:
                    self._all_settled.wait(0.25)
            self._job.controls.checkpoint()
            self._look_after_the_parsers()

    def _wait_for_parsers(self) -> None:
        while True:
            with self._all_settled:
                if self._settled >= self._expected or self._failure is not None:
                    return
                self._all_settled.wait(0.25)
            self._job.controls.checkpoint()
            self._look_after_the_parsers()

    def _look_after_the_parsers(self) -> None:
        """Note that no result will come any more when the pool of parsers has failed."""
        error = self._job.extractor.failure
        if error is not None and self._failure is None:
            known = as_ingest_error(error)
            why = known.message if known is not None else f"unexpected {type(error).__name__}"
            self._failure = IngestError(f"the parser processes cannot be run: {why}", hint="sync again in a moment")

    def _run(self) -> None:
        try:
            with closing(self._job.workspace.open_catalogue()) as catalogue:
                batch = CommitBatch(self._job, catalogue, self._vanished, self._finished_keys)
                while items := self._next_items():
                    self._job.controls.hold_while_paused()
                    if self._abandoned.is_set():
                        break
                    self._commit(batch, catalogue, items)
        except BaseException as error:  # noqa: BLE001 - carried to the job's thread, which raises it
            self._failure = error
            with self._all_settled:
                self._all_settled.notify_all()

    def _commit(self, batch: CommitBatch, catalogue: Catalogue, items: list[StagedItem]) -> None:
        _refuse_without_room(items)
        with self._job.committing(catalogue) as writer:
            outcomes, unparsed = batch.commit(writer, items)
        self._job.outcomes.record(outcomes)
        for item in unparsed:
            items.remove(item)
            parse_item(self._job, item, self.add)
        for item in items:
            if item.parent is None:
                self._job.meter.advance("commit", 1, item.weight)
                spent = item.result.milliseconds if item.result else 0.0
                self._job.meter.workload.done(item.key, item.weight, spent)
            elif item.parent.end_member(item):
                self.resume(item.parent.item)
        with self._all_settled:
            self._settled += len(items)
            self._weight -= sum(weight_of(item.weight) for item in items)
            self._bytes -= sum(item.weight for item in items)
            self._all_settled.notify_all()

    def _is_last_batch(self, gathered: int) -> bool:
        """Whether nothing more can come: the end of a job does not wait for company."""
        return self._all_staged.is_set() and gathered >= self._in_flight

    def _next_items(self) -> list[StagedItem]:
        """Return the next batch: full, or what came within a moment; empty at the end.

        It looks now and then instead of waking for each item: each wake would stop those who fetch and parse.
        """
        first = self._finished.get()
        if first is None or self._abandoned.is_set():
            return []
        items = [first]
        held_bytes = _held_bytes(first)
        deadline = time.monotonic() + BATCH_SECONDS
        while len(items) < BATCH_ITEMS and held_bytes < BATCH_BYTES and not self._is_last_batch(len(items)):
            try:
                item = self._finished.get_nowait()
            except queue.Empty:
                if time.monotonic() >= deadline:
                    break
                time.sleep(_LOOK_SECONDS)
                continue
            if item is None:
                self._finished.put(None)
                break
            items.append(item)
            held_bytes += _held_bytes(item)
        return items


def _held_bytes(item: StagedItem) -> int:
    """Return how much text of an item is in memory, in its chunks."""
    return item.result.text_bytes if item.result is not None and item.result.chunks is not None else 0


def _refuse_without_room(items: list[StagedItem]) -> None:
    if any(item.result is not None and item.result.reason == DISK_FULL for item in items):
        raise DiskFullError("a parser found no room for its text")


def weight_of(size: int) -> int:
    """Return what an item of ``size`` bytes counts among those in flight."""
    return 1 + size // _WEIGHT_BYTES


def vanished_documents(job: JobContext) -> dict[str, set[str]]:
    """Return the documents whose places this plan found gone: document id to the keys that are gone."""
    vanished: dict[str, set[str]] = {}
    for line in job.controls.between_checkpoints(work_lines(job.paths.plan, frozenset({"retire", "hold"}))):
        if line.document_id is not None and not line.refusal:
            vanished.setdefault(line.document_id, set()).add(line.key)
    return vanished
