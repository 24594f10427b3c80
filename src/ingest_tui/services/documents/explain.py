"""Why is this document (not) here? The whole story, with the evidence."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from dataclasses import replace
from typing import Any, TypeVar

from ingest_tui.connectors.containment import tolerated
from ingest_tui.model.document import Document
from ingest_tui.model.errors import IngestError
from ingest_tui.model.explanation.decision import decide
from ingest_tui.model.explanation.facts import Facts, FolderFacts, SourceFacts
from ingest_tui.model.keys import file_uri, key_from_bytes, path_of_uri
from ingest_tui.model.members import member_key
from ingest_tui.model.place import KnownPlace
from ingest_tui.model.source import UPLOAD_SOURCE, Source
from ingest_tui.model.unicode import as_unicode
from ingest_tui.services.documents.addresses import absolute_path_bytes, addresses_of, containers_of
from ingest_tui.services.documents.explain_answer import Explanation
from ingest_tui.services.documents.explain_facts import connected, count_members, facts_at, left_out_by, sight
from ingest_tui.store.catalogue import queries
from ingest_tui.store.documents import DocumentStore
from ingest_tui.store.workspace import Workspace

_Row = TypeVar("_Row", KnownPlace, Document)


def explain(workspace: Workspace, target: str, *, collection_id: str | None = None) -> Explanation:
    """Tell the story of a document (by id), an address, a path, a folder or a bare name, whether it is here or not.

    With ``collection_id`` only what is in that collection, or would be, is told: all else is not known.
    """
    document = queries.document_by_id(workspace.reading, as_unicode(target))
    if document is not None and collection_id in {None, document.collection_id}:
        return _of_document(workspace, target, document)
    answer = _of_address(workspace, target, collection_id)
    answer.others = list(_at_other_sources(workspace, answer))
    if collection_id is not None:
        return _within(collection_id, answer)
    if answer.others:
        number = len(answer.others)
        also = f"{number} other source{'s have' if number > 1 else ' has'} the same place"
        answer.verdict += f"; that is for {answer.whose()}, {also}"
    return answer


def _within(collection_id: str, answer: Explanation) -> Explanation:
    """Return what an answer says about a collection, and that nothing covers the target where that is nothing."""
    inside = [one for one in (answer, *answer.others) if one.collection_id == collection_id]
    if not inside:
        verdict = decide(Facts(answer.target))
        return Explanation(answer.target, verdict.here, verdict.text, verdict.hint, verdict.reason)
    return replace(inside[0], others=inside[1:])


def _of_address(workspace: Workspace, target: str, collection_id: str | None) -> Explanation:
    return (
        _of_known_address(workspace, target, collection_id)
        or _of_remote_key(workspace, target, known=True)
        or _of_replaced_upload(workspace, target)
        or _of_missing_member(workspace, target)
        or _of_place_on_disk(workspace, target)
        or _of_folder(workspace, target, SourceFacts("", "removed"), None)
        or _of_remote_key(workspace, target, known=False)
        or _of_name(workspace, target, collection_id)
        or _explained_as_unknown(workspace, target)
    )


def _explained_as_unknown(workspace: Workspace, target: str) -> Explanation:
    damaged = tuple(workspace.sources.unreadable())
    return _explained(workspace, Facts(target, members=count_members(workspace, target, None), damaged_sources=damaged))


def _real_path(target: str) -> bytes:
    """Return a path whose folders are no links; what is at its end may be one."""
    folder, _, name = absolute_path_bytes(target).rpartition(b"/")
    if b"\0" in folder:
        return absolute_path_bytes(target)  # no path, and realpath says so with a ValueError
    return os.path.realpath(folder or b"/").rstrip(b"/") + b"/" + name


def _explained(workspace: Workspace, facts: Facts, location: KnownPlace | None = None) -> Explanation:
    verdict = decide(replace(facts, stands_for=_folder_of_dots(facts.target)))
    source_id = facts.source.source_id if facts.source else ""
    return Explanation(
        facts.target,
        verdict.here,
        verdict.text,
        verdict.hint,
        verdict.reason,
        verdict.stale,
        facts.document,
        location,
        _record(workspace, facts.document) if facts.is_here and facts.document else None,
        list(facts.events),
        source_id,
        _collection_of(workspace, source_id, location or facts.document),
    )


def _folder_of_dots(target: str) -> str:
    """Return the folder that a target of nothing but dots is, counted from where it is asked; empty for any other."""
    is_dots = not os.path.isabs(target) and set(target.split("/")) <= {"", ".", ".."}  # noqa: PTH117 - text, no path
    return key_from_bytes(absolute_path_bytes(target)) if is_dots else ""


def _collection_of(workspace: Workspace, source_id: str, place: KnownPlace | Document | None) -> str:
    if place is not None:
        return place.collection_id
    with contextlib.suppress(IngestError):
        return workspace.sources.get(source_id).collection_id
    return ""


def _record(workspace: Workspace, document: Document) -> dict[str, Any] | None:
    store = DocumentStore(workspace.layout)
    try:
        return store.ingestion(store.folder(document.collection_id, document.document_id, document.version))
    except IngestError:
        return None


# From a target to one place


def _of_document(workspace: Workspace, target: str, document: Document) -> Explanation:
    location = workspace.reading.locations(document.source_id, [document.key]).get(document.key)
    if location is not None and location.document_id not in {None, document.document_id}:
        location = None  # its place has another document
    place = {"source_id": document.source_id, "key": document.key}
    facts = facts_at(workspace, target, **place, location=location, document=document)
    if location is None and document.state == "retired":
        facts = _without_other_document(workspace, facts, document)
    return _explained(workspace, facts, location)


def _without_other_document(workspace: Workspace, facts: Facts, document: Document) -> Facts:
    """What is at the place of a retired document now is another document's, where it has one."""
    is_taken = document.key in workspace.reading.locations(document.source_id, [document.key])
    return replace(facts, now=facts.now._replace(kind="unknown", descriptor=None)) if is_taken else facts


