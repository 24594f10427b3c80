"""Notices in the place of the hint: whatever is said of something that happened covers no row."""

from __future__ import annotations

from collections.abc import Sequence

from textual.content import Content
from textual.notifications import Notification

from ingest_tui.tui.widgets.line import Line

_MOST = 3
_MARKS = {"error": (" ! ", "$text-error"), "warning": (" ? ", "$text-warning"), "information": (" ", "bold")}


class NoticeLine(Line):
    """The notices that have not run out, the newest last; as high as they need. Hidden while there are none."""

    DEFAULT_CSS = """
    NoticeLine { display: none; height: auto; max-height: 5; text-wrap: wrap; text-overflow: fold; }
    """

    def show(self, notices: Sequence[Notification]) -> None:
        """Show the newest of these."""
        content = Content("\n").join(_content(one) for one in notices[-_MOST:])
        height_may_change = content.plain != self.said
        self.say(content)
        self.display = bool(notices)
        if height_may_change:
            self.refresh(layout=True)


def _content(notice: Notification) -> Content:
    mark, tone = _MARKS[notice.severity]
    return Content.assemble((f"{mark}{'  '.join(notice.message.splitlines())}", tone))
