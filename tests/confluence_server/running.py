"""Running the server in the process of a test, or as a process of its own; and a credential that leads to it."""

from __future__ import annotations

import base64
import bisect
import json
import re
import sys
import time
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qs, unquote, urlencode

if __package__ in {None, ""}:
    sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tests.confluence_server.state import ConfluenceState, Entry
from tests.graph_server.http_service import Handler, RefusalError, Service
from tests.graph_server.running import FakeCredential

PERSON = "ann@example.org"
_WHEN = "2026-11-01T10:00:00.000Z"


class ConfluenceServer:
    """One Confluence; what Cloud redirects downloads to is another host."""

    def __init__(self, *, is_cloud: bool) -> None:
        self.state = ConfluenceState(is_cloud=is_cloud)
        self._service = Service(CloudHandler if is_cloud else DataCenterHandler, self.state)
        self._media = Service(MediaHandler, self.state)
        self.url = f"http://127.0.0.1:{self._service.port}" + ("/wiki" if is_cloud else "/confluence")
        self.state.media_url = f"http://localhost:{self._media.port}"

    def __enter__(self) -> Self:
        self._service.start()
        self._media.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self._service.stop()
        self._media.stop()

    def credential(self) -> FakeCredential:
        """Return the credential that it lets in."""
        if self.state.is_cloud:
            return FakeCredential({"username": PERSON, "password": self.state.token}, type_="basic", name="wiki")
        return FakeCredential({"token": self.state.token}, type_="token", name="wiki")


class _ConfluenceHandler(Handler):
    service = "confluence"
    state: ConfluenceState  # type: ignore[misc]
    routes: tuple[tuple[str, str], ...] = ()
    context = ""

    def answer(self, method: str, path: str, query: str, body: bytes) -> None:
        self._check_signature()
        asked = {name: values[-1] for name, values in parse_qs(query, keep_blank_values=True).items()}
        self._every = parse_qs(query)
        self._path, self._query = path.removeprefix(self.context), query
        for pattern, name in self.routes:
            if found := re.fullmatch(pattern, self._path):
                getattr(self, name)(asked, *map(unquote, found.groups()))
                return
        raise RefusalError(404, "notFound", "no such resource")

    def _check_signature(self) -> None:
        token = self.state.token
        pair = base64.b64encode(f"{PERSON}:{token}".encode()).decode()
        if self.headers.get("Authorization") != (f"Basic {pair}" if self.state.is_cloud else f"Bearer {token}"):
            raise RefusalError(401, "unauthorized", "the token is not known")

    def entry(self, entry_id: str, *kinds: str) -> Entry:
        found = self.state.entries.get(entry_id)
        if found is None or (kinds and found.kind not in kinds):
            raise RefusalError(404, "notFound", "there is no such content, or it may not be seen")
        if found.status != 200:
            raise RefusalError(found.status, "forbidden", "it may not be seen")
        return found

    def current_user(self, _asked: dict[str, str]) -> None:
        self.send(200, {"type": "known", "displayName": "Ann Example"})

    def restrictions(self, _asked: dict[str, str], entry_id: str) -> None:
        readers = self.entry(entry_id).readers
        users = [{"displayName": one} for one in readers if not one.startswith("@")]
        groups = [{"name": one[1:]} for one in readers if one.startswith("@")]
        self.send(
            200, {"operation": "read", "restrictions": {"user": {"results": users}, "group": {"results": groups}}}
        )

    def download_version(self, asked: dict[str, str], entry: Entry) -> bytes:
        return entry.versions[int(asked.get("version") or entry.version) - 1]


class MediaHandler(Handler):
    """The host that Cloud keeps files on: its addresses are permissions, and it takes no other."""

    service = "media"
    state: ConfluenceState  # type: ignore[misc]

    def answer(self, method: str, path: str, query: str, body: bytes) -> None:
        if self.headers.get("Authorization"):
            raise RefusalError(400, "leaked", "a secret came here")
        entry = self.state.entries.get(path.rpartition("/")[2])
        if entry is None:
            raise RefusalError(404, "notFound", "gone")
        self.cut_after = self.state.knobs.cut_after if self.state.knobs.cut_times > 0 else None
        self.state.knobs.cut_times -= self.cut_after is not None
        version = int(parse_qs(query).get("version", ["0"])[0]) or entry.version
        self.send(200, entry.versions[version - 1], {"Content-Type": "application/octet-stream"})


