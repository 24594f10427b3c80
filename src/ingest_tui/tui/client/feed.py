"""The feed: what has changed in the workspace, read-only, without Textual.

It watches the few folders that can change and looks again every few seconds, because network mounts send no events.
Manifests are compared by (mtime_ns, size, inode): they are replaced by renames, so an equal stamp is an equal file.
An ended job does not change but for the answer to held deletions, or a later look at its source that closes them: those
are looked at each time, other ended jobs again only now and then.
"""

from __future__ import annotations

import contextlib
import os
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ingest_tui.model.clock import posix_ns
from ingest_tui.model.errors import IngestError
from ingest_tui.model.job_order import job_order
from ingest_tui.store.layout import Layout
from ingest_tui.tui.views.jobs.jobs_model import JobRow, parse_row
from ingest_tui.tui.wording import UNREADABLE

Stamp = tuple[int, int, int]

FIRST_SLICE = 100
SLICE = 500
FULL_LOOK_SECONDS = 60.0
_SETTLED_NS = 3_000_000_000
_PAUSE_SECONDS = 0.01
_MOST_WATCHED = 64


@dataclass(frozen=True, slots=True)
class FeedUpdate:
    """What is new since the last update. ``complete``: all jobs have been read once. ``workers`` None: as before.

    ``failure``: why the workspace is not followed right now, empty when it is again; None: as before.
    """

    changed: tuple[JobRow, ...] = ()
    removed: tuple[str, ...] = ()
    sources_changed: bool = False
    documents_changed: bool = False
    workers: tuple[Any, ...] | None = None
    complete: bool = False
    failure: str | None = None

    @property
    def is_news(self) -> bool:
        """Whether there is anything to report."""
        return bool(
            self.changed
            or self.removed
            or self.sources_changed
            or self.documents_changed
            or self.workers is not None
            or self.complete
        )


