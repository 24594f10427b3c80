"""The deletions that a job holds: all of them by name, and the answer to them."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.widgets import Button, Input

from ingest_tui.model.safe_text import safe_display
from ingest_tui.services.client import Client
from ingest_tui.tui.background.questions import Asking
from ingest_tui.tui.dialogs.dialog import Dialog
from ingest_tui.tui.dialogs.dialogs import TYPED_FROM
from ingest_tui.tui.widgets.columns import Cell, Column
from ingest_tui.tui.widgets.line import Line
from ingest_tui.tui.widgets.table import VirtualTable

if TYPE_CHECKING:
    from ingest_tui.model.plan_line import PlanLine

_COLUMNS: list[Column[PlanLine]] = [
    Column("key", "WOULD GO TO THE TRASH", 0, lambda line: Cell(line.key), is_path=True),
    Column("document", "DOCUMENT", 12, lambda line: Cell((line.document_id or "")[:12], "quiet"), 60),
]


class Held(Asking, Dialog[str | None]):
    """Lists what would go. Returns ``approve`` or ``refuse``, or None; many deletions want their number typed."""

    CSS_PATH = ["../../dialogs/dialogs.tcss", "held_screen.tcss"]  # noqa: RUF012 - as the base class declares it
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q", "dismiss(None)", "close", id="held.close"),
        Binding("y", "answer('approve')", "approve", id="held.approve"),
        Binding("n", "answer('refuse')", "refuse", id="held.refuse"),
        Binding("j", "move(1)", "down", id="held.down"),
        Binding("k", "move(-1)", "up", id="held.up"),
    ]

    def __init__(self, client: Client, job_id: str, *, may_answer: bool = True) -> None:
        super().__init__()
        self._client = client
        self._job_id = job_id
        self._may_answer = may_answer
        self._number = -1

    def compose(self) -> ComposeResult:
        """The list, and the answers: to let it be has the focus."""
        with Vertical(classes="dialog held"):
            yield Line(safe_display(f"Deletions held by {self._job_id}"), classes="dialog--title")
            yield VirtualTable(_COLUMNS, lambda line: line.key, id="held-table")
            yield Line("", id="held-note", classes="dialog--note")
            yield Input(id="typed", compact=True)
            with Horizontal(classes="dialog--buttons"):
                yield Button("Decide later", id="later", compact=True)
                yield Button("Refuse: keep them", id="refuse", compact=True, disabled=True)
                yield Button("Approve", id="approve", variant="error", compact=True, disabled=True)

    def on_mount(self) -> None:
        """Ask for the list."""
        client, job_id = self._client, self._job_id
        self.query_one("#typed", Input).display = False
        self.query_one("#later", Button).focus()
        self.ask(lambda: client.jobs.held_deletions(job_id), self._show, group="held", otherwise=self._show_failure)

    def _show(self, lines: list[PlanLine]) -> None:
        self._number = len(lines)
        self.query_one("#held-table", VirtualTable).show(lines, empty=["nothing is held"])
        note = "They go to the trash if a new listing still misses them."
        if self._number >= TYPED_FROM:
            note = f"To approve, type {self._number}. {note}"
            self.query_one("#typed", Input).display = self._may_answer
        self.query_one("#held-note", Line).say(note)
        self.query_one("#refuse", Button).disabled = not self._may_answer
        self.query_one("#approve", Button).disabled = not self._may_answer or self._number >= TYPED_FROM

    def _show_failure(self, message: str, hint: str) -> None:
        self.query_one("#held-note", Line).say(safe_display(f"! {message}  {hint}"))

    def action_move(self, rows: int) -> None:
        """Move in the list while a button has the focus."""
        self.query_one("#held-table", VirtualTable).move(rows)

    def action_answer(self, name: str) -> None:
        """Answer by key, where the button can be pressed; where a number is to be typed, lead there."""
        if not self.query_one(f"#{name}", Button).disabled:
            self.dismiss(name)
        elif self.query_one("#typed", Input).display:
            self.query_one("#typed", Input).focus()

    @on(Input.Changed, "#typed")
    def typed(self, event: Input.Changed) -> None:
        """Let approval go once the number is right."""
        self.query_one("#approve", Button).disabled = event.value.strip() != str(self._number)

    @on(Button.Pressed)
    def answered(self, event: Button.Pressed) -> None:
        """Return the answer."""
        self.dismiss(event.button.id if event.button.id in {"approve", "refuse"} else None)
