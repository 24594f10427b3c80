"""source add TYPE, list, types, show, edit, remove, test, preview, browse, enable, disable."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from ingest_tui.cli import diagnostics, output, source_files, source_trials
from ingest_tui.cli.groups import CommandGroup
from ingest_tui.cli.name_arguments import SOURCE
from ingest_tui.cli.preferences_shown import preferences_as_data, show_preferences
from ingest_tui.cli.session import (
    Session,
    confirm,
    dry_run_option,
    json_option,
    pass_session,
    report_dry_run,
    wait_options,
    wait_policy_of,
    yes_option,
)
from ingest_tui.cli.source_notes import may_exclude_documents, report_earlier_documents, report_missing_for_ocr
from ingest_tui.cli.source_options import (
    SourceTypes,
    TypedCommand,
    common_options,
    hold_settings,
    named_as_options,
    schedule_settings,
    setting_options,
    settings_given,
    workspace_settings,
)
from ingest_tui.model.counted import counted
from ingest_tui.model.ocr import OCR_SETTINGS

if TYPE_CHECKING:
    from ingest_tui.model.source import Source

_WHERE_ANY = {"LABEL", "COLUMNS", "EMBEDDING"}
"""Columns of the list that are shown where a source has something to show in them."""
_PLAIN_FIELDS = ("max_size", "priority", "watch", "schema_file", "schema_violations", "containers")


@click.group(cls=CommandGroup)
def source() -> None:
    """Add, list, test, edit and remove sources."""


def _add_command(source_type: str) -> click.Command:
    """Return `source add TYPE`, with the settings of that type."""
    from ingest_tui.services.sources.kinds import describe_source_type
    from ingest_tui.services.sources.sources import connector_config_model

    @click.command(source_type, help=f"Add a source of type {source_type}: {describe_source_type(source_type)}")
    @click.argument("name")
    @common_options
    @json_option
    @pass_session
    @click.pass_context
    def add_one(ctx: click.Context, session: Session, /, name: str, as_json: bool, **options: Any) -> None:
        with named_as_options(ctx):
            _add(session, source_type, name, settings_given(options), options, as_json=as_json)

    add_one.params[1:1] = setting_options(connector_config_model(source_type))
    return add_one


def _add(
    session: Session, source_type: str, name: str, config: dict[str, Any], options: dict[str, Any], *, as_json: bool
) -> None:
    from ingest_tui.model.preference_values import assignments
    from ingest_tui.services.sources.sources import add_source, backends_by_type

    settings = _plain_changes(options) | workspace_settings(options) | hold_settings(options)
    settings |= schedule_settings(options)
    settings |= {name: options[name] for name in ("since", "allow_types", "deny_types")}
    settings["preferences"] = assignments(options["assigned"])
    settings["extraction"] = {"backend": options["backend"], "by_type": backends_by_type(options["backend_for"])}
    added = add_source(session.workspace, source_type=source_type, name=name, config=config, **settings)
    report_earlier_documents(session, added.source_id)
    report_missing_for_ocr(session, added)
    if as_json:
        output.data(added)
        return
    output.line(f"added source {added.source_id}")
    output.line(f"next: ingest-tui sync {added.source_id}")


source.add_command(SourceTypes("add", make=_add_command, without_type=source_files.add_many))
source.add_command(source_files.export)


def _plain_changes(options: dict[str, Any]) -> dict[str, Any]:
    """Return the fields of a source that options of one value change."""
    names = {"collection": "collection_id"} | {name: name for name in _PLAIN_FIELDS}
    return {field: options[option] for option, field in names.items() if options[option] is not None}


@source.command(cls=TypedCommand)
@click.argument("source_id", metavar="SOURCE", type=SOURCE)
@click.option("--name", "new_name", metavar="TEXT", help="What it is called; its identifier stays.")
@common_options
@click.option("--unset", "removed", multiple=True, metavar="KEY", help="Follow the collection again.")
@click.option("--detach", is_flag=True, help="Only queue what follows; a worker does it.")
@click.option("--any-type", is_flag=True, help="Take all types again; as do --allow-type '' and --deny-type ''.")
@json_option
@pass_session
@click.pass_context
def edit(ctx: click.Context, session: Session, /, source_id: str, as_json: bool, **options: Any) -> int:
    """Change settings of SOURCE; what is not named stays.

    --set KEY=VALUE chooses a preference in place of the collection ('ingest-tui collection prefs NAME' lists them);
    where that cuts documents otherwise, a job does so: nothing is fetched, and the old chunks answer until it is done.

    'ingest-tui source edit SOURCE --help' lists the settings of its type too.
    """
    from ingest_tui.model.errors import UsageError
    from ingest_tui.model.preference_values import assignments
    from ingest_tui.services.sources.sources import backends_by_type, edit_source, get_source

    config = settings_given(options)
    before = get_source(session.workspace, source_id)
    changes = _plain_changes(options)
    if options["backend"] is not None or options["backend_for"]:
        reading = before.extraction
        backend = reading.backend if options["backend"] is None else options["backend"] or None
        changes["extraction"] = {
            "backend": backend,
            "by_type": reading.by_type | backends_by_type(options["backend_for"]),
        }
    if options["since"] is not None:
        changes["since"] = options["since"] or None
    for field in ("allow_types", "deny_types"):
        if options[field] or options["any_type"]:
            changes[field] = options[field]
    if options["new_name"] is not None:
        changes["name"] = options["new_name"]
    changes |= workspace_settings(options) | hold_settings(options) | schedule_settings(options, before.schedule)
    preferences, unset = assignments(options["assigned"]), options["removed"]
    if not changes and not config and not preferences and not unset:
        raise UsageError("nothing to change", hint=f"'ingest-tui source edit {source_id} --help' lists the settings")
    with named_as_options(ctx):
        edited = edit_source(
            session.workspace,
            source_id,
            config=config,
            based_on=before,
            preferences=preferences,
            unset=unset,
            **changes,
        )
    changes |= {name: getattr(edited, name) for name in OCR_SETTINGS if getattr(edited, name) != getattr(before, name)}
    excludes = may_exclude_documents(session, before, edited)
    if changes.keys() & set(OCR_SETTINGS):
        report_missing_for_ocr(session, edited)
    if as_json:
        output.data(edited.model_dump(mode="json") | {"may_hold_documents": excludes})
    elif edited.revision == before.revision:
        output.line(f"nothing to change: source {edited.source_id} is so already")
    else:
        _report_edit(edited, changes, excludes=excludes)
    return _follow_rechunking(session, before, edited, detach=options["detach"], as_json=as_json)


def _follow_rechunking(session: Session, before: Source, edited: Source, *, detach: bool, as_json: bool) -> int:
    """Follow the job that cuts the documents of a source as it wants now, where an edit has queued one."""
    from ingest_tui.cli.sync import follow_and_report, follow_unless_detached
    from ingest_tui.services.collections.overrides import number_cut_otherwise, waiting_rechunking

    number = number_cut_otherwise(session.workspace, before, edited)
    queued = waiting_rechunking(session.workspace, edited.collection_id) if number else None
    if queued is None:
        return 0
    if as_json:
        quietly = None if detach else follow_and_report(session.client, queued.job_id, quiet=True)
        return diagnostics.exit_code_of(quietly) if quietly else 0
    output.line(f"re-chunks {number:,} {'document' if number == 1 else 'documents'}, nothing is fetched")
    return follow_unless_detached(session.client, queued, detach=detach, as_json=False)


def _report_edit(edited: Source, changes: dict[str, Any], *, excludes: bool) -> None:
    output.line(f"changed source {edited.source_id}")
    if "extraction" in changes:
        output.line(f"next: ingest-tui sync {edited.source_id} --force   reads again what is there already")
    if excludes:
        output.line("documents that the new settings exclude stay searchable until a person approves that they go")
        output.line(f"next: ingest-tui plan {edited.source_id}   shows them as hold, and what else would be done")
    elif changes.keys() & set(OCR_SETTINGS):
        output.line(f"next: ingest-tui sync {edited.source_id}   looks again at what needs OCR; --force at everything")
    elif "attachments" in changes:
        what = "mails, PDFs and what may hold them"
        output.line(f"next: ingest-tui sync {edited.source_id}   reads again what may have attachments: {what}")
    elif changes.keys() & {"schema_file", "schema_violations"}:
        output.line(f"next: ingest-tui sync {edited.source_id}   checks the documents that are there already, too")
    elif changes.get("containers") == "refuse":
        output.line("what is here of archives stays; what may go is what the source excludes:")
        output.line(f"next: ingest-tui source edit {edited.source_id} --exclude '*.zip'")
    elif changes.keys() & {"allow_types", "deny_types", "max_size", "since", "containers"}:
        output.line(f"next: ingest-tui sync {edited.source_id}   looks again at what was refused")


@source.command("list")
@json_option
@pass_session
def list_(session: Session, as_json: bool) -> None:
    """List the sources."""
    summaries = session.client.sources.list()
    for name in session.client.sources.unreadable():
        diagnostics.say(f"warning: source {name} cannot be read; 'ingest-tui doctor' shows why")
    if as_json:
        output.data(
            [
                item.source.model_dump(mode="json")
                | {
                    "documents": item.documents,
                    "last_job": item.last_job.job_id if item.last_job else None,
                    "last_state": item.last_job.state if item.last_job else None,
                    "failing_since": item.failing_since,
                    "level": item.level or None,
                    "health": item.health or None,
                    "next_run": item.next_run,
                    "next_run_at": item.next_run_at,
                    "embedding": item.embedding or None,
                    "text_columns": list(item.text_columns),
                    "context_columns": list(item.context_columns),
                }
                for item in summaries
            ]
        )
        return
    columns: dict[str, list[Any]] = {
        "SOURCE": [item.source.source_id for item in summaries],
        "LABEL": [item.label for item in summaries],
        "TYPE": [item.source.source_type for item in summaries],
        "WHERE": [item.source.place for item in summaries],
        "COLLECTION": [item.source.collection_id for item in summaries],
        "DOCUMENTS": [item.documents for item in summaries],
        "STATE": ["enabled" if item.source.enabled else "disabled" for item in summaries],
        "WATCH": ["yes" if item.source.watch else "no" for item in summaries],
        "LAST SYNC": [f"{one.state} {one.updated_at}" if (one := item.last_job) else "never" for item in summaries],
        "NEXT": [item.next_run for item in summaries],
        "HEALTH": [item.health for item in summaries],
        "COLUMNS": [item.columns_in_words for item in summaries],
        "EMBEDDING": [item.embedding for item in summaries],
    }
    shown = {name: cells for name, cells in columns.items() if name not in _WHERE_ANY or any(cells)}
    output.table(
        list(shown),
        [["-" if cell == "" else cell for cell in row] for row in zip(*shown.values(), strict=True)],
        empty="no sources yet; 'ingest-tui source add local NAME --path FOLDER' adds one",
    )


@source.command()
@json_option
def types(as_json: bool) -> None:
    """List the types of sources: the settings that each needs, and the extra, program or credential."""
    from ingest_tui.services.sources.kinds import source_kinds

    kinds = source_kinds()
    if as_json:
        output.data([kind.as_dict() for kind in kinds])
        return
    output.table(
        ("TYPE", "WHAT", "SETTINGS", "REQUIRES"),
        [
            (
                ", ".join((kind.name, *kind.aliases)),
                kind.summary or kind.problem,
                " ".join(f"--{name.replace('_', '-')}" for name in kind.needs),
                ", ".join(one.in_words for one in kind.requires) or "-",
            )
            for kind in kinds
        ],
        empty="no type of source is installed",
    )


@source.command()
@click.argument("source_id", metavar="SOURCE", type=SOURCE)
@json_option
@pass_session
def show(session: Session, source_id: str, as_json: bool) -> None:
    """Show the settings of SOURCE, and what the last look at each of its items came to."""
    sources = session.client.sources
    found = sources.get(source_id)
    next_at, rows = sources.next_run_at(found), sources.preferences(found)
    if as_json:
        outcomes = [one.as_dict() for one in sources.outcomes(source_id)]
        known = {"next_run_at": next_at, "preferences": preferences_as_data(rows), "outcomes": outcomes}
        output.data(found.model_dump(mode="json") | known)
        return
    values = found.model_dump(mode="json", exclude={"overrides"})
    if found.schedule is not None:
        values["schedule"] = found.schedule.in_words
    for name, value in (values | ({"next_run_at": next_at} if next_at else {})).items():
        output.line(f"{name:16} {value}")
    for one in sources.outcomes(source_id):
        output.line(f"{'items':16} {one.number:,} {one.outcome}: {one.reason}{f' ({one.hint})' if one.hint else ''}")
    show_preferences(rows)


@source.command()
@click.argument("source_id", metavar="SOURCE", type=SOURCE)
@click.option("--keep-documents", is_flag=True, help="Leave its documents searchable.")
@dry_run_option
@yes_option
@wait_options
@json_option
@pass_session
def remove(
    session: Session,
    source_id: str,
    keep_documents: bool,
    dry_run: bool,
    yes: bool,
    wait: bool,
    timeout: float | None,
    as_json: bool,
) -> None:
    """Remove SOURCE and retire its documents to the trash. Refused with 5 while a job of it is not over."""
    from ingest_tui.services.sources.sources import count_documents_to_retire, get_source, remove_source

    seen = get_source(session.workspace, source_id)
    wait_policy = wait_policy_of(session.workspace, wait=wait, timeout=timeout)
    number = 0 if keep_documents else count_documents_to_retire(session.workspace, [source_id])
    documents = counted(number, "document")
    if dry_run:
        report_dry_run(
            f"would remove source {source_id} and retire {documents} to the trash",
            {"source_id": source_id, "retired": number},
            as_json=as_json,
        )
        return
    confirm(f"Remove source {source_id} and retire {documents} to the trash?", yes=yes, as_json=as_json)
    retired = remove_source(
        session.workspace, source_id, keep_documents=keep_documents, wait_policy=wait_policy, based_on=seen
    )
    if as_json:
        output.data({"source_id": source_id, "retired": retired})
    else:
        output.line(f"removed source {source_id}; {counted(retired, 'document')} went to the trash")


def _switch(enabled: bool) -> click.Command:
    @click.argument("source_id", metavar="SOURCE", type=SOURCE)
    @json_option
    @pass_session
    def command(session: Session, source_id: str, as_json: bool) -> None:
        from ingest_tui.services.sources.sources import set_enabled

        changed = set_enabled(session.workspace, source_id, enabled)
        if as_json:
            output.data(changed)
        else:
            output.line(f"source {changed.source_id} is {'enabled' if enabled else 'disabled'}")

    what = "Let SOURCE take part in 'sync --all' and watching." if enabled else "Leave SOURCE alone for now."
    return click.command("enable" if enabled else "disable", help=what)(command)


for looking in (source_trials.test, source_trials.preview, source_trials.browse):
    source.add_command(looking)
source.add_command(_switch(enabled=True))
source.add_command(_switch(enabled=False))
