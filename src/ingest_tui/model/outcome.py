"""What became of one descriptor, with the evidence."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, get_args

from ingest_tui.model.redaction import redact

OutcomeName = Literal[
    "ingested", "unchanged", "duplicate", "moved", "retired", "empty", "rejected", "failed", "embedded"
]
_OF_DOCUMENTS: tuple[OutcomeName, ...] = ("embedded",)
WARNINGS_KEPT = 3
_WARNING_CHARACTERS = 160
OUTCOME_NAMES: tuple[OutcomeName, ...] = get_args(OutcomeName)
PLACE_OUTCOMES = tuple(name for name in OUTCOME_NAMES if name not in _OF_DOCUMENTS)
"""What the last look at a place may have come to."""

# The counter of the manifest that each outcome adds to.
COUNTER_OF: dict[OutcomeName, str] = {
    "ingested": "items_ingested",
    "unchanged": "items_skipped_incremental",
    "duplicate": "items_duplicate",
    "moved": "items_moved",
    "retired": "items_retired",
    "empty": "items_empty",
    "rejected": "items_rejected",
    "failed": "items_failed",
    "embedded": "items_embedded",
}


@dataclass(slots=True, frozen=True)
class Outcome:
    """One line of outcomes.jsonl. ``bytes`` is the raw size; ``milliseconds`` the time spent extracting.

    ``warnings`` says in at most `WARNINGS_KEPT` short messages what validators found; ingestion.json has them all.
    ``parent`` is the address of the container that a member is in; None for what was listed.
    """

    uri: str
    key: str
    outcome: OutcomeName
    reason: str
    at: str
    detail: str = ""
    hint: str = ""
    document_id: str | None = None
    version: int | None = None
    raw_sha256: str | None = None
    content_hash: str | None = None
    bytes: int | None = None
    media_type: str | None = None
    backend: str | None = None
    milliseconds: int | None = None
    phase: str = "commit"
    warnings: tuple[str, ...] = ()
    parent: str | None = None

    def as_dict(self) -> dict[str, Any]:
        """Return the JSON form of the contract."""
        return {name: getattr(self, name) for name in self.__slots__}

    def redacted(self) -> Outcome:
        """Return the outcome without secrets in what an error said; most have none, since most went well."""
        if not self.detail and not self.hint:
            return self
        return replace(self, detail=redact(self.detail), hint=redact(self.hint))

    @classmethod
    def from_dict(cls, record: dict[str, Any]) -> Outcome:
        """Read a journal record, ignoring fields of later versions."""
        known = {name: record[name] for name in cls.__slots__ if name in record}
        if "warnings" in known:
            known["warnings"] = tuple(known["warnings"])
        return cls(**known)


def under_parents(outcomes: Iterable[Outcome]) -> Iterator[tuple[int, Outcome]]:
    """Yield outcomes with members after their container, each with the number of containers that it is in.

    Members come before their container in the journal; those of one that has no line come last.
    """
    waiting: dict[str, list[Outcome]] = {}

    def family(outcome: Outcome, depth: int) -> Iterator[tuple[int, Outcome]]:
        yield depth, outcome
        for member in waiting.pop(outcome.uri, ()):
            yield from family(member, depth + 1)

    for outcome in outcomes:
        if outcome.parent is None:
            yield from family(outcome, 0)
        else:
            waiting.setdefault(outcome.parent, []).append(outcome)
    for parent in list(waiting):
        for outcome in waiting.pop(parent, ()):
            yield from family(outcome, 1)


def short_warnings(messages: Sequence[str]) -> tuple[str, ...]:
    """Return what an outcome keeps of all messages: the first ones, clipped, and how many there are beyond."""
    if not messages:
        return ()
    clipped = [
        message if len(message) <= _WARNING_CHARACTERS else message[: _WARNING_CHARACTERS - 1] + "…"
        for message in messages[:WARNINGS_KEPT]
    ]
    if len(messages) > WARNINGS_KEPT:
        clipped[-1] = f"and {len(messages) - WARNINGS_KEPT + 1} more"
    return tuple(clipped)
