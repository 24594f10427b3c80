"""What a container comes to, decided from what became of its members, and which members it has no more."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from ingest_tui.model.counted import counted
from ingest_tui.model.holding import HoldRule
from ingest_tui.model.members import MARK, parent_of
from ingest_tui.model.outcome import OUTCOME_NAMES, Outcome, OutcomeName
from ingest_tui.model.place import KnownPlace
from ingest_tui.pipeline.staged_item import OpenContainer
from ingest_tui.store.catalogue.catalogue import Catalogue
from ingest_tui.store.change import StoreChange

MANY_GONE = "many_members_gone"
"""The reason of an item whose earlier members are too many to go without a person."""
NOT_IN_CONTAINER = "not_in_container"
"""The reason of a member that a new version of its container, read to its end, has no more."""


def decide_container(
    counts: Mapping[str, int], *, retired: int, was_known: bool, has_news: bool, planned: str, damage: str
) -> tuple[OutcomeName, str, str]:
    """Return outcome, reason and detail of a container that could be opened.

    ``counts``: members by outcome. ``retired``: documents that it has no more. ``planned``: why it was read.
    ``damage``: why there may be members that nobody knows of.
    """
    total = sum(counts.values())
    parts = [f"{counts[name]} {name}" for name in OUTCOME_NAMES if counts.get(name)]
    parts += [f"{retired} retired"] if retired else []
    detail = counted(total, "member") + (f": {', '.join(parts)}" if parts else "")
    if damage:
        return "failed", "malformed", f"{detail}; {damage}"
    if not total and not has_news:
        return "empty", "no_members", "there is nothing in it"
    if was_known and not has_news:
        return "unchanged", "same_content", detail
    reason = "changed" if was_known and planned in {"new", "upload"} else planned
    return "ingested", "new" if reason == "upload" else reason, detail


def gone_members(catalogue: Catalogue, source_id: str, key: str, container: OpenContainer | None) -> list[KnownPlace]:
    """Return what is known below a container, or what was one, and not among the members it has now."""
    paths = container.paths if container is not None else set()
    rows = catalogue.members_below(source_id, key)
    return [row for row in rows if row.key[len(key) + 1 :].partition(MARK)[0] not in paths]


def are_too_many(catalogue: Catalogue, source_id: str, rows: list[KnownPlace], rule: HoldRule) -> str:
    """Return how many documents would be lost with members, if so many have to wait for a person; else nothing.

    A document that has another place is not lost: members are found under other names when somebody packs again.
    """
    places = {row.place_key for row in rows}
    documents = {row.document_id for row in rows if row.document_id}
    lost = 0
    for document_id in documents:
        elsewhere = catalogue.locations_of(document_id)
        lost += all(row.place_key in places for row in elsewhere)
    known = catalogue.count_places_with_documents(source_id) if lost else 0
    if not rule.holds(lost, known):
        return ""
    return (
        f"{lost} of {counted(known, 'document')} of the source would be retired: they are no longer in it; they "
        "are kept"
    )


def retire_members(change: StoreChange, rows: Iterable[KnownPlace]) -> list[Outcome]:
    """Add to a change that members are gone; returns the outcomes of those that were documents.

    What a person removed stays known.
    """
    outcomes = []
    for row in rows:
        if row.removed_sha256 and row.document_id is None:
            continue
        change.forgotten.add(row.place_key)
        if row.document_id is None:
            continue
        change.left.add(row.document_id)
        change.reasons[row.document_id] = NOT_IN_CONTAINER
        outcomes.append(
            Outcome(
                row.uri,
                row.key,
                "retired",
                NOT_IN_CONTAINER,
                change.at,
                "its container has it no more",
                document_id=row.document_id,
                version=row.version,
                bytes=row.size,
                parent=parent_of(row.uri),
            )
        )
    return outcomes
