"""What an item is to its collection: new, changed, known already, moved, or removed by a person. Pure decisions.

Every way into a collection is decided here: a sync, an upload, a document that a script registers.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

ChangeKind = Literal["new", "changed", "same", "duplicate", "moved", "returned", "detached", "removed", "rolled_back"]


class Holder(NamedTuple):
    """A document that may be what the item is: its id, its current hashes, and how it is placed.

    ``other_places`` counts its places besides those of the item: places with the item's key, or with its address where
    that names one thing. ``is_primary_here``: the item is at the place that its text is read from.
    """

    document_id: str
    raw_sha256: str
    content_hash: str
    is_primary_here: bool
    other_places: int
    all_places_vanished: bool


class Classification(NamedTuple):
    """The decision, the document it concerns (None for a new one), and the evidence in words."""

    kind: ChangeKind
    document_id: str | None
    detail: str = ""


def classify(
    raw_sha256: str,
    content_hash: str,
    *,
    here: Holder | None,
    twin: Holder | None,
    returning: Holder | None,
    was_removed: bool = False,
    was_rolled_back: bool = False,
    extraction_differs: bool = False,
) -> Classification:
    """Decide what an item is.

    ``here`` is the document known at the item's place, ``twin`` another active one of the collection with the same
    bytes or, failing that, the same text, ``returning`` a retired one that was last known under the item's key.
    Without parsing (``content_hash`` empty) only bytes are compared.

    ``was_removed``: a person removed a document with these bytes, and has not asked for it since.
    ``was_rolled_back``: a person went back from this content of the place to an earlier version, and has not asked for
    it since.
    ``extraction_differs``: the item was read again on request, and its text or metadata are not those on record.
    """
    if here is not None and was_rolled_back and here.raw_sha256 != raw_sha256:
        return Classification("rolled_back", here.document_id, "a person went back from it to an earlier version")
    if here is not None:
        return _classify_known(raw_sha256, content_hash, here, twin, returning, extraction_differs=extraction_differs)
    if twin is not None:
        kind: ChangeKind = "moved" if twin.all_places_vanished else "duplicate"
        return Classification(kind, twin.document_id, _same(twin, raw_sha256))
    if was_removed:
        return Classification("removed", None, "a person removed it, and the content is the same")
    if returning is not None:
        return Classification("returned", returning.document_id, "was retired, and is back")
    return Classification("new", None)


def _classify_known(  # noqa: PLR0911 - one return for each decision
    raw_sha256: str,
    content_hash: str,
    here: Holder,
    twin: Holder | None,
    returning: Holder | None,
    *,
    extraction_differs: bool,
) -> Classification:
    if here.raw_sha256 == raw_sha256:
        # One place decides the text of a document: another name may have another parser.
        if not (extraction_differs and here.is_primary_here):
            return Classification("same", here.document_id, "fetched, and the content is the same")
        if twin is None:
            return Classification("changed", here.document_id, "read again")
    if twin is not None and twin.raw_sha256 == raw_sha256:
        return Classification("duplicate", twin.document_id, _same(twin, raw_sha256))
    if content_hash and here.content_hash == content_hash and here.other_places:
        return Classification("same", here.document_id, "fetched, and the text is the same")
    if twin is not None and twin.content_hash == content_hash:
        return Classification("duplicate", twin.document_id, _same(twin, raw_sha256))
    if not here.other_places:
        return Classification("changed", here.document_id)
    # Other places still hold the old content: the document stays with them.
    detail = f"was a duplicate in document {here.document_id}"
    if returning is not None:
        return Classification("returned", returning.document_id, detail)
    return Classification("detached", None, detail)


def _same(twin: Holder, raw_sha256: str) -> str:
    what = "bytes" if twin.raw_sha256 == raw_sha256 else "text"
    return f"same {what} as document {twin.document_id}"
