"""Looking around in a site, and saying why something of it is not listed."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import TYPE_CHECKING

from ingest_tui.connectors.base import Place
from ingest_tui.connectors.filtering import PathFilter
from ingest_tui.connectors.sharepoint.graph_errors import GraphError, source_error
from ingest_tui.connectors.sharepoint.items import LISTED_FIELDS, describe, quoted_path, read_item
from ingest_tui.connectors.sharepoint.urls import shown_library
from ingest_tui.model.descriptor import Descriptor
from ingest_tui.model.keys import bytes_from_key, key_from_bytes
from ingest_tui.model.safe_text import safe_display

if TYPE_CHECKING:
    from ingest_tui.connectors.sharepoint.config import SharePointConfig
    from ingest_tui.connectors.sharepoint.graph import GraphSession
    from ingest_tui.connectors.sharepoint.site import Site

_FIELDS = "id,name,size,lastModifiedDateTime,root,folder,file,package,malware,remoteItem"
_PAGE = 200
_DRIVE_ID = "b!"


def browse(session: GraphSession, site: Site, path: str) -> Iterator[Place]:
    """Yield libraries for an empty path, else the folders and items directly in it, in pages as they are asked for."""
    if not path:
        for library in site.all_libraries:
            yield Place(library.name, key_from_bytes(library.name.encode()), "folder")
        return
    plain = bytes_from_key(path).decode("utf-8", "surrogatepass").strip("/")
    name, _, inner = plain.partition("/")
    from ingest_tui.connectors.sharepoint.site import no_library

    library_found = next((library for library in site.all_libraries if library.name == name), None)
    if library_found is None:
        raise no_library(name, site.all_libraries)
    where = f"root:/{quoted_path(inner)}:" if inner else "root"
    link = f"/drives/{library_found.drive_id}/{where}/children?$select={_FIELDS}&$top={_PAGE}"
    try:
        for page in session.pages(link):
            for raw in page:
                item = read_item(raw)
                key = key_from_bytes(f"{plain}/{item.name}".encode("utf-8", "surrogatepass"))
                yield Place(item.name, key, "folder" if item.kind == "folder" else "item", item.size, item.modified_ns)
    except GraphError as error:
        raise source_error(error, f"the folder {safe_display(plain, limit=200)}", session.sign_in.roles) from None


def sample(session: GraphSession, site: Site, max_size: int | None) -> Iterator[Descriptor]:
    """Yield the items of the chosen libraries or folder, folder by folder from the top: some come soon."""
    start = f"/{site.folder.path}" if site.folder is not None else ""
    for library in site.libraries:
        pending = [f"{library.name}{start}"]
        while pending:
            plain = pending.pop(0)
            inner = plain[len(library.name) + 1 :]
            where = f"root:/{quoted_path(inner)}:" if inner else "root"
            link = f"/drives/{library.drive_id}/{where}/children?$select={LISTED_FIELDS}&$top={_PAGE}"
            try:
                for page in session.pages(link):
                    for raw in page:
                        item, name = read_item(raw), f"{plain}/{raw.get('name') or ''}"
                        if item.kind == "folder":
                            pending.append(name)
                        else:
                            key = key_from_bytes(name.encode("utf-8", "surrogatepass"))
                            item_id, uri = str(raw.get("id")), f"{library.web_url}/{quoted_path(name)}"
                            yield describe(item, library.drive_id, item_id, key, uri, max_size)
            except GraphError as error:
                what = f"the folder {safe_display(plain, limit=200)}"
                raise source_error(error, what, session.sign_in.roles) from None


def explain_left_out(
    config: SharePointConfig, path_filter: PathFilter, key: str, chosen: Collection[str] | None
) -> str | None:
    """Return why a listing would not name ``key``, or None when the settings are no reason.

    ``chosen`` are the names of the libraries that are taken; None: the site was not asked, and the settings say, which
    may also name a library by its address or its id.
    """
    plain = bytes_from_key(key).decode("utf-8", "surrogatepass")
    library, _, inner = plain.partition("/")
    if chosen is None:
        wanted = {shown_library(name.strip()).casefold() for name in config.library}
        is_chosen = not wanted or library.casefold() in wanted or any(name.startswith(_DRIVE_ID) for name in wanted)
    else:
        is_chosen = library in chosen
    if not is_chosen and config.library:
        return f"the source takes only the library {safe_display(', '.join(config.library))}"
    if config.folder and not f"{inner}/".casefold().startswith(f"{config.folder}/".casefold()):
        return f"the source takes only the folder {safe_display(config.folder)}"
    parts = plain.split("/")
    for depth in range(1, len(parts)):
        folder = "/".join(parts[:depth])
        if not path_filter.enters(folder.encode("utf-8", "surrogatepass")):
            return f"its folder {safe_display(folder)} is excluded"
    if not path_filter.takes(plain.encode("utf-8", "surrogatepass")):
        return "it does not match the include and exclude patterns"
    return None
