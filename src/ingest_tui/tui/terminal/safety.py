"""The text between foreign data, a broken terminal, and the people who look at the screen.

Measured with Textual 8.2.8: a file name that holds an escape sequence reaches the terminal through every widget, one
input byte that is not UTF-8 ends the application, and a terminal that went away makes it spin on a core.
"""

from __future__ import annotations

import os
import select
import sys
import threading
import traceback
from collections.abc import Callable
from functools import lru_cache
from pathlib import PurePath

from rich.segment import Segment
from textual.color import Color
from textual.filter import LineFilter

from ingest_tui.model.errors import IngestError
from ingest_tui.model.safe_text import safe_display

LOST_TERMINAL_EXIT = 129  # 128 + SIGHUP, as a shell reports it


@lru_cache(4096)
def strip_acting(text: str) -> str:
    """Return ``text`` without the characters that act on a terminal; lone surrogates become ``?``.

    Controls and bidirectional marks are zero cells wide to the layout, so that dropping them moves nothing.
    """
    if text.isascii() and text.isprintable():
        return text
    return "".join(_kept(character) for character in text)


@lru_cache(4096)
def _kept(character: str) -> str:
    if safe_display(character) == character:
        return character
    return "?" if "\ud800" <= character <= "\udfff" else ""


class ActingCharacters(LineFilter):
    """The last line of defence: whatever a widget was given, no data-born control character leaves the application."""

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        """Return the segments with their text cleaned; called for each painted line."""
        del background
        for segment in segments:
            if not segment.control and strip_acting(segment.text) != segment.text:
                break
        else:
            return segments
        return [
            segment if segment.control else Segment(strip_acting(segment.text), segment.style) for segment in segments
        ]


def terminal_is_usable() -> bool:
    """Tell whether there is a terminal that can show a full screen; Textual itself does not refuse."""
    streams = (sys.__stdin__, sys.__stderr__)
    return os.environ.get("TERM", "dumb") not in {"", "dumb"} and all(
        stream is not None and stream.isatty() for stream in streams
    )


class TerminalWatch:
    """Notices that the terminal is gone and ends the process: first with a request, then by force.

    With SIGHUP ignored (nohup, some supervisors) nothing else would: reads return at once with nothing, the writer
    thread dies, and leaving the application waits for it. Jobs are not in this process, so nothing is lost.
    """

    def __init__(self, descriptor: int, leave: Callable[[], None], *, every: float = 1.0, grace: float = 1.0) -> None:
        self._descriptor = descriptor
        self._leave = leave
        self._every = every
        self._grace = grace
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="terminal-watch", daemon=True)

    def start(self) -> None:
        """Begin to look, about once a second."""
        self._thread.start()

    def stop(self) -> None:
        """Stop looking."""
        self._stop.set()

    def _watch(self) -> None:
        poll = select.poll()
        poll.register(self._descriptor, 0)
        while not self._stop.wait(self._every):
            if any(event & (select.POLLHUP | select.POLLERR | select.POLLNVAL) for _fd, event in poll.poll(0)):
                self.lost()
                return

    def lost(self) -> None:
        """The terminal is gone: ask the application to leave, and end the process when it cannot."""
        end_for_certain(LOST_TERMINAL_EXIT, after=self._grace)
        self._leave()


def end_for_certain(code: int, *, after: float) -> None:
    """End the process after so many seconds whatever its threads wait for, unless it has ended by itself."""
    timer = threading.Timer(after, os._exit, (code,))
    timer.daemon = True
    timer.start()


def crash_report(error: BaseException, *, frames: int = 6) -> list[str]:
    """Return lines that say where the program failed, without values: no locals, no foreign text, no secrets."""
    if isinstance(error, IngestError):
        lines = [f"error: {safe_display(error.message)}"]
        return [*lines, f"hint: {safe_display(error.hint)}"] if error.hint else lines
    lines = [f"error: the screen failed ({type(error).__name__})"]
    lines += [
        f"  {'/'.join(PurePath(frame.filename).parts[-2:])}:{frame.lineno} in {frame.name}"
        for frame in traceback.extract_tb(error.__traceback__)[-frames:]
    ]
    return [*lines, "hint: jobs keep running without it; start 'ingest-tui' again, and report the lines above"]
