"""What clients that follow something are sent."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Callable, Sequence
from io import BytesIO
from typing import Any

import pytest
from starlette.testclient import TestClient

from ingest_tui.server.caller import ANYONE_HERE, Caller
from ingest_tui.server.events import Feeds, ServedEvent, TooManyStreamsError
from ingest_tui.server.routes.events import JobChanges
from ingest_tui.services.documents.upload_files import file_from
from tests.servers.served import Served


def events_in(text: str) -> list[dict[str, str]]:
    """Return the events of a stream, each by its fields."""
    blocks = [block.splitlines() for block in text.split("\n\n") if "data: " in block]
    return [dict(line.split(": ", 1) for line in block) for block in blocks]


def test_a_job_is_followed_to_its_end(served: Served, asking: TestClient) -> None:
    """A job that has ended is one event, after which the stream ends; who has it is told that nothing follows."""
    answer = asking.get(f"/jobs/{served.job_id}/events")
    assert answer.headers["content-type"].startswith("text/event-stream")
    (event,) = events_in(answer.text)
    assert '"state":"partial"' in event["data"]
    again = asking.get(f"/jobs/{served.job_id}/events", headers={"Last-Event-ID": event["id"]})
    assert (again.status_code, again.content) == (204, b"")
    assert asking.get("/jobs/20200101-000000-none-0000/events").status_code == 404


def test_each_listener_gets_what_it_has_not_seen() -> None:
    """Two who listen share one reading; each gets what is after its mark and is for it, once for each revision."""
    revisions = iter([["1"], ["1", "2"], ["1", "2", "3"]])
    now: list[ServedEvent] = []

    def read() -> Sequence[ServedEvent]:
        marks = next(revisions, ["1", "2", "3"])
        now[:] = [event("a", marks[-1], is_last=marks[-1] == "3")]
        return list(now)

    async def both() -> list[list[str]]:
        feeds = feeds_of()
        return list(await asyncio.gather(marks_of(feeds, read), marks_of(feeds, read, seen="2")))

    all_of_it, rest = asyncio.run(both())
    assert (all_of_it[-1], all_of_it) == ("3", sorted(set(all_of_it)))
    assert rest == ["3"]


def test_who_must_not_see_something_hears_nothing_of_it() -> None:
    """Events of other collections are left out."""

    def read() -> Sequence[ServedEvent]:
        return [event("a", "1"), event("b", "1", collection_id="secret"), event("c", "2", is_last=True)]

    agent = Caller("agent", "read", "default")
    assert asyncio.run(marks_of(feeds_of(agent), read, caller=agent)) == ["1", "2"]


def test_whose_token_is_revoked_hears_nothing_more() -> None:
    """The stream ends at the next reading; that of another token goes on to the end."""
    agent, other = Caller("agent", "read"), Caller("other", "read")
    marks = iter("123")
    let_in = iter([{agent, other}, {other}, {other}])

    async def both() -> list[list[str]]:
        feeds = feeds_of(let_in=lambda: frozenset(next(let_in, {other})))

        def read() -> Sequence[ServedEvent]:
            mark = next(marks, "3")
            return [event("a", mark, is_last=mark == "3")]

        return list(await asyncio.gather(*(marks_of(feeds, read, caller=one) for one in (agent, other))))

    revoked, rest = asyncio.run(both())
    assert "2" not in revoked
    assert "3" not in revoked
    assert rest[-1] == "3"


def test_events_of_one_reading_are_sent_by_their_marks() -> None:
    """Whoever is cut off in the middle has the lowest ones, and comes back for the rest."""

    def read() -> Sequence[ServedEvent]:
        return [event("a", "3", is_last=True), event("b", "1"), event("c", "2")]

    assert asyncio.run(marks_of(feeds_of(), read)) == ["1", "2", "3"]


def test_listeners_are_let_go() -> None:
    """When the server ends, and when it cannot be read any more, streams end, and nothing is read for nobody."""

    def read() -> Sequence[ServedEvent]:
        raise OSError

    async def ends() -> None:
        feeds = feeds_of()
        assert await marks_of(feeds, read) == []
        feeds.is_stopping = True
        assert await marks_of(feeds, lambda: [event("a", "1")]) == []
        assert feeds.questions == 0

    asyncio.run(ends())


def event(subject: str, mark: str, *, collection_id: str = "default", is_last: bool = False) -> ServedEvent:
    """Return an event."""
    return ServedEvent("job", subject, mark, collection_id, {"mark": mark}, is_last)


def feeds_of(*callers: Caller, let_in: Callable[[], frozenset[Caller]] | None = None) -> Feeds:
    """Return feeds that are read without a pause, for these callers or for whoever is here."""

    async def at_once(read: Callable[[], Any]) -> Any:
        return read()

    return Feeds(at_once, let_in or (lambda: frozenset(callers or {ANYONE_HERE})), seconds=0)


async def marks_of(
    feeds: Feeds,
    read: Callable[[], Sequence[ServedEvent]],
    *,
    seen: str = "",
    caller: Caller = ANYONE_HERE,
) -> list[str]:
    """Return the marks that a listener is sent until the end."""
    response = feeds.response("question", read, seen=seen, caller=caller, shown=lambda data: data)
    pieces = [bytes(piece) if not isinstance(piece, str) else piece.encode() async for piece in response.body_iterator]
    return [one["id"] for one in events_in(b"".join(pieces).decode())]


def test_a_job_is_followed_to_its_end_however_many_come_after(own: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    """One that has not ended is watched though it is not among the newest, and so is its end."""
    monkeypatch.setattr("ingest_tui.server.routes.events._NEWEST_JOBS", 1)
    old = own.client.sources.sync("papers").job_id
    changes = JobChanges(own.client)
    own.client.documents.upload([file_from(BytesIO(b"words"), "a.txt")])
    newest = own.client.documents.upload([file_from(BytesIO(b"more"), "b.txt")]).job_id
    assert {old, newest} <= {one.subject for one in changes()}
    own.client.jobs.cancel(old)
    assert {one.subject: one.data["state"] for one in changes()}[old] == "cancelled"
    assert old not in {one.subject for one in changes()}


def test_a_token_follows_so_many_streams_and_no_more(own: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    """One more is refused with what to do, until one has ended; others have streams of their own."""
    monkeypatch.setattr("ingest_tui.server.routes.events.MOST_STREAMS", 0)
    mine, path = own.token(), f"/jobs/{own.job_id}/events"
    with own.asking(token=mine) as asking:
        refused = asking.get(path)
        assert (refused.status_code, refused.json()["code"]) == (429, "throttled")
        assert refused.headers["retry-after"]
        monkeypatch.setattr("ingest_tui.server.routes.events.MOST_STREAMS", 1)
        assert [asking.get(path).status_code for _ in range(3)] == [200] * 3, "those before have ended"


def test_streams_are_counted_from_when_they_are_made() -> None:
    """By caller, read or not yet, so that many that are asked for at once are bounded; one that ends counts no more."""
    agent, other = Caller("agent", "read"), Caller("other", "read")

    async def counted() -> list[int]:
        feeds = feeds_of(agent, other)
        response = feeds.response("q", lambda: [event("a", "1")], caller=agent, seen="", shown=lambda data: data)
        assert feeds.listened_to_by(agent) == 1
        with pytest.raises(TooManyStreamsError):
            feeds.response("q", list, caller=agent, seen="", shown=lambda data: data, most=1)
        stream = response.body_iterator
        async for piece in stream:
            if b"data: " in bytes(piece):  # type: ignore[arg-type]
                break
        during = [feeds.listened_to_by(agent), feeds.listened_to_by(other)]
        await stream.aclose()  # type: ignore[attr-defined]
        return [*during, feeds.listened_to_by(agent)]

    assert asyncio.run(counted()) == [1, 0, 0]


def test_a_stream_that_nobody_reads_is_counted_no_more() -> None:
    """Its client was gone before it began."""
    agent = Caller("agent", "read")
    feeds = feeds_of(agent)
    made = [feeds.response("q", list, caller=agent, seen="", shown=lambda data: data) for _ in range(2)]
    assert feeds.listened_to_by(agent) == 2
    made.clear()
    gc.collect()
    assert feeds.listened_to_by(agent) == 0
