"""Checking entries against their type. No message quotes a value: it may be a secret in the wrong place."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from hashlib import blake2b
from typing import Any

import pydantic

from ingest_tui.credentials.references import FORMS, check_reference, parse_reference
from ingest_tui.credentials.types import CredentialType, Entry, credential_type
from ingest_tui.model.errors import ValidationError
from ingest_tui.model.invalid_values import invalid_values, refusal_in_words
from ingest_tui.model.safe_text import safe_display

# A plain hash of a weak secret could be guessed; this key never leaves the process.
_DIGEST_KEY = os.urandom(32)


def entry_digest(raw: Any) -> str:
    """Return what changes whenever an entry of the file does; can be compared within one process only."""
    written = json.dumps(raw, sort_keys=True).encode("utf-8", "surrogatepass")
    return blake2b(written, key=_DIGEST_KEY, digest_size=16).hexdigest()


def type_name_of(raw: Mapping[str, Any]) -> str:
    """Return the type that an entry names; nothing when it names none."""
    name = raw.get("type")
    return name if isinstance(name, str) else ""


def checked_entry(name: str, raw: Mapping[str, Any]) -> tuple[CredentialType, Entry]:
    """Return the type and the validated form of an entry.

    Raises `RefusedError` for an unknown type, `ValidationError` (``credential_invalid``) for what its type refuses.
    """
    declared = credential_type(type_name_of(raw))
    try:
        return declared, declared.model.model_validate(dict(raw))
    except pydantic.ValidationError as error:
        raise ValidationError(
            f"credential '{safe_display(name)}': {describe_invalid_entry(error)}",
            hint=f"fields of type {declared.name}: {', '.join((*declared.plain_names, *declared.secret_names))}",
            code="credential_invalid",
        ) from None


def acceptable_entry(name: str, raw: Mapping[str, Any]) -> dict[str, Any]:
    """Return an entry as it is to be written, after checking it whole, the form of its references too."""
    declared, _ = checked_entry(name, raw)
    for field, problem in _broken_references(declared, raw):
        raise ValidationError(f"{field}: {problem}", hint=f"references: {FORMS}", code="credential_reference")
    return dict(raw)


def _broken_references(declared: CredentialType, raw: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for field in declared.secret_names:
        if raw.get(field) is not None:
            try:
                check_reference(parse_reference(raw[field]))
            except ValidationError as error:
                yield field, error.message


def invalid_fields(declared: CredentialType, raw: Mapping[str, Any]) -> tuple[set[str], str]:
    """Return the fields that cannot be used, and why in one sentence; neither when the entry is valid."""
    try:
        declared.model.model_validate(dict(raw))
    except pydantic.ValidationError as error:
        places = {one.field for one in invalid_values(error, quotes=False) if one.field}
        return places, describe_invalid_entry(error)
    broken = list(_broken_references(declared, raw))
    return {field for field, _ in broken}, "; ".join(f"{field} – {problem}" for field, problem in broken)


def describe_invalid_entry(error: pydantic.ValidationError) -> str:
    """Return the first problems of an entry as one sentence, without any of its values.

    No colon follows a name: what follows "secret:" would be taken for one and redacted.
    """
    return refusal_in_words(error, colon=" –", quotes=False)
