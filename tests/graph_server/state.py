"""What the three services share: sites, apps, tokens, faults to be played, and a record of what was asked."""

from __future__ import annotations

import re
import secrets
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from email.utils import formatdate
from typing import Any

from tests.graph_server.items import Drive, Item, Site

HOST = "contoso.sharepoint.com"
TENANT_ID = "11111111-2222-4333-8444-555555555555"
CLIENT_ID = "aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee"
CLIENT_SECRET = "planted-client-secret"


@dataclass
class Knobs:
    """How the services behave. All can be turned at any time."""

    page_size: int = 200
    """Items on a page where the request does not say; ``largest_page`` bounds what it says."""
    largest_page: int = 1000
    delta_repeats: bool = False
    """Some items are told of twice, first with a name of long ago."""
    delta_supported: bool = True
    delta_token_in_parentheses: bool = False
    """``delta(token='…')`` instead of ``?token=``."""
    delta_page_without_link: int = 0
    """This page of every delta (from 1) comes without any link."""
    deleted_with_names: bool = False
    """The documented behaviour of OneDrive for Business is without."""
    resync_code: str = "resyncChangesApplyDifferences"
    resync_location: bool = True
    hashes: bool = True
    token_seconds: int = 3600
    roles: list[str] = field(default_factory=lambda: ["Sites.Selected"])
    sign_in_error: tuple[str, str] | None = None
    """An error code of Entra and its sentence, e.g. ("AADSTS53003", "Access has been blocked …")."""
    download_seconds: float = 300.0
    download_uses: int | None = None
    """How often an address can be used; None: until it expires."""
    name_download_address: bool = True
    ignore_range: bool = False
    chunked: bool = False
    """Downloads do not announce their length."""
    cut_after: int | None = None
    """The body breaks off after so many bytes, ``cut_times`` times."""
    cut_times: int = 1
    slow_after: int | None = None
    """The body pauses after so many bytes until the item changes, at most ``slow_seconds``."""
    slow_seconds: float = 0.5
    retry_after_as_date: bool = False


@dataclass
class Fault:
    """An answer to be given instead of the genuine one. ``match`` is searched in ``GET /path?query``."""

    match: str
    status: int = 500
    code: str = "generalException"
    message: str = "An error was asked for."
    retry_after: float | None = None
    times: int = 1
    skip: int = 0
    service: str = "graph"
    action: str = "answer"
    """``answer``, ``close`` (no answer at all), ``html`` (a proxy's page with status 200), ``cut``, ``silence``,
    ``bare`` (an answer with status 200 that has no items, and only a delta link)."""
    after: int = 0
    """For ``cut``: the genuine answer breaks off after so many bytes of its body. For ``silence``: seconds."""
    inner_code: str | None = None


@dataclass
class Asked:
    """A request as it was recorded."""

    service: str
    method: str
    path: str
    query: str
    headers: dict[str, str]
    at: float

    @property
    def target(self) -> str:
        """Path and query."""
        return f"{self.path}?{self.query}" if self.query else self.path


@dataclass
class Issued:
    """A pre-authenticated address."""

    drive: Drive
    item: Item
    expires: float
    uses: int = 0


class State:
    """The other side, whole."""

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.knobs = Knobs()
        self.sites: list[Site] = []
        self.faults: list[Fault] = []
        self.asked: list[Asked] = []
        self.tokens: dict[str, float] = {}
        self.downloads: dict[str, Issued] = {}
        self.apps: dict[str, dict[str, Any]] = {CLIENT_ID: {"secret": CLIENT_SECRET, "certificates": []}}
        self.shares: dict[str, tuple[Drive, Item]] = {}
        self.delta_epoch = 1
        self.graph_url = ""
        self.login_url = ""
        self.downloads_url = ""

    # The content

    def site(self, path: str, name: str | None = None, *, host: str = HOST) -> Site:
        """Return the site at a path, made when it is not there."""
        for site in self.sites:
            if (site.host, site.path) == (host, path):
                return site
        site = Site(host, path, name or path.rpartition("/")[2] or "Home")
        self.sites.append(site)
        return site

    def site_of(self, key: str) -> Site | None:
        """Return a site by its id, or by ``host:/path``."""
        host, _, path = key.partition(":")
        wanted = (host.lower(), path.strip("/:").lower())
        for site in self.sites:
            if key in {site.site_id, site.site_id.split(",")[1]} or (site.host, site.path.lower()) == wanted:
                return site
        return None

    def drives(self) -> Iterator[Drive]:
        """Yield every library."""
        for site in self.sites:
            yield from site.drives

    def drive(self, key: str) -> Drive:
        """Return a library by its id or name."""
        return next(drive for drive in self.drives() if key in {drive.drive_id, drive.name})

    def issue_download(self, drive: Drive, item: Item) -> str:
        """Return a new pre-authenticated address."""
        ticket = secrets.token_urlsafe(24)
        self.downloads[ticket] = Issued(drive, item, time.monotonic() + self.knobs.download_seconds)
        return f"{self.downloads_url}/download/{item.item_id}?tempauth={ticket}"

    # Faults and the record

    def fail(self, match: str, **options: Any) -> None:
        """Plan a fault."""
        self.faults.append(Fault(match, **options))

    def fault_for(self, service: str, line: str) -> Fault | None:
        """Return the fault to be played for a request, and count it."""
        with self.lock:
            for fault in self.faults:
                if fault.service == service and fault.times > 0 and re.search(fault.match, line):
                    if fault.skip > 0:
                        fault.skip -= 1
                        continue
                    fault.times -= 1
                    return fault
        return None

    def retry_after(self, seconds: float | None) -> dict[str, str]:
        """Return the header, as seconds or as a date."""
        if seconds is None:
            return {}
        if self.knobs.retry_after_as_date:
            return {"Retry-After": formatdate(time.time() + seconds, usegmt=True)}
        return {"Retry-After": f"{seconds:g}"}

    def requests(self, service: str = "", match: str = "") -> list[Asked]:
        """Return what was asked, of one service, with a target that matches."""
        return [
            asked for asked in self.asked
            if (not service or asked.service == service) and (not match or re.search(match, asked.target))
        ]  # fmt: skip

    def forget_requests(self) -> None:
        """Begin a new record."""
        self.asked.clear()

    def expire_delta_tokens(self) -> None:
        """Answer 410 to every token given out so far."""
        self.delta_epoch += 1

    def expire_downloads(self) -> None:
        """Let every pre-authenticated address given out so far be too old."""
        for issued in self.downloads.values():
            issued.expires = 0.0

    def revoke_tokens(self) -> None:
        """Refuse every access token given out so far."""
        self.tokens.clear()
