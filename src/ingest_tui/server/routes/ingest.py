"""Taking documents in: a sync of a source, documents in the body, and files."""

from __future__ import annotations

import base64
import io
import os
from collections.abc import Sequence
from typing import Any, Literal, Self

import orjson
from pydantic import Field, model_validator

from ingest_tui.model.access_token import ADMIN, WRITE
from ingest_tui.model.errors import IngestError, NotFoundError, UsageError
from ingest_tui.model.hashing import short_digest
from ingest_tui.model.identifiers import slug
from ingest_tui.model.keys import bytes_from_key
from ingest_tui.model.safe_text import safe_display
from ingest_tui.model.source import UPLOAD_SOURCE, Source
from ingest_tui.server.answers import json_bytes
from ingest_tui.server.endpoint import (
    LONG_SECONDS,
    AnyEndpoint,
    Body,
    Call,
    HttpEndpoint,
    NoBody,
    Params,
    Reply,
    SentFile,
)
from ingest_tui.server.pages import PageParams, number_cursor, page_at
from ingest_tui.server.problems import RequestError, status_of
from ingest_tui.server.routes.collections import CollectionParams, collection_for
from ingest_tui.server.routes.document_models import DocumentId, DocumentPageAnswer, RemovedDocument
from ingest_tui.server.routes.documents import document_for, states_of
from ingest_tui.server.routes.jobs import QueuedJob, queued_job
from ingest_tui.server.routes.sources import (
    config_given,
    queued_sync,
    source_for,
    warn_of_both,
)
from ingest_tui.server.values import Identifier
from ingest_tui.services.documents.upload_files import UploadFile, file_from

_TAG = "ingest"
_TOO_LARGE, _INVALID = 413, 422
LARGEST_NUMBER = 100
"""Files of one upload, and documents of one request."""


class SentDocument(Body):
    """A document in the body: its file name, and what is in the file, as text or in base64."""

    name: str = Field(min_length=1, max_length=255)
    content: str = Field(max_length=16_000_000)
    encoding: Literal["text", "base64"] = "text"

    def content_bytes(self) -> bytes:
        """Return what is in the file; raises `RequestError`."""
        try:
            return self.content.encode() if self.encoding == "text" else base64.b64decode(self.content, validate=True)
        except ValueError:  # binascii.Error and UnicodeEncodeError are such
            problem = (f"documents.{safe_display(self.name)}.content", f"is not {self.encoding}")
            raise RequestError(": ".join(problem), status=422, code="invalid", errors=[problem]) from None


class IngestBody(Body):
    """What is taken in: a source by its identifier, or one that is described, or documents.

    A described source is added at the first request; the same description again is the same source. ``source_path`` is
    the old form of a folder: ``source_config`` takes precedence over it.
    """

    source_id: Identifier | None = None
    source_type: str | None = Field(default=None, max_length=64)
    source_config: dict[str, Any] | None = None
    source_path: str | None = Field(default=None, max_length=4096, json_schema_extra={"deprecated": True})
    name: str | None = Field(default=None, min_length=1, max_length=200, description="of a source that is described")
    documents: list[SentDocument] | None = Field(default=None, min_length=1, max_length=LARGEST_NUMBER)
    collection_id: Identifier | None = None
    force: bool = Field(default=False, description="read and extract everything again")

    @property
    def describes_source(self) -> bool:
        """Whether a source is described rather than named."""
        return self.source_config is not None or self.source_path is not None or self.source_type is not None

    @model_validator(mode="after")
    def _is_one_of_three(self) -> Self:
        given = (self.source_id is not None, self.describes_source, self.documents is not None)
        if sum(given) != 1:
            raise ValueError("give one of source_id, source_config with source_type, and documents")
        return self


