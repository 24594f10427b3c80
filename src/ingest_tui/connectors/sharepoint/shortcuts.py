"""What shortcuts lead to, for sources that follow them: a file, or a folder of another library."""

from __future__ import annotations

from collections.abc import Iterator

from ingest_tui.connectors.filtering import PathFilter
from ingest_tui.connectors.sharepoint.delta import crawl
from ingest_tui.connectors.sharepoint.graph import GraphSession
from ingest_tui.connectors.sharepoint.graph_errors import GraphError, source_error
from ingest_tui.connectors.sharepoint.items import (
    FOLDER_KINDS,
    LISTED_FIELDS,
    DriveItem,
    describe,
    quoted_path,
    read_item,
)
from ingest_tui.model.descriptor import Descriptor
from ingest_tui.model.keys import bytes_from_key

_NOT_FOUND = 404


class ShortcutGapError(Exception):
    """What a shortcut leads to cannot be looked into; the text says why."""


def follow_shortcut(
    session: GraphSession, shortcut: DriveItem, listed: Descriptor, path_filter: PathFilter, max_size: int | None
) -> Iterator[Descriptor]:
    """Yield what a shortcut leads to, under the key of the shortcut. Shortcuts in there are not followed further.

    A target that is gone stays a refused shortcut. Raises `ShortcutGapError` when it cannot be looked into, and
    `TransientSourceError` when it cannot for now.
    """
    drive_id, _, target = shortcut.target.partition("/")
    item_id = target.removesuffix("/")
    if not drive_id or not item_id:
        raise ShortcutGapError("Microsoft Graph does not say where the shortcut leads to")
    try:
        if target.endswith("/"):
            yield from _folder(session, drive_id, item_id, listed, path_filter, max_size)
        else:
            item = read_item(session.get(f"/drives/{drive_id}/items/{item_id}?$select={LISTED_FIELDS}"))
            yield describe(item, drive_id, item_id, listed.key, listed.uri, max_size)
    except GraphError as error:
        if error.status == _NOT_FOUND:
            yield listed._replace(refusal=("shortcut", "what the shortcut leads to is gone"))
            return
        problem = source_error(error, "what the shortcut leads to", session.sign_in.roles)
        if problem.retryable:
            raise problem from None
        raise ShortcutGapError(problem.message) from None


def _folder(
    session: GraphSession,
    drive_id: str,
    folder_id: str,
    listed: Descriptor,
    path_filter: PathFilter,
    max_size: int | None,
) -> Iterator[Descriptor]:
    paths = {folder_id: ""}
    entered = {"": path_filter.enters(bytes_from_key(listed.key))}
    for page in crawl(session, drive_id, folder_id):
        for raw in page:
            item_id, item = str(raw.get("id") or ""), read_item(raw)
            above = paths.get(item.parent_id)
            if above is None:
                continue
            path = f"{above}/{item.name}"
            key = f"{listed.key}{path}"
            if item.kind in FOLDER_KINDS and item.kind != "package":
                paths[item_id] = path
                entered[path] = entered[above] and path_filter.enters(bytes_from_key(key))
            elif entered[above] and path_filter.takes(bytes_from_key(key)):
                yield describe(item, drive_id, item_id, key, f"{listed.uri}{quoted_path(path)}", max_size)
