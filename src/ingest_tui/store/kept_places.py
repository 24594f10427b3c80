"""Places that no source lists: a person keeps the documents that are there.

They come from a source that was removed without its documents, and from restoring what is gone at its source. No sync
touches them, until a source of the collection lists something at the address of one, or finds it in a container: then
it is that source's again.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from ingest_tui.model.document import Document
from ingest_tui.model.members import MARK
from ingest_tui.model.place import KnownPlace
from ingest_tui.model.source import KEPT_SOURCE
from ingest_tui.store.catalogue.catalogue import Catalogue
from ingest_tui.store.change import StoreChange


class Adoption(NamedTuple):
    """A kept place, by its key, and the key and address by which a source lists what is there.

    ``container``: the key of the listed item that it is in; empty for what is listed itself.
    """

    kept_key: str
    key: str
    uri: str
    container: str = ""


def as_kept(row: KnownPlace) -> KnownPlace:
    """Return a place of a source as a kept one: its key is unique, and still ends in the name of the file."""
    owner = row.document_id or row.removed_sha256[:26]
    key = row.key.replace(MARK, "/") if row.container else row.key
    return row._replace(source_id=KEPT_SOURCE, key=f"{owner}/{row.source_id}/{key}", container="")


def keep_places(change: StoreChange, catalogue: Catalogue, source_id: str, keys: Iterable[str]) -> None:
    """Make the places of a source kept ones, also those from which a person removed a document; forget the others."""
    known = catalogue.locations(source_id, keys)
    documents = catalogue.documents({row.document_id for row in known.values() if row.document_id})
    for row in known.values():
        change.forgotten.add((source_id, row.key))
        if row.document_id is None and not row.removed_sha256:
            continue
        _move(change, documents, row, as_kept(row))


def adopt_places(change: StoreChange, catalogue: Catalogue, source_id: str, adoptions: Iterable[Adoption]) -> int:
    """Give kept places to the source that lists what is there, with what is known of them; returns how many.

    Nothing is fetched for it, unless there are kept places within it: only who reads it knows whether they are there.

    A place that has a document of its own in the source stays as it is. Where more than one is kept at an address, the
    first is taken. What else a person removed there stays known as kept, so that it does not come back.
    """
    adoptions = list(adoptions)
    kept = catalogue.locations(KEPT_SOURCE, (adoption.kept_key for adoption in adoptions))
    own = catalogue.locations(source_id, (adoption.key for adoption in adoptions))
    documents = catalogue.documents({row.document_id for row in kept.values() if row.document_id})
    adopted = 0
    for adoption in adoptions:
        row = kept.get(adoption.kept_key)
        mine = change.locations.get((source_id, adoption.key)) or own.get(adoption.key)
        if row is None:
            continue
        if mine is not None and (row.document_id is None or mine.document_id not in {None, row.document_id}):
            continue
        change.forgotten.add((KEPT_SOURCE, row.key))
        listed = row._replace(source_id=source_id, key=adoption.key, uri=adoption.uri, container=adoption.container)
        if catalogue.kept_members(row.collection_id, adoption.uri):
            listed = listed._replace(fingerprint="")
        if mine is not None and mine.removed_sha256 and mine.document_id is None:
            change.put_location(as_kept(mine))
        _move(change, documents, row, mine if mine is not None and mine.document_id else listed)
        adopted += 1
    return adopted


def _move(change: StoreChange, documents: dict[str, Document], before: KnownPlace, after: KnownPlace) -> None:
    """Put a place where it is from now on, and take the document along that was primarily there."""
    change.put_location(after)
    document = documents.get(before.document_id or "")
    if document is None:
        return
    change.noted.add(document.document_id)
    document = change.documents.get(document.document_id, document)
    if (document.source_id, document.key) == before.place_key:
        moved = document.placed_at(after.source_id, after.key, after.uri, change.at, is_member=bool(after.container))
        change.documents[document.document_id] = moved
