"""Fetch: the bytes of each planned item stream into the job's folder, hashed on the way."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from ingest_tui.connectors.base import BaseConnector
from ingest_tui.model.descriptor import Descriptor
from ingest_tui.model.errors import IngestError, ItemError, SourceAccessError
from ingest_tui.model.extraction import ParseResult
from ingest_tui.model.hashing import short_digest
from ingest_tui.model.naming import safe_extension
from ingest_tui.pipeline.job_run import JobRun
from ingest_tui.pipeline.planning import work_lines

_REJECTED_WHEN_FETCHED = {"too_large", "special_file", "symlink_outside", "archived", "malware"}


@dataclass(slots=True)
class StagedItem:
    """An item on its way: its line of the plan, what was fetched of it, and what the parser made of it.

    ``error`` is set when it could not be fetched; ``result`` is None until it is parsed or when parsing was not
    needed because the bytes are already known.
    """

    line: dict[str, Any]
    item_id: str
    raw_path: str = ""
    size: int = 0
    raw_sha256: str = ""
    error: ItemError | None = None
    result: ParseResult | None = None

    @property
    def key(self) -> str:
        """The key of the item in its source."""
        return str(self.line["key"])

    @property
    def weight(self) -> int:
        """The bytes that progress counts: what the listing said, so that totals add up."""
        return int(self.line.get("size") or 0)


Sink = Callable[[StagedItem], None]


def stage_items(
    job: JobRun, finished_keys: set[str], *, expect: Callable[[int], None], settle: Sink
) -> Iterator[StagedItem]:
    """Yield the staged items of the plan in order; those that could not be fetched go to ``settle``.

    ``expect`` is called before each item and waits while too many are on their way.
    A connector that declares concurrency is asked for that many items at once.
    """
    lines = (line for line in work_lines(job) if line["action"] == "ingest" and line["key"] not in finished_keys)
    connector = job.connector
    concurrency = connector.capabilities.fetch_concurrency if connector else 1
    expected = _expecting(lines, expect)
    items = _in_order(job, expected) if concurrency <= 1 else _concurrently(job, expected, concurrency)
    for item in items:
        job.meter.advance("stage", 1, item.weight)
        if item.error is not None:
            settle(item)
            continue
        job.manifest.counters.items_fetched += 1
        job.manifest.counters.bytes_fetched += item.size
        yield item
    job.meter.done("stage")


def _expecting(lines: Iterator[dict[str, Any]], expect: Callable[[int], None]) -> Iterator[dict[str, Any]]:
    for line in lines:
        expect(int(line.get("size") or 0))
        yield line


def _in_order(job: JobRun, lines: Iterator[dict[str, Any]]) -> Iterator[StagedItem]:
    for line in lines:
        job.checkpoint()
        yield _fetch(job, line)


def _concurrently(job: JobRun, lines: Iterator[dict[str, Any]], concurrency: int) -> Iterator[StagedItem]:
    waiting: deque[Future[StagedItem]] = deque()
    with ThreadPoolExecutor(concurrency, thread_name_prefix="fetch") as threads:
        try:
            for line in lines:
                job.checkpoint()
                waiting.append(threads.submit(_fetch, job, line))
                if len(waiting) > concurrency * 2:
                    yield waiting.popleft().result()
            while waiting:
                job.checkpoint()
                yield waiting.popleft().result()
        finally:
            threads.shutdown(wait=True, cancel_futures=True)


def _fetch(job: JobRun, line: dict[str, Any]) -> StagedItem:
    item = StagedItem(line, short_digest(job.manifest.job_id, line["key"], length=20))
    if job.connector is None:
        return _uploaded(job, item)
    descriptor = Descriptor(
        line["key"],
        line["uri"],
        line.get("fingerprint", ""),
        line.get("size"),
        line.get("modified_ns"),
        metadata=line.get("metadata"),
    )
    try:
        with job.connector.fetch(descriptor) as pieces:
            received = job.staging.receive(item.item_id, safe_extension(item.key), _checked(job, job.connector, pieces))
        item.raw_path, item.size, item.raw_sha256 = received
    except ItemError as error:
        item.error = error
        job.staging.drop(item.item_id)
    except SourceAccessError:
        job.staging.drop(item.item_id)
        raise
    return item


def _checked(job: JobRun, connector: BaseConnector, pieces: Iterator[bytes]) -> Iterator[bytes]:
    """Guard a stream: stops when the job is cancelled, and when an item outgrows the limit it was let in under."""
    received = 0
    limit = connector.max_size
    for piece in pieces:
        received += len(piece)
        if limit is not None and received > limit:
            raise ItemError("it grew beyond the size limit while it was read", code="too_large")
        yield piece
        if received > 1 << 20:
            job.checkpoint()


def _uploaded(job: JobRun, item: StagedItem) -> StagedItem:
    """An uploaded file was staged when the job was made; its plan line says what it is."""
    line = item.line
    job.staging.keep_raw_only(item.item_id)
    item.raw_path = f"{job.staging.folder(item.item_id)}/raw.{safe_extension(item.key)}"
    item.size = int(line["size"])
    item.raw_sha256 = str(line["metadata"]["raw_sha256"])
    return item


def outcome_of_fetch_error(error: IngestError) -> str:
    """Return ``rejected`` for what is not let in, ``failed`` for what could not be had."""
    return "rejected" if error.reason in _REJECTED_WHEN_FETCHED else "failed"
