"""One document: its text, what is known of it, its chunks, links and versions, with what changed between these."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

from textual.app import ComposeResult
from textual.binding import BindingType

from ingest_tui.services.client import Client
from ingest_tui.tui.actions.actions import bindings_of
from ingest_tui.tui.client.editable_records import Record, document_record
from ingest_tui.tui.passage import Passage
from ingest_tui.tui.views.base.text_view import TextView
from ingest_tui.tui.views.documents.diff_rows import DiffRow, diff_rows, paired_lines, unified_lines
from ingest_tui.tui.views.documents.document_actions import DocumentActions
from ingest_tui.tui.views.documents.document_lines import (
    chunk_lines,
    facts_of,
    link_lines,
    preview_lines,
    version_lines,
)
from ingest_tui.tui.widgets.text import TextLines
from ingest_tui.tui.widgets.text_lines import TonedLines

if TYPE_CHECKING:
    from ingest_tui.model.document import Document


Answer = TypeVar("Answer")
COLUMNS_FROM = 110
"""The cells of a screen from which on a diff has two columns."""


class DocumentScreen(TextView, DocumentActions):
    """A document, opened from a list; Esc goes back."""

    view = "document"
    heading = "Documents"
    CSS_PATH = "document_screen.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [*bindings_of("document")]

    def __init__(self, client: Client, document_id: str, name: str, passage: Passage | None = None) -> None:
        super().__init__()
        self._client = client
        self._passage = passage  # that is to be shown first
        self._part_shown = ""
        self._is_rendered = False
        self.document_id = document_id
        self._name_shown = name
        self.part = "text"
        self._compared: tuple[int, int] | None = None
        self._diff: list[DiffRow] | None = None  # of the versions that are compared
        self._has_columns = False

    def compose_body(self) -> ComposeResult:
        """The text, or another part."""
        yield TextLines(id="document-text", numbers=True)

    @property
    def main_id(self) -> str:
        """The text has the focus."""
        return "document-text"

    @property
    def text(self) -> TextLines:
        """What is shown."""
        return self.query_one("#document-text", TextLines)

    def place(self) -> str:
        """Where we are."""
        return f"Documents > {self._name_shown} > {self._part_now}"

    def reopener(self) -> tuple[str, Callable[[], DocumentScreen]]:
        """The document."""
        return f"document {self.document_id}", partial(DocumentScreen, self._client, self.document_id, self._name_shown)

    def catch_up(self) -> None:
        """Read the part that is shown in a thread."""
        document_id, client, rendered = self.document_id, self._client, self._is_rendered
        parts: dict[str, Callable[[], TonedLines]] = {
            "text": lambda: preview_lines(
                client.documents.text(document_id),
                document_id,
                client.documents.remarks(document_id),
                rendered=rendered,
            ),
            "metadata": lambda: facts_of(client, document_id),
            "chunks": lambda: chunk_lines(client.documents.chunks(document_id)),
            "links": lambda: link_lines(
                client.documents.links(document_id), client.documents.incoming_links(document_id)
            ),
            "versions": lambda: version_lines(client.documents.versions(document_id)),
        }
        if self._compared is not None:
            older, newer = self._compared
            self._ask(lambda: diff_rows(client.documents.diff(document_id, older, newer)), self._show_diff)
        else:
            self._diff = None
            self._ask(parts[self.part], self._show)
        self.say_header()

    def _ask(self, read: Callable[[], Answer], show: Callable[[Answer], None]) -> None:
        self.ask(read, show, group="text", otherwise=lambda message, hint: self.text.show([(message, "bad"), hint]))
        self.wait_for("text")

    def _show_diff(self, rows: list[DiffRow]) -> None:
        self._diff = rows
        self._has_columns = self.size.width >= COLUMNS_FROM
        self._show(paired_lines(rows) if self._has_columns else unified_lines(rows))

    def on_resize(self) -> None:
        """Show a diff in two columns when there is room for them now, and in one when there is not."""
        super().on_resize()
        if self._diff is not None and self._has_columns != (self.size.width >= COLUMNS_FROM):
            self._show_diff(self._diff)

    def _show(self, lines: TonedLines) -> None:
        part = f"{self._part_now}{' rendered' if self._is_rendered and self.part == 'text' else ''}"
        stay = part == self._part_shown
        if not stay:
            self.text.numbers = part == "text"
        self.text.show(lines, stay=stay)
        self._part_shown = part
        if self._passage is not None:
            self.text.show_passage(*self._passage)
            self._passage = None
        self.say_position()

    @property
    def _part_now(self) -> str:
        return f"v{self._compared[0]} and v{self._compared[1]}" if self._compared else self.part

    @property
    def title_of_text(self) -> str:
        """The part that is shown."""
        return self._part_shown

    def toggle_rendered(self) -> None:
        """Show the text as its Markdown is meant, or as it is written."""
        self._is_rendered = not self._is_rendered or self.part != "text"
        self.show_part("text")

    def command_values(self) -> dict[str, str]:
        """Name the document."""
        return {"document": self.document_id}

    def record(self) -> Record:
        """Its ingestion record."""
        return document_record(self._client, self.document_id)

    # Actions

    def target_documents(self) -> list[tuple[str, str]]:
        """The document that is shown."""
        return [(self.document_id, self._name_shown)]

    def documents_changed(self) -> None:
        """What was removed is left."""
        self.close_view()

    def leave(self) -> None:
        """``q`` closes a text; in the lists it ends the program."""
        self.close_view()

    def show_part(self, part: str) -> None:
        """Show the text, the metadata, the chunks, the links or the versions."""
        self.part, self._compared = part, None
        self.catch_up()

    def go_back(self) -> None:
        """From another part back to the text, then to the list."""
        if not self.is_finding and (self.part != "text" or self._compared):
            self.show_part("text")
        else:
            super().go_back()

    def compare_versions(self) -> None:
        """Ask which versions to compare, and show what changed in the text."""
        self._with_versions(self._offer_versions)

    def _with_versions(self, offer: Callable[[list[dict[str, Any]]], None]) -> None:
        document_id, client = self.document_id, self._client
        self.ask(lambda: client.documents.versions(document_id), offer, group="versions", opens_dialog=True)

    def _offer_versions(self, versions: list[dict[str, Any]]) -> None:
        from ingest_tui.tui.dialogs.dialogs import Choose

        numbers = [int(one["version"]) for one in versions]
        if len(numbers) == 1:
            self.show_notice("there is one version only")
            return
        if len(numbers) == 2:  # noqa: PLR2004 - there is nothing to choose
            self._compare(numbers[1], numbers[0])
            return
        pairs = list(zip(numbers[1:], numbers, strict=False))
        pairs += [(older, numbers[0]) for older in numbers[2:]]
        names = [(f"{older} {newer}", f"v{older} and v{newer}") for older, newer in pairs]

        def chosen(pair: str | None) -> None:
            if pair:
                older, _, newer = pair.partition(" ")
                self._compare(int(older), int(newer))

        self.app.push_screen(Choose("What changed between", names), chosen)

    def _compare(self, older: int, newer: int) -> None:
        self._compared = older, newer
        self.catch_up()

    def roll_back(self) -> None:
        """Ask which version to go back to; it becomes the newest one."""
        self._with_versions(self._offer_rollback)

    def _offer_rollback(self, versions: list[dict[str, Any]]) -> None:
        from ingest_tui.tui.dialogs.dialogs import Choose

        earlier = [one for one in versions if not one["current"]]
        if not earlier:
            self.show_notice("there is one version only")
            return
        document_id, client = self.document_id, self._client
        names = [
            (str(one["version"]), f"v{one['version']}  {one['ingested_at']}  {one['version_label']}") for one in earlier
        ]

        def done(document: Document) -> None:
            self.show_notice(f"it is v{document.version} now", "the other versions stay; B goes back again")
            self.show_part("text")

        def chosen(number: str | None) -> None:
            if number:
                self.ask(lambda: client.documents.roll_back(document_id, int(number)), done, group=None)

        self.app.push_screen(Choose("Go back to", names), chosen)
