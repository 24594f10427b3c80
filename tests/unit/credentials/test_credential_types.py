"""The types: what each accepts, how others register theirs."""

from __future__ import annotations

import json
import re
import traceback
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any

import pytest

from ingest_tui.credentials import types
from ingest_tui.credentials.entries import acceptable_entry, checked_entry
from ingest_tui.credentials.types import BUILT_IN, CredentialType, Entry, SecretField, credential_type, type_names
from ingest_tui.model.errors import MissingDependencyError, RefusedError, ValidationError

ENTRA = {"type": "entra", "tenant_id": "t", "client_id": "c"}
OAUTH = {"type": "oauth", "token_url": "https://x/token", "client_id": "c", "client_secret": "env:S"}
AWS = {"type": "aws", "access_key_id": "env:A", "secret_access_key": "env:B"}


@pytest.mark.parametrize(
    "entry",
    [
        AWS,
        {**AWS, "session_token": "env:C", "region": "eu-central-1", "endpoint_url": "http://store.lan:9000"},
        {**ENTRA, "certificate": "file:a.pem", "certificate_password": "env:P"},
        {**ENTRA, "client_secret": "env:S", "cloud": "dod", "authority": "https://login.example.org"},
        {"type": "sharepoint", "tenant_id": "t", "client_id": "c", "client_secret": "env:S"},
        {"type": "basic", "username": "u", "password": "env:P"},
        {"type": "token", "token": "env:T", "scheme": ""},
        {"type": "api_key", "api_key": "env:K", "header": "X-Key"},
        OAUTH,
        {**OAUTH, "token_url": "http://127.0.0.1:8080/token", "client_authentication": "body"},
    ],
)
def test_what_is_accepted(entry: dict[str, Any]) -> None:
    """Each type takes its smallest and its fullest entry."""
    declared, checked = checked_entry("x", entry)
    assert declared.name == ("entra" if entry["type"] == "sharepoint" else entry["type"])
    assert checked.type == entry["type"]


@pytest.mark.parametrize(
    ("entry", "told"),
    [
        ({**AWS, "endpoint_url": "https://me:hunter2@store"}, "endpoint_url – must not hold a name or a password"),
        ({**AWS, "endpoint_url": "hunter2"}, "endpoint_url – must be an address like https://host/path"),
        ({**AWS, "endpoint_url": "https://[hunter2"}, "endpoint_url – must be an address like https://host/path"),
        (ENTRA, "takes either certificate or client_secret"),
        ({**ENTRA, "certificate": "file:a", "client_secret": "hunter2"}, "takes either certificate or client_secret"),
        ({**ENTRA, "client_secret": "env:S", "cloud": "hunter2"}, "cloud – must be 'global', 'gcc'"),
        (
            {"type": "basic", "username": "", "password": "hunter2"},
            "username – this is needed",
        ),
        ({**OAUTH, "token_url": "http://login.example.org/"}, "token_url – must begin with https://"),
        ({**OAUTH, "expires": 20270630}, "expires – must be a day like 2027-06-30"),
        ({**OAUTH, "expires": "hunter2"}, "expires – must be a day like 2027-06-30"),
        ({**OAUTH, "client_secret": {"x": "hunter2"}}, "client_secret – must be a text"),
    ],
)
def test_what_is_refused_is_reported_by_its_field_without_its_value(entry: dict[str, Any], told: str) -> None:
    """A refused entry names the field and what it takes; values are never quoted, not even in a traceback."""
    with pytest.raises(ValidationError) as caught:
        checked_entry("x", entry)
    assert told in caught.value.message
    assert "hunter2" not in "".join(traceback.format_exception(caught.value))


def test_every_type_declares_its_fields() -> None:
    """Secrets are fields of the model, and every type can be asked for by its aliases."""
    for declared in BUILT_IN:
        assert set(declared.secret_names) <= declared.model.model_fields.keys()
        assert set(declared.secret_names).isdisjoint(declared.plain_names)
        assert declared.description
        assert all(credential_type(alias) is declared for alias in declared.aliases)
    assert credential_type("sharepoint").name == "entra"
    with pytest.raises(ValueError, match="does not have: pin"):
        CredentialType("x", "x", Entry, (SecretField("pin", "PIN"),))


class KerberosEntry(Entry):
    """What another package brings."""

    principal: str
    keytab: str


KERBEROS = CredentialType("kerberos", "keytab", KerberosEntry, (SecretField("keytab", "keytab"),))


def _register(monkeypatch: pytest.MonkeyPatch, *values: str) -> None:
    points = [EntryPoint("kerberos", value, types.ENTRY_POINT_GROUP) for value in values]

    def found(*, group: str, name: str = "kerberos") -> list[EntryPoint]:
        return points if (group, name) == (types.ENTRY_POINT_GROUP, "kerberos") else []

    monkeypatch.setattr(types, "entry_points", found)


def test_other_packages_bring_types_by_entry_point(monkeypatch: pytest.MonkeyPatch) -> None:
    """A type that an entry point names is listed and used like ours."""
    with pytest.raises(RefusedError, match="unknown credential type 'kerberos'"):
        credential_type("kerberos")
    _register(monkeypatch, f"{__name__}:KERBEROS")
    assert type_names()[-1] == "kerberos"
    declared, entry = checked_entry("x", {"type": "kerberos", "principal": "me", "keytab": "file:k"})
    assert declared.secret_names == ("keytab",)
    assert isinstance(entry, KerberosEntry)


def test_a_package_that_cannot_be_loaded_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """A broken entry point harms only its own type and says what to fix; so does one that is no type."""
    _register(monkeypatch, "no_such_package:KERBEROS")
    with pytest.raises(MissingDependencyError, match="cannot be loaded") as caught:
        credential_type("kerberos")
    assert "no_such_package" in caught.value.hint
    assert credential_type("basic").name == "basic"
    _register(monkeypatch, f"{__name__}:ENTRA")
    with pytest.raises(MissingDependencyError, match="is no CredentialType"):
        credential_type("kerberos")


def test_the_entries_in_the_manual_are_valid() -> None:
    """Every JSON block of docs/credentials.md is an entry that its type accepts, and every type has one."""
    manual = (Path(__file__).parents[3] / "docs" / "credentials.md").read_text()
    entries = [json.loads(block) for block in re.findall(r"^```json\n(.*?)^```", manual, re.DOTALL | re.MULTILINE)]
    shown = {checked_entry("x", acceptable_entry("x", entry))[0].name for entry in entries}
    assert shown == {declared.name for declared in BUILT_IN}
