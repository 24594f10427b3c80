"""An rclone source against real servers of four protocols."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from ingest_tui.connectors.rclone import program
from ingest_tui.connectors.rclone.connector import RcloneConnector
from ingest_tui.model.errors import AuthenticationError, ItemError, TransientSourceError
from tests.conformance.connectors.connector_suite import fetched, listed
from tests.conformance.connectors.rclone_site import PASSWORD, USER, credentials_for, obscured
from tests.servers.processes import rclone_process

pytestmark = pytest.mark.slow

KEY, SECRET = "AKIARCLONE", "canary-of-the-store"
CURRENT = ("--dir-cache-time", "0s")
LOGIN = ("--user", USER, "--pass", PASSWORD, *CURRENT)


@dataclass(frozen=True)
class Protocol:
    """What a server is started with, and how a remote names it; ``hashes`` is the setting of the source."""

    server: Sequence[str]
    options: Mapping[str, str]
    root: str
    hashes: str = "auto"
    fingerprint: str = "@"


def protocols() -> dict[str, Protocol]:
    """Return the protocols; passwords are made unreadable as rclone wants them."""
    login = {"user": USER, "pass": obscured(PASSWORD), "host": "127.0.0.1", "port": "PORT"}
    return {
        "sftp": Protocol(LOGIN, {"type": "sftp", **login}, "shelf", "always", "sha1:"),
        "ftp": Protocol(LOGIN, {"type": "ftp", **login}, "shelf"),
        "webdav": Protocol(
            LOGIN,
            {"type": "webdav", "vendor": "other", "url": "http://127.0.0.1:PORT", **login},
            "shelf",
        ),
        "s3": Protocol(
            ("--auth-key", f"{KEY},{SECRET}", *CURRENT),
            {
                "type": "s3",
                "provider": "Rclone",
                "endpoint": "http://127.0.0.1:PORT",
                "access_key_id": KEY,
                "secret_access_key": SECRET,
            },
            "shelf",
            fingerprint="md5:",
        ),
    }


def options_at(protocol: Protocol, port: int) -> dict[str, str]:
    return {name: value.replace("PORT", str(port)) for name, value in protocol.options.items()}


@pytest.fixture(params=["sftp", "ftp", "webdav", "s3"])
def served(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[Protocol, Path, int]]:
    """A server of each protocol with a folder (a bucket) that holds two files."""
    protocol = protocols()[request.param]
    folder = tmp_path / "served"
    write(folder / "shelf" / "travel.md", b"# Travel\n\ntrains before planes")
    write(folder / "shelf" / "old" / "ü #?%.md", bytes(position % 251 for position in range(300_000)))
    with rclone_process([*protocol.server, str(folder)], request.param) as port:
        yield protocol, folder / "shelf", port


def write(path: Path, content: bytes, at: int = 1_796_022_990) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    os.utime(path, (at, at))


def test_real_server_is_listed_read_and_looked_at_again(
    served: tuple[Protocol, Path, int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Listed and read, whole and from an offset; changed, gone and refused files and servers are told."""
    monkeypatch.setattr(program, "LOW_LEVEL_RETRIES", 1)
    protocol, folder, port = served
    credentials = credentials_for(tmp_path, {"nas": options_at(protocol, port)})
    settings = {"remote": f"nas:{protocol.root}", "credential": "drives", "hashes": protocol.hashes}
    connector = RcloneConnector(settings, credentials=credentials)
    try:
        assert all(step.ok for step in connector.test_steps())
        found, end, _ = listed(connector)
        assert (set(found), end.complete) == ({"travel.md", "old/ü #?%.md"}, True)
        assert all(protocol.fingerprint in descriptor.fingerprint for descriptor in found.values())
        large = found["old/ü #?%.md"]
        content = (folder / "old" / "ü #?%.md").read_bytes()
        assert fetched(connector, large) == content
        with connector.fetch(large, 100_000) as pieces:
            assert b"".join(pieces) == content[100_000:]
        assert {place.name: place.kind for place in connector.browse()} == {"travel.md": "item", "old": "folder"}

        write(folder / "travel.md", b"# Travel\n\nplanes before trains", 1_796_023_990)
        again = listed(connector)[0]["travel.md"]
        assert again.fingerprint != found["travel.md"].fingerprint
        assert b"planes before" in fetched(connector, again)
        with pytest.raises(ItemError) as caught:
            fetched(connector, found["travel.md"])
        assert caught.value.reason == "changed_while_read"
        (folder / "travel.md").unlink()
        with pytest.raises(ItemError) as caught:
            fetched(connector, again)
        assert caught.value.reason == "not_found"
    finally:
        connector.close()
    credentials_for(
        tmp_path, {"nas": options_at(protocol, port) | {"pass": obscured("wrong"), "secret_access_key": "x"}}
    )
    refused = RcloneConnector(settings, credentials=credentials)
    try:
        with pytest.raises(AuthenticationError) as not_let_in:
            listed(refused)
        assert PASSWORD not in str(not_let_in.value)
    finally:
        refused.close()
    credentials_for(tmp_path, {"nas": options_at(protocol, 9)})
    unplugged = RcloneConnector(settings, credentials=credentials)
    try:
        with pytest.raises(TransientSourceError):
            listed(unplugged)
    finally:
        unplugged.close()
