"""Watching sources: events are hints, listing again is the truth, and a file is taken once it is stable."""

from __future__ import annotations

import os
import stat
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from ingest_tui.connectors.local.volumes import read_mounts
from ingest_tui.connectors.registry import serving_class
from ingest_tui.model.errors import IngestError
from ingest_tui.model.source import Source
from ingest_tui.pipeline.connecting import connection
from ingest_tui.store.workspace import Workspace
from ingest_tui.worker.folder_events import in_words, refuse_beyond_limit, why_polled
from ingest_tui.worker.supervision import EventReport, Supervisor

_SOURCES_SECONDS = 2.0
_LONGEST_BURST_SECONDS = 10.0
_HINT_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class Watched:
    """What is watched of a source: a folder, or by its settings something remote. Another one is another watch."""

    folder: str | None
    may_notify: bool = False
    settings: str = ""


class SourceWatch:
    """Watches the sources that have watching on; calls ``due(source)`` when a sync may be due.

    Folders are watched for events and looked at every ``rescan_seconds``; other sources every
    ``remote_rescan_seconds``, and when they send word. One call a burst: after the first event of a source, quiet is
    awaited for the workspace's ``stable_seconds``. Sources that are added, edited or removed while it runs are noticed.
    A look that fails, for whatever reason, is an issue of the ``supervisor`` and is tried again.
    """

    def __init__(
        self,
        workspace: Workspace,
        due: Callable[[Source], None],
        report: EventReport,
        supervisor: Supervisor | None = None,
    ) -> None:
        self._workspace = workspace
        self._due = due
        self._report = report
        self._supervisor = supervisor or Supervisor(report)
        self._stop = threading.Event()
        self._threads: dict[str, tuple[Watched, threading.Event, threading.Thread]] = {}
        self._polled: dict[str, str] = {}
        """By source, why its folder is only looked at."""

    def refresh(self) -> None:
        """Start and end watching as the sources say now; a thread that has ended although nobody asked starts again."""
        wanted = {
            source.source_id: source for source in self._workspace.sources.all() if source.watch and source.enabled
        }
        for source_id, (watched, stop, thread) in list(self._threads.items()):
            source = wanted.get(source_id)
            is_wanted = source is not None and _what_is_watched(source) == watched
            if not is_wanted or not thread.is_alive():
                stop.set()
                del self._threads[source_id]
            if not is_wanted:
                self._supervisor.forget(_watching(source_id))
                self._supervisor.forget(_events_of(source_id))
        for source_id, source in wanted.items():
            what = _what_is_watched(source)
            if source_id in self._threads or what is None:
                continue
            stop = threading.Event()
            thread = threading.Thread(
                target=self._watch, args=(source, what, stop), name=f"watch-{source_id}", daemon=True
            )
            thread.start()
            self._threads[source_id] = (what, stop, thread)

    def restart(self) -> None:
        """Begin again with the settings and credentials of now: each source is looked at."""
        for _what, stop, _thread in self._threads.values():
            stop.set()
        self._threads.clear()
        self.refresh()

    def close(self) -> None:
        """Stop watching."""
        self._stop.set()
        for _what, stop, _thread in self._threads.values():
            stop.set()

    def _watch(self, source: Source, what: Watched, stop: threading.Event) -> None:
        def look_and_wait() -> None:
            looked_at = _identity(what.folder or "")  # before the look: what takes its place meanwhile is another one
            self._due(source)
            if stop.is_set():
                return
            self._supervisor.succeeded(_watching(source.source_id))
            if what.folder is not None:
                self._wait_for_folder(source, what.folder, looked_at, stop)
            else:
                self._wait_for_remote(source, what, stop)

        self._supervisor.repeat(_watching(source.source_id), look_and_wait, stop, source_id=source.source_id)

    def _wait_for_remote(self, source: Source, what: Watched, stop: threading.Event) -> None:
        """Wait after a look at a remote source: for a burst of hints, at most for ``remote_rescan_seconds``."""
        settings = self._workspace.settings
        deadline = time.monotonic() + settings.remote_rescan_seconds
        if what.may_notify:
            self._wait_for_hints(source, stop, deadline, settings.stable_seconds)
        else:
            stop.wait(max(0.0, deadline - time.monotonic()))

    def _wait_for_hints(self, source: Source, stop: threading.Event, deadline: float, quiet_seconds: float) -> None:
        """Return when there was word of a change and it is quiet again, or at the deadline.

        A source that cannot be asked for word is reported and looked at when it is time.
        """
        longest = max(_LONGEST_BURST_SECONDS, quiet_seconds * 5)
        try:
            with connection(self._workspace, source) as connector:
                while not stop.is_set() and (left := deadline - time.monotonic()) > 0:
                    hint = connector.wait_for_hint(min(left, _HINT_SECONDS))
                    if hint is None:
                        break
                    if hint:
                        first_hint = time.monotonic()
                        while time.monotonic() - first_hint < longest and connector.wait_for_hint(quiet_seconds):
                            pass
                        return
        except BaseException as error:  # noqa: BLE001 - looking again must go on, whatever a connector does
            why = error.message if isinstance(error, IngestError) else type(error).__name__
            self._report("the source does not report changes", {"source": source.source_id, "error": why})
        stop.wait(max(0.0, deadline - time.monotonic()))

    def _wait_for_folder(
        self, source: Source, path: str, looked_at: tuple[int, int] | None, stop: threading.Event
    ) -> None:
        """Wait after a look at a folder: for a burst of events, at most for ``rescan_seconds`` whatever events said.

        A folder that is not there is waited for. Where the system sends no events (no more watches, a file system
        without them) the folder is looked at when it is time, and that is an issue. One on a network file system is
        only looked at: what others write there sends no events.
        """
        events = _events_of(source.source_id)
        settings = self._workspace.settings
        deadline = time.monotonic() + settings.rescan_seconds
        network = why_polled(read_mounts(), os.path.realpath(os.fsencode(path)))
        if network:
            self._say_once(source.source_id, f"{network}, looked at every {settings.rescan_seconds:g} s")
            stop.wait(max(0.0, deadline - time.monotonic()))
            return
        try:
            if Path(path).is_dir():
                self._wait_for_burst(path, looked_at, stop, deadline, settings.stable_seconds, events)
                return
        except (OSError, RuntimeError) as error:
            if Path(path).is_dir():
                message = f"{in_words(error)}; looked at every {settings.rescan_seconds:g} s"
                self._supervisor.failed(events, message, level="warning", source_id=source.source_id)
                stop.wait(max(0.0, deadline - time.monotonic()))
                return
        if looked_at is not None:
            return  # it went while it was looked at, or right after
        while not stop.is_set() and not Path(path).is_dir() and (left := deadline - time.monotonic()) > 0:
            stop.wait(min(_SOURCES_SECONDS, left))

    def _say_once(self, source_id: str, why: str) -> None:
        """Report why a folder is not watched for events, when that is new."""
        if self._polled.get(source_id) != why:
            self._polled[source_id] = why
            self._report("events are not waited for", {"source": source_id, "why": why})

    def _is_foreign(self, _change: object, path: str) -> bool:
        """Leave out what the workspace itself writes, where it lies inside a source."""
        root = str(self._workspace.root)
        return path != root and not path.startswith(f"{root}/")

    def _wait_for_burst(
        self,
        path: str,
        looked_at: tuple[int, int] | None,
        stop: threading.Event,
        deadline: float,
        quiet_seconds: float,
        events: str,
    ) -> None:
        """Return when something happened and it is quiet again, or at the deadline.

        Where it never gets quiet (a log that grows) it returns after a while all the same: the planner leaves alone
        what has just changed, and takes the rest.
        """
        from watchfiles import watch

        first_event: float | None = None
        last_event: float | None = None
        longest = max(_LONGEST_BURST_SECONDS, quiet_seconds * 5)
        step = 50
        checked_at = float("-inf")
        has_all_watches = False
        for changes in watch(
            path,
            stop_event=stop,
            debounce=200,
            step=20,
            rust_timeout=step,
            yield_on_timeout=True,
            watch_filter=self._is_foreign,
            ignore_permission_denied=True,
        ):
            moment = time.monotonic()
            if not has_all_watches:
                refuse_beyond_limit(path)
                has_all_watches = True
            self._supervisor.succeeded(events)
            if moment - checked_at > _SOURCES_SECONDS:
                checked_at = moment
                if _identity(path) != looked_at:
                    return  # another folder, or none, has its name by now: the events would be those of the old one
            if changes:
                last_event = moment
                first_event = first_event or moment
            if last_event is not None and moment - last_event >= quiet_seconds:
                return
            if first_event is not None and moment - first_event >= longest:
                return
            if moment >= deadline:
                return


def _identity(path: str) -> tuple[int, int] | None:
    """Return what distinguishes a folder from another one of its name; None where there is no folder."""
    try:
        status = Path(path).stat()
    except OSError:
        return None
    return (status.st_dev, status.st_ino) if stat.S_ISDIR(status.st_mode) else None


def _watching(source_id: str) -> str:
    return f"watch of {source_id}"


def _events_of(source_id: str) -> str:
    return f"events of {source_id}"


def _what_is_watched(source: Source) -> Watched | None:
    """Return what to watch of a source; None when it cannot be watched, or its settings are wrong."""
    try:
        kind = serving_class(source.source_type, source.source_config)
        if kind.capabilities.watches_paths:
            folder = kind(source.source_config).watch_path()
            return None if folder is None else Watched(folder)
        if kind.capabilities.remote or kind.capabilities.notifies:
            return Watched(None, kind.capabilities.notifies, repr(source.source_config))
    except (IngestError, ValueError):
        pass
    return None
