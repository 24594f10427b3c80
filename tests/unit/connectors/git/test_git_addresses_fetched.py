"""A repository at an address: what is asked, what is fetched, what stays, and what a server may not do."""

from __future__ import annotations

import asyncio
import gc
import os
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from ingest_tui.connectors.base import BaseConnector
from ingest_tui.connectors.git import address_connector, fetched, network_process, remote
from ingest_tui.connectors.git.address_connector import GitAddressConnector
from ingest_tui.connectors.git.git_errors import GitFailedError
from ingest_tui.connectors.git.remote import FETCHED
from ingest_tui.connectors.registry import get_connector
from ingest_tui.model.errors import AuthenticationError, IngestError, SourceAccessError, TransientSourceError
from tests.conformance.connectors.connector_suite import fetched as read
from tests.conformance.connectors.connector_suite import listed
from tests.conformance.connectors.git_address_site import served
from tests.conformance.connectors.git_site import commit_files, git
from tests.servers.fault_proxy import Fault, FaultProxy
from tests.servers.git_server import NAME, PASSWORD, GitServer
from tests.servers.s3_store import StaticCredential, StaticCredentials
from tests.waiting import wait_until

CREDENTIALS = StaticCredentials(StaticCredential("robot", {"username": NAME, "password": PASSWORD}, "basic"))


class WorkFolder:
    """The folder of a source's jobs, or one for a look that may borrow from it."""

    def __init__(self, folder: Path, lender: Path | None = None) -> None:
        self.folder, self._lender, self.bytes_free = folder, lender, 1 << 40

    def path(self) -> Path:
        self.folder.mkdir(exist_ok=True)
        return self.folder

    def lender(self) -> Path | None:
        return self._lender

    def room(self) -> int:
        return self.bytes_free


@pytest.fixture
def server(tmp_path: Path) -> Iterator[GitServer]:
    """A server with the repository ``handbook.git``."""
    with served(tmp_path) as server:
        repository = server.folder / "handbook.git"
        repository.mkdir()
        git(repository, "init", "--quiet", "--bare", "--initial-branch=main")
        commit_files(repository, {"a.md": b"alpha", "docs/b.md": b"beta"})
        yield server


@pytest.fixture
def proxy(server: GitServer) -> Iterator[FaultProxy]:
    with FaultProxy(server.port) as proxy:
        yield proxy


@pytest.fixture
def kept(tmp_path: Path) -> WorkFolder:
    return WorkFolder(tmp_path / "kept")


def connector_to(port: int, folder: WorkFolder | None = None, **settings: object) -> BaseConnector:
    made = get_connector(
        "git", {"repository": f"http://127.0.0.1:{port}/handbook.git", **settings}, credentials=CREDENTIALS
    )
    made.work_folder = folder
    return made


def keys(connector: BaseConnector) -> set[str]:
    try:
        return set(listed(connector)[0])
    finally:
        connector.close()


def listing_process(port: int, folder: Path) -> subprocess.Popen[bytes]:
    """Start another process that lists the repository."""
    code = (
        "import sys\n"
        "from pathlib import Path\n"
        "from tests.unit.connectors.git.test_git_addresses_fetched import WorkFolder, connector_to, listed\n"
        "listed(connector_to(int(sys.argv[1]), WorkFolder(Path(sys.argv[2]))))\n"
    )
    root = Path(__file__).parents[4]
    environment = os.environ | {"PYTHONPATH": f"{root}{os.pathsep}{root / 'src'}"}
    return subprocess.Popen([sys.executable, "-c", code, str(port), str(folder)], cwd=root, env=environment)


def running_with(words: str) -> list[int]:
    """Return the processes whose command line has these words."""
    found = []
    for path in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):  # gone meanwhile
            if words.encode() in (path / "cmdline").read_bytes():
                found.append(int(path.name))
    return found


