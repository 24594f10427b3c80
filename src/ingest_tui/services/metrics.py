"""The figures of a workspace in the text format of Prometheus, by its official client: over HTTP, or in a file."""

from __future__ import annotations

import os
import re
import threading
import time
from collections import Counter as Counted
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple, get_args

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest, start_http_server
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from ingest_tui.model.errors import UsageError
from ingest_tui.model.foreign_errors import text_of
from ingest_tui.model.safe_text import safe_display
from ingest_tui.services.attention import Level, attention_of
from ingest_tui.services.documents.export import checked_target
from ingest_tui.services.sources.health import list_sources
from ingest_tui.services.stats import JobFigures, Stats, StatsReader
from ingest_tui.store.fs.atomic import write_new
from ingest_tui.store.workspace import Workspace

_LOOPBACK = "127.0.0.1"
_LARGEST_PORT = 65_535
_FRESH_SECONDS = 2.0
"""For how long figures are given again rather than read again: several may ask at once."""
_FILE_SECONDS = 15.0
_BIND_SECONDS = 5.0
_PHASE_BUCKETS = (0.1, 0.5, 1, 5, 15, 60, 300, 900, 3600, 14_400)
_PREFIX = "ingest_tui"
_Values = dict[tuple[str, ...], float]
"""The values of a metric by those of its labels."""
_ADDRESS = re.compile(r"(?:\[(?P<six>[0-9a-fA-F:]+)\]|(?P<host>[A-Za-z0-9.-]+)):(?P<port>\d{1,5})|(?P<alone>\d{1,5})")


@dataclass(frozen=True, slots=True)
class MetricsTarget:
    """Where metrics go: a port of an address, or a file that is written again and again."""

    host: str = ""
    port: int = 0
    file: Path | None = None

    @classmethod
    def parse(cls, text: str) -> MetricsTarget:
        """Return the target of ``PORT`` (of the loopback address), ``HOST:PORT`` or a path; raises `UsageError`."""
        found = _ADDRESS.fullmatch(text)
        if found is None:
            path = Path(os.path.abspath(text))  # noqa: PTH100 - resolve() would follow a link that people named
            if not path.parent.is_dir() or path.is_dir():
                raise UsageError(
                    f"metrics cannot be written to {safe_display(text)}",
                    hint="name a port, HOST:PORT, or a file in a folder that is there",
                )
            return cls(file=path)
        port = int(found["alone"] or found["port"])
        if not 0 < port <= _LARGEST_PORT:
            raise UsageError(f"{port} is no port", hint="choose one from 1024 to 65535, such as 9464")
        return cls(found["six"] or found["host"] or _LOOPBACK, port)


class _Figures(NamedTuple):
    """What gauges are made from: ``attention`` counts what needs a person by level, ``failed_items`` by source."""

    stats: Stats
    attention: dict[str, int]
    failed_items: dict[str, int]


