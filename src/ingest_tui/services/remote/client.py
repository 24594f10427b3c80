"""The client of a workspace that a server has: the same calls, of which those are answered that the server knows."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ingest_tui.credentials.references import ResolveContext, parse_reference, resolve_reference
from ingest_tui.model.errors import RefusedError, UsageError
from ingest_tui.services.client import Client
from ingest_tui.services.remote.calls import CALLS
from ingest_tui.services.remote.server import Server
from ingest_tui.services.service_calls import ServiceCall
from ingest_tui.transport.server_connection import ServerConnection, server_address

_MAY_HOLD_TOKEN = frozenset({"env", "file"})


class RemoteClient(Client):
    """A client that asks a server. A call that the server has no endpoint for raises `RefusedError`."""

    is_remote = True

    def __init__(self, server: Server, *, read_only: bool = False) -> None:
        super().__init__(Path(), read_only=read_only)
        self.server = server

    def answered(self, call: ServiceCall[Any, Any], *args: Any, **kwargs: Any) -> Any:
        """Answer a call by asking the server."""
        if not call.needs_workspace:
            return super().answered(call, *args, **kwargs)
        if call.changes:
            self.refuse_when_read_only()
        ask = CALLS.get(call.name)
        if ask is None:
            raise RefusedError(
                f"this needs the workspace on this machine ({call.name}), and it is that of {self.server.shown}",
                hint="run it where the workspace is",
                code="not_remote",
            )
        with self.server.reading(()):
            found = ask(self.server, *args, **kwargs)
        return self._read_on(found) if isinstance(found, Iterator) else found

    def _read_on(self, found: Iterator[Any]) -> Iterator[Any]:
        """Yield what a call yields; what is wrong with an answer is found out only then."""
        with self.server.reading(()):
            yield from found


def connect(address: str, *, token_reference: str | None = None, ca_file: Path | None = None) -> Server:
    """Return the server at an address; nothing is sent yet. ``token_reference``: ``env:NAME`` or ``file:PATH``.

    Raises `UsageError` for what is no address or no such reference, and what `resolve_reference` raises.
    """
    found = server_address(address)
    token = None if token_reference is None else _token(token_reference)
    return Server(ServerConnection(found, token=token, ca_file=ca_file))


def _token(text: str) -> str:
    reference = parse_reference(text)
    if reference.kind not in _MAY_HOLD_TOKEN:  # not repeated: it may be the token
        raise UsageError(
            "--token-ref says where the token is", hint="write env:NAME or file:PATH, not the token itself"
        )
    context = ResolveContext(Path.cwd(), os.environ)
    token = resolve_reference(reference, context, what="the token for --server").strip()
    if not token.isascii() or not token.isprintable() or " " in token:
        raise UsageError("what --token-ref names is no token", hint="'ingest-tui serve token add NAME' prints one")
    return token
