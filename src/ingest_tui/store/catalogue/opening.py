"""Opening the catalogue: absence is not emptiness.

A catalogue that is missing, empty, damaged or behind what was committed says nothing about the documents on disk.
Whoever opens it has it made again from them first, or is refused with the command that does it.
"""

from __future__ import annotations

import apsw

from ingest_tui.model.errors import BusyError, DiskFullError, StoreError
from ingest_tui.store.catalogue.catalogue import Catalogue
from ingest_tui.store.catalogue.connection import LOST, MISSING
from ingest_tui.store.catalogue.known_good import open_known_good, open_known_good_to_read
from ingest_tui.store.catalogue.rebuild_progress import ProgressListener, no_listener
from ingest_tui.store.catalogue.sqlite_access import DAMAGED, REBUILD_HINT
from ingest_tui.store.fs.disk import means_disk_full
from ingest_tui.store.layout import Layout
from ingest_tui.store.upgrade import upgrade_workspace

_LOST_CODES = {MISSING, DAMAGED, LOST}


def open_catalogue(layout: Layout, on_progress: ProgressListener = no_listener) -> Catalogue:
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
    try:
        from ingest_tui.store.catalogue.rebuild import rebuild_lost  # seldom needed, and felt at each start

        rebuild_lost(layout, reason, on_progress)
        return open_known_good(layout)
    except (OSError, apsw.Error) as error:
        raise _not_made_again(layout, reason, error) from None
    except BusyError as error:
        raise BusyError(f"{reason}, and {error.message}", hint=f"try again in a moment; {REBUILD_HINT}") from None


def open_catalogue_to_read(layout: Layout, on_progress: ProgressListener = no_listener) -> Catalogue:
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