class WorkspaceMetrics(Collector):
    """What a scrape gets: the figures of now, and what has ended since this process began. For all threads."""

    def __init__(self, workspace: Workspace) -> None:
        self.registry = CollectorRegistry()
        self._workspace = workspace
        self._guard = threading.Lock()
        self._reader = StatsReader(workspace, self._count)
        self._figures: _Figures | None = None
        self._read_at = float("-inf")
        self.registry.register(self)  # before the counters, which reading the gauges advances
        self._ended = self._counter("jobs_ended", "Jobs that ended", "kind", "state")
        self._items = self._counter("items", "Items of ended jobs by outcome", "source", "outcome")
        self._bytes = self._counter("fetched_bytes", "Bytes that ended jobs have fetched", "source")
        self._phases = Histogram(
            f"{_PREFIX}_phase_seconds",
            "How long the phases of ended jobs took",
            ("phase",),
            registry=self.registry,
            buckets=_PHASE_BUCKETS,
        )

    def _counter(self, name: str, what: str, *labels: str) -> Counter:
        return Counter(f"{_PREFIX}_{name}", what, labels, registry=self.registry)

    def text(self) -> bytes:
        """Return everything in the text format."""
        return generate_latest(self.registry)

    def read(self) -> _Figures:
        """Return the figures, read again when they are older than a moment."""
        with self._guard:
            if self._figures is None or time.monotonic() - self._read_at > _FRESH_SECONDS:
                summaries = list_sources(self._workspace)
                self._figures = _Figures(
                    self._reader.read(),
                    dict.fromkeys(get_args(Level), 0)
                    | Counted(item.level for item in attention_of(self._workspace, summaries)),
                    {one.source.source_id: one.failed_items for one in summaries},
                )
                self._read_at = time.monotonic()
            return self._figures

    def describe(self) -> Iterator[Metric]:
        """Name no metric in advance: that would read the workspace where it is registered."""
        return iter(())

    def collect(self) -> Iterator[Metric]:
        """Yield the gauges; called by the client for each scrape."""
        stats, attention, failed_items = self.read()
        yield from _gauges_of_workspace(stats)
        yield from _gauges_of_sources(stats)
        yield _gauge("attention", "What needs a person, by level", _by_name(attention), "level")
        failed = _by_name(failed_items)
        yield _gauge("source_failed_items", "Items that failed in the last look at them", failed, "source")

    def _count(self, job: JobFigures) -> None:
        self._ended.labels(job.kind, job.state).inc()
        self._bytes.labels(job.source_id).inc(job.bytes_fetched)
        for outcome, number in job.items.items():
            if number:
                self._items.labels(job.source_id, outcome).inc(number)
        for phase, seconds in job.phase_seconds.items():
            self._phases.labels(phase).observe(seconds)


def metrics_text(workspace: Workspace) -> bytes:
    """Return the figures of a workspace in the text format; counters begin at 0 in each process."""
    return WorkspaceMetrics(workspace).text()


def write_metrics(workspace: Workspace, file: Path) -> None:
    """Write the figures of a workspace to a file, for the textfile collector of a node exporter.

    Raises `UsageError` for a file of the workspace, for its credentials file, and for what is no regular file.
    """
    _replace(checked_target(workspace, file, replace=True, is_folder=False), metrics_text(workspace))


