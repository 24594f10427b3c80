"""Gathers what `model/explanation` decides from: what is known of an item, and what is at its source now."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import humanize

from ingest_tui.connectors.base import BaseConnector
from ingest_tui.connectors.containment import tolerated
from ingest_tui.connectors.local.volumes import mounted_below
from ingest_tui.extraction.intake.admission import NOT_ALLOWED, TypeFilter
from ingest_tui.model.descriptor import Descriptor, ListingPage
from ingest_tui.model.document import Document
from ingest_tui.model.errors import IngestError
from ingest_tui.model.explanation.facts import Event, Facts, Retirement, SourceFacts, SourceState
from ingest_tui.model.job import JobState
from ingest_tui.model.keys import file_name_of, file_uri, key_from_bytes, path_of_uri
from ingest_tui.model.place import KnownPlace
from ingest_tui.model.plan import FILTER_REFUSALS, KILLS_BEFORE_QUARANTINE
from ingest_tui.model.sighting import UNKNOWN, Sighting
from ingest_tui.model.source import KEPT_SOURCE, UPLOAD_SOURCE, Source
from ingest_tui.model.volumes import lost_volume
from ingest_tui.pipeline.connecting import connect
from ingest_tui.pipeline.plan.deletions import chosen_by
from ingest_tui.pipeline.plan.source_listing import admit
from ingest_tui.services.documents.addresses import addresses_of
from ingest_tui.services.documents.explain_events import events_of
from ingest_tui.services.jobs.jobs import get_job
from ingest_tui.store.catalogue import queries
from ingest_tui.store.records.plan_file import plan_end
from ingest_tui.store.retirements import retirement_of
from ingest_tui.store.workspace import Workspace

_RESERVED: dict[str, SourceState] = {UPLOAD_SOURCE: "upload", KEPT_SOURCE: "kept"}


def facts_at(
    workspace: Workspace,
    target: str,
    *,
    source_id: str,
    key: str,
    location: KnownPlace | None = None,
    document: Document | None = None,
) -> Facts:
    """Return what is known of one place of a source, and of the document that is or was there."""
    events = tuple(events_of(workspace, source_id, key))
    source, connector = connected(workspace, source_id)
    # Of a member only its container is listed, and can be looked at.
    listed_key = location.container if location is not None and location.container else key
    listed = location
    if listed_key != key:
        listed = workspace.reading.locations(source_id, [listed_key]).get(listed_key)
    now = sight(connector, listed_key) if source_id not in _RESERVED else _sight_upload(listed)
    changed = listed is not None and _has_changed(listed, now, is_upload=source_id == UPLOAD_SOURCE)
    left_out = ("", "")
    if source is not None and connector is not None:
        left_out = left_out_by(source, connector, listed_key, now, listed)
        if not (left_out[1] or changed) and document is not None and document.state == "active":
            types = TypeFilter(source.allow_types, source.deny_types)
            refused = types.refusal_of_content(document.media_type, file_name_of(key, is_member=listed_key != key))
            left_out = (NOT_ALLOWED, refused) if refused else left_out
    held_by, held_reason = _held_by(workspace, events)
    kill = workspace.reading.kills(source_id, [key]).get(key)
    facts = Facts(
        target,
        source=source_facts(workspace, source_id, source, listed_key, connector, now),
        now=now,
        place=location,
        document=document,
        events=events,
        left_out=left_out,
        held_by=held_by,
        held_reason=held_reason,
        kills=kill.kills if kill is not None and kill.kills >= KILLS_BEFORE_QUARANTINE else 0,
        changed=changed,
        members=count_members(workspace, target, location),
        filters_changed=source is not None and _filters_changed(workspace, source, connector),
    )
    if document is None:
        return replace(facts, lives_on=_living_on(workspace, events) if location is None else None)
    if document.state == "retired":
        return replace(facts, retirement=_retirement(workspace, document))
    return replace(facts, places=len(workspace.reading.locations_of(document.document_id)))


def count_members(workspace: Workspace, target: str, location: KnownPlace | None) -> int:
    """Return how many documents are below a place that is no document itself, or that nothing is known of any more."""
    if location is None:
        return queries.count_documents_within(workspace.reading, addresses_of(target))
    if location.document_id is not None:
        return 0
    below = workspace.reading.members_below(location.source_id, location.key)
    return sum(1 for row in below if row.document_id is not None)


def connected(workspace: Workspace, source_id: str) -> tuple[Source | None, BaseConnector | None]:
    """Return a source and its connector, as far as there are any that work. Nothing is reached."""
    try:
        source = workspace.sources.get(source_id)
    except IngestError:
        return None, None
    with tolerated():  # of another package, perhaps; `source test` reports what is wrong with it
        return source, connect(workspace, source)
    return source, None


def sight(connector: BaseConnector | None, key: str) -> Sighting:
    """Return what is at a key of a source now; unknown where its connector cannot say or fails."""
    if connector is None:
        return UNKNOWN
    with tolerated():
        return connector.sight(key)
    return UNKNOWN


def _sight_upload(location: KnownPlace | None) -> Sighting:
    """Look at the file that was uploaded, where it is on this machine: it may have changed since."""
    path = None if location is None else path_of_uri(location.uri)
    if path is None:
        return UNKNOWN
    try:
        status = os.stat(path)  # noqa: PTH116 - bytes
    except OSError:
        return UNKNOWN
    return Sighting("item", descriptor=Descriptor("", file_uri(path), "", status.st_size, status.st_mtime_ns))


def _has_changed(location: KnownPlace, now: Sighting, *, is_upload: bool) -> bool:
    """Whether what is there now is not what was looked at last. Fingerprints of two forms cannot be compared."""
    listed = now.descriptor
    if listed is None:
        return False
    if not is_upload and listed.fingerprint and location.fingerprint:
        same_form = listed.fingerprint.partition(":")[::2][0] == location.fingerprint.partition(":")[0]
        if same_form:
            return listed.fingerprint != location.fingerprint
    if location.modified_ns is None or not (location.fingerprint or is_upload):
        return False
    return (listed.size, listed.modified_ns) != (location.size, location.modified_ns)


def left_out_by(
    source: Source, connector: BaseConnector, key: str, now: Sighting, location: KnownPlace | None = None
) -> tuple[str, str]:
    """Return by which rule, and why, a source would not take what is at a key; a pair of nothing when it would."""
    with tolerated():  # a connector of another package may fail; then its patterns are not known
        if key and (why := connector.explain_left_out(key + "/" if now.kind == "folder" else key)):
            return "excluded", why
    descriptor = now.descriptor
    if descriptor is None and location is not None and now.kind == "unknown":
        descriptor = Descriptor(key, location.uri, "", location.size, location.modified_ns)
    if descriptor is None:
        refused = TypeFilter(source.allow_types, source.deny_types).refusal_of_name(file_name_of(key))
        return (NOT_ALLOWED, refused) if refused and now.kind != "folder" else ("", "")
    refusal = admit(ListingPage([descriptor]), source).descriptors[0].refusal
    if refusal is None and descriptor.size is not None and descriptor.size > source.max_size:
        limit = humanize.naturalsize(int(source.max_size))
        refusal = ("too_large", f"{humanize.naturalsize(descriptor.size)}; the limit of this source is {limit}")
    return refusal if refusal and refusal[0] in FILTER_REFUSALS else ("", "")


def _filters_changed(workspace: Workspace, source: Source, connector: BaseConnector | None) -> bool:
    """Whether what chooses the documents is another thing than at the last complete look."""
    try:
        return workspace.looks.get(source.source_id).chosen_by != chosen_by(source, connector, workspace.settings)
    except (IngestError, ValueError):
        return True


def source_facts(
    workspace: Workspace,
    source_id: str,
    source: Source | None,
    key: str,
    connector: BaseConnector | None,
    now: Sighting,
) -> SourceFacts:
    """Return what is known of a source, and of how its last jobs went."""
    if source_id in _RESERVED:
        return SourceFacts(source_id, _RESERVED[source_id])
    if source is None:
        return SourceFacts(source_id, "damaged" if source_id in workspace.sources.unreadable() else "removed")
    active = next(iter(workspace.jobs.active_for_source(source_id)), None)
    newest = None if active else next(workspace.jobs.of_source(source_id), None)
    failed = newest is not None and newest.state is JobState.FAILED
    return SourceFacts(
        source_id,
        enabled=source.enabled,
        is_remote=connector is not None and connector.capabilities.remote,
        synced=workspace.looks.get(source_id).sequence > 0,
        **_gap(workspace, source_id, key, connector, now),
        active_job=active.job_id if active else "",
        active_state=str(active.state) if active else "",
        failure=newest.errors[-1].message if newest and failed and newest.errors else "",
    )


def _gap(
    workspace: Workspace, source_id: str, key: str, connector: BaseConnector | None, now: Sighting
) -> dict[str, Any]:
    """Return what keeps a source from looking where a key is, as fields of `SourceFacts`; none: nothing does."""
    look = workspace.looks.get(source_id)
    try:
        gaps = plan_end(workspace.jobs.paths(look.job_id).plan).gaps if look.job_id else ()
    except (IngestError, OSError):
        gaps = ()
    for place, why in gaps:
        if place in {"", key} or key.startswith(f"{place}/"):
            return {"gap": why, "gap_place": place}
    is_folder = connector is not None and connector.capabilities.watches_paths
    root = connector.watch_path() if connector and is_folder and now.kind in {"gone", "folder"} else None
    if root is None:
        return {}
    mounted = {key_from_bytes(path): volume for path, volume in mounted_below(os.fsencode(root)).items()}
    lost = lost_volume(look.volumes, mounted, key)
    return {"gap": lost[1], "gap_place": lost[0], "is_gap_noted": False} if lost is not None else {}


def _held_by(workspace: Workspace, events: tuple[Event, ...]) -> tuple[str, str]:
    """Return the job that waits for a person's answer about the deletion, and why; empty when none does."""
    planned = next((event for event in reversed(events) if event.what.startswith("planned: ")), None)
    if planned is None or planned.what != "planned: hold":
        return "", ""
    try:
        held = get_job(workspace, planned.job_id).held
    except IngestError:
        return "", ""
    return (planned.job_id, planned.reason) if held is not None and held.waits else ("", "")


def _living_on(workspace: Workspace, events: tuple[Event, ...]) -> Document | None:
    """Return the document that jobs noted at a place which has none any more, if it is still searchable elsewhere."""
    name = next((event.document_id for event in reversed(events) if event.document_id), None)
    document = queries.document_by_id(workspace.reading, name) if name else None
    return document if document is not None and document.state == "active" else None


def _retirement(workspace: Workspace, document: Document) -> Retirement:
    note = retirement_of(workspace.layout, document.collection_id, document.document_id)
    if note is None:
        folder: Path = workspace.layout.trashed(document.collection_id, document.document_id)
        return Retirement("", "", document.updated_at, gone=not folder.exists())
    return Retirement(str(note.get("reason", "")), str(note.get("by", "")), str(note.get("retired_at", "")))
