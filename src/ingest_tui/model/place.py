"""A known place of a document, or of what did not become one: a row of the table ``locations``."""

from __future__ import annotations

from typing import NamedTuple

PlaceKey = tuple[str, str]
"""Where a place is: the identifier of its source, and its key there."""


class KnownPlace(NamedTuple):
    """What is known of one key of one source, from the catalogue to the plan and to what is explained.

    ``document_id`` is None where no document came of it.

    ``removed_sha256`` and ``removed_content_hash``: bytes and text that a person removed from there, which are not
    taken in again unasked; at a place that has a document, those that a person went back from to an earlier version.
    ``container``: the key of the listed item that a member is in; empty for what is listed.
    """

    source_id: str
    key: str
    uri: str
    collection_id: str
    document_id: str | None
    fingerprint: str
    size: int | None
    modified_ns: int | None
    outcome: str
    reason: str
    detail: str
    ruleset: str
    job_id: str
    at: str
    version: int | None
    parsers: str = ""
    removed_sha256: str = ""
    removed_content_hash: str = ""
    container: str = ""

    @property
    def place_key(self) -> PlaceKey:
        """Where it is."""
        return self.source_id, self.key

    @property
    def listed_key(self) -> str:
        """The key of the item that a listing names if this is still there: its own, or that of its container."""
        return self.container or self.key
