"""Confluence: pages, blog posts, the comments on them and the files attached to them."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import lru_cache
from typing import TYPE_CHECKING, Any, ClassVar
from urllib.parse import quote, unquote

from pydantic import BaseModel

from ingest_tui.connectors.base import BaseConnector, Capabilities, Credentials, Listing, Place
from ingest_tui.connectors.confluence.config import ConfluenceConfig
from ingest_tui.connectors.confluence.confluence_errors import (
    FORBIDDEN,
    NOT_FOUND,
    AnswerError,
    item_error,
    source_error,
)
from ingest_tui.connectors.confluence.document import EXTENSION, MEDIA_TYPE, file_of, named_in
from ingest_tui.connectors.confluence.signing import Signature
from ingest_tui.connectors.filtering import build_filter
from ingest_tui.model.argument_types import checks_types
from ingest_tui.model.clock import seconds_since_epoch
from ingest_tui.model.counted import counted
from ingest_tui.model.descriptor import Descriptor
from ingest_tui.model.errors import (
    AuthenticationError,
    ItemChangedError,
    ItemError,
    MissingDependencyError,
    SourceAccessError,
    TransientItemError,
    TransientSourceError,
)
from ingest_tui.model.keys import bytes_from_key, key_from_bytes
from ingest_tui.model.safe_text import safe_display

if TYPE_CHECKING:
    from ingest_tui.connectors.confluence.api import Api, Space, WikiContent

_FETCHES_AT_ONCE = 4
_KEPT_LOOKUPS = 20_000
_COMMENTS = "comments"
_LETTERS = {"pages": "p", "blogposts": "b", "comments": "c", "attachments": "a"}
_KINDS = {letter: kind for kind, letter in _LETTERS.items()}
_MOST_ORIGIN = 500
_MOST_TITLE = 300


class ConfluenceConnector(BaseConnector):
    """Pages, blog posts, comments and attachments of Confluence, Cloud or Data Center.

    Keys are ``SPACE/page id.confluence``, ``SPACE/page id/comments/id.confluence`` and ``SPACE/page id/file name``:
    they stay when a page is renamed or moved below another one. The fingerprint is id and number of the version.
    """

    source_type: ClassVar[str] = "confluence"
    config_model: ClassVar[type[BaseModel]] = ConfluenceConfig
    capabilities: ClassVar[Capabilities] = Capabilities(
        fetch_concurrency=_FETCHES_AT_ONCE, resumes_listing=True, remote=True
    )
    config: ConfluenceConfig

    def __init__(
        self, config: dict[str, Any], *, max_size: int | None = None, credentials: Credentials | None = None
    ) -> None:
        super().__init__(config, max_size=max_size, credentials=credentials)
        self._signature = Signature(self.config, credentials)
        self._filter = build_filter(self.config.include, self.config.exclude)
        self._lock = threading.Lock()
        self._opened: Api | None = None
        self._close: list[Callable[[], None]] = []
        self._spaces: dict[str, Space] = {}
        self._allowed: dict[str, str] = {}
        self._page_id = lru_cache(maxsize=_KEPT_LOOKUPS)(self._ask_page_id)
        self._person = lru_cache(maxsize=_KEPT_LOOKUPS)(lambda person_id: self._api().name_of_person(person_id))
        self._readers = lru_cache(maxsize=_KEPT_LOOKUPS)(lambda page_id: tuple(self._api().readers(page_id)))

    # Reaching it

    def validate_config(self) -> None:
        """The package and the credential must be there, so that it shows when the source is added."""
        _check_package()
        if self.credentials is not None:
            self._signature.credential()

    async def authenticate(self) -> bool:
        """Sign in and find the spaces."""
        with _failing_as_a_source("who signs in"):
            name = self._api().account()
        if self.config.credential and not name:
            raise AuthenticationError(
                "Confluence takes the credential for nobody's",
                hint="is it of this Confluence, and the current one? See docs/confluence.md",
            )
        self._found_spaces()
        return True

    def account(self) -> str:
        """Return the address and the credential: Confluence counts by these."""
        return f"confluence:{self.config.url}:{self.config.credential}"

    def check_credential(self) -> str | None:
        """Return whose credential is used."""
        credential = self._signature.credential()
        return None if credential is None else credential.get("username") or credential.name

    def reauthenticate(self) -> bool:
        """Read the credential again when it is next needed."""
        return self._signature.renew()

    def close(self) -> None:
        """Close the connections; others are made if it is asked again."""
        with self._lock:
            close = list(self._close)
        for one in close:
            one()

    def _api(self) -> Api:
        with self._lock:
            if self._opened is None:
                _check_package()
                from ingest_tui.connectors.confluence.api import open_api
                from ingest_tui.connectors.confluence.session import ConfluenceSession

                def session_of(base: str) -> ConfluenceSession:
                    session = ConfluenceSession(base, self._signature)
                    self._close.append(session.close)
                    return session

                self._opened = open_api(self.config, session_of)
            return self._opened

    def _found_spaces(self) -> list[Space]:
        """Return the spaces that are taken; raises `SourceAccessError` where one that is named cannot be seen."""
        with _failing_as_a_source("the spaces"):
            found = {space.key: space for space in self._api().spaces(self.config.space)}
        missing = [key for key in self.config.space if key not in found]
        if missing:
            raise SourceAccessError(
                f"there is no space {', '.join(safe_display(key) for key in missing)} that may be seen",
                hint="'ingest-tui source browse SOURCE' shows those there are; nothing was deleted",
                code="not_found",
            )
        self._spaces = found
        return list(found.values())

    # Listing

    def list(self, cursor: str | None = None) -> Listing:
        """List the spaces one after the other."""
        spaces = self._found_spaces()
        from ingest_tui.connectors.confluence.listing import SpaceListing

        listing = SpaceListing(self._api(), frozenset(self.config.take), self._item)
        with _failing_as_a_source("a space"):
            return (yield from listing.pages(spaces, cursor))

    def _item(self, content: WikiContent, space: Space, page: WikiContent) -> Descriptor | None:
        descriptor = self._describe(content, space.key, page.content_id, page.kind)
        return descriptor if self._filter.takes(bytes_from_key(descriptor.key)) else None

    def _describe(self, content: WikiContent, space: str, page_id: str, page_kind: str) -> Descriptor:
        api, of_page = self._api(), f"{_part_of_key(space)}/{_part_of_key(page_id)}"
        if content.kind == "attachments":
            key, uri = f"{of_page}/{_part_of_key(content.title)}", api.address_of_attachment(page_id, content.title)
        else:
            own = f"{_part_of_key(content.content_id)}{EXTENSION}"
            key = f"{of_page}/{_COMMENTS}/{own}" if content.kind == _COMMENTS else f"{_part_of_key(space)}/{own}"
            uri = api.address_of_page(space, page_id, "pages" if page_kind == "pages" else "blogposts")
            if content.kind == _COMMENTS:
                uri += f"{'&' if '?' in uri else '?'}focusedCommentId={quote(content.content_id, safe='')}"
        return Descriptor(
            key_from_bytes(key.encode("utf-8", "surrogatepass")),
            uri,
            f"{_LETTERS[content.kind]}:{content.content_id}:{content.version}",
            content.size,
            _nanoseconds(content.when),
            refusal=self._refusal(content.size),
            media_type=MEDIA_TYPE if content.kind != "attachments" else content.media_type,
            metadata={"space": space, "page": page_id, "version": str(content.version)}
            | ({"title": content.title[:_MOST_TITLE]} if content.title else {}),
        )

    def _refusal(self, size: int | None) -> tuple[str, str] | None:
        if self.max_size is None or size is None or size <= self.max_size:
            return None
        return "too_large", _too_large(size, self.max_size)

    def browse(self, path: str = "") -> Iterator[Place]:
        """Yield the spaces, or what is in one: its pages and posts, and what belongs to one of them."""
        api = self._api()
        with _failing_as_a_source("it"):
            if not path:
                spaces = sorted(api.spaces(self.config.space), key=lambda space: space.key)
                yield from (Place(space.key, space.key, "folder") for space in spaces)
                return
            space_key, _, page_id = path.partition("/")
            for space in api.spaces((space_key,)):
                from ingest_tui.connectors.confluence.listing import contents_of

                for content in contents_of(api, space):
                    if not page_id:
                        yield Place(content.title or content.content_id, f"{space_key}/{content.content_id}", "folder")
                    elif content.content_id == page_id:
                        yield from self._places_of(space, content)
                        return

    def _places_of(self, space: Space, page: WikiContent) -> Iterator[Place]:
        from ingest_tui.connectors.confluence.listing import attachments_of

        for one in (page, *attachments_of(self._api(), page)):
            descriptor = self._describe(one, space.key, page.content_id, page.kind)
            yield Place(one.title or one.content_id, descriptor.key, "item", one.size)

    @classmethod
    def settings_of_place(cls, config: dict[str, Any], path: str) -> dict[str, Any]:  # noqa: ARG003 - known by the path
        """Return the space of a place."""
        return {"space": [path.partition("/")[0]]} if path else {}

    # Reading

    @checks_types
    @contextmanager
    def fetch(self, descriptor: Descriptor, offset: int = 0) -> Iterator[Iterator[bytes]]:  # noqa: ARG002 - no ranges
        """Read an attachment, or a text that must still be the version that was listed."""
        letter, _, rest = descriptor.fingerprint.partition(":")
        content_id, _, version = rest.rpartition(":")
        kind = _KINDS.get(letter)
        try:
            if kind == "attachments":
                with self._attachment(descriptor, content_id) as pieces:
                    yield pieces
            elif kind is not None:
                yield iter([self._text(descriptor, content_id, kind, int(version))])
            else:
                raise ItemError("it is no item of Confluence", code="not_found", uri=descriptor.uri)
        except AnswerError as error:
            raise item_error(error, descriptor) from None
        except TransientSourceError as error:
            raise _of_item(error, descriptor) from None

    @contextmanager
    def _attachment(self, descriptor: Descriptor, content_id: str) -> Iterator[Iterator[bytes]]:
        about = descriptor.metadata or {}
        path = self._api().path_of_attachment(about.get("page", ""), content_id, about.get("title", ""))
        with self._api().opened(path) as pieces:
            yield self._checked(descriptor, pieces)

    def _checked(self, descriptor: Descriptor, pieces: Iterator[bytes]) -> Iterator[bytes]:
        received = 0
        for piece in pieces:
            received += len(piece)
            if self.max_size is not None and received > self.max_size:
                raise ItemError(_too_large(received, self.max_size), code="too_large", uri=descriptor.uri)
            yield piece
        if descriptor.size is not None and received != descriptor.size:
            raise ItemChangedError(
                f"it has {counted(received, 'byte')}, and {descriptor.size:,} were listed",
                hint="it was perhaps changed meanwhile: the next sync takes it",
                uri=descriptor.uri,
            )

    def _text(self, descriptor: Descriptor, content_id: str, kind: Any, version: int) -> bytes:
        stored = self._api().stored(content_id, kind)
        if stored.version != version:
            raise ItemChangedError(
                f"it is version {stored.version} now, and {version} was listed",
                hint="the next sync takes it as it is then",
                uri=descriptor.uri,
            )
        about = descriptor.metadata or {}
        space, page_id = about.get("space", ""), about.get("page", "")
        self._note_allowed(descriptor, page_id, stored.parents)
        named = named_in(stored.text)
        found = ((key, title, self._address_of(key or space, title)) for key, title in named.pages)
        content = file_of(
            stored.text,
            {
                "base": self.config.url,
                "space": space,
                "title": stored.title or about.get("title", ""),
                "kind": kind.removesuffix("s"),
                "attachments": self._api().address_of_attachment(page_id, ""),
            },
            [(key or space, title, address) for key, title, address in found if address],
            [(person, name) for person in named.people if (name := self._person(person))],
        )
        if self.max_size is not None and len(content) > self.max_size:
            raise ItemError(_too_large(len(content), self.max_size), code="too_large", uri=descriptor.uri)
        return content

    def _address_of(self, space_key: str, title: str) -> str:
        page_id = self._page_id(space_key, title)
        return self._api().address_of_page(space_key, page_id, "pages") if page_id else ""

    def _ask_page_id(self, space_key: str, title: str) -> str | None:
        try:
            space = self._spaces.get(space_key) or next(iter(self._api().spaces((space_key,))), None)
            return self._api().id_of_page(space, title) if space is not None else None
        except AnswerError as error:
            if error.status in (FORBIDDEN, NOT_FOUND):
                return None
            raise

    # Who may read it

    def _note_allowed(self, descriptor: Descriptor, page_id: str, parents: tuple[str, ...]) -> None:
        """Note to whom a page is restricted; a restriction of a page above it holds as well."""
        levels = []
        for one in (*parents, page_id):
            try:
                readers = self._readers(one)
            except AnswerError as error:
                if error.status not in (FORBIDDEN, NOT_FOUND):
                    raise
                levels.append("unknown")
                continue
            if readers:
                levels.append(" or ".join(readers))
        with self._lock:
            self._allowed.pop(descriptor.uri, None)
            if len(self._allowed) > _KEPT_LOOKUPS:  # of what was read and not recorded
                self._allowed.clear()
            if levels:
                self._allowed[descriptor.uri] = json.dumps(levels, ensure_ascii=False)[:_MOST_ORIGIN]

    def origin(self, descriptor: Descriptor) -> dict[str, str]:
        """Return space, page and version, and who may read it (``allowed``) where that is restricted."""
        with self._lock:
            allowed = self._allowed.pop(descriptor.uri, None)
        return (descriptor.metadata or {}) | ({"allowed": allowed} if allowed else {})

    # Asking

    def key_of(self, address: str) -> str | None:
        """Return the key of the address of a page or an attachment; None for other places."""
        prefix = f"{self.config.url}/spaces/"
        if address.startswith(prefix):
            space, kind, page_id, *_ = [*address.removeprefix(prefix).split("/"), "", "", ""]
            return f"{unquote(space)}/{page_id}{EXTENSION}" if kind == "pages" and page_id.isdigit() else None
        return None

    def explain_left_out(self, key: str) -> str | None:
        """Return why a key would not be listed, as far as the settings say."""
        space = key.partition("/")[0]
        if self.config.space and space not in self.config.space:
            return f"only the spaces {', '.join(self.config.space)} are taken"
        if not key.endswith("/") and not self._filter.takes(bytes_from_key(key)):
            return "it does not match the include and exclude patterns"
        return None


def _part_of_key(name: str) -> str:
    """Return a name as one part of a key."""
    return name.replace("/", "%2F") if name not in {".", ".."} else name.replace(".", "%2E")


def _of_item(error: TransientSourceError, descriptor: Descriptor) -> TransientItemError:
    return TransientItemError(error.message, code=error.reason, retry_after=error.retry_after, uri=descriptor.uri)


def _nanoseconds(when: str) -> int | None:
    seconds = seconds_since_epoch(when)
    return None if seconds is None else int(seconds * 1_000_000_000)


def _too_large(size: int, limit: int) -> str:
    import humanize  # for what is too large only

    return f"{humanize.naturalsize(size)}; the limit of this source is {humanize.naturalsize(limit)}"


def _check_package() -> None:
    from importlib.util import find_spec

    if find_spec("urllib3") is None:
        raise MissingDependencyError(
            "the confluence connector needs the package 'urllib3', which is not installed",
            hint='pip install "ingest-tui[confluence]"',
        )


@contextmanager
def _failing_as_a_source(what: str) -> Iterator[None]:
    try:
        yield
    except AnswerError as error:
        raise source_error(error, what) from None
