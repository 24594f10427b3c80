"""Which deletions wait for a person: what a plan knows of earlier looks, and what it leaves for later ones."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ingest_tui.connectors.base import BaseConnector
from ingest_tui.connectors.containment import of_one_source
from ingest_tui.model.errors import IngestError
from ingest_tui.model.hashing import short_digest
from ingest_tui.model.holding import ChoiceComparison, HoldRule, HoldRules, Shown
from ingest_tui.model.look import UNKNOWN_CHOICE, Look
from ingest_tui.model.plan_line import NewLook, PlanLine
from ingest_tui.model.source import Source
from ingest_tui.pipeline.job.attachments import attachments_of
from ingest_tui.pipeline.job.context import JobContext
from ingest_tui.store.records.plan_file import plan_end, read_plan
from ingest_tui.store.records.settings import Settings
from ingest_tui.store.workspace import Workspace

_FORMER_DEFAULTS = (10, 0.5)


def hold_rules_of(
    workspace: Workspace, source: Source, connector: BaseConnector | None, *, approves: str | None = None
) -> HoldRules:
    """Return what decides which deletions of a source are held; ``approves`` is the job whose list was approved."""
    look = workspace.looks.get(source.source_id)
    return HoldRules(
        hold_rule_of(source, workspace.settings),
        _compare(look.chosen_by, chosen_by(source, connector, workspace.settings)),
        look.held > 0,
        approved_deletions(workspace, look, approves) if approves else {},
        is_remote=connector is not None and connector.capabilities.remote,
    )


def hold_rule_of(source: Source, settings: Settings) -> HoldRule:
    """Return how many deletions of a source are too many.

    A source's own settings take precedence over the workspace's; there a ``mass_deletion_…`` that somebody has set
    decides alone, as it always did. What `init` used to write into each workspace.json nobody has set.
    """
    general = HoldRule(settings.hold_items, settings.hold_share, settings.hold_always_share)
    own = (source.hold_items, source.hold_share, source.hold_always_share)
    if own != (None, None, None):
        return HoldRule._make(mine if mine is not None else given for mine, given in zip(own, general, strict=True))
    items, share = settings.mass_deletion_items, settings.mass_deletion_share
    former = (
        _FORMER_DEFAULTS[0] if items is None else items,
        _FORMER_DEFAULTS[1] if share is None else share,
    )
    if former == _FORMER_DEFAULTS:
        return general
    return HoldRule(items=former[0] - 1, share=former[1], always_share=1.0)


def chosen_by(source: Source, connector: BaseConnector | None, settings: Settings) -> str:
    """Return a digest of everything that chooses which items of a source, and which of their members, are taken."""
    types = (sorted(source.allow_types), sorted(source.deny_types))
    with of_one_source(source.source_id):
        choice = connector.choice() if connector is not None else source.source_type
    parts = [str(choice), str(int(source.max_size)), str(source.since), repr(types)]
    if attachments_of(source, settings) == "documents":
        parts.append("attachments")
    return short_digest(*parts, length=20)


def _compare(before: str, now: str) -> ChoiceComparison:
    if before == UNKNOWN_CHOICE:
        return ChoiceComparison.UNKNOWN
    return ChoiceComparison.SAME if before == now else ChoiceComparison.CHANGED


def approved_deletions(workspace: Workspace, look: Look, job_id: str) -> dict[str, Shown]:
    """Return what the approval of a job's held deletions covers still: what it showed and no look has seen since.

    Each plan that was made for the source since has to be there and to miss the document too. An approval that cannot
    be checked covers nothing: then the deletions are held again.
    """
    try:
        shown = _held_in(workspace.jobs.paths(job_id).plan)
        for later in _plans_since(workspace, look, job_id):
            _drop_seen(shown, later)
    except (IngestError, OSError, KeyError):
        return {}
    return shown


def _held_in(plan: Path) -> dict[str, Shown]:
    return {line.key: _shown(line) for line in read_plan(plan) if line.action == "hold"}


def _shown(line: PlanLine) -> Shown:
    return Shown(line.document_id or "", line.version)


def _plans_since(workspace: Workspace, look: Look, job_id: str) -> Iterator[Path]:
    """Yield the plans that were made for a source after that of a job, newest first.

    Each names the job whose plan it follows. Raises what an unreadable plan raises, and KeyError when none of them
    follows that of the job.
    """
    sequence, later = look.sequence + 1, look.job_id
    while later != job_id:
        plan = workspace.jobs.paths(later).plan
        made = plan_end(plan).look
        if made is None or made.sequence >= sequence:
            raise KeyError(job_id)
        sequence, later = made.sequence, made.after
        yield plan


def _drop_seen(shown: dict[str, Shown], plan: Path) -> None:
    """Take out what a later plan has seen: of a complete listing all that it does not miss too."""
    still_missed: dict[str, Shown] = {}
    seen: set[str] = set()
    complete = plan_end(plan).complete
    for line in read_plan(plan):
        if line.key in shown:
            if line.action in {"hold", "retire"}:
                still_missed[line.key] = _shown(line)
            else:
                seen.add(line.key)
    for key in [key for key in shown if key in seen or (complete and still_missed.get(key) != shown[key])]:
        del shown[key]


def look_with_plan(look: Look, new: NewLook, *, complete: bool, job_id: str) -> Look:
    """Return what is known once a plan was made that adds ``new``; ``complete``: of a listing that names everything.

    While deletions are held, the choice that the documents were taken by stays the known one: else the next look
    would find nothing changed, and retire them without a person.
    """
    changed: dict[str, Any] = {"sequence": new.sequence, "job_id": job_id}
    if complete:
        changed |= {"documents": new.documents, "held": new.held, "volumes": new.volumes}
        if not new.held:
            changed["chosen_by"] = new.chosen_by
    return look.model_copy(update=changed)


def check_superseded(job: JobContext) -> bool:
    """Return whether a newer plan was made for the source since ours: then what is gone or moved is for that one.

    Plans are ordered by the record of the last look, never by the clock. A plan of ours that is the newest but was cut
    off before that record was written gets it now.
    """
    end = plan_end(job.paths.plan)
    look = job.workspace.looks.get(job.source.source_id)
    made = end.look
    if made is None:  # of an older program, or of a job that lists nothing
        return True
    if not look.is_newest_plan(made.sequence, job_id=job.manifest.job_id, after=made.after):
        message = "a newer job has listed the source since: what is gone or moved is for that one to decide"
        job.log.event("info", message, newer=look.job_id or "unknown")
        return True
    if look.sequence < made.sequence:
        job.workspace.looks.save(look_with_plan(look, made, complete=end.complete, job_id=job.manifest.job_id))
    return False
