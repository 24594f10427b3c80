"""The last complete look at a source: what the next one is compared with before anything is retired."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

from ingest_tui.model.identifiers import check_identifier

SCHEMA_VERSION = 1
UNKNOWN_CHOICE = ""
"""Stands for what chose the documents of a source when nobody knows: no record of a look, or a damaged one."""


class Look(BaseModel):
    """What a workspace knows of its looks at one source; kept in ``looks/``, so that a rebuild does not lose it.

    ``sequence`` counts the plans that were made for the source, complete or not, and ``job_id`` names the job of the
    newest: they order the plans, whatever the clock says. The rest is of the newest complete look: ``chosen_by`` is a
    digest of what chose (place, patterns, limits, account) the documents that are here, ``documents`` how many were
    known then, ``held`` how many deletions it left to a person, ``volumes`` the mounted folders that the look spanned
    (folder within the source to its file system).
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    schema_version: int = SCHEMA_VERSION
    source_id: str
    sequence: int = Field(default=0, ge=0)
    job_id: str = ""
    chosen_by: str = UNKNOWN_CHOICE
    documents: int = 0
    held: int = Field(default=0, ge=0)
    volumes: dict[str, str] = Field(default_factory=dict)

    def is_newest_plan(self, sequence: int, *, job_id: str, after: str) -> bool:
        """Whether no plan was made since that one: number ``sequence``, made by ``job_id`` after that of ``after``.

        It may be the one that this record names, or the next one whose own record was cut off by a crash.
        """
        return (self.sequence, self.job_id) in {(sequence, job_id), (sequence - 1, after)}

    @classmethod
    def unknown(cls, source_id: str) -> Look:
        """Return the record of a source of which no look is known."""
        return cls(source_id=check_identifier(source_id))
