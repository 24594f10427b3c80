"""What an endpoint is: one declaration, which the router, the OpenAPI document and the tests read."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, BinaryIO, Generic, Literal, TypeVar

from pydantic import BaseModel, ConfigDict
from starlette.responses import Response

from ingest_tui.model.access_token import READ, TokenScope
from ingest_tui.server.caller import Caller
from ingest_tui.server.events import Feeds
from ingest_tui.services.client import Client

SERVICE_SECONDS = 60.0
"""How long a request may be worked on, once it is there."""
LONG_SECONDS = 900.0
"""The same of what asks a source, or reads many files."""
Method = Literal["GET", "POST", "PUT", "PATCH", "DELETE"]


class Params(BaseModel):
    """The values of the path and of the query of a request. An unknown name is a mistake, and is refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Body(BaseModel):
    """The JSON in the body of a request."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Answer(BaseModel):
    """The JSON in an answer."""

    model_config = ConfigDict(frozen=True)


class NoBody(Body):
    """What a request without a body has."""


ParamsOf = TypeVar("ParamsOf", bound=Params)
BodyOf = TypeVar("BodyOf", bound=BaseModel)


@dataclass(frozen=True)
class SentFile:
    """A file of a form, and the name that the client gives it."""

    name: str
    stream: BinaryIO


@dataclass(frozen=True)
class Call(Generic[ParamsOf, BodyOf]):
    """One request, checked: what a handler gets. ``headers``: by lower-case name."""

    client: Client
    feeds: Feeds
    caller: Caller
    params: ParamsOf
    body: BodyOf
    headers: Mapping[str, str] = field(default_factory=dict)
    files: Sequence[SentFile] = ()


@dataclass(frozen=True)
class Reply:
    """An answer with headers or a status of its own. ``value``: None for an answer without a body."""

    value: BaseModel | None
    status: int | None = None
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class HttpEndpoint(Generic[ParamsOf, BodyOf]):
    """A method of a path: what it takes, what it answers, who may call it, and what is called for it, in a thread.

    ``answer``: the model of the JSON that it answers; None where it answers none. ``media_types``: what else it
    answers. ``other_statuses``: further ones that come with the same content. ``problems``: the statuses of problems
    besides those that every endpoint may answer. ``seconds``: how long a call may take. ``is_public``: anybody may call
    it, without a token. ``whole_workspace``: it is not for a caller that sees one collection only.
    """

    method: Method
    path: str
    summary: str
    tag: str
    handler: Callable[[Call[ParamsOf, BodyOf]], BaseModel | Reply | Response]
    params: type[ParamsOf]
    body: type[BodyOf]
    answer: type[BaseModel] | None = None
    status: int = 200
    scope: TokenScope = READ
    media_types: tuple[str, ...] = ()
    problems: tuple[int, ...] = ()
    other_statuses: tuple[int, ...] = ()
    takes_files: bool = False
    takes_if_match: bool = False
    seconds: float = SERVICE_SECONDS
    is_public: bool = False
    whole_workspace: bool = False

    @property
    def path_names(self) -> tuple[str, ...]:
        """The names of the values in its path."""
        return tuple(re.findall(r"{(\w+)(?::\w+)?}", self.path))

    @property
    def plain_path(self) -> str:
        """Its path as OpenAPI writes it: without what a value may look like."""
        return re.sub(r"{(\w+):\w+}", r"{\1}", self.path)

    @property
    def operation_id(self) -> str:
        """Its name in the OpenAPI document: that of its handler."""
        return self.handler.__name__

    @property
    def has_body(self) -> bool:
        """Whether it takes JSON in the body."""
        return self.body is not NoBody


AnyEndpoint = HttpEndpoint[Any, Any]
