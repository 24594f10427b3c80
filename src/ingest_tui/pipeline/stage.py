"""Fetch: the bytes of each planned item stream into the job's folder, hashed on the way."""

from __future__ import annotations

import os
import time
from collections import deque
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from functools import partial
from typing import Protocol

from ingest_tui.connectors.base import BaseConnector
from ingest_tui.connectors.containment import CONNECTOR_ERROR
from ingest_tui.connectors.resilience import CutShortError, may_block
from ingest_tui.model.descriptor import Descriptor
from ingest_tui.model.errors import IngestError, ItemChangedError, ItemError, PlanDamagedError, SourceAccessError
from ingest_tui.model.file_names import safe_extension
from ingest_tui.model.hashing import short_digest
from ingest_tui.model.plan_line import PlanLine
from ingest_tui.model.safe_text import safe_display
from ingest_tui.pipeline.job.context import JobContext
from ingest_tui.pipeline.job.controls import JobCancelled
from ingest_tui.pipeline.job.fetch_health import SourceHealth
from ingest_tui.pipeline.staged_item import StagedItem
from ingest_tui.store.records.plan_file import work_lines
from ingest_tui.store.staging import KEPT_EVERY_BYTES

LONGEST_WITHOUT_BYTES = 60.0
"""Seconds for which a connector may yield empty pieces of an item before that item has failed."""
_TIMES_BEGUN = 3
_LOOK_SECONDS = 0.25
_OFTEN_BYTES = 1 << 20
_REJECTED_WHEN_FETCHED = {"too_large", "special_file", "symlink_outside", "archived", "malware"}


TakeItem = Callable[[StagedItem], None]


class InFlightBudget(Protocol):
    """How many items, and how many bytes of them, may be between the source and the catalogue at once."""

    def has_room(self, size: int) -> bool:
        """Return whether one more item of ``size`` bytes may be begun now."""

    def expect(self, size: int) -> None:
        """Count an item that is begun; waits while too many are in flight."""

    def add(self, item: StagedItem) -> None:
        """Take an item that could not be fetched: it is in flight no longer."""


def stage_items(
    job: JobContext, finished_keys: set[str], budget: InFlightBudget, take: TakeItem
) -> SourceAccessError | None:
    """Fetch the items of the plan in order and hand each to ``take``; those that failed are added to ``budget``.

    A connector that declares concurrency is asked for that many items at once. When the source itself is failing,
    nothing more is begun, and the reason is returned.
    """
    health = SourceHealth()
    lines = _lines_to_fetch(job, finished_keys, health)
    connector = job.connector
    concurrency = connector.capabilities.fetch_concurrency if connector else 1
    items = _in_order(job, lines, budget) if concurrency <= 1 else _concurrently(job, lines, budget, concurrency)
    with closing(items):
        for item in items:
            health.note(item.error)
            job.meter.advance("stage", 1, item.weight)
            if item.error is not None:
                budget.add(item)
                continue
            job.manifest.counters.items_fetched += 1
            job.manifest.counters.bytes_fetched += item.size
            take(item)
    if health.failure is None:
        job.meter.done("stage")
    return health.failure


def _lines_to_fetch(job: JobContext, finished_keys: set[str], health: SourceHealth) -> Iterator[PlanLine]:
    for line in work_lines(job.paths.plan, frozenset({"ingest"})):
        if health.failure is not None:
            return  # what is in flight is finished, nothing more is begun
        if line.key not in finished_keys:
            yield line


def _in_order(job: JobContext, lines: Iterator[PlanLine], budget: InFlightBudget) -> Generator[StagedItem, None, None]:
    for line in lines:
        budget.expect(_size_of(line))
        job.controls.checkpoint()
        if job.connector is None or not may_block(job.connector):
            yield _fetch(job, line)
            continue
        try:
            item = job.controls.in_a_thread(partial(_fetch, job, line))
        except JobCancelled:
            _report_abandoned(job, [line])
            raise
        yield item


def _concurrently(
    job: JobContext, lines: Iterator[PlanLine], budget: InFlightBudget, concurrency: int
) -> Generator[StagedItem, None, None]:
    waiting: deque[tuple[PlanLine, Future[StagedItem]]] = deque()
    threads = ThreadPoolExecutor(concurrency, thread_name_prefix="fetch")
    try:
        for line in lines:
            size = _size_of(line)
            while waiting and (len(waiting) > concurrency * 2 or not budget.has_room(size)):
                # There is room again only once what is here goes on.
                yield _result(job, waiting[0][1])
                waiting.popleft()
            budget.expect(size)
            job.controls.checkpoint()
            waiting.append((line, threads.submit(_fetch, job, line)))
        while waiting:
            yield _result(job, waiting[0][1])
            waiting.popleft()
    except JobCancelled:
        _report_abandoned(job, [line for line, future in waiting if future.running()])
        raise
    finally:
        # A call that a silent network holds up is left to its own time limit: a cancelled job does not wait for it.
        threads.shutdown(wait=False, cancel_futures=True)


def _report_abandoned(job: JobContext, lines: list[PlanLine]) -> None:
    """Report which items the connector was still reading when the job had to end: one that blocks has to be found."""
    for line in lines:
        job.log.event("warning", "left while the connector was still reading it", document=line.uri, phase="stage")
    if lines:
        more = f" and {len(lines) - 1} more" if len(lines) > 1 else ""
        job.manifest.warnings.append(f"left while still being read: {safe_display(lines[0].uri)}{more}")


def _size_of(line: PlanLine) -> int:
    return line.size or 0


def _result(job: JobContext, future: Future[StagedItem]) -> StagedItem:
    while True:
        try:
            return future.result(timeout=_LOOK_SECONDS)
        except TimeoutError:
            if future.done():
                raise
            job.controls.checkpoint()


def _fetch(job: JobContext, line: PlanLine) -> StagedItem:
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
    job: JobContext, connector: BaseConnector, item: StagedItem, descriptor: Descriptor
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


def _receive(job: JobContext, connector: BaseConnector, item: StagedItem, descriptor: Descriptor) -> None:
    """Bring the bytes of an item into staging, continuing what an interrupted attempt left of a large one."""
    begun = None
    if connector.capabilities.ranged_fetch and item.weight > KEPT_EVERY_BYTES:
        begun = job.staging.begun(item.item_id, descriptor.fingerprint)
    extension = safe_extension(item.key)
    with connector.fetch(descriptor, begun.size if begun else 0) as pieces:
        job.controls.checkpoint()  # opening may have taken long: an abandoned job's folder must not be written any more
        received = job.staging.receive(
            item.item_id,
            extension,
            _checked(job, connector, pieces, begun.size if begun else 0),
            begun=begun,
            fingerprint=descriptor.fingerprint if connector.capabilities.ranged_fetch else "",
        )
    item.raw_path, item.size, item.raw_sha256 = received


def _checked(job: JobContext, connector: BaseConnector, pieces: Iterator[bytes], received: int) -> Iterator[bytes]:
    """Guard a stream: stops when the job is cancelled, and when an item outgrows the limit it was let in under."""
    limit = connector.max_size
    silent_since = None
    asked_at = time.monotonic()
    for piece in pieces:
        # After a long wait too: an abandoned job's folder must not be written any more.
        if received > _OFTEN_BYTES or not piece or time.monotonic() - asked_at > _LOOK_SECONDS:
            job.controls.checkpoint()
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


def _uploaded(job: JobContext, item: StagedItem) -> StagedItem:
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
