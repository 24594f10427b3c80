"""How the server for agents is asked to serve."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class McpOptions:
    """The workspace at ``root``, of which only ``collection`` is seen (identifier or name; None: all).

    ``allow_write``: the tools that change something are offered. ``debug``: tracebacks are written to stderr.
    """

    root: Path
    collection: str | None = None
    allow_write: bool = False
    read_only: bool = False
    debug: bool = False
