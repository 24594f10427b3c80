"""From an address that a person pasted to the site, its libraries and the folder that were meant."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple
from urllib.parse import quote

from ingest_tui.connectors.sharepoint.graph import GraphSession
from ingest_tui.connectors.sharepoint.graph_errors import GraphError, source_error
from ingest_tui.connectors.sharepoint.items import quoted_path
from ingest_tui.connectors.sharepoint.urls import SiteAddress, parse_site_url, path_segments, share_token
from ingest_tui.credentials.providers.entra_clouds import GUIDE, clouds_of_host
from ingest_tui.model.errors import SourceAccessError
from ingest_tui.model.safe_text import safe_display

_NOT_FOUND = 404
_ADDRESS_CHARACTERS = "!#$%&'()*+,/:;=?@[]~"


class Library(NamedTuple):
    """A document library: its drive, its name as people know it, and its address without a trailing slash."""

    drive_id: str
    name: str
    web_url: str


class LibraryFolder(NamedTuple):
    """A folder that a source is limited to: the path within its library, and its item id."""

    path: str
    item_id: str


class Site(NamedTuple):
    """What an address led to: the site, the libraries that were chosen, all of them, and the folder if one was meant.

    ``takes_all``: no library was chosen, so a new one of the site is taken as well.
    """

    site_id: str
    name: str
    web_url: str
    libraries: list[Library]
    all_libraries: list[Library]
    folder: LibraryFolder | None = None
    takes_all: bool = True


def find_site(session: GraphSession, address: SiteAddress, wanted: Sequence[str] = (), folder: str = "") -> Site:
    """Return the site an address leads to, with the libraries called ``wanted`` (all when none are).

    ``folder`` is a path within the one library. Raises `SourceAccessError` with what was not found and what there is.
    """
    _check_cloud(session, address.host)
    if address.share_link is not None:
        address = _shared(session, address.share_link)
    site_path = "/".join(address.site)
    raw = _get_site(session, address, site_path)
    rest = list(address.rest)
    while True:
        libraries = _libraries_of(session, raw)
        pointed, inner = _match(libraries, site_path, rest)
        if pointed is not None or not rest:
            break
        raw, site_path = _subsite(session, address, site_path, rest.pop(0), libraries)
    chosen = _choose(libraries, wanted, pointed)
    path = _one_folder(folder, inner)
    found = Site(
        str(raw.get("id") or ""),
        str(raw.get("displayName") or raw.get("name") or ""),
        str(raw.get("webUrl") or ""),
        chosen,
        libraries,
        takes_all=pointed is None and not wanted,
    )
    return found._replace(folder=_find_folder(session, found, path)) if path else found


def _check_cloud(session: GraphSession, host: str) -> None:
    cloud = session.sign_in.endpoints.cloud
    clouds = clouds_of_host(host)
    if clouds and cloud.graph not in {one.graph for one in clouds}:
        names = " or ".join(one.name for one in clouds)
        raise SourceAccessError(
            f"{safe_display(host)} is in another cloud than the credential",
            hint=f"the credential says cloud {cloud.name}, the address belongs to {names}: see {GUIDE}#clouds",
            code="wrong_cloud",
        )


def _shared(session: GraphSession, link: str) -> SiteAddress:
    """Ask Graph what an opaque sharing link leads to, and take that item's own address."""
    try:
        item = session.get(f"/shares/{share_token(link)}/driveItem?$select=id,name,webUrl,folder,file")
        if "file" not in item:
            return parse_site_url(str(item.get("webUrl") or ""))
    except GraphError as error:
        refused = source_error(error, "what the sharing link leads to", session.sign_in.roles)
        if refused.retryable:
            raise refused from None
        raise SourceAccessError(
            f"the sharing link does not say what it leads to ({error.description})",
            hint="open it in a browser and give the address that the browser then shows",
            code="share_link",
        ) from None
    except ValueError:
        pass
    raise SourceAccessError(
        "the sharing link leads to a file, not to a folder or library",
        hint="give the address of its folder; 'ingest-tui upload FILE' takes single files",
        code="share_link",
    )


def _get_site(session: GraphSession, address: SiteAddress, site_path: str) -> dict[str, Any]:
    place = address.site_id or address.host
    where = f"{quote(place, safe=',')}:/{quoted_path(site_path)}" if site_path else quote(place, safe=",")
    try:
        return session.get(f"/sites/{where}?$select=id,name,displayName,webUrl")
    except GraphError as error:
        shown = safe_display(f"{address.host}/{site_path}".rstrip("/"), limit=200)
        raise source_error(error, f"the site {shown}", session.sign_in.roles) from None


def _libraries_of(session: GraphSession, site: dict[str, Any]) -> list[Library]:
    try:
        drives = [
            drive
            for page in session.pages(f"/sites/{site['id']}/drives?$select=id,name,webUrl,driveType")
            for drive in page
        ]
    except GraphError as error:
        raise source_error(error, "the libraries of the site", session.sign_in.roles) from None
    return list(_named_apart(drives))


