"""What people call sources and collections: their identifier, or the name they were added under."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from ingest_tui.model.errors import IngestError, ValidationError
from ingest_tui.model.naming import check_identifier
from ingest_tui.store.workspace import Workspace

__all__ = ["collection_id_of", "source_id_of"]


def source_id_of(workspace: Workspace, name: str) -> str:
    """Return the identifier of the source that ``name`` means; ``name`` itself where there is none."""
    sources = ((source.source_id, source.name) for source in workspace.sources.all())
    return _identifier_of(name, workspace.sources.exists, sources)


def collection_id_of(workspace: Workspace, name: str) -> str:
    """Return the identifier of the collection that ``name`` means; ``name`` itself where there is none."""
    try:
        collections = [(item.collection_id, item.name) for item in workspace.collections.all()]
    except IngestError:  # one cannot be read: what is named exactly is found all the same
        collections = []
    return _identifier_of(name, workspace.collections.exists, collections)


def _identifier_of(name: str, exists: Callable[[str], bool], known: Iterable[tuple[str, str]]) -> str:
    """Return an identifier that exists, by itself or by the very name: what merely looks like it is another thing."""
    try:
        if exists(check_identifier(name)):
            return name
    except ValidationError:
        pass  # no identifier, but it may be a name
    return next((identifier for identifier, called in known if called == name), name)
