"""One entry of the registry, as a connector holds it."""

from __future__ import annotations

import json
from datetime import date
from importlib import import_module
from typing import Any, NoReturn

from ingest_tui.credentials.entries import entry_digest
from ingest_tui.credentials.references import ResolveContext, parse_reference, resolve_reference
from ingest_tui.credentials.types import CredentialType, Entry
from ingest_tui.model.errors import AuthenticationError, IngestError
from ingest_tui.model.safe_text import safe_display

# Plain fields that may change while the account stays the same.
_SAY_NOT_WHO = frozenset({"region", "thumbprint", "scope", "header", "scheme", "client_authentication"})


class RegisteredCredential:
    """A named credential. Its secrets are looked up at each `get`, and are in no representation of it.

    A connector asks for what it needs when it signs in. After a 401 it takes the credential from the registry again
    and signs in again: that is how a rotated secret takes effect in a running job. ``digest`` changes whenever the
    entry changes in the file; it can be compared within one process only.
    """

    __slots__ = ("_context", "_entry", "_type", "description", "digest", "expires", "name")

    def __init__(
        self, name: str, declared: CredentialType, entry: Entry, raw: dict[str, Any], context: ResolveContext
    ) -> None:
        self.name = name
        self.description: str = entry.description
        self.expires: date | None = entry.expires
        self.digest: str = entry_digest(raw)
        self._type = declared
        self._entry = entry
        self._context = context

    @property
    def type(self) -> str:
        """The name of its type; never an alias."""
        return self._type.name

    @property
    def declared_type(self) -> CredentialType:
        """Its type, as declared."""
        return self._type

    @property
    def identity(self) -> str:
        """Whom a source sees signing in: the plain fields of the entry and the account, as text. Outlives restarts.

        Where the account is in a secret field that cannot be resolved now, it is another one than any that is known.
        """
        names = (name for name in self._type.plain_names if name not in _SAY_NOT_WHO)
        who = {name: str(value) for name in names if (value := getattr(self._entry, name)) is not None}
        if self._type.account is not None:
            module, _, function = self._type.account.partition(":")
            try:
                who["account"] = str(getattr(import_module(module), function)(self))
            except IngestError:
                who["account"] = ""
        return json.dumps(who)

    @property
    def secrets(self) -> tuple[str, ...]:
        """The names of the secret fields that the entry has."""
        return tuple(name for name in self._type.secret_names if getattr(self._entry, name, None) is not None)

    def get(self, field: str, default: str | None = None) -> str | None:
        """Return a field: a plain one as it is, a secret one resolved now; ``default`` when it is not there.

        Raises `AuthenticationError` (``credential_unresolved``) and what else `resolve_reference` raises. May take as
        long as the program of a ``command:`` reference, at most 30 seconds.
        """
        value = getattr(self._entry, field, None) if field in type(self._entry).model_fields else None
        if value is None or value == "":
            return default
        if field not in self._type.secret_names:
            return str(value)
        what = f"{field} of credential '{safe_display(self.name)}'"
        return resolve_reference(parse_reference(value), self._context, what=what)

    def require(self, field: str) -> str:
        """Return a field like `get`; raises `AuthenticationError` (``credential_incomplete``) when it is not there."""
        value = self.get(field)
        if value is None:
            raise AuthenticationError(
                f"credential '{safe_display(self.name)}' has no {field}",
                hint=f"'ingest-tui credential set {safe_display(self.name)} --ask {field}' asks for it",
                code="credential_incomplete",
            )
        return value

    def __repr__(self) -> str:
        return f"<Credential {safe_display(self.name)!r} of type {self.type!r}>"

    def __reduce_ex__(self, _protocol: object) -> NoReturn:
        raise TypeError("a credential stays in its process: it can be neither pickled nor copied")
