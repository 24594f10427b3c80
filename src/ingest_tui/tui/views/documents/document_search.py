"""Searching while a person types: the hits first, then what they may have meant. Runs in a thread."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ingest_tui.model.safe_text import safe_display
from ingest_tui.services.noted_warnings import as_shown, noting
from ingest_tui.tui.views.documents.document_query import DocumentQuery
from ingest_tui.tui.views.documents.documents_model import query_as_typed

if TYPE_CHECKING:
    from ingest_tui.model.document import SearchHit
    from ingest_tui.services.client import Client

HITS = 100


@dataclass(frozen=True, slots=True)
class SearchAnswer:
    """What a search found, best first, and remarks on words and filters of the query that match nothing."""

    hits: list[SearchHit]
    remarks: tuple[str, ...] = ()


def search_answers(
    client: Client, text: str, query: DocumentQuery, given_up: Callable[[], bool]
) -> Iterator[SearchAnswer]:
    """Yield the hits as soon as they are there, then the same with remarks where there are any."""
    typed = query_as_typed(text)
    with noting() as noted:
        hits = client.documents.search(
            typed, limit=HITS, mode=query.search_mode, given_up=given_up, **query.as_choice()
        )
    answer = SearchAnswer(hits, tuple(as_shown(noted)))
    yield answer
    if remarks := tuple(_remarks(client, text, query, given_up)):
        yield replace(answer, remarks=answer.remarks + remarks)


def _remarks(client: Client, text: str, query: DocumentQuery, given_up: Callable[[], bool]) -> Iterator[str]:
    """Yield what the command line says, too; not of a word that is being typed and may become one that is there."""
    missing = client.documents.vectors_missing(query.search_mode, query=text, collection_id=query.collection_id)
    yield from map(str, missing)
    yield from map(str, client.documents.unknown_filters(text))
    is_open = query_as_typed(text) != text
    for word, suggestion in client.documents.suggestions(text).items():
        may_go_on = is_open and text.lower().endswith(word.lower())
        if may_go_on and client.documents.search(f"{word}*", limit=1, mode="text", rerank=False, given_up=given_up):
            continue
        yield f"no document has '{safe_display(word)}'; did you mean '{safe_display(suggestion)}'?"
