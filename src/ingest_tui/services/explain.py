"""Why is this document (not) here? The whole story, with the evidence."""

from __future__ import annotations

import os
from dataclasses import dataclass, field, replace
from typing import Any

import orjson

from ingest_tui.connectors.registry import get_connector
from ingest_tui.extraction.admission import HINT as TYPES_HINT
from ingest_tui.extraction.admission import NOT_ALLOWED, TypeFilter
from ingest_tui.model.document import Document
from ingest_tui.model.errors import IngestError
from ingest_tui.model.naming import file_name_of, file_uri, key_from_bytes, safe_display
from ingest_tui.model.outcome import Outcome
from ingest_tui.model.source import Source
from ingest_tui.store import queries
from ingest_tui.store.catalogue import LocationRow
from ingest_tui.store.documents import DocumentStore
from ingest_tui.store.journal import decode_line
from ingest_tui.store.workspace import Workspace

_JOBS_SEARCHED = 50
_MOVED_TO = "moved to "


@dataclass(slots=True)
class Event:
    """Something a job noted about the address: its plan, or its outcome."""

    job_id: str
    at: str
    what: str
    reason: str
    detail: str


@dataclass(slots=True)
class Explanation:
    """The answer in one sentence, what it rests on, and what to do."""

    target: str
    here: bool
    verdict: str
    hint: str = ""
    document: Document | None = None
    location: LocationRow | None = None
    record: dict[str, Any] | None = None
    events: list[Event] = field(default_factory=list)

    def as_dict(self) -> dict[str, Any]:
        """Return the JSON form."""
        return {
            "target": safe_display(self.target),
            "here": self.here,
            "verdict": self.verdict,
            "hint": self.hint,
            "document": self.document.as_dict() if self.document else None,
            "location": self.location._asdict() if self.location else None,
            "ingestion": self.record,
            "events": [{name: getattr(event, name) for name in Event.__slots__} for event in self.events],
        }

    def lines(self) -> list[str]:
        """Return the story for people, safe to print."""
        lines = [self.verdict]
        if self.hint:
            lines.append(f"hint: {self.hint}")
        if self.document:
            document = self.document
            lines += [
                f"document   {document.document_id}  version {document.version}  collection {document.collection_id}",
                f"address    {document.uri}",
                f"text       chunks: {document.chunks}, read by {document.backend} as {document.media_type}",
                f"hashes     raw {document.raw_sha256[:16]}…  text {document.content_hash[:16]}…",
            ]
        if self.record:
            lines += [f"{kind:10} {message}" for kind, message in remarks_of(self.record)]
        if self.events:
            lines.append("what jobs noted, oldest first:")
            for event in self.events:
                detail = f": {event.detail}" if event.detail else ""
                lines.append(f"  {event.at}  {event.what} ({event.reason}){detail}  [{event.job_id}]")
        return [safe_display(line) for line in lines]


def remarks_of(record: dict[str, Any]) -> list[tuple[str, str]]:
    """Return what an ingestion record has to say against its document: ``error``, ``warning`` or ``note``, and text.

    A note is a warning of the record that no validator gave a code.
    """
    findings = record.get("validation", [])
    told = {finding["message"] for finding in findings}
    remarks = [(finding["severity"], f"{finding['message']} ({finding['code']})") for finding in findings]
    return remarks + [("note", message) for message in record.get("warnings", []) if message not in told]


def explain(workspace: Workspace, target: str) -> Explanation:
    """Tell the story of a document (by id) or of an address or path, whether it is here or not."""
    path = os.fsencode(os.path.abspath(os.path.expanduser(target)))  # noqa: PTH100, PTH111
    addresses = addresses_of(target)
    document = queries.document_by_id(workspace.catalogue, addresses[0])
    if document is not None:
        return _of_document(workspace, target, document)
    for address in addresses:
        locations = queries.locations_at(workspace.catalogue, address)
        documents = queries.documents_at(workspace.catalogue, address)
        if locations:
            return _of_location(workspace, target, locations[0], documents)
        if documents:
            return _of_document(workspace, target, documents[0])
    return _of_unknown(workspace, target, path)