class CloudHandler(_ConfluenceHandler):
    """Confluence Cloud."""

    routes = (
        (r"/wiki/rest/api/user/current", "current_user"),
        (r"/wiki/rest/api/user", "user"),
        (r"/wiki/rest/api/content/([^/]+)/restriction/byOperation/read", "restrictions"),
        (r"/wiki/rest/api/content/([^/]+)/child/attachment/([^/]+)/download", "download"),
        (r"/wiki/api/v2/spaces", "spaces"),
        (r"/wiki/api/v2/spaces/([^/]+)/(pages|blogposts)", "in_space"),
        (r"/wiki/api/v2/(?:pages|blogposts)/([^/]+)/attachments", "attachments"),
        (r"/wiki/api/v2/(?:pages|blogposts)/([^/]+)/(footer|inline)-comments", "comments"),
        (r"/wiki/api/v2/(?:footer|inline)-comments/([^/]+)/children", "answers"),
        (r"/wiki/api/v2/pages/([^/]+)/ancestors", "ancestors"),
        (r"/wiki/api/v2/(pages|blogposts|footer-comments|inline-comments)/([^/]+)", "one"),
        (r"/wiki/api/v2/pages", "by_title"),
    )

    def _part(self, asked: dict[str, str], found: list[dict[str, Any]]) -> None:
        """Answer with the part behind the cursor, which names the last one that was given."""
        after = asked.get("cursor", "")
        rest = [one for one in found if not after or _number(one["id"]) > _number(after)]
        part = rest[: min(int(asked.get("limit", "25")), self.state.largest_part)]
        links = {}
        if len(part) < len(rest):
            further = {**asked, "cursor": part[-1]["id"]}
            links = {"next": f"{self._path}?{urlencode(further)}"}
        self.send(200, {"results": part, "_links": links})

    def spaces(self, asked: dict[str, str]) -> None:
        keys = asked["keys"].split(",") if "keys" in asked else list(self.state.spaces)
        found = [{"id": one.space_id, "key": one.key, "name": one.name} for one in self.state.spaces.values()]
        self._part(asked, [one for one in found if one["key"] in keys])

    def in_space(self, asked: dict[str, str], space_id: str, kind: str) -> None:
        space = next((one for one in self.state.spaces.values() if one.space_id == space_id), None)
        if space is None:
            raise RefusalError(404, "notFound", "there is no such space")
        self._part(asked, [_cloud(one) for one in self.state.of(space.key, kind)])

    def attachments(self, asked: dict[str, str], page_id: str) -> None:
        self.entry(page_id, "pages", "blogposts")
        self._part(asked, [_cloud(one) for one in self.state.of(page_id, "attachments")])

    def comments(self, asked: dict[str, str], page_id: str, sort: str) -> None:
        self.entry(page_id, "pages", "blogposts")
        found = [one for one in self.state.of(page_id, "comments") if not one.parent]
        self._part(asked, [_cloud(one) for one in found if one.is_inline == (sort == "inline")])

    def answers(self, asked: dict[str, str], comment_id: str) -> None:
        page_id = self.entry(comment_id, "comments").container
        found = [one for one in self.state.of(page_id, "comments") if one.parent == comment_id]
        self._part(asked, [_cloud(one) for one in found])

    def ancestors(self, asked: dict[str, str], page_id: str) -> None:
        found = []
        page = self.entry(page_id, "pages")
        while page.parent:
            page = self.entry(page.parent)
            found.append({"id": page.entry_id, "type": "page"})
        self._part(asked, sorted(found, key=lambda one: _number(one["id"])))

    def one(self, _asked: dict[str, str], kind: str, entry_id: str) -> None:
        entry = self.entry(entry_id, "comments" if kind.endswith("comments") else kind)
        if entry.kind == "comments" and entry.is_inline != kind.startswith("inline"):
            raise RefusalError(404, "notFound", "there is no such comment")
        body = {"storage": {"value": entry.content.decode(), "representation": "storage"}}
        self.send(200, {**_cloud(entry), "body": body})

    def by_title(self, asked: dict[str, str]) -> None:
        key = next((one.key for one in self.state.spaces.values() if one.space_id == asked["space-id"]), "")
        self._part(asked, [_cloud(one) for one in self.state.of(key, "pages") if one.title == asked["title"]])

    def user(self, asked: dict[str, str]) -> None:
        self.send(200, {"displayName": self.state.people[asked["accountId"]]})

    def download(self, asked: dict[str, str], _page_id: str, entry_id: str) -> None:
        entry = self.entry(entry_id, "attachments")
        version = asked.get("version", "")
        self.send(302, b"", {"Location": f"{self.state.media_url}/file/{entry.entry_id}?version={version}"})


