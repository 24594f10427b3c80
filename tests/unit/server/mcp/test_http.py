"""/mcp of the server: agents over HTTP, with tokens."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from httpx2 import ASGITransport, AsyncClient
from mcp.client.streamable_http import streamable_http_client

from ingest_tui.server.app import build_app
from ingest_tui.services.client import Client
from ingest_tui.store.layout import Layout
from ingest_tui.store.records.settings import change_setting
from tests.servers.mcp_agent import ERAS, Agent
from tests.servers.served import Served

ACCEPT = {"Accept": "application/json, text/event-stream", "Content-Type": "application/json"}
LIST = {"jsonrpc": "2.0", "id": 1, "method": "tools/list"}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Served:
    """A workspace that is served, without tokens."""
    return Served(tmp_path_factory.mktemp("served"))


@pytest.fixture
def served(made: Served) -> Iterator[Served]:
    """The same; tokens that a test makes are gone after it."""
    yield made
    (made.root / "server-tokens.json").unlink(missing_ok=True)
    change_setting(Layout(made.root), "server_tokens_made", value=False)


def agent_at(served: Served, *, token: str = "", mode: str = "legacy", read_only: bool = False) -> Agent:
    """Return an agent that asks the application over HTTP, in this process."""
    app = build_app(Client(served.root, read_only=read_only), served.options)
    headers = {"Authorization": f"Bearer {token}"} if token else {}

    def connect() -> Any:
        http = AsyncClient(transport=ASGITransport(app), headers=headers)
        return streamable_http_client("http://127.0.0.1/mcp", http_client=http)

    return Agent(connect, mode=mode)


@pytest.mark.parametrize("mode", ERAS)
def test_an_agent_asks_over_http_what_it_asks_over_stdio(served: Served, mode: str) -> None:
    """Tools, results, errors and resources are the same; without a token nothing can be changed."""
    agent = agent_at(served, mode=mode)
    assert {"search", "explain"} <= agent.tools().keys()
    assert "sync" not in agent.tools()
    found = agent.get("search", query="barometer")["results"][0]
    assert "barometer falls" in agent.read(f"document://{found['id']}")[1].text
    assert agent.error("fetch", id="nothing")["code"] == "not_found"
    hint = agent.error("sync", source_id="papers")["hint"]
    assert "--scope write" in hint
    assert "allow-write" not in hint
    assert "redacted" not in hint


def test_a_token_says_what_an_agent_may_do(served: Served) -> None:
    """One that reads is not offered changes; one that writes makes them by its name; --read-only refuses both."""
    reads, writes = served.token("reads", "read"), served.token("writes", "write")
    assert "sync" not in agent_at(served, token=reads).tools()
    reading = agent_at(served, token=writes, read_only=True)
    assert "sync" not in reading.tools()
    assert "--read-only" in reading.error("sync", source_id="papers")["hint"]
    job_id = agent_at(served, token=writes).get("sync", source_id="papers")["job_id"]
    job = served.client.jobs.get(job_id)
    assert job.requested_by.startswith("token:writes@")
    assert job.trigger == "mcp"
    served.client.jobs.cancel(job_id)


def test_a_token_sees_its_collection_alone(served: Served) -> None:
    """What is in another one is neither found nor listed."""
    served.client.collections.add("other") if "other" not in served.client.collections.names() else None
    agent = agent_at(served, token=served.token(collection="other"))
    assert agent.get("search", query="barometer")["results"] == []
    assert agent.get("list_sources")["sources"] == []
    assert agent.error("fetch", id=served.document_id())["code"] == "not_found"


def test_nobody_below_admin_learns_a_folder_of_the_machine(served: Served) -> None:
    """Not from hits, explanations, resources or errors; an administrator sees addresses as they are."""
    agent = agent_at(served, token=served.token("reads", "read"))
    document_id = served.document_id()
    said = [
        agent.get("search", query="barometer"),
        agent.get("fetch", id=document_id),
        agent.get("explain", target="broken.docx"),
        agent.get("explain", target=str(served.documents / "broken.docx")),
        agent.get("freshness", source_id="papers"),
        agent.get("list_sources"),
        [one.model_dump() for one in agent.read(f"document://{document_id}")],
    ]
    assert str(served.documents.parent) not in json.dumps(said).replace("%20", " ")
    admin = agent_at(served, token=served.token("boss", "admin"))
    assert str(served.documents.parent) in admin.get("search", query="barometer")["results"][0]["url"].replace(
        "%20", " "
    )


def test_without_a_valid_token_there_is_no_answer(served: Served) -> None:
    """Once there is a token, none, a wrong one and one that was revoked are refused before anything is read."""
    secret = served.token()
    for token in ("", "wrong", secret[:-1]):
        answer = served.asking(token=token).post("/mcp", json=LIST, headers=ACCEPT)
        assert (answer.status_code, answer.json()["code"]) == (401, "authentication")
    assert served.asking(token=secret).post("/mcp", json=LIST, headers=ACCEPT).status_code == 200
    served.client.tokens.revoke("agent")
    served.token("another")
    assert served.asking(token=secret).post("/mcp", json=LIST, headers=ACCEPT).status_code == 401


def test_other_hosts_and_pages_are_refused(served: Served) -> None:
    """A page whose name was made to mean this machine does not reach the agents' server either."""
    assert served.asking(host="evil.example").post("/mcp", json=LIST, headers=ACCEPT).status_code == 421
    assert served.asking(origin="http://evil.example").post("/mcp", json=LIST, headers=ACCEPT).status_code == 403


@pytest.mark.parametrize("method", ["GET", "DELETE", "PUT"])
def test_there_are_no_streams_and_no_sessions(served: Served, method: str) -> None:
    """Nothing stays open, and nothing is remembered between requests."""
    assert served.asking().request(method, "/mcp", headers=ACCEPT).status_code == 405
    answer = served.asking().post("/mcp", json=LIST, headers=ACCEPT)
    assert "mcp-session-id" not in answer.headers


@pytest.mark.parametrize(
    "body", [b"", b"no json", b"[]", b"{}", b"\xff", b'{"jsonrpc": "2.0", "id": 1, "method": "nothing"}', b"[" * 10_000]
)
def test_what_is_no_request_is_refused(served: Served, body: bytes) -> None:
    """With a status that says so, and no failure of the server."""
    assert served.asking().post("/mcp", content=body, headers=ACCEPT).status_code < 500


@pytest.mark.parametrize("request_id", [b"1.5", b"null", b"true", b'"\\ud800"', b"[1]"])
def test_an_id_that_is_none_is_refused(served: Served, request_id: bytes) -> None:
    """It would be taken for a notification, and whoever sent it would wait for an answer."""
    body = b'{"jsonrpc": "2.0", "id": %s, "method": "tools/list"}' % request_id
    answer = served.asking().post("/mcp", content=body, headers=ACCEPT)
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, -32600)


def test_what_is_too_large_is_refused(served: Served) -> None:
    """It is not read to its end."""
    answer = served.asking().post("/mcp", content=b" " * (2**20 + 1), headers=ACCEPT)
    assert (answer.status_code, answer.json()["code"]) == (413, "too_large")


def test_a_damaged_workspace_is_an_answer_too(served: Served, tmp_path: Path) -> None:
    """It says what is wrong without naming a folder."""
    app = build_app(Client(tmp_path / "nowhere"), served.options)
    http = AsyncClient(transport=ASGITransport(app))
    agent = Agent(lambda: streamable_http_client("http://127.0.0.1/mcp", http_client=http))
    with pytest.raises(Exception) as failed:
        agent.tools()
    assert str(tmp_path) not in repr(failed.value)
