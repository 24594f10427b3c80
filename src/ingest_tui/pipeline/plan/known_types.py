"""Documents whose type a source does not take any more, where only their bytes showed it, not their names."""

from __future__ import annotations

from collections.abc import Iterator

from ingest_tui.extraction.intake.admission import NOT_ALLOWED, TypeFilter
from ingest_tui.model.holding import ChoiceComparison, HoldRules
from ingest_tui.model.keys import file_name_of
from ingest_tui.model.source import Source
from ingest_tui.store.catalogue.listing_scratch import ListingScratch
from ingest_tui.store.workspace import Workspace


def refuse_known_types(workspace: Workspace, source: Source, scratch: ListingScratch, hold: HoldRules) -> None:
    """Refuse listed items that have not changed and are documents of a type that the source does not take now.

    So lists of types hold documents like any other filter. Nothing to do while the settings are what they were.
    """
    types = TypeFilter(source.allow_types, source.deny_types)
    if types and hold.choice is not ChoiceComparison.SAME:
        scratch.refuse_unchanged(workspace.layout.catalogue, source.source_id, _refused(workspace, source, types))


def _refused(workspace: Workspace, source: Source, types: TypeFilter) -> Iterator[tuple[str, tuple[str, str]]]:
    """Yield the key of each document that is refused, with reason and detail."""
    catalogue = workspace.open_to_read()
    try:
        for key, media_type in catalogue.media_types_by_key(source.source_id):
            refusal = types.refusal_of_content(media_type, file_name_of(key))
            if refusal:
                yield key, (NOT_ALLOWED, refusal)
    finally:
        catalogue.close()
