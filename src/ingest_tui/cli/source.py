"""source add, list, show, edit, remove, test, enable, disable."""

from __future__ import annotations

from typing import Any

import click

from ingest_tui.cli import diagnostics, output
from ingest_tui.cli.session import Session, confirm, json_option, pass_session, patience_of, wait_options


@click.group()
def source() -> None:
    """Add, list, test, edit and remove sources."""


def _setting_options(command: Any) -> Any:
    """Add the options that describe a source, for `add` and `edit`."""
    options = [
        click.option("--path", help="The folder of a local source."),
        click.option("--recursive/--no-recursive", default=None, help="Folders within it too (default)."),
        click.option("--include", multiple=True, metavar="GLOB", help="Take only what matches (gitignore style)."),
        click.option("--exclude", multiple=True, metavar="GLOB", help="Leave out what matches (gitignore style)."),
        click.option("--hidden/--no-hidden", default=None, help="Names that start with a dot too."),
        click.option("--follow-symlinks/--no-follow-symlinks", default=None, help="Follow links within the folder."),
        click.option("--collection", help="The collection that the documents go to."),
        click.option("--max-size", metavar="SIZE", help="Largest file to take, e.g. 50MB (default)."),
        click.option("--priority", type=click.IntRange(0, 1000), help="Lower runs first (default 100)."),
        click.option("--watch/--no-watch", default=None, help="Sync when files change, while a worker runs."),
        click.option("--backend", help="Extract everything with this backend, e.g. unstructured."),
        click.option("--backend-for", multiple=True, metavar="TYPE=BACKEND", help="A backend for one type."),
    ]
    for option in reversed(options):
        command = option(command)
    return command


def _connector_settings(options: dict[str, Any]) -> dict[str, Any]:
    names = ("path", "recursive", "include", "exclude", "hidden", "follow_symlinks")
    given = {name: options[name] for name in names if options[name] not in (None, ())}
    # An empty pattern clears the patterns: --exclude ''.
    return {name: [one for one in value if one] if isinstance(value, tuple) else value for name, value in given.items()}


def _by_type(pairs: tuple[str, ...]) -> dict[str, str]:
    from ingest_tui.model.errors import UsageError

    chosen = {}
    for pair in pairs:
        kind, separator, backend = pair.partition("=")
        if not separator:
            raise UsageError(f"not TYPE=BACKEND: {pair}", hint="e.g. --backend-for pdf=unstructured")
        chosen[kind.lower().lstrip(".")] = backend
    return chosen


@source.command()
@click.argument("source_type", metavar="TYPE")
@click.argument("name")
@_setting_options
@json_option
@pass_session
def add(session: Session, /, source_type: str, name: str, as_json: bool, **options: Any) -> None:
    """Add a source of TYPE (local) under NAME."""
    from ingest_tui.services.sources import add_source

    added = add_source(
        session.workspace,
        source_type=source_type,
        name=name,
        config=_connector_settings(options),
        collection_id=options["collection"] or "default",
        max_size=options["max_size"],
        watch=bool(options["watch"]),
        priority=100 if options["priority"] is None else options["priority"],
        backend=options["backend"],
        by_type=_by_type(options["backend_for"]),
    )
    if as_json:
        output.data(added)
        return
    output.line(f"added source {added.source_id}")
    output.line(f"next: ingest-tui sync {added.source_id}")


@source.command()
@click.argument("source_id", metavar="SOURCE")
@_setting_options
@json_option
@pass_session
def edit(session: Session, /, source_id: str, as_json: bool, **options: Any) -> None:
    """Change settings of SOURCE; what is not named stays."""
    from ingest_tui.model.errors import UsageError
    from ingest_tui.services.sources import edit_source

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
        before = session.workspace.sources.get(source_id).extraction
        backend = before.backend if options["backend"] is None else options["backend"] or None
        changes["extraction"] = {"backend": backend, "by_type": before.by_type | _by_type(options["backend_for"])}
    config = _connector_settings(options)
    if not changes and not config:
        raise UsageError("nothing to change", hint="'ingest-tui source edit --help' lists the settings")
    edited = edit_source(session.workspace, source_id, config=config, **changes)
    if as_json:
        output.data(edited)
    else:
        output.line(f"changed source {edited.source_id}")
        if "extraction" in changes:
            output.line(f"next: ingest-tui sync {edited.source_id} --force   reads again what is there already")


