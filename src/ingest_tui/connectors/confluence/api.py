"""What is asked of Confluence, whichever edition it is: by the REST API v2 of Cloud or that of Data Center (7.18).

Listings go on by cursors that Confluence gives. Where Data Center can only count from the start, what is deleted
meanwhile would move what was not seen yet to where it is not looked for: there each part begins with the last item of
the one before.
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager
from typing import Any, NamedTuple
from urllib.parse import quote, urlencode

from ingest_tui.connectors.confluence.config import ConfluenceConfig, WikiKind
from ingest_tui.connectors.confluence.confluence_errors import NOT_FOUND, AnswerError, not_confluence
from ingest_tui.connectors.confluence.session import ConfluenceSession
from ingest_tui.model.errors import TransientSourceError

_LIMIT = 100
_MOST_PARENTS = 50
_COUNTED = re.compile(r"[?&]start=([1-9][0-9]{0,8})(?=&|\Z)")
_AFTER = "#after="
"""Follows a request for the next part that counts from the start: the id with which its answer must begin."""


class Space(NamedTuple):
    """A space: ``key`` is what its address names it by."""

    space_id: str
    key: str
    name: str


class WikiContent(NamedTuple):
    """A page, blog post, comment or attachment. ``when`` is the time of its version in RFC 3339, ``size`` in bytes."""

    content_id: str
    kind: WikiKind
    title: str
    version: int
    when: str = ""
    size: int | None = None
    media_type: str | None = None


class ContentPart(NamedTuple):
    """Some of a listing, and what asks for the next of it; None at its end."""

    contents: list[WikiContent]
    following: str | None


class Stored(NamedTuple):
    """The text of a page, blog post or comment in storage format, and the ids of the pages above it."""

    title: str
    version: int
    text: str
    parents: tuple[str, ...] = ()


class Api(ABC):
    """Asks one Confluence; raises what `ConfluenceSession` raises."""

    def __init__(self, session: ConfluenceSession, url: str) -> None:
        self._session = session
        self._url = url

    @abstractmethod
    def account(self) -> str:
        """Return the name of who is signed in, empty for anybody."""

    @abstractmethod
    def spaces(self, keys: tuple[str, ...]) -> Iterator[Space]:
        """Yield the spaces of these keys that can be seen; without any, all but personal ones."""

    @abstractmethod
    def first(self, space: Space, kind: WikiKind) -> str:
        """Return what asks for the first part of a space's pages or blog posts."""

    def part(self, asked: str, kind: WikiKind) -> ContentPart:
        """Return a part of a listing of pages, blog posts or attachments."""
        results, following = self._part(asked)
        return ContentPart([self._content(one, kind) for one in results], following)

    @abstractmethod
    def first_attachments(self, content: WikiContent) -> str:
        """Return what asks for the first part of what is attached to a page or blog post."""

    @abstractmethod
    def comments(self, content: WikiContent) -> list[WikiContent]:
        """Return the comments on a page or blog post, answers to them too."""

    @abstractmethod
    def stored(self, content_id: str, kind: WikiKind) -> Stored:
        """Return a text as it is now."""

    @abstractmethod
    def address_of_page(self, space_key: str, content_id: str, kind: WikiKind) -> str:
        """Return the address of a page or blog post that stays as it is when it is renamed."""

    @abstractmethod
    def path_of_attachment(self, page_id: str, attachment_id: str, title: str) -> str:
        """Return where the bytes of an attachment are."""

    def opened(self, path: str) -> AbstractContextManager[Iterator[bytes]]:
        """Open what is at a path."""
        return self._session.download(path)

    @abstractmethod
    def id_of_page(self, space: Space, title: str) -> str | None:
        """Return the id of the page of that title; None where there is none that can be seen."""

    @abstractmethod
    def name_of_person(self, person_id: str) -> str:
        """Return what a person is called, empty where that is not known."""

    def readers(self, content_id: str) -> list[str]:
        """Return to whom reading a page or blog post is restricted by itself, ``user:…`` and ``group:…``; else none."""
        answer = self._session.get(
            f"{self._old_api}/content/{quote(content_id, safe='')}/restriction/byOperation/read",
            {"expand": "restrictions.user,restrictions.group"},
        )
        restrictions = _object(answer.get("restrictions"))
        users = _results(_object(restrictions.get("user")))
        groups = _results(_object(restrictions.get("group")))
        return sorted(
            [f"user:{_text(one, 'displayName') or _text(one, 'username') or _text(one, 'accountId')}" for one in users]
            + [f"group:{_text(one, 'name')}" for one in groups]
        )

    @property
    @abstractmethod
    def _old_api(self) -> str:
        """The path of what both editions share."""

    @staticmethod
    @abstractmethod
    def _content(one: dict[str, Any], kind: WikiKind) -> WikiContent:
        """Return what a listing says of one thing."""

    def address_of_attachment(self, page_id: str, title: str) -> str:
        """Return the address of an attachment."""
        return f"{self._url}/download/attachments/{quote(page_id, safe='')}/{quote(title, safe='')}"

    def _all(self, asked: str) -> Iterator[dict[str, Any]]:
        """Yield the results of a listing, part by part."""
        seen: set[str] = set()
        following: str | None = asked
        while following:
            if following in seen:
                raise TransientSourceError("Confluence leads round in circles", code="network")
            seen.add(following)
            results, following = self._part(following)
            yield from results

    def _part(self, asked: str) -> tuple[list[dict[str, Any]], str | None]:
        """Return the results of a part of a listing, and what asks for the next one."""
        answer = self._session.get(asked)
        return _results(answer), _following(answer)

    def _person(self, query: Mapping[str, str]) -> str:
        try:
            return _text(self._session.get(f"{self._old_api}/user", query), "displayName")
        except AnswerError as error:
            if error.may_pass:
                raise
            return ""


