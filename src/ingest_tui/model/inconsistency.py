"""What is not as it must be in a workspace: the kinds, where each belongs, and what a repair does about it."""

from __future__ import annotations

from enum import StrEnum
from typing import Final, NamedTuple


class Part(StrEnum):
    """The part of a workspace that something is wrong with."""

    CATALOGUE = "catalogue"
    FULL_TEXT = "full text"
    FEED = "change feed"
    DOCUMENTS = "documents"
    TRASH = "trash"
    VECTORS = "vectors"
    JOBS = "jobs"
    QUEUE = "queue"
    RECORDS = "records"
    JOURNALS = "journals"
    PERMISSIONS = "permissions"
    LEFTOVERS = "leftovers"


class Remedy(StrEnum):
    """What a repair does: each value is what people read."""

    DERIVE = "made again from what is here"
    SOURCE = "the source must give it again"
    QUARANTINE = "moved to quarantine/"
    KEEP_GOOD = "its good lines are kept; as it is it goes to quarantine/"
    FINISH = "finished or undone"
    CLOSE = "closed to others"
    ACKNOWLEDGE = "acknowledged in it; no line is changed"
    REMOVE = "removed"
    PERSON = "needs a person"


class Kind(NamedTuple):
    """A kind of inconsistency: the part it is in, and its remedy."""

    part: Part
    remedy: Remedy


_DERIVED_ROWS: Final = (
    "contradiction", "place_without_document", "place_in_other_collection", "document_without_place",
    "primary_place_unknown", "version_without_document", "current_version_differs", "versions_differ",
)  # fmt: skip

KINDS: Final[dict[str, Kind]] = {
    **dict.fromkeys(_DERIVED_ROWS, Kind(Part.CATALOGUE, Remedy.DERIVE)),
    "catalogue_damaged": Kind(Part.CATALOGUE, Remedy.DERIVE),
    "unfinished_change": Kind(Part.CATALOGUE, Remedy.FINISH),
    "same_content": Kind(Part.CATALOGUE, Remedy.DERIVE),
    "same_address": Kind(Part.CATALOGUE, Remedy.DERIVE),
    "chunks_differ": Kind(Part.FULL_TEXT, Remedy.DERIVE),
    "chunk_text_differs": Kind(Part.FULL_TEXT, Remedy.DERIVE),
    "chunks_without_document": Kind(Part.FULL_TEXT, Remedy.DERIVE),
    "full_text_differs": Kind(Part.FULL_TEXT, Remedy.DERIVE),
    "feed_differs": Kind(Part.FEED, Remedy.DERIVE),
    "feed_has_gaps": Kind(Part.FEED, Remedy.DERIVE),
    "feed_not_written": Kind(Part.FEED, Remedy.DERIVE),
    "unknown_folder": Kind(Part.DOCUMENTS, Remedy.DERIVE),
    "folder_missing": Kind(Part.DOCUMENTS, Remedy.SOURCE),
    "version_damaged": Kind(Part.DOCUMENTS, Remedy.DERIVE),
    "awaits_source": Kind(Part.DOCUMENTS, Remedy.SOURCE),
    "awaits_person": Kind(Part.DOCUMENTS, Remedy.PERSON),
    "note_damaged": Kind(Part.DOCUMENTS, Remedy.DERIVE),
    "noted_places_differ": Kind(Part.DOCUMENTS, Remedy.DERIVE),
    "unknown_file": Kind(Part.DOCUMENTS, Remedy.QUARANTINE),
    "retired_note_differs": Kind(Part.TRASH, Remedy.DERIVE),
    "vectors_damaged": Kind(Part.VECTORS, Remedy.QUARANTINE),
    "vector_index_damaged": Kind(Part.VECTORS, Remedy.DERIVE),
    "manifest_damaged": Kind(Part.JOBS, Remedy.QUARANTINE),
    "manifest_contradicts": Kind(Part.JOBS, Remedy.DERIVE),
    "counters_differ": Kind(Part.JOBS, Remedy.DERIVE),
    "outcomes_missing": Kind(Part.JOBS, Remedy.PERSON),
    "plan_missing": Kind(Part.JOBS, Remedy.PERSON),
    "plan_damaged": Kind(Part.JOBS, Remedy.QUARANTINE),
    "staged_files_left": Kind(Part.JOBS, Remedy.QUARANTINE),
    "notice_damaged": Kind(Part.JOBS, Remedy.DERIVE),
    "job_not_queued": Kind(Part.QUEUE, Remedy.DERIVE),
    "ended_job_queued": Kind(Part.QUEUE, Remedy.REMOVE),
    "queue_entry_without_job": Kind(Part.QUEUE, Remedy.REMOVE),
    "queued_job_damaged": Kind(Part.QUEUE, Remedy.PERSON),
    "record_damaged": Kind(Part.RECORDS, Remedy.PERSON),
    "collection_unknown": Kind(Part.RECORDS, Remedy.PERSON),
    "folder_of_workspace_missing": Kind(Part.RECORDS, Remedy.PERSON),
    "remembered_damaged": Kind(Part.RECORDS, Remedy.QUARANTINE),
    "journal_damaged": Kind(Part.JOURNALS, Remedy.KEEP_GOOD),
    "log_damaged": Kind(Part.JOURNALS, Remedy.KEEP_GOOD),
    "audit_chain_broken": Kind(Part.JOURNALS, Remedy.ACKNOWLEDGE),
    "audit_head_damaged": Kind(Part.JOURNALS, Remedy.DERIVE),
    "removals_missing": Kind(Part.JOURNALS, Remedy.DERIVE),
    "too_open": Kind(Part.PERMISSIONS, Remedy.CLOSE),
    "planted_link": Kind(Part.PERMISSIONS, Remedy.QUARANTINE),
    "leftover": Kind(Part.LEFTOVERS, Remedy.REMOVE),
    "stray_file": Kind(Part.LEFTOVERS, Remedy.PERSON),
}
"""By code, with what a repair does about most of them; a finding may have a remedy of its own."""


FOLDERS_MADE_AGAIN: Final = frozenset({"queue", "workers", "locks"})
"""Folders of a workspace that hold nothing that is needed: an empty one says the same."""


class Inconsistency(NamedTuple):
    """Something that is not as it must be.

    ``code`` is one of `KINDS`. ``subject`` names what it is about: a document, a job, or a path below the workspace;
    empty for the whole. ``version`` is that of a document, 0 for the document itself.
    ``own_remedy``: what a repair does about this one, where it does another thing about others of its code.
    """

    code: str
    subject: str
    message: str
    version: int = 0
    own_remedy: Remedy | None = None

    @property
    def kind(self) -> Kind:
        """The part that it is in, and its remedy."""
        return KINDS[self.code]

    @property
    def remedy(self) -> Remedy:
        """What a repair does about this one."""
        is_made_again = self.code == "folder_of_workspace_missing" and self.subject in FOLDERS_MADE_AGAIN
        return Remedy.DERIVE if is_made_again else self.own_remedy or self.kind.remedy

    @property
    def identity(self) -> tuple[str, str, int]:
        """What stays the same when it is looked for again."""
        return self.code, self.subject, self.version

    def as_dict(self) -> dict[str, object]:
        """Return the JSON form."""
        kind = self.kind
        return {
            "part": kind.part.value,
            "code": self.code,
            "subject": self.subject,
            "version": self.version or None,
            "message": self.message,
            "repair": self.remedy.value,
        }
