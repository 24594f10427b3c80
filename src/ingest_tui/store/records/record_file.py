"""A record that several people and processes may change: nobody overwrites what they have not seen.

Settings (sources, collections, workspace.json) are written by whoever knows what they are now: a record names its
revision, and a change names the record that it was made from.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Generic

import pydantic

from ingest_tui.model.errors import ConflictError, NotFoundError, UsageError
from ingest_tui.model.revision import changed_fields, conflict, differences
from ingest_tui.store.fs.atomic import sync_folder
from ingest_tui.store.layout import Layout
from ingest_tui.store.records.json_files import (
    RecordModel,
    missing_folder,
    read_json,
    read_record,
    settings_lock,
    write_json,
)
from ingest_tui.store.upgrade import upgrade_workspace


@contextmanager
def changing_settings(layout: Layout) -> Iterator[None]:
    """Keep all others from changing the settings of a workspace, which is upgraded first. Raises `BusyError`."""
    upgrade_workspace(layout)
    with settings_lock(layout):
        yield


class RecordFile(Generic[RecordModel]):
    """One record that several processes, and people with an editor, may change at the same time.

    What a change was made from decides whether it is written, content and revision: who is late gets a
    `ConflictError` that lists the differences, and has written nothing. Fields that this program does not know stay in
    the file. A file without a revision is at revision 0.
    """

    def __init__(self, layout: Layout, path: Path, model: type[RecordModel], *, newest: int, what: str) -> None:
        self._layout = layout
        self._path = path
        self._model = model
        self._newest = newest
        self._what = what

    def read(self) -> RecordModel:
        """Return the record; raises `NotFoundError`, `StoreError` for a damaged one, `SchemaVersionError`."""
        return read_record(self._path, self._model, newest=self._newest, what=self._what)

    def add(self, record: RecordModel) -> RecordModel:
        """Write a record that is not there yet, at revision 1; a file that is there is left alone, damaged or not."""
        with changing_settings(self._layout):
            if self._path.exists():
                raise UsageError(f"{self._what} is already there", hint="choose another name")
            return self._write(record, 1, {})

    def save(self, record: RecordModel, based_on: RecordModel) -> RecordModel:
        """Write a record that was made from ``based_on``, one revision on; returns it as it is written."""
        with changing_settings(self._layout):
            now = self._current(based_on, record)
            return self._write(record, _revision(now) + 1, self._unknown_fields())

    def remove(self) -> None:
        """Remove the record, as it is now; whoever edits it meanwhile gets an error when they save it."""
        with changing_settings(self._layout):
            self._path.unlink(missing_ok=True)
            sync_folder(self._path.parent)

    def _current(self, based_on: RecordModel, record: RecordModel) -> RecordModel:
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

    def _write(self, record: RecordModel, revision: int, unknown: dict[str, Any]) -> RecordModel:
        if not self._path.parent.is_dir():
            raise missing_folder(self._path.parent)
        record = record.model_copy(update={"revision": revision})
        write_json(self._path, unknown | record.model_dump(mode="json", by_alias=True))
        return record

    def _unknown_fields(self) -> dict[str, Any]:
        data = read_json(self._path, newest=self._newest, what=self._what)
        known = {*self._model.model_fields, *getattr(self._model, "former_fields", ())}
        return {name: value for name, value in data.items() if name not in known}


def _revision(record: pydantic.BaseModel) -> int:
    return int(getattr(record, "revision", 0))
