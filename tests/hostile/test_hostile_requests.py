"""Attacks on the HTTP server: without a token, with one that is not enough, by another name, for what is not theirs."""

from __future__ import annotations

import json
import stat
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from ingest_tui import IngestedDocument, open_workspace
from ingest_tui.model.access_token import SCOPES, allows
from ingest_tui.model.serving import ServeOptions
from ingest_tui.server.app import build_app
from ingest_tui.server.endpoint import AnyEndpoint
from ingest_tui.server.problems import RequestError
from ingest_tui.server.rate_limit import RateLimit
from ingest_tui.server.routes import ENDPOINTS
from ingest_tui.services.client import Client
from ingest_tui.store.layout import Layout
from ingest_tui.store.records.settings import change_setting
from tests.servers.served import Served

GUARDED = [endpoint for endpoint in ENDPOINTS if not endpoint.is_public]
SECRET_WORDS = "rosebud"


def path_of(endpoint: AnyEndpoint, served: Served, **ids: str) -> str:
    """Return a path of an endpoint with identifiers of what is there."""
    there = {
        "job_id": served.job_id,
        "source_id": "papers",
        "kind": "source",
        "collection_id": "default",
        "document_id": served.document_id(),
    }
    return endpoint.plain_path.format(**(there | ids))


def called(endpoint: AnyEndpoint) -> str:
    """Return the name of an endpoint for the list of tests."""
    return f"{endpoint.method} {endpoint.plain_path}"


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> tuple[Served, dict[str, str]]:
    """A workspace with a second collection that is nobody's business, and tokens by scope; ``limited`` sees default."""
    served = Served(tmp_path_factory.mktemp("guarded"))
    tokens: dict[str, str] = {scope: served.token(scope, scope) for scope in SCOPES}
    tokens["limited"] = served.token("limited", "write", collection="default")
    with open_workspace(served.root) as handle:
        served.client.collections.add("secret")
        content = f"the {SECRET_WORDS} is a sledge [weather](weather.md)"
        handle.register("secret", IngestedDocument(content, f"{SECRET_WORDS}.md", "api"))
        folder = served.documents.parent / "hidden"
        folder.mkdir()
        (folder / f"{SECRET_WORDS}.txt").write_text(f"{SECRET_WORDS} again")
        handle.add_source("hidden", path=str(folder), collection="secret")
        handle.sync("hidden")
    return served, tokens


@pytest.fixture
def asking(guarded: tuple[Served, dict[str, str]]) -> Iterator[TestClient]:
    """A client without a token."""
    with guarded[0].asking() as client:
        yield client


@pytest.mark.parametrize("endpoint", GUARDED, ids=called)
def test_nothing_answers_without_a_token(
    guarded: tuple[Served, dict[str, str]], asking: TestClient, endpoint: AnyEndpoint
) -> None:
    """Once there is a token every endpoint asks for one, and tells nothing else to who has none."""
    served, _tokens = guarded
    answer = asking.request(endpoint.method, path_of(endpoint, served))
    assert (answer.status_code, answer.headers["www-authenticate"]) == (401, "Bearer")
    assert str(served.root) not in answer.text


@pytest.mark.parametrize("endpoint", GUARDED, ids=called)
def test_a_scope_is_not_enough_for_what_needs_more(
    guarded: tuple[Served, dict[str, str]], asking: TestClient, endpoint: AnyEndpoint
) -> None:
    """What a token may not see is not there (404), what it may not do is refused (403), whatever it sends."""
    served, tokens = guarded
    for scope in SCOPES:
        if allows(scope, endpoint.scope):
            continue
        header = {"Authorization": f"Bearer {tokens[scope]}"}
        answer = asking.request(endpoint.method, path_of(endpoint, served), headers=header)
        assert answer.status_code == (404 if endpoint.method == "GET" else 403)


