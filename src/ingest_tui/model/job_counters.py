"""What a job did, counted by outcome."""

from __future__ import annotations

from pydantic import BaseModel, Field

from ingest_tui.model.outcome import COUNTER_OF, OutcomeName


class MemberCounters(BaseModel):
    """What became of the members of containers, by outcome. They are not listed items, and not among `Counters`."""

    ingested: int = 0
    unchanged: int = 0
    duplicate: int = 0
    moved: int = 0
    retired: int = 0
    empty: int = 0
    rejected: int = 0
    failed: int = 0

    @property
    def total(self) -> int:
        """The number of members that have an outcome."""
        return sum(getattr(self, name) for name in MemberCounters.model_fields)


class Counters(BaseModel):
    """What the job did, in items, bytes and chunks. They add up, see `listed_accounted_for`.

    ``items_with_warnings`` counts items in which validators found something, whatever became of them. Members of
    containers are counted in ``members`` alone. ``versions_deleted`` counts earlier versions that new ones replaced.
    """

    descriptors_listed: int = 0
    items_fetched: int = 0
    items_skipped_incremental: int = 0
    items_ingested: int = 0
    items_duplicate: int = 0
    items_moved: int = 0
    items_retired: int = 0
    items_empty: int = 0
    items_rejected: int = 0
    items_failed: int = 0
    items_with_warnings: int = 0
    bytes_fetched: int = 0
    chunks_written: int = 0
    items_embedded: int = 0
    chunks_embedded: int = 0
    chunks_not_embedded: int = 0
    versions_deleted: int = 0
    members: MemberCounters = Field(default_factory=MemberCounters)

    def count(self, outcome: OutcomeName, number: int = 1) -> None:
        """Add ``number`` outcomes of one kind."""
        name = COUNTER_OF[outcome]
        setattr(self, name, getattr(self, name) + number)

    def count_member(self, outcome: OutcomeName) -> None:
        """Add an outcome of a member."""
        setattr(self.members, outcome, getattr(self.members, outcome) + 1)

    def as_flat_dict(self) -> dict[str, int]:
        """Return all numbers by name; of members only those that count something."""
        members = {f"members_{name}": number for name, number in self.members.model_dump().items() if number}
        return self.model_dump(exclude={"members"}) | members

    @property
    def listed_accounted_for(self) -> int:
        """The listed items that have an outcome; equals ``descriptors_listed`` when a job is done."""
        return sum(getattr(self, name) for outcome, name in COUNTER_OF.items() if outcome != "retired")
