"""What a collection knows of items that were fetched: the evidence that `classify` decides on.

Looked up for a whole batch at once, and kept up to date while the items of the batch are decided one after the other.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from ingest_tui.model.address import names_one_thing
from ingest_tui.model.classify import Classification, Holder, classify
from ingest_tui.model.document import Document
from ingest_tui.model.place import KnownPlace, PlaceKey
from ingest_tui.store.catalogue.catalogue import Catalogue

"""A source and a key in it: at most one document is there."""


class FetchedItem(NamedTuple):
    """An item as it was found: where it is, and its hashes; ``content_hash`` is empty when it was not parsed."""

    key: str
    uri: str
    raw_sha256: str
    content_hash: str = ""


class Decision(NamedTuple):
    """What an item is, and which other places of the same address go with it to the document it becomes."""

    classification: Classification
    companions: tuple[KnownPlace, ...] = ()


class Placing(NamedTuple):
    """Other places of an item's address that get its document, as they were, and the documents that lose a place."""

    moved: list[KnownPlace]
    losers: set[str]


def as_place_of(row: KnownPlace, document_id: str, version: int | None) -> KnownPlace:
    """Return a place that gets another document; what was seen there stays known."""
    row = row._replace(document_id=document_id, version=version or row.version)
    if row.removed_sha256:
        row = row._replace(outcome="duplicate", reason="same_content", removed_sha256="", removed_content_hash="")
    return row


def _is_removal_of(row: KnownPlace, item: FetchedItem) -> bool:
    by_text = item.content_hash and row.removed_content_hash == item.content_hash
    return row.removed_sha256 == item.raw_sha256 or bool(by_text)


def _never(_document: Document) -> bool:
    return False


