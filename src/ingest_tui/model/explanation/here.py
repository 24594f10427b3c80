"""Why something is here, and whether it is as it is at its source: the rules, the first that knows an answer."""

from __future__ import annotations

from collections.abc import Callable

from ingest_tui.model.counted import counted
from ingest_tui.model.explanation.clauses import (
    last_outcome_clause,
    left_out,
    remedy,
    sync_command,
    why_not_looked_into,
    why_not_yet,
)
from ingest_tui.model.explanation.facts import NOT_TAKEN, Facts, Rule, Verdict
from ingest_tui.model.holding import hold_words
from ingest_tui.model.plan import FILTER_REFUSALS, ROLLED_BACK


def _here_says_why(code: str, clause: str, hint: str = "", *, stale: bool = True) -> Callable[[Facts], Verdict]:
    return lambda facts: Verdict(True, code, f"{_is_searchable(facts)}; {clause}", hint, stale)


def _is_searchable(facts: Facts) -> str:
    text = f"here: searchable in version {facts.document.version if facts.document else ''}"
    return f"{text}, at {counted(facts.places, 'place')} with the same content" if facts.places > 1 else text


def _replaced_upload(facts: Facts) -> Verdict | None:
    if facts.was_version is None or facts.document is None:
        return None
    document = facts.document
    clause = f"version {facts.was_version} came from here, and was replaced by what came from {document.uri}"
    hint = f"'ingest-tui doc text {document.document_id} --version {facts.was_version}' prints what it was"
    return _here_says_why("replaced", clause, hint)(facts)


def _kept_version(facts: Facts) -> Verdict | None:
    """The newest bytes could not be had or read: what was readable stays."""
    place = facts.place
    if place is None or place.outcome not in NOT_TAKEN or facts.held_by:
        return None
    if facts.changed:
        return None
    clause = f"what is at the source now was {last_outcome_clause(facts)}, the last good version is kept"
    return _here_says_why(place.reason, clause, remedy(facts))(facts)


def _held(facts: Facts) -> Verdict | None:
    if not facts.held_by:
        return None
    why = hold_words(facts.held_reason, is_remote=facts.source is not None and facts.source.is_remote)
    name = facts.source.source_id if facts.source else ""
    gone = (
        f"source {name!r} leaves it out now: {facts.left_out[1]}" if facts.left_out[1] else "it is gone at its source"
    )
    clause = f"{gone}; its deletion waits for a person: {why}"
    hint = f"'ingest-tui job approve {facts.held_by}' retires it, 'ingest-tui job refuse {facts.held_by}' keeps it"
    return _here_says_why("held", clause, hint)(facts)


def _kept_by_a_person(facts: Facts) -> Verdict | None:
    if facts.document is None or facts.source is None or facts.source.state != "kept":
        return None
    clause = "a person keeps it, no source lists it and no sync changes it"
    hint = (
        f"a source that lists its address takes it over; 'ingest-tui doc remove {facts.document.document_id}' ends it"
    )
    return _here_says_why("kept", clause, hint, stale=False)(facts)


def _rolled_back(facts: Facts) -> Verdict | None:
    place, document = facts.place, facts.document
    if place is None or document is None or place.reason != ROLLED_BACK or facts.changed or facts.now.kind == "gone":
        return None
    is_synced = facts.source is not None and facts.source.state == "here"
    undone = f"'ingest-tui doc rollback {document.document_id}' goes back by one"
    again = "a forced sync takes the newest again" if is_synced else undone
    hint = f"'ingest-tui doc versions {document.document_id}' shows the versions; {again}"
    return _here_says_why(ROLLED_BACK, place.detail, hint)(facts)


def _uploaded(facts: Facts) -> Verdict | None:
    if facts.source is None or facts.source.state != "upload":
        return None
    if facts.now.kind == "item" and facts.changed:
        clause = "it was added by hand, and the file has changed since"
        return _here_says_why("changed", clause, "'ingest-tui upload FILE' takes it as the next version")(facts)
    return _here_says_why("uploaded", "it was added by hand, no sync changes it", stale=False)(facts)


def _orphaned(facts: Facts) -> Verdict | None:
    if facts.source is None or facts.source.state != "removed":
        return None
    clause = f"there is no source {facts.source.source_id!r} that keeps it up to date"
    return _here_says_why("no_source", clause, "'ingest-tui source add TYPE NAME' adds one", stale=False)(facts)


def _not_looked_into(facts: Facts) -> Verdict | None:
    why = why_not_looked_into(facts)
    if why is None:
        return None
    clause, hint = why.text, why.hint
    if facts.left_out[1] and facts.source is not None and why == left_out(facts, facts.source):
        is_held = facts.filters_changed or facts.left_out[0] not in FILTER_REFUSALS
        name = facts.source.source_id if facts.source else ""
        kept = "the next sync keeps this version"
        clause += f"; {'the next sync holds its deletion until a person approves it' if is_held else kept}"
        hint = f"{hint}; 'ingest-tui plan {name}' shows what a sync would do"
    return _here_says_why(why.reason, clause, hint)(facts)


def _changed_or_gone(facts: Facts) -> Verdict | None:
    """What is at the source is not what was read, and nothing but time is between."""
    if facts.source is None or not (facts.now.kind == "gone" or facts.changed):
        return None
    what = "it is gone at its source" if facts.now.kind == "gone" else "it has changed at its source since"
    code = "gone" if facts.now.kind == "gone" else "changed"
    waits = why_not_yet(facts)
    if waits is not None:
        return _here_says_why(code, f"{what}; {waits.text}", waits.hint)(facts)
    then = "the next sync retires it, or holds that for a person" if code == "gone" else "the next sync takes that"
    return _here_says_why(code, f"{what}; {then}", sync_command(facts.source.source_id))(facts)


def _up_to_date(facts: Facts) -> Verdict:
    place, document = facts.place, facts.document
    if place is None or document is None or place.outcome != "duplicate":
        return Verdict(True, "present", _is_searchable(facts))
    if place.uri == document.uri:
        text = f"{_is_searchable(facts)}; it was a duplicate of a file that is gone, and keeps the document now"
        return Verdict(True, "present", text)
    detail = f" ({place.detail})" if place.detail else ""
    text = f"here: searchable in version {document.version}, as a duplicate of {document.uri}{detail}"
    return Verdict(True, "duplicate", text)


RULES: tuple[Rule, ...] = (
    _replaced_upload,
    _held,
    _kept_by_a_person,
    _rolled_back,
    _uploaded,
    _orphaned,
    _kept_version,
    _not_looked_into,
    _changed_or_gone,
    _up_to_date,
)
