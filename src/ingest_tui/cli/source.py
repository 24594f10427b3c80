"""source add, list, show, edit, remove, test, preview, browse, enable, disable."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

import click

from ingest_tui.cli import diagnostics, output, source_trials
from ingest_tui.cli.name_arguments import SOURCE
from ingest_tui.cli.session import Session, confirm, json_option, pass_session, wait_options, wait_policy_of
from ingest_tui.cli.source_options import (
    SourceTypes,
    TypedCommand,
    common_options,
    hold_settings,
    setting_options,
    settings_given,
)

if TYPE_CHECKING:
    from ingest_tui.model.source import Source


@click.group()
def source() -> None:
    """Add, list, test, edit and remove sources."""


def _add_command(source_type: str) -> click.Command:
    """Return `source add TYPE`, with the settings of that type."""
    from ingest_tui.services.sources.sources import connector_config_model, describe_source_type

    @click.command(source_type, help=f"Add a source of type {source_type}: {describe_source_type(source_type)}")
    @click.argument("name")
    @common_options
    @json_option
    @pass_session
    def add_one(session: Session, /, name: str, as_json: bool, **options: Any) -> None:
        _add(session, source_type, name, settings_given(options), options, as_json=as_json)

    add_one.params[1:1] = setting_options(connector_config_model(source_type))
    return add_one


def _add(
    session: Session, source_type: str, name: str, config: dict[str, Any], options: dict[str, Any], *, as_json: bool
) -> None:
    from ingest_tui.services.sources.sources import add_source, backends_by_type

    added = add_source(
        session.workspace,
        source_type=source_type,
        name=name,
        config=config,
        collection_id=options["collection"] or "default",
        max_size=options["max_size"],
        watch=bool(options["watch"]),
        priority=100 if options["priority"] is None else options["priority"],
        backend=options["backend"],
        by_type=backends_by_type(options["backend_for"]),
        since=options["since"],
        allow_types=options["allow_types"],
        deny_types=options["deny_types"],
        **hold_settings(options),
    )
    _report_earlier_documents(session, added.source_id)
    if as_json:
        output.data(added)
        return
    output.line(f"added source {added.source_id}")
    output.line(f"next: ingest-tui sync {added.source_id}")


def _report_earlier_documents(session: Session, source_id: str) -> None:
    """Report documents that a source has before its first sync: an earlier one of its name was removed, or lost."""
    from ingest_tui.model.errors import IngestError
    from ingest_tui.services.documents.documents import count_documents

    with suppress(IngestError):  # the source is added; what is wrong with the catalogue is for the sync to report
        number = count_documents(session.workspace, source_id=source_id)
        if number:
            diagnostics.say(f"note: {number} documents of an earlier source of this name are documents of this one now")


source.add_command(
    SourceTypes(
        "add",
        make=_add_command,
        summary="Add a source of TYPE under NAME. 'ingest-tui source add TYPE --help' lists the settings of a type.",
    )
)


@source.command(cls=TypedCommand)
@click.argument("source_id", metavar="SOURCE", type=SOURCE)
@common_options
@click.option("--any-type", is_flag=True, help="Take all types again; as do --allow-type '' and --deny-type ''.")
@json_option
@pass_session
def edit(session: Session, /, source_id: str, as_json: bool, **options: Any) -> None:
    """Change settings of SOURCE; what is not named stays.

    'ingest-tui source edit SOURCE --help' lists the settings of its type too.
    """
    from ingest_tui.model.errors import UsageError
    from ingest_tui.services.sources.sources import backends_by_type, edit_source

    config = settings_given(options)
    before = session.workspace.sources.get(source_id)
    changes: dict[str, Any] = {
        field: options[option]
        for option, field in (
            ("collection", "collection_id"),
            ("max_size", "max_size"),
            ("priority", "priority"),
            ("watch", "watch"),
        )
        if options[option] is not None
    }
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
    changes |= hold_settings(options)
    if not changes and not config:
        raise UsageError("nothing to change", hint=f"'ingest-tui source edit {source_id} --help' lists the settings")
    edited = edit_source(session.workspace, source_id, config=config, based_on=before, **changes)
    excludes = _may_exclude_documents(session, before, edited)
    if as_json:
        output.data(edited.model_dump(mode="json") | {"may_hold_documents": excludes})
        return
    output.line(f"changed source {edited.source_id}")
    if "extraction" in changes:
        output.line(f"next: ingest-tui sync {edited.source_id} --force   reads again what is there already")
    if excludes:
        output.line("documents that the new settings exclude stay searchable until a person approves that they go")
        output.line(f"next: ingest-tui plan {edited.source_id}   shows them as hold, and what else would be done")
    elif changes.keys() & {"allow_types", "deny_types", "max_size", "since"}:
        output.line(f"next: ingest-tui sync {edited.source_id}   looks again at what was refused")


def _may_exclude_documents(session: Session, before: Source, edited: Source) -> bool:
    """Whether the next sync may hold documents that the new settings exclude: known before it runs."""
    from ingest_tui.model.errors import IngestError
    from ingest_tui.services.sources.sources import takes_otherwise

    with suppress(IngestError):  # the source is saved; what is wrong with the catalogue is for the sync to report
        return takes_otherwise(session.workspace, before, edited)
    return False


@source.command("list")
@json_option
@pass_session
def list_(session: Session, as_json: bool) -> None:
    """List the sources."""
    from ingest_tui.services.sources.sources import list_sources

    summaries = list_sources(session.workspace)
    for name in session.workspace.sources.unreadable():
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
                }
                for item in summaries
            ]
        )
        return
    rows = [
        (
            item.source.source_id,
            item.source.source_type,
            item.source.place,
            item.documents,
            "enabled" if item.source.enabled else "disabled",
            "yes" if item.source.watch else "no",
            f"{item.last_job.state} {item.last_job.updated_at}" if item.last_job else "never",
            item.next_run,
            item.health or "-",
        )
        for item in summaries
    ]
    output.table(
        ("SOURCE", "TYPE", "WHERE", "DOCUMENTS", "STATE", "WATCH", "LAST SYNC", "NEXT", "HEALTH"),
        rows,
        empty="no sources yet; 'ingest-tui source add local NAME --path FOLDER' adds one",
    )


@source.command()
@click.argument("source_id", metavar="SOURCE", type=SOURCE)
@json_option
@pass_session
def show(session: Session, source_id: str, as_json: bool) -> None:
    """Show the settings of SOURCE."""
    from ingest_tui.services.sources.sources import get_source

    found = get_source(session.workspace, source_id)
    if as_json:
        output.data(found)
        return
    for name, value in found.model_dump(mode="json").items():
        output.line(f"{name:16} {value}")


@source.command()
@click.argument("source_id", metavar="SOURCE", type=SOURCE)
@click.option("--keep-documents", is_flag=True, help="Leave its documents searchable.")
@click.option("--yes", "-y", is_flag=True, help="Do not ask.")
@wait_options
@json_option
@pass_session
def remove(
    session: Session,
    source_id: str,
    keep_documents: bool,
    yes: bool,
    wait: bool,
    timeout: float | None,
    as_json: bool,
) -> None:
    """Remove SOURCE and retire its documents to the trash. Refused with 5 while a job of it is not over."""
    from ingest_tui.services.documents.documents import count_documents
    from ingest_tui.services.sources.sources import get_source, remove_source

    seen = get_source(session.workspace, source_id)
    patience = wait_policy_of(session.workspace, wait=wait, timeout=timeout)
    number = 0 if keep_documents else count_documents(session.workspace, source_id=source_id)
    confirm(f"Remove source {source_id} and retire {number} documents to the trash?", yes=yes, as_json=as_json)
    retired = remove_source(
        session.workspace, source_id, keep_documents=keep_documents, patience=patience, based_on=seen
    )
    if as_json:
        output.data({"source_id": source_id, "retired": retired})
    else:
        output.line(f"removed source {source_id}; {retired} documents went to the trash")


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
