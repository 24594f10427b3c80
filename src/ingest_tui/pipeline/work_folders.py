"""Where connectors keep files: in the workspace for jobs, in a folder that goes for those who only look."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path

from ingest_tui.store.fs.atomic import FOLDER_MODE, make_inner_folder
from ingest_tui.store.fs.disk import room_in
from ingest_tui.store.fs.leftovers import scratch_folder
from ingest_tui.store.workspace import Workspace


class FolderOfJobs:
    """`WorkFolder` of the jobs of one source, which come one at a time."""

    def __init__(self, workspace: Workspace, source_id: str) -> None:
        self._workspace = workspace
        self._path = workspace.layout.kept_files(source_id)

    def path(self) -> Path:
        """Return the folder that stays."""
        make_inner_folder(self._path.parent)
        make_inner_folder(self._path)
        return self._path

    def lender(self) -> Path | None:
        """Return None: it has the folder itself."""
        return None

    def room(self) -> int:
        """Return what is free on the disk, but for the reserve."""
        room = self._workspace.room()
        return max(0, room.free - room.reserve)


class FolderOfLook:
    """`WorkFolder` of a look at a source: removed at its end, or swept when its process was killed."""

    def __init__(self, workspace: Workspace, source_id: str | None, until_closed: ExitStack) -> None:
        self._workspace = workspace
        self._source_id = source_id
        self._until_closed = until_closed
        self._made: Path | None = None

    def path(self) -> Path:
        """Return a folder of this look alone."""
        if self._made is None:
            self._made = self._until_closed.enter_context(scratch_folder(self._workspace)) / "files"
        self._made.mkdir(mode=FOLDER_MODE, exist_ok=True)
        return self._made

    def lender(self) -> Path | None:
        """Return the folder of the jobs, where there is one."""
        return None if self._source_id is None else self._workspace.layout.kept_files(self._source_id)

    def room(self) -> int:
        """Return what is free on the disk of the folder, but for the reserve of the workspace."""
        reserve = self._workspace.settings.disk_reserve
        room = room_in(self.path(), None if reserve is None else int(reserve))
        return max(0, room.free - room.reserve)
