"""A folder behind a real WebDAV server as the other side of rclone, and an rclone that fails on request."""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import pytest

from ingest_tui.connectors.base import BaseConnector
from ingest_tui.connectors.rclone import program
from ingest_tui.connectors.rclone.connector import RcloneConnector
from ingest_tui.credentials.credential_registry import CredentialRegistry
from tests.conformance.connectors.connector_suite import RemoteSite
from tests.conformance.connectors.interruptions import Failure
from tests.servers.fault_proxy import Fault, FaultProxy, Request
from tests.servers.processes import rclone_executable, rclone_process

PAGE_SIZE = 10
USER, PASSWORD = "reader", "canary-of-rclone"
_BEGINNING = 1_796_022_990
_LARGE = 10_000
_LOGGED = """printf '{"level":"error","msg":"error listing: %%s"}\\n' '%s' >&2; echo '['; exit %d"""
WHAT_RCLONE_DOES: dict[Failure, str] = {
    "throttled": _LOGGED % ("429 Too Many Requests", 5),
    "broken": _LOGGED % ("500 Internal Server Error", 5),
    "timeout": _LOGGED % ("net/http: timeout awaiting response headers", 5),
    "closed": "kill -9 $$",
    "cut": '"$REAL_RCLONE" "$@" | head -c 40; exit 0',
    "forbidden": _LOGGED % ("403 Forbidden", 6),
    "malformed": "echo '<html>'; exit 0",
    "empty": "exit 0",
}
_WRAPPER = """#!/bin/sh
REAL_RCLONE='{rclone}'
[ "$1" = lsjson ] || exec "$REAL_RCLONE" "$@"
number=$(($(cat '{folder}/calls') + 1))
echo $number > '{folder}/calls'
if [ $number -gt {skip} ] && [ $number -le {last} ]; then
    {failure}
fi
exec "$REAL_RCLONE" "$@"
"""


@dataclass(frozen=True)
class Served:
    """A folder, and the port at which it is served."""

    folder: Path
    port: int


@contextmanager
def served_by_webdav(folder: Path) -> Iterator[Served]:
    """Serve a folder, without keeping in memory what is in it."""
    arguments = ["--user", USER, "--pass", PASSWORD, "--dir-cache-time", "0s", str(folder)]
    with rclone_process(arguments, "webdav") as port:
        yield Served(folder, port)


def obscured(password: str) -> str:
    """Return a password as rclone writes it into its configuration file."""
    command = [str(rclone_executable()), "--config", os.devnull, "obscure", "-"]
    return subprocess.run(command, input=password, capture_output=True, check=True, text=True).stdout.strip()


def credentials_for(folder: Path, remotes: Mapping[str, Mapping[str, str]]) -> CredentialRegistry:
    """Return a registry whose credential ``drives`` names a configuration file with these remotes."""
    folder.mkdir(exist_ok=True)
    config = folder / "rclone.conf"
    sections = (
        "\n".join([f"[{name}]", *(f"{key} = {value}" for key, value in options.items()), ""])
        for name, options in remotes.items()
    )
    config.write_text("\n".join(sections))
    config.chmod(stat.S_IRUSR | stat.S_IWUSR)
    registry = CredentialRegistry(folder / "credentials.json")
    if not registry.path.exists():
        registry.add("drives", {"type": "rclone", "config_file": str(config)})
    return registry


