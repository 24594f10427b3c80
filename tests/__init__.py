"""The tests. Helpers are imported by their whole names, from the root of the repository."""

from __future__ import annotations

from pathlib import Path

REPOSITORY = Path(__file__).parents[1]
