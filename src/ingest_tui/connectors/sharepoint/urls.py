"""Addresses of SharePoint sites, libraries and folders in any form that a person would paste. Pure; no network."""

from __future__ import annotations

import base64
import re
from typing import NamedTuple
from urllib.parse import SplitResult, unquote, urlsplit

_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")
_SITE_ID = re.compile(
    r"(?:https?://[^/]*graph[^/]*/[^/]+/sites/)?(?P<id>[\w.-]+,[0-9a-fA-F-]{36},[0-9a-fA-F-]{36})(?:[/?].*)?\Z"
)
_GRAPH_FORM = re.compile(
    r"(?:https?://[^/]*graph[^/]*/[^/]+/sites/)?(?P<host>[\w-]+(?:\.[\w-]+)+):(?P<path>/[^:]*):?.*\Z"
)
_HOST = re.compile(r"[a-z0-9-]+(\.[a-z0-9-]+)+\Z")
_INVISIBLE = re.compile("[\u200b-\u200f\u202a-\u202e\u2060\ufeff]")
_SHARING = re.compile(r":[a-z]:\Z")
_MANAGED = {"sites", "teams", "personal", "portals", "contentstorage"}
_PAGES = {"_layouts", "_api", "_vti_bin", "_catalogs", "_forms"}
_PAGE_FOLDERS = {"sitepages", "forms"}
_ELSEWHERE = {
    "teams.microsoft.com": "in Teams, open the channel's Files tab and choose 'Open in SharePoint'",
    "outlook.office.com": "open the site in SharePoint and copy the address from the browser",
    "onedrive.live.com": "that is a personal OneDrive; only those of organisations can be a source",
    "1drv.ms": "that is a personal OneDrive; only those of organisations can be a source",
}
_SITE_HINT = "give the address of the site, e.g. https://contoso.sharepoint.com/sites/handbook"


class SiteAddress(NamedTuple):
    """What an address says.

    ``host`` is the SharePoint host; ``site`` the decoded segments of the site's path (``("sites", "hr")``, or none for
    the root site); ``rest`` what follows, which may be a subsite, a library and folders in it; ``site_id`` Graph's own
    id, when one was given instead of a path; ``share_link`` an opaque sharing link, which only Graph can resolve.
    """

    host: str
    site: tuple[str, ...] = ()
    rest: tuple[str, ...] = ()
    site_id: str | None = None
    share_link: str | None = None

    @property
    def organisation(self) -> str:
        """The first label of the host, without what distinguishes a OneDrive from a site."""
        return self.host.partition(".")[0].removesuffix("-my")


def parse_site_url(text: str) -> SiteAddress:
    """Return what an address says; raises ValueError with a sentence for people when it cannot be a site's.

    >>> parse_site_url("contoso.sharepoint.com/sites/hr/Shared%20Documents/Forms/AllItems.aspx")[:3]
    ('contoso.sharepoint.com', ('sites', 'hr'), ('Shared Documents',))
    """
    address = _INVISIBLE.sub("", text).strip().strip("<>\"'").strip()
    if not address:
        raise ValueError(f"the address is empty; {_SITE_HINT}")
    whole = address if _SCHEME.match(address) else f"https://{address.lstrip('/')}"
    parts = _split_url(whole)  # before anything is taken out of it: a password is refused wherever it is
    site_id = _SITE_ID.match(address)
    if site_id:
        return SiteAddress(site_id["id"].partition(",")[0].lower(), site_id=site_id["id"])
    graph_form = _GRAPH_FORM.match(address)
    if graph_form:
        whole = f"https://{graph_form['host']}{graph_form['path']}"
        parts = _split_url(whole)
    return _parse_url(whole, parts)


def _split_url(address: str) -> SplitResult:
    try:
        parts = urlsplit(address)
    except ValueError:  # its message quotes the address
        raise ValueError(f"not an address of a site; {_SITE_HINT}") from None
    if parts.scheme.lower() not in {"http", "https"}:
        raise ValueError(f"not an address of a site; {_SITE_HINT}")
    if "@" in parts.netloc:
        raise ValueError("no user name or password in the address; --credential names what to sign in with")
    return parts