def test_unchanged_repository_costs_one_question(server: GitServer, proxy: FaultProxy, kept: WorkFolder) -> None:
    """Signing in and listing ask once what the branch names; only a commit that is not here is fetched, and of it
    only what is new."""
    assert keys(connector_to(proxy.port, kept)) == {"a.md", "docs/b.md"}
    proxy.clear()
    connector = connector_to(proxy.port, kept, ref="main")
    asyncio.run(connector.authenticate())
    assert keys(connector) == {"a.md", "docs/b.md"}
    assert [request.method for request in proxy.requests] == ["GET", "POST"]
    commit_files(server.folder / "handbook.git", {"a.md": b"alpha", "docs/b.md": b"other"})
    assert keys(connector_to(proxy.port, kept)) == {"a.md", "docs/b.md"}
    packs = list(kept.folder.glob("sha1.git/objects/pack/*.pack"))
    counted = git(kept.folder / "sha1.git", "count-objects", "-v")
    assert (len(packs), "in-pack: 9" in counted) == (2, True), "commit, two folders and a file more"


def test_branches_tags_and_ids_name_a_commit(server: GitServer, kept: WorkFolder) -> None:
    """A branch comes before a tag of its name; a tag with a message is its commit; an id is given in full."""
    repository = server.folder / "handbook.git"
    first = git(repository, "rev-parse", "main").strip()
    git(repository, "tag", "--annotate", "--message=release", "v1.0", "main")
    commit_files(repository, {"new.md": b"n"}, branch="feature/new")
    git(repository, "tag", "main", "refs/heads/feature/new")
    commit_files(repository, {"later.md": b"l"})
    assert keys(connector_to(server.port, kept)) == {"later.md"}
    assert keys(connector_to(server.port, kept, ref="main")) == {"later.md"}
    assert keys(connector_to(server.port, kept, ref="refs/tags/main")) == {"new.md"}
    assert keys(connector_to(server.port, kept, ref="feature/new")) == {"new.md"}
    assert keys(connector_to(server.port, kept, ref=first)) == {"a.md", "docs/b.md"}
    assert keys(connector_to(server.port, kept, ref="v1.0")) == {"a.md", "docs/b.md"}
    tagged = connector_to(server.port, kept, ref="v1.0")
    descriptor = listed(tagged)[0]["a.md"]
    assert tagged.origin(descriptor)["commit"] == first
    assert tagged.key_of(descriptor.uri) == "a.md"
    with pytest.raises(SourceAccessError) as caught:
        listed(connector_to(server.port, kept, ref="mian"))
    assert caught.value.reason == "ref_missing"
    assert "there are: feature/new, main" in caught.value.hint


def test_repository_of_sha256(server: GitServer, kept: WorkFolder) -> None:
    """Its longer ids are kept in a repository of their own."""
    repository = server.folder / "handbook.git"
    shutil.rmtree(repository)
    repository.mkdir()
    git(repository, "init", "--quiet", "--bare", "--object-format=sha256", "--initial-branch=main")
    commit_files(repository, {"a.md": b"alpha"})
    connector = connector_to(server.port, kept)
    assert read(connector, listed(connector)[0]["a.md"]) == b"alpha"


