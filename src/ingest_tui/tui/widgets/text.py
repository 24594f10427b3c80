"""Many lines of text: the log of a job, the text of a document. Draws only the lines in view."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import ClassVar

from rich.cells import cell_len, chop_cells
from rich.segment import Segment
from textual.geometry import Region, Size
from textual.scroll_view import ScrollView
from textual.strip import Strip

from ingest_tui.model.safe_text import safe_display
from ingest_tui.tui.widgets.columns import fit

TonedLines = list[str | tuple[str, str]]
"""Lines to show, each a text or a text and its tone."""

MOST_LINES = 20_000


def wrap_words(text: str, width: int) -> list[str]:
    """Return ``text`` in pieces of at most ``width`` cells, broken after a space where one is near enough."""
    pieces: list[str] = []
    while cell_len(text) > width:
        piece = chop_cells(text, width)[0]
        space = piece.rfind(" ") + 1
        if space > len(piece) // 2:
            piece = piece[:space]
        pieces.append(piece)
        text = text[len(piece) :]
    return [*pieces, text] if text else pieces


class TextLines(ScrollView, can_focus=True):
    """Lines with wrapping, and with following: new lines pull the view along until a person scrolls up."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "text--good",
        "text--bad",
        "text--warn",
        "text--quiet",
        "text--hit",
        "text--head",
    }
    DEFAULT_CSS = """
    TextLines {
        height: 1fr; background: $background; overflow-x: hidden; overflow-y: scroll; scrollbar-size-vertical: 1;
        & > .text--good { color: $text-success; }
        & > .text--bad { color: $text-error; }
        & > .text--warn { color: $text-warning; }
        & > .text--quiet { color: $text-muted; }
        & > .text--hit { text-style: bold reverse; }
        & > .text--head { text-style: bold; color: $text-accent; }
    }
    """

    cells_before: ClassVar[int] = 0  # cells that a subclass puts before each line

    def __init__(self, *, follow: bool = False, id: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id)
        self.follow = follow
        self.wrap = True
        self._source: list[tuple[str, str]] = []
        self._lines: list[tuple[str, str]] = []
        self._wrapped_at = 0
        self.unseen = 0

    @property
    def line_width(self) -> int:
        """The cells of a line, without the scrollbar."""
        return int(self.scrollable_content_region.width)

    def show(self, lines: Iterable[str | tuple[str, str]]) -> None:
        """Show other lines, each a text or a text and its tone: the component classes without ``text--``."""
        self._source = []
        self._lines = []
        self.unseen = 0
        self.append(lines)
        self.unseen = 0
        self.refresh()  # fewer lines than before leave room that has to be cleared
        if not self.follow:
            self.scroll_to(y=0, animate=False, immediate=True)

    def append(self, lines: Iterable[str | tuple[str, str]]) -> None:
        """Add lines below."""
        added = [(line, "") if isinstance(line, str) else line for line in lines]
        at_end, top, known = self.scroll_offset.y >= self.max_scroll_y, self.scroll_offset.y, len(self._lines)
        self._source += added
        if len(self._source) > MOST_LINES:
            self._source = self._source[-MOST_LINES:]
            self._wrap_all()
            known = 0
        else:
            self._lines += self._wrapped(added)
        self._grow()
        if self.follow and at_end:
            self.unseen = 0
            self.scroll_end(animate=False, immediate=True)
        else:
            self.unseen += len(added)
        if self.scroll_offset.y == top:
            self.refresh(Region(0, known - top, self.size.width, max(0, len(self._lines) - known)))
        else:
            self.refresh()

    def _grow(self) -> None:
        """Take the new height without a new layout, which would repaint the whole screen for each line that comes."""
        self.set_reactive(TextLines.virtual_size, Size(self.line_width, len(self._lines)))
        self.vertical_scrollbar.window_virtual_size = max(len(self._lines), self.size.height)

    @property
    def plain(self) -> str:
        """The text that is held, for people who look for something in it."""
        return "\n".join(text for text, _tone in self._source)

    def move(self, lines: int) -> None:
        """Scroll by so many lines."""
        self.scroll_to(y=self.scroll_offset.y + lines, animate=False, immediate=True)

    def move_page(self, pages: int) -> None:
        """Scroll by screenfuls."""
        self.move(pages * max(1, self.size.height - 1))

    def move_to_end(self, *, first: bool) -> None:
        """Scroll to the beginning or to the end."""
        self.scroll_to(y=0 if first else self.max_scroll_y, animate=False, immediate=True)

    def move_to_words(self, words: Sequence[str]) -> None:
        """Scroll to the first line that holds one of the words (in lower case); stay at the top when none does."""
        for number, (text, _tone) in enumerate(self._lines if words else ()):
            if any(word in text.lower() for word in words):
                self.scroll_to(y=max(0, number - 2), animate=False, immediate=True)
                return

    def toggle_wrap(self) -> None:
        """Wrap long lines, or cut them."""
        self.wrap = not self.wrap
        self._wrap_all()
        self.virtual_size = Size(self.line_width, len(self._lines))
        self.refresh()

    def on_resize(self) -> None:
        """Wrap for the new width."""
        if self.line_width != self._wrapped_at:
            self._wrap_all()
        self.virtual_size = Size(self.line_width, len(self._lines))
        if self.follow:
            self.scroll_end(animate=False, immediate=True)

    def _wrap_all(self) -> None:
        self._wrapped_at = self.line_width
        self._lines = self._wrapped(self._source)

    def _wrapped(self, lines: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
        width = self.line_width - self.cells_before
        wrapped = []
        for text, tone in lines:
            clean = safe_display(text.expandtabs(4))
            if not self.wrap or width <= 0 or cell_len(clean) <= width:
                wrapped.append((clean, tone))
            else:
                wrapped += [(piece, tone) for piece in wrap_words(clean, width)]
        return wrapped

    def render_line(self, y: int) -> Strip:
        """Return one line in view."""
        width = self.line_width
        position = y + self.scroll_offset.y
        text, tone = self._lines[position] if position < len(self._lines) else ("", "")
        style = self.rich_style
        if tone:
            style += self.get_component_rich_style(f"text--{tone}", partial=True)
        return Strip([Segment(fit(text, width), style)], width)