def addresses_of(target: str) -> list[str]:
    """Return what a person may have meant: an address or key as it stands, or a path on this machine."""
    path = os.fsencode(os.path.abspath(os.path.expanduser(target)))  # noqa: PTH100, PTH111 - bytes, links not followed
    return [key_from_bytes(os.fsencode(target)), file_uri(path)]


def _of_document(workspace: Workspace, target: str, document: Document) -> Explanation:
    events = _events(workspace, document.source_id, document.key)
    if document.state == "retired":
        verdict = f"not here: retired to the trash at {document.updated_at}"
        hint = f"'ingest-tui doc restore {document.document_id}' brings it back"
        return Explanation(target, False, verdict, hint, document, events=events)
    explanation = Explanation(
        target, True, f"here: searchable in version {document.version}", "", document, events=events
    )
    explanation.record = _record(workspace, document)
    places = workspace.catalogue.locations_of(document.document_id)
    explanation.location = places[0] if places else None
    if len(places) > 1:
        explanation.verdict += f", at {len(places)} places with the same content"
    return explanation


def _of_location(workspace: Workspace, target: str, location: LocationRow, documents: list[Document]) -> Explanation:
    events = _events(workspace, location.source_id, location.key)
    document = next((item for item in documents if item.document_id == location.document_id), None)
    because = f"{location.reason}{': ' + location.detail if location.detail else ''}"
    hints = {
        "failed": "'ingest-tui job retry --failed-only JOB' or the next sync tries again",
        "rejected": "change the source's settings if it should be let in: 'ingest-tui source edit'",
        "empty": "there is no text in it; a scan needs OCR",
        "retired": "'ingest-tui doc restore' brings it back, or edit the file and sync",
    }
    hint = TYPES_HINT if location.reason == NOT_ALLOWED else hints.get(location.outcome, "")
    if document is None:
        verdict = f"not here: {location.outcome} at {location.at} ({because})"
        return Explanation(target, False, verdict, hint, None, location, None, events)
    verdict = f"here: searchable in version {document.version}"
    if location.outcome == "duplicate":
        verdict += f", as a duplicate of {document.uri} ({location.detail})"
    elif location.outcome in {"failed", "rejected", "empty"}:
        verdict += f"; what is at the source now was {location.outcome} ({because}), the last good version is kept"
    else:
        hint = ""
    return Explanation(target, True, verdict, hint, document, location, _record(workspace, document), events)


def _of_unknown(workspace: Workspace, target: str, path: bytes) -> Explanation:
    for source in workspace.sources.all():
        key = _key_in(source, path, target)
        if key is None:
            continue
        events = _events(workspace, source.source_id, key)
        reason = _left_out(source, key)
        if reason:
            return Explanation(
                target,
                False,
                f"not here: source {source.source_id!r} leaves it out: {reason}",
                f"'ingest-tui source edit {source.source_id}' changes what is taken",
                events=events,
            )
        if not os.path.lexists(path):
            moved = next((event.detail for event in reversed(events) if event.detail.startswith(_MOVED_TO)), None)
            verdict = (
                f"not here: {moved}" if moved else f"not here: there is no such file in source {source.source_id!r}"
            )
            hint = "explain the new name to see it" if moved else "was it renamed or deleted?"
            return Explanation(target, False, verdict, hint, events=events)
        return Explanation(
            target,
            False,
            f"not here: source {source.source_id!r} would take it, no sync has seen it yet",
            f"'ingest-tui sync {source.source_id}'",
            events=events,
        )
    return Explanation(target, False, "not here: no source covers it", "'ingest-tui source add' adds one")


def _key_in(source: Source, path: bytes, target: str) -> str | None:
    root = source.source_config.get("path")
    if source.source_type not in {"local", "directory"} or not isinstance(root, str):
        return None
    prefix = os.fsencode(root).rstrip(b"/") + b"/"
    if path.startswith(prefix):
        return key_from_bytes(path[len(prefix) :])
    if not os.path.isabs(target) and os.path.lexists(prefix + os.fsencode(target)):  # noqa: PTH117
        return key_from_bytes(os.fsencode(target))
    return None