def test_what_is_nearly_a_token_is_none(guarded: tuple[Served, dict[str, str]], asking: TestClient) -> None:
    """Parts of it, its hash, other cases, other schemes, more of it, and one that has expired."""
    served, tokens = guarded
    secret = tokens["admin"]
    digest = served.client.tokens.list()[0].digest
    made = served.client.tokens.add("old", valid_for=timedelta(microseconds=1))
    wrong = [
        "", "Bearer", "Bearer ", f"Bearer {secret[:-1]}", f"Bearer {secret}x", f"Bearer {secret.upper()}",
        f"Bearer {digest}", f"Basic {secret}", secret, f"Bearer {secret} {secret}", f"Bearer {made.secret}",
        f"Bearer {secret}\x00", "Bearer é",
    ]  # fmt: skip
    for value in wrong:
        header = {b"Authorization": value.encode("latin-1")}
        answer = asking.get("/jobs", headers=header)
        assert answer.status_code == 401, value
        assert secret not in answer.text
        assert "redacted" not in answer.json()["hint"], "what to send can be read"
    assert asking.get("/jobs", params={"token": secret}).status_code == 401
    assert asking.get("/jobs", headers={"Authorization": f"bearer {secret}"}).status_code == 200


def test_a_token_of_one_collection_sees_no_other(guarded: tuple[Served, dict[str, str]], asking: TestClient) -> None:
    """Neither in lists nor by name, search, links or explanations; and no answer tells whether something is there."""
    served, tokens = guarded
    header = {"Authorization": f"Bearer {tokens['limited']}"}
    of_others = {
        "job_id": served.client.jobs.list(source_id="hidden")[0].job_id,
        "source_id": "hidden",
        "collection_id": "secret",
        "document_id": served.document_id(f"{SECRET_WORDS}.md"),
    }
    unknown = {
        "job_id": "20200101-000000-none-0000", "source_id": "none", "collection_id": "none", "document_id": "f" * 26
    }  # fmt: skip
    bodies: dict[str, Any] = {"set_job_priority": {"priority": 1}, "diff_document": None}
    queries = {"diff_document": "?older=1&newer=2"}
    for endpoint in GUARDED:
        if not endpoint.path_names or not allows("write", endpoint.scope) or endpoint.takes_files:
            continue
        end, body = queries.get(endpoint.operation_id, ""), bodies.get(endpoint.operation_id)
        answers = [
            asking.request(endpoint.method, path_of(endpoint, served, **ids) + end, headers=header, json=body)
            for ids in (of_others, unknown)
        ]
        assert [one.status_code for one in answers] == [404, 404], called(endpoint)
        theirs, nobodys = (one.json() | {"detail": ""} for one in answers)
        assert theirs == nobodys, called(endpoint)
    for path in (
        "/jobs",
        "/sources",
        "/collections",
        "/documents",
        f"/search?q={SECRET_WORDS}",
        "/documents?limit=500",
    ):
        answer = asking.get(path, headers=header)
        assert answer.status_code == 200
        assert SECRET_WORDS not in answer.text.replace(f"q={SECRET_WORDS}", "")
        assert "hidden" not in answer.text
        assert "secret" not in answer.text
    incoming = asking.get(f"/documents/{served.document_id()}/links?incoming=true", headers=header).json()
    assert incoming["items"] == []
    for body in ({"query": SECRET_WORDS, "collection_id": "secret"}, {"query": f"collection:secret {SECRET_WORDS}"}):
        answer = asking.post("/search", json=body, headers=header)
        assert answer.status_code == 404 or answer.json()["items"] == []
    document = {"collection_id": "secret", "unique_id": "x", "content": "y"}
    assert asking.post("/documents", json=document, headers=header).status_code == 404
    sent = {"collection_id": "secret", "documents": [{"name": "x.txt", "content": "y"}]}
    assert asking.post("/ingest", json=sent, headers=header).status_code == 404
    files = {"files": ("x.txt", b"y")}
    assert asking.post("/collections/secret/files", files=files, headers=header).status_code == 404


