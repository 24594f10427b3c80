"""How collections read: their rows, the panels of the page of one, its preferences one by one. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ingest_tui.tui import wording
from ingest_tui.tui.widgets.columns import Cell, Column, fit
from ingest_tui.tui.widgets.glyphs import Glyphs

if TYPE_CHECKING:
    from ingest_tui.model.document import Document
    from ingest_tui.model.embedding_state import EmbeddingState
    from ingest_tui.model.generation import Generation
    from ingest_tui.services.collections.page import CollectionPage, SourceOfCollection
    from ingest_tui.services.comparison import Comparison

_LABEL = 16
_BAR_CELLS = 20
_OF_GENERATIONS = {"answering": "good", "building": "running", "ready": "accent", "kept": "quiet", "discarded": "quiet"}
_GLYPHS = {"answering": "+", "building": ">", "ready": "*", "kept": "=", "discarded": "x"}


@dataclass(frozen=True, slots=True)
class DocumentVectors:
    """A document of a collection, and how far its vectors are."""

    document: Document
    state: EmbeddingState


def state_cell(state: str) -> Cell:
    """Return how far vectors are, as glyph and word; nothing where nothing is to be embedded."""
    return Cell(wording.state_word(state), wording.tone(state)) if state else Cell("-", "quiet")


def list_columns() -> list[Column[CollectionPage]]:
    """The collections."""

    def name(page: CollectionPage) -> Cell:
        mark = "* " if page.summary.is_in_use else "  "
        return Cell(f"{mark}{page.summary.collection.collection_id}", "accent" if page.summary.is_in_use else "")

    def jobs(page: CollectionPage) -> Cell:
        return Cell(wording.count(len(page.jobs)) if page.jobs else "", "running")

    def about(page: CollectionPage) -> Cell:
        found = page.summary.collection
        return Cell(found.description or (found.name if found.name != found.collection_id else ""), "quiet")

    return [
        Column("name", "  NAME", 0, name),
        Column("documents", "DOCS", 9, lambda page: Cell(f"{page.summary.documents:,}"), right=True),
        Column("chunks", "CHUNKS", 11, lambda page: Cell(f"{page.summary.chunks:,}"), right=True, from_width=60),
        Column("sources", "SOURCES", 7, lambda page: Cell(f"{len(page.sources)}"), right=True),
        Column("embedder", "EMBEDDER", 14, _embedder, from_width=70),
        Column("to_embed", "TO EMBED", 9, _to_embed, right=True),
        Column("trash", "TRASH", 7, lambda page: Cell(f"{page.summary.in_trash:,}", "quiet"), 84, right=True),
        Column("jobs", "JOBS", 4, jobs, right=True),
        Column("about", "WHAT IT IS FOR", 0, about, from_width=100),
    ]


def _embedder(page: CollectionPage) -> Cell:
    return Cell(page.summary.collection.preferences.embedder or "-", "quiet")


def _to_embed(page: CollectionPage) -> Cell:
    if page.to_embed is None:
        return Cell("-", "quiet")
    return Cell(f"{page.to_embed:,}", "warn" if page.to_embed else "good")


def searchable(page: CollectionPage) -> str:
    """Return what the filter of the list looks into."""
    found = page.summary.collection
    words = (found.collection_id, found.name, found.description, found.preferences.embedder, *page.summary.source_ids)
    return " ".join(words).lower()


def source_columns() -> list[Column[SourceOfCollection]]:
    """The sources of a collection, and how far their vectors are."""
    return [
        Column("name", "SOURCE", 0, lambda one: Cell(one.source_id)),
        Column("documents", "DOCS", 9, lambda one: Cell(f"{one.documents:,}"), right=True),
        Column("embedding", "VECTORS", 12, lambda one: state_cell(one.embedding)),
        Column("next", "NEXT VECTORS", 12, lambda one: state_cell(one.next_embedding), from_width=56),
    ]


def document_columns() -> list[Column[DocumentVectors]]:
    """Documents, and how far their vectors are."""
    return [
        Column("name", "DOCUMENT", 0, lambda one: Cell(one.document.file_name or one.document.uri), is_path=True),
        Column("chunks", "CHUNKS", 7, lambda one: Cell(f"{one.document.chunks:,}"), right=True),
        Column("state", "VECTORS", 12, lambda one: state_cell(one.state)),
    ]


def generation_columns(now: Callable[[], float]) -> list[Column[Generation]]:
    """The generations of vectors."""

    def state(one: Generation) -> Cell:
        return Cell(f"{_GLYPHS.get(one.state, '-')} {one.state}", _OF_GENERATIONS.get(one.state, ""))

    def scope(one: Generation) -> Cell:
        parts = [f"source {name}" for name in one.sources]
        parts += [wording.plural(len(one.documents), "document")] if one.documents else []
        return Cell(", ".join(parts) or "everything", "quiet")

    return [
        Column("number", "NO", 3, lambda one: Cell(str(one.number)), right=True),
        Column("state", "STATE", 11, state),
        Column("embedder", "EMBEDDER", 0, lambda one: Cell(one.embedder.embedder_id)),
        Column("scope", "EMBEDDED AGAIN", 0, scope, from_width=60),
        Column("begun", "BEGUN", 5, lambda one: Cell(wording.age(one.created_at, now()), "quiet"), right=True),
    ]


def about_lines(
    page: CollectionPage, preferences: Mapping[str, str], glyphs: Glyphs, now: float
) -> list[tuple[str, str]]:
    """Return what is known of a collection as lines with their tones. ``preferences``: those that were chosen."""
    summary = page.summary
    found = summary.collection
    lines = [
        (f"{found.name}   ({found.collection_id}){'   in use' if summary.is_in_use else ''}", "head"),
        *([(found.description, "")] if found.description else []),
        *(line for job in page.jobs for line in _job_lines(job.kind, job.state, job.progress.percent, glyphs)),
        (_labelled("documents", f"{summary.documents:,}, {wording.plural(summary.chunks, 'chunk')}"), ""),
        (_labelled("in the trash", f"{summary.in_trash:,}"), ""),
        (_labelled("sources", f"{len(page.sources):,}"), ""),
    ]
    if page.to_embed is not None:
        lines.append((_labelled("to embed", f"{page.to_embed:,}"), "warn" if page.to_embed else "good"))
    lines += [
        (_labelled("embedder", found.preferences.embedder or "none: m chooses one"), ""),
        (_labelled("reranker", found.preferences.reranker or "none: M chooses one"), ""),
        ("", ""),
        ("Preferences", "head"),
    ]
    rest = {name: value for name, value in preferences.items() if name not in {"embedder", "reranker"}}
    lines += [(_labelled(name.replace("_", " "), value), "") for name, value in rest.items()]
    lines += [] if rest else [("all as usual: P changes them", "quiet")]
    return [*lines, ("", ""), (_labelled("made", f"{wording.age(found.created_at, now)} ago"), "quiet")]


def chosen_preferences(page: CollectionPage) -> dict[str, str]:
    """Return the preferences of a collection that were chosen, as they are shown."""
    from ingest_tui.model.preference_values import preference_rows

    return {row.key: row.value for row in preference_rows(page.summary.collection.preferences) if row.is_chosen}


def _job_lines(kind: str, state: str, percent: float, glyphs: Glyphs) -> list[tuple[str, str]]:
    bar = f"{glyphs.bar(percent / 100, _BAR_CELLS)} {percent:.0f}%" if state == "running" else ""
    return [(_labelled(kind, f"{wording.state_word(state)}  {bar}".rstrip()), wording.tone(state))]


def _labelled(name: str, value: str) -> str:
    return f"{name:{_LABEL}} {value}"


def comparison_lines(
    pair: tuple[Generation, Generation], compared: Sequence[Comparison], *, width: int
) -> list[tuple[str, str]]:
    """Return what two generations answer to queries, the hits of both next to each other; ``width`` in cells."""
    side = max(20, min(60, (width - 16) // 2))
    heads = [f"{one.number} · {one.embedder.embedder_id} ({one.state})" for one in pair]
    lines: list[tuple[str, str]] = []
    for one in compared:
        most = max(len(one.before), len(one.after))
        lines.append((f"{one.query}   [{one.shared} of {most} in both]", "head"))
        lines.append((f"    {fit(heads[0], side)}  {fit(heads[1], side)}", "quiet"))
        shared = {hit.document_id for hit in one.before} & {hit.document_id for hit in one.after}
        for rank in range(most):
            both = [found[rank] if rank < len(found) else None for found in (one.before, one.after)]
            cells = [fit("" if hit is None else hit.title or hit.document_id, side) for hit in both]
            alike = all(hit is not None and hit.document_id in shared for hit in both)
            lines.append((f"{rank + 1:3} {cells[0]}  {cells[1]}".rstrip(), "" if alike else "hit"))
        lines += [("nothing found by either", "quiet")] if not most else []
        lines.append(("", ""))
    return lines
