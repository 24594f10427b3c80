"""doc purge."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from ingest_tui.cli import diagnostics, output
from ingest_tui.cli.name_arguments import DOCUMENT
from ingest_tui.cli.selector_options import selector_of, selector_options
from ingest_tui.cli.session import (
    Session,
    confirm,
    dry_run_option,
    json_option,
    pass_session,
    wait_options,
    wait_policy_of,
    yes_option,
)
from ingest_tui.model.counted import counted


@click.command()
@click.argument("documents", type=DOCUMENT, nargs=-1)
@selector_options
@click.option(
    "--record", type=click.Path(path_type=Path), metavar="FILE", help="First write what is erased: JSON lines."
)
@dry_run_option
@yes_option
@wait_options
@json_option
@pass_session
def purge(
    session: Session,
    /,
    documents: tuple[str, ...],
    record: Path | None,
    dry_run: bool,
    yes: bool,
    wait: bool,
    timeout: float | None,
    as_json: bool,
    **options: Any,
) -> None:
    """Erase DOCUMENTS, or all that the options select, for good: all versions, texts and vectors, in the trash too.

    Nothing brings them back. No sync takes them in again unless their source changes them. Exit code 6: nobody agreed.
    """
    from ingest_tui.services.documents.erasure import Erased, erase_documents, plan_erasure
    from ingest_tui.services.documents.selection import select_documents

    wait_policy = wait_policy_of(session.workspace, wait=wait, timeout=timeout)
    chosen = select_documents(session.workspace, documents, selector_of(options), state=None)
    found = plan_erasure(session.workspace, [document.document_id for document in chosen])
    erased = Erased([], [])
    if not dry_run:
        if not yes and not as_json:
            for one in found:
                diagnostics.say(f"  {one.document.title}  {one.document.uri}")
        versions = sum(len(one.versions) for one in found)
        confirm(
            f"Erase {counted(len(found), 'document')} with {counted(versions, 'version')} for good?",
            yes=yes,
            as_json=as_json,
        )
        erased = erase_documents(session.workspace, found, record=record, wait_policy=wait_policy)
    for entry in erased.catalogues_kept:
        diagnostics.say(f"{entry} is a catalogue from before a repair, and may have the text: delete it")
    if as_json:
        planned = [one.as_dict() for one in found]
        output.data({"erased": erased.document_ids, "dry_run": dry_run, "documents": planned})
    elif dry_run:
        rows = [(one.document.document_id, len(one.versions), one.document.state, one.document.uri) for one in found]
        output.table(("DOCUMENT", "VERSIONS", "STATE", "ADDRESS"), rows, empty="")
    else:
        output.line(f"erased {counted(len(erased.document_ids), 'document')}")
