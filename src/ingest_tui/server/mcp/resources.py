"""Documents as resources: ``document://ID``, further pages of it as ``document://ID?offset=N``."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qsl, urlsplit

from mcp import types

from ingest_tui.model.errors import NotFoundError
from ingest_tui.model.safe_text import safe_display
from ingest_tui.server.mcp.answers import FetchAnswer
from ingest_tui.server.mcp.arguments import FetchArguments
from ingest_tui.server.mcp.lookups import GivenUp, fetch
from ingest_tui.server.mcp.reach import Reach
from ingest_tui.server.mcp.safe_values import NOTICE, safe_values, shown_address, shown_name

NEWEST_LISTED = 50
"""How many documents are listed. There may be millions, and clients load the whole list."""
_SCHEME = "document"
_TEXT_TYPE = "text/markdown"

TEMPLATE = types.ResourceTemplate(
    uri_template=f"{_SCHEME}://{{id}}{{?offset,version}}",
    name="document",
    title="The text of a document",
    description="One page of its text; what comes first says where the next one begins. Ids are those that the tool "
    f"search returns. {NOTICE}",
    mime_type=_TEXT_TYPE,
)


def arguments_of(uri: str) -> FetchArguments:
    """Return what a resource's address asks for; raises `NotFoundError` for one that is none of ours."""
    try:
        parts = urlsplit(uri)
        given: dict[str, Any] = dict(parse_qsl(parts.query, strict_parsing=bool(parts.query)))
        if parts.scheme == _SCHEME and parts.netloc and not parts.path.strip("/") and "id" not in given:
            return FetchArguments.model_validate({"id": parts.netloc, **given})
    except ValueError:  # pydantic's too
        pass
    raise NotFoundError(
        f"there is no resource '{safe_display(uri, limit=200)}'", hint="addresses are document://ID?offset=N"
    )


def newest(reach: Reach, given_up: GivenUp) -> list[types.Resource]:
    """Return the documents that came in or changed last, as resources."""
    del given_up
    found = reach.client.documents.list(limit=NEWEST_LISTED, order="newest", collection_id=reach.collection_id)
    return [
        types.Resource(
            uri=f"{_SCHEME}://{one.document_id}",
            name=shown_name(one.title),
            description=reach.hidden(shown_address(one.uri)),
            mime_type=_TEXT_TYPE,
            annotations=types.Annotations(last_modified=one.updated_at),
        )
        for one in found
    ]


def contents_at(reach: Reach, uri: str, given_up: GivenUp) -> list[types.TextResourceContents]:
    """Return a page of a text in two parts: what it is and how to go on, then the text itself, and nothing but it."""
    page = fetch(reach, arguments_of(uri), given_up)
    known = reach.hidden(safe_values(page.model_dump(mode="json", exclude={"text"})))
    about = types.TextResourceContents(uri=uri, mime_type="text/plain", text=_about(page))
    text = types.TextResourceContents(uri=uri, mime_type=_TEXT_TYPE, text=safe_values(page.text), _meta=known)
    return [about, text]


def _about(page: FetchAnswer) -> str:
    end = page.offset + len(page.text)
    where = f"Characters {page.offset:,} to {end:,} of {page.total_characters:,} of version {page.version}."
    if page.next_offset is None:
        return f"{NOTICE} {where}"
    address = f"{_SCHEME}://{page.id}?offset={page.next_offset}&version={page.version}"
    return f"{NOTICE} {where} The next page is {address}"
