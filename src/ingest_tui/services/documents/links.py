"""Links between documents: those of one, those that lead to it, and those that lead nowhere.

Links are kept in the records of versions and resolved when they are asked for, see `model.links`. To find those that
lead to a document, or all broken ones, all records are read.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, NamedTuple

from ingest_tui.model.document import Document
from ingest_tui.model.errors import IngestError
from ingest_tui.model.keys import file_name_of
from ingest_tui.model.links import AddressBook, ItemAddress, Link, ResolvedLink, comparable, links_of
from ingest_tui.services.documents.documents import check_choice, get_document, ingestion_record, list_documents
from ingest_tui.store.catalogue.queries import former_addresses, known_places
from ingest_tui.store.workspace import Workspace


class LinkBetween(NamedTuple):
    """A link, and the document that it is in."""

    source: Document
    resolved: ResolvedLink

    def as_dict(self) -> dict[str, Any]:
        """Return the JSON form."""
        names = {"source_document_id": self.source.document_id, "source_uri": self.source.uri}
        return names | self.resolved.as_dict()


@dataclass(slots=True)
class LinksFound:
    """Links of many documents. ``unreadable`` are the documents whose record cannot be read: theirs are missing."""

    links: list[LinkBetween] = field(default_factory=list)
    unreadable: list[str] = field(default_factory=list)

    def as_dict(self) -> dict[str, Any]:
        """Return the JSON form."""
        return {"links": [one.as_dict() for one in self.links], "unreadable": self.unreadable}


class LinkResolver:
    """Resolves the links of a workspace as it is now. Knows all its addresses: made once for many documents."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._books: dict[str, AddressBook] = {}

    @cached_property
    def _former(self) -> list[tuple[str, str]]:
        return list(former_addresses(self._workspace.reading))

    def _book(self, collection_id: str) -> AddressBook:
        """Return the addresses; where two collections have a document at one, that of this collection counts."""
        if collection_id not in self._books:
            book = AddressBook()
            for uri, key, document_id, detail in known_places(self._workspace.reading, last=collection_id):
                book.add_place(ItemAddress(uri, key), document_id, detail)
            for uri, document_id in self._former:
                book.add_former(uri, document_id)
            self._books[collection_id] = book
        return self._books[collection_id]

    def resolve(self, document: Document, record: dict[str, Any], links: Sequence[Link]) -> list[ResolvedLink]:
        """Return where links of a document lead; ``record`` is that of its version."""
        if not links:
            return []
        bases = dict.fromkeys((ItemAddress(document.uri, document.key), _place_of(record, document)))
        book = self._book(document.collection_id)
        return [book.resolve(link, *bases) for link in links]


def _place_of(record: dict[str, Any], document: Document) -> ItemAddress:
    """Return where a version was read from."""
    return ItemAddress(str(record.get("uri") or document.uri), str(record.get("key") or document.key))


def document_links(workspace: Workspace, name: str) -> list[ResolvedLink]:
    """Return the links of a document and where they lead, in the order of its text."""
    document = get_document(workspace, name)
    record = ingestion_record(workspace, document.document_id)
    return LinkResolver(workspace).resolve(document, record, links_of(record))


def incoming_links(workspace: Workspace, name: str) -> LinksFound:
    """Return the links of all documents that lead to this one. Reads all records."""
    document = get_document(workspace, name)
    addresses = [place.uri for place in workspace.reading.locations_of(document.document_id)]
    addresses += [uri for uri, owner in former_addresses(workspace.reading) if owner == document.document_id]
    names = {_last_name(uri) for uri in (document.uri, *addresses)}
    found = _scan(workspace, None, lambda link: _last_name(link.target) in names)
    found.links = [
        one
        for one in found.links
        if one.resolved.document_id == document.document_id and one.source.document_id != document.document_id
    ]
    return found


def broken_links(workspace: Workspace, *, collection_id: str | None = None) -> LinksFound:
    """Return the links that lead into a source, to where nothing is known. Reads all records."""
    found = _scan(workspace, collection_id, lambda _link: True)
    found.links = [one for one in found.links if one.resolved.state == "broken"]
    return found


def _scan(workspace: Workspace, collection_id: str | None, is_wanted: Callable[[Link], bool]) -> LinksFound:
    check_choice(workspace, {"collection_id": collection_id})
    resolver = LinkResolver(workspace)
    found = LinksFound()
    for document, record in _records(workspace, collection_id, found.unreadable):
        links = [link for link in links_of(record) if is_wanted(link)]
        found.links += [LinkBetween(document, one) for one in resolver.resolve(document, record, links)]
    return found


def _records(
    workspace: Workspace, collection_id: str | None, unreadable: list[str]
) -> Iterator[tuple[Document, dict[str, Any]]]:
    store = workspace.document_store
    for document in list_documents(workspace, limit=-1, collection_id=collection_id):
        folder = store.folder(document.collection_id, document.document_id, document.version)
        try:
            record = store.ingestion(folder)
        except (IngestError, OSError):
            unreadable.append(document.document_id)
            continue
        yield document, record


def _last_name(address: str) -> str:
    """Return the last part of an address or target, by which those that cannot be meant are soon excluded."""
    path = comparable(address if "://" in address else f"x://x/{address}")
    return file_name_of(path.partition("?")[0].replace("\\", "/")).casefold()