class CloudApi(Api):
    """Confluence Cloud. The base of its session is the address of the site, without ``/wiki``."""

    _of_kind: Mapping[WikiKind, str] = {"pages": "pages", "blogposts": "blogposts", "comments": "footer-comments"}

    @property
    def _old_api(self) -> str:
        return "/wiki/rest/api"

    def account(self) -> str:
        """Return the name of who is signed in."""
        return _signed_in(self._session.get(f"{self._old_api}/user/current"))

    def spaces(self, keys: tuple[str, ...]) -> Iterator[Space]:
        """Yield spaces."""
        query = {"keys": ",".join(keys)} if keys else {"type": "global,collaboration,knowledge_base"}
        for one in self._all("/wiki/api/v2/spaces?" + urlencode({**query, "status": "current", "limit": _LIMIT})):
            yield Space(_id(one), _needed(one, "key"), _text(one, "name"))

    def first(self, space: Space, kind: WikiKind) -> str:
        """Return the first request."""
        return f"/wiki/api/v2/spaces/{quote(space.space_id, safe='')}/{kind}?status=current&limit={_LIMIT}"

    def first_attachments(self, content: WikiContent) -> str:
        """Return the first request."""
        return f"{self._path(content)}/attachments?status=current&limit={_LIMIT}"

    def comments(self, content: WikiContent) -> list[WikiContent]:
        """Return comments at the foot and within the text, each with the answers to it."""
        found: dict[str, WikiContent] = {}
        for sort in ("footer-comments", "inline-comments"):
            open_ones = [f"{self._path(content)}/{sort}?limit={_LIMIT}"]
            while open_ones:
                for one in self._all(open_ones.pop()):
                    comment = self._content(one, "comments")
                    if comment.content_id not in found:  # answers that lead to themselves are asked for once
                        found[comment.content_id] = comment
                        open_ones.append(
                            f"/wiki/api/v2/{sort}/{quote(comment.content_id, safe='')}/children?limit={_LIMIT}"
                        )
        return list(found.values())

    def stored(self, content_id: str, kind: WikiKind) -> Stored:
        """Return a text; whether a comment is at the foot or within a text does not follow from its id."""
        answer = self._one_of(content_id, kind)
        body = _object(_object(answer.get("body")).get("storage"))
        parents: tuple[str, ...] = ()
        if kind == "pages":
            above = self._all(f"/wiki/api/v2/pages/{quote(content_id, safe='')}/ancestors?limit={_LIMIT}")
            parents = tuple(_id(one) for one in above)[:_MOST_PARENTS]
        return Stored(_text(answer, "title"), _version(answer), _needed(body, "value", may_be_empty=True), parents)

    def _one_of(self, content_id: str, kind: WikiKind) -> dict[str, Any]:
        query = {"body-format": "storage"}
        path = f"/{quote(content_id, safe='')}"
        try:
            return self._session.get(f"/wiki/api/v2/{self._of_kind[kind]}{path}", query)
        except AnswerError as error:
            if kind != "comments" or error.status != NOT_FOUND:
                raise
            return self._session.get(f"/wiki/api/v2/inline-comments{path}", query)

    def address_of_page(self, space_key: str, content_id: str, kind: WikiKind) -> str:
        """Return the address."""
        if kind == "pages":
            return f"{self._url}/spaces/{quote(space_key, safe='~')}/pages/{quote(content_id, safe='')}"
        return f"{self._url}/pages/viewpage.action?pageId={quote(content_id, safe='')}"

    def path_of_attachment(self, page_id: str, attachment_id: str, title: str) -> str:  # noqa: ARG002
        """Return the path."""
        page, attachment = quote(page_id, safe=""), quote(attachment_id, safe="")
        return f"{self._old_api}/content/{page}/child/attachment/{attachment}/download"

    def id_of_page(self, space: Space, title: str) -> str | None:
        """Return the id."""
        query = {"space-id": space.space_id, "title": title, "limit": 1}
        return next((_id(one) for one in _results(self._session.get("/wiki/api/v2/pages", query))), None)

    def name_of_person(self, person_id: str) -> str:
        """Return the name."""
        return self._person({"accountId": person_id})

    @staticmethod
    def _path(content: WikiContent) -> str:
        return f"/wiki/api/v2/{content.kind}/{quote(content.content_id, safe='')}"

    @staticmethod
    def _content(one: dict[str, Any], kind: WikiKind) -> WikiContent:
        size, when = one.get("fileSize"), _text(_object(one.get("version")), "createdAt")
        return WikiContent(
            _id(one),
            kind,
            _text(one, "title"),
            _version(one),
            when,
            size if isinstance(size, int) else None,
            _text(one, "mediaType") or None,
        )


