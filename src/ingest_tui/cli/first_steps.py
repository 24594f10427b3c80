"""init, demo, doctor, rebuild."""

from __future__ import annotations

import shlex
import shutil
import sys
import tempfile
from pathlib import Path

import click

from ingest_tui.cli import output
from ingest_tui.cli.diagnostics import EXIT_FAILED, EXIT_FAILED_ITEMS
from ingest_tui.cli.session import Session, json_option, pass_session
from ingest_tui.model.counted import counted


@click.command()
@click.option(
    "--allow-network-filesystem",
    is_flag=True,
    help="Allow a network file system, which keeps neither locks nor databases safe; use it from one machine only.",
)
@json_option
@pass_session
def init(session: Session, allow_network_filesystem: bool, as_json: bool) -> None:
    """Make a workspace (default: ./workspace)."""
    from ingest_tui.services.workspaces import init as make

    workspace, is_new = make(session.root, session.credentials_path, allow_network_filesystem=allow_network_filesystem)
    if as_json:
        output.data({"workspace": str(workspace.root), "is_new": is_new})
        return
    output.line(f"{'made' if is_new else 'already there:'} workspace {workspace.root}")
    output.line("next: ingest-tui source add local NAME --path FOLDER")


@click.command()
@json_option
@pass_session
def doctor(session: Session, as_json: bool) -> int:
    """Check what is installed, which formats can be read, and whether workspace and credentials are consistent."""
    from ingest_tui.services.workspaces import doctor as check

    checks = list(check(session.root, session.credentials_path))
    if as_json:
        output.data({"checks": [item.as_dict() for item in checks]})
    else:
        for item in checks:
            output.line(f"{item.level:8} {item.name}: {item.message}")
            if item.hint:
                output.line(f"         hint: {item.hint}")
    return EXIT_FAILED if any(item.level == "problem" for item in checks) else 0


@click.command()
@json_option
@pass_session
def rebuild(session: Session, as_json: bool) -> int:
    """Make the catalogue again from the documents on disk."""
    from ingest_tui.cli.rebuild_progress import shown_on_stderr
    from ingest_tui.services.workspaces import rebuild as make_again

    report = make_again(session.workspace, shown_on_stderr())
    if as_json:
        problems = [problem.as_dict() for problem in report.problems]
        output.data({"documents": report.documents, "versions": report.versions, "problems": problems})
    else:
        output.line(f"rebuilt: {counted(report.documents, 'document')}, {counted(report.versions, 'version')}")
        for problem in report.problems:
            output.line(f"damaged: {problem.folder}: {problem.reason}")
    return EXIT_FAILED_ITEMS if report.problems else 0


def _program_as_called() -> str:
    """Return how this program was called, so that it can be called like that from the same folder."""
    called = Path(sys.argv[0])
    if called.name != "ingest-tui":
        return f"{shlex.quote(sys.executable)} -m ingest_tui"
    on_path = shutil.which(called.name)
    return called.name if on_path and called.exists() and called.samefile(on_path) else shlex.quote(str(called))


@click.command()
@click.option(
    "--folder",
    type=click.Path(path_type=Path, file_okay=False),
    help="Where to make the workspace, with its documents in FOLDER-examples (default: a fresh temporary folder).",
)
@click.option("--tui", is_flag=True, help="Open the TUI on it afterwards.")
@json_option
@pass_session
def demo(session: Session, folder: Path | None, tui: bool, as_json: bool) -> int:
    """Show the main job on example documents: add a source, sync, see every outcome, search."""
    from ingest_tui.cli.sync import follow_and_report
    from ingest_tui.services import demo as demonstration
    from ingest_tui.services.documents.search import search
    from ingest_tui.services.jobs.jobs import enqueue_sync, job_items
    from ingest_tui.services.open_client import OpenWorkspaceClient

    root = folder or Path(tempfile.mkdtemp(prefix="ingest-tui-demo-")) / "workspace"
    workspace, source = demonstration.make_demo_workspace(root)
    client = OpenWorkspaceClient(root, lambda: workspace)
    if as_json:
        queued = enqueue_sync(workspace, source.source_id)
        manifest = follow_and_report(client, queued.job_id, quiet=True)
        items = [outcome.as_dict() for outcome, _ in job_items(workspace, manifest.job_id)]
        hits = [hit.as_dict() for hit in search(workspace, demonstration.SEARCH, limit=3)]
        output.data({"workspace": str(workspace.root), "job": manifest, "items": items, "search": hits})
        return 0 if manifest.ended and manifest.state != "failed" else EXIT_FAILED
    output.line(f"workspace  {workspace.root}")
    output.line(f"source     {source.source_id}: {source.source_config['path']}")
    output.line()
    sys.stdout.flush()
    manifest = enqueue_sync(workspace, source.source_id)
    program = f"{_program_as_called()} --workspace {shlex.quote(str(workspace.root))}"
    ended = follow_and_report(client, manifest.job_id, program=program)
    output.line()
    output.line("what became of each file:")
    outcomes = sorted((outcome for outcome, _ in job_items(workspace, ended.job_id)), key=lambda item: item.key)
    rows = [(item.outcome, item.reason, item.key, item.detail or item.backend or "") for item in outcomes]
    output.table(("OUTCOME", "REASON", "FILE", "DETAIL"), rows, empty="nothing was listed")
    output.line()
    output.line(f"search: {demonstration.SEARCH}")
    for hit in search(workspace, demonstration.SEARCH, limit=3):
        output.raw_line(f"  {output.snippet(hit.title)} · {output.snippet(hit.snippet)}")
    output.line()
    broken = Path(source.source_config["path"]) / demonstration.BROKEN_EXAMPLE
    for purpose, arguments in (
        ("the TUI", ""),
        ("search", " search barometer"),
        ("why is a file (not) there", f" doc explain {shlex.quote(str(broken))}"),
    ):
        output.line(f"{purpose}:")
        output.line(f"  {program}{arguments}")
    sys.stdout.flush()
    if tui and sys.stdin.isatty() and sys.stdout.isatty():
        from ingest_tui.cli.main import open_tui

        open_tui(Session(workspace.root, session.debug, faces=session.faces))
    return 0 if ended.state in {"succeeded", "partial"} else EXIT_FAILED
