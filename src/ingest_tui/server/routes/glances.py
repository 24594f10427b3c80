"""The workspace at a glance: what needs a person, who works on it, and what people call the things in it."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from ingest_tui.server.endpoint import Answer, AnyEndpoint, Call, HttpEndpoint, NoBody, Params

_TAG = "workspace"


class AttentionAnswer(Answer):
    """Something that needs a person: what, since when, and what to do."""

    level: str
    code: str
    subject: str
    message: str
    action: str
    hint: str
    since: str | None
    source_id: str
    job_id: str
    credential: str


class AttentionAnswers(Answer):
    """What needs a person now, the worst first."""

    items: list[AttentionAnswer]


class WorkerTrouble(Answer):
    """A task of a worker that fails right now, and is tried again."""

    task: str
    message: str
    level: str
    since: str
    failures: int
    source_id: str


class WorkerAnswer(Answer):
    """A worker that lives."""

    worker_id: str
    pid: int
    host: str
    started_at: str
    mode: str
    issues: list[WorkerTrouble]


class WorkerAnswers(Answer):
    """The workers that live."""

    items: list[WorkerAnswer]


class NameParams(Params):
    """What somebody calls something."""

    kind: Literal["source", "collection", "type", "job", "document"]
    called: str = Field(min_length=1, max_length=4096)


class NamedThing(Answer):
    """The identifier of what is called so."""

    id: str


def list_attention(call: Call[Params, NoBody]) -> AttentionAnswers:
    """List what needs a person now, the worst first. A token of one collection sees what is about its sources."""
    found = call.client.maintenance.attention()
    if call.caller.collection_id is not None:
        seen = {
            one.source.source_id for one in call.client.sources.list() if call.caller.sees(one.source.collection_id)
        }
        found = [one for one in found if one.source_id in seen]
    return AttentionAnswers(items=[AttentionAnswer.model_validate(one.as_dict()) for one in found])


def list_workers(call: Call[Params, NoBody]) -> WorkerAnswers:
    """List the workers that live, with what fails in them right now."""
    found = call.client.workers.list()
    return WorkerAnswers(items=[WorkerAnswer.model_validate(one.as_dict()) for one in found])


def look_up_name(call: Call[NameParams, NoBody]) -> NamedThing:
    """Return the identifier of what the command line would take a name for.

    A job: its id, a unique part of it, or `last`. A document: an id, a unique beginning of one, an address, a path, a
    file name. A source or collection: its identifier or name, and what names none as it is. A type: as it is, where
    there is such a format or document.
    """
    client, name = call.client, call.params.called
    match call.params.kind:
        case "source":
            found = client.sources.id_of(name)
        case "collection":
            found = client.collections.id_of(name)
        case "type":
            found = client.documents.checked_type(name)
        case "job":
            found = client.jobs.get(name).job_id
        case "document":
            found = client.documents.get(name).document_id
    return NamedThing(id=found)


ENDPOINTS: tuple[AnyEndpoint, ...] = (
    HttpEndpoint(
        method="GET", path="/attention", summary="What needs a person", tag=_TAG, handler=list_attention,
        params=Params, body=NoBody, answer=AttentionAnswers,
    ),
    HttpEndpoint(
        method="GET", path="/workers", summary="Who works", tag=_TAG, handler=list_workers,
        params=Params, body=NoBody, answer=WorkerAnswers, whole_workspace=True,
    ),
    HttpEndpoint(
        method="GET", path="/names/{kind}", summary="What a name means", tag=_TAG, handler=look_up_name,
        params=NameParams, body=NoBody, answer=NamedThing, whole_workspace=True,
    ),
)  # fmt: skip
