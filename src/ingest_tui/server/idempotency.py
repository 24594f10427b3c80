"""Requests that are sent again because nobody knows whether they arrived: done once, answered again.

A client names what it asks for with Idempotency-Key; the answer is kept for a day, at most a thousand of them, those of
what changes something in the workspace too, over a restart. What failed is not kept: it may be tried again under the
same key.
"""

from __future__ import annotations

import hashlib
import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import BinaryIO

from pydantic import BaseModel
from starlette.responses import Response

from ingest_tui.model.clock import posix_seconds
from ingest_tui.server.endpoint import SentFile
from ingest_tui.server.problems import RequestError
from ingest_tui.store.given_answers import KEPT_SECONDS, MOST_KEPT, GivenAnswer, GivenAnswerStore

HEADER = "idempotency-key"
LONGEST_KEY = 200
_FAILED = 400
_PIECE = 1 << 20
Name = tuple[str, str, str, str]
"""The digest of the token that asks, the method, the path, the key."""


@dataclass
class _Known:
    asked: str
    at: float
    answer: GivenAnswer | None = None


class AnswersGiven:
    """The answers that were given, by what was asked for. For all threads. ``store`` has those of earlier servers."""

    def __init__(self, store: GivenAnswerStore | None = None, clock: Callable[[], float] = posix_seconds) -> None:
        self._store = store
        self._guard = threading.Lock()
        self._known: OrderedDict[Name, _Known] = OrderedDict()
        self._clock = clock

    def answer(self, name: Name, asked: str, do: Callable[[], Response], *, is_stored: bool = False) -> Response:
        """Do what is asked, or return the answer that was given to it before, by a server before this one if it
        ``is_stored``.

        Raises `RequestError` where the same is being done right now (409), and for a key of something else (422).
        """
        with self._guard:
            self._forget_old()
            known = self._known.get(name) or (self._stored(name) if is_stored else None)
            if known is None:
                known = self._known[name] = _Known(asked, self._clock())
            else:
                return _again(known, asked)
        try:
            response = do()
        except BaseException:
            self._forget(name)
            raise
        if response.status_code >= _FAILED:
            self._forget(name)
        else:
            body = bytes(response.body).decode()
            known.answer = GivenAnswer(asked, known.at, response.status_code, dict(response.headers), body)
            if is_stored and self._store is not None:
                self._store.put(name, known.answer)
        return response

    def _stored(self, name: Name) -> _Known | None:
        found = None if self._store is None else self._store.get(name, self._clock())
        return None if found is None else _Known(found.asked, found.at, found)

    def _forget(self, name: Name) -> None:
        with self._guard:
            self._known.pop(name, None)

    def _forget_old(self) -> None:
        oldest = self._clock() - KEPT_SECONDS
        while self._known:
            first = next(iter(self._known.values()))
            if len(self._known) < MOST_KEPT and first.at >= oldest:
                return
            self._known.popitem(last=False)


def _again(known: _Known, asked: str) -> Response:
    if known.asked != asked:
        problem = (HEADER, "named another request before")
        raise RequestError(
            "this key named another request before", status=422, code="idempotency_key", errors=[problem]
        )
    if known.answer is None:
        hint = "wait for its answer, then send it again"
        raise RequestError("the same request is being answered right now", status=409, code="busy", hint=hint)
    answer = known.answer
    return Response(answer.body, answer.status, {**answer.headers, "Idempotency-Replayed": "true"})


def checked_key(key: str) -> str:
    """Return a key; raises `RequestError` for one that is too long or cannot be shown."""
    if not key.strip() or len(key) > LONGEST_KEY or not key.isprintable():
        problem = (HEADER, f"has 1 to {LONGEST_KEY} characters that can be shown")
        raise RequestError(" ".join(problem), status=422, code="idempotency_key", errors=[problem])
    return key


def digest_of(body: BaseModel, query: str, files: Sequence[SentFile]) -> str:
    """Return what tells one request from another: its query, its body, names and content of its files."""
    digest = hashlib.sha256(f"{query}\n{body.model_dump_json()}".encode("utf-8", "surrogatepass"))
    for file in files:
        digest.update(f"\n{file.name}\n".encode("utf-8", "surrogatepass"))
        digest.update(_digest_of_file(file.stream))
    return digest.hexdigest()


def _digest_of_file(stream: BinaryIO) -> bytes:
    digest = hashlib.sha256()
    while piece := stream.read(_PIECE):
        digest.update(piece)
    stream.seek(0)
    return digest.digest()