ASKED: tuple[tuple[str, dict[str, Any] | None], ...] = (
    ("/documents?source_id={source}", None),
    ("/documents?collection_id={collection}", None),
    ("/documents?folder={source}", None),
    ("/documents?contains={word}", None),
    ("/jobs?source_id={source}", None),
    ("/manifests?source_id={source}", None),
    ("/search?q={word}", None),
    ("/search?q={word}&source_id={source}", None),
    ("/search?q={word}&folder={source}", None),
    ("/search?q=source:{source}+{word}", None),
    ("/search?q=collection:{collection}+{word}", None),
    ("/search/hint?document_id={document}", None),
    ("/search/hint?source_id={source}", None),
    ("/explain?target={word}.md", None),
    ("/explain?target={document}", None),
    ("/links/broken?collection_id={collection}", None),
    ("/search", {"query": "{word}", "source_id": "{source}"}),
    ("/search", {"query": "{word}", "folder": "{source}"}),
    ("/similar", {"text": "x", "source_id": "{source}"}),
    ("/similar", {"text": "x", "collection_id": "{collection}"}),
    ("/select", {"source_id": "{source}"}),
    ("/select", {"documents": ["{document}"]}),
    ("/select", {"collection_id": "{collection}"}),
    ("/ingest", {"source_id": "{source}"}),
    ("/collections/default/reembed", {"document_ids": ["{document}"]}),
)


def test_what_names_others_is_answered_as_what_names_nothing(
    guarded: tuple[Served, dict[str, str]], asking: TestClient
) -> None:
    """In a query or a body: neither status nor words tell a token of one collection that something is elsewhere."""
    served, tokens = guarded
    header = {"Authorization": f"Bearer {tokens['limited']}"}
    theirs = {"source": "hidden", "collection": "secret", "word": SECRET_WORDS}
    theirs["document"] = served.document_id(f"{SECRET_WORDS}.md")
    nobodys = {"source": "nobody", "collection": "nothing", "word": "zebrafish", "document": "f" * 26}

    def answer(path: str, body: dict[str, Any] | None, named: dict[str, str]) -> tuple[int, str]:
        sent = json.dumps(body)
        for name, value in named.items():
            path, sent = (text.replace(f"{{{name}}}", value) for text in (path, sent))
        got = asking.get(path, headers=header) if body is None else asking.post(path, content=sent, headers=as_json)
        text = got.text
        for name, value in named.items():
            text = text.replace(value, name)
        return got.status_code, text

    as_json = header | {"Content-Type": "application/json"}
    for path, body in ASKED:
        assert answer(path, body, theirs) == answer(path, body, nobodys), (path, body)


def test_a_token_of_one_collection_registers_nothing_with_the_source_of_another(
    guarded: tuple[Served, dict[str, str]], asking: TestClient
) -> None:
    """What the source of another collection has is not told, and nothing is put among it; unknown ones are alike."""
    served, tokens = guarded
    header = {"Authorization": f"Bearer {tokens['limited']}"}
    key = served.client.documents.list(source_id="hidden")[0].key
    sent = {"collection_id": "default", "content": "of nobody's business"}
    answers = [
        asking.post("/documents", json=sent | {"unique_id": name, "source_id": source}, headers=header)
        for source in ("hidden", "unknown", "upload")
        for name in (key, "new.txt")
    ]
    assert {one.status_code for one in answers} == {404}
    assert len({one.content for one in answers}) == 1
    assert [one.key for one in served.client.documents.list(source_id="hidden")] == [key]
    own = sent | {"unique_id": "new.txt", "source_id": "papers"}
    assert asking.post("/documents", json=own, headers=header).status_code == 201