def _parse_url(address: str, parts: SplitResult) -> SiteAddress:
    query = _query_of(parts.query)
    host = _checked_host(parts.hostname or "")
    segments = _segments(parts.path)
    page = segments[-1].lower() if segments else ""
    if page == "sharepoint.aspx":
        raise ValueError(f"that is the start page of SharePoint, which shows all sites; {_SITE_HINT}")
    if page == "start.aspx" and parts.fragment.startswith("/"):
        whole = f"https://{host}{_path_on_start_page(parts)}"
        return _parse_url(whole, _split_url(whole))
    if segments and _SHARING.match(segments[0].lower()):
        if segments[1:2] != ["r"]:
            return SiteAddress(host, share_link=address)
        segments = segments[2:]
    elif segments[-1:] and segments[-1].lower() == "guestaccess.aspx":
        return SiteAddress(host, share_link=address)
    folder = query.get("parent") or query.get("rootfolder") or query.get("id") or ""
    if folder.startswith("/"):
        # The page shows a folder: its path is in the query, and with 'listurl' it is on another host.
        segments = _segments(folder, encoded=False)
        elsewhere = query.get("listurl")
        host = _checked_host((_split_url(elsewhere).hostname if elsewhere else None) or host)
    return _split(host, _without_page(segments))


def _path_on_start_page(parts: SplitResult) -> str:
    """Return the path that ``…/_layouts/15/start.aspx#/…`` stands for: what is shown is after the '#'."""
    site = parts.path.lower().partition("/_layouts/")[0]
    shown = parts.fragment
    return shown if f"{shown.lower()}/".startswith(f"{site}/") else parts.path[: len(site)] + shown


def _query_of(query: str) -> dict[str, str]:
    """Return the query's fields by their lower-case names. A plus is a plus: SharePoint writes spaces as %20."""
    pairs = (part.partition("=") for part in query.split("&"))
    return {unquote(name).lower(): unquote(value) for name, _, value in pairs}


def _segments(path: str, *, encoded: bool = True) -> list[str]:
    return [unquote(segment) if encoded else segment for segment in path.split("/") if segment]


def _checked_host(host: str) -> str:
    host = host.lower().rstrip(".")
    if host in _ELSEWHERE:
        raise ValueError(f"{host} is not SharePoint: {_ELSEWHERE[host]}")
    if not _HOST.match(host):
        raise ValueError(f"not an address of a site; {_SITE_HINT}")
    if host.partition(".")[0].endswith("-admin"):
        raise ValueError("the address is that of the admin center: open the site from there and copy its own address")
    return host


def _without_page(segments: list[str]) -> list[str]:
    """Cut off what names a page: ``Forms/AllItems.aspx``, ``_layouts/15/…``, ``SitePages/Home.aspx``."""
    for position, segment in enumerate(segments):
        if segment.lower() in _PAGES:
            return segments[:position]
    if segments and segments[-1].lower().endswith(".aspx"):
        segments = segments[:-1]
        if segments and segments[-1].lower() in _PAGE_FOLDERS:
            segments = segments[:-1]
    elif segments and segments[-1].lower() == "sitepages":
        segments = segments[:-1]
    return segments


def _split(host: str, segments: list[str]) -> SiteAddress:
    if not segments or segments[0].lower() not in _MANAGED:
        if "-my." in host:
            raise ValueError("the address does not say whose OneDrive: it must contain /personal/…")
        return SiteAddress(host, (), tuple(segments))
    if len(segments) == 1:
        raise ValueError(f"the address names no site after /{segments[0]}/; {_SITE_HINT}")
    return SiteAddress(host, (segments[0].lower(), segments[1]), tuple(segments[2:]))


def is_below(address: SiteAddress, above: SiteAddress) -> bool:
    """Whether an address leads to something in a library of what another one leads to."""
    meant = [segment.casefold() for segment in (*address.site, *address.rest)]
    start = [segment.casefold() for segment in (*above.site, *above.rest)]
    return address.share_link is None and len(address.rest) > 1 and meant[: len(start)] == start


def shown_library(name: str) -> str:
    """Return what people call a library, from what its address says. Only the one that each site begins with differs.

    >>> shown_library("Shared Documents")
    'Documents'
    """
    return "Documents" if name.casefold() == "shared documents" else name


def share_token(link: str) -> str:
    """Return a sharing link in the form that Graph takes under ``/shares/`` ("Accessing shared driveItems")."""
    encoded = base64.urlsafe_b64encode(link.encode()).decode("ascii")
    return f"u!{encoded.rstrip('=')}"


def path_segments(web_url: str) -> tuple[str, ...]:
    """Return the decoded segments of an address's path, in lower case: SharePoint's paths ignore case."""
    return tuple(segment.casefold() for segment in _segments(urlsplit(web_url).path))
