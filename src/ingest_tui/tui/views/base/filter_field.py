"""The field that narrows a list down while a person types, and how typed keys find their way into fields."""

from __future__ import annotations

from textual import events, on
from textual.widgets import Input

from ingest_tui.tui.views.base.view_lines import ViewLines
from ingest_tui.tui.widgets.command_line import CommandLine
from ingest_tui.tui.widgets.table import VirtualTable

_OPENERS = {"command", "filter", "log.filter", "find"}


class FilterField(ViewLines):
    """A view with a hidden field. The cursor stays on its row, whatever the filter does."""

    def __init__(self) -> None:
        super().__init__()
        self._row_before_filter = ""

    def show_words(self, words: str) -> None:
        """Show what these words find: by the filter, where a view has nothing better."""
        self.words = words
        self.rows_changed()

    def on_key(self, event: events.Key) -> None:
        """Keep keys in their order that come in bunches, as on a slow link.

        Bindings wait until a key has gone through all widgets; what is typed after a ``:`` would overtake it. So the
        keys that open a field act here, and a field gets the letters that were typed before it had the focus.
        """
        if isinstance(self.focused, Input):
            if event.is_printable and event.character:
                event.stop()
                self.focused.insert_text_at_cursor(event.character)
            elif isinstance(self.focused, CommandLine) and event.key in CommandLine.own_keys:
                event.stop()
                self.focused.press(event.key)
            return
        for action in self.ingest.registry.of(self.view):
            if action.id in _OPENERS and event.key in action.keys.split(","):
                event.stop()
                event.prevent_default()
                self.perform(action.id)

    def start_filter(self) -> None:
        """Open the filter."""
        self._row_before_filter = self.row_key
        entry = self.query_one("#filter", Input)
        entry.value = self.words
        self.add_class("-filtering")
        self.set_focus(entry)

    def close_filter(self) -> None:
        """Close and empty the filter. The cursor stays on its row; from a filter that was being typed it goes back."""
        before = self._row_before_filter if self.has_class("-filtering") else ""
        self._keep_row()
        self.words = ""
        self.query_one("#filter", Input).value = ""
        self.remove_class("-filtering")
        self.focus_main()
        self.rows_changed()
        if before:
            self.select_row(before)

    def _start_over(self) -> None:
        for table in self.query(f"#{self.main_id}").results(VirtualTable):
            table.start_over()

    def _keep_row(self) -> None:
        for table in self.query(f"#{self.main_id}").results(VirtualTable):
            table.keep_row()

    @on(Input.Changed, "#filter")
    def filter_typed(self, event: Input.Changed) -> None:
        """Filter while a person types."""
        if self.has_class("-filtering"):
            self.words_typed(event.value.strip())

    def words_typed(self, words: str) -> None:
        """Filter by these words."""
        if words != self.words:
            self.words = words
            self._start_over()
            self.rows_changed()

    @on(Input.Submitted, "#filter")
    def filter_done(self) -> None:
        """Go on to the rows; the one under the cursor is what the filter has found."""
        self.remove_class("-filtering")
        self._keep_row()
        self.focus_main()