def test_names_and_paths_of_other_collections_are_unknown(
    guarded: tuple[Served, dict[str, str]], asking: TestClient
) -> None:
    """A document is named by its whole id, not by a name that others have too; an explanation tells of one's own alone.

    The document of another collection is called as one that the token sees.
    """
    served, tokens = guarded
    header = {"Authorization": f"Bearer {tokens['limited']}"}
    name = "samenameforboth"
    with open_workspace(served.root) as handle:
        for collection in ("default", "secret"):
            handle.register(collection, IngestedDocument(f"of {collection} {SECRET_WORDS}", name, "api"))
    theirs = served.document_id(f"{SECRET_WORDS}.md")
    for document_id in (name, theirs[:12], theirs):
        answer = asking.get(f"/documents/{document_id}", headers=header)
        assert (answer.status_code, answer.json()["details"]) == (404, {})
        assert "secret" not in answer.text
    for target in (theirs, f"{SECRET_WORDS}.md", f"{SECRET_WORDS}.txt", str(served.documents.parent / "hidden")):
        answer = asking.get("/explain", params={"target": target}, headers=header)
        assert (answer.json()["here"], answer.json()["reason"]) == (False, "not_covered"), target
        assert '"secret"' not in answer.text
        assert '"hidden"' not in answer.text
    assert asking.get("/explain", params={"target": "weather.md"}, headers=header).json()["here"] is True


@pytest.mark.parametrize("scope", ["read", "write"])
def test_no_answer_below_admin_names_a_folder_of_the_machine(
    guarded: tuple[Served, dict[str, str]], asking: TestClient, scope: str
) -> None:
    """Every endpoint that reads, and its problems, for who is no administrator; an administrator sees them."""
    served, tokens = guarded
    places = (str(served.root), str(served.documents), served.documents.as_uri(), str(Path.home()))
    queries = {
        "/search": "?q=barometer",
        "/explain": "?target=broken.docx",
        "/documents/{document_id}/diff": "?older=1&newer=7",
    }
    for endpoint in GUARDED:
        if endpoint.method != "GET" or endpoint.plain_path == "/events":
            continue
        path = path_of(endpoint, served) + queries.get(endpoint.plain_path, "")
        answer = asking.get(path, headers={"Authorization": f"Bearer {tokens[scope]}"})
        assert answer.status_code < 500
        assert not [place for place in places if place in answer.text], called(endpoint)
    shown = asking.get("/sources/papers", headers={"Authorization": f"Bearer {tokens['admin']}"})
    assert str(served.documents) in shown.text


def test_files_of_the_machine_are_for_administrators(
    guarded: tuple[Served, dict[str, str]], asking: TestClient
) -> None:
    """Who may write cannot have the server read a folder, or a tokenizer, of its choice."""
    _served, tokens = guarded
    header = {"Authorization": f"Bearer {tokens['write']}"}
    described = {"source_config": {"path": "/etc"}, "source_type": "local"}
    assert asking.post("/ingest", json=described, headers=header).status_code == 403
    assert asking.post("/ingest", json={"source_path": "/etc"}, headers=header).status_code == 403
    assert asking.post("/sources", json={"name": "x"} | described, headers=header).status_code == 403
    values = {"values": {"tokenizer": "/etc/passwd"}}
    assert asking.patch("/collections/default/preferences", json=values, headers=header).status_code == 403


def test_secrets_are_kept_nowhere(guarded: tuple[Served, dict[str, str]], asking: TestClient) -> None:
    """Of a token there is its hash, in a file of its owner; its name is in the audit, the secret is in no file."""
    served, tokens = guarded
    assert stat.S_IMODE((served.root / "server-tokens.json").stat().st_mode) == 0o600
    whole = b"".join(path.read_bytes() for path in served.root.rglob("*") if path.is_file())
    assert not [name for name, secret in tokens.items() if secret.encode() in whole]
    header = {"Authorization": f"Bearer {tokens['write']}"}
    made = asking.post("/documents", json={"unique_id": "by-token", "content": "words"}, headers=header)
    lines = served.client.audit.lines_from(None)[0]
    (line,) = (one for one in lines if one["target"] == made.json()["document_id"])
    assert line["by"].startswith("token:write@")
    answer = asking.get("/audit?limit=500", headers={"Authorization": f"Bearer {tokens['admin']}"})
    assert "digest" not in answer.text


