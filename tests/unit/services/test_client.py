"""The client of the services: thin, typed by what it offers, and the same for each face."""

from __future__ import annotations

import ast
import inspect
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from importlib import import_module
from pathlib import Path
from types import FunctionType
from typing import Any

import pytest

from ingest_tui import cli
from ingest_tui.model.document import IngestedDocument
from ingest_tui.model.errors import NotFoundError, RefusedError, StoreError
from ingest_tui.services import workspaces
from ingest_tui.services.api import open_workspace
from ingest_tui.services.client import Client
from ingest_tui.services.service_calls import ServiceCall, ServiceStream
from ingest_tui.store.workspace import Workspace


@pytest.fixture
def client(tmp_path: Path) -> Client:
    """A client of a new workspace with one source."""
    folder = tmp_path / "papers"
    folder.mkdir()
    (folder / "welcome.md").write_text("# Welcome\n")
    with open_workspace(tmp_path / "workspace") as handle:
        handle.add_source("papers", path=str(folder))
    return Client(tmp_path / "workspace")


def test_each_call_is_a_service_of_the_services(client: Client) -> None:
    """A subject adds nothing of its own: each of its calls is a function of another module."""
    for service in services_of(client):
        assert isinstance(service, FunctionType)
        assert service.__module__ != Client.__module__


def services_of(client: Client) -> list[Any]:
    """Return the services that a client calls."""
    subjects = [subject for subject in vars(client).values() if subject.__class__.__module__ == Client.__module__]
    calls = [call for subject in subjects for call in vars(type(subject)).values() if isinstance(call, ServiceCall)]
    return [call.service() for call in calls]


NOT_FOR_CLIENTS = {
    "run_watch": "is the worker",
    "own_log": "is of the process that is the worker",
    "open_registry": "hands over the file of credentials itself",
    "failure_of_catalogue": "is what the client does about an error",
}


def test_each_service_that_a_command_calls_is_offered(client: Client) -> None:
    """What a person can do from the command line can be done through the client; what cannot says why not."""
    offered = set(services_of(client))
    called = {
        service.__name__
        for path in Path(cli.__file__).parent.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_bytes()))
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("ingest_tui.services")
        for alias in node.names
        if isinstance(service := getattr(import_module(node.module or ""), alias.name, None), FunctionType)
        and next(iter(inspect.signature(service).parameters), "") == "workspace"
        and service not in offered
    }
    missing, too_many = called - NOT_FOR_CLIENTS.keys(), NOT_FOR_CLIENTS.keys() - called
    assert not missing, f"add to services/client.py, a line each: {sorted(missing)}"
    assert not too_many


def test_what_yields_keeps_the_workspace_open(client: Client) -> None:
    """A service that yields is offered as a stream: the workspace would be closed before its first item else."""
    subjects = [subject for subject in vars(client).values() if subject.__class__.__module__ == Client.__module__]
    calls = [call for subject in subjects for call in vars(type(subject)).values() if isinstance(call, ServiceCall)]
    yielding = {call.service().__name__ for call in calls if inspect.isgeneratorfunction(call.service())}
    streams = {call.service().__name__ for call in calls if isinstance(call, ServiceStream)}
    assert yielding <= streams


def test_calls_read_change_and_yield(client: Client) -> None:
    """A source is read, tried, synced and removed through the client alone."""
    assert [one.source.source_id for one in client.sources.list()] == ["papers"]
    assert [step.ok for step in client.sources.test("papers")]
    assert [line.key for line in client.sources.plan("papers")] == ["welcome.md"]
    job_id = client.sources.sync("papers").job_id
    assert client.jobs.cancel(job_id).state == "cancelled"
    assert client.sources.remove("papers") == 0
    assert not client.sources.has_any()


@pytest.fixture
def closed(monkeypatch: pytest.MonkeyPatch) -> list[Workspace]:
    """The workspaces that were closed, as they are."""
    closed: list[Workspace] = []
    close = Workspace.close

    def noted(workspace: Workspace) -> None:
        closed.append(workspace)
        close(workspace)

    monkeypatch.setattr(Workspace, "close", noted)
    return closed


def test_the_workspace_is_closed_behind_each_call(client: Client, closed: list[Workspace]) -> None:
    """Also behind one that fails, and behind a stream that nobody reads to its end."""
    client.sources.list()
    assert len(closed) == 1
    with pytest.raises(NotFoundError):
        client.jobs.get("20261121-063105-handbook-7k3q")
    assert len(closed) == 2
    lines = client.sources.plan("papers")
    assert isinstance(lines, Iterator)
    assert next(lines).key == "welcome.md"
    assert len(closed) == 2
    lines.close()  # type: ignore[attr-defined]
    assert len(closed) == 3


def test_calls_of_one_thread_share_what_is_kept_open(client: Client, closed: list[Workspace]) -> None:
    """Each sees what others have committed before it; a stream and another thread have one of their own."""
    with client.kept_open():
        assert client.documents.count() == 0
        with open_workspace(client.root) as handle:
            handle.register("default", IngestedDocument("# Note\n", "note.md", "api"))
        closed.clear()
        assert client.documents.count() == 1
        with pytest.raises(NotFoundError):
            client.jobs.get("20261121-063105-handbook-7k3q")
        assert not closed
        assert [one.key for one in client.sources.plan("papers")] == ["welcome.md"]
        assert len(closed) == 1
        with ThreadPoolExecutor(1) as other:
            assert other.submit(client.sources.has_any).result()
        assert len(closed) == 2
    assert len(closed) == 3
    client.sources.list()
    assert len(closed) == 4


def test_what_fails_without_the_catalogue_is_not_its_fault(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    """To find that out all of it is read: not for a call that did not read it, whatever those before it have read."""
    looked: list[Exception] = []

    def noted(error: Exception, *_args: object, **_kwargs: object) -> None:
        looked.append(error)

    monkeypatch.setattr(workspaces, "contradiction_that_caused", noted)
    with client.kept_open():
        client.documents.count()
        with pytest.raises(NotFoundError):
            client.sources.get("nothing")
        assert not looked
        with pytest.raises(NotFoundError):
            client.documents.get("nothing")
        assert len(looked) == 1


def test_what_only_reads_refuses_changes_before_it_opens_anything(tmp_path: Path) -> None:
    """The workspace is not there, and the refusal is what is said."""
    client = Client(tmp_path / "nowhere", read_only=True)
    with pytest.raises(RefusedError, match="--read-only"):
        client.sources.sync("papers")
    with pytest.raises((NotFoundError, StoreError)):
        client.sources.list()


def test_the_client_is_loaded_without_the_services() -> None:
    """A screen is painted before pydantic and the services are loaded."""
    program = (
        "import sys, ingest_tui.services.client;"
        "heavy = {'pydantic', 'apsw', 'textual', 'ingest_tui.services.sources.sources', 'ingest_tui.store.workspace'};"
        "print(sorted(heavy & set(sys.modules)))"
    )
    said = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout
    assert said.strip() == "[]"
