"""Addresses: which of them name the same thing for everybody who sees them."""

from __future__ import annotations

_UNIVERSAL_SCHEMES = ("file://", "http://", "https://")


def names_one_thing(uri: str) -> bool:
    """Whether an address names the same thing in every source that lists it.

    A path on this machine and a web address do. ``s3://`` does not, since two stores can have a bucket of one name,
    and neither do identifiers that scripts register documents under.
    """
    return uri.startswith(_UNIVERSAL_SCHEMES)
