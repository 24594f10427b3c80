"""The folder that a backup is restored to: empty before, and no workspace until everything in it is checked."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from ingest_tui.model.errors import BusyError, RefusedError
from ingest_tui.model.safe_text import safe_display
from ingest_tui.store.access import refuse_inside_another
from ingest_tui.store.fs.atomic import FOLDER_MODE, make_folder, remove_tree, sync_filesystem, sync_folder
from ingest_tui.store.fs.locks import FileLock
from ingest_tui.store.layout import Layout


@contextmanager
def filled_workspace(root: Path) -> Iterator[Path]:
    """Give the folder to fill: ``root`` itself; what is to be its workspace.json is written as `held_back` names it.

    What an earlier restore left that was killed is removed first. What is raised meanwhile leaves ``root`` empty, or
    not there if it was not, and with it the folders above that were made for it. Raises `RefusedError` for a folder
    with other things in it or inside a workspace, `BusyError` while another restore fills it.
    """
    layout = Layout(root)
    made = [folder for folder in (root, *root.parents) if not folder.is_dir()]
    _refuse_what_is_there(layout)
    refuse_inside_another(root)
    make_folder(root, durable=True)
    lock = FileLock(layout.restore_mark)
    if not lock.try_acquire():
        raise BusyError("another restore fills this folder", hint="wait until it is done")
    with lock:
        _refuse_what_is_there(layout)  # somebody may have been faster
        _empty(layout)
        try:
            root.chmod(FOLDER_MODE)
            yield root
            for folder in layout.folders:
                make_folder(folder)
            sync_filesystem(root)
            os.rename(held_back(layout), layout.settings)  # noqa: PTH104 - the system call is the point
            sync_folder(root)
            layout.restore_mark.unlink()
        except BaseException:
            with suppress(OSError):
                _give_up(layout, made)
            raise
    sync_folder(root)


def held_back(layout: Layout) -> Path:
    """Return where workspace.json waits until all the rest is there."""
    return layout.root / f"{layout.restore_mark.name}.settings"


def _refuse_what_is_there(layout: Layout) -> None:
    root = layout.root
    shown = safe_display(str(root))
    hint = "name a folder that is empty, or is not there yet"
    if not os.path.lexists(root):
        return
    if not root.is_dir():
        raise RefusedError(f"{shown} is there, and is no folder", hint=hint)
    if layout.settings.exists() or (any(root.iterdir()) and not layout.restore_mark.exists()):
        raise RefusedError(f"{shown} is not empty; nothing was restored", hint=hint)


def _empty(layout: Layout) -> None:
    for path in layout.root.iterdir():
        if path == layout.restore_mark:
            continue
        if path.is_dir() and not path.is_symlink():
            remove_tree(path)
        else:
            path.unlink()


def _give_up(layout: Layout, made: Iterable[Path]) -> None:
    """Empty the folder, and remove the folders that were ``made``, the innermost first, if nobody else uses them."""
    with suppress(IsADirectoryError):
        layout.settings.unlink(missing_ok=True)  # first: what is half empty is no workspace
    _empty(layout)
    layout.restore_mark.unlink(missing_ok=True)
    for folder in made:
        folder.rmdir()
