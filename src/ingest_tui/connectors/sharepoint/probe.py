"""`source test` for a SharePoint source: step by step from the sign-in to one file, never a whole listing."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from ingest_tui.connectors.base import BaseConnector, TestStep
from ingest_tui.connectors.probe import Stopwatch
from ingest_tui.connectors.sharepoint.graph_errors import GraphError, source_error
from ingest_tui.connectors.sharepoint.items import LISTED_FIELDS, describe, read_item
from ingest_tui.model.counted import counted
from ingest_tui.model.descriptor import Descriptor
from ingest_tui.model.errors import IngestError
from ingest_tui.model.safe_text import safe_display

if TYPE_CHECKING:
    from ingest_tui.connectors.sharepoint.graph import GraphSession
    from ingest_tui.connectors.sharepoint.site import Site

_SAMPLE = 200
_MOST_NAMES = 8


def probe_site(
    connector: BaseConnector,
    open_session: Callable[[], GraphSession],
    find_site: Callable[[], Site],
    max_size: int | None,
) -> Iterator[TestStep]:
    """Yield the steps sign in, site, libraries, list, read; stops after the first that fails."""
    stopwatch = Stopwatch()
    name = "sign in"
    try:
        session = open_session()
        session.sign_in.token()
        yield stopwatch.step(name, _permissions(session.sign_in.roles))
        name = "site"
        site = find_site()
        yield stopwatch.step(name, f"{safe_display(site.name)} ({safe_display(site.web_url)})")
        yield stopwatch.step("libraries", _libraries(site))
        name = "list"
        number, readable = _sample(session, site, max_size)
        yield stopwatch.step(
            name, (f"{counted(number, 'item')} on the first page") if number else "there is nothing in it"
        )
        if readable is None:
            return
        name = "read"
        with connector.fetch(readable) as pieces:
            first = next(pieces, b"")
        yield stopwatch.step(name, f"read {counted(len(first), 'byte')} of {safe_display(readable.key)}")
    except IngestError as error:
        yield stopwatch.failed(name, error)


def _permissions(roles: list[str] | None) -> str:
    if roles is None:
        return "the app is let in"
    held = ", ".join(roles) if roles else "no permission at all"
    return f"the app is let in; its token holds {safe_display(held, limit=200)}"


def _libraries(site: Site) -> str:
    names = [safe_display(library.name, limit=60) for library in site.libraries[:_MOST_NAMES]]
    more = len(site.libraries) - len(names)
    text = ", ".join(names) + (f" and {more} more" if more > 0 else "")
    if site.folder is not None:
        return f"{text}, folder {safe_display(site.folder.path, limit=100)}"
    return f"{len(site.libraries)} of {len(site.all_libraries)}: {text}"


def _sample(session: GraphSession, site: Site, max_size: int | None) -> tuple[int, Descriptor | None]:
    """Look at one page of the first library that can be read, or of the folder; returns its size and one file."""
    problem: IngestError | None = None
    for library in site.libraries:
        base = f"/drives/{library.drive_id}"
        where = f"{base}/items/{site.folder.item_id}/children" if site.folder else f"{base}/root/delta"
        try:
            answer = session.get(f"{where}?$select={LISTED_FIELDS}&$top={_SAMPLE}")
        except GraphError as error:
            problem = problem or source_error(error, f"the library {library.name!r}", session.sign_in.roles)
            continue
        raw_items = [raw for raw in answer.get("value") or [] if isinstance(raw, dict)]
        for raw in raw_items:
            item = read_item(raw)
            if item.kind == "file" and "deleted" not in raw:
                key = f"{library.name}/{item.name}"
                descriptor = describe(item, library.drive_id, str(raw.get("id")), key, library.web_url, max_size)
                if descriptor.refusal is None:
                    return len(raw_items), descriptor
        return len(raw_items), None
    if problem is not None:
        raise problem
    return 0, None
