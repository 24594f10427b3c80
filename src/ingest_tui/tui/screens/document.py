"""The text of one document."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.widgets import Input

from ingest_tui.tui.actions import bindings_of
from ingest_tui.tui.gateway import Gateway
from ingest_tui.tui.records import Record, document_record
from ingest_tui.tui.screens.base import ViewScreen
from ingest_tui.tui.widgets.text import TextLines

MOST_CHARACTERS = 400_000


def preview_lines(text: str, document_id: str, remarks: Sequence[tuple[str, str]] = ()) -> list[str | tuple[str, str]]:
    """Return the lines to show of a text: above it what is wrong with it; the rest of a very long one is named."""
    lines: list[str | tuple[str, str]] = [
        (f"{kind}: {message}", "bad" if kind == "error" else "warn") for kind, message in remarks if kind != "note"
    ]
    lines += text[:MOST_CHARACTERS].split("\n")
    if len(text) > MOST_CHARACTERS:
        lines.append((f"… {len(text) - MOST_CHARACTERS:,} characters more: ingest-tui doc text {document_id}", "warn"))
    return lines or [("no text", "quiet")]


class DocumentScreen(ViewScreen):
    """A document, opened from a list; Esc goes back."""

    view = "document"
    heading = "Documents"
    CSS_PATH = "document.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [*bindings_of("document")]

    def __init__(self, gateway: Gateway, document_id: str, name: str) -> None:
        super().__init__()
        self._gateway = gateway
        self.document_id = document_id
        self._name_shown = name

    def compose_body(self) -> ComposeResult:
        """The text."""
        yield TextLines(id="document-text")

    @property
    def main_id(self) -> str:
        """The text has the focus."""
        return "document-text"

    @property
    def text(self) -> TextLines:
        """The text."""
        return self.query_one("#document-text", TextLines)

    def place(self) -> str:
        """Where we are."""
        return f"Documents > {self._name_shown}"

    def reopener(self) -> tuple[str, Callable[[], DocumentScreen]]:
        """The document."""
        return f"document {self.document_id}", partial(
            DocumentScreen, self._gateway, self.document_id, self._name_shown
        )

    def on_mount(self) -> None:
        """Read the text."""
        super().on_mount()
        self.query_one("#filter", Input).display = False

    def catch_up(self) -> None:
        """Read the text in a thread."""
        document_id, gateway = self.document_id, self._gateway

        def read() -> list[str | tuple[str, str]]:
            return preview_lines(gateway.document_text(document_id), document_id, gateway.document_remarks(document_id))

        self.ask(read, self.text.show, group="text",
                 otherwise=lambda message, hint: self.text.show([(message, "bad"), hint]))  # fmt: skip

    def command_values(self) -> dict[str, str]:
        """Name the document."""
        return {"document": self.document_id}

    def record(self) -> Record:
        """Its ingestion record."""
        return document_record(self._gateway, self.document_id)

    def explain(self) -> None:
        """Say why it is here."""
        self.ingest.explain(self.document_id)

    def toggle_wrap(self) -> None:
        """Wrap long lines, or cut them."""
        self.text.toggle_wrap()
