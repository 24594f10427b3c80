"""plan, sync, upload."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ingest_tui.cli import diagnostics, output
from ingest_tui.cli.name_arguments import COLLECTION, SOURCE
from ingest_tui.cli.progress import JobProgress, warnings_line
from ingest_tui.cli.session import Session, json_option, pass_session
from ingest_tui.model.errors import IngestError
from ingest_tui.model.volumes import gap_name

if TYPE_CHECKING:
    from ingest_tui.model.job import Manifest
    from ingest_tui.store.workspace import Workspace

_SHOWN_ACTIONS = 200
DAMAGED_HINT = "'ingest-tui doctor' shows which file is damaged"


@click.command()
@click.argument("source", type=SOURCE)
@click.option("--all", "show_all", is_flag=True, help="Show unchanged items too, and every line.")
@click.option("--force", is_flag=True, help="As for 'sync --force'.")
@json_option
@pass_session
def plan(session: Session, source: str, show_all: bool, force: bool, as_json: bool) -> None:
    """Show what a sync of SOURCE would do, and why, without fetching a byte."""
    from ingest_tui.services.jobs.plan_preview import plan_source

    counts: dict[str, int] = {}
    rows: list[tuple[str, str, str, str]] = []
    for action in plan_source(session.workspace, source, force=force):
        counts[action.action] = counts.get(action.action, 0) + 1
        if as_json:
            output.data_line(action.as_dict())
            continue
        if (show_all or action.action != "skip") and (show_all or len(rows) < _SHOWN_ACTIONS):
            rows.append((action.action, action.reason, action.key or gap_name(""), action.detail))
    if counts.get("gap"):
        diagnostics.say(
            f"warning: the listing is not complete, {counts['gap']} places cannot be looked into: nothing is retired"
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
@json_option
@pass_session
def sync(
    session: Session, sources: tuple[str, ...], all_sources: bool, detach: bool, force: bool, as_json: bool
) -> int:
    """Bring documents up to date with their SOURCES, and follow until that is done.

    Runs the worker itself when none is running. Exit code 3: done, but some items failed; 6: deletions wait for
    approval.
    """
    from ingest_tui.services.jobs.jobs import enqueue_sync

    workspace = session.workspace
    names = _named_sources(workspace, sources, all_sources)
    queued: list[Manifest] = []
    failures: list[dict[str, Any]] = []
    for name in names:
        try:
            queued.append(enqueue_sync(workspace, name, force=force))
        except IngestError as error:
            if not all_sources:
                raise
            failures.append({"source_id": name, "error": error.as_dict()})
            diagnostics.say(f"error: source {name}: {error.message}")
            diagnostics.say(f"hint: {error.hint or DAMAGED_HINT}")
    is_list = all_sources or len(sources) > 1
    codes = [diagnostics.EXIT_FAILED for _ in failures]
    if detach:
        _report_queued(workspace, queued, failures, as_json=as_json, is_list=is_list)
    else:
        ended = [follow_and_report(workspace, manifest.job_id, quiet=as_json) for manifest in queued]
        codes += [diagnostics.exit_code_of(manifest) for manifest in ended]
        if as_json:
            output.data([*ended, *failures] if is_list else ended[0])
    return diagnostics.worst_exit_code(codes)


def _named_sources(workspace: Workspace, sources: tuple[str, ...], all_sources: bool) -> list[str]:
    from ingest_tui.model.errors import UsageError

    enabled = [source.source_id for source in workspace.sources.all() if source.enabled]
    damaged = workspace.sources.unreadable()
    if sources and all_sources:
        raise UsageError("name sources or give --all, not both", hint="'ingest-tui sync --all'")
    if sources:
        for name in sources:
            workspace.sources.get(name)
        return list(dict.fromkeys(sources))
    if all_sources and (enabled or damaged):
        return sorted([*enabled, *damaged])
    if all_sources or (len(enabled) == 1 and not damaged):
        if enabled:
            return enabled
        raise UsageError("there is no enabled source", hint="'ingest-tui source add local NAME --path FOLDER' adds one")
    hint = (
        f"there are: {', '.join(enabled)}" if enabled else "'ingest-tui source add local NAME --path FOLDER' adds one"
    )
    raise UsageError("which source? Name one, or give --all", hint=hint)


def _report_queued(
    workspace: Workspace, queued: list[Manifest], failures: list[dict[str, Any]], *, as_json: bool, is_list: bool
) -> None:
    from ingest_tui.services.workers import worker_status

    if as_json:
        output.data([*queued, *failures] if is_list else queued[0])
        return
    for manifest in queued:
        output.line(f"queued {manifest.job_id}")
    if not worker_status(workspace):
        diagnostics.say("hint: no worker is running; 'ingest-tui worker start' starts one")


def follow_and_report(
    workspace: Workspace, job_id: str, *, quiet: bool = False, program: str = "ingest-tui"
) -> Manifest:
    """Follow a job with progress bars and report how it ended; hints begin with ``program``."""
    from ingest_tui.services.workers import follow_job

    try:
        with JobProgress(wanted=not quiet) as progress:
            manifest = follow_job(workspace, job_id, progress.show, run_here=True)
    except KeyboardInterrupt:
        diagnostics.say(f"hint: job {job_id} stays where it is; 'ingest-tui sync' or a worker resumes it")
        raise
    if not quiet:
        report_end(manifest, program)
    return manifest


def report_end(manifest: Manifest, program: str = "ingest-tui") -> None:
    """Print the end of a job: its counters, what failed, and what waits for a person."""
    counters = manifest.counters
    words = [
        (counters.items_ingested, "ingested"),
        (counters.items_skipped_incremental, "unchanged"),
        (counters.items_duplicate, "duplicate"),
        (counters.items_moved, "moved"),
        (counters.items_retired, "retired"),
        (counters.items_empty, "empty"),
        (counters.items_rejected, "rejected"),
        (counters.items_failed, "failed"),
    ]
    nothing = "nothing to do" if manifest.state == "succeeded" else "nothing done"
    told = ", ".join(f"{number} {word}" for number, word in words if number) or nothing
    output.line(f"{manifest.source_id}: {manifest.state} · {counters.descriptors_listed} listed: {told}")
    for warning in manifest.warnings[:5]:
        diagnostics.say(f"warning: {warning}")
    for error in manifest.errors[-5:]:
        if error.uri is None:
            diagnostics.say(f"error: {error.message}")
            if error.hint:
                diagnostics.say(f"hint: {error.hint}")
    if counters.items_with_warnings:
        diagnostics.say(warnings_line(manifest, program))
    if counters.items_failed:
        diagnostics.say(f"hint: '{program} job errors {manifest.job_id}' shows what failed and why")
    if manifest.held is not None and manifest.held.waits:
        from ingest_tui.model.holding import HOLD_WORDS

        held = manifest.held
        diagnostics.say(
            f"warning: {held.documents} of {held.known} items would be retired; they are kept until you approve: "
            f"{HOLD_WORDS.get(held.reason, held.reason)}"
        )
        diagnostics.say(
            f"hint: '{program} job items {manifest.job_id} --held' lists them, "
            f"'{program} job approve {manifest.job_id}' retires them"
        )


@click.command()
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option(
    "--collection", type=COLLECTION, metavar="NAME", default="default", show_default=True, help="Where to put them."
)
@click.option("--detach", is_flag=True, help="Only queue; a worker does it.")
@json_option
@pass_session
def upload(session: Session, files: tuple[Path, ...], collection: str, detach: bool, as_json: bool) -> int:
    """Add FILES by hand. A file of a name that is there already becomes its next version."""
    from ingest_tui.services.documents.uploads import upload_files

    workspace = session.workspace
    queued = upload_files(workspace, list(files), collection_id=collection)
    if detach:
        _report_queued(workspace, [queued], [], as_json=as_json, is_list=False)
        return 0
    manifest = follow_and_report(workspace, queued.job_id, quiet=as_json)
    if as_json:
        output.data(manifest)
    return diagnostics.exit_code_of(manifest)
