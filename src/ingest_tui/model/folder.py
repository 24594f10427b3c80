"""Folders of documents: what their keys have in common up to a slash. Pure."""

from __future__ import annotations

from typing import NamedTuple

SEPARATOR = "/"


class Folder(NamedTuple):
    """A folder of a source: the keys of its documents begin with ``path``, which is empty or ends with a slash.

    Without ``source_id`` it is what is above all sources, and its folders are these.
    """

    source_id: str = ""
    path: str = ""

    @property
    def above(self) -> Folder | None:
        """The folder that it is in; None above all sources."""
        if not self.source_id:
            return None
        if not self.path:
            return Folder()
        return Folder(self.source_id, self.path[: self.path.rstrip(SEPARATOR).rfind(SEPARATOR) + 1])

    def inner(self, name: str) -> Folder:
        """Return a folder in it: ``name`` is that of a source, or ends with a slash."""
        return Folder(self.source_id, self.path + name) if self.source_id else Folder(name)

    def name_of(self, key: str) -> str:
        """Return what a document in it is called there."""
        return key.removeprefix(self.path)

    def __str__(self) -> str:
        """Return source and path as people write them: ``handbook/reports/2026/``."""
        return f"{self.source_id}{SEPARATOR}{self.path}" if self.source_id else SEPARATOR


class FolderEntry(NamedTuple):
    """A folder in another one, with what is in it, however far below: documents, their bytes, and the last change."""

    folder: Folder
    documents: int
    bytes: int
    updated_at: str


def folder_of(source_id: str, key: str) -> Folder:
    """Return the folder that a document is in."""
    return Folder(source_id, key[: key.rfind(SEPARATOR) + 1])


def folder_written(text: str) -> Folder:
    """Return the folder that is written so, as `Folder` is: a slash, or nothing, is what is above all sources."""
    source_id, _, path = text.removeprefix(SEPARATOR).partition(SEPARATOR)
    return Folder(source_id, path if not path or path.endswith(SEPARATOR) else path + SEPARATOR)
