"""Small JSON files: read with their schema version checked, written durably, fenced against each other.

Settings (sources, collections, workspace.json) are written under one lock, by whoever knows what they are now: a
record names its revision, and a change names the record that it was made from (`RecordFile`).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Generic, TypeVar

import orjson
import pydantic

from ingest_tui.model.errors import (
    ConflictError,
    NotFoundError,
    SchemaVersionError,
    StoreError,
    UsageError,
    ValidationError,
)
from ingest_tui.model.naming import safe_display
from ingest_tui.model.revision import changed_fields, conflict, differences
from ingest_tui.store.atomic import sync_folder, write_durably
from ingest_tui.store.encoding import encode_json
from ingest_tui.store.layout import Layout
from ingest_tui.store.locks import FileLock

Record = TypeVar("Record", bound=pydantic.BaseModel)
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
        place = f"{safe_display(str(path))} is the record of {safe_display(found)!r}"
        raise StoreError(
            f"{what} {safe_display(expected)!r} cannot be read: {place}",
            hint="restore the file from a backup, or move it away",
        )


def record_names(folder: Path) -> list[str]:
    """Return the identifiers of the records in a folder, sorted; one that is missing is not one without records."""
    try:
        return sorted(
            path.stem for path in folder.iterdir() if path.suffix == ".json" and not path.name.startswith(".")
        )
    except (FileNotFoundError, NotADirectoryError):
        raise _missing_folder(folder) from None


def _missing_folder(folder: Path) -> StoreError:
    return StoreError(
        f"the folder {safe_display(str(folder))} is missing, with all that was in it",
        hint="restore it from a backup; if there was nothing in it, 'mkdir -m 700' makes it again",
    )


@contextmanager
def changing_settings(layout: Layout) -> Iterator[None]:
    """Keep all others from changing the settings of a workspace, which is upgraded first. Raises `BusyError`."""
    from ingest_tui.store.upgrade import upgrade_workspace  # it needs the lock itself

    upgrade_workspace(layout)
    with settings_lock(layout):
        yield


@contextmanager
def settings_lock(layout: Layout) -> Iterator[None]:
    """Hold the lock of the settings, for milliseconds. Raises `BusyError`."""
    lock = FileLock(layout.lock("settings"))
    lock.acquire(_LOCK_SECONDS, what="the settings of the workspace")
    with lock:
        yield


class RecordFile(Generic[Record]):
    """One record that several processes, and people with an editor, may change at the same time.

    What a change was made from decides whether it is written, content and revision: who is late gets a
    `ConflictError` that lists the differences, and has written nothing. Fields that this program does not know stay in
    the file. A file without a revision is at revision 0.
    """

    def __init__(self, layout: Layout, path: Path, model: type[Record], *, newest: int, what: str) -> None:
        self._layout = layout
        self._path = path
        self._model = model
        self._newest = newest
        self._what = what

    def read(self) -> Record:
        """Return the record; raises `NotFoundError`, `StoreError` for a damaged one, `SchemaVersionError`."""
        return read_record(self._path, self._model, newest=self._newest, what=self._what)

    def add(self, record: Record) -> Record:
        """Write a record that is not there yet, at revision 1; a file that is there is left alone, damaged or not."""
        with changing_settings(self._layout):
            if self._path.exists():
                raise UsageError(f"{self._what} is already there", hint="choose another name")
            return self._write(record, 1, {})

    def save(self, record: Record, based_on: Record) -> Record:
        """Write a record that was made from ``based_on``, one revision on; returns it as it is written."""
        with changing_settings(self._layout):
            now = self._current(based_on, record)
            return self._write(record, _revision(now) + 1, self._unknown_fields())

    def remove(self) -> None:
        """Remove the record, as it is now; whoever edits it meanwhile is told so when they save it."""
        with changing_settings(self._layout):
            self._path.unlink(missing_ok=True)
            sync_folder(self._path.parent)

    def _current(self, based_on: Record, record: Record) -> Record:
        """Return the record as it is now, which is ``based_on``."""
        try:
            now = self.read()
        except NotFoundError:
            raise ConflictError(
                f"{self._what} was removed by somebody else meanwhile; nothing was saved",
                hint="add it again if it is still wanted",
                differences=[],
            ) from None
        base, theirs = based_on.model_dump(mode="json"), now.model_dump(mode="json")
        if changed_fields(base, theirs):
            found = differences(record.model_dump(mode="json"), theirs)
            if found:
                raise conflict(self._what, found, now)
        return now

    def _write(self, record: Record, revision: int, unknown: dict[str, Any]) -> Record:
        if not self._path.parent.is_dir():
            raise _missing_folder(self._path.parent)
        record = record.model_copy(update={"revision": revision})
        write_json(self._path, unknown | record.model_dump(mode="json", by_alias=True))
        return record

    def _unknown_fields(self) -> dict[str, Any]:
        data = read_json(self._path, newest=self._newest, what=self._what)
        known = {*self._model.model_fields, *getattr(self._model, "former_fields", ())}
        return {name: value for name, value in data.items() if name not in known}


def _revision(record: pydantic.BaseModel) -> int:
    return int(getattr(record, "revision", 0))
