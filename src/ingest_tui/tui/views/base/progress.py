"""What an action that runs in a thread says of how far it is."""

from __future__ import annotations

import time
from collections.abc import Callable

from ingest_tui.tui.background.messages import Answered
from ingest_tui.tui.views.base.view_screen import ViewScreen

_SHOWN_EVERY_SECONDS = 0.25


class ShownProgress(ViewScreen):
    """``in_progress`` is what an action that runs says of how far it is."""

    in_progress = ""

    def shown_progress(self) -> Callable[[str, int, int], None]:
        """Return what an action calls in its thread: it says "exported: N of M" a few times a second."""
        shown, shown_at = "", 0.0

        def say(progress: tuple[str, int, int]) -> None:
            done, number, total = progress
            self.in_progress = f"{done}: {number:,} of {total:,}"
            self.say_hint(self.in_progress)

        def report_progress(done: str, number: int, total: int) -> None:
            nonlocal shown, shown_at
            if done != shown or time.monotonic() - shown_at >= _SHOWN_EVERY_SECONDS:
                shown, shown_at = done, time.monotonic()
                self.post_message(Answered(say, (done, number, total)))

        return report_progress

    def end_progress(self) -> None:
        """Say no more how far it is."""
        self.in_progress = ""
        self.say_hint("")

    def failed_in_progress(self, message: str, hint: str) -> None:
        """Say why what was in progress has failed."""
        self.end_progress()
        self.show_notice(message, hint, bad=True)
