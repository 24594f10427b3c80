"""What ``y`` offers: ids, paths, errors, JSON and command lines, for the terminal's clipboard or a file."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, NamedTuple

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.widgets.option_list import Option

from ingest_tui.model.safe_text import safe_display
from ingest_tui.tui.dialogs.dialog import Dialog
from ingest_tui.tui.widgets.line import Line
from ingest_tui.tui.widgets.options import Options


class Chosen(NamedTuple):
    """Which of the offered texts, and whether it goes to a file instead of the clipboard."""

    number: int
    to_file: bool


class CopyMenu(Dialog[Chosen | None]):
    """Texts with their labels; returns the one that was chosen, or None."""

    CSS_PATH = "dialogs.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q", "dismiss(None)", "close", id="copy.close"),
        Binding("j", "move('cursor_down')", "down", id="copy.down"),
        Binding("k", "move('cursor_up')", "up", id="copy.up"),
        Binding("w", "to_file", "to a file", id="copy.file"),
    ]

    def __init__(self, offered: Sequence[tuple[str, str]], *, note: str = "") -> None:
        super().__init__()
        self._offered = offered
        self._note = note

    def compose(self) -> ComposeResult:
        """The labels and the beginnings of the texts."""
        width = max((len(label) for label, _text in self._offered), default=0)
        with Vertical(classes="dialog"):
            yield Line("Copy   enter: terminal's clipboard, w: file, esc closes", classes="dialog--title")
            yield Options(
                *(
                    Option(Content.assemble((f"{label:{width}}  ", "$text-muted"), safe_display(text)))
                    for label, text in self._offered
                ),
                markup=False,
            )
            if self._note:
                yield Line(safe_display(self._note), classes="dialog--note")

    def action_move(self, direction: str) -> None:
        """Move in the list."""
        getattr(self.query_one(Options), f"action_{direction}")()

    def action_to_file(self) -> None:
        """Return what the cursor is on, for a file."""
        number = self.query_one(Options).highlighted
        if number is not None:
            self.dismiss(Chosen(number, to_file=True))

    @on(Options.OptionSelected)
    def chosen(self, event: Options.OptionSelected) -> None:
        """Return what was chosen, for the clipboard."""
        self.dismiss(Chosen(event.option_index, to_file=False))
