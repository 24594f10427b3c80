"""What a fetched item is to the collection: new, changed, known already, or moved. Pure decisions."""

from __future__ import annotations

from typing import Literal, NamedTuple

Kind = Literal["new", "changed", "same", "duplicate", "moved", "returned", "detached"]


class Holder(NamedTuple):
    """A document that may be what the item is: its id, its current hashes, and where it is primarily."""

    document_id: str
    raw_sha256: str
    content_hash: str
    is_primary_here: bool
    places: int
    all_places_vanished: bool


class Classification(NamedTuple):
    """The decision, the document it concerns (None for a new one), and the evidence in words."""

    kind: Kind
    document_id: str | None
    detail: str = ""


def classify(  # noqa: PLR0911 - one return for each decision
    raw_sha256: str,
    content_hash: str,
    *,
    here: Holder | None,
    twin: Holder | None,
    returning: Holder | None,
) -> Classification:
    """Decide what an item is.

    ``here`` is the document known under the item's key, ``twin`` another active one of the collection with the same
    bytes or the same text, ``returning`` a retired one that was last known under this key. Without parsing
    (``content_hash`` empty) only bytes are compared.
    """
    if here is not None:
        if here.raw_sha256 == raw_sha256 or (content_hash and here.content_hash == content_hash and here.places > 1):
            return Classification("same", here.document_id, "fetched, and the content is the same")
        if here.places <= 1:
            return Classification("changed", here.document_id)
        # Other places still hold the old content: the document stays with them.
        if twin is not None:
            return Classification("duplicate", twin.document_id, _same(twin, raw_sha256))
        return Classification("detached", None, f"was a duplicate in document {here.document_id}")
    if twin is not None:
        if twin.all_places_vanished:
            return Classification("moved", twin.document_id, _same(twin, raw_sha256))
        return Classification("duplicate", twin.document_id, _same(twin, raw_sha256))
    if returning is not None:
        return Classification("returned", returning.document_id, "was retired, and is back")
    return Classification("new", None)


def _same(twin: Holder, raw_sha256: str) -> str:
    what = "bytes" if twin.raw_sha256 == raw_sha256 else "text"
    return f"same {what} as document {twin.document_id}"
