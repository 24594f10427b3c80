"""One document: its text, what is known of it, its chunks, links and versions, with what changed between these."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.widgets import Input

from ingest_tui.services.client import Client
from ingest_tui.tui import wording
from ingest_tui.tui.actions.actions import bindings_of
from ingest_tui.tui.client.editable_records import Record, document_record
from ingest_tui.tui.views.documents.document_actions import DocumentActions
from ingest_tui.tui.widgets.text import TextLines, TonedLines

if TYPE_CHECKING:
    from ingest_tui.model.document import Chunk, Document
    from ingest_tui.model.links import ResolvedLink
    from ingest_tui.services.documents.links import LinksFound

MOST_CHARACTERS = 400_000
_MOST_LINKS = 20
_FACTS = (
    "title", "uri", "key", "source_id", "collection_id", "document_id", "media_type", "backend", "chunks",
    "created_at", "updated_at", "job_id", "raw_sha256", "content_hash",
)  # fmt: skip
_RECORD_FACTS = ("language", "pages", "columns", "version_label")


def preview_lines(text: str, document_id: str, remarks: Sequence[tuple[str, str]] = ()) -> TonedLines:
    """Return the lines to show of a text: above it what is wrong with it; the rest of a very long one is named."""
    lines: TonedLines = [
        (f"{kind}: {message}", "bad" if kind == "error" else "warn") for kind, message in remarks if kind != "note"
    ]
    lines += text[:MOST_CHARACTERS].split("\n")
    if len(text) > MOST_CHARACTERS:
        lines.append((f"… {len(text) - MOST_CHARACTERS:,} characters more: ingest-tui doc text {document_id}", "warn"))
    return lines or [("no text", "quiet")]


def facts_of(client: Client, document_id: str) -> TonedLines:
    """Return what is known of a document; see `fact_lines`."""
    known = client.documents
    return fact_lines(known.get(document_id), known.record(document_id), known.embedding(document_id))


def fact_lines(document: Document, record: dict[str, Any], embedding: str = "") -> TonedLines:
    """Return what is known of a document: the catalogue's facts, the record's, where it came from, and its remarks.

    ``embedding``: how far its vectors are, empty where it has none.
    """
    from ingest_tui.model.links import links_of
    from ingest_tui.services.documents.documents import remarks_of

    lines: TonedLines = [f"{'version':14} v{document.version}, {wording.size(document.bytes)}, {document.state}"]
    lines += [f"{'embedding':14} {embedding}"] if embedding else []
    lines += [f"{name:14} {getattr(document, name)}" for name in _FACTS]
    lines += [f"{name:14} {record[name]}" for name in _RECORD_FACTS if record.get(name)]
    origin = dict(record.get("origin") or {})
    origin |= origin.pop("metadata", None) or {}
    lines += [f"{'origin ' + str(name):14} {value}" for name, value in origin.items() if value not in (None, "")]
    links = links_of(record)
    lines += [f"{'link':14} {link.target}" for link in links[:_MOST_LINKS]]
    if len(links) > _MOST_LINKS:
        lines.append((f"{'':14} … {len(links) - _MOST_LINKS:,} links more", "quiet"))
    tones = {"error": "bad", "warning": "warn"}
    return lines + [(f"{kind:14} {message}", tones.get(kind, "quiet")) for kind, message in remarks_of(record)]


def chunk_lines(chunks: Sequence[Chunk]) -> TonedLines:
    """Return the chunks by which a document is found, each with its number and the headings above it."""
    lines: TonedLines = []
    for chunk in chunks:
        lines += [(chunk.headline(), "hit"), *chunk.text.split("\n"), ""]
    return lines or [("no chunks: documents in the trash are not searched", "quiet")]


def link_lines(resolved: Sequence[ResolvedLink], incoming: LinksFound) -> TonedLines:
    """Return the links of a document with where they lead, and below them those that lead to it."""
    tones = {"document": "hit", "broken": "bad", "item": "warn"}
    lines: TonedLines = []
    for one in resolved:
        where = f"  ({one.detail})" if one.detail else ""
        lines.append((f"{one.state:10} {one.link.target}{where}", tones.get(one.state, "quiet")))
        if one.link.text:
            lines.append(f"{'':10} {one.link.text}")
    lines += [] if resolved else [("no links", "quiet")]
    lines += ["", ("no document links to it" if not incoming.links else "documents that link to it", "quiet")]
    lines += [f"{'':10} {one.source.uri}  {one.resolved.link.text}".rstrip() for one in incoming.links]
    if incoming.unreadable:
        lines.append((f"{len(incoming.unreadable)} records cannot be read, and their links are missing", "warn"))
    return lines


def version_lines(versions: Sequence[dict[str, Any]]) -> TonedLines:
    """Return the versions, newest first."""
    from ingest_tui.services.documents.documents import made_by

    lines: TonedLines = [("d compares two of them", "quiet"), ""]
    for one in versions:
        here = "  current" if one["current"] else ""
        lines.append(
            f"v{one['version']:<4} {one['ingested_at']}  {wording.size(one['bytes']):>9}  {one['backend']}{here}"
        )
        if not one["version_label"].endswith(f"(version {one['version']})"):  # a person gave it one
            lines.append((f"      {one['version_label']}", ""))
        by = made_by(one) if one.get("rolled_back") else f"job {one['job_id']}"
        lines.append((f"      {by}  sha256 {one['raw_sha256'][:16]}…", "quiet"))
    return lines


def diff_lines(diff: Sequence[str]) -> TonedLines:
    """Return the lines of a diff with their tones."""
    tones = {"+": "good", "-": "bad", "@": "hit", "…": "warn"}
    return [(line, tones.get(line[:1], "")) for line in diff] or [("the texts are the same", "quiet")]


class DocumentScreen(DocumentActions):
    """A document, opened from a list; Esc goes back."""

    view = "document"
    heading = "Documents"
    CSS_PATH = "document_screen.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [*bindings_of("document")]

    def __init__(self, client: Client, document_id: str, name: str) -> None:
        super().__init__()
        self._client = client
        self.document_id = document_id
        self._name_shown = name
        self.part = "text"
        self._compared: tuple[int, int] | None = None

    def compose_body(self) -> ComposeResult:
        """The text, or another part."""
        yield TextLines(id="document-text")

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
        part = f"v{self._compared[0]} and v{self._compared[1]}" if self._compared else self.part
        return f"Documents > {self._name_shown} > {part}"

    def reopener(self) -> tuple[str, Callable[[], DocumentScreen]]:
        """The document."""
        return f"document {self.document_id}", partial(DocumentScreen, self._client, self.document_id, self._name_shown)

    def on_mount(self) -> None:
        """Read the text."""
        super().on_mount()
        self.query_one("#filter", Input).display = False

    def catch_up(self) -> None:
        """Read the part that is shown in a thread."""
        document_id, client = self.document_id, self._client
        parts: dict[str, Callable[[], TonedLines]] = {
            "text": lambda: preview_lines(
                client.documents.text(document_id), document_id, client.documents.remarks(document_id)
            ),
            "metadata": lambda: facts_of(client, document_id),
            "chunks": lambda: chunk_lines(client.documents.chunks(document_id)),
            "links": lambda: link_lines(
                client.documents.links(document_id), client.documents.incoming_links(document_id)
            ),
            "versions": lambda: version_lines(client.documents.versions(document_id)),
        }
        compared = self._compared
        read = parts[self.part]
        if compared is not None:
            older, newer = compared

            def read() -> TonedLines:
                return diff_lines(client.documents.diff(document_id, older, newer))

        self.ask(read, self.text.show, group="text",
                 otherwise=lambda message, hint: self.text.show([(message, "bad"), hint]))  # fmt: skip
        self.say_header()

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
        if self.part != "text" or self._compared:
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
        pairs = list(zip(numbers[1:], numbers, strict=False))
        pairs += [(older, numbers[0]) for older in numbers[2:]]
        names = [(f"{older} {newer}", f"v{older} and v{newer}") for older, newer in pairs]

        def chosen(pair: str | None) -> None:
            if pair:
                older, _, newer = pair.partition(" ")
                self._compared = int(older), int(newer)
                self.catch_up()

        self.app.push_screen(Choose("What changed between", names), chosen)

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

    def toggle_wrap(self) -> None:
        """Wrap long lines, or cut them."""
        self.text.toggle_wrap()
