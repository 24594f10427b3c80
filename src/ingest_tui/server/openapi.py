"""The OpenAPI 3.1 document, made from the table of endpoints and their models."""

from __future__ import annotations

from collections.abc import Iterable
from http import HTTPStatus
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import JsonSchemaMode, models_json_schema

from ingest_tui.model.access_token import ADMIN
from ingest_tui.server.endpoint import AnyEndpoint
from ingest_tui.server.events import EVENT_TYPE
from ingest_tui.server.problems import PROBLEM_TYPE, ProblemDetails
from ingest_tui.version import __version__

_REF = "#/components/schemas/{model}"
_ALWAYS = (400, 401, 403, 404, 405, 409, 413, 421, 422, 429, 503)
"""Statuses of problems that any endpoint may answer."""
_OF_CHANGES = (408, 412, 415)
_TEXT = {"type": "string", "pattern": "^[!-~]{1,200}$"}
_HEADERS: tuple[dict[str, Any], ...] = (
    {
        "name": "Idempotency-Key", "in": "header", "required": False, "schema": _TEXT,
        "description": "names this request: sent again within a day, it is answered again and not done again",
    },
    {
        "name": "If-Match", "in": "header", "required": False, "schema": _TEXT,
        "description": "the ETag that was read: refused (412) where it is another now",
    },
    {
        "name": "Last-Event-ID", "in": "header", "required": False, "schema": _TEXT,
        "description": "the id of the last event that arrived",
    },
)  # fmt: skip
_DESCRIPTION = (
    "Everything of a workspace that a person can do, for programs. Errors are problem details (RFC 9457) with a stable"
    " `code`, a `hint` of what to do, and `exit_code`, which says what the command line ends with for the same reason."
)


def openapi_document(endpoints: Iterable[AnyEndpoint]) -> dict[str, Any]:
    """Return the document as a JSON value."""
    table = list(endpoints)
    schemas = _Schemas(table)
    paths: dict[str, dict[str, Any]] = {}
    for endpoint in table:
        paths.setdefault(endpoint.plain_path, {})[endpoint.method.lower()] = _operation(endpoint, schemas)
    return {
        "openapi": "3.1.0",
        "info": {"title": "ingest-tui", "version": __version__, "description": _DESCRIPTION},
        "paths": paths,
        "components": {
            "schemas": schemas.definitions,
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        },
        "security": [{"token": []}, {}],
    }


class _Schemas:
    """The schemas of all models, each once: requests as they are read, answers as they are written."""

    def __init__(self, endpoints: list[AnyEndpoint]) -> None:
        wanted: dict[tuple[type[BaseModel], JsonSchemaMode], None] = {(ProblemDetails, "serialization"): None}
        for endpoint in endpoints:
            wanted[endpoint.params, "validation"] = None
            wanted[endpoint.body, "validation"] = None
            if endpoint.answer is not None:
                wanted[endpoint.answer, "serialization"] = None
        self._found, rest = models_json_schema(list(wanted), ref_template=_REF)
        self._all = rest.get("$defs", {})
        self._params = {endpoint.params for endpoint in endpoints}
        self.definitions = {name: value for name, value in self._all.items() if name not in self._names_of_params()}

    def _names_of_params(self) -> set[str]:
        return {self._name(model, "validation") for model in self._params}

    def _name(self, model: type[BaseModel], mode: JsonSchemaMode) -> str:
        return str(self._found[model, mode]["$ref"]).rpartition("/")[2]

    def of(self, model: type[BaseModel], mode: JsonSchemaMode) -> dict[str, Any]:
        """Return the reference to the schema of a model."""
        return {"$ref": _REF.format(model=self._name(model, mode))}

    def of_params(self, model: type[BaseModel]) -> dict[str, Any]:
        """Return the schema of the values of path and query."""
        return dict(self._all[self._name(model, "validation")])


