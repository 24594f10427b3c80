"""When deletions wait for a person: too many at once, or what chooses the documents of a source has changed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple


class HoldReason(StrEnum):
    """Why a deletion waits for a person."""

    EMPTY_LISTING = "empty_listing"
    MASS_DELETION = "mass_deletion"
    CHOICE_CHANGED = "choice_changed"
    CHOICE_UNKNOWN = "choice_unknown"
    STILL_HELD = "still_held"
    EXCLUDED = "excluded"


HOLD_WORDS: dict[str, str] = {
    HoldReason.EMPTY_LISTING: "the source is empty all at once",
    HoldReason.MASS_DELETION: "they are too many at once",
    HoldReason.CHOICE_CHANGED: "the settings that choose what the source takes were changed",
    HoldReason.CHOICE_UNKNOWN: "no earlier look at the source is known",
    HoldReason.STILL_HELD: "deletions of an earlier sync still wait for an answer",
    HoldReason.EXCLUDED: "the settings of the source exclude them now",
}
_OR_WHO_SIGNS_IN = ", or who signs in to it (a rotated access key of a store that is not AWS counts as another account)"


def hold_words(reason: str, *, is_remote: bool) -> str:
    """Return why deletions are held; only a source behind a network (``is_remote``) has somebody who signs in to it."""
    words = HOLD_WORDS.get(reason, reason)
    return words + _OR_WHO_SIGNS_IN if is_remote and reason == HoldReason.CHOICE_CHANGED else words


class ChoiceComparison(StrEnum):
    """Whether what chooses the documents of a source is what chose those that are here."""

    SAME = "same"
    CHANGED = "changed"
    UNKNOWN = "unknown"


class HoldRule(NamedTuple):
    """How many deletions at once wait for a person.

    Those of more than ``items`` documents that are more than the ``share`` of the known ones, and those of more than
    the ``always_share``, however few they are. Shares are between 0 and 1; a share of 1 holds nothing.
    """

    items: int = 10
    share: float = 0.1
    always_share: float = 0.5

    def holds(self, vanished: int, known: int) -> bool:
        """Whether so many of the known documents are too many to go without a person."""
        many = vanished > self.items and vanished > known * self.share
        return many or vanished > known * self.always_share


HOLD_RULE = HoldRule()


class Shown(NamedTuple):
    """A document as a person saw it when they approved its deletion."""

    document_id: str
    version: int | None


@dataclass(frozen=True, slots=True)
class HoldRules:
    """What decides whether deletions are held. ``approved`` are those a person approved, by key, as they were shown.

    ``still_held``: the last look has left deletions to a person. While one is gone that nobody has approved, no other
    goes unasked: what was said to be kept until it is approved would go with the next sync, being few by itself.
    ``is_remote``: the source is behind a network.
    """

    rule: HoldRule = HOLD_RULE
    choice: ChoiceComparison = ChoiceComparison.SAME
    still_held: bool = False
    approved: Mapping[str, Shown] = field(default_factory=dict)
    is_remote: bool = False

    def reason(self, vanished: int, known: int, *, listed: int) -> HoldReason | None:
        """Return why the deletion of ``vanished`` documents has to wait; None when it need not."""
        if vanished == 0:
            return None
        if listed == 0:
            return HoldReason.EMPTY_LISTING
        if self.choice is not ChoiceComparison.SAME:
            return HoldReason.CHOICE_CHANGED if self.choice is ChoiceComparison.CHANGED else HoldReason.CHOICE_UNKNOWN
        if self.rule.holds(vanished, known):
            return HoldReason.MASS_DELETION
        holds_some = self.rule.always_share < 1
        return HoldReason.STILL_HELD if self.still_held and holds_some else None

    def approves(self, key: str, document_id: str | None, version: int | None) -> bool:
        """Whether a person approved the deletion of just that document."""
        return document_id is not None and self.approved.get(key) == Shown(document_id, version)


NOTHING_SPECIAL = HoldRules()
"""The rules of a source whose choice is the known one, with the usual limits, and nothing approved."""
