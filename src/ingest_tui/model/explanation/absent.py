"""Why something is not here: the rules, the first that knows an answer."""

from __future__ import annotations

from ingest_tui.model.counted import counted
from ingest_tui.model.document import Document
from ingest_tui.model.explanation.clauses import (
    explain_command,
    last_outcome_clause,
    left_out,
    remedy,
    sync_command,
    why_not_looked_into,
    why_not_yet,
)
from ingest_tui.model.explanation.facts import MOVED_TO, NOT_TAKEN, Facts, Rule, Verdict
from ingest_tui.model.plan import PERMANENT_FAILURES
from ingest_tui.model.remedies import remedy_for


def _not(code: str, text: str, hint: str) -> Verdict:
    return Verdict(False, code, f"not here: {text}", hint)


def _removed_by_a_person(facts: Facts) -> Verdict | None:
    """A removal holds for the content: what has changed since is taken, and so the rules below explain it."""
    place, retirement = facts.place, facts.retirement
    why = place.reason if place is not None else retirement.reason if retirement is not None else ""
    if why != "removed":
        return None
    at, by = (retirement.at, retirement.by) if retirement else (place.at if place else "", "")
    who = f"removed to the trash at {at}" + (f" by {by}" if by else "")
    if not retirement and place is not None:
        who = f"{place.detail or 'removed by a person'} at {at}"
    name = facts.source.source_id if facts.source else ""
    is_listed = facts.source is not None and facts.source.state == "here"
    if facts.changed and is_listed:
        return _not("removed", f"{who}; it has changed since, the next sync takes it", sync_command(name))
    if facts.document is not None and (retirement is None or not retirement.gone):
        again = "" if is_listed else ", also when its source is added again"
        return _not("removed", f"{who}; it stays out until it changes{again}", _restore(facts.document))
    again = f"'ingest-tui sync {name} --force' takes it again" if is_listed else "upload it again"
    return _not("removed", f"{who}, and the trash was emptied since", again)


def _restore(document: Document) -> str:
    return f"'ingest-tui doc restore {document.document_id}' brings it back"


def _not_in_container(facts: Facts) -> Verdict | None:
    if not facts.lacking:
        return None
    text = f"its container is known, and has no member of that name: {facts.lacking}"
    return _not("not_in_container", text, explain_command(facts.lacking))


def _container(facts: Facts) -> Verdict | None:
    """A container is no document itself; it is here as far as its members are."""
    place = facts.place
    if place is None or place.document_id is not None or place.outcome not in {"ingested", "unchanged"}:
        return None
    text = f"a container: {facts.members} of its members are documents"
    hint = f"'ingest-tui job items {place.job_id}' shows what became of each"
    if facts.source is not None and (facts.changed or facts.now.kind == "gone"):
        then = "the next sync retires them" if facts.now.kind == "gone" else "the next sync takes what has changed"
        text, hint = f"{text}; {then}", sync_command(facts.source.source_id)
    if facts.members:
        return Verdict(True, "container", f"here: {text}", hint, stale=facts.changed)
    return _not("container", text, hint)


def _was_container(facts: Facts) -> Verdict | None:
    """What was in a container may be here without it: a person keeps it, or its deletion waits for one."""
    if facts.place is not None or facts.document is not None or not facts.members:
        return None
    text = f"here: a container that no sync has seen lately; searchable documents from it: {facts.members}"
    return Verdict(True, "container", text, "'ingest-tui doc list' shows them")


def _refused_or_failed(facts: Facts) -> Verdict | None:
    place = facts.place
    if place is None or place.document_id is not None or place.outcome not in NOT_TAKEN:
        return None
    if facts.now.kind in {"gone", "source_gone", "link", "unreadable"}:
        return None
    if facts.changed and not facts.left_out[1]:
        name = place.source_id
        text = f"{last_outcome_clause(facts)}; it has changed since"
        waits = why_not_yet(facts)
        return _not(
            place.reason,
            text if waits is None else f"{text}; {waits.text}",
            waits.hint if waits else sync_command(name),
        )
    if facts.left_out[1] and facts.left_out[0] != place.reason:
        return None
    tail = f"; the {counted(facts.members, 'document')} that were in it before are kept" if facts.members else ""
    if place.outcome == "failed" and place.reason in PERMANENT_FAILURES and place.fingerprint:
        tail += "; it is passed over until it, its settings or a parser changes"
    return _not(place.reason, f"{last_outcome_clause(facts)}{tail}", remedy(facts))


def _moved(facts: Facts) -> Verdict | None:
    moved = next((one.detail for one in reversed(facts.events) if one.detail.startswith(MOVED_TO)), None)
    if moved is None or facts.now.kind == "item":
        return None
    return _not("moved", moved, explain_command(moved.removeprefix(MOVED_TO)))


