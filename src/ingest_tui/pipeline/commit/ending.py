"""How an item of a batch ends: what is known from now on of its place, and its outcome. Decisions only."""

from __future__ import annotations

from dataclasses import dataclass, replace

from ingest_tui.model.outcome import Outcome, OutcomeName, short_warnings
from ingest_tui.model.place import KnownPlace
from ingest_tui.model.plan import ARCHIVED, PERMANENT_FAILURES
from ingest_tui.model.reasons import PROBLEM_OUTCOMES
from ingest_tui.model.source import Source
from ingest_tui.pipeline.staged_item import StagedItem


@dataclass(frozen=True, slots=True)
class ItemEnding:
    """What became of an item, and of which document it is a place.

    ``is_document``: it is one, or would be, so that a document that it was stays; ``keeps_place``: the place is not its
    own, and what is known of that stays.
    """

    name: OutcomeName
    reason: str
    detail: str = ""
    hint: str = ""
    document_id: str | None = None
    version: int | None = None
    phase: str = "commit"
    is_document: bool = True
    keeps_place: bool = False

    @property
    def is_permanent_failure(self) -> bool:
        """Whether it fails again until bytes, settings or parsers change."""
        return self.name == "failed" and self.phase == "extract" and self.reason in PERMANENT_FAILURES

    def of_known_document(self, known: KnownPlace | None) -> ItemEnding:
        """Return it with the document that its place had: what was searchable stays so in its last good version."""
        if known is None:
            return self
        if self.document_id is None:
            return replace(self, document_id=known.document_id, version=known.version)
        return replace(self, version=known.version) if self.version is None else self

    def settles(self, item: StagedItem) -> bool:
        """Whether the next sync need not look at the item as long as nothing changes.

        It does where a failure may pass, and at what was found to be archived only when it was asked for. A member is
        read again when its container is.
        """
        may_pass = (self.name == "failed" or self.reason == ARCHIVED) and not self.is_permanent_failure
        if item.members and item.members.may_pass:
            return False
        return not may_pass or item.parent is not None


def place_of(
    item: StagedItem,
    ending: ItemEnding,
    known: KnownPlace | None,
    *,
    source: Source,
    ruleset: str,
    parsers: str,
    job_id: str,
    at: str,
) -> KnownPlace:
    """Return what is known of the item's place from now on; ``known`` is what was known of it as a document."""
    line = item.line
    # What could not be read is no other content: what a person removed, or went back from, holds on.
    holds_on = ending.document_id is None or ending.name in PROBLEM_OUTCOMES
    removed = known if known is not None and holds_on else None
    return KnownPlace(
        source.source_id,
        item.key,
        line.uri,
        source.collection_id,
        ending.document_id,
        line.fingerprint if ending.settles(item) else "",
        line.size,
        line.modified_ns,
        ending.name,
        ending.reason,
        ending.detail,
        ruleset,
        job_id,
        at,
        ending.version,
        parsers=parsers,
        removed_sha256=removed.removed_sha256 if removed is not None else "",
        removed_content_hash=removed.removed_content_hash if removed is not None else "",
        container=line.container,
    )


def left_removed(removal: str) -> str:
    """Return what is said of an item with content that a person removed, as ``removal`` says."""
    return f"{removal}; the content is the same"


def is_news(item: StagedItem, ending: ItemEnding, before: KnownPlace | None) -> bool:
    """Whether that is not what was known of the item's place before."""
    now = (ending.name, ending.reason, item.line.fingerprint)
    return ending.name != "unchanged" and (before is None or (before.outcome, before.reason, before.fingerprint) != now)


def outcome_of(item: StagedItem, ending: ItemEnding, at: str) -> Outcome:
    """Return the outcome of an item that ended at ``at``."""
    line, result = item.line, item.result
    return Outcome(
        line.uri,
        item.key,
        ending.name,
        ending.reason,
        at,
        ending.detail,
        ending.hint,
        ending.document_id,
        ending.version,
        item.raw_sha256 or None,
        (result.content_hash or None) if result else None,
        item.size if item.raw_sha256 else line.size,
        (result.media_type or None) if result else None,
        (result.backend or None) if result else None,
        round(result.milliseconds) if result else None,
        ending.phase,
        short_warnings([finding.message for finding in result.validation]) if result else (),
        item.parent_uri,
    )
