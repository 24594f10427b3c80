"""A Git repository behind a real server of git's own, with a proxy that makes it fail."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ingest_tui.connectors.base import BaseConnector
from ingest_tui.connectors.git import git_process
from ingest_tui.connectors.git.address_connector import GitAddressConnector
from tests.conformance.connectors.connector_suite import RemoteSite
from tests.conformance.connectors.git_site import commit_files, git
from tests.conformance.connectors.interruptions import Failure
from tests.servers.fault_proxy import Fault, FaultProxy, Request
from tests.servers.git_server import NAME, PASSWORD, GitServer
from tests.servers.s3_store import StaticCredential, StaticCredentials

TIMEOUT_SECONDS = 1
SILENCE_SECONDS = git_process.SILENCE_SECONDS
FAULTS: dict[Failure, dict[str, Any]] = {
    "throttled": {"status": 429},
    "broken": {"status": 500},
    "timeout": {"delay": TIMEOUT_SECONDS * 2},
    "closed": {"cut_after": 0},
    "cut": {"cut_after": 100},
    "forbidden": {"status": 403},
    "malformed": {"status": 200, "body": b"<html><body>Welcome</body></html>"},
    "empty": {"status": 200, "headers": {"Content-Type": "application/x-git-upload-pack-result"}, "body": b"0000"},
}


class GitAddressSite(RemoteSite):
    """A bare repository at an address; what was put is committed before a connector looks."""

    page_size = 1000
    reads_what_was_fetched = True
    secret = PASSWORD

    def __init__(self, server: GitServer, proxy: FaultProxy, monkeypatch: pytest.MonkeyPatch) -> None:
        self.server = server
        self.proxy = proxy
        self.folder = server.folder / "handbook.git"
        self.folder.mkdir()
        git(self.folder, "init", "--quiet", "--bare", "--initial-branch=main")
        server.asks = True
        self.settings: dict[str, Any] = {
            "repository": f"{proxy.url}/handbook.git",
            "ref": "main",
            "hidden": True,
            "credential": "git",
        }
        self._credentials = StaticCredentials(
            StaticCredential("git", {"username": NAME, "password": PASSWORD}, "basic")
        )
        self._monkeypatch = monkeypatch
        self._files: dict[str, bytes] = {}
        self._is_committed = False
        self._failure = Fault(times=0)
        self._planned = 0.0
        self._connectors: list[BaseConnector] = []

    def connector(self, *, max_size: int | None = None) -> BaseConnector:
        self._commit()
        made = GitAddressConnector(self.settings, max_size=max_size, credentials=self._credentials)
        self._connectors.append(made)
        return made

    def close(self) -> None:
        """Remove what connectors fetched."""
        for connector in self._connectors:
            connector.close()

    def _commit(self) -> None:
        if not self._is_committed:
            commit_files(self.folder, self._files)
            self._is_committed = True

    def put(self, name: str, content: bytes) -> None:
        self._files[name] = content
        self._is_committed = False

    replace = put

    def rename(self, name: str, new_name: str) -> None:
        self.put(new_name, self._files.pop(name))

    def remove(self, name: str) -> None:
        del self._files[name]
        self._is_committed = False

    def close_part(self, name: str) -> None:
        self._commit()
        object_id = git(self.folder, "rev-parse", f"main:{name}").strip()
        (self.folder / "objects" / object_id[:2] / object_id[2:]).unlink()

    def forbid(self, name: str) -> None:
        """Do nothing: who may fetch a commit may read all of it."""

    def interrupt(self, failure: Failure, *, skip: int, times: int) -> None:
        self._commit()
        self.server.asks = False  # a refusal before each answer would only be one more request
        left = iter(range(skip))
        self._monkeypatch.setattr(git_process, "SILENCE_SECONDS", TIMEOUT_SECONDS if failure == "timeout" else 60.0)
        self._planned = times
        self._failure = self.proxy.add(Fault(lambda _request: next(left, None) is None, times, **FAULTS[failure]))

    def recover(self) -> bool:
        self.proxy.remove(self._failure)
        self._monkeypatch.setattr(git_process, "SILENCE_SECONDS", SILENCE_SECONDS)
        return self._failure.times < self._planned

    def lock_out(self) -> None:
        self.server.password = "another"

    def let_in(self) -> None:
        self.server.password = PASSWORD

    def throttle_next(self, times: int, *, retry_after: float | None = None) -> None:
        headers = {} if retry_after is None else {"Retry-After": f"{retry_after:.0f}"}
        self.proxy.add(Fault(times=times, status=503, headers=headers))

    def cut_next(self, after: int) -> None:
        asked = iter((False, True))  # first for the branches, then for what is in the commit

        def is_of_pack(request: Request) -> bool:
            return request.method == "POST" and "authorization" in request.headers and next(asked, False)

        self.proxy.add(Fault(is_of_pack, cut_after=after))

    def unplug(self) -> None:
        self.settings["repository"] = "http://127.0.0.1:9/handbook.git"

    def wrong_settings(self) -> list[dict[str, Any]]:
        return [
            {},
            {"repository": f"https://{NAME}:{PASSWORD}@git.example.org/x"},
            {"repository": "https://git.example.org/x", "novelty": 1},
            {"repository": "https://git.example.org/x", "ref": "--upload-pack=x"},
            {"repository": "https://git.example.org/"},
            {"repository": "http://git.example.org/x", "credential": "git"},
            {"repository": "git@git.example.org:x", "credential": "git"},
            {"repository": "/srv/git/x", "credential": "git"},
        ]


def served(folder: Path) -> GitServer:
    """Return a server for the repositories in a new folder below one."""
    (folder / "served").mkdir()
    return GitServer(folder / "served")
