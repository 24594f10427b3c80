"""What a source would take: the first items of its listing, and which are left out, and why."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding, BindingType

from ingest_tui.services.client import Client
from ingest_tui.tui import wording
from ingest_tui.tui.dialogs.table_dialog import TableDialog
from ingest_tui.tui.widgets.columns import Cell, Column

if TYPE_CHECKING:
    from ingest_tui.services.sources.trials import PreviewItem, SourceDraft

_SHOWS = ("all", "taken", "left out")


class Preview(TableDialog):
    """The items, the counts, and the reasons."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("t", "turn", "which", id="preview.which")]
    keys: ClassVar[str] = "t all, taken, left out  / filter  esc back"

    def __init__(self, client: Client, draft: SourceDraft) -> None:
        super().__init__(f"What {draft.name or 'it'} would take: the first items, nothing is fetched")
        self._client = client
        self._draft = draft
        self._items: list[PreviewItem] = []
        self._which = _SHOWS[0]
        self._done = False
        self._failure = False

    def columns(self) -> Sequence[Column[PreviewItem]]:
        """Whether, what, how large, why not."""

        def whether(item: PreviewItem) -> Cell:
            return Cell("+ take", "good") if item.taken else Cell("- leave", "warn")

        return [
            Column("taken", "", 7, whether),
            Column("item", "ITEM", 0, lambda item: Cell(item.key), is_path=True),
            Column("size", "SIZE", 9, lambda item: Cell(wording.size(item.size), "quiet"), right=True, from_width=60),
            Column("why", "WHY NOT", 0, lambda item: Cell(item.detail or item.reason, "quiet")),
        ]

    def key_of(self, row: PreviewItem) -> str:
        """Its key."""
        return f"{row.taken} {row.key}"

    def begin(self) -> None:
        """Ask for the items."""
        client, draft = self._client, self._draft
        self.say("listing …")
        self.table.show([], empty=["listing … esc goes back"])
        self.ask_slices(lambda: client.sources.preview(draft), self._take)

    def _take(self, items: list[PreviewItem] | None) -> None:
        if items is None:
            self._done = True
        else:
            self._items += items
        self.show_rows()

    def show_rows(self) -> None:
        """Show the items that are asked for."""
        asked_for = [one for one in self._items if self._which == "all" or one.taken == (self._which == "taken")]
        empty = "nothing" if self._done else "listing … esc goes back"
        self.show_passing(asked_for, lambda item: f"{item.key} {item.detail} {item.reason}", [empty])
        if not self._failure:
            self.say(self._summary())

    def _summary(self) -> str:
        taken = [item for item in self._items if item.taken]
        reasons = Counter(item.reason for item in self._items if not item.taken)
        size = sum(item.size or 0 for item in taken)
        words = [f"{wording.plural(len(taken), 'item')} taken ({wording.size(size)})"]
        words += [f"{number:,} {reason.replace('_', ' ')}" for reason, number in reasons.most_common()]
        if not self._done:
            words.append("…")
        elif self._which != "all":
            words.append(f"showing: {self._which}")
        return "of the first items: " + ", ".join(words)

    def say_failure(self, message: str, hint: str) -> None:
        """Say what went wrong, and leave it there."""
        self._failure = self._done = True
        super().say_failure(message, hint)
        self.table.show(self._items, empty=["it cannot be listed", "", f"! {message}", f"  {hint}"])

    def action_turn(self) -> None:
        """Show all, what is taken, or what is left out."""
        self._which = _SHOWS[(_SHOWS.index(self._which) + 1) % len(_SHOWS)]
        self.show_rows()
