"""What keeps a workspace safe to open: its owner, who else may write in it, links, and its file system."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from ingest_tui.model.errors import RefusedError
from ingest_tui.model.safe_text import safe_display
from ingest_tui.store.fs.atomic import refuse_linked_folder
from ingest_tui.store.fs.filesystem import filesystem_type, is_network
from ingest_tui.store.layout import Layout
from ingest_tui.store.users import user_name


def refuse_network_filesystem(root: Path, existing: Path) -> None:
    """Raise `RefusedError` when ``existing``, the nearest folder of ``root`` that is there, is on a network."""
    kind = filesystem_type(existing)
    if is_network(kind):
        raise RefusedError(
            f"the workspace {safe_display(str(root))} is on a network file system ({kind}), which does not keep locks "
            "and databases safe",
            hint="choose a folder on a local disk with --workspace DIR; or, if only one machine at a time will use it, "
            "'ingest-tui init --allow-network-filesystem' sets \"allow_network_filesystem\": true in workspace.json",
            code="network_filesystem",
        )


def refuse_what_others_can_write(layout: Layout) -> None:
    """Raise `RefusedError` when somebody else could plant documents, jobs or settings: a handful of stats."""
    user = os.geteuid()
    status = layout.root.stat()
    if user not in {0, status.st_uid}:
        raise RefusedError(
            f"the workspace {safe_display(str(layout.root))} belongs to another user ({user_name(status.st_uid)})",
            hint="use a workspace of your own, or 'chown' this one with all it holds",
        )
    refuse_linked_folders(layout)
    for path in (layout.root, layout.settings, *layout.folders):
        try:
            mode = path.stat().st_mode
        except FileNotFoundError:
            continue
        if mode & (stat.S_IWGRP | stat.S_IWOTH):
            what = "the workspace" if path == layout.root else "in the workspace,"
            raise RefusedError(
                f"{what} {safe_display(str(path))} can be written by other users",
                hint=f"chmod {'600' if path == layout.settings else '700'} {safe_display(str(path))}",
            )


def refuse_inside_another(root: Path) -> None:
    """Raise `RefusedError` for a new workspace in the folders of another one, whose repair would take it apart."""
    for parent in Path(os.path.realpath(root)).parents:
        other = Layout(parent)
        if all(map(os.path.exists, (other.settings, other.documents, other.locks))):
            raise RefusedError(
                f"{safe_display(str(root))} is inside the workspace {safe_display(str(parent))}; nothing was written",
                hint="name a folder outside of it",
            )


def refuse_linked_folders(layout: Layout) -> None:
    """Raise `RefusedError` where the program would write through a link: once for each command and each job.

    Looks at the folders of the workspace, and at those of the collections with their parts (256 at most); folders
    further inside are looked at when they are written in.
    """
    refuse_linked_folder(layout.settings)
    for folder in (*layout.folders, *layout.folders_made_when_needed):
        refuse_linked_folder(folder)
    _refusing_links(layout.trash)
    for collection in _refusing_links(layout.documents):
        _refusing_links(collection)


def _refusing_links(parent: Path | str) -> list[str]:
    """Return the folders in a folder; raises `RefusedError` for a link among its entries.

    Plain paths: a collection has 256 parts, and this is done for each request to a server.
    """
    try:
        with os.scandir(parent) as entries:
            found = list(entries)
    except (FileNotFoundError, NotADirectoryError, PermissionError):
        return []
    for entry in found:
        if entry.is_symlink():
            refuse_linked_folder(entry.path)
    return [entry.path for entry in found if entry.is_dir(follow_symlinks=False)]