def _of_known_address(workspace: Workspace, target: str, collection_id: str | None) -> Explanation | None:
    for address in addresses_of(target):
        locations = _in_collection(queries.locations_at(workspace.reading, address), collection_id)
        documents = _in_collection(queries.documents_at(workspace.reading, address), collection_id)
        if locations:
            explanation = _of_location(workspace, target, locations[0], documents)
            others = {place.source_id for place in locations[1:] if place.uri != locations[0].uri}
            if others:
                explanation.verdict += f"; sources that name something else so: {', '.join(sorted(others))}"
            return explanation
        if documents:
            return _of_document(
                workspace, target, max(documents, key=lambda one: (one.state == "active", one.updated_at))
            )
    return None


def _of_location(workspace: Workspace, target: str, location: KnownPlace, documents: list[Document]) -> Explanation:
    if location.document_id is not None:
        document = queries.document_by_id(workspace.reading, location.document_id)
    else:
        own = [one for one in documents if (one.source_id, one.key) == (location.source_id, location.key)]
        if not own and location.removed_sha256:
            own = queries.retired_with(workspace.reading, location.collection_id, location.removed_sha256)
        document = max(own, key=lambda one: one.updated_at, default=None)
    place = {"source_id": location.source_id, "key": location.key}
    return _explained(workspace, facts_at(workspace, target, **place, location=location, document=document), location)


def _of_remote_key(workspace: Workspace, target: str, *, known: bool) -> Explanation | None:
    """Explain an address that a connector understands; ``known``: only if the catalogue knows the place."""
    for source, key in _remote_keys(workspace, target):
        location = workspace.reading.locations(source.source_id, [key]).get(key)
        if location is not None:
            return _of_location(workspace, target, location, queries.documents_at(workspace.reading, location.uri))
        if not known:
            return _explained(workspace, facts_at(workspace, target, source_id=source.source_id, key=key))
    return None