def _operation(endpoint: AnyEndpoint, schemas: _Schemas) -> dict[str, Any]:
    operation: dict[str, Any] = {
        "operationId": endpoint.operation_id,
        "summary": endpoint.summary,
        "tags": [endpoint.tag],
        "description": _described(endpoint),
        "parameters": _parameters(endpoint, schemas),
        "responses": _responses(endpoint, schemas),
    }
    if endpoint.is_public:
        operation["security"] = []
    if endpoint.has_body:
        content = {"application/json": {"schema": schemas.of(endpoint.body, "validation")}}
        if endpoint.takes_files:
            content = {"multipart/form-data": {"schema": _with_files(schemas.of_params(endpoint.body))}}
        required = any(field.is_required() for field in endpoint.body.model_fields.values())
        operation["requestBody"] = {"required": required, "content": content}
    return operation


def _with_files(form: dict[str, Any]) -> dict[str, Any]:
    """Return the schema of a form with its files."""
    file = {"type": "string", "contentMediaType": "application/octet-stream"}
    files = {"type": "array", "items": file, "minItems": 1}
    return form | {"properties": {**form["properties"], "files": files}, "required": ["files"]}


def _described(endpoint: AnyEndpoint) -> str:
    text = (endpoint.handler.__doc__ or "").strip()
    whole = " It is not for a token of one collection." if endpoint.whole_workspace else ""
    scope = "" if endpoint.is_public else f"Needs the scope {endpoint.scope}.{whole}"
    return " ".join(f"{text} {scope}".split())


def _parameters(endpoint: AnyEndpoint, schemas: _Schemas) -> list[dict[str, Any]]:
    schema = schemas.of_params(endpoint.params)
    required = set(schema.get("required", ()))
    parameters = []
    for name, value in schema.get("properties", {}).items():
        in_path = name in endpoint.path_names
        parameter = {"name": name, "in": "path" if in_path else "query", "required": in_path or name in required}
        shown = {key: one for key, one in _without_null(value).items() if key not in {"title", "description"}}
        if "description" in value:
            parameter["description"] = value["description"]
        parameters.append(parameter | {"schema": shown})
    return parameters + [header for header in _HEADERS if _takes(endpoint, header["name"])]


def _takes(endpoint: AnyEndpoint, header: str) -> bool:
    if header == "Idempotency-Key":
        return endpoint.method == "POST"
    if header == "Last-Event-ID":
        return EVENT_TYPE in endpoint.media_types
    return header == "If-Match" and endpoint.takes_if_match


def _without_null(schema: dict[str, Any]) -> dict[str, Any]:
    """Return the schema of a value that may be left out: what a query leaves out is not null in it."""
    choices = [one for one in schema.get("anyOf", ()) if one.get("type") != "null"]
    if len(choices) == 1:
        rest = {name: value for name, value in schema.items() if name not in {"anyOf", "default"}}
        return {**rest, **choices[0]}
    return schema


def _responses(endpoint: AnyEndpoint, schemas: _Schemas) -> dict[str, Any]:
    content: dict[str, Any] = {name: {} for name in endpoint.media_types}
    if endpoint.answer is not None:
        content["application/json"] = {"schema": schemas.of(endpoint.answer, "serialization")}
    found: dict[str, Any] = {str(endpoint.status): {"description": endpoint.summary}}
    if content:
        found[str(endpoint.status)]["content"] = content
    for status in endpoint.other_statuses:
        same = {} if status == HTTPStatus.NO_CONTENT else found[str(endpoint.status)]
        found[str(status)] = same | {"description": HTTPStatus(status).phrase}
    changes = _OF_CHANGES if endpoint.method != "GET" or endpoint.scope == ADMIN else ()
    for status in sorted({*_ALWAYS, *changes, *endpoint.problems}):
        if str(status) not in found:
            problem = {PROBLEM_TYPE: {"schema": schemas.of(ProblemDetails, "serialization")}}
            found[str(status)] = {"description": HTTPStatus(status).phrase, "content": problem}
    return found
