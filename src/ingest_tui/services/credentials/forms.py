"""What a form for credentials needs: the types there are, and what is wrong with an entry before it is saved."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pydantic

from ingest_tui.credentials.references import check_reference, parse_reference
from ingest_tui.credentials.types import CredentialType, credential_type, type_names
from ingest_tui.model.errors import IngestError, ValidationError
from ingest_tui.services.credentials.credentials import open_registry, type_called
from ingest_tui.store.workspace import Workspace


def credential_types() -> list[CredentialType]:
    """Return the types whose packages are there, ours first."""
    found = []
    for name in type_names():
        try:
            found.append(credential_type(name))
        except IngestError:
            continue
    return found


def credential_names(workspace: Workspace, type_name: str | None = None) -> list[str]:
    """Return the names of the credentials of a type, or of all; raises what `CredentialRegistry` raises."""
    entries = open_registry(workspace).entries()
    return [entry.name for entry in entries if type_name in {None, entry.type}]


def credential_draft_problems(
    workspace: Workspace, name: str | None, type_name: str, fields: Mapping[str, Any]
) -> dict[str, str]:
    """Return what is wrong with an entry before it is saved, by field; no text quotes a value: it may be a secret.

    ``fields`` are as in the file, ``expires`` as text. ``name`` is None for an entry that keeps its name. What belongs
    to no single field stands under the name of the first secret one.
    """
    declared = type_called(type_name)
    problems: dict[str, str] = {}
    if name is not None:
        try:
            open_registry(workspace).refuse_taken(name)
        except IngestError as error:
            problems["name"] = error.message if name else "this is needed"
    try:
        declared.model.model_validate({"type": declared.name, **fields})
    except pydantic.ValidationError as error:
        for problem in error.errors(include_input=False, include_url=False, include_context=False):
            place = str(problem["loc"][0]) if problem["loc"] else _first_secret(declared, fields)
            missing = problem["type"] in {"missing", "string_too_short"}
            text = "this is needed" if missing else problem["msg"].removeprefix("Value error, ")
            problems.setdefault(place, f"{text[:1].lower()}{text[1:]}")
    for field in declared.secret_names:
        try:
            if fields.get(field):
                check_reference(parse_reference(fields[field]))
        except ValidationError as error:
            problems[field] = error.message
    return problems


def _first_secret(declared: CredentialType, fields: Mapping[str, Any]) -> str:
    given = [name for name in declared.secret_names if fields.get(name)]
    return next(iter(given or declared.secret_names), "name")
