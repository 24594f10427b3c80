"""The tokens of the HTTP server, in one file of a workspace."""

from __future__ import annotations

from ingest_tui.model.access_token import SCHEMA_VERSION, AccessToken, AccessTokens
from ingest_tui.model.errors import NotFoundError, UsageError
from ingest_tui.store.layout import Layout
from ingest_tui.store.records.record_file import RecordFile


class AccessTokenStore:
    """Reads and changes them. A file that is missing holds none, which lets nobody in: see `has_tokens`."""

    def __init__(self, layout: Layout) -> None:
        self._path = layout.access_tokens
        self._file = RecordFile(
            layout, self._path, AccessTokens, newest=SCHEMA_VERSION, what="the tokens of the server"
        )

    @property
    def is_used(self) -> bool:
        """Whether a token was ever made: its file stays when the last one is revoked."""
        return self._path.exists()

    def all(self) -> tuple[AccessToken, ...]:
        """Return the tokens, those that have expired too; raises `StoreError` for a damaged file."""
        return self._file.read().tokens if self._path.exists() else ()

    def add(self, token: AccessToken) -> None:
        """Keep a token; raises `UsageError` for a name that is taken, `ConflictError`."""
        if not self._path.exists():
            self._file.add(AccessTokens(tokens=(token,)))
            return
        before = self._file.read()
        if any(one.name == token.name for one in before.tokens):
            raise UsageError(
                f"a token named {token.name!r} is already there",
                hint=f"choose another name, or 'ingest-tui serve token revoke {token.name}' first",
            )
        self._file.save(before.model_copy(update={"tokens": (*before.tokens, token)}), before)

    def remove(self, name: str) -> AccessToken:
        """Remove a token, which is not valid from now on; returns it. Raises `NotFoundError`, `ConflictError`."""
        before = self._file.read() if self._path.exists() else AccessTokens()
        gone = next((one for one in before.tokens if one.name == name), None)
        if gone is None:
            raise NotFoundError(f"there is no token {name!r}", hint="'ingest-tui serve token list' shows them")
        kept = tuple(one for one in before.tokens if one.name != name)
        self._file.save(before.model_copy(update={"tokens": kept}), before)
        return gone
