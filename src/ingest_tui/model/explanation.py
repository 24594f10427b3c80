"""Why something is here, is not, or is not as it is at its source: decided from facts alone.

`services/documents/explain.py` gathers the facts, this module does the thinking. ``reason`` of a `Verdict` is stable
and meant for scripts, its text and hint are for people.
"""

from __future__ import annotations

from collections.abc import Callable

from ingest_tui.model.document import Document
from ingest_tui.model.explanation_clauses import (
    explain_command,
    left_out,
    sync_command,
    why_not_looked_into,
    why_not_yet,
)
from ingest_tui.model.explanation_facts import MOVED_TO, Facts, Verdict
from ingest_tui.model.holding import HOLD_WORDS
from ingest_tui.model.outcome import OUTCOME_NAMES
from ingest_tui.model.plan import FILTER_REFUSALS, PERMANENT_FAILURES
from ingest_tui.model.remedies import remedy_for

_NOT_TAKEN = ("failed", "rejected", "empty")
_NAMES_SHOWN = 5

Rule = Callable[[Facts], Verdict | None]


def decide(facts: Facts) -> Verdict:
    """Return the answer that the facts lead to: that of the first rule which knows one."""
    rules = _OF_MANY if facts.names or facts.folder else _OF_WHAT_IS_HERE if facts.is_here else _OF_WHAT_IS_NOT
    verdict = next(verdict for rule in rules if (verdict := rule(facts)) is not None)
    if not facts.stands_for:
        return verdict
    return verdict._replace(text=f"{verdict.text}; {facts.target or 'an empty name'} is {facts.stands_for} here")


# Several things at once


def _several_names(facts: Facts) -> Verdict | None:
    if not facts.names:
        return None
    more = f" and {len(facts.names) - _NAMES_SHOWN} more" if len(facts.names) > _NAMES_SHOWN else ""
    named = ", ".join(facts.names[:_NAMES_SHOWN])
    return Verdict(
        False, "ambiguous", f"{len(facts.names)} items have that name: {named}{more}", explain_command(facts.names[0])
    )


def _folder(facts: Facts) -> Verdict | None:
    folder, source = facts.folder, facts.source
    if folder is None:
        return None
    here = folder.documents > 0
    counts = [f"documents: {folder.documents}"]
    counts += [f"{name}: {folder.outcomes[name]}" for name in OUTCOME_NAMES if folder.outcomes.get(name)]
    counts += [f"in the trash: {folder.retired}"] if folder.retired else []
    if folder.holds:
        what, hint = f"a folder above the sources {', '.join(folder.holds)}", "'ingest-tui source list' shows them"
    elif source is None or source.state == "removed":
        what, hint = "a folder that no source covers", "'ingest-tui source add local NAME --path FOLDER' adds one"
    else:
        of = "the folder" if folder.is_root else "a folder"
        what, hint = f"{of} of source {source.source_id!r}", "explain one of its files to see more"
    why = why_not_looked_into(facts) if not folder.holds else None
    if why is None and source is not None and source.state == "here":
        if facts.now.kind == "gone":
            then = "the next sync retires what is in it, or holds that for a person"
            why = Verdict(False, "gone", f"it is gone; {then}", sync_command(source.source_id))
        elif not here:
            why = why_not_yet(facts)
    begin = "here" if here else "not here"
    text = f"{begin}: {what}; {', '.join(counts)}"
    if why is None:
        return Verdict(here, "folder", text, hint)
    return Verdict(here, why.reason, f"{text}; {why.text}", why.hint, stale=here)


_OF_MANY: tuple[Rule, ...] = (_several_names, _folder)


# What is here


def _here_says_why(code: str, clause: str, hint: str = "", *, stale: bool = True) -> Callable[[Facts], Verdict]:
    return lambda facts: Verdict(True, code, f"{_is_searchable(facts)}; {clause}", hint, stale)


def _is_searchable(facts: Facts) -> str:
    text = f"here: searchable in version {facts.document.version if facts.document else ''}"
    return f"{text}, at {facts.places} places with the same content" if facts.places > 1 else text


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
    if place is None or place.outcome not in _NOT_TAKEN or facts.held_by:
        return None
    if facts.changed:
        return None
    clause = f"what is at the source now was {_what_became_of_it(facts)}, the last good version is kept"
    return _here_says_why(place.reason, clause, _remedy(facts))(facts)


def _held(facts: Facts) -> Verdict | None:
    if not facts.held_by:
        return None
    why = HOLD_WORDS.get(facts.held_reason, facts.held_reason)
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
    """What is at the source is not what was read, and nothing but time stands between."""
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


_OF_WHAT_IS_HERE: tuple[Rule, ...] = (
    _replaced_upload,
    _held,
    _kept_by_a_person,
    _uploaded,
    _orphaned,
    _kept_version,
    _not_looked_into,
    _changed_or_gone,
    _up_to_date,
)


# What is not here


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


def _refused_or_failed(facts: Facts) -> Verdict | None:
    place = facts.place
    if place is None or place.document_id is not None or place.outcome not in _NOT_TAKEN:
        return None
    if facts.now.kind in {"gone", "source_gone", "link", "unreadable"}:
        return None
    if facts.changed and not facts.left_out[1]:
        name = place.source_id
        text = f"{_what_became_of_it(facts)}; it has changed since"
        waits = why_not_yet(facts)
        return _not(
            place.reason,
            text if waits is None else f"{text}; {waits.text}",
            waits.hint if waits else sync_command(name),
        )
    if facts.left_out[1] and facts.left_out[0] != place.reason:
        return None
    tail = ""
    if place.outcome == "failed" and place.reason in PERMANENT_FAILURES and place.fingerprint:
        tail = "; it is passed over until it, its settings or a parser changes"
    return _not(place.reason, f"{_what_became_of_it(facts)}{tail}", _remedy(facts))


def _what_became_of_it(facts: Facts) -> str:
    place = facts.place
    if place is None:
        return ""
    because = f"{place.reason}: {place.detail}" if place.detail else place.reason
    if facts.kills:
        because += f"; in quarantine since it killed its parser {facts.kills} times"
    return f"{place.outcome} at {place.at} ({because})"


def _remedy(facts: Facts) -> str:
    place = facts.place
    if place is None:
        return ""
    said = next((one.hint for one in reversed(facts.events) if one.hint and one.reason == place.reason), "")
    kills = facts.kills > 0
    return remedy_for(place.outcome, place.reason, source_id=place.source_id, said=said, quarantined=kills)


def _moved(facts: Facts) -> Verdict | None:
    moved = next((one.detail for one in reversed(facts.events) if one.detail.startswith(MOVED_TO)), None)
    if moved is None or facts.now.kind == "item":
        return None
    return _not("moved", moved, explain_command(moved.removeprefix(MOVED_TO)))


_RETIRED_BECAUSE = {
    "source_removed": "its source {source!r} was removed",
    "replaced": "its place has other content since, which is another document",
    "excluded": "a person approved that what the settings of source {source!r} exclude goes",
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


_OF_WHAT_IS_NOT: tuple[Rule, ...] = (
    _removed_by_a_person,
    _refused_or_failed,
    _retired,
    _moved,
    _lives_on,
    _nowhere_covered,
    _not_looked_into_yet,
    _purged,
    _gone,
    _special,
    _waiting,
)
