"""Listing Confluence, space by space, so that it can go on where it was interrupted."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import NamedTuple

from ingest_tui.connectors.base import Listing
from ingest_tui.connectors.confluence.api import Api, Space, WikiContent
from ingest_tui.connectors.confluence.config import WikiKind
from ingest_tui.connectors.confluence.confluence_errors import FORBIDDEN, NOT_FOUND, AnswerError, source_error
from ingest_tui.model.descriptor import Descriptor, ListingEnd, ListingPage

PAGE = 200
_KINDS: tuple[WikiKind, ...] = ("pages", "blogposts")
_LOST_PLACE = (400, NOT_FOUND, 410)


class Position(NamedTuple):
    """How far a listing has come: behind a part of what belongs to one page, in one part of one kind in one space.

    ``content``: the page or post it is at, empty at the beginning of the part. ``attachments``: what asks for the next
    of its attachments, empty where all that belongs to it is done.
    """

    space: str = ""
    kind: str = ""
    asked: str = ""
    content: str = ""
    attachments: str = ""

    def as_cursor(self) -> str:
        """Return it as text."""
        return json.dumps(self)

    @classmethod
    def of(cls, cursor: str | None) -> Position:
        """Return the position of a cursor, the beginning for one that is none."""
        try:
            values = json.loads(cursor or "[]")
        except ValueError:
            return cls()
        is_one = isinstance(values, list) and len(values) == len(cls._fields)
        return cls(*values) if is_one and all(isinstance(value, str) for value in values) else cls()


class SpaceListing:
    """Lists spaces. ``describe(content, space, page)`` gives the item of a content; None where it is not taken.

    ``page``: the page or post that a comment or an attachment belongs to.
    """

    def __init__(
        self,
        api: Api,
        takes: frozenset[WikiKind],
        describe: Callable[[WikiContent, Space, WikiContent], Descriptor | None],
    ) -> None:
        self._api = api
        self._takes = takes
        self._describe = describe
        self._gaps: list[tuple[str, str]] = []

    def pages(self, spaces: list[Space], cursor: str | None) -> Listing:
        """Yield what is in some spaces, from a cursor on; a cursor that Confluence has forgotten begins again."""
        start = Position.of(cursor)
        if start.space and start.space not in {space.key for space in spaces}:
            start = Position()
            yield ListingPage([], restarts=True)
        gathered: list[Descriptor] = []
        position = start
        steps = self._steps(spaces, start)
        while True:
            try:
                position, found = next(steps)
            except StopIteration:
                break
            except AnswerError as error:
                if not start.asked or error.status not in _LOST_PLACE:
                    raise
                start, gathered, self._gaps = Position(), [], []
                yield ListingPage([], restarts=True)
                steps = self._steps(spaces, start)
                continue
            gathered += found
            if len(gathered) >= PAGE:
                yield self._page(gathered, position)
                gathered = []
        if gathered:
            yield self._page(gathered, position)
        return ListingEnd(complete=not self._gaps, gaps=tuple(self._gaps))

    def _page(self, gathered: list[Descriptor], position: Position) -> ListingPage:
        """Return a page; behind a gap it cannot be gone on from, since then the gap would be forgotten."""
        return ListingPage(gathered, None if self._gaps else position.as_cursor())

    def _steps(self, spaces: list[Space], start: Position) -> Iterator[tuple[Position, list[Descriptor]]]:
        begun = (start.space, _index(start.kind))
        for space in sorted(spaces, key=lambda one: one.key):
            for kind in _KINDS:
                here = (space.key, _index(kind))
                if here >= begun:
                    yield from self._of_kind(space, kind, start if here == begun else Position())

    def _of_kind(self, space: Space, kind: WikiKind, start: Position) -> Iterator[tuple[Position, list[Descriptor]]]:
        asked: str | None = start.asked or self._api.first(space, kind)
        seen: set[str] = set()
        while asked:
            if asked in seen:
                raise source_error(AnswerError(0, "it leads round in circles"), f"space {space.key}")
            seen.add(asked)
            part = self._api.part(asked, kind)
            here = Position(space.key, kind, asked)
            contents = part.contents
            if start.content:
                at = next((at for at, one in enumerate(contents) if one.content_id == start.content), None)
                if at is not None and start.attachments:
                    yield from self._attachments(space, contents[at], here, start.attachments)
                contents = contents[0 if at is None else at + 1 :]
            start = Position()
            for content in contents:
                yield from self._of_content(space, content, here)
            asked = part.following

    def _of_content(
        self, space: Space, content: WikiContent, here: Position
    ) -> Iterator[tuple[Position, list[Descriptor]]]:
        found = [self._describe(content, space, content)] if content.kind in self._takes else []
        if "comments" in self._takes:
            try:
                found += [self._describe(comment, space, content) for comment in self._api.comments(content)]
            except AnswerError as error:
                self._note_gap(space, content, error)
        following = self._api.first_attachments(content) if "attachments" in self._takes else ""
        position = here._replace(content=content.content_id, attachments=following)
        yield position, [one for one in found if one is not None]
        if following:
            yield from self._attachments(space, content, here, following)

    def _attachments(
        self, space: Space, content: WikiContent, here: Position, asked: str
    ) -> Iterator[tuple[Position, list[Descriptor]]]:
        while asked:
            try:
                part = self._api.part(asked, "attachments")
            except AnswerError as error:
                self._note_gap(space, content, error)
                return
            asked = part.following or ""
            found = [self._describe(one, space, content) for one in part.contents]
            position = here._replace(content=content.content_id, attachments=asked)
            yield position, [one for one in found if one is not None]

    def _note_gap(self, space: Space, content: WikiContent, error: AnswerError) -> None:
        """Note that something of one page cannot be looked into; raises what concerns more than that."""
        if error.status not in (FORBIDDEN, NOT_FOUND):
            raise error
        self._gaps.append((f"{space.key}/{content.content_id}", source_error(error, "what belongs to it").message))


def _index(kind: str) -> int:
    return next((at for at, one in enumerate(_KINDS) if one == kind), 0)


def contents_of(api: Api, space: Space) -> Iterator[WikiContent]:
    """Yield the pages and posts of a space; streams."""
    for kind in _KINDS:
        yield from _all(api, api.first(space, kind), kind)


def attachments_of(api: Api, page: WikiContent) -> Iterator[WikiContent]:
    """Yield what is attached to a page or post."""
    yield from _all(api, api.first_attachments(page), "attachments")


def _all(api: Api, asked: str | None, kind: WikiKind) -> Iterator[WikiContent]:
    while asked:
        part = api.part(asked, kind)
        yield from part.contents
        asked = part.following
