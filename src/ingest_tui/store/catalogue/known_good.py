"""Whether a catalogue is the one that knows the documents on disk; opened only if it is."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from ingest_tui.model.errors import SchemaVersionError, StoreError
from ingest_tui.store.catalogue.catalogue import Catalogue
from ingest_tui.store.catalogue.connection import LOST, MISSING
from ingest_tui.store.catalogue.mark import Mark, read_marks
from ingest_tui.store.catalogue.sqlite_access import REBUILD_HINT
from ingest_tui.store.layout import Layout


def open_known_good_to_read(layout: Layout, *, upgrades: bool = False) -> Catalogue:
    """As `open_known_good`, for reading only: makes no missing catalogue, and upgrades one only with ``upgrades``."""
    marks = read_marks(layout.catalogue)
    catalogue = Catalogue(layout.catalogue, read_only=True, upgrades=upgrades)
    try:
        _refuse_lost(catalogue, marks, layout)
    except BaseException:
        catalogue.close()
        raise
    return catalogue


def open_known_good(layout: Layout) -> Catalogue:
    """Open the catalogue as it is; raises `StoreError` when it is not the one that knows the documents on disk.

    Where nothing is on disk that a catalogue could know, a missing one is made.
    """
    marks = read_marks(layout.catalogue)  # first: transactions committed meanwhile only make the catalogue newer
    try:
        catalogue = Catalogue(layout.catalogue)
    except SchemaVersionError:
        raise
    except StoreError as error:
        if error.reason != MISSING or _is_anything_known(layout):
            raise
        return Catalogue(layout.catalogue, create=True)
    try:
        _refuse_lost(catalogue, marks, layout, to_write=True)
    except BaseException:
        catalogue.close()
        raise
    return catalogue


def _refuse_lost(
    catalogue: Catalogue, marks: tuple[Mark | None, Mark | None], layout: Layout, *, to_write: bool = False
) -> None:
    """Raise when a catalogue is not the one that knows the documents on disk.

    One without its mark may be an older copy that somebody put there: reading it harms nothing, writing to it would.
    """
    mark, _apart = marks
    loss = catalogue.loss_since(*marks)
    if to_write and mark is None and catalogue.was_marked:
        loss = "may be an older copy: the note of its newest transaction is missing"
    if mark is None and not catalogue.value("SELECT 1 FROM documents LIMIT 1"):
        loss = "knows none of the documents on disk"
    if loss and _is_anything_known(layout):
        raise StoreError(f"the catalogue {loss}", hint=REBUILD_HINT, code=LOST)


def _is_anything_known(layout: Layout) -> bool:
    """Whether there is anything on disk that a catalogue has to know: documents, or what people removed."""
    return any(version_folders(layout)) or layout.removals.exists()


def version_folders(layout: Layout) -> Iterator[Path]:
    """Yield the version folders in documents/ and trash/, whatever is in them, one after the other."""
    yield from _version_folders(layout.documents, depth=3)
    yield from _version_folders(layout.trash, depth=2)


def _version_folders(folder: Path, *, depth: int) -> Iterator[Path]:
    try:
        with os.scandir(folder) as entries:
            names = [entry.name for entry in entries if entry.is_dir(follow_symlinks=False)]
    except (FileNotFoundError, NotADirectoryError):
        return
    for name in names:
        if depth:
            yield from _version_folders(folder / name, depth=depth - 1)
        elif name.startswith("v") and name[1:].isdigit():
            yield folder / name
