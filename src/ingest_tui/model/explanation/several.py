"""What a folder, or a name that several items have, comes to."""

from __future__ import annotations

from ingest_tui.model.counted import counted
from ingest_tui.model.explanation.clauses import (
    explain_command,
    sync_command,
    why_not_looked_into,
    why_not_yet,
)
from ingest_tui.model.explanation.facts import Facts, Rule, Verdict
from ingest_tui.model.outcome import OUTCOME_NAMES

_NAMES_SHOWN = 5


def _several_names(facts: Facts) -> Verdict | None:
    if not facts.names:
        return None
    more = f" and {len(facts.names) - _NAMES_SHOWN} more" if len(facts.names) > _NAMES_SHOWN else ""
    named = ", ".join(facts.names[:_NAMES_SHOWN])
    return Verdict(
        False,
        "ambiguous",
        f"{counted(len(facts.names), 'item has', 'items have')} that name: {named}{more}",
        explain_command(facts.names[0]),
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


RULES: tuple[Rule, ...] = (_several_names, _folder)
