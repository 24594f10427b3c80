"""Searching over HTTP."""

from __future__ import annotations

from pathlib import Path

from starlette.testclient import TestClient

from tests.made_models import make_static_model
from tests.servers.served import Served


def test_hits_come_with_marks_and_why(asking: TestClient) -> None:
    """The query may be in the address or in the body: the answer is the same."""
    by_address = asking.get("/search", params={"q": "barometer"}).json()
    assert by_address == asking.post("/search", json={"query": "barometer"}).json()
    (hit,) = by_address["items"]
    assert "**barometer**" in hit["snippet"]
    assert hit["why"][0]["term"]


def test_an_answer_leaves_nothing_out(served: Served, asking: TestClient) -> None:
    """Hits, versions and outcomes have every field that the services give: a new one is declared there, too."""
    documents, document_id = served.client.documents, served.document_id()
    (hit,) = asking.get("/search", params={"q": "barometer"}).json()["items"]
    assert hit.keys() == documents.search("barometer")[0].as_dict().keys() | {"snippet_parts"}
    (version,) = asking.get(f"/documents/{document_id}/versions").json()["items"]
    assert version.keys() == documents.versions(document_id)[0].keys()
    item = asking.get(f"/jobs/{served.job_id}/items").json()["items"][0]
    assert item.keys() == next(served.client.jobs.items(served.job_id))[0].as_dict().keys()
    (needs,) = asking.get("/attention").json()["items"][:1]
    assert needs.keys() == served.client.maintenance.attention()[0].as_dict().keys()


def test_a_word_that_is_nowhere_is_met_with_one_that_is(asking: TestClient) -> None:
    """Suggestions come whatever else was found, and filters that name nothing with what there is."""
    for query in ("barometr", "barometr OR moon"):
        assert asking.get("/search", params={"q": query}).json()["suggestions"] == {"barometr": "barometer"}
    answer = asking.get("/search", params={"q": "barometer type:pdff source:nobody"}).json()
    assert answer["items"] == []
    assert [(one["field"], one["value"]) for one in answer["unknown_filters"]] == [
        ("type", "pdff"),
        ("source", "nobody"),
    ]
    assert answer["unknown_filters"][1]["known"] == ["papers"]
    assert answer["unknown_filters"][1]["message"] == "there is no source 'nobody'; there are: papers"


def test_what_is_no_search_is_refused(served: Served, asking: TestClient) -> None:
    """A query without a word, an unknown collection, and what needs vectors where there are none."""
    assert asking.get("/search", params={"q": " "}).status_code == 400
    assert asking.get("/search", params={"q": "x", "collection_id": "none"}).status_code == 404
    assert asking.get("/search", params={"q": "barometer", "mode": "vector"}).status_code == 400
    assert asking.get(f"/documents/{served.document_id()}/similar").json()["code"] == "no_embedder"


def test_vectors_that_are_missing_are_named(own: Served, tmp_path: Path) -> None:
    """What a search by meaning does not find yet is in the hint; a search by words alone lacks nothing."""
    make_static_model(tmp_path / "model")
    own.client.embedders.add(backend="static", name="tiny", settings={"path": str(tmp_path / "model")})
    own.client.vectors.choose_embedder("default", "tiny", is_automatic=False)
    with own.asking() as asking:
        answer = asking.get("/search", params={"q": "barometer"}).json()
        assert len(answer["items"]) == 1
        assert "vectors of 2 chunks of collection 'default' are missing" in answer["hint"]
        assert asking.get("/search", params={"q": "barometer", "mode": "text"}).json()["hint"] == ""
