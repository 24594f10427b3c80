"""The lines of the parts of a document: its text, what is known of it, its chunks, links and and versions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from ingest_tui.model.counted import counted
from ingest_tui.model.version_label import given_label
from ingest_tui.services.client import Client
from ingest_tui.tui import wording
from ingest_tui.tui.widgets.markdown_lines import rendered_lines, written_lines
from ingest_tui.tui.widgets.text_lines import TonedLines

if TYPE_CHECKING:
    from ingest_tui.model.chunking import TextChunk
    from ingest_tui.model.document import Chunk, Document
    from ingest_tui.model.links import ResolvedLink
    from ingest_tui.services.documents.links import LinksFound

MOST_CHARACTERS = 400_000
_MOST_LINKS = 20
_MOST_PREVIEWED = 200
_FACTS = (
    "title", "uri", "key", "source_id", "collection_id", "document_id", "media_type", "backend", "chunks",
    "created_at", "updated_at", "job_id", "raw_sha256", "content_hash",
)  # fmt: skip
_RECORD_FACTS = ("language", "pages", "columns", "version_label")


def preview_lines(
    text: str, document_id: str, remarks: Sequence[tuple[str, str]] = (), *, rendered: bool = False
) -> TonedLines:
    """Return the lines to show of a text: above it what is wrong with it; the rest of a very long one is named.

    ``rendered``: as its Markdown is meant, rather than as it is written.
    """
    lines: TonedLines = [
        (f"{kind}: {message}", "bad" if kind == "error" else "warn") for kind, message in remarks if kind != "note"
    ]
    begun = text[:MOST_CHARACTERS]
    lines += rendered_lines(begun) if rendered else written_lines(begun)
    if len(text) > MOST_CHARACTERS:
        lines.append(
            (f"… {counted(len(text) - MOST_CHARACTERS, 'character')} more: ingest-tui doc text {document_id}", "warn")
        )
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
        lines.append((f"{'':14} … {counted(len(links) - _MOST_LINKS, 'link')} more", "quiet"))
    tones = {"error": "bad", "warning": "warn"}
    return lines + [(f"{kind:14} {message}", tones.get(kind, "quiet")) for kind, message in remarks_of(record)]


def chunk_lines(chunks: Sequence[Chunk]) -> TonedLines:
    """Return the chunks by which a document is found, each with its number and the headings above it."""
    lines: TonedLines = []
    for chunk in chunks:
        lines += [(chunk.headline(), "hit"), *chunk.text.split("\n"), ""]
    return lines or [("no chunks: documents in the trash are not searched", "quiet")]


def preview_chunk_lines(chunks: Sequence[TextChunk]) -> TonedLines:
    """Return chunks that are not kept, each with its number, its size and the headings above it; the first of many."""
    lines: TonedLines = []
    for number, chunk in enumerate(chunks[:_MOST_PREVIEWED]):
        size = wording.plural(len(chunk.text), "character")
        lines += [(" › ".join((f"#{number}  {size}", *chunk.heading_path)), "hit"), *chunk.text.split("\n"), ""]
    left = len(chunks) - _MOST_PREVIEWED
    return [*lines, (f"and {left:,} more", "quiet")] if left > 0 else lines


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
        lines.append(
            (f"{counted(len(incoming.unreadable), 'record')} cannot be read, and their links are missing", "warn")
        )
    return lines


def version_lines(versions: Sequence[dict[str, Any]]) -> TonedLines:
    """Return the versions, newest first."""
    from ingest_tui.services.documents.documents import made_by

    lines: TonedLines = [("d compares two of them" if len(versions) > 1 else "there is no other version", "quiet"), ""]
    for one in versions:
        here = "  current" if one["current"] else ""
        lines.append(
            f"v{one['version']:<4} {one['ingested_at']}  {wording.size(one['bytes']):>9}  {one['backend']}{here}"
        )
        label = given_label(one["version_label"], one["version"])
        lines += [(f"      {label}", "")] if label else []
        lines.append((f"      {made_by(one)}  sha256 {one['raw_sha256'][:16]}…", "quiet"))
    return lines
