"""Words that a shell completes: what sources, collections, jobs and documents of a workspace are called."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from ingest_tui.model.safe_text import safe_display
from ingest_tui.store.catalogue.document_names import document_names
from ingest_tui.store.known_names import collection_names, job_names, source_names
from ingest_tui.store.layout import Layout

NameKind = Literal["source", "collection", "job", "document"]
_LISTERS = {"source": source_names, "collection": collection_names, "job": job_names, "document": document_names}


def names_beginning(root: Path, kind: NameKind, beginning: str) -> list[str]:
    """Return names of one kind that begin with a word, of the workspace at ``root``; none where there is no workspace.

    Nothing is opened for writing. Names that would act on a terminal are left out: a shell writes them as they are.
    """
    names = _LISTERS[kind](Layout(root), beginning)
    return [name for name in names if safe_display(name) == name]
