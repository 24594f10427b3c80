"""Choosing files of this machine to upload: the tree of folders, with files that can be marked."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, ClassVar

from textual.binding import Binding, BindingType

from ingest_tui.model.keys import bytes_from_key
from ingest_tui.services.client import Client
from ingest_tui.tui import wording
from ingest_tui.tui.views.sources.places_screen import Branch, Places

_BETWEEN = "\0"


class FilePicker(Places):
    """Lets a person choose files; returns their paths, see `chosen_paths`, or None."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("space", "mark", "mark", id="files.mark", priority=True)]
    keys: ClassVar[str] = "enter upload  space mark  → look into  ← close  / filter  esc back"

    def __init__(self, client: Client, collection_id: str, folder: Path) -> None:
        config: dict[str, Any] = {"path": str(folder)}
        super().__init__(client, "local", config)
        self._title = f"Upload files to collection {collection_id}"
        self._marked: dict[str, None] = {}

    def action_mark(self) -> None:
        """Mark the file under the cursor, or take its mark away; a folder is looked into."""
        self._leave_it_to_the_filter()
        branch: Branch | None = self.table.current
        if branch is None:
            return
        if branch.is_folder:
            self.action_unfold()
            return
        path = branch.place.path
        if path in self._marked:
            del self._marked[path]
        else:
            self._marked[path] = None
        self.table.toggle_mark()
        self.say(f"{wording.plural(len(self._marked), 'file')} marked")

    def action_open(self) -> None:
        """Take the marked files, or the one under the cursor; a folder is looked into."""
        branch: Branch | None = self.table.current
        if self._marked:
            self.dismiss(_BETWEEN.join(self._marked))
        elif branch is not None and branch.is_folder:
            super().action_open()
        elif branch is not None:
            self.dismiss(branch.place.path)

    def action_take(self) -> None:
        """Take the marked files, or the one under the cursor: folders are looked into, not taken."""
        self.action_open()


def chosen_paths(answer: str) -> list[Path]:
    """Return the files that a `FilePicker` has returned."""
    return [Path(os.fsdecode(bytes_from_key(path))) for path in answer.split(_BETWEEN)]
