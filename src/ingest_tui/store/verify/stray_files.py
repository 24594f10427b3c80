"""What is in documents/ and trash/ and belongs to no document: folders that nobody knows, and files out of place."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from ingest_tui.model.batching import batches
from ingest_tui.model.identifiers import is_identifier
from ingest_tui.model.inconsistency import Inconsistency
from ingest_tui.store.catalogue.catalogue import Catalogue
from ingest_tui.store.documents import SET_ASIDE, DocumentStore
from ingest_tui.store.fs.atomic import TEMPORARY_PREFIX
from ingest_tui.store.layout import DOCUMENT, REMOVED_COLLECTION, RETIRED, Layout
from ingest_tui.store.verify.remedies import remedy_of_unknown_folder

_AT_ONCE = 500
_OF_DOCUMENT = {DOCUMENT, RETIRED}


def check_strays(layout: Layout, catalogue: Catalogue) -> Iterator[Inconsistency]:
    """Yield the folders without a document, and what is nowhere written by this program."""
    store = DocumentStore(layout)
    for retired, state in ((False, "active"), (True, "retired")):
        for batch in batches(store.walk(retired=retired), _AT_ONCE):
            known = catalogue.documents({document_id for _collection, document_id, _folder in batch})
            for collection_id, document_id, folder in batch:
                document = known.get(document_id)
                is_known = document is not None and (document.state, document.collection_id) == (state, collection_id)
                if not is_known or folder != _place_of(layout, collection_id, document_id, retired=retired):
                    yield unknown_folder(layout, catalogue, folder, state)
                else:
                    yield from _files_of(layout, folder)
    yield from _out_of_place(layout, layout.documents, depth=3)
    yield from _out_of_place(layout, layout.trash, depth=2)


def _place_of(layout: Layout, collection_id: str, document_id: str, *, retired: bool) -> Path:
    if retired:
        return layout.trashed(collection_id, document_id)
    return layout.document(collection_id, document_id)


def unknown_folder(layout: Layout, catalogue: Catalogue, folder: Path, state: str) -> Inconsistency:
    """Return that nobody knows the folder of a document."""
    message = f"a folder of a document, but there is no {state} document of that name"
    remedy = remedy_of_unknown_folder(layout, catalogue, folder)
    return Inconsistency("unknown_folder", str(folder.relative_to(layout.root)), message, own_remedy=remedy)


def _files_of(layout: Layout, folder: Path) -> Iterator[Inconsistency]:
    """Yield what is in the folder of a document besides its versions and its notes."""
    try:
        with os.scandir(folder) as entries:
            names = sorted((entry.name, entry.is_dir(follow_symlinks=False)) for entry in entries)
    except FileNotFoundError:
        return
    for name, is_folder in names:
        is_version = is_folder and name.startswith("v") and name[1:].isdigit()
        if is_version or name in _OF_DOCUMENT or name.startswith(TEMPORARY_PREFIX):
            continue
        why = "a version that was not whole" if SET_ASIDE in name else "nothing of a document"
        yield Inconsistency("unknown_file", str((folder / name).relative_to(layout.root)), why)


def _out_of_place(layout: Layout, folder: Path, *, depth: int) -> Iterator[Inconsistency]:
    """Yield files, links and folders of impossible names where only folders of documents are."""
    try:
        with os.scandir(folder) as entries:
            found = sorted((entry.name, entry.is_dir(follow_symlinks=False), entry.is_symlink()) for entry in entries)
    except (FileNotFoundError, NotADirectoryError):
        return
    for name, is_folder, is_link in found:
        if name.startswith((TEMPORARY_PREFIX, REMOVED_COLLECTION)) or is_link:  # links are reported as such
            continue
        if not is_folder or not is_identifier(name):
            path = str((folder / name).relative_to(layout.root))
            yield Inconsistency("unknown_file", path, "nothing of a document")
        elif depth > 1:
            yield from _out_of_place(layout, folder / name, depth=depth - 1)
