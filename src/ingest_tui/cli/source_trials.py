"""source test, preview, browse: looking at a source, or at settings that are no source yet."""

from __future__ import annotations

import sys
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import click

from ingest_tui.cli import diagnostics, output
from ingest_tui.cli.name_arguments import SOURCE, SOURCE_TYPE
from ingest_tui.cli.session import Session, json_option, pass_session
from ingest_tui.cli.source_options import TypedCommand, filter_options, settings_given

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ingest_tui.services.sources.sources import Place, TestStep
    from ingest_tui.services.sources.trials import SourceDraft

_COMMON = ("max_size", "since", "allow_types", "deny_types")
_type_option = click.option(
    "--type",
    "source_type",
    type=SOURCE_TYPE,
    metavar="TYPE",
    help="Look at what is no source yet; takes the settings of TYPE.",
)


@click.command(cls=TypedCommand)
@_type_option
@filter_options
@json_option
@click.argument("source_id", metavar="[SOURCE]", required=False, type=SOURCE)
@pass_session
def test(session: Session, /, source_id: str | None, source_type: str | None, as_json: bool, **options: Any) -> int:
    """Try SOURCE: reach it, list, read one file.

    Before a source is added: 'ingest-tui source test --type s3 --bucket B'.
    """
    all_ok = True
    for step in _test_steps(session, source_id, source_type, options):
        all_ok = all_ok and step.ok
        if as_json:
            record = {"step": step.name, "ok": step.ok, "message": step.message, "hint": step.hint}
            output.data_line(record | {"milliseconds": step.milliseconds})
            continue
        output.line(f"{'ok' if step.ok else 'FAILED':7} {step.name:6} {step.milliseconds:7.1f} ms  {step.message}")
        if step.hint:
            output.line(f"        hint: {step.hint}")
    return 0 if all_ok else diagnostics.EXIT_FAILED


def _test_steps(
    session: Session, source_id: str | None, source_type: str | None, options: dict[str, Any]
) -> Iterator[TestStep]:
    """Try a source as it is, or with the settings on the command line."""
    if source_id is not None and source_type is None and not _settings_in(options):
        return session.client.sources.test(source_id)
    return session.client.sources.test_draft(_draft(session, source_id, source_type, options))


def _settings_in(options: dict[str, Any]) -> bool:
    return bool(settings_given(options)) or any(options.get(name) for name in _COMMON)


def _draft(session: Session, source_id: str | None, source_type: str | None, options: dict[str, Any]) -> SourceDraft:
    """Return the source that is named, or the one that the settings on the command line would make."""
    from ingest_tui.services.sources.trials import SourceDraft, draft_of

    config = settings_given(options)
    common = {name: options[name] for name in _COMMON if options.get(name)}
    if source_type is not None:
        return SourceDraft(source_type, "trial", config, common)
    if source_id is None:
        raise click.UsageError("Missing argument 'SOURCE'.")
    draft = draft_of(session.workspace, source_id)
    return replace(draft, config=draft.config | config, common=draft.common | common)


@click.command(cls=TypedCommand)
@_type_option
@filter_options
@click.option("--limit", type=click.IntRange(1), default=100, show_default=True, help="Show so many of each at most.")
@json_option
@click.argument("source_id", metavar="[SOURCE]", required=False, type=SOURCE)
@pass_session
def preview(
    session: Session,
    /,
    source_id: str | None,
    source_type: str | None,
    limit: int,
    as_json: bool,
    **options: Any,
) -> None:
    """Show the first items that SOURCE would take, and which it leaves out, and why. Nothing is fetched.

    Before a source is added: 'ingest-tui source preview --type local --path FOLDER --exclude drafts/'.
    """
    from ingest_tui.services.sources.trials import preview_draft

    taken = left_out = 0
    for item in preview_draft(session.workspace, _draft(session, source_id, source_type, options), limit=limit):
        taken, left_out = taken + item.taken, left_out + (not item.taken)
        if as_json:
            output.data_line(item._asdict())
        else:
            output.line(f"{'take' if item.taken else 'leave':5}  {item.key}{f'  {item.detail}' if item.detail else ''}")
    if not as_json:
        output.line(f"of the first items {taken} would be taken, {left_out} left out")


@click.command(cls=TypedCommand)
@click.argument("source_id", metavar="[SOURCE]", required=False, type=SOURCE)
@click.argument("path", metavar="[PATH]", required=False)
@_type_option
@click.option("--choose", is_flag=True, help="With --type: what its settings could name: buckets, libraries, folders.")
@click.option("--limit", type=click.IntRange(1), default=1000, show_default=True, help="Show so many at most.")
@json_option
@pass_session
def browse(
    session: Session,
    /,
    source_id: str | None,
    path: str | None,
    source_type: str | None,
    choose: bool,
    limit: int,
    as_json: bool,
    **options: Any,
) -> None:
    """Show what is directly in a place of SOURCE: its folders and items; PATH is that of a folder shown before.

    Before a source is added: 'ingest-tui source browse --type s3 --bucket B [PATH]'.
    """
    from itertools import islice

    from ingest_tui.services.sources.sources import browse_settings, browse_source
    from ingest_tui.services.sources.trials import browse_for_settings

    if source_type is not None and choose:
        given = settings_given(options)
        places = browse_for_settings(session.workspace, source_type, given, path or source_id or "")
    elif source_type is not None:
        places = browse_settings(session.workspace, source_type, settings_given(options), path or source_id or "")
    elif source_id is None:
        raise click.UsageError("Missing argument 'SOURCE'.")
    else:
        places = browse_source(session.workspace, source_id, path or "", settings_given(options))
    shown = 0
    for place in islice(places, min(limit, sys.maxsize)):
        shown += 1
        _show_place(place, as_json=as_json)
    if shown == limit and next(places, None) is not None:
        diagnostics.say(f"there is more; --limit {limit * 10} shows it")
    elif not shown and not as_json:
        output.line("nothing here")


def _show_place(place: Place, *, as_json: bool) -> None:
    if as_json:
        from ingest_tui.model.clock import rfc3339_from_ns

        output.data_line(
            {"name": place.name, "path": place.path, "kind": place.kind, "size": place.size}
            | {"modified": rfc3339_from_ns(place.modified_ns)}
        )
        return
    import humanize

    from ingest_tui.model.keys import file_name_of

    size = "" if place.size is None else humanize.naturalsize(place.size)
    named = "" if place.name == file_name_of(place.path) else f"  {place.name}"
    output.line(f"{place.kind:6}  {size:>10}  {place.path}{named}")
