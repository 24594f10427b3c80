"""doc columns: the tables of a document and what is in their columns."""

from __future__ import annotations

from typing import Any

import click

from ingest_tui.cli import output
from ingest_tui.cli.name_arguments import DOCUMENT
from ingest_tui.cli.session import Session, json_option, pass_session
from ingest_tui.model.counted import counted

_HEADERS = ("COLUMN", "TYPE", "EMPTY", "DISTINCT", "SAMPLES")


@click.command()
@click.argument("document", type=DOCUMENT)
@click.option("--version", "version", type=click.IntRange(1), help="An earlier version.")
@json_option
@pass_session
def columns(session: Session, document: str, version: int | None, as_json: bool) -> None:
    """Show the columns of the tables in DOCUMENT: types, empty cells, distinct values and samples."""
    from ingest_tui.services.documents.tables import document_tables

    found = document_tables(session.workspace, document, version)
    if as_json:
        output.data(found)
        return
    for number, table in enumerate(found["tables"]):
        if number:
            output.line()
        name = " ".join(table["table"].split())
        output.line(f"{name}: {counted(table['rows'], 'row')}" if name else counted(table["rows"], "row"))
        output.table(_HEADERS, _rows(table), empty="no column has a name")
    if not found["tables"]:
        output.line("no tables")
    elif not all(table["fields"] for table in found["tables"] if table["columns"]):
        output.line("types and counts are missing: 'ingest-tui sync SOURCE --force' reads the document again")


def _rows(table: dict[str, Any]) -> list[tuple[str, ...]]:
    if not table["fields"]:
        return [(name, "-", "-", "-", "") for name in table["columns"]]
    return [
        (
            one["name"],
            one["type"],
            f"{one['null_share']:.1%}",
            f"{one['distinct']:,}" if one["distinct_is_exact"] else f"{one['distinct']:,} or more",
            ", ".join(one["samples"]),
        )
        for one in table["fields"]
    ]