def _remote_keys(workspace: Workspace, target: str, *, besides: str = "") -> Iterator[tuple[Source, str]]:
    """Yield the remote sources that an address may be of, and its key in each; ``besides`` is a source to leave out."""
    for source in workspace.sources.all():
        if source.source_id == besides:
            continue
        connector = connected(workspace, source.source_id)[1]
        key = None
        with tolerated():
            key = connector.key_of(target) if connector is not None else None
        if isinstance(key, str):
            yield source, key


def _at_other_sources(workspace: Workspace, answer: Explanation) -> Iterator[Explanation]:
    """Yield the answers for the place that was explained as other sources have it, or would take it."""
    place = answer.location or answer.document
    address = answer.target if place is None else place.uri
    path = path_of_uri(address)
    meant = address if path is None else os.fsdecode(path)
    seen = {answer.source_id, ""}
    for location in queries.locations_at(workspace.reading, address) if place is not None else ():
        if location.uri == address and location.source_id not in seen:
            seen.add(location.source_id)
            documents = queries.documents_at(workspace.reading, location.uri)
            yield _of_location(workspace, answer.target, location, documents)
    for source, key in (*_covering(workspace, meant), *_remote_keys(workspace, meant, besides=answer.source_id)):
        if source.source_id not in seen and answer.source_id:
            seen.add(source.source_id)
            other = _of_key(workspace, answer.target, source, key)
            if other is not None:
                yield other


def _of_key(workspace: Workspace, target: str, source: Source, key: str) -> Explanation | None:
    """Explain a place of a source that has something there, or would take what is there; else None."""
    location = workspace.reading.locations(source.source_id, [key]).get(key)
    if location is not None:
        return _of_location(workspace, target, location, queries.documents_at(workspace.reading, location.uri))
    facts = facts_at(workspace, target, source_id=source.source_id, key=key)
    if facts.now.kind == "folder":
        return _of_folder(workspace, target, facts.source or SourceFacts(source.source_id), facts, key=key)
    return None if facts.left_out[1] or facts.now.kind not in {"item", "unknown"} else _explained(workspace, facts)


def _of_replaced_upload(workspace: Workspace, target: str) -> Explanation | None:
    """Explain the path of an upload whose document has come from another path since."""
    for document_id, version in queries.versions_from(workspace.reading, file_uri(absolute_path_bytes(target))):
        document = queries.document_by_id(workspace.reading, document_id)
        if document is not None and document.source_id == UPLOAD_SOURCE and document.state == "active":
            place = {"source_id": document.source_id, "key": document.key}
            location = workspace.reading.locations(document.source_id, [document.key]).get(document.key)
            facts = facts_at(workspace, target, **place, location=location, document=document)
            return _explained(workspace, replace(facts, was_version=version), location)
    return None


def _of_missing_member(workspace: Workspace, target: str) -> Explanation | None:
    """Explain an address in a container that is known, and has no such member."""
    for container in containers_of(target):
        rows = [row for address in addresses_of(container) for row in queries.locations_at(workspace.reading, address)]
        for row in rows:
            if row.document_id is None and row.outcome in {"ingested", "unchanged"}:
                key = member_key(row.key, target[len(container) + 1 :])
                facts = facts_at(workspace, target, source_id=row.source_id, key=key)
                return _explained(workspace, replace(facts, lacking=row.uri))
    return None


def _of_place_on_disk(workspace: Workspace, target: str) -> Explanation | None:
    """Explain a path below the folder of a source: of several, one that would take it."""
    covering = list(_covering(workspace, target))
    explanation = None
    for source, key in covering:
        location = workspace.reading.locations(source.source_id, [key]).get(key)
        if location is not None:  # known by another name of its folder
            return _of_location(workspace, target, location, queries.documents_at(workspace.reading, location.uri))
        _source, connector = connected(workspace, source.source_id)
        now = sight(connector, key)
        facts = facts_at(workspace, target, source_id=source.source_id, key=key)
        here = None
        if key == "" or now.kind in {"folder", "gone", "link", "unreadable"}:
            here = _of_folder(workspace, target, facts.source or SourceFacts(source.source_id), facts, key=key)
        here = here or _explained(workspace, facts)
        explanation = explanation or here
        if connector is None or left_out_by(source, connector, key, now) == ("", ""):
            return here
    return explanation


