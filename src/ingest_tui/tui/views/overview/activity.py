"""How much was done, and how much waited, in the last hour or day: from the jobs that are known. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from ingest_tui.model.clock import rfc3339_from_ns, seconds_since_epoch
from ingest_tui.tui.views.jobs.jobs_model import JobRow

HOUR, DAY = 3600.0, 86400.0


@dataclass(frozen=True, slots=True)
class Activity:
    """Equal parts of a span of time, the newest last: documents and bytes a minute, and how many jobs waited."""

    documents: list[float]
    bytes: list[float]
    queue: list[float]


def activity(rows: Iterable[JobRow], now: float, *, span: float, parts: int) -> Activity:
    """Return what the jobs did in the ``span`` seconds before ``now`` (POSIX seconds), in ``parts`` equal parts.

    What a job did counts evenly over the time that it took. The queue of a part is the mean number of jobs in it.
    """
    length = span / parts
    begin = now - span
    earliest = rfc3339_from_ns(int(begin * 1e9)) or ""
    documents, sizes, queue = [0.0] * parts, [0.0] * parts, [0.0] * parts
    for row in rows:
        if row.ended and (row.finished_at or row.updated_at) < earliest:
            continue
        created = seconds_since_epoch(row.created_at)
        started = seconds_since_epoch(row.started_at)
        ended = seconds_since_epoch(row.finished_at) if row.ended else now
        if created is not None and (row.started_at or not row.ended):
            _spread(queue, (created - begin) / length, ((started or now) - begin) / length, per_part=1.0)
        if started is not None and ended is not None and (row.done or row.bytes):
            taken = max(ended - started, 1.0)
            places = (started - begin) / length, (started + taken - begin) / length
            _spread(documents, *places, per_part=row.done / taken * 60)
            _spread(sizes, *places, per_part=row.bytes / taken * 60)
    return Activity(documents, sizes, queue)


def _spread(parts: list[float], first: float, last: float, *, per_part: float) -> None:
    """Add ``per_part`` to each part between two places, measured in parts; to those at the ends their share of it."""
    first, last = max(first, 0.0), min(last, float(len(parts)))
    place = int(first)
    while place < last:
        parts[place] += per_part * (min(last, place + 1) - max(first, place))
        place += 1
