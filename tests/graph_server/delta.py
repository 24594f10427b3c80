"""driveItem: delta. A token holds the span of changes that is being reported, and how far the telling has come."""

from __future__ import annotations

import base64
import binascii
import json
from typing import Any

from tests.graph_server.http_service import RefusalError
from tests.graph_server.items import Drive, Item
from tests.graph_server.state import State

Entry = tuple[str, str]
"""What is reported, and of which item: ("live", id), ("stale", id) or ("gone", id)."""


def page(state: State, drive: Drive, token: str | None, options: dict[str, str]) -> dict[str, Any]:
    """Return one page of a delta."""
    from tests.graph_server.graph_api import page_size

    if not state.knobs.delta_supported:
        raise RefusalError(400, "BadRequest", "Resource not found for the segment 'delta'.")
    select = options.get("$select")
    if token == "latest":
        return {"value": [], "@odata.deltaLink": _link(state, drive, _token(state, drive.sequence, None, 0, 0, select))}
    if token:
        since, until, start, number, select, size = _read(state, drive, token)
    else:
        since, until, start, number, size = 0, None, 0, 0, page_size(state, options)
    until = drive.sequence if until is None else until
    size = min(size, state.knobs.largest_page)
    entries = _sequence(state, drive, since, until)
    told = entries[start : start + size]
    answer: dict[str, Any] = {"value": [value for entry in told if (value := _tell(state, drive, entry, select))]}
    number += 1
    if number == state.knobs.delta_page_without_link:
        return answer
    if start + size < len(entries):
        next_token = _token(state, since, until, start + size, number, select, size)
        answer["@odata.nextLink"] = _link(state, drive, next_token)
    else:
        answer["@odata.deltaLink"] = _link(state, drive, _token(state, until, None, 0, 0, select, size))
    return answer


def _sequence(state: State, drive: Drive, since: int, until: int) -> list[Entry]:
    """Return what is to be told of the changes in a span, in order; kept, because every page needs it."""
    key = (since, until, state.knobs.delta_repeats)
    found = drive.delta_sequences.get(key)
    if found is not None:
        return found
    live = sorted((item.sequence, item.item_id) for item in drive.items.values() if since < item.sequence <= until)
    gone = sorted((sequence, item_id) for item_id, (sequence, _) in drive.deleted.items() if since < sequence <= until)
    entries: list[Entry] = [("gone", item_id) for _, item_id in gone] if since else []
    if since and (live or gone):
        # The hierarchy above a change is told of as well, the root first.
        entries.append(("live", drive.root.item_id))
    for position, (_, item_id) in enumerate(live):
        if state.knobs.delta_repeats and position % 3 == 1:
            entries.append(("stale", item_id))
    entries += [("live", item_id) for _, item_id in live]
    if len(drive.delta_sequences) > 50:
        drive.delta_sequences.clear()
    drive.delta_sequences[key] = entries
    return entries


def _tell(state: State, drive: Drive, entry: Entry, select: str | None) -> dict[str, Any] | None:
    from tests.graph_server.graph_api import item_json

    what, item_id = entry
    if what == "gone":
        told: dict[str, Any] = {"id": item_id, "deleted": {"state": "deleted"}}
        if state.knobs.deleted_with_names:
            told["name"] = "gone"
        return told
    item: Item | None = drive.items.get(item_id)
    if item is None:
        return None
    value = item_json(state, drive, item, select, in_delta=True)
    if what == "stale":
        value |= {"name": f"stale {item.name}", "eTag": '"stale"'}
    return value


def _token(
    state: State, since: int, until: int | None, start: int, number: int, select: str | None, size: int = 200
) -> str:
    fields = [state.delta_epoch, since, until, start, number, select, size]
    return base64.urlsafe_b64encode(json.dumps(fields).encode()).decode().rstrip("=")


def _read(state: State, drive: Drive, token: str) -> tuple[int, int | None, int, int, str | None, int]:
    try:
        epoch, since, until, start, number, select, size = json.loads(
            base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))
        )
    except (binascii.Error, ValueError):
        raise RefusalError(400, "invalidRequest", "The sync token is malformed.") from None
    if epoch != state.delta_epoch:
        location = _link(state, drive, _token(state, 0, None, 0, 0, select, size))
        raise RefusalError(
            410,
            state.knobs.resync_code,
            "Resync required. Replace any local items with the server's version.",
            headers={"Location": location} if state.knobs.resync_location else {},
            inner_code=state.knobs.resync_code,
        )
    return since, until, start, number, select, size


def _link(state: State, drive: Drive, token: str) -> str:
    base = f"{state.graph_url}/v1.0/drives/{drive.drive_id}/root/delta"
    return f"{base}(token='{token}')" if state.knobs.delta_token_in_parentheses else f"{base}?token={token}"