def _covering(workspace: Workspace, target: str) -> Iterator[tuple[Source, str]]:
    """Yield the local sources that a path is in, and its key there; the innermost folders first."""
    roots = {
        source.source_id: (source, os.fsencode(root).rstrip(b"/") + b"/")
        for source in workspace.sources.all()
        if source.source_type in {"local", "directory"} and isinstance(root := source.source_config.get("path"), str)
    }
    for source, root in sorted(roots.values(), key=lambda pair: len(pair[1]), reverse=True):
        key = _key_below(root, target)
        if key is not None:
            yield source, key_from_bytes(key)


def _key_below(root: bytes, target: str) -> bytes | None:
    """Return the path of a target below a root: as it is, by the links above it, or as a path within the root."""
    for path in (absolute_path_bytes(target), _real_path(target)):
        for folder in (root, os.path.realpath(root).rstrip(b"/") + b"/"):
            if (path + b"/").startswith(folder):
                return path[len(folder) :]
    relative = os.path.normpath(os.fsencode(target))
    is_within = not os.path.isabs(relative) and relative.split(b"/")[0] not in {b".", b".."}  # noqa: PTH117 - bytes
    return relative if is_within and os.path.lexists(root + relative) else None


# Several at once


def _of_folder(
    workspace: Workspace, target: str, source: SourceFacts, facts: Facts | None, *, key: str = ""
) -> Explanation | None:
    """Explain a folder: what is at and below it. None where nothing says that it is one."""
    is_root = facts is not None and key == ""
    folders = [f"{address.rstrip('/')}/" for address in addresses_of(target)]
    covering = {one.source_id for one, _key in _covering(workspace, target)} if facts is not None else set()
    below = queries.below(workspace.reading, folders, not_of=covering - {source.source_id})
    holds = () if facts is not None else tuple(_sources_below(workspace, target))
    if not (is_root or holds or any(below) or (facts is not None and facts.now.kind == "folder")):
        return None
    documents, retired, outcomes = below
    folder = FolderFacts(documents, retired, outcomes, is_root=is_root, holds=holds)
    facts = facts or Facts(target, source=source)
    return _explained(workspace, replace(facts, folder=folder, events=()))


def _sources_below(workspace: Workspace, target: str) -> Iterator[str]:
    path = absolute_path_bytes(target).rstrip(b"/") + b"/"
    for source in workspace.sources.all():
        root = source.source_config.get("path")
        if isinstance(root, str) and os.fsencode(root).startswith(path):
            yield source.source_id


def _of_name(workspace: Workspace, target: str, collection_id: str | None) -> Explanation | None:
    """Explain a bare name: the one item that ends so, or that there are several."""
    name = as_unicode(os.path.normpath(target)).lstrip("/")
    if set(name.split("/")) & {"", ".", ".."}:
        return None  # a place that is counted from here, and no name
    found = queries.addresses_ending_in(workspace.reading, f"/{name}")
    if collection_id is not None:
        found = [one for one in found if _is_in_collection(workspace, one, collection_id)]
    if len(found) == 1:
        explanation = _of_known_address(workspace, found[0], collection_id)
        if explanation is not None:
            explanation.target = target
        return explanation
    explanation = _explained(workspace, Facts(target, names=tuple(found))) if found else None
    if explanation is not None:
        explanation.collection_id = collection_id or ""
    return explanation


def _is_in_collection(workspace: Workspace, address: str, collection_id: str) -> bool:
    locations = queries.locations_at(workspace.reading, address)
    documents = queries.documents_at(workspace.reading, address)
    return bool(_in_collection(locations, collection_id) or _in_collection(documents, collection_id))


def _in_collection(rows: list[_Row], collection_id: str | None) -> list[_Row]:
    """Return the rows of a collection; None is all."""
    return [one for one in rows if collection_id in {None, one.collection_id}]
