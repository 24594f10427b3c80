"""Words that a shell completes: what sources, jobs, documents, credentials and others of a workspace are called."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from ingest_tui.model.errors import IngestError
from ingest_tui.model.safe_text import safe_display
from ingest_tui.store.catalogue.document_names import document_names, folder_names, retired_document_names
from ingest_tui.store.known_names import collection_names, embedder_names, job_names, reranker_names, source_names
from ingest_tui.store.layout import Layout

NameKind = Literal[
    "source", "collection", "job", "document", "retired document", "folder", "embedder", "reranker", "credential"
]
_LISTERS = {
    "source": source_names,
    "collection": collection_names,
    "job": job_names,
    "document": document_names,
    "retired document": retired_document_names,
    "folder": folder_names,
    "embedder": embedder_names,
    "reranker": reranker_names,
}


def credentials_next_to(root: Path) -> Path:
    """Return the credentials file that belongs to a workspace where no other one is named."""
    return root.absolute().parent / "credentials.json"


def names_beginning(root: Path, kind: NameKind, beginning: str, *, credentials: Path | None = None) -> list[str]:
    """Return names of one kind that begin with a word, of the workspace at ``root``; none where there is no workspace.

    Those of credentials come from the file ``credentials``, if its owner alone may read it. Nothing is opened for
    writing. Names that would act on a terminal are left out: a shell writes them as they are.
    """
    if kind == "credential":
        names = _credential_names(credentials or credentials_next_to(root), beginning)
    else:
        names = _LISTERS[kind](Layout(root), beginning)
    return [name for name in names if safe_display(name) == name]


def _credential_names(path: Path, beginning: str) -> list[str]:
    from ingest_tui.credentials.file import read_credentials_file

    try:
        return sorted(name for name in read_credentials_file(path).entries if name.startswith(beginning))
    except (IngestError, OSError):
        return []
