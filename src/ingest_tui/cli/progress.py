"""Progress bars on a terminal: one for each phase, with rate and ETA. Nothing when stderr is piped."""

from __future__ import annotations

import sys
import time
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from ingest_tui.cli import diagnostics, output
from ingest_tui.cli.verbosity import followed_level, is_quiet
from ingest_tui.model.safe_text import safe_display

if TYPE_CHECKING:
    from ingest_tui.model.job import Manifest, ParsingItem
    from ingest_tui.services.client import Client

_NAMES = {"list": "list", "stage": "fetch", "extract": "extract", "commit": "commit", "embed": "embed"}
_SECONDS_BETWEEN = 0.2
_LONG_SECONDS, _NAME_SHOWN = 3.0, 40
"""From when on a progress bar names what is being parsed, and in how many characters."""


def warnings_line(manifest: Manifest, program: str = "ingest-tui") -> str:
    """Report how many items have findings of validators, and the command that lists them."""
    number = manifest.counters.items_with_warnings
    return f"{number} with warnings: {program} job items {manifest.job_id} --warnings"


class JobProgress:
    """Shows a job's phases while it runs."""

    def __init__(self, *, wanted: bool = True) -> None:
        self._progress: Any = None
        self._bars: dict[str, Any] = {}
        self._said: str | None = None
        if wanted and sys.stderr.isatty() and not is_quiet():
            self._progress = _make_progress()

    def __enter__(self) -> Self:
        if self._progress is not None:
            self._progress.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        if self._progress is not None:
            self._progress.stop()

    def show(self, manifest: Manifest) -> None:
        """Draw the state of a job; say once when it is paused, and why."""
        self._say_why_it_waits(manifest)
        if self._progress is None:
            return
        for name, phase in manifest.phases.items():
            if phase.state == "pending":
                continue
            if name not in self._bars:
                self._bars[name] = self._progress.add_task(_NAMES.get(name, name), total=phase.total, note="")
            note = _note(manifest, name)
            self._progress.update(self._bars[name], completed=phase.done, total=phase.total, note=note)

    def _say_why_it_waits(self, manifest: Manifest) -> None:
        at = manifest.transitions[-1].at if manifest.state == "paused" else None
        if at is not None and at != self._said:
            diagnostics.say(f"job {manifest.job_id} is paused: {why_it_is_paused(manifest)}")
        self._said = at


class FollowedLog:
    """Writes the log of a job to stderr while it is followed, with --verbose; -vv: debug lines, too."""

    def __init__(self, client: Client, job_id: str) -> None:
        self._level = followed_level()
        self._client, self._job_id, self._offset = client, job_id, 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_how: object) -> None:
        self.show()

    def show(self) -> None:
        """Write what was logged since the last time."""
        if not self._level:
            return
        for record, end in self._client.jobs.log(self._job_id, self._offset, level=self._level):
            self._offset = end
            diagnostics.say(output.log_line(record, without={"job"}))


class LineProgress:
    """Shows how far something is that is no job, in one line: what, how many, and of how many (0: unknown)."""

    def __init__(self) -> None:
        self._what = ""
        self._last = 0.0

    def __call__(self, what: str, done: int, total: int) -> None:
        """Show it: something else at once, the same a few times a second."""
        if what != self._what or time.monotonic() - self._last > _SECONDS_BETWEEN:
            self._what, self._last = what, time.monotonic()
            diagnostics.show_progress(f"{what} {done:,}{f' of {total:,}' if total else ''} …")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        diagnostics.show_progress("")


def parsing_lines(manifest: Manifest) -> list[str]:
    """Return what is being parsed, the longest first: the item, for how long, and the process that parses it."""
    from ingest_tui.model.clock import posix_seconds

    now = posix_seconds()
    return [f"{item.key} for {item.seconds(now):.0f} s, pid {item.pid}" for item in manifest.parsing]


def why_it_is_paused(manifest: Manifest) -> str:
    """Return why a paused job is paused, and what resumes it."""
    if manifest.waits_for_space:
        return "the disk is full; it resumes by itself once there is room"
    return f"{manifest.transitions[-1].reason}; 'ingest-tui job resume {manifest.job_id}' resumes it"


def _note(manifest: Manifest, phase: str) -> str:
    if phase == "extract" and manifest.parsing:
        return _long_parsing(manifest.parsing[0])
    if phase != manifest.phase_names[-1] or manifest.ended:
        return ""
    progress = manifest.progress
    if manifest.state == "paused":
        return "paused"
    import humanize

    remaining = f", about {progress.eta_seconds:.0f} s left" if progress.eta_seconds else ""
    throttled = f", {progress.throttled_seconds:.0f} s throttled" if progress.throttled_seconds >= 1 else ""
    speed = f", {humanize.naturalsize(progress.bytes_per_second)}/s" if phase == "commit" else ""
    return f"{progress.items_per_second:.0f}/s{speed}{remaining}{throttled}"


def _long_parsing(item: ParsingItem) -> str:
    """Return the item that has been parsed for longest, once it is worth a word."""
    from ingest_tui.model.clock import posix_seconds

    seconds = item.seconds(posix_seconds())
    return f"{safe_display(item.key, limit=_NAME_SHOWN)} for {seconds:.0f} s" if seconds >= _LONG_SECONDS else ""


def _make_progress() -> Any:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    return Progress(
        TextColumn("{task.description:>8}", markup=False),
        BarColumn(bar_width=30),
        MofNCompleteColumn(),
        TextColumn("{task.fields[note]}", markup=False),
        console=Console(stderr=True, highlight=False),
        transient=False,
        refresh_per_second=4,
    )