class RcloneSite(RemoteSite):
    """A folder of its own on a WebDAV server that keeps times to the second, as many storages do."""

    page_size = PAGE_SIZE
    secret = PASSWORD

    def __init__(self, served: Served, proxy: FaultProxy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.top = uuid.uuid4().hex
        self.folder = served.folder / self.top
        self.folder.mkdir()
        self.proxy = proxy
        self._monkeypatch = monkeypatch
        self._programs = tmp_path / "programs"
        self._programs.mkdir()
        self._secret = obscured(PASSWORD)
        self._credentials_folder = tmp_path
        self._credentials = credentials_for(tmp_path, {"dav": self._options(proxy.url)})
        self._made: list[RcloneConnector] = []
        self._put = 0
        self._refusals: list[Fault] = []
        # A request that fails is for us to repeat.
        monkeypatch.setattr(program, "LOW_LEVEL_RETRIES", 1)

    def _options(self, url: str) -> dict[str, str]:
        return {"type": "webdav", "url": url, "vendor": "rclone", "user": USER, "pass": self._secret}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exception: object) -> None:
        for connector in self._made:
            connector.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    def connector(self, *, max_size: int | None = None) -> BaseConnector:
        settings = {"remote": f"dav:{self.top}", "credential": "drives", "hidden": True}
        connector = RcloneConnector(settings, max_size=max_size, credentials=self._credentials)
        connector.page_size = PAGE_SIZE
        self._made.append(connector)
        return connector

    # What is in it

    def put(self, name: str, content: bytes) -> None:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        self._put += 1
        os.utime(path, (_BEGINNING + self._put, _BEGINNING + self._put))

    replace = put

    def rename(self, name: str, new_name: str) -> None:
        (self.folder / new_name).parent.mkdir(parents=True, exist_ok=True)
        (self.folder / name).rename(self.folder / new_name)

    def remove(self, name: str) -> None:
        (self.folder / name).unlink()

    # What goes wrong with it

    def _refuse(self, status: int, method: str = "", path: str = "") -> None:
        def is_meant(request: Request) -> bool:
            return request.method.startswith(method) and request.target.startswith(f"/{path}")

        self._refusals.append(self.proxy.add(Fault(is_meant, times=float("inf"), status=status)))

    def close_part(self, name: str) -> None:
        self._refuse(403, "PROPFIND", f"{self.top}/{name}")

    def forbid(self, name: str) -> None:
        self._refuse(403, "GET", f"{self.top}/{name}")

    def interrupt(self, failure: Failure, *, skip: int, times: int) -> None:
        self._skip = skip
        (self._programs / "calls").write_text("0")
        wrapper = self._programs / "rclone"
        wrapper.write_text(
            _WRAPPER.format(
                rclone=rclone_executable(),
                folder=self._programs,
                skip=skip,
                last=skip + times,
                failure=WHAT_RCLONE_DOES[failure],
            )
        )
        wrapper.chmod(0o755)
        self._monkeypatch.setattr(program, "executable", lambda: str(wrapper))

    def recover(self) -> bool:
        self._monkeypatch.setattr(program, "executable", rclone_executable)
        return int((self._programs / "calls").read_text()) > self._skip

    def lock_out(self) -> None:
        self._refuse(401)

    def let_in(self) -> None:
        while self._refusals:
            self.proxy.remove(self._refusals.pop())

    def throttle_next(self, times: int, *, retry_after: float | None = None) -> None:
        headers = {} if retry_after is None else {"Retry-After": f"{retry_after:.0f}"}
        self.proxy.add(Fault(times=times, status=429, headers=headers))

    def cut_next(self, after: int) -> None:
        method = "GET" if after > _LARGE else "PROPFIND"
        self.proxy.add(Fault(lambda request: request.method == method, cut_after=after))

    def unplug(self) -> None:
        credentials_for(self._credentials_folder, {"dav": self._options("http://127.0.0.1:9")})

    def wrong_settings(self) -> list[dict[str, Any]]:
        right = {"remote": "dav:x", "credential": "drives"}
        return [
            {},
            {"remote": "dav:x"},
            {**right, "credential": ""},
            {**right, "novelty": 1},
            {**right, "remote": 3},
            {**right, "remote": "/srv/files"},
            {**right, "remote": ":local:/etc"},
            {**right, "remote": ":sftp,ssh=touch:x"},
            {**right, "remote": "dav,bearer_token_command=touch:x"},
            {**right, "remote": "-x:"},
            {**right, "remote": "dav:a/../../b"},
            {**right, "remote": "dav:a\0b"},
            {**right, "hashes": "perhaps"},
            {**right, "include": "*.md"},
        ]
