"""The names of records that begin like a word that is being typed, for the completion of shells.

Asked for at each press of Tab, so that nothing is loaded or locked that a listing can do without.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from ingest_tui.model.job_order import job_order
from ingest_tui.store.layout import Layout

_MOST = 100  # names that one word is completed with; more than fit on a screen help nobody
_SUFFIX = ".json"


def source_names(layout: Layout, beginning: str) -> list[str]:
    """Return identifiers of sources, sorted."""
    return _records(layout.sources, beginning)


def collection_names(layout: Layout, beginning: str) -> list[str]:
    """Return identifiers of collections, sorted."""
    return _records(layout.collections, beginning)


def embedder_names(layout: Layout, beginning: str) -> list[str]:
    """Return identifiers of embedders, sorted."""
    return _records(layout.embedders, beginning)


def reranker_names(layout: Layout, beginning: str) -> list[str]:
    """Return identifiers of rerankers, sorted."""
    return _records(layout.rerankers, beginning)


def job_names(layout: Layout, beginning: str) -> list[str]:
    """Return ids of jobs, the newest first, after ``last``."""
    names = sorted(_entries(layout.jobs, beginning), key=job_order, reverse=True)
    return [*(["last"] if "last".startswith(beginning) else []), *names[:_MOST]]


def _records(folder: Path, beginning: str) -> list[str]:
    names = (name.removesuffix(_SUFFIX) for name in _entries(folder, beginning) if name.endswith(_SUFFIX))
    return sorted(names)[:_MOST]


def _entries(folder: Path, beginning: str) -> Iterator[str]:
    try:
        with os.scandir(folder) as entries:
            yield from (entry.name for entry in entries if entry.name.startswith(beginning) and entry.name[0] != ".")
    except OSError:
        return