_RETIRED_BECAUSE = {
    "source_removed": "its source {source!r} was removed",
    "replaced": "its place has other content since, which is another document",
    "excluded": "a person approved that what the settings of source {source!r} exclude goes",
    "not_in_container": "its container has it no more",
    "not_listed": "source {source!r} no longer listed it",
}


def _retired(facts: Facts) -> Verdict | None:
    document, retirement = facts.document, facts.retirement
    if document is None or retirement is None:
        return None
    reason = retirement.reason
    if reason == "not_listed" and any(one.reason == "excluded" for one in facts.events):
        reason = "excluded"
    because = _RETIRED_BECAUSE.get(reason, reason or "nobody noted why").format(source=document.source_id)
    text = f"retired to the trash at {retirement.at}: {because}"
    if retirement.gone:
        return _not(
            "purged", f"{text}; the trash has lost its folder since", "'ingest-tui rebuild' lists what else is lost"
        )
    again = _why_it_comes_back(facts)
    if again is not None:
        return _not(reason or "retired", f"{text}; {again.text}", f"{again.hint}; {_restore(document)}")
    return _not(reason or "retired", text, _restore(document))


def _why_it_comes_back(facts: Facts) -> Verdict | None:
    """Return that a retired document is at its source again, and what the next sync will make of that."""
    if facts.source is None or facts.source.state != "here" or facts.now.kind != "item":
        return None
    if facts.left_out[1]:
        return left_out(facts, facts.source)
    return why_not_yet(facts) or Verdict(
        False, "back", "it is at its source again, the next sync takes it", sync_command(facts.source.source_id)
    )


def _nowhere_covered(facts: Facts) -> Verdict | None:
    if facts.source is not None and facts.source.state != "removed":
        return None
    hint = "'ingest-tui source add local NAME --path FOLDER' adds one; 'ingest-tui upload FILE' takes a file"
    if not facts.damaged_sources:
        return _not("not_covered", "no source covers it", hint)
    named = ", ".join(facts.damaged_sources)
    text = f"no source that can be read covers it; the records of these are missing or damaged: {named}"
    return _not("source_damaged", text, "'ingest-tui doctor' names the files and what to do")


def _not_looked_into_yet(facts: Facts) -> Verdict | None:
    why = why_not_looked_into(facts)
    return None if why is None else _not(why.reason, why.text, why.hint)


def _lives_on(facts: Facts) -> Verdict | None:
    if facts.lives_on is None or facts.now.kind == "item":
        return None
    address = facts.lives_on.uri
    text = f"it is gone from its source; its content is still searchable, at {address}"
    return _not("other_place", text, explain_command(address))


def _purged(facts: Facts) -> Verdict | None:
    last = next((one for one in reversed(facts.events) if ": " in one.what), None)
    if facts.now.kind not in {"gone", "unknown"} or last is None or not last.what.endswith(": retired"):
        return None
    text = f"retired at {last.at}, since its source no longer listed it; the trash was emptied since"
    return _not("purged", text, "put the file in place again and sync")


def _gone(facts: Facts) -> Verdict | None:
    if facts.now.kind != "gone" or facts.source is None:
        return None
    text = f"there is no such file in source {facts.source.source_id!r}"
    return _not("gone", text, "was it renamed, moved or deleted?")


def _special(facts: Facts) -> Verdict | None:
    descriptor = facts.now.descriptor
    if descriptor is None or descriptor.refusal is None:
        return None
    reason, why = descriptor.refusal
    name = facts.source.source_id if facts.source else ""
    return _not(reason, f"source {name!r} cannot take it: {why}", remedy_for("rejected", reason, source_id=name))


def _waiting(facts: Facts) -> Verdict:
    source = facts.source
    name = source.source_id if source else ""
    waits = why_not_yet(facts)
    if facts.now.kind == "unknown":
        text = f"source {name!r} would take it, no sync has seen it"
        hint = f"is it there? 'ingest-tui plan {name}' shows what a sync would take"
    else:
        text, hint = f"source {name!r} would take it, no sync has seen it yet", sync_command(name)
    if waits is not None:
        return _not(waits.reason, f"{text}; {waits.text}", waits.hint)
    return _not("not_listed_yet", text, hint)


RULES: tuple[Rule, ...] = (
    _not_in_container,
    _removed_by_a_person,
    _container,
    _refused_or_failed,
    _retired,
    _moved,
    _lives_on,
    _was_container,
    _nowhere_covered,
    _not_looked_into_yet,
    _purged,
    _gone,
    _special,
    _waiting,
)
