"""Which names and which pages a request may come by: a page of somebody else must not reach this machine's server.

A page whose name was made to mean this machine (DNS rebinding) is told by its Host, a form or a script of another page
by its Origin.
"""

from __future__ import annotations

from collections.abc import Iterable
from urllib.parse import urlsplit

from ingest_tui.model.safe_text import safe_display
from ingest_tui.model.serving import ServeOptions, is_loopback
from ingest_tui.server.problems import RequestError

_ANY_ADDRESS = frozenset({"0.0.0.0", "::", ""})  # noqa: S104 - to recognise them


class HostCheck:
    """Decides by the headers Host and Origin."""

    def __init__(self, options: ServeOptions) -> None:
        self._is_local = options.is_local
        self._hosts = frozenset(name.lower() for name in (*options.allowed_hosts, options.host) if name)
        self._takes_any = not options.is_local and not options.allowed_hosts and options.host in _ANY_ADDRESS
        self._origins = frozenset(origin.lower().rstrip("/") for origin in options.origins)

    def check(self, hosts: Iterable[str], origins: Iterable[str]) -> None:
        """Raise `RequestError` for a request that came by another name or from another page."""
        named = list(hosts)
        if len(named) != 1 or not self._is_ours(host_of(named[0])):
            shown = safe_display(", ".join(named), limit=100)
            raise RequestError(
                f"this server is not called '{shown}'" if shown else "the request names no host",
                status=421,
                code="wrong_host",
                hint="call it by the address that it was started with, or start it with --allowed-host NAME",
            )
        for origin in origins:
            if origin.lower() not in self._origins and not self._is_own_page(origin, named[0]):
                raise RequestError(
                    f"pages of '{safe_display(origin, limit=100)}' may not use this server",
                    status=403,
                    code="wrong_origin",
                    hint="start it with --origin URL to let them",
                )

    def _is_ours(self, host: str) -> bool:
        if self._takes_any or host in self._hosts:
            return True
        return self._is_local and is_loopback(host)

    def _is_own_page(self, origin: str, host_header: str) -> bool:
        try:
            parts = urlsplit(origin)
        except ValueError:  # such as an open bracket: no browser sends that
            return False
        return parts.scheme in {"http", "https"} and parts.netloc.lower() == host_header.lower()


def host_of(header: str) -> str:
    """Return the name in a Host header, lower case, without its port and the brackets of IPv6; empty for nonsense."""
    try:
        return urlsplit(f"//{header}").hostname or "" if "@" not in header and "/" not in header else ""
    except ValueError:
        return ""
