"""The command line against servers that are none of ours, or mean harm: each is an error that says what to do."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable
from contextlib import closing
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import orjson
import pytest

from ingest_tui import compute_content_hash
from ingest_tui.cli.main import run
from ingest_tui.model.document import Document
from ingest_tui.model.errors import IngestError, UsageError
from ingest_tui.services.remote.client import RemoteClient, connect
from ingest_tui.transport import server_connection
from ingest_tui.version import __version__
from tests.cli.running import ACTING
from tests.servers.false_server import Act, answers, answers_forever, false_server

TOKEN = "itt_secret-of-nobody-else"
DOCUMENT = "0123456789abcdef0123456789abcdef"
JOB = "20261130-010017-docs-mmuc"
OURS = {"status": "ok", "version": __version__}


def by_path(**acts: Act) -> Act:
    """Return what answers by the first part of the path; ``/health`` as a server of this version unless given."""
    known = {"health": answers(OURS), **acts}

    def act(handler: BaseHTTPRequestHandler) -> None:
        known[handler.path.split("?")[0].split("/")[1]](handler)

    return act


def problem(status: int, **values: Any) -> Act:
    """Return what answers problem details."""
    known = {"detail": "no", "hint": "do it well", "code": "bad", "exit_code": 2, "details": {}}
    return answers(known | values, status, "application/problem+json")


def failure(act: Act, ask: Callable[[RemoteClient], Any], monkeypatch: pytest.MonkeyPatch) -> IngestError:
    """Return the error of a call, in which the token never is."""
    monkeypatch.setenv("A_TOKEN", TOKEN)
    with false_server(act) as server, pytest.raises(IngestError) as caught:
        ask(RemoteClient(connect(server.address, token_reference="env:A_TOKEN")))
    assert TOKEN not in f"{caught.value.message} {caught.value.hint}"
    assert caught.value.hint
    return caught.value


def list_sources(client: RemoteClient) -> Any:
    """Ask for something."""
    return client.sources.list()


GARBAGE: dict[str, Act] = {
    "no JSON": answers(b"{" * 100),
    "deep JSON": answers(b"[" * 200_000),
    "not UTF-8": answers(b'{"items": ["\xff\xfe"]}'),
    "another value": answers([1, 2, 3]),
    "another list": answers({"items": [{"settings": 5}], "unreadable": []}),
    "names that are none": answers({"items": [{"settings": {"source_id": "\x1b[2J"}}], "unreadable": []}),
    "nothing": answers(b"", media_type=""),
    "a page": answers(b"<html>Welcome</html>", media_type="text/html"),
    "a page of a proxy": answers(b"<html>Bad Gateway</html>", 502, "text/html"),
    "problems of others": answers({"error": "x"}, 400),
}


@pytest.mark.parametrize("name", GARBAGE)
def test_garbage_is_an_answer_that_cannot_be_read(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever comes instead of the list of sources, the error says that it is not what this program asked for."""
    error = failure(by_path(sources=GARBAGE[name]), list_sources, monkeypatch)
    assert error.reason == "server_answer"
    assert "ingest-tui serve" in error.hint


def test_an_answer_without_end_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    """A body, a line of events and a list that never end are errors, not a full memory."""
    monkeypatch.setattr(server_connection, "LARGEST_ANSWER", 1 << 20)
    monkeypatch.setattr(server_connection, "LONGEST_LINE", 1 << 16)
    error = failure(by_path(sources=answers_forever(b" " * 4096)), list_sources, monkeypatch)
    assert error.reason == "server_answer"
    item = {"uri": "u", "key": "k", "outcome": "failed", "reason": "r", "at": "", "hint": ""}
    endless = answers({"items": [item], "next_cursor": "same"})
    assert failure(by_path(jobs=endless), lambda client: list(client.jobs.items(JOB)), monkeypatch).reason == (
        "server_answer"
    )
    job = {"job_id": JOB, "source_id": "docs", "collection_id": "default", "created_at": "", "updated_at": ""}
    events = by_path(
        jobs=answers_forever(b"x" * 4096, "text/event-stream"),
        manifests=answers(job | {"state": "running"}),
        workers=answers({"items": []}),
    )
    with pytest.warns(UserWarning, match="no worker runs"):
        error = failure(events, lambda client: client.workers.follow(JOB, print, run_here=True), monkeypatch)
    assert error.reason == "server_answer"


