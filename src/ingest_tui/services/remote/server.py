"""What the server of a workspace answers: JSON values, lists in parts, events, and its problems as errors of ours."""

from __future__ import annotations

import re
import time
import warnings
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import fields, is_dataclass
from functools import cache
from http import HTTPStatus
from http.client import HTTPResponse
from typing import Any, TypeVar
from urllib.parse import quote, urlencode

import orjson
import pydantic

from ingest_tui.model.errors import BusyError, IngestError, NotFoundError, RefusedError, UsageError
from ingest_tui.model.safe_text import safe_display
from ingest_tui.transport.retry_after import seconds_to_wait
from ingest_tui.transport.server_connection import ReceivedAnswer, ServerConnection
from ingest_tui.version import __version__

PART = 500
"""How many items of a list are asked for at a time."""
_JSON = frozenset({"application/json", "application/problem+json"})
_LONGEST_WAIT, _MOST_WAITS = 30.0, 3
"""How long a request waits that a server has no time for, and how often."""
_NOT_UNDERSTOOD = frozenset({HTTPStatus.METHOD_NOT_ALLOWED, HTTPStatus.UNPROCESSABLE_ENTITY})
_CHARACTERS = 2000
_LARGEST_PROBLEM = 1 << 20
_BY_EXIT_CODE: dict[int, type[IngestError]] = {2: UsageError, 4: NotFoundError, 5: BusyError, 6: RefusedError}
_WARNING = re.compile(r'199 ingest-tui "([^"]*)"')
NOT_SHOWN = "not_shown"
"""The code of the error of what is not for the token that a call has."""
_NO_SUCH_PATH = "there is nothing at this path"
Read = TypeVar("Read")


def path_of(*parts: str) -> str:
    """Return the path of an endpoint: ``path_of("jobs", job_id)``."""
    return "".join(f"/{quote(part, safe='')}" for part in parts)


