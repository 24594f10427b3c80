"""Files and documents that are sent over HTTP."""

from __future__ import annotations

import base64
import os
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from ingest_tui import open_workspace
from ingest_tui.model.clock import rfc3339_now
from ingest_tui.model.job import JobState
from ingest_tui.model.keys import key_from_bytes
from ingest_tui.model.source import UPLOAD_SOURCE
from ingest_tui.services.workers import follow_job
from ingest_tui.worker.living_workers import WorkerRegistration
from tests.made_models import make_static_model
from tests.servers.served import Served


def test_an_upload_is_a_job(own: Served) -> None:
    """Files become a job whose state is given; the label is that of the version."""
    with own.asking() as asking:
        sent = [("files", ("a.txt", b"first words")), ("files", ("b.txt", b"second words"))]
        made = asking.post("/collections/default/files", files=sent, data={"label": "final"})
        assert (made.status_code, made.json()["kind"]) == (202, "upload")
        assert own.client.jobs.get(made.json()["job_id"]).trigger == "http"
        line = own.client.audit.lines_from(None)[0][-1]
        assert (line["action"], line["details"]["trigger"]) == ("upload", "http")
        assert asking.get(made.headers["location"]).json()["state"] == "queued"


def test_an_upload_that_cannot_be_taken_names_each_file(own: Served) -> None:
    """Damaged files, names that are none, missing files and unknown fields are problems by field; nothing is queued."""
    path = "/collections/default/files"
    good, bad = ("good.txt", b"words"), ("bad.docx", b"PK\x03\x04 no")
    with own.asking() as asking:
        before = asking.get("/jobs").json()["items"]
        for files, data, field in (
            ([("files", good), ("files", bad)], {}, "files.1"),
            ([("files", ("../x.txt", b"words"))], {}, "files.0"),
            ([("other", good)], {}, "other"),
            ([("files", good)], {"label": "x" * 101}, "body.label"),
            ([("files", good)], {"unknown": "x"}, "body.unknown"),
            ([("files", good)], {"names": "[]"}, "names"),
            ([("files", good)], {"names": "{"}, "names"),
            ([("files", good)], {"names": "[1]"}, "names"),
            ([("files", good)], {"names": '["../x.txt"]'}, "files.0"),
            ([("files", good)], {"names": '["bytes:..%2Fx.txt"]'}, "files.0"),
        ):
            answer = asking.post(path, files=files, data=data)
            assert answer.status_code == 422, answer.text
            assert [one["field"] for one in answer.json()["errors"]] == [field]
        assert asking.post(path, data={"files": "x"}).status_code == 415
        assert asking.post("/collections/none/files", files=[("files", good)]).status_code == 404
        assert asking.get("/jobs").json()["items"] == before


def test_a_name_is_escaped_once(own: Served) -> None:
    """What acts on a screen is one visible escape in a message, whichever part of the server says it."""
    with own.asking() as asking:
        sent = [("files", ("a\x1b/b", b"words"))]
        refused = asking.post("/collections/default/files", files=sent, data={"names": '["a\\u001b/b"]'}).json()
        assert "'a\\x1b/b' is no name" in refused["detail"]
        for header in ({"Host": "a\x9bb"}, {"Origin": "a\x9bb"}):
            raw = {name.encode(): value.encode("latin-1") for name, value in header.items()}
            told = asking.get("/health", headers=raw).json()["detail"]
            assert "\\x9bb'" in told
            assert "\\\\" not in told


def test_a_file_has_the_same_name_over_a_server(own: Served, tmp_path: Path) -> None:
    """Whatever it is called: names that are not UTF-8, or look so, line breaks, quotes, drives of other systems."""
    folder = tmp_path / "to send"
    folder.mkdir()
    names = (b"caf\xe9.txt", b"bytes:%41.txt", b"line\r\nbreak.txt", b'a "b" \\ c.txt', b"C:\\d.txt", "ü€.txt".encode())
    files = [Path(os.fsdecode(os.fsencode(folder) + b"/" + name)) for name in names]
    for number, file in enumerate(files):
        file.write_text(f"words of number {number}")
    with own.asking() as asking:
        job = own.remote(asking).documents.upload(files)
    with open_workspace(own.root) as handle:
        follow_job(handle.workspace, job.job_id, lambda _state: None, run_here=True)
    kept = {one.key.removeprefix("default/") for one in own.client.documents.list(source_id=UPLOAD_SOURCE)}
    assert kept == {key_from_bytes(name) for name in names}


