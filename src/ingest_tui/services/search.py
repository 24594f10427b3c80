"""Finding text again."""

from __future__ import annotations

from collections.abc import Callable
from typing import Unpack

from ingest_tui.model.document import SearchHit
from ingest_tui.services.documents import check_choice
from ingest_tui.store.queries import DocumentChoice, search_text
from ingest_tui.store.workspace import Workspace


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
    check_choice(workspace, choice)
    with workspace.reading.giving_up_when(given_up):
        return search_text(workspace.reading, query, limit=limit, **choice)
