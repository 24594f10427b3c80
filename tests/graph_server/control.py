"""Steering a server that runs as a process of its own: ``POST /control`` with ``{"do": NAME, …arguments}``.

What can be done is what `Control` has as public methods. ``GET /control`` returns counts, knobs and libraries. Content
is given as ``text`` or as ``base64``.
"""

from __future__ import annotations

import base64
import dataclasses
import json
from collections import Counter
from typing import Any

from tests.graph_server.state import State


class Control:
    """One method for each thing that can be done."""

    def __init__(self, state: State) -> None:
        self._state = state

    def answer(self, method: str, body: bytes) -> tuple[int, dict[str, Any]]:
        """Do what a request asks for."""
        if method == "GET":
            return 200, self.look()
        try:
            order = json.loads(body)
            action = getattr(self, order.pop("do"))
            with self._state.lock:
                return 200, {"done": action(**order)}
        except (KeyError, AttributeError, TypeError, ValueError, StopIteration, AssertionError) as error:
            return 400, {"error": {"code": type(error).__name__, "message": str(error)}}

    def look(self) -> dict[str, Any]:
        """Return counts of requests by service, the knobs, and the libraries."""
        return {
            "requests": dict(Counter(asked.service for asked in self._state.asked)),
            "knobs": dataclasses.asdict(self._state.knobs),
            "libraries": [
                {"site": drive.site.path, "name": drive.name, "id": drive.drive_id, "items": len(drive.items)}
                for drive in self._state.drives()
            ],
        }

    def add_library(self, site: str, name: str, url_name: str | None = None) -> str:
        """Make a library, and its site when it is not there; returns its drive id."""
        return self._state.site(site).library(name, url_name).drive_id

    def put(self, library: str, path: str, text: str = "", **content: str) -> str:
        """Make or change a file; returns its id."""
        data = base64.b64decode(content["base64"]) if "base64" in content else text.encode()
        return self._state.drive(library).put(path, data).item_id

    def make_folder(self, library: str, path: str) -> str:
        """Make a folder; returns its id."""
        return self._state.drive(library).make_folder(path).item_id

    def rename(self, library: str, path: str, new_path: str) -> None:
        """Rename or move."""
        self._state.drive(library).rename(path, new_path)

    def remove(self, library: str, path: str, tell_all: bool = False) -> None:
        """Delete."""
        self._state.drive(library).remove(path, tell_all=tell_all)

    def generate(self, library: str, files: int, folders: int = 500) -> None:
        """Make many small files."""
        self._state.drive(library).generate(files, folders)

    def facets(self, library: str, path: str, **extra: Any) -> None:
        """Lay properties over an item's JSON, e.g. ``malware={}``; null takes one away."""
        drive = self._state.drive(library)
        item = drive.at(path)
        item.extra |= extra
        drive.change(item)

    def lock(self, library: str, path: str, status: int = 423, code: str = "resourceLocked") -> None:
        """Let an item answer with an error; status 0 unlocks it."""
        self._state.drive(library).at(path).status = (status, code) if status else None

    def close_library(self, library: str, status: int = 403, code: str = "accessDenied") -> None:
        """Let a library answer with an error; status 0 opens it."""
        self._state.drive(library).status = (status, code) if status else None

    def grant(self, site: str, granted: bool) -> None:
        """Grant a site to Sites.Selected, or not."""
        self._state.site(site).granted = granted

    def knobs(self, **values: Any) -> None:
        """Turn knobs (see `state.Knobs`)."""
        names = {field.name for field in dataclasses.fields(self._state.knobs)}
        for name, value in values.items():
            if name not in names:
                raise KeyError(name)
            setattr(self._state.knobs, name, tuple(value) if name == "sign_in_error" and value else value)

    def fail(self, match: str, **options: Any) -> None:
        """Plan a fault (see `state.Fault`)."""
        self._state.fail(match, **options)

    def expire_delta_tokens(self) -> None:
        """Answer 410 to every delta token given out so far."""
        self._state.expire_delta_tokens()

    def expire_downloads(self) -> None:
        """Let every pre-authenticated address given out so far be too old."""
        self._state.expire_downloads()

    def revoke_tokens(self) -> None:
        """Refuse every access token given out so far."""
        self._state.revoke_tokens()

    def requests(self, service: str = "", match: str = "") -> list[str]:
        """Return what was asked."""
        return [f"{asked.method} {asked.target}" for asked in self._state.requests(service, match)]

    def forget_requests(self) -> None:
        """Begin a new record."""
        self._state.forget_requests()