def test_a_file_is_not_removed_while_it_is_embedded(own: Served, tmp_path: Path) -> None:
    """409 with what to do, as long as a job that has begun has it still to embed; then it goes to the trash."""
    own.client.embedders.add(
        backend="static", name="tiny", settings={"path": str(make_static_model(tmp_path / "model"))}
    )
    with own.asking() as asking, open_workspace(own.root) as handle:
        sent = asking.post("/collections/default/files", files={"files": ("a.txt", b"words")}).json()
        follow_job(handle.workspace, sent["job_id"], lambda _state: None, run_here=True)
        path = f"/collections/default/files/{own.document_id('a.txt')}"
        own.client.vectors.choose_embedder("default", "tiny")
        embedding = own.client.vectors.embed("default")
        for state in (JobState.RUNNING, JobState.PAUSED):
            embedding.move_to(state, at=rfc3339_now(), by="a worker", reason="as it does")
        handle.workspace.jobs.save(embedding)
        refused = asking.delete(path)
        assert (refused.status_code, refused.json()["code"]) == (409, "busy")
        assert embedding.job_id in refused.text
        assert refused.json()["hint"]
        assert own.client.documents.get("a.txt").state == "active"
        asking.post(f"/jobs/{embedding.job_id}/cancel")
        assert asking.delete(path).json()["retired"] == 1


def test_documents_in_the_body_are_files(own: Served) -> None:
    """As text or in base64; what is neither, or is damaged, is named."""
    with own.asking() as asking:
        encoded = base64.b64encode(b"more words").decode()
        documents = [
            {"name": "a.txt", "content": "words"},
            {"name": "b.txt", "content": encoded, "encoding": "base64"},
        ]
        made = asking.post("/ingest", json={"documents": documents})
        assert (made.status_code, made.json()["kind"]) == (202, "upload")
        for content in ("not base64!", "é"):
            wrong = {"documents": [{"name": "c.txt", "content": content, "encoding": "base64"}]}
            assert asking.post("/ingest", json=wrong).status_code == 422
        damaged = {"documents": [documents[0], {"name": "d.docx", "content": "no"}]}
        assert asking.post("/ingest", json=damaged).json()["errors"][0]["field"] == "documents.1"


def test_a_sync_goes_into_the_collection_of_its_source(own: Served) -> None:
    """Another one is refused by its name; the same may be named."""
    with own.asking() as asking:
        answer = asking.post("/ingest", json={"source_id": "papers", "collection_id": "nosuch"})
        assert (answer.status_code, [one["field"] for one in answer.json()["errors"]]) == (422, ["collection_id"])
        assert asking.post("/ingest", json={"source_id": "papers", "collection_id": "default"}).status_code == 202


def test_what_waits_for_a_worker_says_so(own: Served) -> None:
    """Without a worker the answer warns of it, next to what else there is to warn of; with one it does not."""
    both = {"source_path": "/nowhere", "source_config": {"path": str(own.documents)}, "name": "papers"}
    with own.asking() as asking:
        paths = asking.post("/ingest", json={"source_id": "papers"}), asking.post("/sources/papers/sync", json={})
        for answer in (*paths, asking.post("/collections/default/files", files=[("files", ("a.txt", b"words"))])):
            assert answer.status_code == 202, answer.text
            (warning,) = answer.json()["warnings"]
            assert "'ingest-tui worker start'" in warning
        assert "source_path" in asking.post("/ingest", json=both).json()["warnings"][0]
        with living_worker(own):
            assert asking.post("/sources/papers/sync", json={}).json()["warnings"] == []


@contextmanager
def living_worker(served: Served) -> Iterator[None]:
    """Have the workspace look as if a worker worked its queue off."""
    with open_workspace(served.root) as handle, closing(WorkerRegistration(handle.workspace, "queue")):
        yield
