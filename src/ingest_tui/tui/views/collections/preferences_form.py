"""The preferences of a collection as a form: what a change touches is said and confirmed before it is saved."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from ingest_tui.model.collection import CollectionPreferences
from ingest_tui.model.safe_text import safe_display
from ingest_tui.services.client import Client
from ingest_tui.tui import wording
from ingest_tui.tui.client.conflicts import Conflict, saved_or_conflict
from ingest_tui.tui.dialogs.dialogs import Confirm
from ingest_tui.tui.dialogs.entry_form import EntryForm
from ingest_tui.tui.dialogs.report import LinesReport
from ingest_tui.tui.views.documents.document_lines import preview_chunk_lines
from ingest_tui.tui.widgets.fields import fields_of

if TYPE_CHECKING:
    from ingest_tui.model.chunking import TextChunk
    from ingest_tui.model.document import Document
    from ingest_tui.services.collections.collections import CollectionSummary
    from ingest_tui.services.collections.preferences import PreferenceChange, SavedPreferences


class PreferencesForm(EntryForm):
    """Asks for the preferences of a collection and saves them; returns what was saved, or None.

    ``sample``: the document whose chunks are previewed; where it is empty, the first one of the collection.
    """

    buttons = (("save", "Save"), ("preview", "Preview"))
    note = "empty: as usual  enter saves  tab moves  ^r preview  esc cancels"

    def __init__(self, client: Client, collection_id: str, sample: str = "") -> None:
        super().__init__(f"Preferences of collection {collection_id}")
        self._sample = sample
        self._client = client
        self._collection_id = collection_id

    def begin(self) -> None:
        """Ask what was chosen, then make the fields from the model."""
        client, collection_id = self._client, self._collection_id

        def show(summary: CollectionSummary) -> None:
            self.show_form(fields_of(CollectionPreferences), summary.collection.preferences.model_dump(mode="json"))

        self.ask(lambda: client.collections.show(collection_id), show, group="form", otherwise=self.say_error)

    def check(self, *, everywhere: bool = False) -> None:
        """Ask whether what was entered can be, and what it would touch."""
        self._plan(lambda change: self._confirm(change) if everywhere else self._say(change), opens_dialog=everywhere)

    def press(self, name: str) -> None:
        """Show the chunks that a document would have by what was entered; nothing is kept."""
        if name == "preview" and self.form is not None:
            client, values = self._client, self.form.changed_values()
            self._stop_timer()  # a look that comes later would wipe away what the preview says
            self.ask(
                lambda: _preview(client, self._collection_id, values, self._sample),
                self._show_preview,
                group="check",
                otherwise=self.say_error,
                opens_dialog=True,
            )

    def _show_preview(self, found: tuple[Document, list[TextChunk]] | None) -> None:
        if found is None:
            self.say_error("there is no document to preview yet", "upload one first")
            return
        document, chunks = found
        title = f"{wording.plural(len(chunks), 'chunk')} of {safe_display(document.file_name)} by these preferences"
        self.app.push_screen(LinesReport(title, preview_chunk_lines(chunks)))

    def save(self) -> None:
        """Check, ask where documents are cut otherwise, then save."""
        self.check(everywhere=True)

    def _plan(self, planned: Callable[[PreferenceChange], None], *, opens_dialog: bool) -> None:
        client, collection_id = self._client, self._collection_id
        values: dict[str, Any] = self.form.changed_values() if self.form is not None else {}
        self.ask(
            lambda: client.collections.plan_preferences(collection_id, values),
            planned,
            group="check",
            otherwise=self.say_error,
            opens_dialog=opens_dialog,
        )

    def _say(self, change: PreferenceChange) -> None:
        self.say_error("", "")
        if change.in_words:
            self.say_error(f"this {change.in_words}", "")

    def _confirm(self, change: PreferenceChange) -> None:
        if not change.changed:
            self.dismiss(None)
            return
        if not change.in_words:
            self._save_now(change)
            return

        def answered(agreed: bool | None) -> None:
            if agreed:
                self._save_now(change)
            else:
                self.say_error("", "")

        until = " Until a document is cut again its old chunks answer." if change.rechunks else ""
        consequence = f"This {change.in_words}.{until}"
        self.app.push_screen(
            Confirm(
                "Change these preferences?",
                [", ".join(change.changed)],
                "Change",
                consequence=consequence,
                is_destructive=bool(change.purges),
            ),
            answered,
        )

    def _save_now(self, change: PreferenceChange) -> None:
        client = self._client

        def saved(answer: SavedPreferences | Conflict) -> None:
            if not isinstance(answer, Conflict):
                self.dismiss(answer)
                return
            self.ask_who_wins(answer, self.save, self.start_over)

        self.ask(
            lambda: saved_or_conflict(lambda: client.collections.save_preferences(change)),
            saved,
            group="save",
            otherwise=self.say_error,
            opens_dialog=True,
        )


def _preview(
    client: Client, collection_id: str, values: dict[str, Any], sample: str
) -> tuple[Document, list[TextChunk]] | None:
    """Return a document of the collection with the chunks that it would have; None where there is no document."""
    if sample:
        document = client.documents.get(sample)
    else:
        documents = client.documents.list(collection_id=collection_id, limit=1)
        if not documents:
            return None
        [document] = documents
    change = client.collections.plan_preferences(collection_id, values)
    return document, client.collections.preview_chunks(change, document.document_id)
