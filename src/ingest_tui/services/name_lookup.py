"""What people call sources, collections and types: an identifier, or the name it was added under; pdf, or text/."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from ingest_tui.model.errors import IngestError, NotFoundError, UsageError, ValidationError
from ingest_tui.model.identifiers import check_identifier, slug
from ingest_tui.model.safe_text import safe_display
from ingest_tui.model.similar_names import did_you_mean
from ingest_tui.store.catalogue.queries import addresses_ending_in, count_documents
from ingest_tui.store.workspace import Workspace

__all__ = ["checked_type", "collection_id_of", "source_id_of"]


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


def checked_type(workspace: Workspace, name: str) -> str:
    """Return an ending (``pdf``, ``.pdf``) or a media type or its beginning (``text/``) as it was typed.

    Raises `UsageError` for what no format is called, and nothing in the workspace.
    """
    from ingest_tui.extraction.intake.formats import FORMATS

    wanted = name.strip().lstrip(".").casefold()
    endings = {ending for one in FORMATS for ending in (one.name, *one.extensions)}
    media_types = {one.media_type for one in FORMATS}
    if wanted in endings or any(one.startswith(wanted) or one.endswith(f"/{wanted}") for one in media_types):
        return name
    catalogue = workspace.reading
    if count_documents(catalogue, media_type=wanted, state=None) or addresses_ending_in(
        catalogue, f".{wanted}", limit=1
    ):
        return name
    raise UsageError(
        f"neither a format nor anything here is of type '{safe_display(name)}'",
        hint=f"{did_you_mean(wanted, endings | media_types)}name an ending, as pdf, or a media type, as text/",
    )


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
        raise NotFoundError(f"there is no {kind} '{safe_display(name)}'", hint=f"there is one called {similar!r}")