class DataCenterHandler(_ConfluenceHandler):
    """Confluence Data Center, below a context path."""

    context = "/confluence"
    routes = (
        (r"/rest/api/user/current", "current_user"),
        (r"/rest/api/user", "user"),
        (r"/rest/api/content/([^/]+)/restriction/byOperation/read", "restrictions"),
        (r"/rest/api/space", "spaces"),
        (r"/rest/api/content/scan", "scan"),
        (r"/rest/api/content/([^/]+)/child/(attachment|comment)", "children"),
        (r"/rest/api/content/([^/]+)", "one"),
        (r"/rest/api/content", "by_title"),
        (r"/download/attachments/([^/]+)/([^/]+)", "download"),
    )

    def _counted(self, asked: dict[str, str], found: list[dict[str, Any]]) -> None:
        """Answer with the part that begins at a number."""
        start = int(asked.get("start", "0"))
        part = found[start : start + min(int(asked.get("limit", "25")), self.state.largest_part)]
        links = {"base": "http://elsewhere.example.org", "context": self.context}
        if start + len(part) < len(found):
            every = {**self._every, "start": str(start + len(part))}
            links["next"] = f"{self._path}?{urlencode(every, doseq=True)}"
        self.send(200, {"results": part, "start": start, "size": len(part), "_links": links})

    def spaces(self, asked: dict[str, str]) -> None:
        keys = self._every.get("spaceKey", list(self.state.spaces))
        found = [{"id": int(one.space_id), "key": one.key, "name": one.name} for one in self.state.spaces.values()]
        self._counted(asked, [one for one in found if one["key"] in keys])

    def scan(self, asked: dict[str, str]) -> None:
        if asked["spaceKey"] not in self.state.spaces:
            raise RefusalError(404, "notFound", "there is no such space")
        kind = {"page": "pages", "blogpost": "blogposts"}[asked["type"]]
        after = asked.get("cursor", "0")
        every = self.state.of(asked["spaceKey"], kind)
        start = bisect.bisect_right(every, int(after), key=lambda one: _number(one.entry_id))
        part = every[start : start + min(int(asked["limit"]), self.state.largest_part)]
        links = {}
        if start + len(part) < len(every):
            links = {"next": f"{self._path}?{urlencode({**asked, 'cursor': part[-1].entry_id})}"}
        self.send(200, {"results": [self._shown(one) for one in part], "_links": links})

    def children(self, asked: dict[str, str], page_id: str, kind: str) -> None:
        self.entry(page_id, "pages", "blogposts")
        self._counted(asked, [self._shown(one) for one in self.state.of(page_id, f"{kind}s")])

    def one(self, _asked: dict[str, str], entry_id: str) -> None:
        entry = self.entry(entry_id, "pages", "blogposts", "comments")
        above: list[dict[str, str]] = []
        page = entry
        while entry.kind == "pages" and page.parent:
            page = self.state.entries[page.parent]
            above.insert(0, {"id": page.entry_id})
        body = {"storage": {"value": entry.content.decode(), "representation": "storage"}}
        self.send(200, {**self._shown(entry), "body": body, "ancestors": above})

    def by_title(self, asked: dict[str, str]) -> None:
        found = [one for one in self.state.of(asked["spaceKey"], "pages") if one.title == asked["title"]]
        self._counted(asked, [self._shown(one) for one in found])

    def user(self, asked: dict[str, str]) -> None:
        name = self.state.people.get(asked.get("key", asked.get("username", "")))
        if name is None:
            raise RefusalError(404, "notFound", "nobody is called that")
        self.send(200, {"type": "known", "displayName": name})

    def download(self, asked: dict[str, str], page_id: str, title: str) -> None:
        entry = next((one for one in self.state.of(page_id, "attachments") if one.title == title), None)
        entry = self.entry(entry.entry_id if entry else "")
        self.cut_after = self.state.knobs.cut_after if self.state.knobs.cut_times > 0 else self.cut_after
        self.state.knobs.cut_times -= self.state.knobs.cut_after is not None
        self.send(200, self.download_version(asked, entry), {"Content-Type": "application/octet-stream"})

    def _shown(self, entry: Entry) -> dict[str, Any]:
        shown: dict[str, Any] = {
            "id": entry.entry_id,
            "type": entry.kind.removesuffix("s"),
            "title": entry.title or "Re: a page",
            "version": {"number": entry.version, "when": _WHEN},
        }
        if entry.kind == "attachments":
            shown["extensions"] = {"fileSize": len(entry.content), "mediaType": "application/octet-stream"}
        return shown


def _cloud(entry: Entry) -> dict[str, Any]:
    shown: dict[str, Any] = {"id": entry.entry_id, "version": {"number": entry.version, "createdAt": _WHEN}}
    shown["title"] = entry.title or "Re: a page"
    if entry.kind == "attachments":
        shown |= {"fileSize": len(entry.content), "mediaType": "application/octet-stream"}
    return shown


def _number(entry_id: str) -> int:
    return int(entry_id.removeprefix("att"))


def main() -> None:
    """Serve a small space until the end of input; prints the address and the token as a line of JSON."""
    with ConfluenceServer(is_cloud="--cloud" in sys.argv) as server:
        page = server.state.page("DOC", "Travel", "<h2>Trains</h2><p>We travel by train.</p>")
        server.state.attach(page, "fares.csv", b"from,to,fare\nBonn,Ulm,41\n")
        server.state.comment(page, "<p>Night trains, too?</p>")
        print(json.dumps({"url": server.url, "token": server.state.token}), flush=True)  # noqa: T201
        while not sys.stdin.closed and sys.stdin.readline():
            time.sleep(0)


if __name__ == "__main__":
    main()
