"""Folder watch: events are hints, a rescan is the truth, and a file is taken once it is stable."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path

from ingest_tui.connectors.registry import connector_class
from ingest_tui.model.errors import IngestError
from ingest_tui.model.source import Source
from ingest_tui.store.workspace import Workspace

_SOURCES_SECONDS = 2.0
_LONGEST_BURST_SECONDS = 10.0


class FolderWatch:
    """Watches the local sources that have watching on; calls ``due(source)`` when a sync is due.

    One call a burst: after the first event of a source, quiet is awaited for the workspace's ``stable_seconds``.
    Sources that are added, edited or removed while it runs are noticed.
    """

    def __init__(self, workspace: Workspace, due: Callable[[Source], None]) -> None:
        self._workspace = workspace
        self._due = due
        self._stop = threading.Event()
        self._threads: dict[str, tuple[str, threading.Event, threading.Thread]] = {}

    def refresh(self) -> None:
        """Start and end watching as the sources say now."""
        wanted = {
            source.source_id: source for source in self._workspace.sources.all() if source.watch and source.enabled
        }
        for source_id, (path, stop, _thread) in list(self._threads.items()):
            source = wanted.get(source_id)
            if source is None or _path_of(source) != path:
                stop.set()
                del self._threads[source_id]
        for source_id, source in wanted.items():
            folder = _path_of(source)
            if source_id in self._threads or folder is None:
                continue
            stop = threading.Event()
            thread = threading.Thread(target=self._watch, args=(source, folder, stop), daemon=True)
            self._threads[source_id] = (folder, stop, thread)
            thread.start()

    def close(self) -> None:
        """Stop watching."""
        self._stop.set()
        for _path, stop, _thread in self._threads.values():
            stop.set()

    def _watch(self, source: Source, path: str, stop: threading.Event) -> None:
        """One source: a sync at the start, after each burst, and every ``rescan_seconds`` whatever events said."""
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


def _path_of(source: Source) -> str | None:
    try:
        connector = connector_class(source.source_type)
        if not connector.capabilities.watches_paths:
            return None
        return connector(source.source_config).watch_path()
    except (IngestError, ValueError):
        return None
