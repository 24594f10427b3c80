"""What keeps a source from having an item as it is: clauses of an explanation, each with its reason and a hint."""

from __future__ import annotations

import re
from collections.abc import Callable

from ingest_tui.model.counted import counted
from ingest_tui.model.explanation.facts import Facts, SourceFacts, Verdict
from ingest_tui.model.gap_remedies import gap_remedy, remedy_of
from ingest_tui.model.plan import FILTER_REFUSALS
from ingest_tui.model.remedies import remedy_for
from ingest_tui.model.volumes import gap_name

Clause = Callable[[Facts, SourceFacts], Verdict | None]

_PLAIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:/%+-]*")


def why_not_looked_into(facts: Facts) -> Verdict | None:
    """Return why no listing takes what is at the target, whatever it is. The text is a clause."""
    return _first(_NOT_LOOKED_INTO, facts)


def why_not_yet(facts: Facts) -> Verdict | None:
    """Return what keeps a source that would take the target from having taken it. The text is a clause."""
    return _first(_NOT_YET, facts)


def _first(clauses: tuple[Clause, ...], facts: Facts) -> Verdict | None:
    source = facts.source
    if source is None:
        return None
    return next((found for clause in clauses if (found := clause(facts, source)) is not None), None)


def _no(reason: str, text: str, hint: str) -> Verdict:
    return Verdict(here=False, reason=reason, text=text, hint=hint)


def _damaged(_facts: Facts, source: SourceFacts) -> Verdict | None:
    if source.state != "damaged":
        return None
    text = f"the record of source {source.source_id!r} is missing or damaged, so no sync keeps it up to date"
    return _no("source_damaged", text, "'ingest-tui doctor' names the file and what to do")


def _source_gone(facts: Facts, source: SourceFacts) -> Verdict | None:
    if facts.now.kind != "source_gone":
        return None
    text = f"source {source.source_id!r} cannot be reached: {facts.now.detail}; nothing is deleted for that"
    remedy = remedy_of(facts.now.detail)
    tries = f"'ingest-tui source test {source.source_id}' tries it"
    return _no("source_gone", text, f"{remedy}; {tries}" if remedy else tries)


def _excluded(facts: Facts, source: SourceFacts) -> Verdict | None:
    return left_out(facts, source) if facts.left_out[1] and facts.now.kind != "gone" else None


def left_out(facts: Facts, source: SourceFacts) -> Verdict:
    """Return that the settings of the source leave the target out, and which change would let it in."""
    name = source.source_id
    reason, why = facts.left_out
    settings = (
        f"'ingest-tui source show {name}' shows its settings, 'ingest-tui source edit {name} --help' how to change"
    )
    if reason not in FILTER_REFUSALS:
        return _no("excluded", f"source {name!r} leaves it out: {why}", f"{settings} them")
    return _no(reason, f"source {name!r} leaves it out: {why}", remedy_for("rejected", reason, source_id=name))


def _link(facts: Facts, source: SourceFacts) -> Verdict | None:
    seen = facts.now
    if seen.kind != "link":
        return None
    hint = "add the folder that it leads to as a source of its own"
    if seen.follows:
        return _no("symlink", f"{seen.detail}, which is never followed", hint)
    name = source.source_id
    hint = f"'ingest-tui source edit {name} --follow-symlinks' follows links that stay within its folder; or {hint}"
    return _no("symlink", f"{seen.detail}, which source {name!r} does not follow", hint)


def _unreadable(facts: Facts, source: SourceFacts) -> Verdict | None:
    if facts.now.kind == "unreadable":
        text = f"{facts.now.detail}; nothing there is taken or deleted until it can be"
        return _no("unreadable", text, gap_remedy(facts.now.detail, source.source_id))
    if not source.gap:
        return None
    seen = "the last sync could not look there" if source.is_gap_noted else "no sync can look there now"
    text = f"{seen} ({gap_name(source.gap_place)}: {source.gap}); nothing there is taken or deleted until one can"
    return _no("unreadable", text, gap_remedy(source.gap, source.source_id, is_whole=not source.gap_place))


_NOT_LOOKED_INTO: tuple[Clause, ...] = (_damaged, _source_gone, _excluded, _link, _unreadable)


def _job(_facts: Facts, source: SourceFacts) -> Verdict | None:
    job, state = source.active_job, source.active_state
    if not job:
        return None
    if state == "running":
        hint = f"'ingest-tui job show {job}' shows how far it is"
        return _no("job_running", f"job {job} is at work on its source", hint)
    hint = "'ingest-tui worker start' starts a worker that does it"
    if state == "paused":
        hint = f"'ingest-tui job resume {job}' resumes it"
    return _no(f"job_{state}", f"job {job} of its source is {state}", hint)


def _disabled(_facts: Facts, source: SourceFacts) -> Verdict | None:
    name = source.source_id
    hint = f"'ingest-tui source enable {name}', then {sync_command(name)}"
    return None if source.enabled else _no("source_disabled", f"source {name!r} is disabled", hint)


def _failed(_facts: Facts, source: SourceFacts) -> Verdict | None:
    text = f"the last sync of its source failed: {source.failure}"
    return _no("sync_failed", text, sync_command(source.source_id)) if source.failure else None


def _never_synced(_facts: Facts, source: SourceFacts) -> Verdict | None:
    text = f"source {source.source_id!r} was never synced"
    return None if source.synced else _no("never_synced", text, sync_command(source.source_id))


def _unsettled(facts: Facts, source: SourceFacts) -> Verdict | None:
    if not facts.events or facts.events[-1].reason != "unsettled":
        return None
    text = "it was being written when the watch saw it; it is taken once it is quiet"
    return _no("unsettled", text, f"{sync_command(source.source_id)} takes it at once")


_NOT_YET: tuple[Clause, ...] = (_job, _disabled, _failed, _never_synced, _unsettled)


def sync_command(source_id: str) -> str:
    """Return the command that syncs a source, as hints quote it."""
    return f"'ingest-tui sync {source_id}'"


def explain_command(address: str) -> str:
    """Return the command for an address; one that a shell would not take as it is, is left to the reader."""
    if _PLAIN.fullmatch(address):
        return f"'ingest-tui doc explain {address}' explains it"
    return "explain it by its own address"


def last_outcome_clause(facts: Facts) -> str:
    """Return what the last look at a place came to, and why, as a clause."""
    place = facts.place
    if place is None:
        return ""
    because = f"{place.reason}: {place.detail}" if place.detail else place.reason
    if facts.kills:
        because += f"; in quarantine since it killed its parser {counted(facts.kills, 'time')}"
    return f"{place.outcome} at {place.at} ({because})"


def remedy(facts: Facts) -> str:
    """Return what to do about what the last look at a place came to."""
    place = facts.place
    if place is None:
        return ""
    said = next((one.hint for one in reversed(facts.events) if one.hint and one.reason == place.reason), "")
    kills = facts.kills > 0
    return remedy_for(place.outcome, place.reason, source_id=place.source_id, said=said, quarantined=kills)
