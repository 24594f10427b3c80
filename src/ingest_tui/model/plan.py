"""What a sync will do with each item, and why: decided by pure functions before a byte moves."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

from ingest_tui.model.descriptor import Descriptor

RULES_VERSION = "1"
"""Changes when this program lets in what an earlier one refused, so that it is tried again."""

RENAMED = "renamed"
"""The reason of a document that has another key and was moved without being read."""

RULES_CHANGED = "rules_changed"
"""The reason of what was refused and is tried again because other rules hold now."""

ARCHIVED = "archived"
"""The reason of what has to be restored by its owner before it can be read."""

_NOT_TAKEN = {"rejected", "empty", "failed"}
ActionName = Literal["ingest", "skip", "move", "reject", "quarantine", "retire", "hold", "forget"]

KILLS_BEFORE_QUARANTINE = 2
KILL_REASONS = frozenset({"crashed", "timeout", "memory"})
"""Reasons of a failure that cost the parser its life."""


class Known(NamedTuple):
    """What the catalogue remembers of a key. ``document_id`` is None for what never became a document."""

    key: str
    uri: str
    fingerprint: str
    document_id: str | None
    outcome: str
    reason: str
    ruleset: str


class Quarantine(NamedTuple):
    """A document that killed its parser too often: as which fingerprint, by what, and how often."""

    fingerprint: str
    reason: str
    kills: int


_IDENTITY = {"key", "uri", "from_key"}


class Action(NamedTuple):
    """One line of the plan: an action on a key, its reason, and what is needed to carry it out.

    ``skip``: nothing to do. ``ingest``: fetch and extract. ``move``: same item under another key (``from_key``).
    ``reject``: known from the listing alone. ``quarantine``: it kills
    parsers and is not given to one. ``retire``: gone for certain. ``hold``: gone, but too many at once.
    ``forget``: gone, and no document ever came of it.
    """

    action: ActionName
    reason: str
    key: str
    uri: str
    detail: str = ""
    fingerprint: str = ""
    size: int | None = None
    modified_ns: int | None = None
    document_id: str | None = None
    from_key: str | None = None
    metadata: dict[str, str] | None = None

    def as_dict(self) -> dict[str, Any]:
        """Return the JSON form: what is absent is left out, but a key may be empty."""
        pairs = zip(self._fields, self, strict=True)
        return {name: value for name, value in pairs if value is not None and (value != "" or name in _IDENTITY)}


@dataclass(frozen=True, slots=True)
class PlanRules:
    """What the planner needs to know besides listing and memory.

    ``ruleset`` stands for everything that decides what is let in; what was refused under another one is tried again.
    A mass deletion is held when at least ``mass_deletion_items`` and more than ``mass_deletion_share`` of the known
    documents would go, or when the listing came back empty; ``approved_keys`` were approved by a person.
    ``unsettled_ns`` is the span of modification times (nanoseconds) in which an item may still be being written.
    """

    ruleset: str = ""
    force: bool = False
    mass_deletion_items: int = 10
    mass_deletion_share: float = 0.5
    approved_keys: frozenset[str] = frozenset()
    unsettled_ns: tuple[int, int] | None = None


def plan_actions(
    listing: Iterable[Descriptor],
    known: dict[str, Known],
    *,
    complete: bool = True,
    rules: PlanRules | None = None,
) -> list[Action]:
    """Return an action for every listed and every known key: the whole decision over values in memory.

    The pipeline streams the same decisions from disk: `plan_listed` for each descriptor, then `plan_vanished`.
    """
    rules = rules or PlanRules()
    descriptors = {descriptor.key: descriptor for descriptor in listing}
    vanished = [known[key] for key in sorted(known) if key not in descriptors] if complete else []
    unknown = [descriptors[key] for key in sorted(descriptors) if key not in known]
    moves = {} if rules.force else pair_moves(_candidates(unknown, vanished))
    actions = [
        plan_listed(descriptor, known.get(key), moved_from=moves.get(key), rules=rules)
        for key, descriptor in sorted(descriptors.items())
    ]
    moved = {entry.key for entry in moves.values()}
    gone = [entry for entry in vanished if entry.key not in moved]
    known_documents = sum(1 for entry in known.values() if entry.document_id)
    actions += plan_vanished(gone, known_documents=known_documents, listed=len(descriptors), rules=rules)
    return actions


def _candidates(unknown: list[Descriptor], vanished: list[Known]) -> Iterator[tuple[str, Known]]:
    by_fingerprint: dict[str, list[Known]] = {}
    for entry in vanished:
        if entry.document_id and entry.fingerprint:
            by_fingerprint.setdefault(entry.fingerprint, []).append(entry)
    for descriptor in unknown:
        if descriptor.refusal is None:
            for entry in by_fingerprint.get(descriptor.fingerprint, ()):
                yield descriptor.key, entry


def pair_moves(candidates: Iterable[tuple[str, Known]]) -> dict[str, Known]:
    """Return for each new key the vanished document it is, each used once.

    ``candidates`` are all pairs of a new key and a vanished document with the same fingerprint, ordered by both keys.
    """
    moves: dict[str, Known] = {}
    used: set[str] = set()
    for key, entry in candidates:
        if key not in moves and entry.key not in used:
            moves[key] = entry
            used.add(entry.key)
    return moves


def plan_listed(
    descriptor: Descriptor,
    known: Known | None,
    *,
    moved_from: Known | None,
    rules: PlanRules,
    quarantine: Quarantine | None = None,
) -> Action:
    """Decide for one listed item. ``moved_from`` is a vanished entry with the same fingerprint, if there is one.

    ``quarantine`` is set when the item killed the parsers as they are now too often.
    """
    if descriptor.refusal:
        return _plan_refused(descriptor, descriptor.refusal, known)
    if _may_be_half_written(descriptor, known, rules):
        return _act(descriptor, "skip", "unsettled", "changed a moment ago; taken once it is quiet")
    if known is not None:
        return _plan_known(descriptor, known, rules, quarantine)
    if moved_from is None or rules.force:
        return _act(descriptor, "ingest", "new")
    return _act(
        descriptor,
        "move",
        RENAMED,
        f"was {moved_from.key}",
        document_id=moved_from.document_id,
        from_key=moved_from.key,
    )


def _act(descriptor: Descriptor, action: ActionName, reason: str, detail: str = "", **more: Any) -> Action:
    return Action(
        action,
        reason,
        descriptor.key,
        descriptor.uri,
        detail,
        descriptor.fingerprint,
        descriptor.size,
        descriptor.modified_ns,
        metadata=descriptor.metadata,
        **more,
    )


def _plan_refused(descriptor: Descriptor, refusal: tuple[str, str], known: Known | None) -> Action:
    """Decide for what the listing rules out. A document that was archived after it was taken need not be read again."""
    if (
        refusal[0] == ARCHIVED
        and known is not None
        and known.document_id is not None
        and known.outcome not in _NOT_TAKEN
        and known.fingerprint == descriptor.fingerprint != ""
    ):
        detail = f"what is known of it still holds; now {refusal[1]}"
        return _act(descriptor, "skip", "same_fingerprint", detail, document_id=known.document_id)
    return _act(descriptor, "reject", *refusal)


def _plan_known(  # noqa: PLR0911 - one return for each decision
    descriptor: Descriptor, known: Known, rules: PlanRules, quarantine: Quarantine | None
) -> Action:
    def ingest(reason: str, detail: str = "") -> Action:
        return _act(descriptor, "ingest", reason, detail, document_id=known.document_id)

    if rules.force:
        return ingest("forced")
    if quarantine is not None and quarantine.fingerprint == descriptor.fingerprint:
        detail = f"in quarantine: it killed its parser {quarantine.kills} times"
        return _act(descriptor, "quarantine", quarantine.reason, detail, document_id=known.document_id)
    if not known.fingerprint:
        return ingest("retry", f"last time: {known.outcome} ({known.reason})")
    if known.fingerprint != descriptor.fingerprint:
        return ingest("changed", f"fingerprint was {known.fingerprint}")
    refused = known.outcome in {"rejected", "empty"}
    if refused and known.ruleset != rules.ruleset:
        return ingest(RULES_CHANGED, f"was {known.outcome} ({known.reason}) under other settings")
    if refused and known.reason == ARCHIVED:
        return ingest("restored", "was in an archive")
    detail = f"was {known.outcome}: {known.reason}" if refused else ""
    return _act(descriptor, "skip", "same_fingerprint", detail, document_id=known.document_id)


def _may_be_half_written(descriptor: Descriptor, known: Known | None, rules: PlanRules) -> bool:
    if rules.unsettled_ns is None or descriptor.modified_ns is None:
        return False
    if known is not None and known.fingerprint == descriptor.fingerprint:
        return False
    start, end = rules.unsettled_ns
    return start < descriptor.modified_ns <= end


def is_mass_deletion(vanished: int, known: int, *, listed: int, rules: PlanRules) -> bool:
    """Tell whether so many documents would vanish that a person has to approve."""
    if vanished == 0:
        return False
    if listed == 0:
        return True
    return vanished >= rules.mass_deletion_items and vanished > known * rules.mass_deletion_share


def plan_vanished(
    vanished: Iterable[Known],
    *,
    known_documents: int,
    listed: int,
    rules: PlanRules,
    vanished_documents: int | None = None,
) -> Iterator[Action]:
    """Decide for what a complete listing no longer names.

    ``vanished_documents`` is the number of those that are documents; counted here when the caller does not know it.
    """
    if vanished_documents is None:
        vanished = list(vanished)
        vanished_documents = sum(1 for entry in vanished if entry.document_id)
    held = is_mass_deletion(vanished_documents, known_documents, listed=listed, rules=rules)
    reason = "empty_listing" if listed == 0 else "mass_deletion"
    detail = f"{vanished_documents} of {known_documents} documents would go"
    for entry in vanished:
        if not entry.document_id:
            yield Action("forget", "not_listed", entry.key, entry.uri)
        elif held and entry.key not in rules.approved_keys:
            yield Action("hold", reason, entry.key, entry.uri, detail, document_id=entry.document_id)
        else:
            yield Action("retire", "not_listed", entry.key, entry.uri, document_id=entry.document_id)