class MetricsExporter:
    """Gives metrics to who asks, next to a worker, from creation to `close`. Raises `UsageError` as `write_metrics`.

    A port that is in use, as by the worker that this one stands by for, is tried again; ``report`` hears of it once.
    """

    def __init__(
        self, workspace: Workspace, target: MetricsTarget, report: Callable[[str, dict[str, Any]], None]
    ) -> None:
        if target.file is not None:
            target = MetricsTarget(file=checked_target(workspace, target.file, replace=True, is_folder=False))
        self._metrics = WorkspaceMetrics(workspace)
        self._target = target
        self._report = report
        self._stop = threading.Event()
        self._failed = False
        self._close_server: Callable[[], None] = lambda: None
        self._thread = threading.Thread(target=self._run, name="metrics", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """End; what a scrape is reading right now is finished by its thread."""
        self._stop.set()
        self._thread.join()
        self._close_server()

    def _run(self) -> None:
        file, turn = self._target.file, _FILE_SECONDS
        while not self._stop.is_set():
            try:
                if file is None:
                    turn = _BIND_SECONDS
                    self._serve()
                    self._stop.wait()
                    return
                _replace(file, self._metrics.text())
                self._failed = False
            except Exception as error:  # noqa: BLE001 - metrics must not end a worker, nor be without word
                if not self._failed:
                    self._report("metrics cannot be given", {"level": "warning", "error": text_of(error)})
                self._failed = True
            self._stop.wait(turn)

    def _serve(self) -> None:
        host, port = self._target.host, self._target.port
        server, thread = start_http_server(port, host, self._metrics.registry)
        self._report("metrics are given", {"address": f"http://{host}:{port}/metrics"})

        def close() -> None:
            server.shutdown()
            server.server_close()
            thread.join()

        self._close_server = close


def _replace(file: Path, data: bytes) -> None:
    """Write a file that others may read, whole or not at all; it need not survive a crash."""
    half = file.with_name(f".{file.name}.{os.getpid()}")
    half.unlink(missing_ok=True)
    try:
        write_new(half, data)  # never through a link that somebody planted in a folder such as /tmp
        half.chmod(0o644)
        half.replace(file)
    except BaseException:
        half.unlink(missing_ok=True)
        raise


def _gauge(name: str, what: str, values: _Values, *labels: str) -> Metric:
    family = GaugeMetricFamily(f"{_PREFIX}_{name}", what, labels=labels)
    for key, value in values.items():
        family.add_metric(key, value)
    return family


def _gauges_of_workspace(stats: Stats) -> Iterator[Metric]:
    yield _gauge("documents", "Documents", _by_name(stats.documents), "collection")
    yield _gauge("jobs", "Jobs that are kept, by state", _by_name(stats.jobs), "state")
    yield _gauge("queue_length", "Jobs that wait", {(): stats.queue_length})
    yield _gauge("oldest_queued_seconds", "Age of the job that waits longest", {(): stats.oldest_queued_seconds or 0})
    yield _gauge("jobs_paused_for_disk", "Jobs that wait for room on the disk", {(): stats.paused_for_disk})
    yield _gauge("credential_days_left", "Days until a credential ends", _by_name(stats.credentials), "credential")
    lag = _by_name(stats.index_lag)
    yield _gauge("index_lag_documents", "Documents whose vectors are still to be made", lag, "collection")
    yield _gauge("disk_free_bytes", "Free on the disk of the workspace", {(): stats.disk_free})
    yield _gauge("disk_total_bytes", "Size of the disk of the workspace", {(): stats.disk_total})
    yield _gauge("disk_reserve_bytes", "What is kept free of it", {(): stats.disk_reserve})
    yield _gauge("workers", "Living workers", _by_name(stats.workers), "mode")
    yield _gauge("worker_issues", "Tasks of workers that fail right now", {(): stats.worker_issues})


def _gauges_of_sources(stats: Stats) -> Iterator[Metric]:
    documents: _Values = {(one.source_id,): one.documents for one in stats.sources}
    held: _Values = {(one.source_id,): one.held_deletions for one in stats.sources}
    succeeded = [(one.source_id, one.last_success_at) for one in stats.sources if one.last_success_at is not None]
    at: _Values = {(name,): datetime.fromisoformat(moment).timestamp() for name, moment in succeeded}
    ages = [(one.source_id, one.success_age_seconds) for one in stats.sources if one.success_age_seconds is not None]
    age: _Values = {(name,): seconds for name, seconds in ages}
    yield _gauge("source_documents", "Documents of a source", documents, "source")
    yield _gauge("source_held_deletions", "Deletions that wait for a person", held, "source")
    yield _gauge("source_last_success_timestamp_seconds", "When a sync ended well last", at, "source")
    yield _gauge("source_last_success_age_seconds", "How long ago that was", age, "source")
    last = [(one.source_id, one.last_job) for one in stats.sources if one.last_job is not None]
    items: _Values = {(name, outcome): number for name, job in last for outcome, number in job.items.items()}
    fetched: _Values = {(name,): job.bytes_fetched for name, job in last}
    phases: _Values = {(name, phase): taken for name, job in last for phase, taken in job.phase_seconds.items()}
    failed: _Values = {(name,): not job.ended_well for name, job in last}
    yield _gauge("source_last_job_items", "Items of the newest sync by outcome", items, "source", "outcome")
    yield _gauge("source_last_job_fetched_bytes", "Bytes that the newest sync has fetched", fetched, "source")
    yield _gauge("source_last_job_phase_seconds", "How long its phases took", phases, "source", "phase")
    yield _gauge("source_last_job_failed", "1 when the newest sync did not end well", failed, "source")


def _by_name(values: dict[str, int]) -> _Values:
    return {(name,): float(value) for name, value in values.items()}
