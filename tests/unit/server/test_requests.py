"""What a request sends: a form that was cut off, and values that are none."""

from __future__ import annotations

import asyncio
import sys

import orjson
import pytest
from starlette.testclient import TestClient
from starlette.types import Message

from ingest_tui.server import requests
from ingest_tui.server.app import build_app
from tests.servers.served import Served

FORM = {"Content-Type": "multipart/form-data; boundary=edge"}


def part(name: str, content: str) -> str:
    """Return a file of a form."""
    head = f'Content-Disposition: form-data; name="files"; filename="{name}"'
    return f"--edge\r\n{head}\r\nContent-Type: text/plain\r\n\r\n{content}\r\n"


def test_a_form_that_was_cut_off_is_refused_and_nothing_is_stored(own: Served) -> None:
    """Wherever it ends before its last boundary; the file in which it ends is named, and complete ones are not kept."""
    whole = part("one.txt", "first words") + part("two.txt", "second words") + "--edge--\r\n"
    inside = whole.index("second") + 3
    with own.asking() as asking:
        before = len(own.client.jobs.list())
        for end in (inside, whole.index("--edge--"), whole.index("two.txt"), whole.rindex("\r\n--edge--") + 8, 0):
            answer = asking.post("/collections/default/files", content=whole[:end].encode(), headers=FORM)
            assert (answer.status_code, answer.json()["code"]) == (400, "malformed"), whole[:end]
            if end == inside:
                assert "two.txt" in answer.json()["detail"]
                assert answer.json()["errors"][0]["field"] == "files.1"
        assert len(own.client.jobs.list()) == before
        taken = asking.post("/collections/default/files", content=whole.encode(), headers=FORM)
        assert taken.status_code == 202
        assert taken.json()["progress"] is not None


@pytest.mark.parametrize(
    ("path", "field"),
    [
        ("/documents?since=foo", "since"),
        ("/documents?until=2026-13-01", "until"),
        ("/documents?since=2026-01-01T25:00:00Z", "since"),
        ("/documents?media_type=%00", "media_type"),
        ("/manifests?since=foo", "since"),
        ("/audit?since=yesterday", "since"),
        ("/audit?until=2026-02-30", "until"),
        ("/jobs?source_id=Not%20One", "source_id"),
        ("/jobs?kind=nonsense", "kind"),
        ("/documents?cursor=xyz", "cursor"),
        ("/jobs?cursor=bm90IG9uZQ", "cursor"),
        ("/search?q=x&mode=magic", "mode"),
        ("/search?q=x&after=2026", "after"),
        ("/explain?target=x&more=1", "more"),
        ("/health?verbose=1", "verbose"),
        ("/openapi.json?x=1", "x"),
        ("/docs?x=1", "x"),
    ],
)
def test_a_value_that_is_none_is_named(asking: TestClient, path: str, field: str) -> None:
    """A parameter that is unknown, or not what the endpoint takes, is refused by its name rather than passed over."""
    answer = asking.get(path)
    assert answer.status_code == 422, answer.text
    assert [one["field"] for one in answer.json()["errors"]] == [field]


@pytest.mark.parametrize("since", ["2026", "2026-01", "2026-01-31", "2026-01-31T06:30", "2026-01-31T06:30:00.123Z"])
def test_the_beginning_of_a_time_is_one(asking: TestClient, since: str) -> None:
    """A year, a month, a day, or a time in UTC: both lists of what happened take the same."""
    assert asking.get("/documents", params={"since": since}).status_code == 200
    assert asking.get("/audit", params={"since": since, "until": since}).status_code == 200


@pytest.mark.parametrize(
    ("path", "kind", "first"),
    [
        ("/search", "application/json", b'{"query": "'),
        ("/mcp", "application/json", b'{"jsonrpc": "2.0", "id": 1, "method": "'),
        ("/collections/default/files", FORM["Content-Type"], part("slow.txt", "").encode().rstrip()),
    ],
)
@pytest.mark.parametrize("sends_on", [False, True])
def test_a_body_that_takes_too_long_is_refused(
    served: Served, monkeypatch: pytest.MonkeyPatch, path: str, kind: str, first: bytes, sends_on: bool
) -> None:
    """408, whether nothing more comes or now and then a byte: neither begins the time again."""
    monkeypatch.setattr(requests, "BODY_SECONDS", 0.2)
    monkeypatch.setattr(requests, "UPLOAD_SECONDS", 0.2)
    app = build_app(served.client, served.options)
    headers = {"host": "127.0.0.1", "content-type": kind, "accept": "application/json, text/event-stream"}
    pieces, sent = [first], []

    async def receive() -> Message:
        if not pieces and not sends_on:
            await asyncio.Event().wait()
        if not pieces:
            await asyncio.sleep(0.01)
        return {"type": "http.request", "body": pieces.pop() if pieces else b"a", "more_body": True}

    async def send(message: Message) -> None:
        sent.append(message)

    scope = {
        "type": "http", "method": "POST", "path": path, "raw_path": path.encode(), "query_string": b"",
        "root_path": "", "scheme": "http",
        "headers": [(name.encode(), text.encode()) for name, text in headers.items()],
    }  # fmt: skip

    async def asked() -> None:
        async with asyncio.timeout(60):
            await app(scope, receive, send)

    asyncio.run(asked())
    assert sent[0]["status"] == 408
    assert orjson.loads(sent[1]["body"])["code"] == "timeout"


def test_a_missing_extra_is_named_with_what_installs_it(own: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    """503: the request is right, and the server cannot do it before somebody installs something."""
    monkeypatch.setitem(sys.modules, "botocore", None)
    with own.asking() as asking:
        body = {"source_type": "s3", "name": "shelf", "source_config": {"bucket": "shelf"}}
        answer = asking.post("/sources", json=body)
    assert (answer.status_code, answer.json()["code"]) == (503, "missing_dependency"), answer.text
    assert "ingest-tui[s3]" in answer.json()["hint"]


def test_what_is_unknown_is_called_by_what_it_is(own: Served) -> None:
    """A field of a body and a parameter of an address are no settings of this program."""
    with own.asking() as asking:
        in_body = asking.post("/search", json={"query": "rain", "novelty": 1}).json()
        in_address = asking.get("/search?q=rain&novelty=1").json()
    assert in_body["errors"] == [{"field": "body.novelty", "message": "there is no such field"}]
    assert in_address["errors"] == [{"field": "novelty", "message": "there is no such parameter"}]