@source.command("list")
@json_option
@pass_session
def list_(session: Session, as_json: bool) -> None:
    """List the sources."""
    from ingest_tui.services.sources import list_sources

    summaries = list_sources(session.workspace)
    for name in session.workspace.sources.unreadable():
        diagnostics.say(f"warning: source {name} cannot be read; 'ingest-tui doctor' tells why")
    if as_json:
        output.data(
            [
                item.source.model_dump(mode="json")
                | {
                    "documents": item.documents,
                    "last_job": item.last_job.job_id if item.last_job else None,
                    "last_state": item.last_job.state if item.last_job else None,
                }
                for item in summaries
            ]
        )
        return
    rows = [
        (
            item.source.source_id,
            item.source.source_type,
            item.source.source_config.get("path", ""),
            item.documents,
            "enabled" if item.source.enabled else "disabled",
            "yes" if item.source.watch else "no",
            f"{item.last_job.state} {item.last_job.updated_at}" if item.last_job else "never",
        )
        for item in summaries
    ]
    output.table(
        ("SOURCE", "TYPE", "PATH", "DOCUMENTS", "STATE", "WATCH", "LAST SYNC"),
        rows,
        empty="no sources yet; 'ingest-tui source add local NAME --path FOLDER' adds one",
    )


@source.command()
@click.argument("source_id", metavar="SOURCE")
@json_option
@pass_session
def show(session: Session, source_id: str, as_json: bool) -> None:
    """Show the settings of SOURCE."""
    from ingest_tui.services.sources import get_source

    found = get_source(session.workspace, source_id)
    if as_json:
        output.data(found)
        return
    for name, value in found.model_dump(mode="json").items():
        output.line(f"{name:16} {value}")


@source.command()
@click.argument("source_id", metavar="SOURCE")
@json_option
@pass_session
def test(session: Session, source_id: str, as_json: bool) -> int:
    """Try SOURCE: reach it, list, read one file."""
    from ingest_tui.services.sources import test_source

    all_ok = True
    for step in test_source(session.workspace, source_id):
        all_ok = all_ok and step.ok
        if as_json:
            record = {"step": step.name, "ok": step.ok, "message": step.message, "milliseconds": step.milliseconds}
            output.data_line(record)
        else:
            output.line(f"{'ok' if step.ok else 'FAILED':7} {step.name:6} {step.milliseconds:7.1f} ms  {step.message}")
    return 0 if all_ok else diagnostics.EXIT_FAILED


@source.command()
@click.argument("source_id", metavar="SOURCE")
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
    from ingest_tui.services.documents import count_documents
    from ingest_tui.services.sources import remove_source

    patience = patience_of(session.workspace, wait=wait, timeout=timeout)
    number = 0 if keep_documents else count_documents(session.workspace, source_id=source_id)
    confirm(f"Remove source {source_id} and retire {number} documents to the trash?", yes=yes, as_json=as_json)
    retired = remove_source(session.workspace, source_id, keep_documents=keep_documents, patience=patience)
    if as_json:
        output.data({"source_id": source_id, "retired": retired})
    else:
        output.line(f"removed source {source_id}; {retired} documents went to the trash")


def _switch(enabled: bool) -> click.Command:
    @click.argument("source_id", metavar="SOURCE")
    @json_option
    @pass_session
    def command(session: Session, source_id: str, as_json: bool) -> None:
        from ingest_tui.services.sources import set_enabled

        changed = set_enabled(session.workspace, source_id, enabled)
        if as_json:
            output.data(changed)
        else:
            output.line(f"source {changed.source_id} is {'enabled' if enabled else 'disabled'}")

    what = "Let SOURCE take part in 'sync --all' and watching." if enabled else "Leave SOURCE alone for now."
    return click.command("enable" if enabled else "disable", help=what)(command)


source.add_command(_switch(enabled=True))
source.add_command(_switch(enabled=False))
