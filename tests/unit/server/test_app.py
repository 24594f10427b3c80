"""What every request passes: host and origin, method, body; and what describes the server."""

from __future__ import annotations

import pytest
from starlette.testclient import TestClient

from ingest_tui.model.serving import ServeOptions
from tests.servers.served import Served


@pytest.mark.parametrize(
    "host", ["evil.example", "127.0.0.1.evil.example", "evil@127.0.0.1", "", "127.0.0.1/x", "[::1"]
)
def test_a_request_by_another_name_is_refused(asking: TestClient, host: str) -> None:
    """A page whose name was made to mean this machine cannot ask: its name is in Host."""
    assert asking.get("/jobs", headers={"Host": host}).status_code == 421


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost:8765", "[::1]:1", "LOCALHOST"])
def test_names_of_this_machine_are_taken(asking: TestClient, host: str) -> None:
    """However a client calls this machine, it is answered."""
    assert asking.get("/health", headers={"Host": host}).status_code == 200


def test_a_path_with_a_slash_too_many_is_none(asking: TestClient) -> None:
    """Nobody is sent on: a redirect would be to a place that no list of endpoints has."""
    for path in ("/jobs/", "/docs/", "/mcp/", "//evil.example/jobs/"):
        for method in ("GET", "POST"):
            answer = asking.request(method, path, follow_redirects=False)
            assert (answer.status_code, answer.json()["code"]) == (404, "not_found"), (method, path)


def test_other_pages_are_refused_unless_they_are_named(asking: TestClient, own: Served) -> None:
    """Origin tells which page a request comes from; its own page and those of --origin are let in."""
    for origin in ("http://evil.example", "null", "http://[bad"):
        assert asking.get("/health", headers={"Origin": origin}).status_code == 403
    assert asking.get("/health", headers={"Origin": "http://127.0.0.1"}).status_code == 200
    own.options = ServeOptions(origins=("https://app.example",))
    with own.asking() as other:
        answer = other.get("/health", headers={"Origin": "https://app.example"})
        assert answer.headers["access-control-allow-origin"] == "https://app.example"


def test_unknown_paths_and_methods_are_problems(asking: TestClient) -> None:
    """404 and 405 are problem details too; 405 names the methods that there are."""
    missing, method = asking.get("/nothing"), asking.delete("/jobs")
    assert (missing.status_code, missing.json()["code"]) == (404, "not_found")
    assert missing.json()["exit_code"] == asking.get("/sources/none").json()["exit_code"] == 4
    assert (method.status_code, method.json()["code"]) == (405, "method")
    assert "GET" in method.headers["allow"]


def test_a_body_is_json_of_a_bounded_size(served: Served, asking: TestClient) -> None:
    """What says that it is something else, is none, or is too large is refused before a service hears of it."""
    path = f"/jobs/{served.job_id}/priority"
    for sent, status in (
        ({"data": {"priority": 1}}, 415),
        ({"content": b"{", "headers": {"Content-Type": "application/json"}}, 400),
        ({"content": b"[]", "headers": {"Content-Type": "application/json"}}, 422),
        ({"json": {"priority": 1, "more": 2}}, 422),
        ({"content": b" " * (2**24 + 1), "headers": {"Content-Type": "application/json"}}, 413),
        ({"content": iter([b" " * 2**24, b"1"]), "headers": {"Content-Type": "application/json"}}, 413),
    ):
        assert asking.post(path, **sent).status_code == status, sent


def test_unknown_values_in_a_query_are_refused(asking: TestClient) -> None:
    """A name that is misspelt would otherwise change nothing, and nobody would notice."""
    for query in ("limits=1", "limit=0", "limit=1&limit=2", "state=done"):
        assert asking.get(f"/jobs?{query}").status_code == 422


def test_large_answers_are_packed(asking: TestClient) -> None:
    """Who takes gzip gets it, of what is worth it; the original of a document is never packed, for its ranges."""
    asked = {"Accept-Encoding": "gzip"}
    assert asking.get("/openapi.json", headers=asked).headers["content-encoding"] == "gzip"
    assert "content-encoding" not in asking.get("/health", headers=asked).headers


def test_the_page_of_documentation_works_alone(asking: TestClient) -> None:
    """It has every path, and nothing in it runs or comes from elsewhere."""
    page = asking.get("/docs")
    assert page.headers["content-security-policy"].startswith("default-src 'none'")
    assert all(path in page.text for path in asking.get("/openapi.json").json()["paths"])
    assert not [part for part in ("<script", "http://", "https://", "src=") if part in page.text]


def test_a_workspace_that_was_moved_away_is_not_nothing(own: Served) -> None:
    """503 with what to do, for whoever asks and whatever for, and once it is back the server answers again."""
    token = own.token("one", collection="default")
    away = own.root.with_name("elsewhere")
    with own.asking(token=token) as asking:
        assert asking.get("/sources/papers").status_code == 200
        own.root.rename(away)
        for path in ("/health/ready", "/sources/papers", "/jobs", "/documents?limit=1", "/search?q=x"):
            answer = asking.get(path)
            assert (answer.status_code, answer.json()["code"]) == (503, "workspace_missing"), path
            assert "put the workspace back" in answer.json()["hint"]
            assert str(own.root) not in answer.text
        assert asking.post("/mcp", json={}).status_code == 503
        assert asking.get("/health").status_code == 200
        own.root.mkdir()
        assert asking.get("/jobs").json()["code"] == "workspace_missing"
        own.root.rmdir()
        away.rename(own.root)
        (own.root / "workspace.json").rename(own.root / "lost")
        assert (asking.get("/jobs").status_code, asking.get("/jobs").json()["code"]) == (503, "settings_missing")
        (own.root / "lost").rename(own.root / "workspace.json")
        assert asking.get("/sources/papers").status_code == 200


def test_the_root_says_where_the_server_is_described(own: Served) -> None:
    """A program that asks for JSON learns the paths of docs and OpenAPI, without a token; each of them answers."""
    own.token()
    with own.asking() as asking:
        answer = asking.get("/", headers={"Accept": "application/json"})
        assert answer.json()["name"] == "ingest-tui"
        for name in ("docs", "openapi", "health"):
            assert asking.get(answer.json()[name]).status_code == 200


def test_health_and_figures(asking: TestClient) -> None:
    """Monitors learn whether the server answers, whether somebody has to look, and the figures."""
    assert asking.get("/health").json()["status"] == "ok"
    assert asking.get("/health/ready").json()["status"] in {"ok", "warning"}
    assert "ingest_tui_documents" in asking.get("/metrics").text
    assert asking.head("/health").status_code == 200
