"""A view of a text: ``/`` finds in it, ``n`` and ``N`` go on, and the border says where one reads."""

from __future__ import annotations

from textual import on
from textual.widgets import Input

from ingest_tui.tui import wording
from ingest_tui.tui.views.base.view_screen import ViewScreen
from ingest_tui.tui.widgets.text import TextLines


class TextView(ViewScreen):
    """A view whose main widget is `TextLines`. The field that filters lists finds here: nothing is left out."""

    @property
    def title_of_text(self) -> str:
        """What the border calls it."""
        return "text"

    @property
    def text(self) -> TextLines:
        """What is shown."""
        return self.query_one(f"#{self.main_id}", TextLines)

    @property
    def is_finding(self) -> bool:
        """Whether something is looked for, which Esc ends first."""
        return bool(self.words) or self.has_class("-filtering")

    def on_mount(self) -> None:
        """Say what the field is for."""
        super().on_mount()
        self.query_one("#filter", Input).placeholder = "find: enter goes there, n and N go on"

    def start_find(self) -> None:
        """Open the field for what to find."""
        self.start_filter()

    def rows_changed(self) -> None:
        """Set off what is looked for, and go to the first of it from here on."""
        self.text.find([self.words])

    def find_next(self) -> None:
        """Go on to the next line that has what is looked for."""
        self._find_again(1)

    def find_previous(self) -> None:
        """Go back to the line before that has it."""
        self._find_again(-1)

    def _find_again(self, steps: int) -> None:
        if not self.text.find_again(steps):
            self.show_notice(*wording.NOTHING_FOUND)

    @on(TextLines.Moved)
    def say_position(self) -> None:
        """Say in the border where one reads."""
        if self.is_whole:
            self.say_panel(self.title_of_text, self.text.position)

    def toggle_wrap(self) -> None:
        """Wrap long lines, or cut them."""
        self.text.toggle_wrap()

    def toggle_numbers(self) -> None:
        """Number the lines, or do not."""
        self.text.toggle_numbers()
