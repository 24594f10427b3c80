"""The preferences of a collection as a form: what a change touches is said and confirmed before it is saved."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from textual.app import ComposeResult
from textual.containers import Horizontal

from ingest_tui.model.collection import CollectionPreferences
from ingest_tui.model.errors import ValidationError
from ingest_tui.model.safe_text import safe_display
from ingest_tui.services.client import Client
from ingest_tui.tui import wording
from ingest_tui.tui.client.conflicts import Conflict, saved_or_conflict
from ingest_tui.tui.dialogs.dialogs import Confirm
from ingest_tui.tui.dialogs.entry_form import EntryForm
from ingest_tui.tui.dialogs.report import LinesReport
from ingest_tui.tui.views.documents.document_lines import preview_chunk_lines
from ingest_tui.tui.widgets.fields import Field, fields_of
from ingest_tui.tui.widgets.panel import title_panel
from ingest_tui.tui.widgets.text import TextLines
from ingest_tui.tui.widgets.text_lines import TonedLines

if TYPE_CHECKING:
    from ingest_tui.model.chunking import TextChunk
    from ingest_tui.model.collection import Collection
    from ingest_tui.model.document import Document
    from ingest_tui.services.collections.preferences import PreferenceChange, SavedPreferences


Answer = TypeVar("Answer")
LIVE_FROM = 150
"""The columns from which on the chunks are shown next to the form."""
SECTIONS: dict[str, tuple[str, ...]] = {
    "Chunks": ("chunk_unit", "chunk_size", "chunk_overlap", "tokenizer", "languages"),
    "Tables": ("text_columns", "context_columns"),
    "Search": ("search_mode", "vector_weight", "reranker"),
    "Vectors": ("embedder", "embed"),
    "Text in pictures": ("ocr", "ocr_languages", "ocr_engine"),
    "How long it is kept": ("trash_days", "keep_versions", "version_days"),
}


def fields_in_sections(models: Mapping[str, Sequence[str]]) -> list[Field]:
    """Return the fields of preferences below headings. ``models``: the registered names of embedders and rerankers."""
    by_name = {field.name: field for field in fields_of(CollectionPreferences)}
    fields: list[Field] = []
    for heading, names in SECTIONS.items():
        for number, name in enumerate(names):
            field = replace(by_name[name], group="" if number else heading)
            fields.append(replace(field, kind="choice", choices=tuple(models[name])) if models.get(name) else field)
    return fields


class PreferencesForm(EntryForm):
    """Asks for the preferences of a collection and saves them; returns what was saved, or None.

    ``sample``: the document whose chunks are previewed; where it is empty, the first one of the collection.
    """

    CSS_PATH = [*EntryForm.CSS_PATH, Path(__file__).parent / "preferences_form.tcss"]  # noqa: RUF012 - as the base class
    buttons = (("save", "Save"), ("preview", "Preview"))
    note = "empty: as usual  enter saves  tab moves  ^r preview  esc cancels"

    def __init__(self, client: Client, collection_id: str, sample: str = "") -> None:
        super().__init__(f"Preferences of collection {collection_id}")
        self._sample = sample
        self._client = client
        self._collection_id = collection_id

    def compose(self) -> ComposeResult:
        """The form, and next to it, where there is room, the chunks that a document would have."""
        with Horizontal(id="form-and-chunks"):
            yield from super().compose()
            lines = TextLines(id="chunks-now")
            yield lines.add_class("panel")

    def on_resize(self) -> None:
        """Show the chunks where there is room now."""
        self.set_class(self.size.width >= LIVE_FROM, "-live")
        if self.form is not None:
            self.form_changed()

    def begin(self) -> None:
        """Ask what was chosen and what there is to choose from, then make the fields from the model."""
        client, collection_id = self._client, self._collection_id

        def look() -> tuple[Collection, dict[str, list[str]]]:
            embedders = [row.embedder.embedder_id for row in client.embedders.list()]
            rerankers = [row.reranker.reranker_id for row in client.rerankers.list()]
            return client.collections.get(collection_id), {"embedder": embedders, "reranker": rerankers}

        def show(found: tuple[Collection, dict[str, list[str]]]) -> None:
            collection, models = found
            self.show_form(fields_in_sections(models), collection.preferences.model_dump(mode="json"))

        self.ask(look, show, group="form", otherwise=self.say_error)

    def form_shown(self) -> None:
        """Show the chunks as they are now."""
        self.check()

    def check(self, *, everywhere: bool = False) -> None:
        """Ask whether what was entered can be, and what it would touch."""
        client, collection_id, values = self._client, self._collection_id, self._values
        self._ask_valid(
            lambda: client.collections.plan_preferences(collection_id, values),
            self._confirm if everywhere else self._say,
            everywhere=everywhere,
        )

    @property
    def _values(self) -> dict[str, Any]:
        return self.form.changed_values() if self.form is not None else {}

    def _ask_valid(self, work: Callable[[], Answer], then: Callable[[Answer], None], *, everywhere: bool) -> None:
        """Ask by what was entered; what cannot be is reported next to its fields, and no chunks are shown by it.

        ``everywhere``: a person waits for the answer, and what they type is meant for what it opens.
        """

        def tried() -> Answer | ValidationError:
            try:
                return work()
            except ValidationError as error:
                return error

        def take(answer: Answer | ValidationError) -> None:
            if isinstance(answer, ValidationError):
                self._refuse(answer, everywhere=everywhere)
            else:
                self.take_problems({})
                then(answer)

        self.ask(tried, take, group="check", otherwise=self._could_not, opens_dialog=everywhere)

    def _refuse(self, error: ValidationError, *, everywhere: bool) -> None:
        problems: Any = error.context.get("problems") or {"": error.message}
        self.take_problems(_by_field(problems), everywhere=everywhere)
        self._say_live([("what was entered cannot be: no chunks to show", "warn")], "")

    def _could_not(self, message: str, hint: str) -> None:
        self.say_error(message, hint)
        self._say_live([(f"! {message}", "bad"), (f"  {hint}", "quiet")], "")

    def press(self, name: str) -> None:
        """Show the chunks that a document would have by what was entered; nothing is kept."""
        if name == "preview" and self.form is not None:
            client, collection_id, sample, values = self._client, self._collection_id, self._sample, self._values
            self._stop_timer()  # a look that comes later would wipe away what the preview says
            self._ask_valid(
                lambda: _preview(client, collection_id, values, sample), self._show_preview, everywhere=True
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

    def _say(self, change: PreferenceChange) -> None:
        if change.in_words:
            self.say_error(f"this {change.in_words}", "")
        if self.has_class("-live"):
            client, collection_id, sample, values = self._client, self._collection_id, self._sample, self._values
            self.ask(
                lambda: _preview(client, collection_id, values, sample),
                self._show_live,
                group="live",
                otherwise=lambda message, hint: self._say_live([(f"! {message}", "bad"), (f"  {hint}", "quiet")], ""),
            )

    def _show_live(self, found: tuple[Document, list[TextChunk]] | None) -> None:
        if found is None:
            self._say_live([("no document to preview yet", "quiet")], "")
        else:
            document, chunks = found
            title = f"{wording.plural(len(chunks), 'chunk')} of {document.file_name}"
            self._say_live(preview_chunk_lines(chunks), title)

    def _say_live(self, lines: TonedLines, title: str) -> None:
        shown = self.query_one("#chunks-now", TextLines)
        shown.show(lines)
        title_panel(shown, title or "Chunks", "as entered" if title else "")

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


def _by_field(problems: Mapping[str, str]) -> dict[str, str]:
    """Return problems by field: one of several fields together is that of the field with whose name it begins."""
    return {key or next((name for name in CollectionPreferences.model_fields if text.startswith(f"{name} ")), ""): text
            for key, text in problems.items()}  # fmt: skip


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
