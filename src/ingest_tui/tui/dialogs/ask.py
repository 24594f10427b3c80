"""One question with a line to type in. It stays open until the answer is right or a person lets it be."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.widgets import Input

from ingest_tui.model.safe_text import safe_display
from ingest_tui.tui.dialogs.dialog import Dialog
from ingest_tui.tui.widgets.line import Line

_HERE = Path(__file__).parent  # of the style sheets, also for subclasses in other folders


def is_whole_number(low: int, high: int) -> Callable[[str], str]:
    """Return a check for `Ask`: a whole number within bounds."""

    def check(text: str) -> str:
        number = int(text) if text.isascii() and text.isdigit() and len(text) < len(str(high)) + 1 else -1
        return "" if low <= number <= high else f"a whole number from {low} to {high}"

    return check


class Ask(Dialog[str | None]):
    """Asks for a text; returns it without spaces around, or None. ``check`` says what is wrong with it, or nothing."""

    CSS_PATH = [_HERE / "dialogs.tcss", _HERE / "ask.tcss"]  # noqa: RUF012 - as the base class declares it
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "dismiss(None)", "cancel", id="ask.cancel")]

    def __init__(
        self, question: str, *, value: str = "", note: str = "", check: Callable[[str], str] | None = None
    ) -> None:
        super().__init__()
        self._question = question
        self._value = value
        self._note = note
        self._check = check

    def compose(self) -> ComposeResult:
        """The question, the line, and what is wrong with it."""
        with Vertical(classes="dialog"):
            yield Line(safe_display(self._question), classes="dialog--title")
            yield Input(self._value, id="answer", compact=True, select_on_focus=False)
            yield Line(
                safe_display(self._note or "enter continues, esc cancels"), id="ask-note", classes="dialog--note"
            )

    def on_mount(self) -> None:
        """Let a person type at once, after what is offered."""
        entry = self.query_one("#answer", Input)
        entry.cursor_blink = False
        entry.cursor_position = len(entry.value)
        entry.focus()

    @on(Input.Submitted, "#answer")
    def answered(self, event: Input.Submitted) -> None:
        """Return the answer, or say what is wrong with it."""
        text = event.value.strip()
        wrong = "this is needed" if not text else (self._check(text) if self._check is not None else "")
        if wrong:
            self.query_one("#ask-note", Line).say(safe_display(f"! {wrong}"))
        else:
            self.dismiss(text)
