"""What jobs noted about one item, from their plans and outcomes."""

from __future__ import annotations

from typing import Any

from ingest_tui.model.counted import counted
from ingest_tui.model.explanation.facts import MOVED_TO, Event
from ingest_tui.model.outcome import Outcome
from ingest_tui.model.plan_line import PlanLine
from ingest_tui.store.catalogue import queries
from ingest_tui.store.fs.encoding import encode_json
from ingest_tui.store.records.journal import lines_with
from ingest_tui.store.records.plan_file import plan_lines_with
from ingest_tui.store.workspace import Workspace

_JOBS_SEARCHED = 50


def events_of(workspace: Workspace, source_id: str, key: str, *, depth: int = 5) -> list[Event]:
    """Return what jobs noted about a key, oldest first, and before that about the key it was renamed from.

    The newest jobs of the source are searched, and those that are known to have to do with the key. Lines of other
    keys are not even decoded; runs of "unchanged" become one line.
    """
    events: list[Event] = []
    renamed_from = None
    for job_id, at in _jobs_to_search(workspace, source_id, key):
        paths = workspace.jobs.paths(job_id)
        needle = encode_json(key)
        for planned in plan_lines_with(paths.plan, needle):
            if key in {planned.key, planned.from_key}:
                events.append(_plan_event(job_id, at, planned, key))
                renamed_from = renamed_from or (planned.from_key if planned.key == key else None)
        for line in lines_with(paths.outcomes, needle.strip(b'"')):
            was = _moved_from(line)
            if line["key"] == key:
                events.append(_outcome_event(job_id, Outcome.from_dict(line)))
                renamed_from = renamed_from or was
            elif was == key:
                events.append(Event(job_id, line["at"], "commit: moved", line["reason"], f"{MOVED_TO}{line['key']}"))
    folded = _fold_unchanged(events)
    if renamed_from and renamed_from != key and depth:
        return events_of(workspace, source_id, renamed_from, depth=depth - 1) + folded
    return folded


def _moved_from(line: dict[str, Any]) -> str | None:
    """Return the key that an outcome says a document moved from, once its bytes had been compared."""
    if line["outcome"] != "moved" or line["reason"] != "same_content":
        return None
    return str(line["detail"]).removeprefix("was ").rpartition("; same ")[0] or None


def _jobs_to_search(workspace: Workspace, source_id: str, key: str) -> list[tuple[str, str]]:
    """Return ``(job id, its time)`` of the newest jobs of a source and of those that made what is known of a key."""
    places = workspace.reading.locations(source_id, [key]).values()
    named = {place.job_id for place in places}
    for document_id in {place.document_id for place in places if place.document_id}:
        named |= {version.job_id for version in queries.versions_of(workspace.reading, document_id)}
    found: list[tuple[str, str]] = []
    wanted = (job_id for job_id in workspace.jobs.ids() if len(found) < _JOBS_SEARCHED or job_id in named)
    for manifest in workspace.jobs.readable(wanted):
        if manifest.source_id == source_id:
            found.append((manifest.job_id, manifest.created_at))  # noqa: PERF401 - how many there are decides what is read
    return found[::-1]


def _fold_unchanged(events: list[Event]) -> list[Event]:
    folded: list[Event] = []
    unchanged = 0
    for event in events:
        if event.what == "planned: skip" and event.reason == "same_fingerprint":
            continue
        if event.reason == "same_fingerprint":
            unchanged += 1
            if unchanged > 1:
                folded[-1] = event._replace(detail=f"{counted(unchanged, 'sync')} in a row, this is the last")
                continue
        else:
            unchanged = 0
        folded.append(event)
    return folded


def _plan_event(job_id: str, at: str, line: PlanLine, key: str) -> Event:
    detail = f"{MOVED_TO}{line.key}" if line.from_key == key and line.key != key else line.detail
    return Event(job_id, at, f"planned: {line.action}", line.reason, detail)


def _outcome_event(job_id: str, outcome: Outcome) -> Event:
    evidence = []
    if outcome.raw_sha256:
        evidence.append(f"{counted(outcome.bytes or 0, 'byte')}, sha256 {outcome.raw_sha256[:12]}…")
    if outcome.backend:
        evidence.append(f"read by {outcome.backend} in {outcome.milliseconds} ms")
    detail = "; ".join(filter(None, [outcome.detail, *evidence]))
    what = f"{outcome.phase}: {outcome.outcome}"
    return Event(job_id, outcome.at, what, outcome.reason, detail, outcome.hint, outcome.document_id)
