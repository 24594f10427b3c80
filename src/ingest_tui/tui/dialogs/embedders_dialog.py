"""The embedders over a view: their models, which collections use them, and the test of one."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding, BindingType

from ingest_tui.model.counted import counted
from ingest_tui.services.client import Client
from ingest_tui.tui.dialogs.table_dialog import TableDialog
from ingest_tui.tui.widgets.columns import Cell, Column

if TYPE_CHECKING:
    from ingest_tui.services.embedders import EmbedderRow

_EMPTY = (
    "No embedders yet. They turn text into vectors, to search by meaning.",
    "",
    "'ingest-tui embedder add --help' lists the types,",
    "'ingest-tui embedder add TYPE NAME' adds one;",
    "then m on the page of a collection chooses it.",
)


class EmbeddersDialog(TableDialog):
    """The list; ``t`` or Enter tests the one under the cursor."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("t", "open", "test", id="embedders.test")]
    keys: ClassVar[str] = "enter or t test  / filter  esc back"

    def __init__(self, client: Client) -> None:
        super().__init__("Embedders")
        self._client = client
        self._rows: list[EmbedderRow] = []
        self._has_read = False

    def columns(self) -> Sequence[Column[EmbedderRow]]:
        """Its name, its kind, its model, and who uses it."""
        return [
            Column("name", "EMBEDDER", 0, lambda row: Cell(row.embedder.embedder_id)),
            Column("type", "TYPE", 12, lambda row: Cell(row.embedder.backend, "quiet")),
            Column("model", "MODEL", 0, lambda row: Cell(row.embedder.space.model)),
            Column("size", "DIMENSIONS", 10, lambda row: Cell(f"{row.embedder.space.dimensions:,}"), right=True),
            Column("used", "USED BY", 0, lambda row: Cell(", ".join(row.used_by) or "-", "quiet"), from_width=76),
        ]

    def key_of(self, row: EmbedderRow) -> str:
        """Its identifier."""
        return row.embedder.embedder_id

    def begin(self) -> None:
        """Ask for them."""
        client = self._client
        self.table.show([], empty=["reading …"])
        self.ask(lambda: (client.embedders.list(), client.embedders.unreadable()), self._take, group="rows",
                 otherwise=self.say_failure)  # fmt: skip

    def _take(self, answer: tuple[list[EmbedderRow], list[str]]) -> None:
        self._rows, unreadable = answer
        self._has_read = True
        self.show_rows()
        if unreadable:
            self.say_failure(f"cannot be read: {', '.join(unreadable)}", "'ingest-tui doctor' reports why")
        else:
            self.say(counted(len(self._rows), "embedder") if self._rows else "")

    def show_rows(self) -> None:
        """Show those that pass the filter."""
        self.show_passing(self._rows, _searchable, _EMPTY if self._has_read else ["reading …"])

    def say_failure(self, message: str, hint: str) -> None:
        """Say what went wrong, in place of the rows where none was read."""
        super().say_failure(message, hint)
        if not self._rows:
            self.table.show([], empty=[f"! {message}", f"  {hint}"])

    def action_open(self) -> None:
        """Test the embedder under the cursor."""
        from ingest_tui.tui.dialogs.report import TestReport

        name = self.table.current_key
        if name:
            steps = partial(self._client.embedders.test, name)
            self.app.push_screen(TestReport(self._client, f"embedder {name}", steps=steps))


def _searchable(row: EmbedderRow) -> str:
    one = row.embedder
    return f"{one.embedder_id} {one.backend} {one.space.model} {' '.join(row.used_by)}"
