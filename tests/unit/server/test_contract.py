"""Every endpoint does what the OpenAPI document says, asked by a client that knows nothing else."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from ingest_tui import open_workspace
from ingest_tui.services.workers import follow_job
from tests.made_models import SENTENCE, make_static_model
from tests.servers.openapi_client import OpenApiClient
from tests.servers.served import Served


@pytest.fixture
def own(tmp_path: Path) -> Served:
    """A workspace whose default collection has vectors."""
    made = Served(tmp_path, weather=SENTENCE)
    made.client.embedders.add(
        backend="static", name="tiny", settings={"path": str(make_static_model(tmp_path / "model"))}
    )
    made.client.vectors.choose_embedder("default", "tiny")
    work_off(made, made.client.vectors.embed("default").job_id)
    return made


@pytest.fixture
def api(own: Served) -> Iterator[OpenApiClient]:
    """The client, of a server without tokens."""
    with own.asking() as asking:
        yield OpenApiClient(asking)


def work_off(served: Served, job_id: str) -> None:
    """Do a queued job, as a worker would."""
    with open_workspace(served.root) as handle:
        follow_job(handle.workspace, job_id, lambda _manifest: None, run_here=True)


def stories(served: Served, api: OpenApiClient) -> dict[str, Callable[[], Any]]:
    """Return a valid call of each operation, in an order in which each finds what it needs."""
    job: dict[str, Any] = {"job_id": served.job_id}
    document: dict[str, Any] = {"document_id": served.document_id()}
    (served.documents / "more.md").write_text("# More\n\nSee [the weather](weather.md).\n")

    def queued() -> dict[str, Any]:
        return {"job_id": api.call("sync_source", source_id="papers", body={})["job_id"]}

    def uploaded() -> dict[str, Any]:
        job = api.call("upload_files", collection_id="default", files={"files": ("u.txt", b"uploaded words")}, body={})
        work_off(served, job["job_id"])
        return {"document_id": served.document_id("u.txt")}

    def register(content: str) -> Any:
        return api.call("register_document", body={"unique_id": "note", "content": content})

    def held() -> dict[str, Any]:
        served.client.settings.set("hold_items", "0")
        (served.documents / "tide.txt").unlink(missing_ok=True)
        found = queued()
        work_off(served, found["job_id"])
        return found

    return {
        "describe_server": lambda: api.call("describe_server"),
        "health": lambda: api.call("health"),
        "describe_caller": lambda: api.call("describe_caller"),
        "ready": lambda: api.call("ready"),
        "metrics": lambda: api.call("metrics"),
        "list_audit": lambda: api.call("list_audit", limit=2),
        "get_ingestion": lambda: api.call("get_ingestion", **job),
        "get_job": lambda: api.call("get_job", **job),
        "list_jobs": lambda: api.call("list_jobs", state=["partial"], source_id="papers"),
        "list_job_items": lambda: api.call("list_job_items", **job),
        "list_job_errors": lambda: api.call("list_job_errors", **job),
        "get_job_log": lambda: api.call("get_job_log", **job),
        "follow_job": lambda: api.call("follow_job", **job),
        "list_manifests": lambda: api.call("list_manifests", state=["partial"], since="2026-01-01", limit=5),
        "get_manifest": lambda: api.call("get_manifest", **job),
        "list_held_deletions": lambda: api.call("list_held_deletions", **job),
        "list_attention": lambda: api.call("list_attention"),
        "list_workers": lambda: api.call("list_workers"),
        "look_up_name": lambda: api.call("look_up_name", kind="document", called="weather.md"),
        "get_source_preferences": lambda: api.call("get_source_preferences", source_id="papers"),
        "get_source_outcomes": lambda: api.call("get_source_outcomes", source_id="papers"),
        "get_document_preferences": lambda: api.call("get_document_preferences", **document),
        "select_documents": lambda: api.call("select_documents", body={"documents": ["weather.md"]}),
        "list_broken_links": lambda: api.call("list_broken_links", collection_id="default"),
        "remarks_on_query": lambda: api.call("remarks_on_query", q="barometr source:nobody"),
        "hint_without_hits": lambda: api.call("hint_without_hits", **document),
        "list_sources": lambda: api.call("list_sources"),
        "get_source": lambda: api.call("get_source", source_id="papers"),
        "test_source": lambda: api.call("test_source", source_id="papers"),
        "preview_source": lambda: api.call("preview_source", source_id="papers"),
        "plan_source": lambda: api.call("plan_source", source_id="papers"),
        "list_collections": lambda: api.call("list_collections"),
        "get_collection": lambda: api.call("get_collection", collection_id="default"),
        "get_preferences": lambda: api.call("get_preferences", collection_id="default"),
        "list_documents": lambda: api.call("list_documents", sort="newest", contains="weather"),
        "get_document": lambda: api.call("get_document", **document),
        "get_document_text": lambda: api.call("get_document_text", **document, version=1),
        "get_document_raw": lambda: api.call("get_document_raw", **document, headers={"Range": "bytes=1-3"}),
        "list_document_versions": lambda: api.call("list_document_versions", **document),
        "list_document_chunks": lambda: api.call("list_document_chunks", **document),
        "list_document_links": lambda: api.call("list_document_links", **document, incoming=True),
        "explain_document": lambda: api.call("explain_document", **document),
        "explain_target": lambda: api.call("explain_target", target="broken.docx"),
        "search": lambda: api.call("search", q="barometer"),
        "search_by_body": lambda: api.call("search_by_body", body={"query": "barometr"}),
        "similar_documents": lambda: api.call("similar_documents", **document),
        "similar_to_text": lambda: api.call("similar_to_text", body={"text": SENTENCE}),
        "register_document": lambda: [register(words) for words in ("first words", "first words", "other words")],
        "diff_document": lambda: api.call(
            "diff_document", document_id=register("third")["document_id"], older=1, newer=2
        ),
        "pause_job": lambda: [api.call(name, **one) for one in [queued()] for name in ("pause_job", "cancel_job")],
        "resume_job": lambda: api.call("resume_job", **queued()),
        "set_job_priority": lambda: api.call("set_job_priority", **queued(), body={"priority": 5}),
        "cancel_job": lambda: api.call("cancel_job", **queued()),
        "retry_job": lambda: work_off(served, api.call("retry_job", **job, body={"failed_only": True})["job_id"]),
        "sync_source": lambda: work_off(served, queued()["job_id"]),
        "upload_files": uploaded,
        "list_files": lambda: api.call("list_files", collection_id="default"),
        "remove_file": lambda: api.call(
            "remove_file", collection_id="default", document_id=served.document_id("u.txt")
        ),
        "restore_document": lambda: api.call("restore_document", document_id=served.document_id("u.txt")),
        "ingest": lambda: api.call("ingest", body={"documents": [{"name": "sent.txt", "content": "sent words"}]}),
        "reembed_collection": lambda: api.call(
            "reembed_collection", collection_id="default", body={"document_ids": [document["document_id"]]}
        ),
        "remove_document": lambda: api.call("remove_document", **document),
        "refuse_job": lambda: api.call("refuse_job", **held()),
        "withdraw_approval": lambda: [
            api.call(name, **one) for one in [held()] for name in ("approve_job", "withdraw_approval")
        ],
        "approve_job": lambda: api.call("approve_job", **held()),
        "add_collection": lambda: api.call("add_collection", body={"name": "Papers Of Mine"}),
        "edit_collection": lambda: api.call(
            "edit_collection", collection_id="papers-of-mine", body={"description": "mine"}
        ),
        "set_preferences": lambda: api.call(
            "set_preferences", collection_id="papers-of-mine", body={"values": {"chunk_size": 800}}
        ),
        "add_source": lambda: api.call(
            "add_source",
            body={"name": "more", "source_config": {"path": str(served.documents)}, "collection_id": "papers-of-mine"},
        ),
        "edit_source": lambda: api.call("edit_source", source_id="more", body={"priority": 5, "max_size": 1000}),
        "remove_source": lambda: api.call("remove_source", source_id="more"),
        "remove_collection": lambda: api.call("remove_collection", collection_id="papers-of-mine"),
    }


def test_the_document_is_valid_and_complete(served: Served) -> None:
    """It is OpenAPI 3.1, its schemas are JSON Schema, references lead somewhere, operations say what they are."""
    with served.asking() as asking:
        api = OpenApiClient(asking)
    assert api.document["openapi"] == "3.1.0"
    schemas = api.document["components"]["schemas"]
    jsonschema.Draft202012Validator.check_schema({"$defs": schemas})
    assert references_in(api.document) <= {f"#/components/schemas/{name}" for name in schemas}
    for name, (_method, path, operation) in api.operations.items():
        assert operation["summary"], name
        assert operation["description"], name
        assert {f"{{{one['name']}}}" for one in operation["parameters"] if one["in"] == "path"} == {
            part for part in path.split("/") if part.startswith("{")
        }


def references_in(value: Any) -> set[str]:
    """Return every reference in a JSON value."""
    if isinstance(value, dict):
        own = {value["$ref"]} if isinstance(value.get("$ref"), str) else set()
        return own.union(*(references_in(one) for one in value.values()))
    return set().union(*(references_in(one) for one in value)) if isinstance(value, list) else set()


FOLLOWED_ELSEWHERE = {"follow_jobs"}
"""Never ends: `tests/cli/test_server.py`."""


@pytest.mark.slow
def test_each_operation_answers_what_the_document_says(own: Served, api: OpenApiClient) -> None:
    """Each has a story here; none is left out, and what each answers is what the document allows."""
    told = stories(own, api)
    assert told.keys() | FOLLOWED_ELSEWHERE == api.operations.keys()
    for tell in told.values():
        tell()
