"""The change feed: what happened to documents, in order, for whoever keeps something of theirs up to date."""

from __future__ import annotations

from typing import NamedTuple

from ingest_tui.store.catalogue.catalogue import Catalogue


class Change(NamedTuple):
    """One change of a document. ``kind``: added, updated, moved, retired, restored or purged.

    ``version`` is the current one after the change. A later change of the same document may have its own line.
    """

    sequence: int
    kind: str
    document_id: str
    collection_id: str
    version: int
    at: str


class ChangePage(NamedTuple):
    """Changes in the order in which they were committed, and the epoch that their sequence numbers belong to."""

    epoch: str
    changes: list[Change]


class FeedPosition(NamedTuple):
    """A place in the feed: the epoch, and the sequence number of the last change before it."""

    epoch: str
    sequence: int


def newest_change(catalogue: Catalogue) -> FeedPosition:
    """Return where the feed ends now."""
    rows = catalogue.execute(
        "SELECT value, (SELECT coalesce(max(sequence), 0) FROM changes) FROM meta WHERE name = 'epoch'"
    )
    return FeedPosition(*rows[0])


def changes_since(catalogue: Catalogue, sequence: int, limit: int = 1000) -> ChangePage:
    """Return up to ``limit`` changes after ``sequence`` (0: from the first).

    A follower keeps the epoch and the last sequence it has dealt with. Another epoch than the one it knows means that
    the catalogue was made again: it compares what it holds with the active documents and continues from there.
    """
    # One statement, so that the epoch is that of the changes also while a rebuild switches.
    rows = catalogue.execute(
        "SELECT meta.value, page.* FROM meta LEFT JOIN"
        " (SELECT * FROM changes WHERE sequence > ? ORDER BY sequence LIMIT ?) AS page"
        " WHERE meta.name = 'epoch' ORDER BY page.sequence",
        (sequence, limit),
    )
    return ChangePage(rows[0][0], [Change(*row[1:]) for row in rows if row[1] is not None])
