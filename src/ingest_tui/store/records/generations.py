"""The generations of each collection's vectors: one small file for each collection that has vectors."""

from __future__ import annotations

from collections.abc import Callable

from ingest_tui.model import generation as generations_model
from ingest_tui.model.errors import NotFoundError
from ingest_tui.model.generation import Generations
from ingest_tui.store.fs.atomic import make_inner_folder
from ingest_tui.store.layout import Layout
from ingest_tui.store.records.json_files import read_record, record_names, refuse_other_name, write_record
from ingest_tui.store.records.record_file import changing_settings


class GenerationStore:
    """The generations of all collections. A change is one write of one file: done or not done."""

    def __init__(self, layout: Layout) -> None:
        self._layout = layout

    def collection_ids(self) -> list[str]:
        """Return the collections that have a record, sorted."""
        return record_names(self._layout.generations) if self._layout.generations.is_dir() else []

    def get(self, collection_id: str) -> Generations:
        """Return the generations of a collection, none where no record is; raises `StoreError` for a damaged one."""
        path, what = self._layout.generation_record(collection_id), f"the generations of collection {collection_id!r}"
        try:
            found = read_record(path, Generations, newest=generations_model.SCHEMA_VERSION, what=what)
        except NotFoundError:
            return Generations(collection_id=collection_id)
        refuse_other_name(found.collection_id, collection_id, what="the generations of collection", path=path)
        return found

    def change(
        self, collection_id: str, change: Callable[[Generations], Generations], *, implied: Generations | None = None
    ) -> Generations:
        """Write what ``change`` makes of the generations as they are now; ``implied`` is what no record stands for."""
        with changing_settings(self._layout):
            now = self.get(collection_id)
            changed = change(implied if implied is not None and not now.revision else now)
            if changed == now:
                return now
            changed = changed.model_copy(update={"revision": now.revision + 1})
            make_inner_folder(self._layout.generations)
            write_record(self._layout.generation_record(collection_id), changed)
            return changed