class Server:
    """The server of a workspace, over a connection."""

    def __init__(self, connection: ServerConnection) -> None:
        self.connection = connection
        self.remembered: dict[str, Any] = {}
        """What one call of a command has asked for and the next one needs."""

    def get(self, *path: str, **query: Any) -> Any:
        """Return what a path has."""
        return self.ask("GET", path, query)

    def post(self, *path: str, body: Any = None, **query: Any) -> Any:
        """Return the answer to a POST with a JSON body, or none."""
        return self.ask("POST", path, query, body)

    def items(self, *path: str, most: int | None = None, part: int = PART, **query: Any) -> Iterator[dict[str, Any]]:
        """Yield the items of a list that comes in parts, at most so many."""
        left, cursor = most, None
        while left is None or left > 0:
            limit = part if left is None else min(part, left)
            found = self.get(*path, limit=limit, cursor=cursor, **query)
            with self.reading(path):
                items, after = list(found["items"])[:limit], found["next_cursor"]
                if after is not None and after == cursor:
                    raise ValueError("the list does not go on")
            yield from items
            left = None if left is None else left - len(items)
            if after is None or not items:
                return
            cursor = after

    def ask(self, method: str, path: tuple[str, ...], query: Mapping[str, Any] = {}, body: Any = None) -> Any:
        """Return the JSON of an answer; raises the error that the server tells of, warns of what it warns of."""
        sent = None if body is None else orjson.dumps(body)
        headers = {} if sent is None else {"Content-Type": "application/json"}
        return self.value(self.send(method, target_of(path, query), sent, headers), path)

    def send(
        self, method: str, target: str, body: bytes | Iterable[bytes] | None = None, headers: Mapping[str, str] = {}
    ) -> ReceivedAnswer:
        """Return the answer of a server that has time for it: where it asks to wait a little, that is done."""
        for _ in range(_MOST_WAITS):
            answer = self.connection.ask(method, target, body, {"Accept": "application/json", **headers})
            wait = seconds_to_wait(answer.headers.get("Retry-After"))
            can_wait = isinstance(body, bytes | None) and wait is not None and wait <= _LONGEST_WAIT
            if answer.status != HTTPStatus.TOO_MANY_REQUESTS or not can_wait:
                return answer
            time.sleep(wait or 0)
        return answer

    def value(self, answer: ReceivedAnswer, path: tuple[str, ...]) -> Any:
        """Return the JSON value of an answer that is one; raises the error of any other."""
        if not 200 <= answer.status < 300:  # noqa: PLR2004 - the statuses of what went well
            raise self.error_of(answer)
        if answer.media_type not in _JSON:
            raise self._odd(f"{answer.media_type or 'nothing'} rather than JSON", path)
        with self.reading(path):
            value = orjson.loads(answer.body)
        for text in _WARNING.findall(", ".join(answer.headers.get_all("Warning", []))):
            warnings.warn(text, stacklevel=2)
        return value

    def read(self, kind: type[Read], record: Any, *path: str) -> Read:
        """Return a record as what it is here; fields that are not known here are passed over."""
        with self.reading(path):
            known = {name: record[name] for name in _names_of(kind) if name in record}
            try:
                made: Read = _adapter(kind).validate_python(known)  # type: ignore[arg-type] # a class can be hashed
            except IngestError as error:  # what a person who typed it would be told
                raise ValueError(error.message) from None
            return made

    def read_all(self, kind: type[Read], records: Any, *path: str) -> list[Read]:
        """Return records as what they are here."""
        with self.reading(path):
            found = list(records)
        return [self.read(kind, record, *path) for record in found]

    @contextmanager
    def reading(self, path: tuple[str, ...]) -> Iterator[None]:
        """Explain an answer that is not what it must be."""
        try:
            yield
        except (
            ValueError,
            TypeError,
            LookupError,
            AttributeError,
        ) as error:  # pydantic.ValidationError is a ValueError
            raise self._odd("what cannot be read", path) from error

    def error_of(self, answer: ReceivedAnswer) -> IngestError:
        """Return the error that an answer tells of."""
        status = answer.status
        if 300 <= status < 400:  # noqa: PLR2004 - redirects
            where = safe_display(answer.headers.get("Location", ""), limit=200)
            hint = "give the address that it has, if you trust it: nothing was sent there"
            return self._error(f"redirects to {where or 'another address'}", hint, "server_redirects")
        problem = _problem_in(answer)
        if problem is None:
            shown = f"{status} and {safe_display(answer.media_type or 'nothing', limit=80)}"
            return self._odd(f"with status {shown}", ())
        if status == HTTPStatus.UNAUTHORIZED:
            hint = "--token-ref env:NAME or file:PATH names a token; 'ingest-tui serve token add NAME' there makes one"
            return UsageError(f"{self.shown}: {problem.message}", hint=hint, code=problem.reason)
        if problem.message == _NO_SUCH_PATH or status in _NOT_UNDERSTOOD:
            return self._not_understood(problem)
        return problem

    def _not_understood(self, problem: IngestError) -> IngestError:
        """Return the error of a request that the server does not know, or refuses as not well made."""
        if other := self._other_version():
            return self._error(f"does not know this request: it has version {other}", _same_version(other), "version")
        if problem.message != _NO_SUCH_PATH:
            return problem
        hint = "the token is for one collection, or for less; 'ingest-tui serve token list' there shows for what"
        return NotFoundError("the server does not show this to the token", hint=hint, code=NOT_SHOWN)

    def refuse_stream(self, response: HTTPResponse, path: tuple[str, ...]) -> None:
        """Raise the error of an answer that is not the stream that was asked for; none where nothing will follow."""
        if response.status == HTTPStatus.NO_CONTENT:
            return
        answer = ReceivedAnswer(response.status, response.headers, response.read(_LARGEST_PROBLEM))
        if not 200 <= answer.status < 300:  # noqa: PLR2004 - the statuses of what went well
            raise self.error_of(answer)
        raise self._odd(f"{answer.media_type or 'nothing'}", path)

    @property
    def shown(self) -> str:
        """What a person calls the server, safe to show."""
        return f"the server {self.connection.address.shown}"

    def _odd(self, what: str, path: tuple[str, ...]) -> IngestError:
        where = f" to {safe_display(path_of(*path), limit=200)}" if path else ""
        hint = "is it an 'ingest-tui serve'? A proxy between may answer instead of it"
        if other := self._other_version():
            hint = _same_version(other)
        return self._error(f"answers {what}{where}", hint, "server_answer")

    def _error(self, what: str, hint: str, code: str) -> IngestError:
        return IngestError(f"{self.shown} {what}", hint=hint, code=code)

    def _other_version(self) -> str:
        """Return the version of the server where it is another one than this; empty where that is not known."""
        try:
            answer = self.connection.ask("GET", "/health", None, {"Accept": "application/json"})
            version = str(orjson.loads(answer.body)["version"])
        except (IngestError, ValueError, TypeError, KeyError):
            return ""
        return "" if version == __version__ else safe_display(version, limit=40)


def _same_version(other: str) -> str:
    return f"this program has version {__version__}, the server {other}: install the same one at both ends"


def _problem_in(answer: ReceivedAnswer) -> IngestError | None:
    """Return the error that problem details (RFC 9457) of ours tell of; None where they are none."""
    try:
        problem = orjson.loads(answer.body)
        message, hint, code = (str(problem[name])[:_CHARACTERS] for name in ("detail", "hint", "code"))
        exit_code, details = int(problem["exit_code"]), dict(problem["details"])
    except (ValueError, TypeError, KeyError):
        return None
    kind = _BY_EXIT_CODE.get(exit_code, IngestError)
    error = kind(message, hint=hint, code=code)
    error.context = {str(name): value for name, value in details.items() if value is not None}
    return error


def target_of(path: tuple[str, ...], query: Mapping[str, Any] = {}) -> str:
    """Return a path with what is asked of it; what is None or empty is left out."""
    pairs = [(name, _as_text(value)) for name, value in query.items() for value in _each(value)]
    return path_of(*path) + (f"?{urlencode(pairs)}" if pairs else "")


def _each(value: Any) -> Iterable[Any]:
    if value is None or value == "":
        return ()
    return value if isinstance(value, list | tuple | set | frozenset) else (value,)


def _as_text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _names_of(kind: type[Any]) -> Iterable[str]:
    if is_dataclass(kind):
        return [one.name for one in fields(kind)]
    if issubclass(kind, pydantic.BaseModel):
        return list(kind.model_fields)
    return list(kind._fields)


@cache
def _adapter(kind: Any) -> pydantic.TypeAdapter[Any]:
    return pydantic.TypeAdapter(kind)
