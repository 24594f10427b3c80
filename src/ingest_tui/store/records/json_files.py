"""Small JSON files: read with their schema version checked, written durably.

Settings (sources, collections, workspace.json) are written under one lock.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import orjson
import pydantic

from ingest_tui.model.errors import NotFoundError, SchemaVersionError, StoreError, ValidationError
from ingest_tui.model.invalid_values import refusal_in_words
from ingest_tui.model.safe_text import safe_display
from ingest_tui.store.fs.atomic import write_durably
from ingest_tui.store.fs.encoding import encode_json
from ingest_tui.store.fs.locks import FileLock
from ingest_tui.store.layout import Layout

RecordModel = TypeVar("RecordModel", bound=pydantic.BaseModel)
_LOCK_SECONDS = 10.0


def read_json(path: Path, *, newest: int, what: str) -> dict[str, Any]:
    """Return the object in ``path``; refuses one of a schema version newer than ``newest``."""
    try:
        data = orjson.loads(path.read_bytes())
    except FileNotFoundError:
        hint = "'ingest-tui job list', 'ingest-tui source list' and 'ingest-tui doc list' show what there is"
        raise NotFoundError(f"{what} does not exist", hint=hint) from None
    except orjson.JSONDecodeError as error:
        raise StoreError(
            f"{what} cannot be read: {safe_display(str(path))} is not JSON ({error})",
            hint="restore the file from a backup, or move it away",
        ) from None
    version = data.get("schema_version") if isinstance(data, dict) else None
    if not isinstance(version, int):
        raise StoreError(f"{what} names no schema_version: {safe_display(str(path))}", hint="was it edited by hand?")
    if version > newest:
        raise SchemaVersionError(
            f"{what} was written by a newer ingest-tui (schema {version}, this one knows {newest}); left untouched",
            hint="upgrade ingest-tui",
        )
    return dict(data)


def read_record(path: Path, model: type[RecordModel], *, newest: int, what: str) -> RecordModel:
    """Return the record in ``path`` as ``model``."""
    try:
        return model.model_validate(read_json(path, newest=newest, what=what))
    except pydantic.ValidationError as error:
        raise StoreError(
            f"{what} is not valid: {refusal_in_words(error)}, in {safe_display(str(path))}",
            hint="correct the file, or restore it from a backup",
        ) from None


def write_record(path: Path, record: pydantic.BaseModel) -> None:
    """Write a record durably, readable by people."""
    write_json(path, record.model_dump(mode="json", by_alias=True))


def write_json(path: Path, data: dict[str, Any]) -> None:
    """Write an object durably, readable by people."""
    try:
        written = encode_json(data, indent=True) + b"\n"
    except TypeError as error:
        if "64-bit" in str(error):
            raise ValidationError("a number is too large to be kept", hint="give a smaller one") from None
        raise ValidationError("a name or pattern is not UTF-8", hint="use UTF-8; ? in a pattern is any sign") from None
    write_durably(path, written)


def refuse_other_name(found: str, expected: str, *, what: str, path: Path) -> None:
    """Raise `StoreError` for a record that names another one than its file does, as a copied file would."""
    if found != expected:
        place = f"{safe_display(str(path))} is the record of '{safe_display(found)}'"
        raise StoreError(
            f"{what} '{safe_display(expected)}' cannot be read: {place}",
            hint="restore the file from a backup, or move it away",
        )


def record_names(folder: Path) -> list[str]:
    """Return the identifiers of the records in a folder, sorted; one that is missing is not one without records."""
    try:
        return sorted(
            path.stem for path in folder.iterdir() if path.suffix == ".json" and not path.name.startswith(".")
        )
    except (FileNotFoundError, NotADirectoryError):
        raise missing_folder(folder) from None


def missing_folder(folder: Path) -> StoreError:
    """Return the error of a folder of records that is gone."""
    return StoreError(
        f"the folder {safe_display(str(folder))} is missing, with all that was in it",
        hint="restore it from a backup; if there was nothing in it, 'mkdir -m 700' makes it again",
    )


@contextmanager
def settings_lock(layout: Layout) -> Iterator[None]:
    """Hold the lock of the settings, for milliseconds. Raises `BusyError`."""
    lock = FileLock(layout.lock("settings"))
    lock.acquire(_LOCK_SECONDS, what="the settings of the workspace")
    with lock:
        yield
