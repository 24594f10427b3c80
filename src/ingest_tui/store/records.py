"""Small JSON files: read with their schema version checked, written durably."""

from __future__ import annotations

from pathlib import Path
from typing import Any, TypeVar

import orjson
import pydantic

from ingest_tui.model.errors import NotFoundError, SchemaVersionError, StoreError, ValidationError
from ingest_tui.model.naming import safe_display
from ingest_tui.store.atomic import write_durably
from ingest_tui.store.encoding import encode_json

Record = TypeVar("Record", bound=pydantic.BaseModel)


def read_json(path: Path, *, newest: int, what: str) -> dict[str, Any]:
    """Return the object in ``path``; refuses one of a schema version newer than ``newest``."""
    try:
        data = orjson.loads(path.read_bytes())
    except FileNotFoundError:
        hint = "'ingest-tui status' and the 'list' commands show what there is"
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


def read_record(path: Path, model: type[Record], *, newest: int, what: str) -> Record:
    """Return the record in ``path`` as ``model``."""
    try:
        return model.model_validate(read_json(path, newest=newest, what=what))
    except pydantic.ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        raise StoreError(
            f"{what} is not valid: {place}: {first['msg']} in {safe_display(str(path))}",
            hint="correct the file, or restore it from a backup",
        ) from None


def write_record(path: Path, record: pydantic.BaseModel) -> None:
    """Write a record durably, readable by people."""
    data = record.model_dump(mode="json", by_alias=True)
    try:
        written = encode_json(data, indent=True) + b"\n"
    except TypeError:
        raise ValidationError("a name or pattern is not UTF-8", hint="use UTF-8; ? in a pattern is any sign") from None
    write_durably(path, written)


def record_names(folder: Path) -> list[str]:
    """Return the identifiers of the records in a folder, sorted."""
    try:
        return sorted(
            path.stem for path in folder.iterdir() if path.suffix == ".json" and not path.name.startswith(".")
        )
    except FileNotFoundError:
        return []
