"""Running the services: in the process of a test, or as a process of their own; and a credential that leads to them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from ingest_tui.model.errors import AuthenticationError, NotFoundError
from tests.graph_server import certificates
from tests.graph_server.downloads import DownloadHandler
from tests.graph_server.graph_api import GraphHandler
from tests.graph_server.http_service import Service
from tests.graph_server.sign_in import SignInHandler
from tests.graph_server.state import CLIENT_ID, CLIENT_SECRET, TENANT_ID, State

SERVER = Path(__file__).with_name("server.py")


class GraphServer:
    """Graph, sign-in and downloads, each on a port of its own; ``state`` is what they show."""

    def __init__(self, *, port: int = 0) -> None:
        self.state = State()
        self._graph = Service(GraphHandler, self.state, port=port)
        self._login = Service(SignInHandler, self.state, tls=certificates.server_context())
        self._downloads = Service(DownloadHandler, self.state)
        self.state.graph_url = f"http://127.0.0.1:{self._graph.port}"
        self.state.login_url = f"https://localhost:{self._login.port}"
        # Another name than Graph's: what keeps a token from travelling there is that the host differs.
        self.state.downloads_url = f"http://localhost:{self._downloads.port}"

    def __enter__(self) -> Self:
        for service in (self._graph, self._login, self._downloads):
            service.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        for service in (self._graph, self._login, self._downloads):
            service.stop()

    @property
    def authority(self) -> str:
        """The sign-in address with the tenant."""
        return f"{self.state.login_url}/{TENANT_ID}"

    def credential(self, **changes: str | None) -> FakeCredential:
        """Return a credential that leads to these services; a change to None leaves a field out."""
        return FakeCredential(credential_fields(self.state.graph_url, self.authority) | changes)


def credential_fields(graph_url: str, authority: str) -> dict[str, str | None]:
    """Return the fields of a credential of type entra for these services."""
    return {
        "cloud": "global",
        "tenant_id": TENANT_ID,
        "client_id": CLIENT_ID,
        "client_secret": CLIENT_SECRET,
        "authority": authority,
        "graph_url": graph_url,
    }


class FakeCredential:
    """An entry of the registry without a registry. Its fields can be changed, as a person edits the file."""

    def __init__(self, fields: Mapping[str, str | None], *, type_: str = "entra", name: str = "intranet") -> None:
        self.fields = {field: value for field, value in fields.items() if value is not None}
        self.type = type_
        self.name = name
        self.read = 0

    @property
    def digest(self) -> str:
        return json.dumps(self.fields, sort_keys=True)

    @property
    def identity(self) -> str:
        return json.dumps([self.fields.get("tenant_id"), self.fields.get("client_id")])

    def get(self, field: str, default: str | None = None) -> str | None:
        self.read += 1
        return self.fields.get(field, default)

    def require(self, field: str) -> str:
        value = self.get(field)
        if value is None:
            raise AuthenticationError(f"the credential {self.name!r} has no field {field!r}", hint="add it")
        return value


class FakeCredentials:
    """A registry of given entries."""

    def __init__(self, *entries: FakeCredential) -> None:
        self.entries = {entry.name: entry for entry in entries}

    def get(self, name: str) -> FakeCredential:
        if name not in self.entries:
            raise NotFoundError(f"no credential named {name!r}", hint="'ingest-tui credential list' shows them")
        return self.entries[name]


class RemoteServer:
    """A server in a process of its own, steered over HTTP."""

    def __init__(self, greeting: dict[str, Any]) -> None:
        self.graph_url: str = greeting["graph_url"]
        self.authority: str = greeting["authority"]
        self.ca_bundle: str = greeting["ca_bundle"]

    def do(self, action: str, **arguments: Any) -> Any:
        """Do something (see `control.Control`); returns what it returns."""
        request = urllib.request.Request(
            f"{self.graph_url}/control", json.dumps({"do": action, **arguments}).encode(), method="POST"
        )
        with urllib.request.urlopen(request) as response:
            return json.load(response)["done"]

    def look(self) -> dict[str, Any]:
        """Return counts of requests, knobs, libraries."""
        with urllib.request.urlopen(f"{self.graph_url}/control") as response:
            found: dict[str, Any] = json.load(response)
        return found

    def credential(self) -> FakeCredential:
        """Return a credential that leads to it."""
        return FakeCredential(credential_fields(self.graph_url, self.authority))


@contextmanager
def server_process() -> Iterator[RemoteServer]:
    """Run ``server.py`` until the end of the block."""
    with tempfile.TemporaryDirectory() as folder:
        environment = {name: value for name, value in os.environ.items() if not name.startswith("INGEST_TUI_")}
        command = [sys.executable, str(SERVER), "--port", "0", "--folder", folder]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, env=environment)
        try:
            assert process.stdout is not None
            yield RemoteServer(json.loads(process.stdout.readline()))
        finally:
            process.terminate()
            process.wait(10)
            if process.stdout is not None:
                process.stdout.close()
