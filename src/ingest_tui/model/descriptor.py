"""One listed item: identity and fingerprint, without its bytes."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple


class Descriptor(NamedTuple):
    """What a listing says of one item. A plain tuple, because listings have hundreds of thousands of them.

    ``key`` names the item within its source and is the unit of "known or new"; ``uri`` is its identity for people.
    ``fingerprint`` changes whenever the content may have changed and is compared for equality only.
    ``size`` is in bytes; ``modified_ns`` in nanoseconds since the epoch. ``refusal`` is set when the listing already
    shows that the item is not to be fetched: a reason code of `outcome` and a sentence for people.
    ``identity`` survives a rename where the source has such a thing (an item id), else it is None.
    """

    key: str
    uri: str
    fingerprint: str
    size: int | None = None
    modified_ns: int | None = None
    refusal: tuple[str, str] | None = None
    identity: str | None = None
    media_type: str | None = None
    metadata: dict[str, str] | None = None


class ListingPage(NamedTuple):
    """Some descriptors and the cursor from which a later listing can go on; None where it cannot.

    ``restarts``: the listing begins again with this page, and what earlier pages named does not count any more.
    """

    descriptors: list[Descriptor]
    cursor: str | None = None
    restarts: bool = False


class ListingEnd(NamedTuple):
    """How a listing ended. Only a ``complete`` one proves that what it did not name is gone.

    ``gaps`` name what could not be looked into, as ``(key, message)``; any gap makes the listing incomplete.
    ``volumes`` are the mounted folders that were looked into (folder within the source to its file system).
    ``doubts`` name where what is known may be out of sight, as gaps do; they are gaps when documents are missing there.
    ``bounded``: there may be more than it could name. Of what is known and was not named only that is gone of which
    `BaseConnector.is_gone` says so; for connectors that declare ``bounded_listings``.
    """

    complete: bool
    gaps: tuple[tuple[str, str], ...] = ()
    volumes: Mapping[str, str] = MappingProxyType({})
    doubts: tuple[tuple[str, str], ...] = ()
    bounded: bool = False