class DataCenterApi(Api):
    """Confluence Data Center and Server. The base of its session is its address."""

    _types: Mapping[WikiKind, str] = {"pages": "page", "blogposts": "blogpost"}

    @property
    def _old_api(self) -> str:
        return "/rest/api"

    def account(self) -> str:
        """Return the name of who is signed in."""
        return _signed_in(self._session.get("/rest/api/user/current"))

    def spaces(self, keys: tuple[str, ...]) -> Iterator[Space]:
        """Yield spaces."""
        query: dict[str, Any] = {"spaceKey": keys} if keys else {"type": "global", "status": "current"}
        for one in self._all("/rest/api/space?" + urlencode({**query, "limit": _LIMIT}, doseq=True)):
            yield Space(_id(one), _needed(one, "key"), _text(one, "name"))

    def first(self, space: Space, kind: WikiKind) -> str:
        """Return the first request."""
        query = {"spaceKey": space.key, "type": self._types[kind], "status": "current", "expand": "version"}
        return f"/rest/api/content/scan?{urlencode({**query, 'limit': _LIMIT})}"

    def first_attachments(self, content: WikiContent) -> str:
        """Return the first request."""
        return f"{self._children(content)}/attachment?expand=version&limit={_LIMIT}"

    def comments(self, content: WikiContent) -> list[WikiContent]:
        """Return comments of all depths."""
        asked = f"{self._children(content)}/comment?expand=version&depth=all&limit={_LIMIT}"
        return [self._content(one, "comments") for one in self._all(asked)]

    def stored(self, content_id: str, kind: WikiKind) -> Stored:  # noqa: ARG002 - one endpoint for all
        """Return a text."""
        answer = self._session.get(
            f"/rest/api/content/{quote(content_id, safe='')}", {"expand": "body.storage,version,ancestors"}
        )
        body = _object(_object(answer.get("body")).get("storage"))
        above = answer.get("ancestors")
        parents = tuple(_id(_object(one)) for one in above) if isinstance(above, list) else ()
        return Stored(
            _text(answer, "title"),
            _version(answer),
            _needed(body, "value", may_be_empty=True),
            parents[:_MOST_PARENTS],
        )

    def address_of_page(self, space_key: str, content_id: str, kind: WikiKind) -> str:  # noqa: ARG002 - one for all
        """Return the address."""
        return f"{self._url}/pages/viewpage.action?pageId={quote(content_id, safe='')}"

    def path_of_attachment(self, page_id: str, attachment_id: str, title: str) -> str:  # noqa: ARG002
        """Return the path."""
        return f"/download/attachments/{quote(page_id, safe='')}/{quote(title, safe='')}"

    def id_of_page(self, space: Space, title: str) -> str | None:
        """Return the id."""
        query = {"spaceKey": space.key, "title": title, "type": "page", "limit": 1}
        return next((_id(one) for one in _results(self._session.get("/rest/api/content", query))), None)

    def name_of_person(self, person_id: str) -> str:
        """Return the name; people are named by key, of old by name."""
        return self._person({"key": person_id}) or self._person({"username": person_id})

    def _part(self, asked: str) -> tuple[list[dict[str, Any]], str | None]:
        asked, _, before = asked.partition(_AFTER)
        results, following = super()._part(asked)
        if before:
            if not results or quote(_id(results[0]), safe="") != before:
                raise TransientSourceError("Confluence was changed while it was listed", code="network")
            results = results[1:]
        counted = _COUNTED.search(following or "")
        if following is None or counted is None or not results:
            return results, following
        overlapping = f"{following[: counted.start(1)]}{int(counted[1]) - 1}{following[counted.end(1) :]}"
        return results, f"{overlapping}{_AFTER}{quote(_id(results[-1]), safe='')}"

    @staticmethod
    def _children(content: WikiContent) -> str:
        return f"/rest/api/content/{quote(content.content_id, safe='')}/child"

    @staticmethod
    def _content(one: dict[str, Any], kind: WikiKind) -> WikiContent:
        extensions = _object(one.get("extensions"))
        size = extensions.get("fileSize")
        return WikiContent(
            _id(one),
            kind,
            _text(one, "title"),
            _version(one),
            _text(_object(one.get("version")), "when"),
            size if isinstance(size, int) else None,
            _text(extensions, "mediaType") or None,
        )


