"""What a record was when a client read it: a change that names it is refused once the record is another."""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import BaseModel

from ingest_tui.model.errors import ConflictError
from ingest_tui.model.hashing import short_digest
from ingest_tui.server.answers import json_bytes, plain

_ANY = "*"


def etag_of(record: BaseModel) -> str:
    """Return the ETag of a record: another one whenever anything in it is other, by whomever it was changed."""
    return f'"{short_digest(json_bytes(plain(record)).decode())}"'


def check_match(headers: Mapping[str, str], record: BaseModel, what: str) -> bool:
    """Raise `ConflictError` where If-Match names another state of a record; returns whether it names this one."""
    wanted = headers.get("if-match", "").strip()
    if not wanted or wanted == _ANY:
        return False
    if etag_of(record) not in {one.strip() for one in wanted.split(",")}:
        raise ConflictError(
            f"{what} is not as it was when it was read; nothing was changed",
            hint="read it again, then change what it is now",
        )
    return True
