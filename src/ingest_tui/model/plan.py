"""What a sync will do with each item, and why: decided by pure functions before a byte moves."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from ingest_tui.model.attachments import mark_in, mark_of
from ingest_tui.model.counted import counted
from ingest_tui.model.descriptor import Descriptor
from ingest_tui.model.holding import NOTHING_SPECIAL, ChoiceComparison, HoldReason, HoldRules, hold_words
from ingest_tui.model.members import containers_of
from ingest_tui.model.ocr import OCR_REASONS
from ingest_tui.model.place import KnownPlace
from ingest_tui.model.plan_line import ActionName, PlanLine

RULES_VERSION = "2"
"""Changes when this program lets in what an earlier one refused, so that it is tried again."""

RENAMED = "renamed"
"""The reason of a document that has another key and was moved without being read."""

RULES_CHANGED = "rules_changed"
"""The reason of what is read again because other rules hold now: what was refused, or had another schema."""

FILTER_REFUSALS = frozenset({"too_large", "too_old", "type_not_allowed"})
"""Reasons of a listing that come from the settings of a source and not from the item alone."""

ARCHIVED = "archived"
"""The reason of what has to be restored by its owner before it can be read."""

PERMANENT_FAILURES = frozenset({"malformed", "encrypted", "unsafe_xml", "archive_bomb", "wrong_type"})
"""Reasons for which the same parsers fail on the same bytes each time."""

FAILED_BEFORE = "failed_before"
"""The reason of what is passed over because it failed so, and neither it, the settings nor the parsers have changed."""

NOT_LOOKED_INTO = "not_looked_into"
"""The reason of a gap: what is below that place is not known, and nothing is retired."""

RESTORED = "restored"
"""The reason of a place that a person has brought a document back to; without fingerprint until it is listed again."""

ROLLED_BACK = "rolled_back"
"""The reason of a place whose document a person brought back to an earlier version; it stays so until it changes."""

_NOT_TAKEN = {"rejected", "empty", "failed"}
HELD = "held"
"""Stands for the rule set of what is refused and whose document waits for a person, under whatever settings since."""

KILLS_BEFORE_QUARANTINE = 2
KILL_REASONS = frozenset({"crashed", "timeout", "memory"})
"""Reasons of a failure that cost the parser its life."""


def without_ocr(ruleset: str) -> str:
    """Return a ruleset without the part that stands for the settings of OCR, from its plus to a colon or the end."""
    before, plus, after = ruleset.partition("+")
    return before + schema_in(after) if plus else ruleset


def schema_in(ruleset: str) -> str:
    """Return the part of a ruleset that stands for a schema, from its colon on; empty for none.

    It decides about documents too: those that were read under another schema are read again.
    """
    return ruleset[ruleset.index(":") :] if ":" in ruleset else ""


class Quarantine(NamedTuple):
    """A document that killed its parser too often: as which fingerprint, by what, and how often."""

    fingerprint: str
    reason: str
    kills: int


def _any_may(_key: str) -> bool:
    return True


@dataclass(frozen=True, slots=True)
class PlanRules:
    """What the planner needs to know besides listing and memory.

    ``ruleset`` stands for everything that decides what is let in; what was refused under another one is tried again.
    ``hold`` decides which deletions wait for a person. ``parsers`` stands for the parsers as they are now.
    ``unsettled_ns`` is the span of modification times (nanoseconds) in which an item may still be being written.
    ``may_have_attachments`` says of a key whether what becomes of attachments may matter to it.
    """

    ruleset: str = ""
    force: bool = False
    hold: HoldRules = NOTHING_SPECIAL
    parsers: str = ""
    unsettled_ns: tuple[int, int] | None = None
    may_have_attachments: Callable[[str], bool] = _any_may


def plan_actions(
    listing: Iterable[Descriptor],
    known: dict[str, KnownPlace],
    *,
    complete: bool = True,
    rules: PlanRules | None = None,
) -> list[PlanLine]:
    """Return an action for every listed and every known key: the whole decision over values in memory.

    The pipeline streams the same decisions from disk: `plan_listed` for each descriptor, then `plan_vanished`.
    """
    rules = rules or PlanRules()
    descriptors = {descriptor.key: descriptor for descriptor in listing}
    vanished = [known[key] for key in sorted(known) if _is_gone(known[key], known, descriptors, rules)]
    vanished = vanished if complete else []
    members = {key for key, entry in known.items() if entry.container}
    fresh = sorted((one.fingerprint, one.key) for one in descriptors.values() if one.key not in known and _is_real(one))
    gone_documents = sorted(filter(_may_have_moved, vanished), key=lambda entry: (entry.fingerprint, entry.key))
    moves = {} if rules.force else pair_moves(gone_documents, fresh)
    actions = [
        plan_listed(descriptor, None if key in members else known.get(key), moved_from=moves.get(key), rules=rules)
        for key, descriptor in sorted(descriptors.items())
    ]
    moved = {entry.key for entry in moves.values()}
    gone = [entry for entry in vanished if entry.listed_key not in moved]
    known_documents = sum(1 for entry in known.values() if entry.document_id)
    actions += plan_vanished(gone, known_documents=known_documents, listed=len(descriptors), rules=rules)
    return actions


def _is_gone(
    entry: KnownPlace, known: Mapping[str, KnownPlace], descriptors: Mapping[str, Descriptor], rules: PlanRules
) -> bool:
    """Whether a listing names neither an entry nor its container, or it is attached where attachments are no documents.

    What is attached is within a document, such as a mail: an archive is none.
    """
    if entry.listed_key not in descriptors:
        return True
    if not entry.container or mark_in(rules.ruleset) == mark_of("documents"):
        return False
    within = (known.get(key) for key in containers_of(entry.key, entry.container))
    return any(one is not None and one.document_id is not None for one in within)


def _may_have_moved(entry: KnownPlace) -> bool:
    """Whether a vanished document may be found under another key: the fingerprint is that of what it was made of."""
    is_document = entry.document_id is not None and not entry.container
    return is_document and entry.fingerprint != "" and entry.outcome != "failed"


def _is_real(descriptor: Descriptor) -> bool:
    return descriptor.refusal is None and descriptor.fingerprint != ""


def pair_moves(vanished: Iterable[KnownPlace], fresh: Iterable[tuple[str, str]]) -> dict[str, KnownPlace]:
    """Return for each new key the vanished document it is, each used once: the first of a fingerprint with the first.

    ``vanished`` are documents and ``fresh`` pairs of the fingerprint and the key of a new item, both ordered by
    fingerprint, then key. Takes time in their number, however many share a fingerprint.
    """
    moves: dict[str, KnownPlace] = {}
    gone = iter(vanished)
    entry = next(gone, None)
    for fingerprint, key in fresh:
        while entry is not None and entry.fingerprint < fingerprint:
            entry = next(gone, None)
        if entry is None:
            break
        if entry.fingerprint == fingerprint:
            moves[key] = entry
            entry = next(gone, None)
    return moves


def plan_listed(
    descriptor: Descriptor,
    known: KnownPlace | None,
    *,
    moved_from: KnownPlace | None,
    rules: PlanRules,
    quarantine: Quarantine | None = None,
) -> PlanLine:
    """Decide for one listed item. ``moved_from`` is a vanished entry with the same fingerprint, if there is one.

    ``quarantine`` is set when the item killed the parsers as they are now too often.
    """
    if descriptor.refusal:
        return _plan_refused(descriptor, descriptor.refusal, known, rules)
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


def _act(descriptor: Descriptor, action: ActionName, reason: str, detail: str = "", **more: Any) -> PlanLine:
    return PlanLine(
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


def _plan_refused(
    descriptor: Descriptor, refusal: tuple[str, str], known: KnownPlace | None, rules: PlanRules
) -> PlanLine:
    """Decide for what the listing rules out. A document that was archived after it was taken need not be read again."""
    if known is not None and _is_excluded_now(refusal[0], known, rules):
        is_approved = rules.hold.approves(known.key, known.document_id, known.version)
        return _act(
            descriptor,
            "retire" if is_approved else "hold",
            HoldReason.EXCLUDED,
            refusal[1],
            document_id=known.document_id,
            version=known.version,
            refusal=refusal[0],
        )
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


def _is_excluded_now(reason: str, known: KnownPlace, rules: PlanRules) -> bool:
    """Whether a document is left out because the settings of its source were tightened, not because it changed."""
    if known.document_id is None or reason not in FILTER_REFUSALS or rules.hold.choice is ChoiceComparison.SAME:
        return False
    if known.outcome != "rejected":
        return True
    if known.ruleset == HELD:  # by an edit that nobody has answered yet
        return True
    was_refused_before_that = known.ruleset != rules.ruleset
    return rules.hold.choice is ChoiceComparison.CHANGED and not was_refused_before_that


def _plan_known(  # noqa: C901, PLR0911 - one branch and return for each decision
    descriptor: Descriptor, known: KnownPlace, rules: PlanRules, quarantine: Quarantine | None
) -> PlanLine:
    def ingest(reason: str, detail: str = "") -> PlanLine:
        return _act(descriptor, "ingest", reason, detail, document_id=known.document_id)

    if rules.force:
        return ingest("forced")
    if quarantine is not None and quarantine.fingerprint == descriptor.fingerprint:
        detail = f"in quarantine: it killed its parser {counted(quarantine.kills, 'time')}"
        return _act(descriptor, "quarantine", quarantine.reason, detail, document_id=known.document_id)
    if not known.fingerprint:
        return ingest("retry", f"last time: {known.outcome} ({known.reason})")
    if known.fingerprint != descriptor.fingerprint:
        return ingest("changed", f"fingerprint was {known.fingerprint}")
    if known.outcome == "failed":
        if (without_ocr(known.ruleset), known.parsers) != (without_ocr(rules.ruleset), rules.parsers):
            return ingest("retry", f"was failed ({known.reason}) under other settings or parsers")
        detail = f"{known.reason} last time, and nothing has changed since"
        return _act(descriptor, "skip", FAILED_BEFORE, detail, document_id=known.document_id)
    refused = known.outcome in {"rejected", "empty"}
    if refused and _may_be_taken_now(known, rules):
        return ingest(RULES_CHANGED, f"was {known.outcome} ({known.reason}) under other settings")
    if refused and known.reason == ARCHIVED:
        return ingest("restored", "was in an archive")
    if known.document_id is not None and known.uri != descriptor.uri and not refused:
        detail = f"was at {known.uri}"
        return _act(descriptor, "move", "readdressed", detail, document_id=known.document_id, from_key=known.key)
    is_container = known.document_id is None and known.outcome in {"ingested", "unchanged"}
    if (known.document_id is not None or is_container) and not refused:
        if otherwise := _read_otherwise(known, rules):
            return ingest(RULES_CHANGED, otherwise)
        if is_container and known.uri != descriptor.uri:
            return ingest("readdressed", f"was at {known.uri}")  # its members get their new addresses
    detail = f"was {known.outcome}: {known.reason}" if refused else ""
    return _act(descriptor, "skip", "same_fingerprint", detail, document_id=known.document_id)


def _read_otherwise(known: KnownPlace, rules: PlanRules) -> str:
    """Return why what is here has to be read again under the rules of now; empty where it has not."""
    if schema_in(known.ruleset) != schema_in(rules.ruleset):
        return "was read under another schema, or none"
    if mark_in(known.ruleset) != mark_in(rules.ruleset) and rules.may_have_attachments(known.key):
        return "its attachments were read under another setting"
    return ""


def _may_be_taken_now(known: KnownPlace, rules: PlanRules) -> bool:
    """Whether what was refused may be taken under the rules of now; settings of OCR matter to what it would read."""
    if without_ocr(known.ruleset) != without_ocr(rules.ruleset):
        return True
    return known.reason in OCR_REASONS and known.ruleset != rules.ruleset


def _may_be_half_written(descriptor: Descriptor, known: KnownPlace | None, rules: PlanRules) -> bool:
    if rules.unsettled_ns is None or descriptor.modified_ns is None:
        return False
    if known is not None and known.fingerprint == descriptor.fingerprint:
        return False
    start, end = rules.unsettled_ns
    return start < descriptor.modified_ns <= end


def plan_vanished(
    vanished: Iterable[KnownPlace],
    *,
    known_documents: int,
    listed: int,
    rules: PlanRules,
    vanished_documents: int | None = None,
) -> Iterator[PlanLine]:
    """Decide for what a complete listing no longer names.

    ``vanished_documents`` is the number of those that are documents; counted here when the caller does not know it.
    """
    if vanished_documents is None:
        vanished = list(vanished)
        vanished_documents = sum(1 for entry in vanished if entry.document_id)
    held = rules.hold.reason(vanished_documents, known_documents, listed=listed)
    detail = (
        f"{vanished_documents} of {counted(known_documents, 'item')} would go; "
        f"{hold_words(held, is_remote=rules.hold.is_remote)}"
        if held
        else ""
    )
    for entry in vanished:
        if not entry.document_id:
            yield PlanLine("forget", "not_listed", entry.key, entry.uri, container=entry.container)
        elif entry.reason == RESTORED and not entry.fingerprint:
            yield _vanished("keep", RESTORED, entry, "a person has brought it back; it is gone at its source")
        elif held and not rules.hold.approves(entry.key, entry.document_id, entry.version):
            yield _vanished("hold", held, entry, detail)
        else:
            yield _vanished("retire", "not_listed", entry)


def _vanished(action: ActionName, reason: str, entry: KnownPlace, detail: str = "") -> PlanLine:
    return PlanLine(
        action,
        reason,
        entry.key,
        entry.uri,
        detail,
        document_id=entry.document_id,
        version=entry.version,
        container=entry.container,
    )