def _named_apart(drives: list[dict[str, Any]]) -> Iterator[Library]:
    """Two libraries have two names in SharePoint; should that ever fail, keys must not run into each other."""
    names: set[str] = set()
    for drive in drives:
        drive_id = str(drive.get("id") or "")
        name = str(drive.get("name") or drive_id).replace("/", "_")
        if name in names:
            name = f"{name} ({drive_id[-8:]})"
        names.add(name)
        web_url = str(drive.get("webUrl") or "").rstrip("/")
        yield Library(drive_id, name, quote(web_url, safe=_ADDRESS_CHARACTERS))


def _match(libraries: list[Library], site_path: str, rest: list[str]) -> tuple[Library | None, str]:
    """Return the library that a path leads into, and the folder's path within it."""
    if not rest:
        return None, ""
    site_segments = tuple(segment.casefold() for segment in site_path.split("/") if segment)
    full = (*site_segments, *(segment.casefold() for segment in rest))
    for library in libraries:
        own = path_segments(library.web_url) or (*site_segments, library.name.casefold())
        if len(own) > len(site_segments) and full[: len(own)] == own:
            return library, "/".join(rest[len(own) - len(site_segments) :])
    return None, ""


def _subsite(
    session: GraphSession, address: SiteAddress, site_path: str, segment: str, libraries: list[Library]
) -> tuple[dict[str, Any], str]:
    """What is no library may be a site within the site."""
    path = f"{site_path}/{segment}".lstrip("/")
    try:
        return session.get(
            f"/sites/{quote(address.host)}:/{quoted_path(path)}?$select=id,name,displayName,webUrl"
        ), path
    except GraphError as error:
        if error.status != _NOT_FOUND:
            raise source_error(
                error, f"the site {safe_display(f'{address.host}/{path}', limit=200)}", session.sign_in.roles
            ) from None
    raise no_library(segment, libraries)


def no_library(name: str, libraries: Sequence[Library]) -> SourceAccessError:
    """Return the error for a library that the site does not have, naming those it has."""
    names = ", ".join(safe_display(library.name, limit=60) for library in libraries) or "none"
    return SourceAccessError(
        f"the site has no library '{safe_display(name, limit=100)}'",
        hint=f"libraries of the site that the app sees: {names}",
        code="library_not_found",
    )


def _choose(libraries: list[Library], wanted: Sequence[str], pointed: Library | None) -> list[Library]:
    chosen: list[Library] = []
    for name in wanted:
        library = next((library for library in libraries if _is_called(library, name)), None)
        if library is None:
            raise no_library(name, libraries)
        if library not in chosen:
            chosen.append(library)
    if pointed is not None:
        if chosen and chosen != [pointed]:
            raise SourceAccessError(
                f"the address leads to the library '{safe_display(pointed.name)}', but others are named as well",
                hint="give the address of the site itself to take several libraries",
                code="library_conflict",
            )
        return [pointed]
    if not libraries:
        raise SourceAccessError(
            "the site has no document library that the app sees", hint=f"see {GUIDE}#errors", code="library_not_found"
        )
    return chosen or libraries


def _is_called(library: Library, name: str) -> bool:
    """People know a library by its name, or by what its address says: "Shared Documents" is called "Documents"."""
    folded = name.strip().casefold()
    return folded in {library.name.casefold(), library.drive_id.casefold(), *path_segments(library.web_url)[-1:]}


def _one_folder(configured: str, pointed: str) -> str:
    if configured and pointed and configured.casefold() != pointed.casefold():
        raise SourceAccessError(
            f"the address leads to the folder '{safe_display(pointed, limit=100)}', but another one is named as well",
            hint="give the address of the library or site, or leave the folder out",
            code="folder_conflict",
        )
    return configured or pointed


def _find_folder(session: GraphSession, site: Site, path: str) -> LibraryFolder:
    shown = safe_display(path, limit=200)
    if len(site.libraries) != 1:
        names = ", ".join(safe_display(library.name, limit=60) for library in site.libraries)
        raise SourceAccessError(
            f"the folder '{shown}' could be in any of several libraries",
            hint=f"name one of them: {names}",
            code="folder_ambiguous",
        )
    library = site.libraries[0]
    try:
        item = session.get(f"/drives/{library.drive_id}/root:/{quoted_path(path)}?$select=id,folder,package,file")
    except GraphError as error:
        if error.status != _NOT_FOUND:
            raise source_error(
                error, f"the folder {shown} of the library {safe_display(library.name)}", session.sign_in.roles
            ) from None
        raise SourceAccessError(
            f"the library '{safe_display(library.name)}' has no folder '{shown}' ({error.description})",
            hint="was it renamed or moved? 'ingest-tui source edit SOURCE --folder FOLDER' changes it;"
            " nothing was deleted",
            code="folder_not_found",
        ) from None
    if "folder" not in item or "package" in item:
        raise SourceAccessError(
            f"'{shown}' is not a folder",
            hint="give its folder; 'ingest-tui upload FILE' takes single files",
            code="folder_not_found",
        )
    return LibraryFolder(path, str(item.get("id") or ""))