def test_an_answer_that_is_cut_off_is_no_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fewer bytes than were promised are an error, also of a file that is written."""
    cut = answers(b'{"items":', Content_Length="5000")
    error = failure(by_path(sources=cut), list_sources, monkeypatch)
    assert "in the middle" in error.message


def in_chunks_that_end(handler: BaseHTTPRequestHandler) -> None:
    """Begin an answer in chunks, and end the connection within one of them."""
    handler.protocol_version = "HTTP/1.1"
    handler.send_response(200)
    handler.send_header("Content-Type", "application/json")
    handler.send_header("Transfer-Encoding", "chunked")
    handler.end_headers()
    handler.wfile.write(b'100\r\n{"items":')
    handler.close_connection = True


def test_chunks_that_are_cut_off_are_no_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    """The error says that the answer ended, and not that it was none in HTTP."""
    error = failure(by_path(sources=in_chunks_that_end), list_sources, monkeypatch)
    assert "in the middle" in error.message


def test_a_header_without_end_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    """A line of headers that is absurdly long is an error that says so."""
    long = answers({}, X_Long="x" * (1 << 20))
    error = failure(by_path(sources=long), list_sources, monkeypatch)
    assert "header" in error.message


@pytest.mark.parametrize("sent", [b"ruin", b"", b"rain and more", None])
def test_an_original_is_what_its_record_says(
    sent: bytes | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Other bytes, fewer, more, or none at all are an error, and no file is left; the right ones are written."""
    monkeypatch.chdir(tmp_path)
    record = Document(
        DOCUMENT, "default", "docs", "local", "file:///a.txt", "a.txt", "a.txt", "a.txt", "text/plain", 1,
        compute_content_hash(b"rain"), "", 4, 1, "plain", "active", "", "", JOB,
    )  # fmt: skip

    def documents(handler: BaseHTTPRequestHandler) -> None:
        raw = answers(b"", 204) if sent is None else answers(sent, media_type="application/octet-stream")
        (raw if handler.path.endswith("/raw") else answers({"document": record.as_dict(), "ingestion": {}}))(handler)

    def export(client: RemoteClient) -> Any:
        return client.documents.export_one(DOCUMENT, Path("a.out"), what="raw")

    act = by_path(documents=documents, names=answers({"id": DOCUMENT}))
    assert "other bytes" in failure(act, export, monkeypatch).message
    assert list(tmp_path.iterdir()) == []
    sent = b"rain"
    with false_server(act) as server:
        export(RemoteClient(connect(server.address)))
    assert Path("a.out").read_bytes() == b"rain"


def test_a_redirect_is_not_followed(monkeypatch: pytest.MonkeyPatch) -> None:
    """The host that a server names hears nothing, and least of all the token."""
    with false_server(answers(OURS)) as other:
        away = answers(b"", 307, Location=f"{other.address}/sources")
        error = failure(by_path(sources=away), list_sources, monkeypatch)
        assert error.reason == "server_redirects"
        assert other.seen == []


def test_who_may_not_is_told_where_a_token_goes(monkeypatch: pytest.MonkeyPatch) -> None:
    """401 names the option, and ends with 2."""
    error = failure(
        by_path(sources=problem(401, detail="the token is not valid", code="authentication")), list_sources, monkeypatch
    )
    assert "--token-ref" in error.hint
    assert error.exit_code == UsageError.exit_code


def test_a_server_without_time_is_asked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """429 is waited for as long as it asks, some times; then it is an error with what to do."""
    slept: list[float] = []
    monkeypatch.setattr("ingest_tui.services.remote.server.time.sleep", slept.append)
    busy = answers(
        {"detail": "too many", "hint": "try again in 2 s", "code": "throttled", "exit_code": 2, "details": {}},
        429, "application/problem+json", Retry_After="2",
    )  # fmt: skip
    error = failure(by_path(sources=busy), list_sources, monkeypatch)
    assert (error.reason, slept) == ("throttled", [2.0, 2.0, 2.0])


