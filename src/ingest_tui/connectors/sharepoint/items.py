"""What one item of a drive is, read from Graph's JSON: pure, with the compact form in which listings remember it."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any, Literal, NamedTuple
from urllib.parse import quote

import humanize

from ingest_tui.model.clock import storable_ns
from ingest_tui.model.descriptor import Descriptor
from ingest_tui.model.safe_text import safe_display

LISTED_FIELDS = (
    "id,name,size,eTag,lastModifiedDateTime,parentReference,root,folder,file,package,malware,remoteItem,deleted"
)
"""What a listing asks for. Not the address for downloading: it is a secret and does not last."""

ItemKind = Literal["root", "folder", "gone", "package", "shortcut", "file", "malware", "other"]
FOLDER_KINDS = frozenset({"root", "folder", "gone", "package"})
"""What can have items below it, or had: kept in memory while paths are derived."""


class DriveItem(NamedTuple):
    """An item of a drive. ``content_hash`` is its quickXorHash; ``etag`` changes with anything about the item.

    ``target`` is what a shortcut leads to, as ``drive-id/item-id`` (with a trailing slash for a folder), or the type
    of a package. ``gone`` marks a deleted folder: what still names it as its parent is gone with it.
    """

    parent_id: str
    name: str
    kind: ItemKind
    size: int | None = None
    modified_ns: int | None = None
    content_hash: str = ""
    etag: str = ""
    target: str = ""


GONE = DriveItem("", "", "gone")


def read_item(raw: dict[str, Any]) -> DriveItem:
    """Return an item from Graph's JSON, in which anything may be missing."""
    parent = raw.get("parentReference") or {}
    size = raw.get("size")
    hashes = (raw.get("file") or {}).get("hashes") or {}
    kind, target = _kind_of(raw)
    return DriveItem(
        parent.get("id") or "",
        str(raw.get("name") or raw.get("id") or "").replace("/", "_"),
        kind,
        size if isinstance(size, int) else None,
        _nanoseconds(raw.get("lastModifiedDateTime")),
        hashes.get("quickXorHash") or "",
        raw.get("eTag") or "",
        target,
    )


def _kind_of(raw: dict[str, Any]) -> tuple[ItemKind, str]:
    """Tell what an item is. A notebook is a folder and a package, so packages are looked for first."""
    if "remoteItem" in raw:
        remote = raw["remoteItem"] or {}
        drive_id = (remote.get("parentReference") or {}).get("driveId") or ""
        ending = "/" if "folder" in remote else ""
        return "shortcut", f"{drive_id}/{remote.get('id') or ''}{ending}"
    if "package" in raw:
        return "package", str((raw["package"] or {}).get("type") or "")
    facets: tuple[tuple[str, ItemKind], ...] = (
        ("root", "root"),
        ("malware", "malware"),
        ("folder", "folder"),
        ("file", "file"),
    )
    return next((kind for facet, kind in facets if facet in raw), "other"), ""


def _nanoseconds(moment: object) -> int | None:
    if not isinstance(moment, str):
        return None
    try:
        return storable_ns(int(datetime.fromisoformat(moment).timestamp()) * 1_000_000_000)
    except (ValueError, OverflowError):
        return None


def encode_item(item: DriveItem) -> str:
    """Return the compact form of an item; ASCII, because a name may hold what is not valid Unicode."""
    values = list(item)
    while values[-1] in ("", None):
        values.pop()
    return json.dumps(values, separators=(",", ":"))


def decode_item(text: str) -> DriveItem:
    """Return the item that `encode_item` wrote."""
    return DriveItem(*json.loads(text))


def fingerprint_of(item: DriveItem, item_id: str) -> str:
    """Return what changes with the content of an item and survives its renaming.

    Hash and size where there is a hash, else the eTag, which also changes for reasons of its own. The item's id keeps
    equal items apart.
    """
    if item.content_hash:
        return f"x:{item.content_hash}:{item.size}:{item_id}"
    return f"e:{item.etag}:{item_id}"


def describe(item: DriveItem, drive_id: str, item_id: str, key: str, uri: str, max_size: int | None) -> Descriptor:
    """Return the descriptor of an item, with the reason when it is not to be fetched."""
    return Descriptor(
        key,
        uri,
        fingerprint_of(item, item_id),
        item.size,
        item.modified_ns,
        _refusal(item, max_size),
        f"{drive_id}/{item_id}",
        metadata={"drive_id": drive_id, "item_id": item_id, "etag": item.etag},
    )


def _refusal(  # noqa: PLR0911 - one return for each reason
    item: DriveItem, max_size: int | None
) -> tuple[str, str] | None:
    if item.kind == "file":
        if max_size is not None and item.size is not None and item.size > max_size:
            return "too_large", too_large(item.size, max_size)
        return None
    if item.kind == "package":
        if item.target.lower() in {"onenote", ""}:
            return "onenote_package", "it is a OneNote notebook, whose pages Microsoft Graph does not give as a file"
        return "package", f"it is a package ({safe_display(item.target, limit=40)}), not a file"
    if item.kind == "malware":
        return "malware", "Microsoft found malware in it and blocks it"
    if item.kind == "shortcut":
        return "shortcut", "it is a shortcut to another library (follow_shortcuts takes what it leads to)"
    return "special_file", "it is neither a file nor a folder"


def too_large(size: int, max_size: int) -> str:
    """Return the sentence that names an item's size and the limit."""
    return f"{humanize.naturalsize(size)}; the limit of this source is {humanize.naturalsize(max_size)}"


def quoted_path(path: str) -> str:
    """Return a path percent-encoded for an address, each segment for itself: also '#', '%' and what is not Unicode."""
    return quote(path.encode("utf-8", "surrogatepass"), safe="/")
