"""Words that a shell completes: what sources, jobs, documents, credentials and others of a workspace are called."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import orjson

from ingest_tui.extraction.intake.formats import FORMATS
from ingest_tui.model.errors import IngestError
from ingest_tui.model.identifiers import is_identifier
from ingest_tui.model.safe_text import safe_display
from ingest_tui.store.catalogue.document_names import document_names, folder_names, retired_document_names
from ingest_tui.store.known_names import collection_names, embedder_names, job_names, reranker_names, source_names
from ingest_tui.store.layout import Layout

NameKind = Literal[
    "source",
    "collection",
    "job",
    "document",
    "retired document",
    "folder",
    "type",
    "embedder",
    "reranker",
    "credential",
]


def _type_names(_layout: Layout, beginning: str) -> list[str]:
    """Return endings of formats that can be read, and their media types where one is begun."""
    endings = {ending for one in FORMATS for ending in one.extensions}
    media_types = {one.media_type for one in FORMATS} if beginning else set()
    return sorted(name for name in endings | media_types if name.startswith(beginning))


_LISTERS = {
    "source": source_names,
    "collection": collection_names,
    "job": job_names,
    "document": document_names,
    "retired document": retired_document_names,
    "folder": folder_names,
    "type": _type_names,
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


def types_of_named(root: Path, words: Sequence[str]) -> list[str]:
    """Return the types of the sources that are among the words, as their records say; none where one says nothing."""
    layout = Layout(root)
    return [found for word in words if is_identifier(word) and (found := _type_in(layout.source(word)))]


def _type_in(record: Path) -> str:
    try:
        found = orjson.loads(record.read_bytes()).get("source_type")
    except (OSError, ValueError, AttributeError):
        return ""
    return found if isinstance(found, str) else ""


def _credential_names(path: Path, beginning: str) -> list[str]:
    from ingest_tui.credentials.file import read_credentials_file

    try:
        return sorted(name for name in read_credentials_file(path).entries if name.startswith(beginning))
    except (IngestError, OSError):
        return []
