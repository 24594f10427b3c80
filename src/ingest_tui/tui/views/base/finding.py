"""A view of lines that a person finds words in, besides filtering: ``/``, ``n``, ``N``, and Esc ends it."""

from __future__ import annotations

from textual.widgets import Input

from ingest_tui.tui import wording
from ingest_tui.tui.views.base.view_screen import ViewScreen
from ingest_tui.tui.widgets.text import TextLines


class FindingScreen(ViewScreen):
    """One field for both: it filters, or finds in `lines_searched`. What is looked for goes first with Esc."""

    def __init__(self) -> None:
        super().__init__()
        self.finds = False
        """Whether the field was opened to find, rather than to filter."""
        self.looked_for = ""

    @property
    def lines_searched(self) -> TextLines:
        """The lines that words are found in."""
        raise NotImplementedError

    def say_lines(self) -> None:
        """Say in the border of the lines what was found."""

    def words_of_filter(self) -> list[str]:
        """What is set off in the lines while nothing is looked for."""
        return []

    def start_find(self) -> None:
        """Open the field for what to find in the lines that are shown."""
        self._open_field(finds=True, text=self.looked_for)

    def start_filter(self) -> None:
        """Open the field for what to show."""
        self._open_field(finds=False, text=self.words)

    def _open_field(self, *, finds: bool, text: str) -> None:
        super().start_filter()
        self.finds = finds
        entry = self.query_one("#filter", Input)
        entry.placeholder = "find: enter goes there, n and N go on" if finds else "filter"
        entry.value = text
        entry.cursor_position = len(text)

    def words_typed(self, words: str) -> None:
        """Find the words, or filter by them."""
        if self.finds:
            self.looked_for = words
            self.mark_found(go=True)
        else:
            super().words_typed(words)

    def focus_main(self) -> None:
        """Go on in the lines where the field has found in them."""
        if self.finds and self.is_whole:
            self.lines_searched.focus()
        else:
            super().focus_main()

    def close_filter(self) -> None:
        """End the finding first, then the filter."""
        if self.looked_for or (self.finds and self.has_class("-filtering")):
            self.looked_for = ""
            self.remove_class("-filtering")
            self.focus_main()
            self.finds = False
            self.mark_found(go=False)
        else:
            super().close_filter()

    def go_back(self) -> None:
        """End the finding, then as in every view."""
        if self.looked_for:
            self.close_filter()
        else:
            super().go_back()

    def mark_found(self, *, go: bool) -> None:
        """Set off what is looked for, else the words of the filter."""
        self.lines_searched.find([self.looked_for] if self.looked_for else self.words_of_filter(), go=go)
        self.say_lines()

    def find_next(self) -> None:
        """Go on to the next line that has what is looked for."""
        self._find_again(1)

    def find_previous(self) -> None:
        """Go back to the line before that has it."""
        self._find_again(-1)

    def _find_again(self, steps: int) -> None:
        if not self.lines_searched.find_again(steps):
            self.show_notice(*wording.NOTHING_FOUND)