@pytest.mark.parametrize("endpoint", ENDPOINTS, ids=called)
def test_no_endpoint_answers_by_another_name(
    guarded: tuple[Served, dict[str, str]], asking: TestClient, endpoint: AnyEndpoint
) -> None:
    """Host and Origin are looked at before anything else."""
    served, _tokens = guarded
    path = path_of(endpoint, served)
    assert asking.request(endpoint.method, path, headers={"Host": "rebound.example"}).status_code == 421
    assert asking.request(endpoint.method, path, headers={"Origin": "http://evil.example"}).status_code == 403


@pytest.mark.parametrize(
    "name", ["..", "../../etc/passwd", "..%2f..%2fetc", "%00", "a\\b", "CON", "x" * 300, "\u200ba", "ſ"]
)
def test_names_that_are_paths_reach_no_file(
    guarded: tuple[Served, dict[str, str]], asking: TestClient, name: str
) -> None:
    """Identifiers in a path are what they look like, or refused: no 5xx, no file from elsewhere."""
    _served, tokens = guarded
    header = {"Authorization": f"Bearer {tokens['admin']}"}
    for path in ("/documents/{}/raw", "/documents/{}", "/jobs/{}/log", "/sources/{}", "/collections/{}/preferences"):
        answer = asking.get(path.format(name), headers=header)
        if answer.request.url.path == "/":  # as the client reads /documents/..
            assert answer.json() == asking.get("/").json()
        else:
            assert answer.status_code in {404, 422}, (path, answer.text)
        assert "root:" not in answer.text


def test_too_many_requests_of_one_token_are_held_up() -> None:
    """A token that asks too often is told when to come back; others are not held up by it, and time makes it good."""
    now = [0.0]
    limit = RateLimit(per_second=2, burst=3, clock=lambda: now[0])
    for _ in range(3):
        limit.take("busy")
    with pytest.raises(RequestError) as caught:
        limit.take("busy")
    assert (caught.value.status, caught.value.headers["Retry-After"]) == (429, "1")
    limit.take("other")
    now[0] = 0.5
    limit.take("busy")


def test_an_open_address_is_never_without_tokens(tmp_path: Path) -> None:
    """Beyond this machine a request needs a token though there is none yet."""
    open_workspace(tmp_path / "workspace").close()
    app = build_app(Client(tmp_path / "workspace"), ServeOptions(host="0.0.0.0"))
    with TestClient(app, base_url="http://192.0.2.7") as client:
        assert client.get("/jobs").status_code == 401
        assert client.get("/health").status_code == 200


def test_tokens_that_are_gone_open_nothing(tmp_path: Path) -> None:
    """Their file that was moved away lets nobody in, at the server that runs and at one that begins then."""
    served = Served(tmp_path)
    with served.asking() as running:
        assert running.get("/jobs").status_code == 200
        header = {"Authorization": f"Bearer {served.token('one', 'admin')}"}
        assert running.get("/jobs").status_code == 401
        (served.root / "server-tokens.json").rename(tmp_path / "away")
        with served.asking() as begun:
            for asking in (running, begun):
                assert asking.get("/jobs").status_code == 401
                assert asking.get("/jobs", headers=header).status_code == 401
                assert asking.post("/mcp", json={}).status_code == 401
            assert "server-tokens.json" in str([*served.client.maintenance.verify()])
            (tmp_path / "away").rename(served.root / "server-tokens.json")
            assert begun.get("/jobs", headers=header).status_code == 200
        (served.root / "server-tokens.json").unlink()
        change_setting(Layout(served.root), "server_tokens_made", value=False)
        assert running.get("/jobs").status_code == 401, "a running server remembers"
