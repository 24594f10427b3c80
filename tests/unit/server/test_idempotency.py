"""A request that is sent again under its key is done once."""

from __future__ import annotations

import stat
import threading
import time
from pathlib import Path

import pytest
from starlette.responses import Response

from ingest_tui.server.idempotency import AnswersGiven
from ingest_tui.server.problems import RequestError
from ingest_tui.store.given_answers import GivenAnswer, GivenAnswerStore
from ingest_tui.store.layout import Layout
from tests.servers.served import Served

NAME = ("", "POST", "/ingest", "k1")


def test_the_same_request_is_answered_again(own: Served) -> None:
    """The job is the one of the first; another body under the same key is refused, and so is a key that is none."""
    key = {"Idempotency-Key": "k1"}
    with own.asking() as asking:
        body = {"documents": [{"name": "a.txt", "content": "words"}]}
        first, again = (asking.post("/ingest", json=body, headers=key) for _ in range(2))
        assert first.json() == again.json()
        assert (again.status_code, again.headers["idempotency-replayed"]) == (202, "true")
        assert len(asking.get("/jobs").json()["items"]) == 2
        assert asking.post("/ingest", json={"source_id": "papers"}, headers=key).status_code == 422
        assert asking.post("/ingest", json=body, headers={"Idempotency-Key": "x" * 201}).status_code == 422
        files = [("files", ("u.txt", b"one")), ("files", ("v.txt", b"two"))]
        for changed, status in (([("files", ("u.txt", b"one"))], 202), (files, 422)):
            sent = asking.post("/collections/default/files", files=changed, headers={"Idempotency-Key": "k2"})
            assert sent.status_code == status


def test_what_failed_is_tried_again() -> None:
    """Neither an error nor an answer that says no is kept."""
    answers = AnswersGiven()
    with pytest.raises(ValueError, match="no"):
        answers.answer(NAME, "x", lambda: (_ for _ in ()).throw(ValueError("no")))
    assert answers.answer(NAME, "x", lambda: Response(status_code=404)).status_code == 404
    assert answers.answer(NAME, "y", lambda: Response(b"done")).body == b"done"
    assert answers.answer(NAME, "y", lambda: Response(b"twice")).body == b"done"


def test_a_second_one_meanwhile_is_told_to_wait() -> None:
    """While the first is being answered the second gets 409, and does nothing."""
    answers, begun, go_on = AnswersGiven(), threading.Event(), threading.Event()

    def slowly() -> Response:
        begun.set()
        go_on.wait(20)
        return Response(b"first")

    first = threading.Thread(target=answers.answer, args=(NAME, "x", slowly))
    first.start()
    assert begun.wait(20)
    with pytest.raises(RequestError) as caught:
        answers.answer(NAME, "x", lambda: Response(b"second"))
    go_on.set()
    first.join()
    assert caught.value.status == 409
    assert answers.answer(NAME, "x", lambda: Response(b"third")).body == b"first"


def test_answers_are_kept_for_a_day_and_not_without_end() -> None:
    """After a day, and after a thousand others, a request is new."""
    now = [0.0]
    answers = AnswersGiven(clock=lambda: now[0])
    for number in range(1001):
        answers.answer(("", "POST", "/", str(number)), "x", lambda: Response(b"old"))
    assert answers.answer(("", "POST", "/", "0"), "x", lambda: Response(b"new")).body == b"new"
    assert answers.answer(("", "POST", "/", "1000"), "x", lambda: Response(b"new")).body == b"old"
    now[0] = 24 * 3600 + 1
    assert answers.answer(("", "POST", "/", "1000"), "x", lambda: Response(b"new")).body == b"new"


def test_a_request_is_done_once_over_a_restart(own: Served) -> None:
    """Another server of the same workspace gives the answer of the one before, and refuses the key for other things."""
    key = {"Idempotency-Key": "k1"}
    body = {"documents": [{"name": "a.txt", "content": "words"}]}
    with own.asking() as before:
        first = before.post("/ingest", json=body, headers=key)
    with own.asking() as after:
        again = after.post("/ingest", json=body, headers=key)
        assert again.json() == first.json()
        assert again.headers["location"] == first.headers["location"]
        assert (again.status_code, again.headers["idempotency-replayed"]) == (202, "true")
        assert after.post("/ingest", json={"source_id": "papers"}, headers=key).status_code == 422
        assert len(own.client.jobs.list()) == 2
        after.post("/search", json={"query": "barometer"}, headers={"Idempotency-Key": "k2"})
    (kept,) = (own.root / "server-answers").iterdir()
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    kept.write_text("{")
    with own.asking() as after:
        assert "idempotency-replayed" not in after.post("/ingest", json=body, headers=key).headers


def test_a_token_gets_no_answer_of_another_one_that_had_its_name(own: Served) -> None:
    """A token that is made again under a name may be somebody else's: the request is done for it, too."""
    body = {"documents": [{"name": "a.txt", "content": "words"}]}
    answered: list[tuple[int, bool]] = []
    for _ in range(2):
        with own.asking(token=own.token("agent", "write")) as asking:
            for _ in range(2):
                answer = asking.post("/ingest", json=body, headers={"Idempotency-Key": "k1"})
                answered.append((answer.status_code, "idempotency-replayed" in answer.headers))
        own.client.tokens.revoke("agent")
    assert answered == [(202, False), (202, True)] * 2


def test_what_is_stored_is_bounded_and_expires(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The older half goes where there are too many, and each after a day."""
    monkeypatch.setattr("ingest_tui.store.given_answers.MOST_KEPT", 4)
    (tmp_path / "workspace").mkdir()
    layout = Layout(tmp_path / "workspace")
    store, now = GivenAnswerStore(layout), time.time()
    for number in range(9):
        answers = AnswersGiven(store, clock=lambda: now)
        answers.answer(("", "POST", "/", str(number)), "x", lambda: Response(b"done"), is_stored=True)
        assert len(list(layout.server_answers.iterdir())) <= 4
    assert store.get(("", "POST", "/", "8"), now) is not None
    assert store.get(("", "POST", "/", "8"), now + 24 * 3600 + 1) is None
    store.put(("late",), GivenAnswer("x", now + 25 * 3600, 200, {}, ""))
    assert len(list(layout.server_answers.iterdir())) == 1
