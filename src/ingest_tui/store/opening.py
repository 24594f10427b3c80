"""Opening the catalogue: absence is not emptiness.

A catalogue that is missing, empty, damaged or behind what was committed says nothing about the documents on disk.
Whoever opens it has it made again from them first, or is refused with the command that does it.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import apsw

from ingest_tui.model.errors import BusyError, DiskFullError, SchemaVersionError, StoreError
from ingest_tui.store.catalogue import LOST, MISSING, Catalogue
from ingest_tui.store.disk import means_disk_full
from ingest_tui.store.layout import Layout
from ingest_tui.store.mark import Mark, read_marks
from ingest_tui.store.sqlite_access import DAMAGED, REBUILD_HINT
from ingest_tui.store.upgrade import upgrade_workspace

_LOST_CODES = {MISSING, DAMAGED, LOST}


class RebuildProgress(NamedTuple):
    """How far the catalogue is made again: why, how many documents so far, and whether that is all.

    ``problems``: how many folders are not what was committed, known at the end.
    """

    reason: str
    documents: int
    ended: bool = False
    problems: int = 0

    def in_words(self) -> str:
        """Return what happens, for a log or a person: that it begins, or how it ended."""
        if not self.ended:
            begins = "rebuilding the catalogue from the documents on disk"
            return f"{self.reason}; {begins}" if self.reason else begins
        damaged = f"; {self.problems} folders are damaged, 'ingest-tui rebuild' lists them" if self.problems else ""
        return f"the catalogue is rebuilt: {self.documents:,} documents{damaged}"


ProgressListener = Callable[[RebuildProgress], None]


def unheard(_progress: RebuildProgress) -> None:
    """Listen to no progress."""


def open_catalogue(layout: Layout, on_progress: ProgressListener = unheard) -> Catalogue:
    """Open the catalogue that knows the documents on disk, making it again first where it was lost.

    Raises `StoreError` with the code ``catalogue_lost`` where it cannot be made again here, `BusyError` when another
    process is in the way for too long. Never called under the commit lock, which a rebuild needs. A workspace of an
    older program is upgraded first.
    """
    upgrade_workspace(layout)
    try:
        return open_known_good(layout)
    except StoreError as error:
        if error.reason not in _LOST_CODES:
            raise
        reason = error.message
    from ingest_tui.store.rebuild import rebuild_lost  # it needs what opens a catalogue

    try:
        rebuild_lost(layout, reason, on_progress)
        return open_known_good(layout)
    except (OSError, apsw.Error) as error:
        raise _not_made_again(layout, reason, error) from None
    except BusyError as error:
        raise BusyError(f"{reason}, and {error.message}", hint=f"try again in a moment; {REBUILD_HINT}") from None


def open_catalogue_to_read(layout: Layout, on_progress: ProgressListener = unheard) -> Catalogue:
    """Open the catalogue for reading only, on a full or read-only disk too.

    Only one that was lost, or was never made, needs to be written first: as by `open_catalogue`, which raises why not.
    One of an older program is upgraded where it can be, or read from an upgraded copy.
    """
    try:
        return open_known_good_to_read(layout, upgrades=_is_upgraded(layout))
    except StoreError as error:
        if error.reason not in _LOST_CODES:
            raise
        lost = error.message
    try:
        open_catalogue(layout, on_progress).close()
    except (StoreError, OSError, apsw.Error) as error:
        raise _not_made_again(layout, lost, error) from None
    return open_known_good_to_read(layout)


def _not_made_again(layout: Layout, lost: str, error: Exception) -> StoreError:
    """Return why a catalogue that was lost cannot be made again here, and what to do."""
    if means_disk_full(error, layout.root):
        return DiskFullError(
            f"{lost}, and there is no room on the disk to make it again",
            hint="free some space; the next command makes it again",
        )
    if isinstance(error, StoreError) and error.reason in {LOST, DiskFullError.code}:
        return error
    why = error.message if isinstance(error, StoreError) else getattr(error, "strerror", "") or str(error)
    return StoreError(f"{lost}, and cannot be made again here: {why}", hint=REBUILD_HINT, code=LOST)


def _is_upgraded(layout: Layout) -> bool:
    """Whether the workspace is of the present schema now: not where nothing can be written or an older worker lives."""
    try:
        upgrade_workspace(layout)
    except (BusyError, OSError):
        return False
    return True


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
        if error.reason != MISSING or any(version_folders(layout)):
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
    if loss and any(version_folders(layout)):
        raise StoreError(f"the catalogue {loss}", hint=REBUILD_HINT, code=LOST)


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