class UploadForm(Body):
    """What is sent next to files."""

    label: str = Field(default="", max_length=100, description="of the versions that come of them")
    replace: bool = Field(default=False, description="delete the versions before them")
    preferences: str = Field(default="", max_length=20_000, description="in place of those of the collection, as JSON")
    names: str = Field(
        default="",
        max_length=200_000,
        description="of the files in their order, in place of those in the parts, as JSON;"
        " one that is not UTF-8 is bytes: and its percent-encoding",
    )

    def overrides(self) -> dict[str, Any] | None:
        """Return the preferences that are given; raises `RequestError` for what is no object of JSON."""
        if not self.preferences:
            return None
        given = _loaded(self.preferences)
        if not isinstance(given, dict):
            raise _invalid("preferences", "is no object of JSON")
        return given

    def named(self, files: Sequence[SentFile]) -> list[SentFile]:
        """Return the files under the names that are given; raises `RequestError` for what is no name for each."""
        if not self.names:
            return list(files)
        given = _loaded(self.names)
        if not isinstance(given, list) or len(given) != len(files) or not all(isinstance(one, str) for one in given):
            raise _invalid("names", "is no list of JSON with a name for each file")
        return [
            SentFile(os.fsdecode(bytes_from_key(name)), file.stream) for name, file in zip(given, files, strict=True)
        ]


def _loaded(text: str) -> Any:
    """Return the value of a JSON text; None for what is none."""
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        return None


def _invalid(field: str, what: str) -> RequestError:
    return RequestError(f"{field}: {what}", status=_INVALID, code="invalid", errors=[(field, what)])


class FilesParams(CollectionParams, PageParams):
    """Which part of the files of a collection."""


class FileParams(CollectionParams):
    """Which file of a collection."""

    document_id: DocumentId


def ingest(call: Call[Params, IngestBody]) -> Reply:
    """Queue a job that takes documents in, and return it.

    Its state is at `GET /ingest/{job_id}`. A worker does it.
    """
    body = call.body
    if body.documents is not None:
        collection = body.collection_id or call.caller.collection_id or "default"
        files = [file_from(io.BytesIO(one.content_bytes()), one.name) for one in body.documents]
        return queued_upload(call, collection, files, field="documents")
    if body.source_id is not None:
        source = source_for(call, body.source_id)
        if body.collection_id not in {None, source.collection_id}:
            raise _invalid("collection_id", "is not that of the source")
        return queued_sync(call, source, force=body.force)
    warn_of_both(body.source_config, body.source_path)
    source = _described_source(call, body)
    return queued_sync(call, source, force=body.force)


def _described_source(call: Call[Any, Any], body: IngestBody) -> Source:
    """Return the source that a request describes, which is added where it is not here yet."""
    call.caller.require(ADMIN)
    config = config_given(body.source_config, body.source_path)
    source_type = body.source_type or ("directory" if body.source_config is None else "local")
    collection_id = body.collection_id or "default"
    described = json_bytes([source_type, config, collection_id]).decode()
    name = body.name or f"{source_type}-{short_digest(described, length=8)}"
    try:
        found = source_for(call, slug(name))
    except NotFoundError:
        added: Source = call.client.sources.add(
            source_type=source_type, name=name, config=config, collection_id=collection_id
        )
        return added
    if body.name is not None and not _is_described(found, config, collection_id):
        raise UsageError(
            f"a source named {found.source_id!r} is already there, with other settings",
            hint="choose another name, or leave it out",
        )
    return found


def _is_described(source: Source, config: dict[str, Any], collection_id: str) -> bool:
    return source.collection_id == collection_id and config.items() <= source.source_config.items()


def upload_files(call: Call[CollectionParams, UploadForm]) -> Reply:
    """Upload files to a collection, as parts `files` of a form.

    All are read before anything is stored; where one cannot be taken, none is, and `errors` names each.
    """
    if not call.files:
        problem = ("files", "there is none")
        raise RequestError(
            "no file was sent", status=422, code="invalid", errors=[problem], hint="send parts named 'files'"
        )
    problems: list[tuple[str, str]] = []
    files: list[UploadFile] = []
    for number, sent in enumerate(call.body.named(call.files)):
        try:
            files.append(file_from(sent.stream, sent.name))
        except IngestError as error:
            problems.append((f"files.{number}", error.message))
    if problems:
        raise RequestError(
            problems[0][1], status=422, code="invalid", errors=problems, hint="give each file a plain name"
        )
    overrides = call.body.overrides()
    if overrides and "tokenizer" in overrides:  # names a file of the machine
        call.caller.require(ADMIN)
    return queued_upload(
        call, call.params.collection_id, files, field="files", label=call.body.label, replace=call.body.replace,
        overrides=overrides,
    )  # fmt: skip


