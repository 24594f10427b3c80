"""Fetch: the bytes of each planned item stream into the job's folder, hashed on the way."""

from __future__ import annotations

import os
import time
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Protocol

from ingest_tui.connectors.base import BaseConnector
from ingest_tui.connectors.containment import CONNECTOR_ERROR
from ingest_tui.connectors.resilience import CutShortError, may_block
from ingest_tui.model.descriptor import Descriptor
from ingest_tui.model.errors import IngestError, ItemChangedError, ItemError, PlanDamagedError, SourceAccessError
from ingest_tui.model.extraction import ParseResult
from ingest_tui.model.hashing import short_digest
from ingest_tui.model.naming import safe_display, safe_extension
from ingest_tui.model.plan_line import PlanLine
from ingest_tui.pipeline.job.fetch_health import SourceHealth
from ingest_tui.pipeline.job.job_run import JobCancelled, JobRun
from ingest_tui.store.records.plan_file import work_lines
from ingest_tui.store.staging import KEPT_EVERY_BYTES

LONGEST_WITHOUT_BYTES = 60.0
"""Seconds for which a connector may yield empty pieces of an item before that item has failed."""
_TIMES_BEGUN = 3
_LOOK_SECONDS = 0.25
_OFTEN_BYTES = 1 << 20
_REJECTED_WHEN_FETCHED = {"too_large", "special_file", "symlink_outside", "archived", "malware"}


@dataclass(slots=True)
class StagedItem:
    """An item on its way: its line of the plan, what was fetched of it, and what the parser made of it.

    ``weight`` are the bytes that progress counts: what the listing said, so that totals add up. ``error`` is set when
    it could not be fetched; ``result`` is None until it is parsed or when parsing was not needed because the bytes are
    already known.
    """

    line: PlanLine
    item_id: str
    weight: int = 0
    raw_path: str = ""
    size: int = 0
    raw_sha256: str = ""
    error: ItemError | None = None
    result: ParseResult | None = None

    @property
    def key(self) -> str:
        """The key of the item in its source."""
        return self.line.key

    def now_is(self, descriptor: Descriptor) -> None:
        """Take note that the item has changed since it was listed: what is known of it is of the new one."""
        self.line = self.line._replace(
            fingerprint=descriptor.fingerprint,
            size=descriptor.size,
            modified_ns=descriptor.modified_ns,
            metadata=descriptor.metadata,
        )


Sink = Callable[[StagedItem], None]


class Way(Protocol):
    """Where staged items go on their way."""

    def has_room(self, size: int) -> bool:
        """Tell whether one more item of ``size`` bytes may set out now."""

    def expect(self, size: int) -> None:
        """Count an item that sets out; waits while too many are on their way."""

    def add(self, item: StagedItem) -> None:
        """Take an item that could not be fetched: it has arrived."""


def stage_items(job: JobRun, finished_keys: set[str], way: Way) -> Iterator[StagedItem]:
    """Yield the staged items of the plan in order; those that could not be fetched are added to ``way``.

    A connector that declares concurrency is asked for that many items at once. When the source itself is failing, it
    ends early and leaves the reason in ``job.source_failure``.
    """
    lines = _lines_to_fetch(job, finished_keys)
    connector = job.connector
    concurrency = connector.capabilities.fetch_concurrency if connector else 1
    items = _in_order(job, lines, way) if concurrency <= 1 else _concurrently(job, lines, way, concurrency)
    health = SourceHealth()
    for item in items:
        job.source_failure = job.source_failure or health.note(item.error)
        job.meter.advance("stage", 1, item.weight)
        if item.error is not None:
            way.add(item)
            continue
        job.manifest.counters.items_fetched += 1
        job.manifest.counters.bytes_fetched += item.size
        yield item
    if job.source_failure is None:
        job.meter.done("stage")


def _lines_to_fetch(job: JobRun, finished_keys: set[str]) -> Iterator[PlanLine]:
    for line in work_lines(job.paths.plan, frozenset({"ingest"})):
        if job.source_failure is not None:
            return  # what is on its way is finished, nothing more is begun
        if line.key not in finished_keys:
            yield line


def _in_order(job: JobRun, lines: Iterator[PlanLine], way: Way) -> Iterator[StagedItem]:
    for line in lines:
        way.expect(_size_of(line))
        job.checkpoint()
        if job.connector is None or not may_block(job.connector):
            yield _fetch(job, line)
            continue
        try:
            item = job.in_a_thread(partial(_fetch, job, line))
        except JobCancelled:
            _say_abandoned(job, [line])
            raise
        yield item


def _concurrently(job: JobRun, lines: Iterator[PlanLine], way: Way, concurrency: int) -> Iterator[StagedItem]:
    waiting: deque[tuple[PlanLine, Future[StagedItem]]] = deque()
    threads = ThreadPoolExecutor(concurrency, thread_name_prefix="fetch")
    try:
        for line in lines:
            size = _size_of(line)
            while waiting and (len(waiting) > concurrency * 2 or not way.has_room(size)):
                # There is room again only once what is here goes on.
                yield _result(job, waiting[0][1])
                waiting.popleft()
            way.expect(size)
            job.checkpoint()
            waiting.append((line, threads.submit(_fetch, job, line)))
        while waiting:
            yield _result(job, waiting[0][1])
            waiting.popleft()
    except JobCancelled:
        _say_abandoned(job, [line for line, future in waiting if future.running()])
        raise
    finally:
        # A call that a silent network holds up is left to its own time limit: a cancelled job does not wait for it.
        threads.shutdown(wait=False, cancel_futures=True)