def open_api(config: ConfluenceConfig, session_of: Any) -> Api:
    """Return what asks the Confluence of some settings; ``session_of(base)`` makes its session."""
    if config.is_cloud:
        return CloudApi(session_of(config.url.removesuffix("/wiki")), config.url)
    return DataCenterApi(session_of(config.url), config.url)


def _results(answer: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the items of a part. One that has none, or something else among them, proves nothing about the source."""
    results = answer.get("results")
    if not isinstance(results, list) or not all(isinstance(one, dict) for one in results):
        raise not_confluence()
    return results


def _following(answer: Mapping[str, Any]) -> str | None:
    """Return the path that asks for the next part. Only a path of this Confluence is one."""
    links = answer.get("_links")
    if not isinstance(links, dict):  # each part has them, the last one too: without, nobody knows whether it is that
        raise not_confluence()
    following = links.get("next")
    if following is None:
        return None
    if not isinstance(following, str) or not following.startswith("/") or following.startswith("//"):
        raise not_confluence()
    return following


def _signed_in(answer: Mapping[str, Any]) -> str:
    if "type" not in answer and "displayName" not in answer:
        raise not_confluence()
    return "" if answer.get("type") == "anonymous" else _text(answer, "displayName")


def _object(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _text(values: Mapping[str, Any], name: str) -> str:
    value = values.get(name)
    return value if isinstance(value, str) else ""


def _needed(values: Mapping[str, Any], name: str, *, may_be_empty: bool = False) -> str:
    value = values.get(name)
    if not isinstance(value, str) or not (value or may_be_empty):
        raise not_confluence()
    return value


def _id(values: Mapping[str, Any]) -> str:
    value = values.get("id")
    if not isinstance(value, str | int) or isinstance(value, bool) or value == "":
        raise not_confluence()
    return str(value)


def _version(values: Mapping[str, Any]) -> int:
    number = _object(values.get("version")).get("number")
    if not isinstance(number, int):
        raise not_confluence()
    return number