def queued_upload(
    call: Call[Any, Any], collection_id: str, files: Sequence[UploadFile], *, field: str, **options: Any
) -> Reply:
    """Queue the job of an upload; raises `RequestError` that names each file that cannot be taken."""
    collection_for(call, collection_id)
    try:
        job = call.client.documents.upload(files, collection_id=collection_id, **options)
    except UsageError as error:
        raise _by_field(error, files, field) from None
    return Reply(queued_job(call, job.job_id), 202, {"Location": f"/ingest/{job.job_id}"})


def _by_field(error: UsageError, files: Sequence[UploadFile], field: str) -> RequestError:
    """Return a refused upload with its problems by field: the messages name the files."""
    listed = error.context.get("files")
    messages = [one["message"] for one in listed] if isinstance(listed, list) else [error.message]
    problems = []
    for message in messages:
        numbers = (number for number, file in enumerate(files) if safe_display(file.name) in message)
        number = next(numbers, None)
        problems.append((field if number is None else f"{field}.{number}", message))
    status = _TOO_LARGE if status_of(error) == _TOO_LARGE else _INVALID
    return RequestError(error.message, status=status, code=error.reason, errors=problems, hint=error.hint)


def list_files(call: Call[FilesParams, NoBody]) -> DocumentPageAnswer:
    """List the documents that were uploaded to a collection."""
    params = call.params
    collection_for(call, params.collection_id)
    offset = number_cursor(params.cursor)
    page = call.client.documents.page(
        limit=params.limit + 1, offset=offset, collection_id=params.collection_id, source_id=UPLOAD_SOURCE
    )
    rows, more = page_at(page.rows, params.limit, offset)
    return DocumentPageAnswer(items=states_of(call, rows), next_cursor=more, total=page.total)


def remove_file(call: Call[FileParams, NoBody]) -> RemovedDocument:
    """Retire an uploaded document to the trash; 409 while a job works on it, or embeds it."""
    found = document_for(call, call.params.document_id)
    if (found.collection_id, found.source_id) != (call.params.collection_id, UPLOAD_SOURCE):
        raise NotFoundError(
            f"document {found.document_id} was not uploaded to collection {call.params.collection_id!r}",
            hint="GET /collections/{collection_id}/files lists those that were",
        )
    retired = call.client.documents.remove([found.document_id])
    return RemovedDocument(document_id=found.document_id, retired=retired)


ENDPOINTS: tuple[AnyEndpoint, ...] = (
    HttpEndpoint(
        method="POST", path="/ingest", summary="Take documents in", tag=_TAG, handler=ingest, seconds=LONG_SECONDS,
        params=Params, body=IngestBody, answer=QueuedJob, status=202, scope=WRITE,
        problems=(424, 503, 507),
    ),
    HttpEndpoint(
        method="POST", path="/collections/{collection_id}/files", summary="Upload files", tag=_TAG,
        handler=upload_files, seconds=LONG_SECONDS,
        params=CollectionParams, body=UploadForm, answer=QueuedJob, status=202,
        scope=WRITE, takes_files=True, problems=(503, 507),
    ),
    HttpEndpoint(
        method="GET", path="/collections/{collection_id}/files", summary="Uploaded files", tag=_TAG,
        handler=list_files, params=FilesParams, body=NoBody, answer=DocumentPageAnswer,
    ),
    HttpEndpoint(
        method="DELETE", path="/collections/{collection_id}/files/{document_id}", summary="Remove an uploaded file",
        tag=_TAG, handler=remove_file, params=FileParams, body=NoBody, answer=RemovedDocument, scope=WRITE,
    ),
)  # fmt: skip