def test_nothing_is_left_where_nobody_keeps_it(
    server: GitServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without a folder there is a temporary one, which goes with the connector, closed or forgotten."""
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(temporary))
    connector = connector_to(server.port)
    listed(connector)
    assert list(temporary.iterdir())
    connector.close()
    assert not list(temporary.iterdir())
    connector = connector_to(server.port)
    listed(connector)
    del connector
    gc.collect()
    assert not list(temporary.iterdir())


@pytest.mark.parametrize("has_links", [True, False])
def test_look_borrows_and_changes_nothing(
    server: GitServer, proxy: FaultProxy, kept: WorkFolder, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch, has_links: bool,
) -> None:  # fmt: skip
    """What a job fetched is not fetched by a look, also on another file system; what is new goes to the look alone."""
    if not has_links:

        def refused(*_paths: object) -> None:
            raise OSError(18, "Invalid cross-device link")

        monkeypatch.setattr(os, "link", refused)
    keys(connector_to(proxy.port, kept))
    before = {path: path.stat().st_mtime_ns for path in kept.folder.rglob("*") if path.is_file()}
    proxy.clear()
    look = connector_to(proxy.port, WorkFolder(tmp_path / "look", kept.folder))
    assert read(look, listed(look)[0]["a.md"]) == b"alpha"
    assert len(proxy.requests) == 2
    commit_files(server.folder / "handbook.git", {"c.md": b"gamma"})
    look = connector_to(proxy.port, WorkFolder(tmp_path / "second", kept.folder))
    assert set(listed(look)[0]) == {"c.md"}
    assert {path: path.stat().st_mtime_ns for path in kept.folder.rglob("*") if path.is_file()} == before


@pytest.mark.parametrize("damage", ["all of it", "a pack", "the ref", "the shallow file"])
def test_what_is_kept_may_go_or_be_damaged_at_any_time(server: GitServer, kept: WorkFolder, damage: str) -> None:
    """It is fetched again: between two jobs, and between the listing and the reading of one."""
    connector = connector_to(server.port, kept)
    descriptor = listed(connector)[0]["a.md"]
    git_dir = kept.folder / "sha1.git"
    if damage == "all of it":
        shutil.rmtree(kept.folder)
        assert read(connector, descriptor) == b"alpha"
    elif damage == "a pack":
        for path in git_dir.glob("objects/pack/*"):
            path.chmod(0o600)
            path.write_bytes(b"damaged")
    elif damage == "the ref":
        (git_dir / FETCHED).write_text("0" * 40 + "\n")
    else:
        (git_dir / "shallow").unlink()
    connector.close()
    again = connector_to(server.port, kept)
    with suppress(TransientSourceError):  # then it is tried again
        listed(again)
    assert read(again, listed(again)[0]["a.md"]) == b"alpha"


def test_packs_are_put_together(server: GitServer, kept: WorkFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    """What no commit names that is looked at any more is forgotten, so that the folder does not grow for ever."""
    monkeypatch.setattr(fetched, "_MOST_PACKS", 2)
    for number in range(4):
        commit_files(server.folder / "handbook.git", {"a.md": b"%d" % number * 1000})
        assert keys(connector_to(server.port, kept)) == {"a.md"}
    git_dir = kept.folder / "sha1.git"
    assert len(list(git_dir.glob("objects/pack/*.pack"))) <= 2
    assert "missing" not in git(git_dir, "fsck", "--connectivity-only")
    connector = connector_to(server.port, kept)
    assert read(connector, listed(connector)[0]["a.md"]) == b"3" * 1000


def test_what_a_killed_fetch_leaves_is_removed(server: GitServer, kept: WorkFolder) -> None:
    """Half a pack, and the locks of files that git replaces, are in nobody's way."""
    keys(connector_to(server.port, kept))
    git_dir = kept.folder / "sha1.git"
    left = [git_dir / "shallow.lock", git_dir / f"{FETCHED}.lock", git_dir / "objects/pack/tmp_pack_x1"]
    for path in left:
        path.write_bytes(b"x")
    commit_files(server.folder / "handbook.git", {"c.md": b"gamma"})
    assert keys(connector_to(server.port, kept)) == {"c.md"}
    assert not [path for path in left if path.exists()]


# Signing in


def test_secret_is_in_no_argument_environment_or_file(
    server: GitServer, kept: WorkFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Git reads it from a pipe, and nobody else on the way sees it."""
    server.asks = True
    programs, seen = tmp_path / "programs", tmp_path / "seen"
    programs.mkdir()
    wrapper = programs / "git"
    real = shutil.which("git")
    wrapper.write_text(f'#!/bin/sh\nenv >> {seen}\necho "$@" >> {seen}\nexec {real} "$@"\n')
    wrapper.chmod(0o755)
    monkeypatch.setenv("PATH", f"{programs}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "canary of another")
    assert keys(connector_to(server.port, kept, credential="robot")) == {"a.md", "docs/b.md"}
    text = seen.read_text()
    assert "ls-remote" in text
    assert "canary" not in text
    files = [path for path in kept.folder.rglob("*") if path.is_file()]
    assert files
    assert not [path for path in files if PASSWORD.encode() in path.read_bytes()]


def test_token_signs_in(server: GitServer, kept: WorkFolder) -> None:
    """With the name that the address has."""
    server.asks = True
    connector = GitAddressConnector(
        {"repository": f"http://127.0.0.1:{server.port}/handbook.git", "credential": "t"},
        credentials=StaticCredentials(StaticCredential("t", {"token": PASSWORD}, "token")),
    )
    connector.work_folder = kept
    with pytest.raises(AuthenticationError):
        listed(connector)
    server.name = "x-access-token"
    assert keys(connector) == {"a.md", "docs/b.md"}


def test_secret_does_not_follow_a_redirect_to_another_server(
    server: GitServer, proxy: FaultProxy, kept: WorkFolder
) -> None:
    """Git goes where it is led at its first request, without what only the named server may know."""
    server.asks = True
    to_server = {"Location": f"http://localhost:{server.port}/handbook.git/info/refs?service=git-upload-pack"}
    proxy.add(Fault(times=float("inf"), status=302, headers=to_server))
    with pytest.raises(AuthenticationError):
        listed(connector_to(proxy.port, kept, credential="robot"))
    assert not [heard for heard in server.heard if heard]
    server.asks = False
    assert keys(connector_to(proxy.port, kept, credential="robot")) == {"a.md", "docs/b.md"}


def test_secret_that_would_say_more_than_itself_is_not_given(server: GitServer, kept: WorkFolder) -> None:
    """A line break in it would be another line of the answer."""
    credentials = StaticCredentials(StaticCredential("x", {"username": "a", "password": "b\nhost=c"}, "basic"))
    connector = GitAddressConnector(
        {"repository": f"http://127.0.0.1:{server.port}/handbook.git", "credential": "x"}, credentials=credentials
    )
    with pytest.raises(SourceAccessError, match="line break"):
        listed(connector)


def test_ssh_asks_nothing_and_runs_as_it_is(
    server: GitServer, kept: WorkFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No prompts, no unknown hosts, no forwarding; what it says decides what people are told."""
    programs = tmp_path / "programs"
    programs.mkdir()
    ssh = programs / "ssh"
    monkeypatch.setenv("PATH", f"{programs}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("SSH_AUTH_SOCK", str(tmp_path / "agent"))
    config = "-c safe.directory='*'"
    ssh.write_text(
        f'#!/bin/sh\necho "$@ $SSH_AUTH_SOCK" >> {tmp_path}/said\nfor last; do :; done\n'
        f'last=$(echo "$last" | sed "s/git-upload-pack/upload-pack/; s#/handbook#{server.folder}/handbook#")\n'
        f'eval "exec git {config} $last"\n'
    )
    ssh.chmod(0o755)

    def connector() -> BaseConnector:
        made = get_connector("git", {"repository": "ssh://robot@git.example.org:2222/handbook.git"})
        made.work_folder = kept
        return made

    assert keys(connector()) == {"a.md", "docs/b.md"}
    said = (tmp_path / "said").read_text()
    for option in ("BatchMode=yes", "StrictHostKeyChecking=yes", "-p 2222", "robot@git.example.org", "/agent"):
        assert option in said
    for words, kind, code in (
        ("robot@git.example.org: Permission denied (publickey).", AuthenticationError, "authentication"),
        ("Host key verification failed.", SourceAccessError, "host_key"),
        ("ssh: connect to host git.example.org port 22: Connection timed out", TransientSourceError, "network"),
        ("ERROR: Repository not found.", SourceAccessError, "not_found"),
    ):
        ssh.write_text(f"#!/bin/sh\necho '{words}' >&2\nexit 255\n")
        with pytest.raises(kind) as caught:
            listed(connector())
        assert caught.value.reason == code


# Servers that mean harm


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        ({"status": 403}, "forbidden"),
        ({"status": 404}, "not_found"),
        ({"status": 500}, "network"),
        ({"status": 429, "headers": {"Retry-After": "7"}}, "throttled"),
        ({"status": 200, "body": b"<html>Welcome</html>"}, "not_a_repository"),
        ({"status": 302, "headers": {"Location": "file:///etc/passwd"}}, None),
        ({"status": 302, "headers": {"Location": "ftp://127.0.0.1/x"}}, None),
    ],
)
def test_answer_is_an_error_of_the_source(
    proxy: FaultProxy, kept: WorkFolder, fault: dict[str, Any], code: str | None
) -> None:
    """Whatever a server says first: what it is is told, and never that there is nothing."""
    proxy.add(Fault(times=float("inf"), **fault))
    with pytest.raises(SourceAccessError) as caught:
        listed(connector_to(proxy.port, kept))
    assert code in {caught.value.reason, None}
    assert caught.value.message.isprintable()


def test_names_of_refs_are_data(server: GitServer, kept: WorkFolder) -> None:
    """What a server calls its branches reaches an error as it may be shown, and a few of them only."""
    repository = server.folder / "handbook.git"
    commit = git(repository, "rev-parse", "main").strip()
    lines = "".join(f"{commit} refs/heads/b{number:04}\n" for number in range(1000))
    (repository / "packed-refs").write_text(f"{commit} refs/heads/\x1b[2J\n{lines}")
    with pytest.raises(IngestError) as caught:
        listed(connector_to(server.port, kept, ref="mian"))
    assert caught.value.hint.isprintable()
    assert len(caught.value.hint) < 500


def test_pack_that_does_not_fit_is_an_error_and_leaves_nothing(server: GitServer, kept: WorkFolder) -> None:
    """The room there is ends what a server may send."""
    commit_files(server.folder / "handbook.git", {"large.bin": os.urandom(3_000_000)})
    kept.bytes_free = 1_000_000
    with pytest.raises(SourceAccessError) as caught:
        listed(connector_to(server.port, kept))
    assert caught.value.reason == "no_room"
    assert sum(path.stat().st_size for path in kept.folder.rglob("*") if path.is_file()) < 100_000
    kept.bytes_free = 1 << 40
    assert keys(connector_to(server.port, kept)) == {"large.bin"}


def test_words_of_a_server_are_no_sign_of_life_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nor are its answers that come to nothing; what git itself reports is."""
    said = network_process._SaidOfServer(network_process.FETCHING_MEMORY)
    clock = [0.0]
    monkeypatch.setattr(network_process, "time", SimpleNamespace(monotonic=lambda: clock[0]))
    said = network_process._SaidOfServer(network_process.FETCHING_MEMORY)
    for _ in range(4):
        clock[0] += network_process.PREPARING_SECONDS / 2
        said.add(b"Receiving objects:  10% (1/10)\r")
    with pytest.raises(GitFailedError, match="sent nothing"):  # noqa: PT012 - which of them is enough
        for _ in range(4):
            clock[0] += network_process.PREPARING_SECONDS / 3
            said.add(b"remote: Counting objects: 1\r11:00:00.000000 http.c:1   <= Recv header: HTTP/1.1 103 Early\n")


class _EndlessBranches(BaseHTTPRequestHandler):
    """Answers as a repository whose branches have no end, in the old way or the new one (``old`` in the address)."""

    def log_message(self, *_arguments: object) -> None:
        """Say nothing."""

    def do_GET(self) -> None:
        self._begin("advertisement")
        self._send(b"# service=git-upload-pack\n")
        self.wfile.write(b"0000")
        if "old" in self.path:
            self._send(b"a" * 40 + b" HEAD\0side-band-64k ofs-delta shallow\n")
            self._send_branches()
        else:
            for line in (b"version 2\n", b"ls-refs=unborn\n", b"fetch=shallow\n", b"object-format=sha1\n"):
                self._send(line)
            self.wfile.write(b"0000")

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self._begin("result")
        self._send_branches()

    def _begin(self, kind: str) -> None:
        self.send_response(200)
        self.send_header("Content-Type", f"application/x-git-upload-pack-{kind}")
        self.end_headers()

    def _send(self, line: bytes) -> None:
        self.wfile.write(b"%04x" % (len(line) + 4) + line)

    def _send_branches(self) -> None:
        with suppress(OSError):  # whoever asked has gone
            for number in count():
                self._send(b"%040x refs/heads/b%d%s\n" % (number, number, b"x" * 900))


@pytest.mark.parametrize("path", ["old", "new"])
def test_branches_without_end_are_an_error_of_the_source(path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Git may have only so much memory for them; it is not tried again for ever."""
    monkeypatch.setattr(remote, "ASKING_MEMORY", 96 << 20)
    with ThreadingHTTPServer(("127.0.0.1", 0), _EndlessBranches) as http:
        thread = threading.Thread(target=http.serve_forever)
        thread.start()
        try:
            connector = get_connector("git", {"repository": f"http://127.0.0.1:{http.server_port}/{path}/x.git"})
            with pytest.raises(SourceAccessError, match="larger than what fits into 96 MiB") as caught:
                asyncio.run(connector.authenticate())
        finally:
            http.shutdown()
            thread.join()
    assert not isinstance(caught.value, TransientSourceError)
    assert caught.value.reason == "answer_too_large"


def test_server_that_only_talks_is_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a branch names is asked for within a time, whatever comes meanwhile."""
    ssh = tmp_path / "ssh"
    ssh.write_text("#!/bin/sh\nwhile sleep 0.05; do echo patience >&2; done\n")
    ssh.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setattr(remote, "ASKING_SECONDS", 1.0)
    connector = get_connector("git", {"repository": "ssh://robot@git.example.org/handbook.git"})
    with pytest.raises(TransientSourceError, match="within 1 seconds"):
        asyncio.run(connector.authenticate())


@pytest.mark.parametrize("sent", [signal.SIGTERM, signal.SIGKILL])
def test_nothing_outlives_the_process_that_asks(proxy: FaultProxy, kept: WorkFolder, sent: signal.Signals) -> None:
    """However it ends while a server is silent: git and what git has started end with it."""
    proxy.add(Fault(delay=600))
    job = listing_process(proxy.port, kept.folder)
    address = f"http://127.0.0.1:{proxy.port}/handbook.git"
    try:
        wait_until(lambda: bool(proxy.requests), seconds=120)
        assert len(running_with(address)) > 1, "git, and its program for http"
        job.send_signal(sent)
        job.wait()
        wait_until(lambda: not running_with(address), seconds=30, what="git has ended")
    finally:
        job.kill()
        job.wait()


def test_closing_ends_what_runs(server: GitServer, proxy: FaultProxy, kept: WorkFolder) -> None:
    """A job that is cancelled does not wait for a silent server, and no process of it stays."""
    proxy.add(Fault(delay=600))
    connector = connector_to(proxy.port, kept)
    caught: list[IngestError] = []

    def list_it() -> None:
        try:
            listed(connector)
        except IngestError as error:
            caught.append(error)

    thread = threading.Thread(target=list_it)
    thread.start()
    wait_until(lambda: bool(proxy.requests))
    connector.close()
    thread.join(60)
    assert caught


@pytest.mark.slow
def test_fetch_that_is_killed_is_made_up_for(server: GitServer, proxy: FaultProxy, kept: WorkFolder) -> None:
    """With kill -9 in the middle of a pack: the next job fetches it, and nothing of the first is left."""
    commit_files(server.folder / "handbook.git", {"large.bin": os.urandom(3_000_000)})
    server.holds_after = 1_000_000
    job = listing_process(proxy.port, kept.folder)
    try:
        wait_until(lambda: bool(list(kept.folder.glob("sha1.git/objects/pack/tmp_pack_*"))), seconds=120)
    finally:
        job.kill()
        job.wait()
    server.release()
    assert keys(connector_to(server.port, kept)) == {"large.bin"}
    wait_until(lambda: not list(kept.folder.glob("sha1.git/objects/pack/tmp_*")))


def test_branch_is_looked_at_once_a_minute(
    server: GitServer, proxy: FaultProxy, kept: WorkFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However often the watch asks; a commit is a hint, once."""
    clock = [1000.0]
    monkeypatch.setattr(address_connector, "time", SimpleNamespace(monotonic=lambda: clock[0]))
    connector = connector_to(proxy.port, kept, ref="main")
    assert connector.wait_for_hint(0) is False
    asked = len(proxy.requests)
    commit_files(server.folder / "handbook.git", {"c.md": b"gamma"})
    assert connector.wait_for_hint(0) is False
    assert len(proxy.requests) == asked
    clock[0] += address_connector.HINT_SECONDS
    assert connector.wait_for_hint(0) is True
    assert connector.wait_for_hint(0) is False
