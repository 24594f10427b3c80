"""Whether rows without checksums are what was embedded: they are compared with the vectors next to the documents."""

from __future__ import annotations

from typing import Any

from ingest_tui.model.errors import StoreError, ValidationError
from ingest_tui.model.generation import Generation
from ingest_tui.store.layout import Layout
from ingest_tui.store.vector_files import read_vectors
from ingest_tui.store.vector_rows import read_rows


def are_as_embedded(layout: Layout, collection_id: str, generation: Generation) -> bool:
    """Whether each row of a log is the vector that its version has of its text, where that version has vectors.

    Rows of versions that are no more answer for nothing that could be compared.
    """
    import numpy as np

    rows = read_rows(layout.vector_log(collection_id, generation.key), generation.space)
    if rows is None:
        return False
    order = np.lexsort((rows.entries["version"], rows.entries["document"]))
    stored: dict[bytes, Any] = {}
    looked_at = None
    for row in order.tolist():
        entry = rows.entries[row]
        place = (int(entry["document"]), int(entry["version"]))
        if place != looked_at:
            document_id = rows.document_ids[place[0]].decode("ascii", "replace")
            try:
                stored = _stored(layout, (collection_id, document_id, place[1]), generation)
            except ValidationError:
                return False  # no document has such an id
            looked_at = place
        vector = stored.get(entry["digest"].tobytes())
        if vector is not None and vector.tobytes() != rows.vectors[row].tobytes():
            return False
    return True


def _stored(layout: Layout, place: tuple[str, str, int], generation: Generation) -> dict[bytes, Any]:
    folder = layout.version(*place)
    try:
        found = read_vectors(folder, generation.space, generation.key)
    except (StoreError, OSError):
        return {}  # a damaged file is reported, and made again, as such
    return found.by_digest() if found is not None else {}
