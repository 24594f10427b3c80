"""Sources and collections of a server: what there is, how it is doing, trying a source, its plan, and syncing it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from http import HTTPStatus
from typing import Any

import orjson

from ingest_tui.model.collection import Collection
from ingest_tui.model.embedder import Embedder
from ingest_tui.model.generation import Generation, GenerationState
from ingest_tui.model.job import Manifest
from ingest_tui.model.plan_line import PlanLine
from ingest_tui.model.preference_values import PreferenceInForce
from ingest_tui.model.source import Source
from ingest_tui.services.collections.collections import CollectionSummary
from ingest_tui.services.collections.page import CollectionPage, SourceOfCollection
from ingest_tui.services.remote.job_calls import get_job
from ingest_tui.services.remote.names import named
from ingest_tui.services.remote.server import Server, path_of
from ingest_tui.services.sources.choice import chosen_sources
from ingest_tui.services.sources.health import SourceSummary
from ingest_tui.services.sources.outcomes import OutcomeCount
from ingest_tui.services.sources.sources import TestStep
from ingest_tui.worker.submit import RequestedSync

_PLAN_PART = 10_000


def source_id_of(server: Server, name: str) -> str:
    """Return the identifier of the source that ``name`` means; ``name`` itself where there is none."""
    return named(server, "source", name)


def list_sources(server: Server) -> list[SourceSummary]:
    """Return all sources with what became of them. Of the last job only its id, state and time are known."""
    found = server.get("sources")
    server.remembered["unreadable_sources"] = found.get("unreadable", [])
    return [_summary(server, one) for one in found["items"]]


def _summary(server: Server, record: dict[str, Any]) -> SourceSummary:
    with server.reading(("sources",)):
        source = server.read(Source, record["settings"], "sources")
        last = None
        if record["last_job_id"] is not None:
            last = Manifest(
                job_id=record["last_job_id"],
                source_id=source.source_id,
                collection_id=source.collection_id,
                state=record["last_state"],
                created_at="",
                updated_at=record["last_job_at"],
            )
        return SourceSummary(
            source,
            int(record["documents"]),
            last,
            None,
            failing_since=record["failing_since"],
            level=str(record["level"]),
            health=str(record["health"]),
            next_run=str(record["next_run"]),
            next_run_at=record["next_run_at"],
            embedding=record["embedding"],
            last_complete_at=record["last_complete_at"],
            text_columns=tuple(map(str, record["text_columns"])),
            context_columns=tuple(map(str, record["context_columns"])),
        )


def unreadable_sources(server: Server) -> list[str]:
    """Return the names of the sources that cannot be read, as of the last list."""
    if "unreadable_sources" not in server.remembered:
        list_sources(server)
    return list(map(str, server.remembered["unreadable_sources"]))


def get_source(server: Server, source_id: str) -> Source:
    """Return a source."""
    return _summary(server, server.get("sources", source_id)).source


def next_run_at(server: Server, source: Source) -> str | None:
    """Return when the schedule of a source starts its next sync."""
    return _summary(server, server.get("sources", source.source_id)).next_run_at


def source_preferences(server: Server, source: Source) -> list[PreferenceInForce] | None:
    """Return what is in force for the documents of a source."""
    return preference_rows(server, "sources", source.source_id, "preferences")


def preference_rows(server: Server, *path: str) -> list[PreferenceInForce] | None:
    """Return the preferences that a path has; None where they cannot be read there."""
    with server.reading(path):
        items = server.get(*path)["items"]
    return None if items is None else server.read_all(PreferenceInForce, items, *path)


def outcomes_of_source(server: Server, source_id: str) -> list[OutcomeCount]:
    """Return what the last look at each item of a source came to."""
    path = ("sources", source_id, "outcomes")
    return server.read_all(OutcomeCount, server.get(*path)["items"], *path)


def try_source(server: Server, source_id: str) -> Iterator[TestStep]:
    """Yield the steps of trying a source, all once the last one is done."""
    path = ("sources", source_id, "test")
    with server.reading(path):
        steps = server.post(*path)["steps"]
        for one in steps:
            record = one | {"name": one["step"]}
            yield server.read(TestStep, record, *path)


def plan_source(server: Server, source_id: str, *, force: bool = False) -> Iterator[PlanLine]:
    """Yield the actions that a sync of a source would take now."""
    path = ("sources", source_id, "plan")
    for record in server.items(*path, part=_PLAN_PART, force=force):
        with server.reading(path):
            yield server.read(PlanLine, record, *path)


def sources_to_sync(server: Server, sources: Sequence[str], *, all_sources: bool) -> list[str]:
    """Return the sources that a sync is for: those that are named, or all, or the only one."""
    summaries = list_sources(server)
    enabled = [one.source.source_id for one in summaries if one.source.enabled]
    damaged = unreadable_sources(server)
    return chosen_sources(
        sources, enabled, damaged, all_sources=all_sources, check=lambda name: get_source(server, name)
    )


def request_sync(server: Server, source_id: str, *, trigger: str = "", force: bool = False) -> RequestedSync:
    """Queue a sync of a source, or join the one that waits already. The server notes a trigger of its own."""
    del trigger
    path = ("sources", source_id, "sync")
    sent = orjson.dumps({"force": force})
    answer = server.send("POST", path_of(*path), sent, {"Content-Type": "application/json"})
    with server.reading(path):
        job_id = str(server.value(answer, path)["job_id"])
    joined = answer.status == HTTPStatus.ACCEPTED and answer.headers.get("Ingest-Joined") is not None
    return RequestedSync(get_job(server, job_id), not joined)


def collection_id_of(server: Server, name: str) -> str:
    """Return the identifier of the collection that ``name`` means; ``name`` itself where there is none."""
    return named(server, "collection", name)


def _collections(server: Server) -> dict[str, Any]:
    if "collections" not in server.remembered:
        server.remembered["collections"] = server.get("collections")
    found: dict[str, Any] = server.remembered["collections"]
    return found


def list_collections(server: Server) -> list[tuple[Collection, int]]:
    """Return the collections with their numbers of documents."""
    with server.reading(("collections",)):
        rows = _collections(server)["items"]
        return [(server.read(Collection, one, "collections"), int(one["documents"])) for one in rows]


def unreadable_collections(server: Server) -> list[str]:
    """Return the names of the collections that cannot be read."""
    return list(map(str, _collections(server)["unreadable"]))


def collection_in_use(server: Server) -> str:
    """Return the collection that is in use there; where the token does not see that, the only one that it sees."""
    with server.reading(("collections",)):
        rows = _collections(server)["items"]
        in_use = [str(one["collection_id"]) for one in rows if one["in_use"]]
        return (in_use or [str(one["collection_id"]) for one in rows] or ["default"])[0]


def collection_page(server: Server, collection_id: str) -> CollectionPage:
    """Return a collection at a glance; of its generations only number, state and embedder are known, of jobs none."""
    path = ("collections", collection_id)
    found = server.get(*path)
    with server.reading(path):
        summary = CollectionSummary(
            server.read(Collection, found, *path),
            int(found["documents"]),
            int(found["chunks"]),
            int(found["documents_in_trash"]),
            tuple(map(str, found["sources"])),
            tuple(map(str, found["unfinished_jobs"])),
            bool(found["in_use"]),
        )
        generations = [
            _partly(
                Generation,
                number=int(one["number"]),
                state=GenerationState(one["state"]),
                embedder=_partly(Embedder, embedder_id=str(one["embedder"])),
            )
            for one in found["embedding"]["generations"]
        ]
        sources = server.read_all(SourceOfCollection, found["source_states"], *path)
        to_embed = found["embedding"]["to_embed"]
        return CollectionPage(
            summary, None if to_embed is None else int(to_embed), tuple(sources), tuple(generations), ()
        )


def _partly(kind: Any, **known: Any) -> Any:
    """Return a record of which only what a command shows is known."""
    return kind.model_construct(**known)


CALLS: dict[str, Callable[..., Any]] = {
    "sources.id_of": source_id_of,
    "sources.list": list_sources,
    "sources.unreadable": unreadable_sources,
    "sources.get": get_source,
    "sources.next_run_at": next_run_at,
    "sources.preferences": source_preferences,
    "sources.outcomes": outcomes_of_source,
    "sources.test": try_source,
    "sources.plan": plan_source,
    "sources.to_sync": sources_to_sync,
    "sources.request_sync": request_sync,
    "collections.id_of": collection_id_of,
    "collections.list": list_collections,
    "collections.unreadable": unreadable_collections,
    "collections.in_use": collection_in_use,
    "collections.page": collection_page,
}
