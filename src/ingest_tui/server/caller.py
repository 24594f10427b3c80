"""Who calls the server, and what they may do."""

from __future__ import annotations

from dataclasses import dataclass, field

from ingest_tui.model.access_token import ADMIN, READ, TokenScope, allows
from ingest_tui.model.errors import NotFoundError, RefusedError


@dataclass(frozen=True, slots=True)
class Caller:
    """A client: a token by its ``name``, or, with an empty name, whoever can connect to a server without tokens.

    ``collection_id``: the one collection that it sees; None for all. ``digest``: what tells the token from one that
    had its name before; empty without a token.
    """

    name: str = ""
    scope: TokenScope = ADMIN
    collection_id: str | None = None
    digest: str = field(default="", repr=False)

    @property
    def acts_as(self) -> str:
        """How the audit names the caller; empty for the user that the server runs as."""
        return f"token:{self.name}" if self.name else ""

    def may(self, scope: TokenScope) -> bool:
        """Whether the caller may do what needs a scope."""
        return allows(self.scope, scope)

    def require(self, scope: TokenScope) -> None:
        """Raise `RefusedError` where the caller may not do what needs a scope."""
        if not self.may(scope):
            raise RefusedError(
                f"this needs the scope {scope}, and token {self.name!r} has {self.scope}",
                hint=f"'ingest-tui serve token add NAME --scope {scope}' makes a token that may",
                code="scope",
            )

    def sees(self, collection_id: str) -> bool:
        """Whether the caller sees what is in a collection."""
        return self.collection_id in {None, collection_id}

    def check_sees(self, collection_id: str, what: str) -> None:
        """Raise `NotFoundError` for ``what`` where it is in a collection that the caller does not see."""
        if not self.sees(collection_id):
            raise NotFoundError(f"{what} does not exist", hint="the lists of this server show what there is")


ANYONE_HERE = Caller()
"""Whoever can connect to a server that only this machine reaches, where no token is asked for."""
NOBODY = Caller(scope=READ)
"""Who calls what is for everybody."""
CALLER = "ingest_tui.caller"
"""Where the scope of a request has its `Caller`, for what is no endpoint of the table."""
