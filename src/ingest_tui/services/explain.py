"""Why is this document (not) here? The whole story, with the evidence."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from ingest_tui.extraction.admission import HINT as TYPES_HINT
from ingest_tui.extraction.admission import NOT_ALLOWED, TypeFilter
from ingest_tui.model.document import Document
from ingest_tui.model.errors import IngestError
from ingest_tui.model.naming import file_name_of, file_uri, key_from_bytes, safe_display
from ingest_tui.model.outcome import Outcome
from ingest_tui.model.plan import ARCHIVED, KILLS_BEFORE_QUARANTINE
from ingest_tui.model.source import Source
from ingest_tui.model.unicode import as_unicode
from ingest_tui.pipeline.connecting import connect
from ingest_tui.pipeline.planning import QUARANTINE_HINT
from ingest_tui.store import queries
from ingest_tui.store.catalogue import LocationRow
from ingest_tui.store.documents import DocumentStore
from ingest_tui.store.encoding import encode_json
from ingest_tui.store.journal import lines_with
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
    document = queries.document_by_id(workspace.reading, addresses[0])
    if document is not None:
        return _of_document(workspace, target, document)
    for address in addresses:
        locations = queries.locations_at(workspace.reading, address)
        documents = queries.documents_at(workspace.reading, address)
        if locations:
            explanation = _of_location(workspace, target, locations[0], documents)
            others = [place.source_id for place in locations[1:] if place.source_id != locations[0].source_id]
            if others:
                explanation.verdict += f"; sources that name something else so: {', '.join(others)}"
            return explanation
        if documents:
            return _of_document(workspace, target, documents[0])
    for source, key in _remote_keys(workspace, target):
        location = workspace.reading.locations(source.source_id, [key]).get(key)
        if location is not None:
            return _of_location(workspace, target, location, queries.documents_at(workspace.reading, location.uri))
    return _of_unknown(workspace, target, path)


def _remote_keys(workspace: Workspace, target: str) -> Iterator[tuple[Source, str]]:
    """Yield the remote sources that an address may be of, and its key in each."""
    for source in workspace.sources.all():
        with contextlib.suppress(IngestError, ValueError):
            key = connect(workspace, source).key_of(target)
            if key is not None:
                yield source, key


def addresses_of(target: str) -> list[str]:
    """Return what a person may have meant: an address or key as it is shown, a name on disk, or a path here."""
    path = os.fsencode(os.path.abspath(os.path.expanduser(target)))  # noqa: PTH100, PTH111 - bytes, links not followed
    return list(dict.fromkeys([as_unicode(target), key_from_bytes(os.fsencode(target)), file_uri(path)]))


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
    places = workspace.reading.locations_of(document.document_id)
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
    kill = workspace.reading.kills(location.source_id, [location.key]).get(location.key)
    if kill is not None and kill.kills >= KILLS_BEFORE_QUARANTINE:
        because += f"; in quarantine since it killed its parser {kill.kills} times"
        hints["failed"] = QUARANTINE_HINT
    of_reasons = {NOT_ALLOWED: TYPES_HINT, ARCHIVED: "restore it at the source; the next sync takes it then"}
    hint = of_reasons.get(location.reason) or hints.get(location.outcome, "")
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
    for source, key in _remote_keys(workspace, target):
        events = _events(workspace, source.source_id, key)
        verdict = f"not here: source {source.source_id!r} would take it, no sync has seen it"
        hint = f"is it there? 'ingest-tui plan {source.source_id}' tells"
        return _left_out(workspace, source, key, target, events) or Explanation(
            target, False, verdict, hint, events=events
        )
    for source in workspace.sources.all():
        local_key = _key_in(source, path, target)
        if local_key is None:
            continue
        events = _events(workspace, source.source_id, local_key)
        left_out = _left_out(workspace, source, local_key, target, events)
        if left_out is not None:
            return left_out
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


def _left_out(workspace: Workspace, source: Source, key: str, target: str, events: list[Event]) -> Explanation | None:
    try:
        reason = connect(workspace, source).explain_left_out(key)
    except (IngestError, ValueError):
        return None
    types = TypeFilter(source.allow_types, source.deny_types)
    reason = reason or types.refusal_of_name(file_name_of(key)) or None
    if reason is None:
        return None
    return Explanation(
        target,
        False,
        f"not here: source {source.source_id!r} leaves it out: {reason}",
        f"'ingest-tui source edit {source.source_id}' changes what is taken",
        events=events,
    )


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
        needle = encode_json(key)
        for line in lines_with(paths.plan, needle):
            if key in {line.get("key"), line.get("from_key")}:
                events.append(_plan_event(job_id, at, line, key))
                renamed_from = renamed_from or (line.get("from_key") if line.get("key") == key else None)
        for line in lines_with(paths.outcomes, needle.strip(b'"')):
            was = _moved_from(line)
            if line["key"] == key:
                events.append(_outcome_event(job_id, Outcome.from_dict(line)))
                renamed_from = renamed_from or was
            elif was == key:
                events.append(Event(job_id, line["at"], "commit: moved", line["reason"], f"{_MOVED_TO}{line['key']}"))
    folded = _fold_unchanged(events)
    if renamed_from and depth:
        return _events(workspace, source_id, renamed_from, depth=depth - 1) + folded
    return folded


def _moved_from(line: dict[str, Any]) -> str | None:
    """Return the key that an outcome says a document moved from, once its bytes had been compared."""
    if line["outcome"] != "moved" or line["reason"] != "same_content":
        return None
    return str(line["detail"]).removeprefix("was ").rpartition("; same ")[0] or None


def _jobs_to_search(workspace: Workspace, source_id: str, key: str) -> list[tuple[str, str]]:
    """Return ``(job id, its time)`` of the newest jobs of a source and of those that made what is known of a key."""
    places = workspace.reading.locations(source_id, [key]).values()
    named = {place.job_id for place in places}
    for document_id in {place.document_id for place in places if place.document_id}:
        named |= {version.job_id for version in queries.versions_of(workspace.reading, document_id)}
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
