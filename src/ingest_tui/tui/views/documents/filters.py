"""Narrowing the list of documents down: by collection, source, type, outcome and date; and the trash."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

from ingest_tui.model.folder import folder_written
from ingest_tui.model.outcome import PLACE_OUTCOMES
from ingest_tui.services.client import Client
from ingest_tui.tui.views.base.view_screen import ViewScreen
from ingest_tui.tui.views.documents.collection_views import ALL, CollectionView, CollectionViews
from ingest_tui.tui.views.documents.document_query import DocumentQuery
from ingest_tui.tui.views.documents.documents_model import SEARCH_MODES, mode_words

_ALL = ""
_USUAL_MODE = "as the collection prefers"
_REMEMBERED = ("collection_id", "source_id", "media_type", "outcome", "since")
_FIELDS = {"collection": "collection_id", "source": "source_id", "type": "media_type"}
_DAYS = [("1", "Since yesterday"), ("7", "In the last 7 days"), ("30", "In the last 30 days"), ("365", "In a year")]
_OUTCOMES = {
    "failed": "the last good version is kept",
    "duplicate": "other places with the same content",
    "moved": "found under a new name",
}


class Narrowing(ViewScreen):
    """A list of documents that filters narrow down. ``narrowed`` says how far."""

    def __init__(self) -> None:
        super().__init__()
        self.narrowed = DocumentQuery()
        self.collection_views = CollectionViews()
        self.chosen_columns = ""
        self.removed_last = ""
        self._row_before_trash = ""

    def state_to_remember(self) -> dict[str, object]:
        """The filters too, of each collection, but not that the trash is shown."""
        self.collection_views.keep(self.narrowed.collection_id or ALL, self.view_now())
        narrowed = {name: getattr(self.narrowed, name) for name in _REMEMBERED}
        narrowed["folder"] = "" if self.narrowed.folder is None else str(self.narrowed.folder)
        return super().state_to_remember() | {"narrowed": narrowed, "collections": self.collection_views.as_dict()}

    def take_up(self, state: Mapping[str, Any]) -> None:
        """The filters too."""
        super().take_up(state)
        self.collection_views.take_up(state.get("collections"))
        known = state.get("narrowed")
        if isinstance(known, dict) and self.narrowed == DocumentQuery():
            values = {name: known[name] for name in _REMEMBERED if isinstance(known.get(name), str)}
            folder = known.get("folder")
            opened = folder_written(folder) if isinstance(folder, str) and folder else None
            self.narrowed = DocumentQuery(**values, folder=opened)
        self.chosen_columns = self.collection_views.of(self.narrowed.collection_id or ALL).columns

    def view_now(self) -> CollectionView:
        """Return how the collection is looked at now."""
        return CollectionView(
            source_id=self.narrowed.source_id or "",
            media_type=self.narrowed.media_type or "",
            outcome=self.narrowed.outcome or "",
            since=self.narrowed.since or "",
            words=self.words,
            sort=self.sort,
            backwards=self.reversed,
            columns=self.chosen_columns,
            row=self.row_key,
            top=self.main_table.scroll_offset.y,
            rows=len(self.main_table.rows),
            folder="" if self.narrowed.folder is None else str(self.narrowed.folder),
        )

    def switch_collection(self, collection_id: str) -> None:
        """Show a collection as it was last looked at; `ALL` shows all of them. It is remembered as the one in use."""
        self.collection_views.keep(self.narrowed.collection_id or ALL, self.view_now())
        self.main_table.clear_marks()
        self.take_view(collection_id, self.collection_views.of(collection_id))
        client = self.ingest.client
        if collection_id and not client.read_only:
            use = partial(client.collections.use, collection_id)
            self.ask(use, lambda _used: None, group=None, in_background=True)

    def take_view(self, collection_id: str, view: CollectionView) -> None:
        """Show a collection by a view of it."""
        mode = self.narrowed.search_mode
        self.narrowed, self.words = replace(view.query(collection_id), search_mode=mode), view.words
        self.chosen_columns = view.columns
        if view.sort in self.sorts:
            self.sort, self.reversed = view.sort, view.backwards

    def narrow(self) -> None:
        """Ask by what to narrow the list down."""
        from ingest_tui.tui.dialogs.dialogs import Choose

        offered = [
            ("collection", f"Collection   {self.narrowed.collection_id or 'all'}"),
            ("source", f"Source       {self.narrowed.source_id or 'all'}"),
            ("type", f"Type         {self.narrowed.media_type or 'all'}"),
            ("outcome", f"Outcome      {self.narrowed.outcome or 'all'}"),
            ("since", f"Changed      {self.narrowed.since or 'at any time'}"),
            ("mode", f"Search       {mode_words(self.narrowed) or _USUAL_MODE}"),
            ("clear", "Show all"),
        ]

        def chosen(what: str | None) -> None:
            if what == "clear":
                self.narrow_to(self.narrowed.widened())
            elif what == "outcome":
                names = [(name, f"{name}  {_OUTCOMES.get(name, '')}") for name in PLACE_OUTCOMES if name != "retired"]
                self._choose("outcome", "outcome", names)
            elif what == "since":
                self._choose("since", "time of change", [(self._day_before(days), text) for days, text in _DAYS])
            elif what == "mode":
                self._choose("search_mode", "way to search", list(SEARCH_MODES.items()), usual=_USUAL_MODE)
            elif what:
                self._ask_forchoices_of(what)

        self.app.push_screen(Choose("Narrow down by", offered), chosen)

    def choose_collection(self) -> None:
        """Choose the collection that is shown."""
        self._ask_forchoices_of("collection")

    def _ask_forchoices_of(self, what: str) -> None:
        client = self.ingest.client
        self.ask(
            lambda: choices_of(client, what),
            lambda found: self._choose(_FIELDS[what], what, found),
            group="choices",
            opens_dialog=True,
        )

    def _choose(self, field: str, title: str, options: Sequence[tuple[str, str]], *, usual: str = "all") -> None:
        from ingest_tui.tui.dialogs.dialogs import Choose

        def chosen(value: str | None) -> None:
            if value is not None:
                changes: dict[str, Any] = {field: value or None}
                if field == "collection_id":
                    self.switch_collection(value)
                else:
                    self.narrow_to(replace(self.narrowed, **changes))

        self.app.push_screen(Choose(f"Which {title}?", [(_ALL, usual), *options]), chosen)

    def _day_before(self, days: str) -> str:
        return f"{datetime.fromtimestamp(self.ingest.now(), UTC) - timedelta(days=int(days)):%Y-%m-%d}"

    def narrow_to(self, query: DocumentQuery) -> None:
        self.narrowed = query
        self.main_table.clear_marks()
        self.catch_up()

    def toggle_trash(self) -> None:
        """Show the documents in the trash instead, the cursor on what was removed last; or go back to where it was."""
        state = "active" if self.narrowed.state == "retired" else "retired"
        row = self.removed_last if state == "retired" else self._row_before_trash
        self._row_before_trash = self.row_key
        self.narrow_to(replace(self.narrowed.widened(), state=state))
        self.main_table.show_again(row, 0)
        if state == "retired":
            self.show_notice("the trash: u restores what is marked, esc goes back")

    def widen(self) -> None:
        """Take the filters away, then leave the trash."""
        if self.narrowed.is_narrowed:
            self.narrow_to(self.narrowed.widened())
        elif self.narrowed.state == "retired":
            self.toggle_trash()


def choices_of(client: Client, what: str) -> list[tuple[str, str]]:
    """Return what a filter can be set to, each with its words: ``collection``, ``source`` or ``type``."""
    if what == "collection":
        found = client.collections.list()
        return [(item.collection_id, f"{item.collection_id}  {number:,}") for item, number in found]
    if what == "source":
        return [(one.source.source_id, one.source.source_id) for one in client.sources.list()]
    return [(name, f"{name}  {number:,}") for name, number in client.documents.media_types()]
