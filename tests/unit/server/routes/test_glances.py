"""What the command line asks a server besides: names, workers, what needs a person, jobs as they are kept."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
from starlette.testclient import TestClient

from ingest_tui.model.selector import Selector
from tests.servers.served import Served

KINDS = ("source", "collection", "type", "job", "document")
ODD = ("\0", "../..", "%00", "x" * 4000, "last\n", "*", "-", "\x1b[2J", "a/b", "\u202e", "file:///etc/passwd")


@pytest.mark.parametrize("kind", KINDS)
def test_an_odd_name_is_no_failure_of_the_server(asking: TestClient, kind: str) -> None:
    """It is not found, or refused, or what names nothing as it is."""
    for name in ODD:
        answer = asking.get(f"/names/{kind}", params={"called": name})
        assert answer.status_code in {200, 400, 404, 422}, (name, answer.text)


def test_names_are_understood_as_on_the_command_line(asking: TestClient, served: Served) -> None:
    """A file name, a beginning of an id, the newest job, an ending."""
    document_id = served.document_id()
    known = {"document": ("weather.md", document_id), "job": ("last", served.job_id), "type": ("pdf", "pdf")}
    for kind, (name, identifier) in known.items():
        assert asking.get(f"/names/{kind}", params={"called": name}).json() == {"id": identifier}
    assert asking.get("/names/document", params={"called": document_id[:9]}).json() == {"id": document_id}


def test_odd_selections_are_no_failures_of_the_server(asking: TestClient) -> None:
    """Names, patterns, ages and states that are none."""
    bodies: list[dict[str, Any]] = [{"documents": [name]} for name in ODD]
    bodies += [{"path": name} for name in ODD] + [{"media_type": name} for name in ODD] + [{"source_id": "nobody"}]
    bodies += [{"source_id": "papers", "older_than_seconds": 1e11}, {"source_id": "papers", "state": "odd"}, {}]
    for body in bodies:
        answer = asking.post("/select", json=body)
        assert answer.status_code in {200, 400, 404, 422}, (body, answer.text)
    for name in ODD:
        assert asking.get("/manifests", params={"source_id": name[:60], "since": name[:30]}).status_code < 500
        assert asking.get("/search/remarks", params={"q": name[:2000]}).status_code < 500


@pytest.mark.parametrize(
    "preferences", ["[]", "[[1, 2]]", "5", "{", '{"chunk_size": [1]}', '{"nothing": 1}', '{"a": null}']
)
def test_odd_preferences_of_an_upload_are_refused(own: Served, preferences: str) -> None:
    """What is no object of JSON, and what is no preference."""
    with own.asking() as asking:
        files = {"files": ("a.txt", b"words")}
        answer = asking.post("/collections/default/files", files=files, data={"preferences": preferences})
    assert answer.status_code in {400, 422}, answer.text


def test_who_asks_learns_what_they_may(own: Served) -> None:
    """Who needs no token may do everything; a token what it is for; nobody changes what is only read."""
    with own.asking() as asking:
        assert asking.get("/caller").json() == {"name": "", "scope": "admin", "collection_id": None, "may_change": True}
    tokens = {scope: own.token(scope, scope, collection="default") for scope in ("read", "write")}
    for scope, secret in tokens.items():
        for read_only in (False, True):
            with own.asking(token=secret, read_only=read_only) as asking:
                assert asking.get("/caller").json() == {
                    "name": scope,
                    "scope": scope,
                    "collection_id": "default",
                    "may_change": scope == "write" and not read_only,
                }


def test_a_token_of_one_collection_sees_nothing_of_others(own: Served) -> None:
    """Neither jobs of others nor what is of the whole workspace."""
    own.client.collections.add("Mine")
    mine, theirs = (
        own.token("mine", "admin", collection="mine"),
        own.token("theirs", "read", collection="default"),
    )
    with own.asking(token=mine) as asking:
        assert asking.get("/manifests").json()["items"] == []
        paths: tuple[str, ...] = (
            "/workers",
            "/names/job?called=last",
            "/search/remarks?q=x",
            f"/manifests/{own.job_id}",
        )
        paths += (f"/jobs/{own.job_id}/held", "/sources/papers/outcomes", "/sources/papers/preferences")
        assert [asking.get(path).status_code for path in paths] == [404] * len(paths)
        selections: tuple[dict[str, Any], ...] = (
            {"documents": ["weather.md"]}, {"documents": [own.document_id()]}, {"source_id": "papers"},
            {"collection_id": "default"}, {"media_type": "md"},
        )  # fmt: skip
        assert [asking.post("/select", json=one).status_code for one in selections] == [404] * len(selections)
        assert asking.get("/attention").json() == {"items": []}
        assert asking.get("/links/broken").json()["items"] == []
    with own.asking(token=theirs) as asking:
        found = asking.get("/manifests").json()["items"]
        assert [one["job_id"] for one in found] == [own.job_id]
        assert str(own.root.parent) not in orjson.dumps(found).decode()
        about = asking.get("/attention").json()["items"]
        assert {one["source_id"] for one in about} == {"papers"}
        document_id = own.document_id()
        for body in ({"documents": [document_id]}, {"path": "weather*"}, {"source_id": "papers", "media_type": "md"}):
            chosen = asking.post("/select", json=body).json()["items"]
            assert [one["document_id"] for one in chosen] == [document_id], body
        assert asking.post("/select", json={}).status_code == 400


def test_documents_are_restored_with_a_token_of_their_collection(own: Served) -> None:
    """By their identifiers, also over ``--server``; not with one of another collection."""
    own.client.collections.add("Mine")
    mine = own.token("mine", "write", collection="mine")
    theirs = own.token("theirs", "write", collection="default")
    document_id = own.document_id()
    own.client.documents.remove([document_id])
    with own.asking(token=mine) as asking:
        assert asking.post(f"/documents/{document_id}/restore").status_code == 404
    with own.asking(token=theirs) as asking:
        remote = own.remote(asking)
        chosen = remote.documents.select([document_id], Selector(), state="retired")
        assert [one.document_id for one in chosen] == [document_id]
        assert remote.documents.restore(document_id).state == "active"
        assert {one.source_id for one in remote.maintenance.attention()} <= {"papers"}
