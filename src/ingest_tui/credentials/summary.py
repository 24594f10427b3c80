"""What may be shown of an entry: its name, type, plain fields, and where its secrets come from; never a secret."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from ingest_tui.credentials.entries import entry_digest, invalid_fields, type_name_of
from ingest_tui.credentials.references import LITERAL, parse_reference
from ingest_tui.credentials.types import CredentialType, Entry, credential_type
from ingest_tui.model.counted import counted
from ingest_tui.model.errors import IngestError


@dataclass(frozen=True, slots=True)
class CredentialSummary:
    """An entry as it may be shown. ``fields`` maps a name to its value, or for secrets to their reference.

    ``type`` is the canonical name of a known type, and what the file says otherwise. ``problem`` says why the
    entry cannot be used; it is empty when it can. ``literals`` are the secrets that the file itself holds.
    ``digest`` is that of the entry as it stood in the file.
    """

    name: str
    type: str
    is_known: bool = False
    description: str = ""
    expires: date | None = None
    fields: dict[str, str] = field(default_factory=dict)
    literals: tuple[str, ...] = ()
    problem: str = ""
    hint: str = ""
    digest: str = field(default="", repr=False)


def summarise(name: str, raw: Any) -> CredentialSummary:
    """Return what may be shown of an entry; ``raw`` is whatever the file holds."""
    return replace(_summary(name, raw), digest=entry_digest(raw))


def _summary(name: str, raw: Any) -> CredentialSummary:
    if not isinstance(raw, dict):
        return CredentialSummary(name, "", problem="is not an object", hint="correct the credentials file")
    description, expires = _text(raw.get("description")), _day(raw.get("expires"))
    try:
        declared = credential_type(type_name_of(raw))
    except IngestError as error:
        # Nobody knows which of its fields are secret: only their names are shown.
        fields = {key: "…" for key in raw if key not in Entry.model_fields}
        return CredentialSummary(
            name,
            type_name_of(raw),
            description=description,
            expires=expires,
            fields=fields,
            problem=error.message,
            hint=error.hint,
        )
    refused, problem = invalid_fields(declared, raw)
    hint = f"'ingest-tui credential set {name} --help' shows how to change it" if problem else ""
    return CredentialSummary(
        name,
        declared.name,
        is_known=True,
        description=description,
        expires=expires,
        fields=_shown_fields(declared, raw, refused),
        literals=tuple(
            key
            for key in declared.secret_names
            if isinstance(raw.get(key), str) and parse_reference(raw[key]).kind == LITERAL
        ),
        problem=problem,
        hint=hint,
    )


def _shown_fields(declared: CredentialType, raw: Mapping[str, Any], refused: set[str]) -> dict[str, str]:
    shown = {}
    for key, value in raw.items():
        if key in {"type", "description", "expires"}:
            continue
        if key in refused or value is None:
            shown[key] = "…"
        elif key in declared.secret_names:
            shown[key] = parse_reference(value).shown
        elif key in declared.model.model_fields:
            shown[key] = ", ".join(value) if isinstance(value, list) else _without_query(str(value))
        else:
            shown[key] = "… (not a field of this type)"
    return shown


def _without_query(value: str) -> str:
    """Return an address without what some services put secrets into; anything else as it is."""
    return urlunsplit((*urlsplit(value)[:3], "", "")) if "://" in value else value


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _day(value: Any) -> date | None:
    try:
        return date.fromisoformat(value)
    except (TypeError, ValueError):
        return None


def countdown(expires: date | None, today: date) -> str:
    """Return how long a credential still lasts: ``in 12 days``, ``today``, ``expired 3 days ago``; nothing for none."""
    if expires is None:
        return ""
    days = (expires - today).days
    if days == 0:
        return "today"
    distance = counted(abs(days), "day")
    return f"in {distance}" if days > 0 else f"expired {distance} ago"
