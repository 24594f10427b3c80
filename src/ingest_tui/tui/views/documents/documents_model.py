"""Documents as the lists show them, and what a person typed as a query. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ingest_tui.model.document import Document, SearchHit
from ingest_tui.model.folder import Folder, FolderEntry
from ingest_tui.model.keys import name_in_address
from ingest_tui.model.safe_text import safe_display
from ingest_tui.tui import wording
from ingest_tui.tui.passage import Passage
from ingest_tui.tui.views.documents.document_query import DocumentQuery
from ingest_tui.tui.widgets.drawings import with_drawing

if TYPE_CHECKING:
    from ingest_tui.services.documents.search_modes import SearchMode

HIT_START, HIT_END = "«", "»"
SEARCH_MODES: dict[SearchMode, str] = {
    "text": "by words",
    "vector": "by meaning",
    "hybrid": "by words and meaning",
}
SORTS = {
    "address": "By address",
    "newest": "Last changed first",
    "title": "By title",
    "largest": "Largest first",
}


@dataclass(frozen=True, slots=True)
class DocumentLine:
    """A document in the list, or a place in its text that a search found."""

    key: str
    document_id: str
    name: str
    title: str = ""
    source_id: str = ""
    media_type: str = ""
    version: int = 0
    size: int | None = None
    updated_at: str = ""
    snippet: str = ""
    score: float = 0.0
    uri: str = ""
    passage: Passage | None = None


@dataclass(frozen=True, slots=True)
class FolderLine:
    """A folder in the list, with what is in it, however far below."""

    key: str
    folder: Folder
    name: str
    documents: int
    size: int
    updated_at: str


ListedLine = DocumentLine | FolderLine
"""A row of the list."""


def is_document(line: ListedLine) -> bool:
    """Whether a row is a document, which can be marked."""
    return isinstance(line, DocumentLine)


def hint_of(line: ListedLine | None) -> str:
    """Return what there is to say about the row under the cursor."""
    if line is None:
        return ""
    if isinstance(line, FolderLine):
        documents = wording.plural(line.documents, "document")
        return f"{line.folder}  {documents}, {wording.size(line.size)}; enter goes into it"
    return f"{line.title or line.name}  {line.uri}"


def line_of_folder(entry: FolderEntry) -> FolderLine:
    """Return the line of a folder; its name is that within the one above it."""
    folder, above = entry.folder, entry.folder.above
    name = folder.path.removeprefix(above.path) if above is not None and folder.path else folder.source_id
    return FolderLine(str(folder), folder, name, entry.documents, entry.bytes, entry.updated_at)


def line_of_document(document: Document) -> DocumentLine:
    """Return the line of a document."""
    return DocumentLine(
        document.document_id,
        document.document_id,
        document.key or document.uri,
        document.title,
        document.source_id,
        document.media_type,
        document.version,
        document.bytes,
        document.updated_at,
        uri=document.uri,
    )


def line_of_hit(hit: SearchHit) -> DocumentLine:
    """Return the line of a search hit; what matched is between « and », then how many other chunks of it match."""
    words = hit_words(hit.snippet)  # before marks of ours are in it, which a text may have, too
    snippet = " ".join(hit.snippet.replace("\x02", HIT_START).replace("\x03", HIT_END).split())
    if hit.others:
        snippet += f"  (+{len(hit.others)})"
    name = name_in_address(hit.uri) or hit.title
    passage = Passage(tuple(words), tuple(hit.text.split("\n")))
    return DocumentLine(
        hit.chunk_id, hit.document_id, name, hit.title, snippet=snippet, score=hit.score, uri=hit.uri, passage=passage
    )


def hit_words(snippet: str) -> list[str]:
    """Return the words between STX and ETX of a snippet, in lower case, each once."""
    parts = (part.partition("\x03") for part in snippet.split("\x02")[1:])
    return list(dict.fromkeys(" ".join(word.split()).lower() for word, end, _rest in parts if end))


def query_as_typed(text: str) -> str:
    """Return the query for what has been typed so far: the last word may be the beginning of one."""
    text = text.strip()
    is_open = bool(text) and text[-1].isalnum() and text.count('"') % 2 == 0
    last = text.split()[-1] if text else ""
    return f"{text}*" if is_open and last not in {"OR", "NOT", "AND"} else text


def narrowed_words(query: DocumentQuery) -> str:
    """Return what the filters of a list are set to: ``collection: reports  since: 2026-11-01``."""
    parts = [
        ("collection", query.collection_id),
        ("source", query.source_id),
        ("type", query.media_type),
        ("outcome", query.outcome),
        ("since", query.since),
        ("folder", str(query.folder) if query.folder is not None and query.folder.source_id else None),
    ]
    return "  ".join(f"{name}: {value}" for name, value in parts if value)


def mode_words(query: DocumentQuery) -> str:
    """Return how words are searched, where a person has chosen that."""
    return SEARCH_MODES[query.search_mode] if query.search_mode else ""


def empty_words(query: DocumentQuery, *, is_search: bool, remarks: Sequence[str] = ()) -> list[str]:
    """Return what an empty list says: why it is, and what to do next."""
    if is_search:
        escape = "esc drops the filter, then the search" if query.contains else "esc ends the search"
        return ["Nothing is found with these words.", *remarks, "", f"{escape}; s searches again"]
    is_narrowed = replace(query, collection_id=None).is_narrowed
    if query.contains or is_narrowed:
        escape = "esc drops the filter, then all others" if query.contains and is_narrowed else "esc shows all of them"
        return ["No document matches.", "", escape]
    if query.folder is not None and query.folder.source_id:
        return [
            "No document is in this folder.",
            "",
            "esc shows the folder above it, b shows all documents in one list",
        ]
    if query.state == "retired":
        return ["The trash is empty.", "", "esc goes back to the documents"]
    if query.collection_id:
        return [
            f"Collection {safe_display(query.collection_id)} has no documents yet.",
            "",
            "a uploads files to it. Others come in when a source of it is synced: press 2",
            "for the sources, a there to add one that goes to this collection, and s to",
            "sync it. c chooses another collection.",
        ]
    return with_drawing(
        "documents",
        "No documents yet.",
        "",
        "They come in when a source is synced: press 2 for the sources,",
        "a there to add a folder, and s to sync it.",
    )
