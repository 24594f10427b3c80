"""Watching sources: events are hints, listing again is the truth, and a file is taken once it is stable."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ingest_tui.connectors.registry import connector_class
from ingest_tui.model.errors import IngestError
from ingest_tui.model.source import Source
from ingest_tui.pipeline.connecting import connect
from ingest_tui.store.workspace import Workspace

_SOURCES_SECONDS = 2.0
_LONGEST_BURST_SECONDS = 10.0
_HINT_SECONDS = 10.0
Report = Callable[[str, dict[str, Any]], None]


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
    """

    def __init__(self, workspace: Workspace, due: Callable[[Source], None], report: Report) -> None:
        self._workspace = workspace
        self._due = due
        self._report = report
        self._stop = threading.Event()
        self._threads: dict[str, tuple[Watched, threading.Event, threading.Thread]] = {}

    def refresh(self) -> None:
        """Start and end watching as the sources say now."""
        wanted = {
            source.source_id: source for source in self._workspace.sources.all() if source.watch and source.enabled
        }
        for source_id, (watched, stop, _thread) in list(self._threads.items()):
            source = wanted.get(source_id)
            if source is None or _what_is_watched(source) != watched:
                stop.set()
                del self._threads[source_id]
        for source_id, source in wanted.items():
            what = _what_is_watched(source)
            if source_id in self._threads or what is None:
                continue
            stop = threading.Event()
            run = self._watch_folder if what.folder is not None else self._watch_remote
            thread = threading.Thread(target=run, args=(source, what, stop), daemon=True)
            self._threads[source_id] = (what, stop, thread)
            thread.start()

    def close(self) -> None:
        """Stop watching."""
        self._stop.set()
        for _what, stop, _thread in self._threads.values():
            stop.set()

    def _watch_remote(self, source: Source, what: Watched, stop: threading.Event) -> None:
        """One remote source: a look at the start, after each burst of hints, and every ``remote_rescan_seconds``."""
        settings = self._workspace.settings
        while not stop.is_set():
            self._due(source)
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
            connector = connect(self._workspace, source)
            while not stop.is_set() and (left := deadline - time.monotonic()) > 0:
                hint = connector.wait_for_hint(min(left, _HINT_SECONDS))
                if hint is None:
                    break
                if hint:
                    first_hint = time.monotonic()
                    while time.monotonic() - first_hint < longest and connector.wait_for_hint(quiet_seconds):
                        pass
                    return
        except Exception as error:  # noqa: BLE001 - looking again must go on, whatever a connector does
            why = error.message if isinstance(error, IngestError) else type(error).__name__
            self._report("the source sends no word of changes", {"source": source.source_id, "error": why})
        stop.wait(max(0.0, deadline - time.monotonic()))

    def _watch_folder(self, source: Source, what: Watched, stop: threading.Event) -> None:
        """One folder: a look at the start, after each burst, and every ``rescan_seconds`` whatever events said."""
        path = what.folder or ""
        settings = self._workspace.settings
        self._due(source)
        while not stop.is_set():
            if not Path(path).is_dir():
                stop.wait(_SOURCES_SECONDS)
                continue
            deadline = time.monotonic() + settings.rescan_seconds
            self._wait_for_burst(path, stop, deadline, settings.stable_seconds)
            if not stop.is_set():
                self._due(source)

    def _is_foreign(self, _change: object, path: str) -> bool:
        """Leave out what the workspace itself writes, where it lies inside a source."""
        root = str(self._workspace.root)
        return path != root and not path.startswith(f"{root}/")

    def _wait_for_burst(self, path: str, stop: threading.Event, deadline: float, quiet_seconds: float) -> None:
        """Return when something happened and it is quiet again, or at the deadline.

        Where it never gets quiet (a log that grows) it returns after a while all the same: the planner leaves alone
        what has just changed, and takes the rest.
        """
        from watchfiles import watch

        first_event: float | None = None
        last_event: float | None = None
        longest = max(_LONGEST_BURST_SECONDS, quiet_seconds * 5)
        step = 50
        try:
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
                if changes:
                    last_event = moment
                    first_event = first_event or moment
                if last_event is not None and moment - last_event >= quiet_seconds:
                    return
                if first_event is not None and moment - first_event >= longest:
                    return
                if moment >= deadline:
                    return
        except (OSError, RuntimeError):
            stop.wait(min(_SOURCES_SECONDS, max(0.0, deadline - time.monotonic())))


def _what_is_watched(source: Source) -> Watched | None:
    """Return what to watch of a source; None when it cannot be watched, or its settings are wrong."""
    try:
        kind = connector_class(source.source_type)
        if kind.capabilities.watches_paths:
            folder = kind(source.source_config).watch_path()
            return None if folder is None else Watched(folder)
        if kind.capabilities.remote:
            return Watched(None, kind.capabilities.notifies, repr(source.source_config))
    except (IngestError, ValueError):
        pass
    return None
