"""What is in force for a document: what its source or its upload chooses, else what its collection says. Pure.

Plans, commits, jobs that cut texts again, rebuilds and previews all ask `preferences_in_force`.
"""

from __future__ import annotations

from typing import Any

from ingest_tui.model.chunk_limits import CHUNK_SIZES, USUAL_SIZES
from ingest_tui.model.collection import CollectionPreferences
from ingest_tui.model.languages import ocr_languages_of
from ingest_tui.model.preference_overrides import OVERRIDABLE, Origin, Overriding, PreferenceOverrides, check_chunks
from ingest_tui.model.source import Source


def preferences_in_force(preferences: CollectionPreferences, overriding: Overriding) -> CollectionPreferences:
    """Return the preferences of a collection with what a source or an upload chooses in place of some.

    They are possible whatever was changed later in the collection: a size that is counted in another unit is not taken
    over, and an overlap is at most half of the size.
    """
    overrides = overriding.overrides
    chosen = {name: getattr(overrides, name) for name in overrides.chosen()}
    if not chosen:
        return preferences
    merged = _merged(preferences, overrides) | chosen
    least, most = CHUNK_SIZES[merged["chunk_unit"]]
    merged["chunk_size"] = size = min(max(merged["chunk_size"], least), most)
    merged["chunk_overlap"] = min(merged["chunk_overlap"], size // 2)
    return preferences.model_copy(update=merged)


def check_overrides(preferences: CollectionPreferences, overrides: PreferenceOverrides) -> None:
    """Raise ValueError for overrides that cannot be together with what the collection says now."""
    merged = _merged(preferences, overrides)
    check_chunks(merged["chunk_unit"], merged["chunk_size"], merged["chunk_overlap"], merged["tokenizer"])


def origins_of(preferences: CollectionPreferences, overriding: Overriding) -> dict[str, Origin]:
    """Return where the value of each key comes from that a source or an upload can choose."""
    usual = CollectionPreferences()
    chosen = overriding.overrides.chosen()
    return {
        name: overriding.origin
        if name in chosen
        else ("collection" if getattr(preferences, name) != getattr(usual, name) else "usual")
        for name in OVERRIDABLE
    }


def source_in_force(source: Source, preferences: CollectionPreferences) -> Source:
    """Return a source as it works: with how its pictures are read. It is never saved so."""
    own = preferences_in_force(preferences, source.overriding)
    return source.model_copy(
        update={
            "ocr": own.ocr,
            "ocr_languages": own.ocr_languages or ocr_languages_of(own.languages),
            "ocr_engine": own.ocr_engine,
        }
    )


def _merged(preferences: CollectionPreferences, overrides: PreferenceOverrides) -> dict[str, Any]:
    """Return unit, size, overlap and tokenizer of chunks, as the overrides and the collection say."""
    unit = overrides.chunk_unit or preferences.chunk_unit
    inherits = unit == preferences.chunk_unit
    size = overrides.chunk_size or (preferences.chunk_size if inherits else None) or USUAL_SIZES[unit]
    overlap = overrides.chunk_overlap
    if overlap is None:
        overlap = preferences.chunk_overlap if inherits else 0
    tokenizer = overrides.tokenizer or preferences.tokenizer
    return {"chunk_unit": unit, "chunk_size": size, "chunk_overlap": overlap, "tokenizer": tokenizer}
