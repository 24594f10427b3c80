"""A view of what grows at its end: it reads on from where it is, while it is shown."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

from ingest_tui.tui.views.base.view_screen import ViewScreen


class FollowingScreen(ViewScreen):
    """A subclass reads with what `reading` returns, takes the answer with `take`, and shows with `show_lines`."""

    look_seconds: ClassVar[float] = 2.0

    def __init__(self) -> None:
        super().__init__()
        self._is_reading = False
        self._has_answer = False

    def reading(self) -> Callable[[], Any]:
        """Return what reads the lines that are new, in a thread."""
        raise NotImplementedError

    def take(self, answer: Any) -> None:
        """Take what `reading` has read."""
        raise NotImplementedError

    def show_lines(self) -> None:
        """Show the lines that pass the filter."""
        raise NotImplementedError

    def on_mount(self) -> None:
        """Look for new lines while the view is shown."""
        self.set_interval(self.look_seconds, self._look)

    def catch_up(self) -> None:
        """Show what is known, and read on; at first what is typed waits for the lines that it is meant for."""
        self.show_lines()
        self.read()
        if not self._has_answer:
            self.wait_for(self.view)

    def rows_changed(self) -> None:
        """Show the lines that pass the filter now."""
        self.show_lines()

    def _look(self) -> None:
        if self.is_current:
            self.read()

    def read(self) -> None:
        """Read what is new, unless that is being done."""
        if not self._is_reading:
            self._is_reading = True
            self.ask(self.reading(), self._arrived, group=self.view, otherwise=self._could_not_read)

    def _arrived(self, answer: Any) -> None:
        was_unread = bool(self.why_unread)
        self._is_reading, self._has_answer, self.why_unread = False, True, []
        self.take(answer)
        if was_unread:
            self.show_lines()

    def _could_not_read(self, message: str, hint: str) -> None:
        """Say what is in the way, where nothing was read yet in the place of the lines; it is read again soon."""
        self._is_reading = False
        self.why_unread = [f"! {message}", f"  {hint}"]
        if not self._has_answer:
            self.show_lines()
        self.say_hint(f"{message} {hint}", "bad")
