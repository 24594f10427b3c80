"""Documents over HTTP: parts of texts and files, versions, what is not for everybody."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from starlette.requests import ClientDisconnect
from starlette.testclient import TestClient
from starlette.types import Message

from ingest_tui.server.problems import RequestError
from ingest_tui.server.ranges import file_response, range_of
from tests.open_files import open_files
from tests.servers.served import Served


def test_a_document_is_named_by_its_whole_identifier_alone(served: Served, asking: TestClient) -> None:
    """Beginnings, names and addresses, which people may type, are nothing for programs."""
    document_id = served.document_id()
    assert asking.get(f"/documents/{document_id}").json()["document"]["title"] == "Weather"
    for other in (document_id[:10], "weather", "f" * 26):
        assert asking.get(f"/documents/{other}").status_code in {404, 422}


def test_a_text_comes_in_parts_of_characters(served: Served, asking: TestClient) -> None:
    """Each part says where the next one begins; together they are the text."""
    path = f"/documents/{served.document_id()}/text"
    whole = asking.get(path).json()
    parts, offset = [], 0
    while offset is not None:
        part = asking.get(path, params={"offset": offset, "limit": 7}).json()
        parts.append(part["text"])
        offset = part["next_offset"]
    assert "".join(parts) == whole["text"]
    assert whole["characters"] == len(whole["text"])
    assert asking.get(path, params={"version": 9}).status_code == 404


def test_the_original_comes_whole_or_in_part(served: Served, asking: TestClient) -> None:
    """Range gives a part; the bytes are an attachment that no browser runs."""
    path = f"/documents/{served.document_id()}/raw"
    content = (served.documents / "weather.md").read_bytes()
    whole = asking.get(path)
    assert (whole.status_code, whole.content) == (200, content)
    assert whole.headers["content-disposition"].startswith("attachment")
    assert whole.headers["x-content-type-options"] == "nosniff"
    part = asking.get(path, headers={"Range": "bytes=2-8"})
    assert (part.status_code, part.content) == (206, content[2:9])
    assert part.headers["content-range"] == f"bytes 2-8/{len(content)}"
    assert asking.get(path, headers={"Range": "bytes=-3"}).content == content[-3:]
    assert asking.get(path, headers={"Range": "bytes=2-3", "If-Range": '"other"'}).status_code == 200
    assert asking.get(path, headers={"Range": f"bytes={len(content)}-"}).status_code == 416


@pytest.mark.parametrize(
    ("header", "part"),
    [
        ("bytes=0-0", (0, 1)),
        ("bytes=5-", (5, 10)),
        ("bytes=-4", (6, 10)),
        ("bytes=-40", (0, 10)),
        ("bytes=3-99", (3, 10)),
        ("", None),
        ("bytes=", None),
        ("bytes=-", None),
        ("bytes=5-2", None),
        ("bytes=0-1,3-4", None),
        ("lines=1-2", None),
    ],
)
def test_ranges_are_read_as_the_standard_says(header: str, part: tuple[int, int] | None) -> None:
    """What is no range of one part is passed over (RFC 9110, section 14.2)."""
    assert range_of(header, 10) == part


@pytest.mark.parametrize("header", ["bytes=10-", "bytes=10-20", "bytes=-0"])
def test_a_range_that_is_not_there_is_refused(header: str) -> None:
    """416 says how many bytes there are."""
    with pytest.raises(RequestError) as caught:
        range_of(header, 10)
    assert caught.value.headers == {"Content-Range": "bytes */10"}


@pytest.mark.parametrize("gone_after", [0, 1, 2])
def test_a_file_is_closed_when_its_client_goes(tmp_path: Path, gone_after: int) -> None:
    """Before the answer, before its first piece, and while it is sent: no open file is left of any."""
    path = tmp_path / "raw.bin"
    path.write_bytes(b"x" * 600_000)
    sent: list[Message] = []

    async def send(message: Message) -> None:
        if len(sent) == gone_after:
            raise OSError("the client is gone")
        sent.append(message)

    async def receive() -> Message:
        await asyncio.Event().wait()
        raise AssertionError

    response = file_response(path, {}, name="raw.bin", mark="x.1")
    assert str(path) in open_files()
    with pytest.raises((OSError, ClientDisconnect)):
        asyncio.run(response({"type": "http", "asgi": {"spec_version": "2.4"}}, receive, send))
    assert str(path) not in open_files()


def test_registering_is_idempotent_and_in_the_audit(own: Served) -> None:
    """The same content again is the same document; other content is its next version; what is new is in the audit."""
    with own.asking() as asking:
        first, same, other = (
            asking.post("/documents", json={"unique_id": "note/1", "content": text}) for text in ("one", "one", "two")
        )
        assert [one.status_code for one in (first, same, other)] == [201, 200, 201]
        assert [one.json()["is_new"] for one in (first, same, other)] == [True, False, True]
        assert {one.json()["document_id"] for one in (first, same, other)} == {first.json()["document_id"]}
        lines = asking.get("/audit", params={"words": "document.register"}).json()["items"]
        assert len(lines) == 2
        wrong = asking.post("/documents", json={"unique_id": "n", "content": "x", "content_hash": "0" * 64})
        assert wrong.status_code == 422


def test_a_removed_document_comes_back(own: Served) -> None:
    """It goes to the trash, is listed there, and is restored."""
    document_id = own.document_id()
    with own.asking() as asking:
        assert asking.delete(f"/documents/{document_id}").json() == {"document_id": document_id, "retired": 1}
        retired = asking.get("/documents", params={"state": "retired"}).json()
        assert [one["document_id"] for one in retired["items"]] == [document_id]
        assert asking.post(f"/documents/{document_id}/restore").json()["state"] == "active"


def test_lists_and_searches_are_of_a_folder(served: Served, asking: TestClient) -> None:
    """A folder without documents is an empty one, also for who may not know what there is elsewhere."""
    for folder, total in (("papers", 2), ("papers/nothing", 0), ("nobody/nothing", 0), ("", 2)):
        assert asking.get("/documents", params={"folder": folder}).json()["total"] == total
        hits = len(asking.get("/search", params={"q": "barometer", "folder": folder}).json()["items"])
        assert hits == len(asking.post("/search", json={"query": "barometer", "folder": folder}).json()["items"])
        assert hits == min(total, 1)
