"""collection prefs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from ingest_tui.cli import output
from ingest_tui.cli.name_arguments import COLLECTION
from ingest_tui.cli.read_only import refusal
from ingest_tui.cli.session import Session, confirm, json_option, pass_session, yes_option
from ingest_tui.model.counted import counted

if TYPE_CHECKING:
    from ingest_tui.services.collections.preferences import PreferenceChange


@click.command()
@click.argument("name", type=COLLECTION)
@click.option("--set", "assigned", multiple=True, metavar="KEY=VALUE", help="Choose a value; lists with commas.")
@click.option("--unset", "removed", multiple=True, metavar="KEY", help="Take what is usual again.")
@click.option("--preview", metavar="FILE", help="Print the chunks of a document or file by these; change nothing.")
@yes_option
@click.option("--detach", is_flag=True, help="Only queue what follows; a worker does it.")
@json_option
@pass_session
def prefs(
    session: Session,
    name: str,
    assigned: tuple[str, ...],
    removed: tuple[str, ...],
    preview: str | None,
    yes: bool,
    detach: bool,
    as_json: bool,
) -> int:
    """Show the preferences of collection NAME, or change them.

    A change that cuts documents into other chunks says how many, asks, and runs as a job: the old chunks answer until
    the new ones are in.
    """
    from ingest_tui.model.preference_values import assignments
    from ingest_tui.services.collections.preferences import plan_preferences

    is_change = bool(assigned or removed)
    if not is_change and preview is None:
        _show(session, name, as_json=as_json)
        return 0
    if is_change and preview is None and session.read_only:
        raise refusal("collection prefs --set")
    change = plan_preferences(session.workspace, name, assignments(assigned), removed)
    if not as_json:
        _warn_of_unknown_columns(session, change)
        _warn_of_missing_languages(change)
    if preview is not None:
        _preview(session, change, preview, as_json=as_json)
        return 0
    return _change(session, change, yes=yes, detach=detach, as_json=as_json)


def _warn_of_unknown_columns(session: Session, change: PreferenceChange) -> None:
    from ingest_tui.cli import diagnostics
    from ingest_tui.services.collections.preferences import unknown_columns

    for name in unknown_columns(session.workspace, change):
        diagnostics.say(f"warning: no table of collection {change.before.collection_id} has a column {name!r}")


def _warn_of_missing_languages(change: PreferenceChange) -> None:
    from ingest_tui.cli import diagnostics
    from ingest_tui.services.sources.ocr_data import missing_for_ocr_preferences

    if "ocr_languages" in change.changed:
        diagnostics.say_what_ocr_lacks(missing_for_ocr_preferences(change.after.preferences))


def _show(session: Session, name: str, *, as_json: bool) -> None:
    from ingest_tui.model.preference_values import preference_rows
    from ingest_tui.services.collections.collections import get_collection
    from ingest_tui.services.collections.overrides import overriding_sources

    preferences = get_collection(session.workspace, name).preferences
    if as_json:
        output.data(preferences)
        return
    rows = [
        (row.key, row.value or "-", "chosen" if row.is_chosen else "usual", row.description)
        for row in preference_rows(preferences)
    ]
    output.table(("KEY", "VALUE", "", "WHAT IT IS"), rows, empty="")
    for one in overriding_sources(session.workspace, name):
        chosen = ", ".join(f"{key}={value}" for key, value in one.values.items())
        output.line(f"source {one.source_id} overrides {chosen}")


def _preview(session: Session, change: PreferenceChange, target: str, *, as_json: bool) -> None:
    from ingest_tui.services.collections.preferences import preview_chunks

    chunks = preview_chunks(session.workspace, change, target)
    if as_json:
        output.data(
            [
                {"heading": list(one.heading_path), "page": one.page, "text": one.text, "characters": len(one.text)}
                for one in chunks
            ]
        )
        return
    for number, one in enumerate(chunks):
        heading = f"  {' > '.join(one.heading_path)}" if one.heading_path else ""
        output.line(f"#{number}  {counted(len(one.text), 'character')}{heading}")
        output.block(one.text)
        output.line()
    output.line(f"{len(chunks)} {'chunk' if len(chunks) == 1 else 'chunks'}; nothing was changed")


def _change(session: Session, change: PreferenceChange, *, yes: bool, detach: bool, as_json: bool) -> int:
    from ingest_tui.cli.sync import follow_unless_detached
    from ingest_tui.services.collections.preferences import save_preferences

    if change.in_words:
        confirm(f"This {change.in_words}. Change {', '.join(change.changed)}?", yes=yes, as_json=as_json)
    saved = save_preferences(session.workspace, change)
    if as_json:
        job = {"rechunks": change.rechunks, "purges": change.purges, "job_id": saved.job.job_id if saved.job else None}
        output.data(saved.collection.model_dump(mode="json") | {"changed": list(change.changed)} | job)
    else:
        output.line(f"changed {', '.join(change.changed) or 'nothing'} of collection {change.before.collection_id}")
        if any(key.startswith("ocr") for key in change.changed):
            output.line("next: ingest-tui sync --all   looks again at what needs OCR")
        if {"keep_versions", "version_days"} & set(change.changed):
            output.line("next: ingest-tui prune --dry-run   shows what goes; a worker deletes it once a day")
    if saved.job is None:
        return 0
    if as_json:
        return 0 if detach else _follow_quietly(session, saved.job.job_id)
    return follow_unless_detached(session.client, saved.job, detach=detach, as_json=False)


def _follow_quietly(session: Session, job_id: str) -> int:
    from ingest_tui.cli import diagnostics
    from ingest_tui.cli.sync import follow_and_report

    return diagnostics.exit_code_of(follow_and_report(session.client, job_id, quiet=True))
