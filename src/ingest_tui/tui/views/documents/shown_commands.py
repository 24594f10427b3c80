"""The command lines that give what the Documents view shows: every filter that is set is an option. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from ingest_tui.tui.actions.actions import shell_word
from ingest_tui.tui.views.documents.document_query import DocumentQuery
from ingest_tui.tui.views.documents.document_search import HITS
from ingest_tui.tui.views.documents.documents_model import query_as_typed

_LISTED_ANYWAY = 200
"""How many `doc list` and `doc folders` print without ``--limit``."""


def shown_commands(query: DocumentQuery, words: str, total: int) -> dict[str, str]:
    """Return command lines by the action that they are equivalent to; ``words``: what is searched for.

    ``total``: how many rows there are. The first is that of what is shown now; there is none of a search in the trash.
    """
    if words and query.state != "active":
        return {}
    options, in_folder = list(_options(query)), list(_folder(query))
    commands = {}
    if words:
        mode = [f"--mode {query.search_mode}"] if query.search_mode else []
        typed = shell_word(query_as_typed(words))
        line = f"ingest-tui search {typed}"
        commands["document.search"] = _line(line, *options, *in_folder, f"--limit {HITS}", *mode)
    state = ["--retired"] if query.state == "retired" else []
    most = [f"--limit {total}"] if total > _LISTED_ANYWAY and not words else []
    if query.folder is not None:
        named = [shell_word(str(query.folder))] if in_folder else []
        commands["document.folders"] = _line("ingest-tui doc folders", *named, *options, *state, *most)
    order = f"--sort {query.order}"
    commands["document.narrow"] = _line("ingest-tui doc list", *options, *in_folder, *state, order, *most)
    if query.state == "active":
        commands["document.export"] = _line("ingest-tui export", *options, *in_folder, "--to FILE")
    return commands


def _line(*parts: str) -> str:
    return " ".join(parts)


def _options(query: DocumentQuery) -> Iterator[str]:
    options = [
        ("--collection", query.collection_id),
        ("--source", query.source_id),
        ("--contains", query.contains),
        ("--type", query.media_type),
        ("--outcome", query.outcome),
        ("--since", query.since),
    ]
    yield from (f"{name} {shell_word(value)}" for name, value in options if value)


def _folder(query: DocumentQuery) -> Iterator[str]:
    if query.folder is not None and query.folder.source_id:
        yield f"--folder {shell_word(str(query.folder))}"
