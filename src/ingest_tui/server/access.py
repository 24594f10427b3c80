"""Who a request comes from, by its token, and whether its endpoint is for them."""

from __future__ import annotations

from collections.abc import Mapping

from ingest_tui.model.access_token import AccessToken
from ingest_tui.model.clock import utc_now
from ingest_tui.model.serving import ServeOptions
from ingest_tui.server.caller import ANYONE_HERE, NOBODY, Caller
from ingest_tui.server.endpoint import AnyEndpoint
from ingest_tui.server.places import PlaceNames
from ingest_tui.server.problems import RequestError
from ingest_tui.server.rate_limit import RateLimit
from ingest_tui.services.client import Client


class ClientAccess:
    """Decides who calls. With a token in the workspace every request needs one, but at a Unix socket, whose file only
    its owner may open; so does every request to an address that other machines reach.
    """

    def __init__(self, client: Client, options: ServeOptions) -> None:
        self._client = client
        self._is_private = options.socket is not None
        self._is_local = options.is_local
        self._rates = RateLimit()
        self._has_asked_for_tokens = False

    def caller_of(self, endpoint: AnyEndpoint, headers: Mapping[str, str]) -> Caller:
        """Return the caller of an endpoint; raises `RequestError` where there is no valid token, or it is not for them.

        What somebody may not see is not there for them (404).
        """
        if endpoint.is_public:
            return NOBODY
        caller = self.identified(headers)
        sees_all = caller.collection_id is None or not endpoint.whole_workspace
        if caller.may(endpoint.scope) and sees_all:
            return caller
        if not sees_all or endpoint.method == "GET":
            raise RequestError("there is nothing at this path", status=404, code="not_found")
        caller.require(endpoint.scope)
        return caller

    def identified(self, headers: Mapping[str, str]) -> Caller:
        """Return who a request comes from; raises `RequestError` (401, 429)."""
        given = headers.get("authorization")
        if given is None and self._needs_no_token():
            return ANYONE_HERE
        kind, _, secret = (given or "").partition(" ")
        token = self._client.tokens.of_secret(secret.strip()) if kind.lower() == "bearer" else None
        if token is None:
            what = "the token is not valid" if given else "a token is needed"
            raise RequestError(
                what,
                status=401,
                code="authentication",
                hint="send Authorization, with 'Bearer' and a token; 'ingest-tui serve token add NAME' makes one",
                headers={"WWW-Authenticate": "Bearer"},
            )
        self._rates.take(token.name)
        return _caller(token)

    def let_in(self) -> frozenset[Caller]:
        """Return all who would be let in now."""
        now = utc_now()
        named = {_caller(one) for one in self._client.tokens.list() if not one.has_expired(now)}
        return frozenset(named | {ANYONE_HERE} if self._needs_no_token() else named)

    def _needs_no_token(self) -> bool:
        """Whether anybody is let in. Once a token was asked for that is so no more, whatever becomes of the files."""
        if self._is_private:
            return True
        if not self._has_asked_for_tokens:
            self._has_asked_for_tokens = not self._is_local or self._client.tokens.has_any()
        return not self._has_asked_for_tokens

    def places(self) -> PlaceNames:
        """Return what hides the folders of this machine, also when the workspace cannot be read."""
        try:
            return PlaceNames(self._client.tokens.machine_places())
        except Exception:  # noqa: BLE001 - the error that is being told comes from the same
            return PlaceNames([str(self._client.root.absolute())])


def _caller(token: AccessToken) -> Caller:
    return Caller(token.name, token.scope, token.collection_id, token.digest)
