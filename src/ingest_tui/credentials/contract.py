"""What a credential is to those who sign in with one: connectors, and `credential test`."""

from __future__ import annotations

from typing import Protocol


class Credential(Protocol):
    """One entry of the credential registry, as those see it who sign in with it."""

    @property
    def name(self) -> str:
        """What the settings of a source call it."""

    @property
    def type(self) -> str:
        """What kind of credential it is: aws, entra, token, …."""

    @property
    def digest(self) -> str:
        """A value that changes when the entry changes."""

    @property
    def identity(self) -> str:
        """Whom a source sees signing in, as text without secrets; stays as it is when a secret is rotated."""

    def get(self, field: str, default: str | None = None) -> str | None:
        """Return a field; a secret one is resolved from its reference now, at each call."""

    def require(self, field: str) -> str:
        """Return a field; raises `AuthenticationError` naming the one that is missing."""


class Credentials(Protocol):
    """The credential registry, as those see it who sign in."""

    def get(self, name: str) -> Credential:
        """Return an entry as the file has it now; raises `NotFoundError`."""
