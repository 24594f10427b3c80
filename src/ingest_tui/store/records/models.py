"""Models that somebody registered (embedders, rerankers) on disk: one small file each, in a folder of their kind."""

from __future__ import annotations

from pathlib import Path
from typing import Generic, TypeVar

from ingest_tui.model.errors import IngestError, NotFoundError
from ingest_tui.model.identifiers import check_identifier
from ingest_tui.model.registered_model import SCHEMA_VERSION, RegisteredModel
from ingest_tui.model.safe_text import safe_display
from ingest_tui.model.similar_names import did_you_mean
from ingest_tui.store.fs.atomic import make_inner_folder
from ingest_tui.store.layout import Layout
from ingest_tui.store.records.json_files import record_names, refuse_other_name
from ingest_tui.store.records.record_file import RecordFile

Registered = TypeVar("Registered", bound=RegisteredModel)


class ModelStore(Generic[Registered]):
    """The models of one kind in a workspace, which messages and commands call ``noun``."""

    def __init__(self, layout: Layout, record: type[Registered], folder: Path, noun: str) -> None:
        """``folder`` is made with the first model."""
        self.noun = noun
        self._layout = layout
        self._record = record
        self._folder = folder

    def path(self, identifier: str) -> Path:
        """Return where the record of a model is; raises `ValueError` for what is no identifier."""
        return self._folder / f"{check_identifier(identifier)}.json"

    def names(self) -> list[str]:
        """Return the identifiers of all models, sorted."""
        return record_names(self._folder) if self._folder.is_dir() else []

    def all(self) -> list[Registered]:
        """Return all models whose record can be read, sorted by identifier; `unreadable` names the others."""
        return [model for model in map(self._get_if_readable, self.names()) if model is not None]

    def unreadable(self) -> list[str]:
        """Return the identifiers of models whose record cannot be read; `doctor` reports why."""
        return [name for name in self.names() if self._get_if_readable(name) is None]

    def _get_if_readable(self, name: str) -> Registered | None:
        try:
            return self.get(name)
        except IngestError:
            return None

    def exists(self, identifier: str) -> bool:
        """Return whether there is a model of that identifier."""
        return self.path(identifier).exists()

    def get(self, identifier: str) -> Registered:
        """Return a model; raises `NotFoundError`, and `StoreError` for one whose record is damaged."""
        if not self.exists(identifier):
            raise NotFoundError(
                f"there is no {self.noun} '{safe_display(identifier)}'",
                hint=f"{did_you_mean(identifier, self.names())}'ingest-tui {self.noun} list' shows them;"
                f" 'ingest-tui {self.noun} add TYPE NAME' adds one",
                **{f"{self.noun}_id": identifier},
            )
        model = self._file(identifier).read()
        refuse_other_name(model.identifier, identifier, what=self.noun, path=self.path(identifier))
        return model

    def add(self, model: Registered) -> Registered:
        """Write a new record durably; raises `UsageError` when there is a file of that name, damaged or not."""
        make_inner_folder(self._folder)
        return self._file(model.identifier).add(model)

    def save(self, model: Registered, based_on: Registered) -> Registered:
        """Write a record that was made from ``based_on``; raises `ConflictError` for whoever is late."""
        return self._file(model.identifier).save(model, based_on)

    def remove(self, identifier: str) -> None:
        """Forget a model; what it made, and its own files, stay where they are."""
        self._file(identifier).remove()

    def _file(self, identifier: str) -> RecordFile[Registered]:
        path, what = self.path(identifier), f"{self.noun} {identifier!r}"
        return RecordFile(self._layout, path, self._record, newest=SCHEMA_VERSION, what=what)
