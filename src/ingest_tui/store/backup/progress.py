"""How far a backup or a restore is."""

from __future__ import annotations

from collections.abc import Callable

BackupProgress = Callable[[str, int, int], None]
"""Hears what is written, how many were, and of how many; 0: nobody knows."""


def unheard(_what: str, _done: int, _total: int) -> None:
    """Hear of progress and do nothing."""
