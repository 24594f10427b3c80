"""Documents of a server: lists, texts, originals, versions, links, and why something is here or not."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ingest_tui.model.document import Chunk, Document
from ingest_tui.model.embedding_state import EmbeddingState
from ingest_tui.model.errors import IngestError, NotFoundError
from ingest_tui.model.folder import Folder, folder_written
from ingest_tui.model.links import Link, ResolvedLink
from ingest_tui.model.preference_values import PreferenceInForce
from ingest_tui.model.selector import Selector
from ingest_tui.services.documents.export import (
    ContentKind,
    DocumentContent,
    checked_place,
    shown_record,
    written_content,
)
from ingest_tui.services.documents.folders import no_such_folder
from ingest_tui.services.documents.links import LinkBetween, LinksFound
from ingest_tui.services.documents.version_details import VersionDetails
from ingest_tui.services.remote.names import named
from ingest_tui.services.remote.server import Server, target_of
from ingest_tui.services.remote.source_calls import preference_rows

_DOCUMENT_ID = re.compile(r"[a-z0-9]{8,64}")


def checked_type(server: Server, name: str) -> str:
    """Return an ending or a media type as it was typed; raises `UsageError` for what nothing is called there."""
    return named(server, "type", name)


def folder_named(server: Server, name: str) -> Folder:
    """Return the folder that people write so, of a source there; raises `NotFoundError` where no document is in it."""
    written = folder_written(name)
    if not written.source_id:
        return written
    folder = Folder(named(server, "source", written.source_id), written.path)
    if not any(count_documents(server, folder=folder, state=state) for state in ("active", "retired")):
        raise no_such_folder(name)
    return folder


def choice_as_asked(choice: Mapping[str, Any]) -> dict[str, Any]:
    """Return a choice of documents as the server is asked for it."""
    folder = choice.get("folder")
    return {**choice, "folder": None if folder is None else str(folder)}


def list_documents(server: Server, *, limit: int = 200, order: str = "address", **choice: Any) -> list[Document]:
    """Return documents in an order."""
    records = list(server.items("documents", most=limit, sort=order, **choice_as_asked(choice)))
    states: dict[str, Any] = server.remembered.setdefault("documents", {})
    found = []
    for record in records:
        document = server.read(Document, record, "documents")
        states[document.document_id] = record
        found.append(document)
    return found


def count_documents(server: Server, **choice: Any) -> int:
    """Return how many documents there are by the same choice."""
    with server.reading(("documents",)):
        return int(server.get("documents", limit=1, **choice_as_asked(choice))["total"])


def details_of(server: Server, documents: Iterable[Document]) -> dict[str, VersionDetails]:
    """Return the details of the current versions, by document."""
    return {
        one.document_id: server.read(VersionDetails, _state(server, one.document_id), "documents") for one in documents
    }


def embedding_states(server: Server, documents: Iterable[Document]) -> dict[str, EmbeddingState]:
    """Return the states of the embedding of documents, by their ids."""
    return {one: details.embedding for one, details in details_of(server, documents).items()}


def _full_id(server: Server, name: str) -> str:
    known: dict[str, str] = server.remembered.setdefault("document_ids", {})
    found = known[name] if name in known else named(server, "document", name)
    known |= {name: found, found: found}
    if not _DOCUMENT_ID.fullmatch(found):
        raise NotFoundError(f"there is no document {name!r}", hint="'ingest-tui doc list' shows what there is")
    return found


def _state(server: Server, document_id: str) -> Any:
    """Return what a list says of a document, as it was known last."""
    states: dict[str, Any] = server.remembered.setdefault("documents", {})
    if document_id not in states:
        ingestion_record(server, document_id)
    return states[document_id]


def get_document(server: Server, target: str) -> Document:
    """Return a document by id, a unique beginning of its id, address, path there or file name."""
    return server.read(Document, _state(server, _full_id(server, target)), "documents")


def ingestion_record(server: Server, document_id: str, version: int | None = None) -> dict[str, Any]:
    """Return ingestion.json of a version."""
    path = ("documents", _full_id(server, document_id))
    found = server.get(*path, version=version)
    with server.reading(path):
        server.remembered.setdefault("documents", {})[path[1]] = dict(found["document"])
        return dict(found["ingestion"])


def document_preferences(
    server: Server, document: Document, record: Mapping[str, Any]
) -> list[PreferenceInForce] | None:
    """Return what is in force for a document, and where each value comes from."""
    del record
    return preference_rows(server, "documents", document.document_id, "preferences")


def document_text(server: Server, document_id: str, version: int | None = None) -> str:
    """Return the normalised text of a version."""
    path = ("documents", _full_id(server, document_id), "text")
    parts, offset = [], 0
    while True:
        found = server.get(*path, version=version, offset=offset)
        with server.reading(path):
            parts.append(str(found["text"]))
            after = found["next_offset"]
            if after is None:
                return "".join(parts)
            if int(after) <= offset:
                raise ValueError("the text does not go on")
            offset = int(after)


def raw_pieces(server: Server, document_id: str, version: int | None = None) -> Iterator[bytes]:
    """Yield the original bytes of a version, piece by piece."""
    path = ("documents", _full_id(server, document_id), "raw")
    with server.connection.stream(target_of(path, {"version": version})) as (response, pieces):
        if response.headers.get_content_type() != "application/octet-stream" or response.status != 200:  # noqa: PLR2004
            server.refuse_stream(response, path)
            return  # nothing was sent: who reads it finds that it should have been something
        yield from pieces


def content(server: Server, target: str, *, what: ContentKind = "text", version: int | None = None) -> DocumentContent:
    """Return what is kept of a version, in pieces."""
    document = get_document(server, target)
    if what == "raw":
        size, sha256 = _original(server, document, version)
        pieces = _checked(server, raw_pieces(server, document.document_id, version), size, sha256)
    elif what == "text":
        pieces = iter([document_text(server, document.document_id, version).encode()])
    else:
        pieces = iter([shown_record(ingestion_record(server, document.document_id, version))])
    return DocumentContent(document, version or document.version, what, pieces)


def _original(server: Server, document: Document, version: int | None) -> tuple[int, str]:
    """Return size and SHA-256 of the original of a version, as its record says."""
    if version is None or version == document.version:
        return document.bytes, document.raw_sha256
    for one in versions(server, document.document_id):
        if one["version"] == version:
            return int(one["bytes"]), str(one["raw_sha256"])
    return 0, ""  # none: the server says so when it is asked for it


def _checked(server: Server, pieces: Iterable[bytes], size: int, sha256: str) -> Iterator[bytes]:
    """Yield the pieces of an original; raises `IngestError` where they are not what the record says."""
    digest, read = hashlib.sha256(), 0
    for piece in pieces:
        digest.update(piece)
        read += len(piece)
        if read > size:
            break
        yield piece
    if digest.hexdigest() != sha256:
        raise IngestError(
            f"{server.shown} sent other bytes than the original has",
            hint="try again; 'ingest-tui verify --deep' where the workspace is checks what is kept there",
            code="server_answer",
        )


def export_document(
    server: Server,
    target: str,
    to: Path,
    *,
    what: ContentKind = "text",
    version: int | None = None,
    replace: bool = False,
) -> dict[str, Any]:
    """Write what is kept of a version to a file here, whole or not at all."""
    place = checked_place(to, replace=replace)
    return written_content(content(server, target, what=what, version=version), place)


def note_export(server: Server, content: DocumentContent, *, to: str) -> None:
    """Note nothing: what is read over HTTP is not in the audit."""
    del server, content, to


def chunks(server: Server, document_id: str) -> list[Chunk]:
    """Return the chunks by which a document is found, in order."""
    path = ("documents", _full_id(server, document_id), "chunks")
    with server.reading(path):
        return [
            Chunk(
                path[1],
                int(str(one["chunk_id"]).split(":")[1]),
                int(one["ordinal"]),
                str(one["heading"]),
                str(one["text"]),
                one["page"],
                one["start"],
                one["end"],
            )
            for one in server.get(*path)["items"]
        ]


def document_links(server: Server, name: str) -> list[ResolvedLink]:
    """Return the links of a document and where they lead."""
    path = ("documents", _full_id(server, name), "links")
    with server.reading(path):
        return [_link(one) for one in server.get(*path)["items"]]


def incoming_links(server: Server, name: str) -> LinksFound:
    """Return the links of all documents that lead to this one."""
    path = ("documents", _full_id(server, name), "links")
    return _links_between(server, server.get(*path, incoming=True))


def broken_links(server: Server, *, collection_id: str | None = None) -> LinksFound:
    """Return the links that lead into a source, to where nothing is known."""
    return _links_between(server, server.get("links", "broken", collection_id=collection_id))


def _links_between(server: Server, found: Any) -> LinksFound:
    with server.reading(("links",)):
        links = [
            LinkBetween(get_document(server, str(one["source_document_id"])), _link(one)) for one in found["items"]
        ]
        return LinksFound(links, list(map(str, found["unreadable"])))


def _link(one: dict[str, Any]) -> ResolvedLink:
    link = Link(str(one["target"]), str(one["text"]), one["start"])
    return ResolvedLink(link, one["state"], str(one["address"]), one["document_id"], str(one["detail"]))


def versions(server: Server, document_id: str) -> list[dict[str, Any]]:
    """Return the versions of a document, newest first."""
    path = ("documents", _full_id(server, document_id), "versions")
    with server.reading(path):
        return [dict(one) for one in server.get(*path)["items"]]


def diff(server: Server, document_id: str, older: int, newer: int) -> list[str]:
    """Return what changed in the text between two versions, as lines of a unified diff."""
    path = ("documents", _full_id(server, document_id), "diff")
    with server.reading(path):
        return list(map(str, server.get(*path, older=older, newer=newer)["lines"]))


@dataclass(frozen=True)
class ReceivedExplanation:
    """An explanation as the server gave it: as JSON, and as lines for people."""

    record: dict[str, Any]
    told: list[str]

    def as_dict(self) -> dict[str, Any]:
        """Return the JSON form."""
        return self.record

    def lines(self) -> list[str]:
        """Return the story for people."""
        return self.told


def explain(server: Server, target: str) -> ReceivedExplanation:
    """Explain why something is there or not."""
    found = server.get("explain", target=target)
    with server.reading(("explain",)):
        told = list(map(str, found.pop("told")))
        return ReceivedExplanation(dict(found), told)


def select_documents(
    server: Server, targets: Sequence[str], selector: Selector, *, state: str | None = "active"
) -> list[Document]:
    """Return documents: named as for `get_document`, or as the selector wants them."""
    age = None if selector.older_than is None else selector.older_than.total_seconds()
    values = {name: getattr(selector, name) for name in ("collection_id", "source_id", "media_type", "path")}
    body = {"documents": list(targets), "older_than_seconds": age, "state": state, **values}
    return server.read_all(Document, server.post("select", body=body)["items"], "select")


def restore_document(server: Server, document_id: str) -> Document:
    """Bring a document back from the trash."""
    return server.read(Document, server.post("documents", _full_id(server, document_id), "restore"), "documents")


CALLS: dict[str, Callable[..., Any]] = {
    "documents.checked_type": checked_type,
    "documents.folder_named": folder_named,
    "documents.list": list_documents,
    "documents.count": count_documents,
    "documents.details_of_versions": details_of,
    "vectors.states": embedding_states,
    "documents.get": get_document,
    "documents.record": ingestion_record,
    "documents.preferences": document_preferences,
    "documents.text": document_text,
    "documents.content": content,
    "documents.export_one": export_document,
    "documents.note_export": note_export,
    "documents.chunks": chunks,
    "documents.links": document_links,
    "documents.incoming_links": incoming_links,
    "documents.broken_links": broken_links,
    "documents.versions": versions,
    "documents.diff": diff,
    "documents.explain": explain,
    "documents.select": select_documents,
    "documents.restore": restore_document,
}
