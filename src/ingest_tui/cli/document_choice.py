"""The options that choose documents, the same for every command that is about several."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click

from ingest_tui.cli.day_argument import DAY
from ingest_tui.cli.name_arguments import COLLECTION, FOLDER, SOURCE, TYPE
from ingest_tui.model.outcome import PLACE_OUTCOMES

if TYPE_CHECKING:
    from ingest_tui.services.documents.documents import DocumentChoice


def choice_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options that `choice_of` reads."""
    options = (
        click.option("--collection", "collection_id", type=COLLECTION, metavar="NAME", help="Only of this collection."),
        click.option("--source", "source_id", type=SOURCE, metavar="NAME", help="Only of this source."),
        click.option("--contains", default="", help="Only with this in their address or title."),
        click.option(
            "--type",
            "media_type",
            type=TYPE,
            help="Only of this ending or media type, or a beginning of one: pdf, text/.",
        ),
        click.option("--outcome", type=click.Choice(PLACE_OUTCOMES), help="Only where the last look came to this."),
        click.option("--since", type=DAY, metavar="YYYY-MM-DD", help="Only changed on this day (UTC) or later."),
        click.option("--until", type=DAY, metavar="YYYY-MM-DD", help="Only changed on this day (UTC) or earlier."),
    )
    for option in reversed(options):
        command = option(command)
    return command


folder_option = click.option(
    "--folder", type=FOLDER, metavar="SOURCE[/PATH]", help="Only in this folder, however far below."
)
"""Which folder; for the commands of `choice_options` that name it by an option."""


def choice_of(options: dict[str, Any]) -> DocumentChoice:
    """Return what the options chose, for the services; ``folder`` is among them with `folder_option`."""
    choice: DocumentChoice = {
        "collection_id": options["collection_id"],
        "source_id": options["source_id"],
        "contains": options["contains"],
        "media_type": options["media_type"],
        "outcome": options["outcome"],
        "since": options["since"] and f"{options['since']:%Y-%m-%d}",
        "until": options["until"] and f"{options['until']:%Y-%m-%d}",
        "folder": options.get("folder"),
    }
    return choice
