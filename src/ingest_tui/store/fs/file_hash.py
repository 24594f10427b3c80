"""The hash of a file, read in pieces."""

from __future__ import annotations

from pathlib import Path

from ingest_tui.model.hashing import new_hasher

_PIECE = 1 << 20


def hash_of(path: Path) -> str:
    """Return the SHA-256 of a file."""
    digest = new_hasher()
    with path.open("rb") as raw:
        while piece := raw.read(_PIECE):
            digest.update(piece)
    return digest.hexdigest()
