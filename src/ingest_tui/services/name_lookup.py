"""What people call sources and collections: their identifier, or the name they were added under."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from ingest_tui.model.errors import IngestError, NotFoundError, ValidationError
from ingest_tui.model.identifiers import check_identifier, slug
from ingest_tui.model.safe_text import safe_display
from ingest_tui.store.workspace import Workspace

__all__ = ["collection_id_of", "source_id_of"]


def source_id_of(workspace: Workspace, name: str) -> str:
    """Return the identifier of the source that ``name`` means; ``name`` itself where there is none.

    Raises `NotFoundError` where it only looks like one (``DOCS`` for ``docs``).
    """
    sources = ((source.source_id, source.name) for source in workspace.sources.all())
    found = _identifier_of(name, workspace.sources.exists, sources)
    if found == name:
        _refuse_what_only_looks_like_one("source", name, workspace.sources.exists)
    return found


def collection_id_of(workspace: Workspace, name: str) -> str:
    """Return the identifier of the collection that ``name`` means; ``name`` itself where there is none.

    Raises `NotFoundError` where it only looks like one (``DOCS`` for ``docs``).
    """
    try:
        collections = [(item.collection_id, item.name) for item in workspace.collections.all()]
    except IngestError:  # one cannot be read: what is named exactly is found all the same
        collections = []
    found = _identifier_of(name, workspace.collections.exists, collections)
    if found == name:
        _refuse_what_only_looks_like_one("collection", name, workspace.collections.exists)
    return found


def _identifier_of(name: str, exists: Callable[[str], bool], known: Iterable[tuple[str, str]]) -> str:
    """Return an identifier that exists, by itself or by the very name: what merely looks like it is another thing."""
    try:
        if exists(check_identifier(name)):
            return name
    except ValidationError:
        pass  # no identifier, but it may be a name
    return next((identifier for identifier, called in known if called == name), name)


def _refuse_what_only_looks_like_one(kind: str, name: str, exists: Callable[[str], bool]) -> None:
    """Raise `NotFoundError` for a name that would become an existing identifier if something was added under it."""
    try:
        similar = slug(name)
        is_another = similar != name and exists(similar)
    except ValidationError:
        return
    if is_another:
        raise NotFoundError(f"there is no {kind} {safe_display(name)!r}", hint=f"there is one called {similar!r}")
