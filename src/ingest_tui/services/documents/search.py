"""Finding text again."""

from __future__ import annotations

from collections.abc import Callable
from typing import Unpack

from ingest_tui.model.document import SearchHit
from ingest_tui.model.errors import UsageError
from ingest_tui.services.documents.documents import check_choice
from ingest_tui.store.catalogue.queries import DocumentChoice, search_text
from ingest_tui.store.workspace import Workspace

_LARGEST_LIMIT = 2**63 - 1


def search(
    workspace: Workspace,
    query: str,
    *,
    limit: int = 20,
    given_up: Callable[[], bool] | None = None,
    **choice: Unpack[DocumentChoice],
) -> list[SearchHit]:
    """Return the best hits of a full-text query, best first; raises `UsageError` when it has no word.

    ``given_up`` is asked now and then: once it says yes, the search ends with `GivenUpError`.
    """
    if not isinstance(query, str):
        raise UsageError(f"a query is text, not {type(query).__name__}", hint="give the words to look for")
    if not isinstance(limit, int) or not -1 <= limit <= _LARGEST_LIMIT:
        raise UsageError(
            f"limit must be a whole number from -1 (no limit) to {_LARGEST_LIMIT}", hint="20 is what is usual"
        )
    check_choice(workspace, choice)
    with workspace.reading.giving_up_when(given_up):
        return search_text(workspace.reading, query, limit=limit, **choice)