@pytest.mark.parametrize("status", [404, 405, 422])
def test_a_server_of_another_version_is_named(status: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """What it does not understand is explained by both versions."""
    act = by_path(
        sources=problem(status, detail="there is nothing at this path", code="not_found"),
        health=answers({"status": "ok", "version": "99.0\x1b[2J"}),
    )
    error = failure(act, list_sources, monkeypatch)
    assert error.reason == "version"
    assert "99.0" in error.hint
    assert __version__ in error.hint


def test_what_does_not_speak_http_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """Another protocol, and a port at which nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        address = f"http://127.0.0.1:{listening.getsockname()[1]}"

        def greet() -> None:
            asking, _ = listening.accept()
            with closing(asking):
                asking.recv(4096)
                asking.sendall(b"SSH-2.0-OpenSSH_9.9\r\n\r\n")

        thread = threading.Thread(target=greet)
        thread.start()
        with pytest.raises(IngestError, match="does not answer in HTTP"):
            RemoteClient(connect(address)).sources.list()
        thread.join()
    with pytest.raises(IngestError, match="nothing listens") as caught:
        RemoteClient(connect(address)).sources.list()
    assert "ingest-tui serve" in caught.value.hint


def test_a_token_goes_nowhere_in_the_clear(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither over HTTP to another machine, nor in an address, nor as the option itself."""
    monkeypatch.setenv("A_TOKEN", TOKEN)
    with pytest.raises(UsageError, match="in the clear"):
        connect("http://ingest.example.org", token_reference="env:A_TOKEN")
    for address in (f"https://me:{TOKEN}@ingest.example.org", "ftp://x", "unix:relative", "https://", "http://h:0/"):
        with pytest.raises(UsageError) as caught:
            connect(address)
        assert TOKEN not in caught.value.message
    with pytest.raises(UsageError) as caught:
        connect("https://ingest.example.org", token_reference=TOKEN)
    assert TOKEN not in caught.value.message


def test_texts_of_a_server_do_not_act_on_the_terminal(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Titles, snippets, explanations, problems and warnings that hold escape sequences come out shown, not done."""
    evil = "\x1b[2J\x9b\u202eevil\r\n\x07"
    texts = ("document_id", "chunk_id", "title", "uri", "collection_id", "heading_path", "text")
    hit: dict[str, Any] = dict.fromkeys(texts, evil)
    hit |= {"version": 1, "score": 1.0, "snippet": evil, "snippet_parts": [evil, evil, evil]}
    act = by_path(
        search=answers(
            {
                "items": [hit],
                "suggestions": {evil: evil},
                "unknown_filters": [{"field": evil, "value": evil, "known": [evil]}],
            }
        ),
        explain=answers({"target": evil, "told": [evil, evil]}),
        names=problem(404, detail=f"no job {evil}", hint=evil, exit_code=4),
    )
    with false_server(act) as server:
        calls = (["search", "x"], ["doc", "explain", "x"], ["job", "show", "x"])
        codes = [run(["--server", server.address, *call]) for call in calls]
    written = capsys.readouterr()
    assert codes == [0, 0, 4]
    assert "evil" in written.out
    assert "evil" in written.err
    assert not ACTING.search(written.out)
    assert not ACTING.search(written.err)


def test_a_job_is_followed_over_a_break(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the connection ends in the middle, the next one continues after what was seen, to the end of the job."""
    job = {"job_id": JOB, "source_id": "docs", "collection_id": "default", "created_at": "", "updated_at": ""}
    states = ["running", "running", "succeeded"]
    seen: list[str | None] = []

    def events(handler: BaseHTTPRequestHandler) -> None:
        seen.append(handler.headers.get("Last-Event-ID"))
        mark = f"{len(seen):012d}"
        sent = b"event: job\nid: " + mark.encode() + b"\ndata: " + orjson.dumps(job | {"state": "running"}) + b"\n\n"
        answers(sent, media_type="text/event-stream", Content_Length="9000")(handler)

    def manifest(handler: BaseHTTPRequestHandler) -> None:
        answers(job | {"state": states.pop(0) if states else "succeeded"})(handler)

    act = by_path(jobs=events, manifests=manifest, workers=answers({"items": []}, 404))
    told: list[str] = []
    with false_server(act) as server:
        client = RemoteClient(connect(server.address))
        monkeypatch.setattr("ingest_tui.services.remote.job_calls.time.sleep", lambda _seconds: None)
        monkeypatch.setattr("ingest_tui.services.remote.job_calls._workers_shown", lambda _server: None)
        ended = client.workers.follow(JOB, lambda one: told.append(str(one.state)), run_here=True)
    assert ended.state == "succeeded"
    assert told == ["running", "running", "running", "succeeded"]
    assert seen == [None, "000000000001"]
