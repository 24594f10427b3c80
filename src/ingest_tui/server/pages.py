"""Lists in parts: a cursor says where the next part begins, and means nothing to clients."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from typing import Generic, TypeVar

import orjson
from pydantic import Field

from ingest_tui.server.endpoint import Answer, Params
from ingest_tui.server.problems import RequestError

USUAL_LIMIT = 50
LARGEST_LIMIT = 500
Item = TypeVar("Item")


class PageParams(Params):
    """Which part of a list."""

    limit: int = Field(default=USUAL_LIMIT, ge=1, le=LARGEST_LIMIT, description="how many at most")
    cursor: str = Field(default="", max_length=2000, description="the `next_cursor` of the part before")


class Page(Answer, Generic[Item]):
    """A part of a list. ``next_cursor``: None at its end."""

    items: list[Item]
    next_cursor: str | None = None


def encoded_cursor(place: str | int) -> str:
    """Return the cursor of a place in a list."""
    return base64.urlsafe_b64encode(orjson.dumps(place)).decode().rstrip("=")


def text_cursor(cursor: str) -> str | None:
    """Return the text that a cursor was made of, None without one; raises `RequestError`."""
    if not cursor:
        return None
    place = _decoded(cursor)
    if not isinstance(place, str):
        raise _not_ours()
    return place


def number_cursor(cursor: str) -> int:
    """Return the number that a cursor was made of, 0 without one; raises `RequestError`."""
    if not cursor:
        return 0
    place = _decoded(cursor)
    if not isinstance(place, int) or isinstance(place, bool) or not 0 <= place < 2**62:
        raise _not_ours()
    return place


@contextmanager
def closing_all(items: Iterator[Item]) -> Iterator[Iterator[Item]]:
    """Give what a service yields, and end it at the end of the context: it keeps the workspace open meanwhile."""
    try:
        yield items
    finally:
        if isinstance(items, Generator):
            items.close()


def page_at(items: Sequence[Item], limit: int, offset: int) -> tuple[list[Item], str | None]:
    """Return the part of a list of which one more than ``limit`` was asked for, from ``offset`` on, and its cursor."""
    more = encoded_cursor(offset + limit) if len(items) > limit else None
    return list(items[:limit]), more


def _decoded(cursor: str) -> object:
    try:
        return orjson.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    except (binascii.Error, ValueError):
        raise _not_ours() from None


def _not_ours() -> RequestError:
    problem = ("cursor", "is none of this server")
    return RequestError(
        "the cursor is none of this server", status=422, code="cursor", hint="begin again without one", errors=[problem]
    )
