"""What is known of an item that somebody asks about: the facts that `model/explanation/decision.py` decides from."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from ingest_tui.model.document import Document
from ingest_tui.model.place import KnownPlace
from ingest_tui.model.sighting import UNKNOWN, Sighting

MOVED_TO = "moved to "
NOT_TAKEN = ("failed", "rejected", "empty")

SourceState = Literal["here", "damaged", "removed", "upload", "kept"]


class Event(NamedTuple):
    """Something a job noted about an item: its plan, or its outcome (``hint``: what it said to do)."""

    job_id: str
    at: str
    what: str
    reason: str
    detail: str
    hint: str = ""
    document_id: str | None = None


class Retirement(NamedTuple):
    """Why a document is in the trash, as its folder there says; ``gone``: nothing of it is there any more."""

    reason: str
    by: str
    at: str
    gone: bool = False


@dataclass(frozen=True, slots=True)
class SourceFacts:
    """The source that a place belongs to. ``damaged``: its record cannot be read, or is lost.

    ``is_remote``: it is behind a network. ``synced``: it was listed before. ``gap``: why its last listing could not
    look where the item is, ``gap_place``: the place, empty for the whole source; ``is_gap_noted``: that listing said
    so, else it is seen only now.
    ``active_job`` is queued or at work (``active_state``). ``failure``: why its newest job failed.
    """

    source_id: str
    state: SourceState = "here"
    enabled: bool = True
    is_remote: bool = False
    synced: bool = True
    gap: str = ""
    gap_place: str = ""
    is_gap_noted: bool = True
    active_job: str = ""
    active_state: str = ""
    failure: str = ""


@dataclass(frozen=True, slots=True)
class FolderFacts:
    """A folder: how many documents are at and below it, how many of them are in the trash, and how many items there
    became none, by outcome. ``is_root``: of ``source``. ``holds``: the sources whose folders are within it.
    """

    documents: int = 0
    retired: int = 0
    outcomes: dict[str, int] = field(default_factory=dict)
    is_root: bool = False
    holds: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of a target. ``left_out``: why its source would not take what is there now; empty: it would.

    ``held_by``: the job that holds its deletion for a person. ``kills``: so often it killed its parser, if that put it
    into quarantine. ``was_version``: the number of the version of ``document`` that came from the target, if another
    one is current. ``names``: what else a bare name could mean. ``changed``: what is there is not what was read.
    ``members``: how many documents are in it, if it is a container. ``lacking``: the address of the container that is
    known and has no such member. ``filters_changed``: the settings that choose are not those of the last complete
    look. ``damaged_sources``: whose record cannot be read, so that nobody knows what they cover. ``lives_on``: the
    document that was there and is still searchable, at another place. ``stands_for``: the folder that a target of
    nothing but dots is.
    """

    target: str
    source: SourceFacts | None = None
    now: Sighting = UNKNOWN
    place: KnownPlace | None = None
    document: Document | None = None
    retirement: Retirement | None = None
    places: int = 0
    events: tuple[Event, ...] = ()
    left_out: tuple[str, str] = ("", "")
    held_by: str = ""
    held_reason: str = ""
    kills: int = 0
    was_version: int | None = None
    changed: bool = False
    members: int = 0
    lacking: str = ""
    filters_changed: bool = False
    lives_on: Document | None = None
    damaged_sources: tuple[str, ...] = ()
    folder: FolderFacts | None = None
    names: tuple[str, ...] = ()
    stands_for: str = ""

    @property
    def is_here(self) -> bool:
        """Whether a document is searchable."""
        return self.document is not None and self.document.state == "active"


class Verdict(NamedTuple):
    """The answer: is it here, why (a stable code), in a sentence, and what to do. ``stale``: not as at its source."""

    here: bool
    reason: str
    text: str
    hint: str = ""
    stale: bool = False


Rule = Callable[[Facts], Verdict | None]
"""Returns its answer, or None where it knows none."""
