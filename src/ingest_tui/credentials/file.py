"""The registry file on disk: read only when it is private, written durably, what is not understood is kept."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ingest_tui.credentials.private_files import ANYBODY_ELSE, Strictness, read_private_file
from ingest_tui.model.errors import SchemaVersionError, StoreError
from ingest_tui.model.safe_text import safe_display
from ingest_tui.store.fs.atomic import make_folder, write_durably

SCHEMA_VERSION = 1
_OURS_ALONE = Strictness(ANYBODY_ELSE)

Identity = tuple[int, ...]


@dataclass(frozen=True, slots=True, repr=False)
class CredentialsFile:
    """The whole file. ``identity`` says whether it was replaced or changed since; None: there was no file.

    ``changed_at_ns`` is when it was last changed, in nanoseconds since the epoch.
    """

    content: dict[str, Any]
    identity: Identity | None
    changed_at_ns: int = 0

    @property
    def entries(self) -> dict[str, Any]:
        """The entries by name, as they are written."""
        entries: dict[str, Any] = self.content["credentials"]
        return entries


def identity_of(path: Path) -> Identity | None:
    """Return what changes with any change of the file: where it is, when and how it was written, who may read it."""
    try:
        return _identity(path.stat())
    except FileNotFoundError:
        return None


def _identity(status: os.stat_result) -> Identity:
    return (
        status.st_dev, status.st_ino, status.st_mtime_ns, status.st_ctime_ns, status.st_size, status.st_mode,
        status.st_uid,
    )  # fmt: skip


def read_credentials_file(path: Path) -> CredentialsFile:
    """Return the file; an empty document when there is none.

    Raises `RefusedError` when others could have read or written it, `SchemaVersionError` for a newer one, and
    `StoreError` naming the line for one that is not as it must be. It is never changed by reading.
    """
    try:
        file = read_private_file(path, _OURS_ALONE, what="the credentials file")
    except FileNotFoundError:
        return CredentialsFile({"schema_version": SCHEMA_VERSION, "credentials": {}}, None)
    content = _parse(file.data, safe_display(str(path)))
    return CredentialsFile(content, _identity(file.status), max(file.status.st_mtime_ns, file.status.st_ctime_ns))


def write_credentials_file(path: Path, content: dict[str, Any]) -> None:
    """Write the file durably, 0600. A link is kept: what it leads to is replaced."""
    target = Path(os.path.realpath(path))
    make_folder(target.parent)
    write_durably(target, (json.dumps(content, indent=2, ensure_ascii=False) + "\n").encode())


def _parse(data: bytes, shown: str) -> dict[str, Any]:
    # Messages never quote the file: what cannot be read may be a secret.
    hint = "correct the file; nothing was changed"
    try:
        content = json.loads(data.decode("utf-8-sig"), object_pairs_hook=_without_doubles)
    except json.JSONDecodeError as error:
        problem = error.msg.partition(":")[0].removesuffix(" at")
        where = f"line {error.lineno}, column {error.colno}"
        raise StoreError(f"{shown} is not JSON: {problem} in {where}", hint=hint) from None
    except UnicodeDecodeError:
        raise StoreError(f"{shown} is not text in UTF-8", hint=hint) from None
    except RecursionError:
        raise StoreError(f"{shown} is nested too deeply", hint=hint) from None
    except _DoubledNameError as error:
        raise StoreError(f"{shown} has '{safe_display(str(error))}' twice in one place", hint=hint) from None
    version = content.get("schema_version") if isinstance(content, dict) else None
    if not isinstance(version, int):
        raise StoreError(f"{shown} names no schema_version", hint=f"it begins with schema_version {SCHEMA_VERSION}")
    if version > SCHEMA_VERSION:
        raise SchemaVersionError(
            f"{shown} was written by a newer ingest-tui (schema {version}, this one knows {SCHEMA_VERSION});"
            " left untouched",
            hint="upgrade ingest-tui",
        )
    if not isinstance(content.get("credentials"), dict):
        raise StoreError(f"{shown} has no 'credentials', from names to entries", hint=hint)
    return dict(content)


class _DoubledNameError(Exception):
    """A name is there twice in one object; JSON would silently drop the first."""


def _without_doubles(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        raise _DoubledNameError(next(name for name in names if names.count(name) > 1))
    return found
