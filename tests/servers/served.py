"""A workspace that is served: in this process, over no network, as its clients see it."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Mapping
from http.client import HTTPMessage
from pathlib import Path
from typing import Any, Self

from starlette.testclient import TestClient

from ingest_tui import open_workspace
from ingest_tui.model.access_token import TokenScope
from ingest_tui.model.serving import ServeOptions
from ingest_tui.server.app import build_app
from ingest_tui.services.client import Client
from ingest_tui.services.noted_warnings import note_warnings
from ingest_tui.services.remote.client import RemoteClient, connect
from ingest_tui.transport.server_connection import ReceivedAnswer, ServerAddress, ServerConnection


class Served:
    """A workspace and what asks it. ``documents`` is the folder of its one source, ``papers``, which is synced."""

    def __init__(self, home: Path, *, weather: str = "The barometer falls before a storm.", **options: Any) -> None:
        self.root = home / "workspace"
        self.documents = home / "my papers"
        self.documents.mkdir(exist_ok=True)
        (self.documents / "weather.md").write_text(f"# Weather\n\n{weather}\n")
        (self.documents / "tide.txt").write_text("The tide follows the moon.\n")
        (self.documents / "broken.docx").write_bytes(b"PK\x03\x04 this is no document")
        with open_workspace(self.root) as handle:
            handle.add_source("papers", path=str(self.documents))
            self.job_id = handle.sync("papers").job_id
        self.client = Client(self.root)
        self.options = ServeOptions(**options)

    def copied(self, home: Path) -> Self:
        """Return a copy that may be changed; its documents are the same folder, which may not."""
        copy = object.__new__(type(self))
        copy.__dict__ |= self.__dict__
        copy.root = home / "workspace"
        shutil.copytree(self.root, copy.root)
        copy.client = Client(copy.root)
        return copy

    def asking(self, *, read_only: bool = False, token: str = "", **headers: str) -> TestClient:
        """Return a client of a server of its own, with these headers."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        if token:
            named["Authorization"] = f"Bearer {token}"
        note_warnings()  # as a server does; pytest puts them back after each test
        app = build_app(Client(self.root, read_only=read_only), self.options)
        return TestClient(app, base_url="http://127.0.0.1", headers=named, raise_server_exceptions=True)

    def remote(self, asking: TestClient) -> RemoteClient:
        """Return the client of ``--server``, which asks a server in this process. It cannot follow streams."""
        server = connect("http://127.0.0.1")
        server.connection = AskedHere(server.connection.address, asking)
        return RemoteClient(server)

    def token(self, name: str = "agent", scope: TokenScope = "read", **more: Any) -> str:
        """Make a token and return its secret."""
        return str(self.client.tokens.add(name, scope=scope, **more).secret)

    def document_id(self, name: str = "weather.md") -> str:
        """Return the id of a document."""
        return str(self.client.documents.get(name).document_id)


class AskedHere(ServerConnection):
    """A connection to a server in this process."""

    def __init__(self, address: ServerAddress, asking: TestClient) -> None:
        super().__init__(address)
        self._asking = asking

    def ask(
        self, method: str, target: str, body: bytes | Iterable[bytes] | None = None, headers: Mapping[str, str] = {}
    ) -> ReceivedAnswer:
        """Return the answer to a request."""
        answer = self._asking.request(method, target, content=body, headers=dict(headers))
        known = HTTPMessage()
        for name, value in answer.headers.items():
            known[name] = value
        return ReceivedAnswer(answer.status_code, known, answer.content)