def _left_out(source: Source, key: str) -> str | None:
    try:
        connector = get_connector(source.source_type, source.source_config)
    except (IngestError, ValueError):
        return None
    types = TypeFilter(source.allow_types, source.deny_types)
    return connector.explain_left_out(key) or types.refusal_of_name(file_name_of(key)) or None


def _record(workspace: Workspace, document: Document) -> dict[str, Any] | None:
    store = DocumentStore(workspace.layout)
    try:
        return store.ingestion(store.folder(document.collection_id, document.document_id, document.version))
    except IngestError:
        return None


def _events(workspace: Workspace, source_id: str, key: str, *, depth: int = 5) -> list[Event]:
    """Return what jobs noted about a key, oldest first, and before that about the key it was renamed from.

    The newest jobs of the source are searched, and those that are known to have to do with the key. Lines of other
    keys are not even decoded; runs of "unchanged" become one line.
    """
    events: list[Event] = []
    renamed_from = None
    for job_id, at in _jobs_to_search(workspace, source_id, key):
        paths = workspace.jobs.paths(job_id)
        needle = orjson.dumps(key)
        for line in _lines_with(paths.plan, needle):
            if key in {line.get("key"), line.get("from_key")}:
                events.append(_plan_event(job_id, at, line, key))
                renamed_from = renamed_from or (line.get("from_key") if line.get("key") == key else None)
        outcomes = (line for line in _lines_with(paths.outcomes, needle) if line["key"] == key)
        events += [_outcome_event(job_id, Outcome.from_dict(line)) for line in outcomes]
    folded = _fold_unchanged(events)
    if renamed_from and depth:
        return _events(workspace, source_id, renamed_from, depth=depth - 1) + folded
    return folded


def _jobs_to_search(workspace: Workspace, source_id: str, key: str) -> list[tuple[str, str]]:
    """Return ``(job id, its time)`` of the newest jobs of a source and of those that made what is known of a key."""
    places = workspace.catalogue.locations(source_id, [key]).values()
    named = {place.job_id for place in places}
    for document_id in {place.document_id for place in places if place.document_id}:
        named |= {version.job_id for version in queries.versions_of(workspace.catalogue, document_id)}
    found: list[tuple[str, str]] = []
    for job_id in workspace.jobs.ids():
        if len(found) >= _JOBS_SEARCHED and job_id not in named:
            continue
        try:
            manifest = workspace.jobs.load(job_id)
        except IngestError:
            continue
        if manifest.source_id == source_id:
            found.append((job_id, manifest.created_at))
    return found[::-1]


def _fold_unchanged(events: list[Event]) -> list[Event]:
    folded: list[Event] = []
    unchanged = 0
    for event in events:
        if event.what == "planned: skip" and event.reason == "same_fingerprint":
            continue
        if event.reason == "same_fingerprint":
            unchanged += 1
            if unchanged > 1:
                folded[-1] = replace(event, detail=f"{unchanged} syncs in a row, this is the last")
                continue
        else:
            unchanged = 0
        folded.append(event)
    return folded


def _plan_event(job_id: str, at: str, line: dict[str, Any], key: str) -> Event:
    detail = line.get("detail", "")
    if line.get("from_key") == key:
        detail = f"{_MOVED_TO}{line['key']}"
    return Event(job_id, at, f"planned: {line['action']}", line["reason"], detail)


def _outcome_event(job_id: str, outcome: Outcome) -> Event:
    evidence = []
    if outcome.raw_sha256:
        evidence.append(f"{outcome.bytes} bytes, sha256 {outcome.raw_sha256[:12]}…")
    if outcome.backend:
        evidence.append(f"read by {outcome.backend} in {outcome.milliseconds} ms")
    detail = "; ".join(filter(None, [outcome.detail, *evidence]))
    return Event(job_id, outcome.at, f"{outcome.phase}: {outcome.outcome}", outcome.reason, detail)


def _lines_with(path: Any, needle: bytes) -> list[dict[str, Any]]:
    try:
        with path.open("rb") as handle:
            candidates = [decode_line(line) for line in handle if needle in line]
    except FileNotFoundError:
        return []
    return [record for record in candidates if record is not None]
