"""What people call things, as the server that has them understands it."""

from __future__ import annotations

from typing import Literal

from ingest_tui.model.errors import NotFoundError
from ingest_tui.services.remote.server import NOT_SHOWN, Server

FoundKind = Literal["source", "collection", "type", "job", "document"]


def named(server: Server, kind: FoundKind, name: str) -> str:
    """Return the identifier of what is called so; the name itself for a token that may ask for identifiers alone."""
    try:
        found = server.get("names", kind, called=name)
    except NotFoundError as error:
        if error.reason == NOT_SHOWN:
            return name
        raise
    with server.reading(("names", kind)):
        return str(found["id"])
