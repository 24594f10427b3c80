"""Searching in the text of documents while a person types."""

from __future__ import annotations

from collections.abc import Iterator

from textual import on
from textual.app import ComposeResult
from textual.timer import Timer
from textual.widgets import Input
from textual.worker import get_current_worker

from ingest_tui.tui.views.documents.document_query import DocumentQuery
from ingest_tui.tui.views.documents.document_search import SearchAnswer, search_answers
from ingest_tui.tui.views.documents.filters import Narrowing

_TYPING_SECONDS = 0.15


class SearchField(Narrowing):
    """A view of documents with a field for the words to look for. The view shows what was `found`."""

    def __init__(self) -> None:
        super().__init__()
        self.query_text = ""
        self._typing: Timer | None = None

    def compose_search(self) -> ComposeResult:
        """The field, hidden."""
        entry = Input(id="search", placeholder="words to look for in the text", compact=True, select_on_focus=False)
        entry.cursor_blink = False
        yield entry

    @property
    def query_now(self) -> DocumentQuery:
        """The documents that are searched."""
        return self.narrowed

    def found(self, answer: SearchAnswer) -> None:
        """Show what a search has found."""
        raise NotImplementedError

    def start_search(self) -> None:
        """Open the search field."""
        self.add_class("-searching")
        entry = self.query_one("#search", Input)
        entry.value = self.query_text
        entry.cursor_position = len(entry.value)
        self.set_focus(entry)

    @on(Input.Changed, "#search")
    def search_typed(self) -> None:
        """Search while a person types, once they pause for a moment."""
        if self._typing is not None:
            self._typing.stop()
        self._typing = self.set_timer(_TYPING_SECONDS, self._search_typed)

    def _search_typed(self) -> None:
        text = self.query_one("#search", Input).value.strip()
        if self.has_class("-searching") and text != self.query_text:
            self.query_text = text
            self.main_table.show_again("", 0)
            self.catch_up()

    @on(Input.Submitted, "#search")
    def search_submitted(self) -> None:
        """Go on to what was found."""
        self._search_typed()
        self.close_search()

    def close_search(self) -> None:
        """Take the search field away; what was found stays."""
        self.remove_class("-searching")
        self.focus_main()

    def search(self) -> None:
        """Search in a thread; a search that a newer one supersedes is given up."""
        text, query, client = self.query_text, self.query_now, self.ingest.client

        def work() -> Iterator[SearchAnswer]:
            worker = get_current_worker()
            return search_answers(client, text, query, lambda: worker.is_cancelled)

        self.say_panel("searching …")
        self.ask_many(work, self.found, group="documents", otherwise=self._not_found)

    def _not_found(self, message: str, hint: str) -> None:
        self.found(SearchAnswer([]))
        self.main_table.show([], empty=[message, hint])

    def show_words(self, words: str) -> None:
        """Search in the text."""
        self.query_text = words
        self.main_table.show_again("", 0)
        self.query_one("#search", Input).value = words
        self.catch_up()