class KnownContent:
    """The documents and places of one collection that items of one source may have to do with."""

    def __init__(
        self,
        catalogue: Catalogue,
        *,
        collection_id: str,
        source_id: str,
        vanished: Mapping[str, set[str]] | None = None,
    ) -> None:
        """``vanished`` names the keys of the source that its listing no longer has, by the document that was there."""
        self._catalogue = catalogue
        self._collection = collection_id
        self._source = source_id
        self._vanished = dict(vanished or {})

    def look_up(self, items: Sequence[FetchedItem]) -> None:
        """Read everything that may matter for these items; forgets what was read before."""
        catalogue, collection = self._catalogue, self._collection
        keys = [item.key for item in items]
        self.locations = catalogue.locations(self._source, keys)
        self._at_address: dict[str, list[KnownPlace]] = {}
        for row in catalogue.places_at(collection, [item.uri for item in items if names_one_thing(item.uri)]):
            self._at_address.setdefault(row.uri, []).append(row)
        self._returning = catalogue.retired_at(self._source, keys)
        raw = [item.raw_sha256 for item in items if item.raw_sha256]
        texts = [item.content_hash for item in items if item.content_hash]
        self._removed: dict[str, KnownPlace] = {}
        for row in catalogue.removed_contents(collection, raw, texts):
            self._removed |= {row.removed_sha256: row, row.removed_content_hash: row}
        near = [*self.locations.values(), *(row for rows in self._at_address.values() for row in rows)]
        self._document_at = {row.place_key: row.document_id for row in near}
        self.documents = catalogue.documents({row.document_id for row in near if row.document_id})
        self._twins: dict[str, list[str]] = {}
        for column, hashes in (("raw_sha256", raw), ("content_hash", texts)):
            for document in catalogue.documents_matching(collection, column, hashes):
                self._twins.setdefault(getattr(document, column), []).append(document.document_id)
                self.documents.setdefault(document.document_id, document)
        self._places: dict[str, dict[PlaceKey, str]] = {}
        self._taken_ids: set[str] = set()
        new = [key for key in keys if (self._source, key) not in self._document_at]
        self._free_ids = catalogue.free_document_ids(collection, self._source, new)

    # Decisions

    def decide(
        self, item: FetchedItem, *, asked: bool = False, differs: Callable[[Document], bool] = _never
    ) -> Decision:
        """Decide what an item is.

        ``asked``: a person wants it, whatever somebody has removed. ``differs`` says of an item that was read again
        whether its text or metadata are not those of a document.
        """
        own = (self._source, item.key)
        same_address = [row for row in self._at_address.get(item.uri, ()) if row.place_key != own]
        here = self._document_here(item, same_address)
        twin = self._twin(item, besides=here)
        returning = self._returning_at(item.key)
        classification = classify(
            item.raw_sha256,
            item.content_hash,
            here=self._holder(here, item) if here else None,
            twin=self._holder(twin, item) if twin else None,
            returning=self._holder(returning, item) if returning else None,
            was_removed=not asked and self.removal_of(item) is not None,
            was_rolled_back=not asked and self._was_rolled_back(item),
            extraction_differs=here is not None and here.raw_sha256 == item.raw_sha256 and differs(here),
        )
        companions = {
            row.place_key: row
            for row in same_address
            # What was removed there is back: it is the same thing.
            if self._document_at[row.place_key] or _is_removal_of(row, item)
        }
        if here is not None and classification.kind == "same" and own not in self._places_of(here.document_id):
            # Known at this address, but not yet from this source: a further place of the document.
            classification = Classification("duplicate", here.document_id, classification.detail)
        elif here is not None and classification.kind == "duplicate" and here.raw_sha256 == item.raw_sha256:
            # Read again, its text is that of another document. Its other places have the same bytes, and go with it.
            rows = self._catalogue.locations_of(here.document_id)
            companions |= {row.place_key: row for row in rows if row.place_key != own}
        return Decision(classification, tuple(companions.values()))

    def previous(self, decision: Decision, key: str) -> Document | None:
        """Return the document that an ingested item is the next version of; None where it is a new one."""
        document_id = decision.classification.document_id
        if document_id is None:
            return None
        return self._returning_at(key) if decision.classification.kind == "returned" else self.documents[document_id]

    def removal_of(self, item: FetchedItem) -> KnownPlace | None:
        """Return a place from which a person removed this content, if there is one."""
        by_text = self._removed.get(item.content_hash) if item.content_hash else None
        return self._removed.get(item.raw_sha256) or by_text

    def _was_rolled_back(self, item: FetchedItem) -> bool:
        """Whether a person went back from this content to an earlier version of the document at the item's place."""
        known = self.locations.get(item.key)
        return known is not None and known.document_id is not None and _is_removal_of(known, item)

    def _document_here(self, item: FetchedItem, same_address: list[KnownPlace]) -> Document | None:
        """Return the document at the item's place: by its key, unless its address is known to be another's."""
        known = self.locations.get(item.key)
        by_key = self._document_at.get((self._source, item.key))
        by_address = [self._document_at[row.place_key] for row in same_address]
        has_moved = known is not None and known.uri != item.uri
        candidates = [*by_address, by_key] if has_moved else [by_key, *by_address]
        documents = (self.documents[document_id] for document_id in candidates if document_id)
        return next((document for document in documents if document.state == "active"), None)

    def _twin(self, item: FetchedItem, *, besides: Document | None) -> Document | None:
        """Return another document with the same bytes, else one with the same text, as things are within this batch."""
        for column in ("raw_sha256", "content_hash"):
            wanted = getattr(item, column)
            for document_id in self._twins.get(wanted, ()) if wanted else ():
                document = self.documents[document_id]
                is_other = besides is None or document_id != besides.document_id
                if is_other and document.state == "active" and getattr(document, column) == wanted:
                    return document
        return None

    def _returning_at(self, key: str) -> Document | None:
        document = self._returning.get(key)
        if document is None or self.documents.get(document.document_id, document).state != "retired":
            return None
        return document

    def _holder(self, document: Document, item: FetchedItem) -> Holder:
        places = self._places_of(document.document_id)
        own = (self._source, item.key)
        others = [
            place for place, uri in places.items() if place != own and not (uri == item.uri and names_one_thing(uri))
        ]
        gone = {(self._source, key) for key in self._vanished.get(document.document_id, ())}
        return Holder(
            document.document_id,
            document.raw_sha256,
            document.content_hash,
            is_primary_here=(document.source_id, document.key) == own,
            other_places=len(others),
            all_places_vanished=bool(places) and places.keys() <= gone,
        )

    def _places_of(self, document_id: str) -> dict[PlaceKey, str]:
        places = self._places.get(document_id)
        if places is None:
            rows = self._catalogue.locations_of(document_id)
            places = self._places[document_id] = {row.place_key: row.uri for row in rows}
        return places

    # What is decided becomes known to the items that follow

    def put_document(self, document: Document) -> None:
        """Note a document as it will be."""
        self.documents[document.document_id] = document
        for content in (document.raw_sha256, document.content_hash):
            self._twins.setdefault(content, []).append(document.document_id)

    def put_places(self, item: FetchedItem, decision: Decision, document_id: str) -> Placing:
        """Note that an item's place, and the others of its address, are places of a document from now on."""
        losers = {self._put_place((self._source, item.key), item.uri, document_id)}
        moved = [row for row in decision.companions if self._document_at.get(row.place_key) != document_id]
        losers |= {self._put_place(row.place_key, row.uri, document_id) for row in moved}
        return Placing(moved, {loser for loser in losers if loser is not None})

    def _put_place(self, place: PlaceKey, uri: str, document_id: str) -> str | None:
        before = self._document_at.get(place)
        self._places_of(document_id)[place] = uri
        self._document_at[place] = document_id
        if before is None or before == document_id:
            return None
        self._places_of(before).pop(place, None)
        return before

    def drop_places(self, document_id: str) -> list[str]:
        """Note that a document leaves all its places of this source, since it has moved; returns their keys."""
        places = self._places_of(document_id)
        self._places[document_id] = {}
        self._vanished.pop(document_id, None)
        return [key for source_id, key in places if source_id == self._source]

    def new_document_id(self, key: str) -> str:
        """Return an id for a new document at a key of the source; each is given out once."""
        document_id = self._catalogue.new_document_id(
            self._collection, self._source, key, taken=self._taken_ids, free=self._free_ids
        )
        self._places[document_id] = {}  # none yet: not asked for, as that costs a query for each new document
        return document_id
