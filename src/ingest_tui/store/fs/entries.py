"""What is in a folder, in a fixed order."""

from __future__ import annotations

import os
from pathlib import Path


def entries_of(folder: Path) -> list[os.DirEntry[str]]:
    """Return what is in a folder, by name, links as such; nothing where there is no folder."""
    try:
        with os.scandir(folder) as entries:
            return sorted(entries, key=lambda entry: entry.name)
    except (FileNotFoundError, NotADirectoryError):
        return []
