"""What the command line asks a server besides: names, workers, what needs a person, jobs as they are kept."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
from starlette.testclient import TestClient

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
            "/attention",
            "/workers",
            "/names/job?called=last",
            "/search/remarks?q=x",
            f"/manifests/{own.job_id}",
        )
        paths += (f"/jobs/{own.job_id}/held", "/sources/papers/outcomes", "/sources/papers/preferences")
        assert [asking.get(path).status_code for path in paths] == [404] * len(paths)
        assert asking.post("/select", json={"documents": ["weather.md"]}).status_code == 404
        assert asking.get("/links/broken").json()["items"] == []
    with own.asking(token=theirs) as asking:
        found = asking.get("/manifests").json()["items"]
        assert [one["job_id"] for one in found] == [own.job_id]
        assert str(own.root.parent) not in orjson.dumps(found).decode()