def _say_abandoned(job: JobRun, lines: list[PlanLine]) -> None:
    """Say which items the connector was still at work on when the job had to end: one that blocks has to be found."""
    for line in lines:
        job.log.event("warning", "left while the connector was still reading it", document=line.uri, phase="stage")
    if lines:
        more = f" and {len(lines) - 1} more" if len(lines) > 1 else ""
        job.manifest.warnings.append(f"left while still being read: {safe_display(lines[0].uri)}{more}")


def _size_of(line: PlanLine) -> int:
    return line.size or 0


def _result(job: JobRun, future: Future[StagedItem]) -> StagedItem:
    while True:
        try:
            return future.result(timeout=_LOOK_SECONDS)
        except TimeoutError:
            if future.done():
                raise
            job.checkpoint()


def _fetch(job: JobRun, line: PlanLine) -> StagedItem:
    item = StagedItem(line, short_digest(job.manifest.job_id, line.key, length=20), _size_of(line))
    if job.connector is None:
        return _uploaded(job, item)
    descriptor = line.descriptor()
    item.error = _receive_or_begin_again(job, job.connector, item, descriptor)
    if item.error is not None:
        job.staging.drop(item.item_id)
        if item.error.reason == CONNECTOR_ERROR:
            places = item.error.context.get("places", [])
            job.log.event("error", item.error.message, document=descriptor.uri, phase="stage", places=places)
    return item


def _receive_or_begin_again(
    job: JobRun, connector: BaseConnector, item: StagedItem, descriptor: Descriptor
) -> ItemError | None:
    """Bring the bytes of an item into staging; returns why that could not be.

    What was cut short, or has changed since it was listed, is begun again a few times.
    """
    failure: ItemError | None = None
    for _attempt in range(_TIMES_BEGUN):
        try:
            _receive(job, connector, item, descriptor)
        except ItemChangedError as error:
            if error.now is None:
                return error
            failure, descriptor = error, error.now
            item.now_is(descriptor)
        except CutShortError as error:
            failure = error
        except ItemError as error:
            return error
        except SourceAccessError as error:
            # One item could not be had because of the source; whether that ends the job is decided over many.
            return ItemError(error.message, hint=error.hint, code=error.reason)
        else:
            return None
    return failure


def _receive(job: JobRun, connector: BaseConnector, item: StagedItem, descriptor: Descriptor) -> None:
    """Bring the bytes of an item into staging, going on with what an interrupted attempt left of a large one."""
    begun = None
    if connector.capabilities.ranged_fetch and item.weight > KEPT_EVERY_BYTES:
        begun = job.staging.begun(item.item_id, descriptor.fingerprint)
    extension = safe_extension(item.key)
    with connector.fetch(descriptor, begun.size if begun else 0) as pieces:
        job.checkpoint()  # opening may have taken long: an abandoned job's folder must not be written any more
        received = job.staging.receive(
            item.item_id,
            extension,
            _checked(job, connector, pieces, begun.size if begun else 0),
            begun=begun,
            fingerprint=descriptor.fingerprint if connector.capabilities.ranged_fetch else "",
        )
    item.raw_path, item.size, item.raw_sha256 = received


def _checked(job: JobRun, connector: BaseConnector, pieces: Iterator[bytes], received: int) -> Iterator[bytes]:
    """Guard a stream: stops when the job is cancelled, and when an item outgrows the limit it was let in under."""
    limit = connector.max_size
    silent_since = None
    asked_at = time.monotonic()
    for piece in pieces:
        # After a long wait too: an abandoned job's folder must not be written any more.
        if received > _OFTEN_BYTES or not piece or time.monotonic() - asked_at > _LOOK_SECONDS:
            job.checkpoint()
        if piece:
            silent_since = None
        elif silent_since is None:
            silent_since = time.monotonic()
        elif time.monotonic() - silent_since > LONGEST_WITHOUT_BYTES:
            raise ItemError(
                f"the source has sent no bytes of it for {LONGEST_WITHOUT_BYTES:g} seconds",
                hint="sync again; if it stays so, report it to whoever maintains the connector",
                code="network",
            )
        received += len(piece)
        if limit is not None and received > limit:
            raise ItemError("it grew beyond the size limit while it was read", code="too_large")
        yield piece
        asked_at = time.monotonic()


def _uploaded(job: JobRun, item: StagedItem) -> StagedItem:
    """An uploaded file was staged when the job was made; its plan line says what it is."""
    line = item.line
    if line.size is None or line.metadata is None or "raw_sha256" not in line.metadata:
        raise PlanDamagedError(
            f"the plan of the job does not say what was uploaded as {line.key!r}", hint="upload the files again"
        )
    item.raw_path = f"{job.staging.folder(item.item_id)}/raw.{safe_extension(item.key)}"
    if not os.path.exists(item.raw_path):  # noqa: PTH110
        item.raw_path = ""
        item.error = ItemError(
            "the uploaded file is no longer in the job's staging folder",
            hint="upload it again",
            code="not_found",
            uri=line.uri,
        )
        return item
    job.staging.keep_raw_only(item.item_id)
    item.size = line.size
    item.raw_sha256 = line.metadata["raw_sha256"]
    return item


def outcome_of_fetch_error(error: IngestError) -> str:
    """Return ``rejected`` for what is not let in, ``failed`` for what could not be had."""
    return "rejected" if error.reason in _REJECTED_WHEN_FETCHED else "failed"
