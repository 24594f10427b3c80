"""What a form for credentials needs: the types there are, and what is wrong with an entry before it is saved."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

import pydantic

from ingest_tui.credentials.references import check_reference, parse_reference
from ingest_tui.credentials.summary import CredentialSummary
from ingest_tui.credentials.types import CredentialType, credential_type, type_names
from ingest_tui.model.errors import IngestError, ValidationError
from ingest_tui.model.invalid_values import NEEDED, invalid_fields
from ingest_tui.services.credentials.credentials import (
    CredentialRow,
    add_credential,
    change_credential,
    open_registry,
    type_called,
)
from ingest_tui.store.workspace import Workspace


@dataclass(frozen=True, slots=True)
class CredentialDraft:
    """An entry as a form has it. ``fields``: what was given, secrets and references too, so it is never shown.

    ``based_on``: the entry that is changed, as it was read; None for a new one.
    """

    name: str
    type_name: str
    fields: dict[str, str] = field(default_factory=dict, repr=False)
    unset: tuple[str, ...] = ()
    description: str | None = None
    expires: str | None = None
    based_on: CredentialSummary | None = None

    @property
    def is_new(self) -> bool:
        """Whether it is to be added."""
        return self.based_on is None


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


def draft_problems(workspace: Workspace, draft: CredentialDraft, kept: Mapping[str, str]) -> dict[str, str]:
    """Return what is wrong with an entry before it is saved, by field; no text quotes a value: it may be a secret.

    ``kept`` are the fields that stay as they are. What belongs to no single field is under the name of the first secret
    one.
    """
    declared = type_called(draft.type_name)
    fields = {name: value for name, value in {**kept, **draft.fields}.items() if name not in draft.unset}
    if draft.expires:
        fields["expires"] = draft.expires
    problems: dict[str, str] = {}
    if draft.is_new:
        try:
            open_registry(workspace).refuse_taken(draft.name)
        except IngestError as error:
            problems["name"] = error.message if draft.name else NEEDED
    try:
        declared.model.model_validate({"type": declared.name, **fields})
    except pydantic.ValidationError as error:
        problems = invalid_fields(error, general=_first_secret(declared, fields), quotes=False) | problems
    for name in declared.secret_names:
        try:
            if fields.get(name):
                check_reference(parse_reference(fields[name]))
        except ValidationError as error:
            problems[name] = error.message
    return problems


def save_draft(workspace: Workspace, draft: CredentialDraft) -> CredentialRow:
    """Add an entry, or change fields of one; raises `ConflictError` where that is not as it was read any more."""
    expires = date.fromisoformat(draft.expires) if draft.expires else None
    if draft.is_new:
        return add_credential(
            workspace,
            draft.name,
            type_name=draft.type_name,
            fields=draft.fields,
            description=draft.description or "",
            expires=expires,
        )
    return change_credential(
        workspace,
        draft.name,
        fields=draft.fields,
        unset=draft.unset,
        description=draft.description,
        expires=expires,
        based_on=draft.based_on,
    )


def _first_secret(declared: CredentialType, fields: Mapping[str, str]) -> str:
    given = [name for name in declared.secret_names if fields.get(name)]
    return next(iter(given or declared.secret_names), "name")
