"""robots.txt of a site (RFC 9309): what may be asked for, and how fast."""

from __future__ import annotations

from protego import Protego

from ingest_tui.connectors.web.client import AGENT, WebClient
from ingest_tui.connectors.web.politeness import LONGEST_DELAY
from ingest_tui.connectors.web.web_errors import RequestFailedError

LARGEST = 500 << 10
"""Bytes that are read of it, as RFC 9309 has it; the rest does not count."""
_MOST_REDIRECTS = 5


class Robots:
    """The rules of a site for us. Nothing is forbidden where it has none."""

    def __init__(self, text: str) -> None:
        self._rules = Protego.parse(text)

    def allows(self, address: str) -> bool:
        """Whether an address may be asked for."""
        return bool(self._rules.can_fetch(address, AGENT))

    @property
    def delay(self) -> float:
        """The seconds between two requests that it asks for."""
        asked = self._rules.crawl_delay(AGENT) or 0.0
        return min(max(float(asked), 0.0), LONGEST_DELAY)

    @property
    def sitemaps(self) -> list[str]:
        """The addresses of sitemaps that it names."""
        return list(self._rules.sitemaps)


def robots_of(client: WebClient, origin: str) -> Robots:
    """Ask a site for its rules.

    Raises `RequestFailedError` where it cannot say for now: then nothing may be read. That it refuses or has none
    forbids nothing.
    """
    address = f"{origin}/robots.txt"
    try:
        for _ in range(_MOST_REDIRECTS):
            with client.get(address) as answer:
                if answer.leads_to is None:
                    return Robots(answer.read(LARGEST)[:LARGEST].decode("utf-8", "replace").lstrip("\ufeff"))
                if not answer.leads_to.startswith(f"{origin}/"):
                    break
                address = answer.leads_to
    except RequestFailedError as failure:
        if failure.may_pass or failure.status is None:
            raise
    return Robots("")
