"""The endpoints of Microsoft Graph that reading SharePoint needs."""

from __future__ import annotations

import base64
import binascii
import json
import re
import time
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl, quote, unquote

from tests.graph_server import delta
from tests.graph_server.control import Control
from tests.graph_server.http_service import Handler, RefusalError
from tests.graph_server.items import Drive, Item, Site
from tests.graph_server.state import State

_DRIVE = re.compile(r"/v1\.0/drives/(?P<drive>[^/]+)(?P<rest>/.*)?\Z")
_SITE = re.compile(r"/v1\.0/sites/(?P<site>[^/:]+(?::/.*?)?)(?P<rest>:?/drives|:?/drive)?:?\Z")
_SHARE = re.compile(r"/v1\.0/shares/(?P<token>[^/]+)/driveItem\Z")
_BY_PATH = re.compile(r"/root:/(?P<path>.*?):?(?P<rest>/children|/content)?\Z")
_BY_ID = re.compile(r"/items/(?P<item>[^/]+)(?P<rest>/children|/content)?\Z")
_DELTA = re.compile(r"/root/delta(?:\(token='(?P<token>[^']*)'\))?\Z")
_DRIVES_ON_A_PAGE = 10
_READING = {"Sites.Read.All", "Sites.ReadWrite.All", "Files.Read.All", "Sites.FullControl.All"}


class GraphHandler(Handler):
    """Answers under /v1.0, and /control for tests."""

    service = "graph"

    def answer(self, method: str, path: str, query: str, body: bytes) -> None:
        if path == "/control":
            self.send(*Control(self.state).answer(method, body))
            return
        self._check_token()
        options = dict(parse_qsl(query, keep_blank_values=True))
        with self.state.lock:
            status, answer, headers = self._route(path, options)
        self.send(status, answer, headers)

    def _check_token(self) -> None:
        scheme, _, token = (self.headers.get("Authorization") or "").partition(" ")
        if scheme != "Bearer" or not token:
            raise RefusalError(401, "InvalidAuthenticationToken", "Access token is empty.")
        expires = self.state.tokens.get(token)
        if expires is None or expires < time.time():
            raise RefusalError(401, "InvalidAuthenticationToken", "Lifetime validation failed, the token is expired.")
        roles = set(self.state.knobs.roles)
        if not roles & {*_READING, "Sites.Selected"}:
            raise RefusalError(401, "generalException", "General exception while processing")

    def _route(self, path: str, options: dict[str, str]) -> tuple[int, dict[str, Any], dict[str, str]]:
        found = _DRIVE.match(path)
        if found:
            return self._drive(unquote(found["drive"]), found["rest"] or "", options)
        found = _SHARE.match(path)
        if found:
            return 200, self._share(found["token"], options), {}
        found = _SITE.match(path)
        if found:
            return 200, self._site(unquote(found["site"]), found["rest"] or "", options), {}
        raise RefusalError(400, "BadRequest", f"Resource not found for the segment '{path.rpartition('/')[2]}'.")

    # Sites

    def _site(self, key: str, rest: str, options: dict[str, str]) -> dict[str, Any]:
        if key.partition(":")[0].partition(",")[0].lower() not in {site.host for site in self.state.sites}:
            raise RefusalError(400, "invalidRequest", "Invalid hostname for this tenancy")
        site = self.state.site_of(key)
        if site is None:
            raise RefusalError(404, "itemNotFound", "Requested site could not be found")
        self._check_site(site)
        if rest.endswith("/drives"):
            return self._drives(site, options)
        if rest.endswith("/drive"):
            return drive_json(site.drives[0])
        return {
            "id": site.site_id,
            "name": site.path.rpartition("/")[2],
            "displayName": site.name,
            "webUrl": site.web_url,
        }

    def _drives(self, site: Site, options: dict[str, str]) -> dict[str, Any]:
        start = int(options.get("$skiptoken") or 0)
        drives = [drive for drive in site.drives if not drive.hidden]
        answer: dict[str, Any] = {"value": [drive_json(drive) for drive in drives[start : start + _DRIVES_ON_A_PAGE]]}
        start += _DRIVES_ON_A_PAGE
        if start < len(drives):
            answer["@odata.nextLink"] = f"{self.state.graph_url}/v1.0/sites/{site.site_id}/drives?$skiptoken={start}"
        return answer

    def _check_site(self, site: Site) -> None:
        if site.status is not None:
            raise RefusalError(site.status[0], site.status[1], "The site does not answer.")
        if not site.granted and not set(self.state.knobs.roles) & _READING:
            raise RefusalError(403, "accessDenied", "Access denied")

    def _share(self, token: str, options: dict[str, str]) -> dict[str, Any]:
        try:
            encoded = token.removeprefix("u!")
            link = base64.urlsafe_b64decode(encoded + "=" * (-len(encoded) % 4)).decode()
        except (binascii.Error, ValueError):
            raise RefusalError(400, "invalidRequest", "The sharing link is not valid.") from None
        found = self.state.shares.get(link.partition("?")[0])
        if found is None:
            raise RefusalError(403, "accessDenied", "The sharing link no longer exists, or you do not have permission.")
        return item_json(self.state, *found, options.get("$select"))

    # Drives

    def _drive(self, key: str, rest: str, options: dict[str, str]) -> tuple[int, dict[str, Any], dict[str, str]]:
        drive = next((drive for drive in self.state.drives() if drive.drive_id == key), None)
        if drive is None:
            raise RefusalError(404, "itemNotFound", "The resource could not be found.")
        self._check_site(drive.site)
        if drive.status is not None:
            raise RefusalError(drive.status[0], drive.status[1], "The library does not answer.")
        select = options.get("$select")
        found = _DELTA.match(rest)
        if not rest:
            return 200, drive_json(drive), {}
        if found:
            answer = delta.page(self.state, drive, found["token"] or options.get("token"), options)
            return 200, answer, {}
        item, inner = self._item(drive, rest)
        if inner == "/children":
            return 200, self._children(drive, item, options), {}
        if inner == "/content":
            return 302, {}, {"Location": self._content(drive, item)}
        _check_item(item)
        return 200, item_json(self.state, drive, item, select), {}

    def _item(self, drive: Drive, rest: str) -> tuple[Item, str]:
        by_path, by_id = _BY_PATH.match(rest), _BY_ID.match(rest)
        item: Item | None
        if by_path:
            parts = [unquote(part, errors="surrogatepass") for part in by_path["path"].split("/")]
            item, inner = drive.find("/".join(parts)), by_path["rest"]
        elif by_id:
            item, inner = drive.items.get(unquote(by_id["item"])), by_id["rest"]
        elif rest in {"/root", "/root/children"}:
            item, inner = drive.root, rest.removeprefix("/root")
        else:
            raise RefusalError(400, "BadRequest", f"Resource not found for the segment '{rest.rpartition('/')[2]}'.")
        if item is None:
            raise RefusalError(404, "itemNotFound", "The resource could not be found.")
        return item, inner or ""

    def _children(self, drive: Drive, item: Item, options: dict[str, str]) -> dict[str, Any]:
        start = int(options.get("$skiptoken") or 0)
        size = page_size(self.state, options)
        children = drive.children(item.item_id)
        select = options.get("$select")
        answer: dict[str, Any] = {
            "value": [item_json(self.state, drive, child, select) for child in children[start : start + size]]
        }
        if start + size < len(children):
            fields = f"&$select={quote(select)}" if select else ""
            answer["@odata.nextLink"] = (
                f"{self.state.graph_url}/v1.0/drives/{drive.drive_id}/items/{item.item_id}/children"
                f"?$top={size}{fields}&$skiptoken={start + size}"
            )
        return answer

    def _content(self, drive: Drive, item: Item) -> str:
        _check_item(item)
        if item.extra.get("malware") is not None:
            raise RefusalError(403, "accessDenied", "The file is infected.", inner_code="malwareDetected")
        if item.folder or "package" in item.extra:
            raise RefusalError(404, "itemNotFound", "Item not found")
        return self.state.issue_download(drive, item)


