"""plan, sync, upload."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ingest_tui.cli import diagnostics, output
from ingest_tui.cli.name_arguments import COLLECTION, SOURCE
from ingest_tui.cli.progress import FollowedLog, JobProgress, LineProgress, warnings_line
from ingest_tui.cli.session import Session, dry_run_option, json_option, pass_session
from ingest_tui.model.counted import counted
from ingest_tui.model.errors import IngestError
from ingest_tui.model.volumes import gap_name

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ingest_tui.model.job import Manifest
    from ingest_tui.services.client import Client
    from ingest_tui.services.documents.upload_files import UploadFile

_SHOWN_ACTIONS = 200
_SHOWN_REPLACED = 20
DAMAGED_HINT = "'ingest-tui doctor' shows which file is damaged"


@click.command()
@click.argument("source", type=SOURCE)
@click.option("--all", "show_all", is_flag=True, help="Show unchanged items too, and every line.")
@click.option("--force", is_flag=True, help="As for 'sync --force'.")
@json_option
@pass_session
def plan(session: Session, source: str, show_all: bool, force: bool, as_json: bool) -> None:
    """Show what a sync of SOURCE would do, and why, without fetching a byte."""
    show_plan(session.client, source, show_all=show_all, force=force, as_json=as_json)


def show_plan(client: Client, source: str, *, show_all: bool, force: bool, as_json: bool) -> None:
    """Print what a sync of a source would do: a table and counts, or a record for each item."""
    counts: dict[str, int] = {}
    rows: list[tuple[str, str, str, str]] = []
    for action in client.sources.plan(source, force=force):
        counts[action.action] = counts.get(action.action, 0) + 1
        if as_json:
            output.data_line(action.as_dict())
            continue
        if (show_all or action.action != "skip") and (show_all or len(rows) < _SHOWN_ACTIONS):
            rows.append((action.action, action.reason, action.key or gap_name(""), action.detail))
    if counts.get("gap"):
        diagnostics.say(
            f"warning: the listing is not complete, {counted(counts['gap'], 'place')} cannot be looked "
            "into: nothing is retired"
        )
    if as_json:
        return
    output.table(("ACTION", "REASON", "ITEM", "DETAIL"), rows, empty="nothing to do: everything is up to date")
    output.line(", ".join(f"{number} {name}" for name, number in sorted(counts.items())) or "the source is empty")
    if not show_all and sum(counts.values()) - counts.get("skip", 0) > len(rows):
        output.line(f"the first {len(rows)} are shown; --all shows every one")


@click.command()
@click.argument("sources", nargs=-1, type=SOURCE)
@click.option("--all", "all_sources", is_flag=True, help="Every enabled source.")
@click.option("--detach", is_flag=True, help="Only queue; a worker does it.")
@click.option("--force", is_flag=True, help="Read and extract everything again, changed or not.")
@dry_run_option
@json_option
@pass_session
def sync(
    session: Session,
    sources: tuple[str, ...],
    all_sources: bool,
    detach: bool,
    force: bool,
    dry_run: bool,
    as_json: bool,
) -> int:
    """Bring documents up to date with their SOURCES, and follow until that is done.

    Runs the worker itself when none is running. Exit code 3: done, but some items failed; 6: deletions wait for
    approval.
    """
    client = session.client
    names = client.sources.to_sync(sources, all_sources=all_sources)
    if dry_run:
        return _show_plans(client, names, force=force, as_json=as_json)
    queued: list[Manifest] = []
    failures: list[dict[str, Any]] = []
    for name in names:
        try:
            requested = client.sources.request_sync(name, force=force)
            queued.append(requested.manifest)
            if not requested.is_new:
                diagnostics.say(f"note: a sync of {name} waits already; job {requested.manifest.job_id} does both")
        except IngestError as error:
            if not all_sources:
                raise
            failures.append({"source_id": name, "error": error.as_dict()})
            diagnostics.say(f"error: source {name}: {error.message}")
            diagnostics.say(f"hint: {error.hint or DAMAGED_HINT}")
    is_list = all_sources or len(sources) > 1
    codes = [diagnostics.EXIT_FAILED for _ in failures]
    if detach:
        report_queued(client, queued, failures, as_json=as_json, is_list=is_list)
    else:
        ended = [follow_and_report(client, manifest.job_id, quiet=as_json) for manifest in queued]
        codes += [diagnostics.exit_code_of(manifest) for manifest in ended]
        if as_json:
            output.data([*ended, *failures] if is_list else ended[0])
    return diagnostics.worst_exit_code(codes)


def _show_plans(client: Client, names: Sequence[str], *, force: bool, as_json: bool) -> int:
    """Print what a sync of each source would do, as `plan` does; returns the exit code."""
    for name in names:
        if len(names) > 1 and not as_json:
            output.line(f"{name}:")
        show_plan(client, name, show_all=False, force=force, as_json=as_json)
    return 0


def report_queued(
    client: Client, queued: list[Manifest], failures: list[dict[str, Any]], *, as_json: bool, is_list: bool
) -> None:
    """Print what was queued, and whether anybody will do it."""
    if as_json:
        output.data([*queued, *failures] if is_list else queued[0])
        return
    for manifest in queued:
        output.line(f"queued {manifest.job_id}")
    if not client.workers.list():
        where = " at the server, where" if client.is_remote else ";"
        diagnostics.say(f"hint: no worker is running{where} 'ingest-tui worker start' starts one")


def follow_and_report(client: Client, job_id: str, *, quiet: bool = False, program: str = "ingest-tui") -> Manifest:
    """Follow a job with progress bars and report how it ended; hints begin with ``program``."""
    from ingest_tui.model.job import EMBED

    try:
        with JobProgress(wanted=not quiet) as progress, FollowedLog(client, job_id) as log:

            def show(seen: Manifest) -> None:
                progress.show(seen)
                log.show()

            manifest = client.workers.follow(job_id, show, run_here=True)
    except KeyboardInterrupt:
        if client.is_remote:
            diagnostics.say(
                f"hint: job {job_id} goes on at the server; 'ingest-tui job wait {job_id}' follows it again"
            )
        else:
            diagnostics.say(f"hint: job {job_id} stays where it is; 'ingest-tui sync' or a worker resumes it")
        raise
    if not quiet:
        report_end(manifest, program)
        if manifest.kind != EMBED:
            _report_waiting_embedding(client, manifest.collection_id, program)
    return manifest


def _report_waiting_embedding(client: Client, collection_id: str, program: str) -> None:
    """Report that what was synced waits to be embedded, where no worker is there to do that."""
    if not client.workers.list() and client.vectors.waiting(collection_id) is not None:
        diagnostics.say(f"hint: vectors follow when a worker runs; '{program} embed {collection_id}' makes them now")


def report_end(manifest: Manifest, program: str = "ingest-tui") -> None:
    """Print the end of a job: its counters, what failed, and what waits for a person."""
    from ingest_tui.model.source import UPLOAD_SOURCE

    counters = manifest.counters
    words = [
        (counters.items_ingested, "ingested"),
        (counters.items_skipped_incremental, "unchanged"),
        (counters.items_duplicate, "duplicate"),
        (counters.items_moved, "moved"),
        (counters.items_retired, "item retired" if counters.items_retired == 1 else "items retired"),
        (counters.items_empty, "empty"),
        (counters.items_rejected, "rejected"),
        (counters.items_failed, "failed"),
        (counters.items_embedded, "embedded"),
        (counters.versions_deleted, f"earlier {'version' if counters.versions_deleted == 1 else 'versions'} deleted"),
    ]
    members = ", ".join(f"{number} {word}" for word, number in counters.members.model_dump().items() if number)
    nothing = "nothing to do" if manifest.state == "succeeded" else "nothing done"
    summary = ", ".join(f"{number} {word}" for number, word in words if number) or nothing
    name = f"{manifest.kind} {manifest.collection_id}" if manifest.works_on_collection else manifest.source_id
    if manifest.source_id == UPLOAD_SOURCE:
        name = f"upload to {manifest.collection_id}"
    output.line(f"{name}: {manifest.state} · {counters.descriptors_listed} listed: {summary}")
    if members:
        output.line(f"  in archives: {members}")
    for warning in manifest.warnings[:5]:
        diagnostics.say(f"warning: {warning}")
    for error in manifest.errors[-5:]:
        if error.uri is None:
            diagnostics.say(f"error: {error.message}")
            if error.hint:
                diagnostics.say(f"hint: {error.hint}")
    if counters.items_with_warnings:
        diagnostics.say(warnings_line(manifest, program))
    if counters.items_failed or counters.members.failed:
        diagnostics.say(f"hint: '{program} job errors {manifest.job_id}' shows what failed and why")
    if manifest.held is not None and manifest.held.waits:
        from ingest_tui.model.holding import hold_words

        held = manifest.held
        diagnostics.say(
            f"warning: {held.documents} of {counted(held.known, 'item')} would be retired; they are kept "
            "until you approve: "
            f"{hold_words(held.reason, is_remote=held.is_remote)}"
        )
        diagnostics.say(
            f"hint: '{program} job items {manifest.job_id} --held' lists them, "
            f"'{program} job approve {manifest.job_id}' retires them"
        )


@click.command()
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path, allow_dash=True))
@click.option(
    "--collection", type=COLLECTION, metavar="NAME", help="Where to put them (default: the one that is in use)."
)
@click.option("--name", metavar="NAME", help="The name of the one file; needed for -, which is standard input.")
@click.option("--label", default="", metavar="TEXT", help="What to call the versions: 'final', 'as of June'.")
@click.option(
    "--set",
    "assigned",
    multiple=True,
    metavar="KEY=VALUE",
    help="Choose a preference in place of the collection, e.g. text_columns=title,body.",
)
@click.option("--replace", is_flag=True, help="Delete the versions before, once the new ones are in.")
@click.option("--detach", is_flag=True, help="Only queue; a worker does it.")
@json_option
@pass_session
def upload(
    session: Session,
    files: tuple[Path, ...],
    collection: str | None,
    name: str | None,
    label: str,
    assigned: tuple[str, ...],
    replace: bool,
    detach: bool,
    as_json: bool,
) -> int:
    """Add FILES by hand, - for standard input. A file of a name that is there already becomes its next version.

    Without --collection they go to the one that is in use. All are read before anything is stored: where one is too
    large, empty, encrypted, damaged or of no known type, nothing is uploaded. The exit code is 3 where the job did not
    take one in.
    """
    from ingest_tui.model.preference_values import assignments

    client = session.client
    chosen = _chosen_files(files, name)
    overrides = assignments(assigned) if assigned else None
    meant = collection or client.collections.in_use()
    with LineProgress() as progress:
        queued = client.documents.upload(
            chosen,
            collection_id=meant,
            label=label,
            replace=replace,
            overrides=overrides,
            progress=None if as_json else progress,
        )
    code = follow_unless_detached(client, queued, detach=detach, as_json=as_json)
    if detach:
        return code
    if label and not as_json:
        _report_label_not_given(client, queued.job_id)
    if replace and not as_json:
        _report_replaced(client, queued.job_id)
    return _report_not_taken(client, queued.job_id, code, quiet=as_json)


def _chosen_files(files: tuple[Path, ...], name: str | None) -> list[UploadFile]:
    from ingest_tui.model.errors import UsageError
    from ingest_tui.services.documents.upload_files import file_at, file_from

    if name is not None and len(files) > 1:
        raise UsageError("--name is for one file", hint="upload them one after the other")
    if Path("-") in files and (name is None or len(files) > 1):
        raise UsageError("what is on standard input has no name", hint="'ingest-tui upload - --name NAME' gives it one")
    if Path("-") in files and name is not None:
        return [file_from(sys.stdin.buffer, name)]
    return [file_at(path, name or "") for path in files]


def _report_label_not_given(client: Client, job_id: str) -> None:
    """Report the files that were there already as they are: they got no version, which the label could name."""
    unchanged = client.jobs.get(job_id).counters.items_skipped_incremental
    if unchanged:
        files = counted(unchanged, "file is", "files are")
        diagnostics.say(f"warning: {files} there already with this content: no new version, and the label was not set")


def _report_replaced(client: Client, job_id: str) -> None:
    """Report which earlier versions the new ones replaced, of many documents those of the first."""
    from ingest_tui.model.document import shown_version

    replaced = list(client.documents.deleted_versions(job_id))
    for key, versions in replaced[:_SHOWN_REPLACED]:
        numbers = ", ".join(map(shown_version, sorted(versions)))
        output.line(f"deleted for good: {numbers} of {key.partition('/')[2]}")
    if len(replaced) > _SHOWN_REPLACED:
        hint = f"'ingest-tui job logs {job_id}' names them"
        output.line(f"and versions of {counted(len(replaced) - _SHOWN_REPLACED, 'more document')}; {hint}")
    if not replaced:
        output.line("nothing was replaced: no new version came of it, or there was none before")


def _report_not_taken(client: Client, job_id: str, code: int, *, quiet: bool) -> int:
    """Say of each uploaded file that was not taken in why, and what to do; returns the exit code."""
    outcomes = {"failed", "rejected", "empty"}
    not_taken = [outcome for outcome, _ in client.jobs.items(job_id, outcomes=outcomes) if outcome.parent is None]
    for outcome in () if quiet else not_taken:
        diagnostics.say(f"error: {outcome.key.partition('/')[2]} was not taken in: {outcome.detail or outcome.reason}")
        if outcome.hint:
            diagnostics.say(f"hint: {outcome.hint}")
    return code or (diagnostics.EXIT_FAILED_ITEMS if not_taken else 0)


def follow_unless_detached(client: Client, queued: Manifest, *, detach: bool, as_json: bool) -> int:
    """Report a job that was queued and leave it to a worker, or follow it to its end; return the exit code."""
    if detach:
        report_queued(client, [queued], [], as_json=as_json, is_list=False)
        return 0
    manifest = follow_and_report(client, queued.job_id, quiet=as_json)
    if as_json:
        output.data(manifest)
    return diagnostics.exit_code_of(manifest)