class Feed:
    """Follows a workspace in a thread of its own and notifies ``listener`` at most once in ``interval`` seconds.

    ``workers`` says who works here; it is asked on each look, in the feed's thread, and may fail.
    """

    def __init__(
        self,
        root: Path,
        listener: Callable[[FeedUpdate], None],
        *,
        workers: Callable[[], list[Any]] | None = None,
        interval: float = 0.25,
        rescan: float = 3.0,
    ) -> None:
        self._layout = Layout(root)
        self._listener = listener
        self._workers = workers
        self._interval = interval
        self._rescan = rescan
        self._stamps: dict[str, Stamp] = {}
        self._active: set[str] = set()
        self._active_rows: dict[str, JobRow] = {}
        self._closed_holds: dict[str, JobRow] = {}
        """Ended jobs whose hold a later look has closed, as their manifests have them: that record may be lost."""
        self._ids: set[str] = set()
        self._jobs_folder_ns = -1
        self._looked_at_all = 0.0
        self._others: dict[str, Any] = {}
        self._reported_workers: tuple[Any, ...] | None = None
        self._complete = False
        self._failure = ""
        self._stop = threading.Event()
        self._wake = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin to follow; the first updates hold the newest jobs."""
        self._thread = threading.Thread(target=self._run, name="feed", daemon=True)
        self._thread.start()

    def stop(self, *, wait: float = 1.0) -> None:
        """Stop following."""
        self._stop.set()
        self._wake.set()
        if self._thread is not None:
            self._thread.join(wait)

    def look_now(self) -> None:
        """Look at everything again without waiting, also at ended jobs."""
        self._looked_at_all = 0.0
        self._jobs_folder_ns = -1
        self._wake.set()

    # One look

    def updates(self) -> Iterator[FeedUpdate]:
        """Look once and yield what is new; in slices, newest jobs first, so that a first look shows something soon."""
        everything = time.monotonic() - self._looked_at_all > FULL_LOOK_SECONDS or not self._looked_at_all
        removed = self._look_at_folder()
        ids = sorted(self._ids if everything else self._active, key=job_order, reverse=True)
        if everything:
            self._looked_at_all = time.monotonic()
        size, start = FIRST_SLICE, 0
        first = self._news_of_others()
        while start < len(ids) or start == 0:
            changed = tuple(self._changed(ids[start : start + size]))
            start, size = start + max(size, 1), SLICE
            last = start >= len(ids)
            update = FeedUpdate(changed, tuple(removed), *first, complete=last and not self._complete)
            self._complete = self._complete or last
            removed, first = [], (False, False, None)
            if update.is_news:
                yield update
        workers = self._news_of_workers()
        if workers is not None:
            yield FeedUpdate(workers=workers)

    def _look_at_folder(self) -> list[str]:
        """Find out which jobs there are; returns those that are gone. Costs one stat when nothing was added."""
        try:
            changed_ns = self._layout.jobs.stat().st_mtime_ns
            if changed_ns == self._jobs_folder_ns:
                return []
            found = {entry.name for entry in os.scandir(self._layout.jobs) if not entry.name.startswith(".")}
        except OSError:
            return []
        # A folder changed within the clock's grain of now may change again without a new stamp.
        self._jobs_folder_ns = changed_ns if posix_ns() - changed_ns > _SETTLED_NS else -1
        gone = sorted(self._ids - found)
        for job_id in gone:
            self._stamps.pop(job_id, None)
            self._active_rows.pop(job_id, None)
            self._closed_holds.pop(job_id, None)
        self._active |= found - self._ids
        self._active -= set(gone)
        self._ids = found
        return gone

    def _changed(self, job_ids: list[str]) -> Iterator[JobRow]:
        for job_id in job_ids:
            try:
                path = self._layout.job(job_id).manifest
                stamp = _stamp(path)
                if stamp is None:
                    continue
                known, closed = self._active_rows.get(job_id), self._closed_holds.get(job_id)
                if closed is not None:
                    known = replace(closed, held=0)
                if stamp == self._stamps.get(job_id):
                    row = closed or known
                else:
                    row = parse_row(job_id, path.read_bytes())
                    self._stamps[job_id] = stamp
                    known = None
            except (OSError, IngestError):
                # Gone meanwhile, or a folder with a foreign name, which is not a job.
                self._active.discard(job_id)
                continue
            if row is None:
                continue
            row, as_written = self._as_it_is(row), row
            if as_written.held and not row.held:
                self._closed_holds[job_id] = as_written
            else:
                self._closed_holds.pop(job_id, None)
            if (row.ended and not row.held) or row.state == UNREADABLE:
                self._active.discard(job_id)
                self._active_rows.pop(job_id, None)
            else:
                self._active.add(job_id)
                self._active_rows[job_id] = row
            if row != known:
                yield row

    def _as_it_is(self, row: JobRow) -> JobRow:
        """Return the row as `services.jobs.get_job` would show the job: its owner may be dead, its hold closed."""
        if row.held and row.ended:
            from ingest_tui.store.records.looks import why_hold_is_closed

            return replace(row, held=0) if why_hold_is_closed(self._layout, row.source_id, row.job_id) else row
        if row.state != "running":
            return row
        from ingest_tui.store.jobs import JobStore

        if not JobStore(self._layout).has_owner(row.job_id):
            return replace(row, state="interrupted")
        return row

    def _news_of_others(self) -> tuple[bool, bool, None]:
        catalogue = self._layout.catalogue
        documents = (_stamp(catalogue), _stamp(catalogue.with_name(catalogue.name + "-wal")))
        return self._is_new("sources", _folder_stamps(self._layout.sources)), self._is_new("documents", documents), None

    def _is_new(self, name: str, value: Any) -> bool:
        known = self._others.get(name)
        self._others[name] = value
        return known is not None and known != value

    def _news_of_workers(self) -> tuple[Any, ...] | None:
        if self._workers is None:
            return None
        try:
            workers = tuple(self._workers())
        except Exception:  # noqa: BLE001 - whatever is wrong shows itself where a person asks for it
            return None
        if workers == self._reported_workers:
            return None
        self._reported_workers = workers
        return workers

    # The thread

    def _run(self) -> None:
        while not self._stop.is_set():
            started = time.monotonic()
            try:
                self._report_updates()
                self._wait(started)
            except Exception as error:  # noqa: BLE001 - a screen that no longer changes must say so, and look again
                self._report_failure(type(error).__name__)
                self._stop.wait(self._rescan)
            else:
                self._report_failure("")

    def _report_updates(self) -> None:
        for update in self.updates():
            if self._stop.is_set():
                return
            self._listener(update)
            self._stop.wait(_PAUSE_SECONDS if not self._complete else 0)

    def _report_failure(self, failure: str) -> None:
        if failure == self._failure or self._stop.is_set():
            return
        self._failure = failure
        if failure:
            self._stamps.clear()
            self.look_now()  # what was seen and not reported is reported with the next look
        with contextlib.suppress(Exception):  # an application that ends takes no messages
            self._listener(FeedUpdate(failure=failure))

    def _wait(self, started: float) -> None:
        """Wait for a change or for the next look, and at least ``interval`` from the start of the last one."""
        if not self._wake.is_set():
            self._wait_for_change()
        self._wake.clear()
        rest = self._interval - (time.monotonic() - started)
        if rest > 0:
            self._stop.wait(rest)

    def _wait_for_change(self) -> None:
        from watchfiles import watch

        paths = [path for path in self._watched() if path.exists()]
        try:
            for _changes in watch(
                *paths,
                watch_filter=None,
                debounce=max(50, int(self._interval * 500)),
                step=50,
                stop_event=self._wake,
                rust_timeout=int(self._rescan * 1000),
                yield_on_timeout=True,
                raise_interrupt=False,
                recursive=False,
            ):
                return
        except (OSError, RuntimeError):
            # No more inotify watches, or a file system without events: looking again is enough.
            self._wake.wait(self._rescan)

    def _watched(self) -> list[Path]:
        """Return the folders in which something can happen; not the thousands of ended jobs."""
        layout = self._layout
        active = [
            layout.job(job_id).folder for job_id in sorted(self._active, key=job_order, reverse=True)[:_MOST_WATCHED]
        ]
        return [layout.jobs, layout.queue, layout.sources, layout.workers, *active]


def _stamp(path: Path) -> Stamp | None:
    try:
        status = os.stat(path)  # noqa: PTH116 - ten thousand times
    except OSError:
        return None
    return status.st_mtime_ns, status.st_size, status.st_ino


def _folder_stamps(folder: Path) -> dict[str, Stamp | None]:
    try:
        return {entry.name: _stamp(Path(entry.path)) for entry in os.scandir(folder)}
    except OSError:
        return {}