def _check_item(item: Item) -> None:
    if item.status is not None:
        raise RefusalError(item.status[0], item.status[1], "The item does not answer.")


def page_size(state: State, options: dict[str, str]) -> int:
    """Return how many items a page has."""
    return max(1, min(int(options.get("$top") or state.knobs.page_size), state.knobs.largest_page))


def drive_json(drive: Drive) -> dict[str, Any]:
    """Return a library as Graph shows it."""
    return {
        "id": drive.drive_id,
        "name": drive.name,
        "driveType": "documentLibrary",
        "webUrl": f"{drive.site.web_url}/{quote(drive.url_name)}",
    }


def item_json(
    state: State, drive: Drive, item: Item, select: str | None = None, *, in_delta: bool = False
) -> dict[str, Any]:
    """Return an item as Graph shows it: a delta names no path and no cTag."""
    modified = datetime.fromtimestamp(item.modified, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    full: dict[str, Any] = {
        "id": item.item_id,
        "name": item.name,
        "size": 0 if item.folder else len(item.read()),
        "eTag": item.etag,
        "lastModifiedDateTime": modified,
        "createdDateTime": modified,
        "webUrl": f"{drive.site.web_url}/{quote(drive.url_name)}/{quote(item.name.encode('utf-8', 'surrogatepass'))}",
        "parentReference": {"driveType": "documentLibrary", "driveId": drive.drive_id, "siteId": drive.site.site_id},
        "fileSystemInfo": {"lastModifiedDateTime": modified},
    }
    if item.parent_id is None:
        full["root"] = {}
    else:
        full["parentReference"]["id"] = item.parent_id
    if item.folder:
        full["folder"] = {"childCount": len(drive.names.get(item.item_id, {}))}
    else:
        full["file"] = {"mimeType": "application/octet-stream"}
        if state.knobs.hashes:
            full["file"]["hashes"] = {"quickXorHash": item.hash}
        if state.knobs.name_download_address and not in_delta and (not select or "downloadUrl" in select):
            full["@microsoft.graph.downloadUrl"] = state.issue_download(drive, item)
    if not in_delta:
        full["cTag"] = f'"c:{item.etag[1:]}'
        if item.parent_id is not None:
            full["parentReference"]["path"] = f"/drives/{drive.drive_id}/root:/{drive.path_of(item)}".rpartition("/")[0]
    full |= item.extra
    if select:
        wanted = {*select.split(","), "id"}
        full = {name: value for name, value in full.items() if name in wanted}
    # A value of None in `extra` takes a property away.
    return {name: value for name, value in full.items() if value is not None}


def dumps(value: object) -> str:
    """Return compact JSON."""
    return json.dumps(value, separators=(",", ":"))
