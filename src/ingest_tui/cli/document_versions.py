"""doc versions, diff, rollback, prune-versions."""

from __future__ import annotations

from typing import Final

import click
import humanize

from ingest_tui.cli import diagnostics, output
from ingest_tui.cli.name_arguments import DOCUMENT
from ingest_tui.cli.session import (
    Session,
    confirm,
    dry_run_option,
    json_option,
    pass_session,
    report_dry_run,
    yes_option,
)
from ingest_tui.model.counted import counted

_MOST_NAMED = 20


@click.command()
@click.argument("document", type=DOCUMENT)
@json_option
@pass_session
def versions(session: Session, document: str, as_json: bool) -> None:
    """List the versions of DOCUMENT, newest first."""
    from ingest_tui.services.documents.documents import made_by

    found = session.client.documents.versions(document)
    if as_json:
        output.data(found)
        return
    rows = [
        (
            f"v{item['version']}",
            item["version_label"],
            item["ingested_at"],
            humanize.naturalsize(item["bytes"]),
            item["raw_sha256"][:16],
            made_by(item),
        )
        for item in found
    ]
    output.table(("VERSION", "LABEL", "INGESTED", "SIZE", "SHA-256", "MADE BY"), rows, empty="no versions")


@click.command()
@click.argument("document", type=DOCUMENT)
@click.option("--from", "older", type=click.IntRange(1), help="The older version; the one before the other without it.")
@click.option("--to", "newer", type=click.IntRange(1), help="The newer version; the current one without it.")
@json_option
@pass_session
def diff(session: Session, document: str, older: int | None, newer: int | None, as_json: bool) -> None:
    """Print what changed in the text of DOCUMENT between two versions."""
    from ingest_tui.model.errors import UsageError

    documents = session.client.documents
    found = documents.get(document)
    newer = newer or found.version
    older = older or newer - 1
    if older < 1 or len(documents.versions(found.document_id)) == 1:
        raise UsageError(
            f"document {found.document_id} has one version only", hint="there is nothing to compare it with"
        )
    lines = documents.diff(found.document_id, older, newer)
    if as_json:
        output.data({"document_id": found.document_id, "from": older, "to": newer, "diff": lines})
    else:
        output.block("\n".join(lines) or "the texts are the same")


@click.command()
@click.argument("document", type=DOCUMENT)
@click.option("--to", "version", type=click.IntRange(1), help="Which version; else the newest with other content.")
@dry_run_option
@json_option
@pass_session
def rollback(session: Session, document: str, version: int | None, dry_run: bool, as_json: bool) -> None:
    """Make the newest version of DOCUMENT from an earlier one; all versions stay.

    It is searchable at once. A sync leaves it so until the source has other content than the version that was left;
    'sync --force' or an upload takes that again.
    """
    from ingest_tui.services.documents.documents import document_versions, made_by
    from ingest_tui.services.documents.rollback import planned_rollback, roll_back_document

    if dry_run:
        planned, made_from = planned_rollback(session.workspace, document, version)
        what = f"would make v{planned.version} of document {planned.document_id} from v{made_from}"
        report_dry_run(what, planned.as_dict() | {"made_from": made_from}, as_json=as_json)
        return
    found = roll_back_document(session.workspace, document, version)
    if as_json:
        output.data(found.as_dict())
    else:
        newest = document_versions(session.workspace, found.document_id)[0]
        undo = f"'ingest-tui doc rollback {found.document_id} --to {found.version - 1}' undoes it"
        output.line(f"document {found.document_id} is v{found.version} now ({made_by(newest)}); {undo}")


@click.command("prune-versions")
@click.argument("documents", type=DOCUMENT, nargs=-1, required=True)
@click.option(
    "--keep",
    type=click.IntRange(1),
    show_default="as the collection keeps them",
    help="How many of the newest stay.",
)
@click.option("--all-old", is_flag=True, help="Delete all but the current one, as --keep 1.")
@dry_run_option
@yes_option
@json_option
@pass_session
def prune_versions(
    session: Session,
    documents: tuple[str, ...],
    keep: int | None,
    all_old: bool,
    dry_run: bool,
    yes: bool,
    as_json: bool,
) -> None:
    """Delete earlier versions of DOCUMENTS for good; the current one always stays. Exit code 6: nobody agreed.

    Without --keep those stay that the collection keeps, and those that the last rollback went from and to. One that
    limits no versions needs --keep or --all-old.
    """
    from ingest_tui.model.errors import UsageError
    from ingest_tui.services.documents.pruning import prune_documents, versions_to_prune

    if all_old and keep is not None:
        raise UsageError("--all-old and --keep contradict each other", hint="give one of them")
    chosen = versions_to_prune(session.workspace, documents, keep=1 if all_old else keep)
    if not dry_run:
        if not yes and not as_json:
            for one in chosen[:_MOST_NAMED]:
                diagnostics.say(f"  {one.document_id} v{one.version}")
        if chosen:
            confirm(f"Delete {counted(len(chosen), 'version')} for good?", yes=yes, as_json=as_json)
        chosen = prune_documents(session.workspace, chosen)
    if as_json:
        output.data({"deleted": 0 if dry_run else len(chosen), "dry_run": dry_run,
                     "versions": [one._asdict() for one in chosen]})  # fmt: skip
        return
    rows = [(one.document_id, f"v{one.version}") for one in chosen]
    if not chosen:
        output.line(f"nothing to delete: {_why_none(session, documents)}")
    elif dry_run:
        output.table(("DOCUMENT", "VERSION"), rows, empty="")
    else:
        output.line(f"deleted {counted(len(chosen), 'version')}")


def _why_none(session: Session, documents: tuple[str, ...]) -> str:
    if all(len(session.client.documents.versions(one)) == 1 for one in documents):
        return "there is no earlier version"
    return "what is earlier is kept, by the preferences of the collection or for the way back from a rollback"


VERSION_COMMANDS: Final = (versions, diff, rollback, prune_versions)
