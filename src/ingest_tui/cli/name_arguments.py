"""Arguments and options that name a source or a collection, by identifier or as people call it."""

from __future__ import annotations

from typing import Any

import click

from ingest_tui.cli.session import Session


class SourceName(click.ParamType[str]):
    """A source; the value is its identifier. What names none stays as it is: the command reports that."""

    name = "source"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:  # noqa: ARG002
        """Return the identifier."""
        from ingest_tui.services.name_lookup import source_id_of

        session = ctx.find_object(Session) if ctx else None
        return source_id_of(session.workspace, value) if session and value else value


class CollectionName(click.ParamType[str]):
    """A collection; the value is its identifier. What names none stays as it is: the command reports that."""

    name = "collection"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:  # noqa: ARG002
        """Return the identifier."""
        from ingest_tui.services.name_lookup import collection_id_of

        session = ctx.find_object(Session) if ctx else None
        return collection_id_of(session.workspace, value) if session and value else value


SOURCE = SourceName()
COLLECTION = CollectionName()
