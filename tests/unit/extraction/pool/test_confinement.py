"""The walls of the kernel around a parser: what it reaches for besides its input and its output is refused.

Each way out is tried with and without namespaces, since many containers do not allow those; what is asserted is what
the process says that its kernel offers.
"""

from __future__ import annotations

import os
import resource
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from ingest_tui.extraction.backends import runs_programs
from ingest_tui.extraction.pool import process as sandbox_process
from ingest_tui.extraction.pool.confinement import Confinement, code_folders
from ingest_tui.extraction.pool.pool import ParserPool, Walls
from ingest_tui.model.parse_limits import ParseLimits
from ingest_tui.services.walls import walls_of
from tests import REPOSITORY
from tests.unit.extraction.misbehaving import MISBEHAVING
from tests.unit.extraction.parser_desk import QUICK, Desk, known_walls

pytestmark = pytest.mark.slow

LIMITS = replace(QUICK, silence_seconds=20.0, total_seconds=30.0)


class Outside:
    """A home with secrets, a workspace with sources, and what else a parser could want to reach."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.jobs = root / "workspace" / "jobs"
        self.jobs.mkdir(parents=True)
        for path in ("home/.ssh/id_ed25519", "home/.bashrc", "credentials.json", "workspace/sources/docs.json"):
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).write_text("secret")
        self.scratch = root / "workspace" / "parsers"
        readable = (str(self.jobs), str(REPOSITORY))  # where the parser of these tests is
        self.confinement = Confinement(readable, str(self.scratch))


@pytest.fixture
def outside(tmp_path: Path) -> Outside:
    return Outside(tmp_path)


@pytest.fixture(params=["namespaces", "no namespaces"])
def pool(request: pytest.FixtureRequest, outside: Outside, monkeypatch: pytest.MonkeyPatch) -> Iterator[ParserPool]:
    monkeypatch.setattr(sandbox_process, "_USES_NAMESPACES", request.param == "namespaces")
    with ParserPool(1, LIMITS, parser=MISBEHAVING, confinement=outside.confinement) as pool:
        yield pool


def attempt(pool: ParserPool, outside: Outside, way: str, target: object) -> str:
    """Return what became of a file whose parser reaches for ``target``: ``kept in`` or what it said."""
    desk = Desk(outside.jobs, pool)
    desk.submit("a", f"misbehave:escape {way} {target}\nwords")
    pool.drain()
    result = desk.results["a"]
    return "kept in" if result.status == "parsed" else f"{result.status} {result.reason}: {result.detail}"


def needs(pool: ParserPool, wall: str) -> None:
    """Skip where this kernel lacks a wall."""
    if not getattr(known_walls(pool), wall):
        pytest.skip(f"this kernel has no {wall}")


@pytest.mark.parametrize("path", ["home/.ssh/id_ed25519", "credentials.json", "workspace/sources/docs.json"])
def test_secrets_cannot_be_read(path: str, pool: ParserPool, outside: Outside) -> None:
    """A parser that opens a key, the credentials or a source is refused."""
    found = attempt(pool, outside, "read", outside.root / path)
    needs(pool, "landlock")
    assert found == "kept in"


@pytest.mark.parametrize("path", ["home/.bashrc", "workspace/sources/docs.json", "workspace/sources/new.json", "new"])
def test_nothing_can_be_written_elsewhere(path: str, pool: ParserPool, outside: Outside) -> None:
    """A parser that writes to a start-up file or plants a source is refused, and the file is as it was."""
    found = attempt(pool, outside, "write", outside.root / path)
    needs(pool, "landlock")
    assert found == "kept in"
    assert not (outside.root / "new").exists()
    assert (outside.root / "home/.bashrc").read_text() == "secret"


def test_input_cannot_be_changed(pool: ParserPool, outside: Outside) -> None:
    """What is staged can be read and neither written nor removed: other jobs' files are there too."""
    staged = outside.jobs / "staged"
    staged.write_text("bytes of a document")
    found = [attempt(pool, outside, way, staged) for way in ("write", "unlink")]
    needs(pool, "landlock")
    assert found == ["kept in", "kept in"]
    assert staged.read_text() == "bytes of a document"


def test_home_cannot_be_listed(pool: ParserPool, outside: Outside) -> None:
    """Not even the names in a home can be had."""
    found = attempt(pool, outside, "list", outside.root / "home")
    needs(pool, "landlock")
    assert found == "kept in"


def test_no_program_can_be_started(pool: ParserPool, outside: Outside) -> None:
    """A parser that starts a program is refused, by seccomp or by Landlock."""
    found = attempt(pool, outside, "run", "/bin/true")
    assert found == "kept in" or not (known_walls(pool).landlock or known_walls(pool).seccomp)


def test_unix_socket_cannot_be_reached(pool: ParserPool, outside: Outside) -> None:
    """A socket in the file system, such as that of an agent, is out of reach although no namespace covers it."""
    path = str(outside.root / "agent")
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as server:
        server.bind(path)
        server.listen()
        found = attempt(pool, outside, "unix-socket", path)
    needs(pool, "seccomp")
    assert found == "kept in"


def test_no_socket_can_be_made(pool: ParserPool, outside: Outside) -> None:
    """A parser opens no socket of the network, also where there is no network namespace."""
    found = attempt(pool, outside, "tcp", "")
    needs(pool, "seccomp")
    assert found == "kept in"


def test_environment_of_the_worker_cannot_be_read(pool: ParserPool, outside: Outside) -> None:
    """The secrets in the environment of the process that started it are out of reach."""
    found = attempt(pool, outside, "read", f"/proc/{os.getpid()}/environ")
    needs(pool, "landlock")
    assert found == "kept in"


def test_worker_cannot_be_signalled_or_traced(pool: ParserPool, outside: Outside) -> None:
    """A parser can neither send a signal to the process that started it nor take it over."""
    found = [attempt(pool, outside, way, os.getpid()) for way in ("signal", "trace")]
    needs(pool, "seccomp")
    assert found[1] == "kept in"
    if known_walls(pool).landlock >= 6 or known_walls(pool).children_contained:
        assert found[0] == "kept in"


def metadata(path: Path) -> tuple[object, ...]:
    """Return what a parser could change of a file without writing to it."""
    status = path.stat()
    extra = {name: os.getxattr(path, name) for name in os.listxattr(path)}
    return status.st_mode, status.st_uid, status.st_gid, status.st_size, status.st_mtime_ns, status.st_ctime_ns, extra


@pytest.mark.parametrize("way", ["chmod", "set-user", "chown", "utime", "setxattr", "truncate"])
@pytest.mark.parametrize("path", ["credentials.json", "workspace/sources", "workspace/jobs/staged"])
def test_metadata_of_files_cannot_be_changed(way: str, path: str, pool: ParserPool, outside: Outside) -> None:
    """Modes, owners, times and attributes of files stay, which Landlock does not cover."""
    (outside.jobs / "staged").write_text("bytes of a document")
    before = metadata(outside.root / path)
    found = attempt(pool, outside, way, outside.root / path)
    needs(pool, "seccomp")
    assert found == "kept in"
    assert metadata(outside.root / path) == before


@pytest.mark.parametrize("way", ["fchmod", "empty"])
def test_what_can_be_read_cannot_be_changed_through_that(way: str, pool: ParserPool, outside: Outside) -> None:
    """A staged file that is open for reading is neither emptied nor given another mode."""
    staged = outside.jobs / "staged"
    staged.write_text("bytes of a document")
    before = metadata(staged)
    found = attempt(pool, outside, way, staged)
    needs(pool, "seccomp")
    assert found == "kept in"
    assert metadata(staged) == before


def state_of(pid: int) -> tuple[object, ...]:
    """Return what others could change of a process."""
    scheduling = (os.getpriority(os.PRIO_PROCESS, pid), os.sched_getaffinity(pid), os.sched_getscheduler(pid))
    return *scheduling, resource.prlimit(pid, resource.RLIMIT_NOFILE)


@pytest.mark.parametrize("way", ["priority", "limits", "processors", "scheduler", "signal", "trace", "own-signals"])
def test_other_processes_are_left_alone(way: str, pool: ParserPool, outside: Outside) -> None:
    """Another process of the same user is neither slowed down, limited, moved, signalled nor traced."""
    with subprocess.Popen(["/bin/sleep", "300"]) as victim:
        try:
            before = state_of(victim.pid)
            found = attempt(pool, outside, way, victim.pid)
            assert victim.poll() is None
            after = state_of(victim.pid)
        finally:
            victim.kill()
    needs(pool, "seccomp")
    assert found == "kept in"
    assert after == before


@pytest.mark.parametrize("way", ["shared-memory", "queue", "semaphore", "host-name", "calls"])
def test_machine_is_left_as_it_is(way: str, pool: ParserPool, outside: Outside) -> None:
    """Nothing that would outlive the process can be made, no setting of the machine changed, no refused call made."""
    found = attempt(pool, outside, way, "")
    needs(pool, "seccomp")
    assert found == "kept in"


def test_no_capability_is_left(pool: ParserPool, outside: Outside) -> None:
    """A parser has no capability, whether root started it or a namespace gave it all of them."""
    assert attempt(pool, outside, "capabilities", "") == "kept in"
    assert known_walls(pool).unprivileged


@pytest.mark.usefixtures("superuser")
def test_root_parses_in_a_folder_of_somebody_else(pool: ParserPool, outside: Outside) -> None:
    """Root keeps the right to open files where its parser needs that, says so, and the other walls hold."""
    for folder in (outside.jobs.parent, outside.jobs):
        folder.chmod(0o700)
        os.chown(folder, 65534, 65534)
    assert attempt(pool, outside, "calls", "") == "kept in" or not known_walls(pool).seccomp
    assert not known_walls(pool).unprivileged
    needs(pool, "landlock")
    assert attempt(pool, outside, "read", outside.root / "credentials.json") == "kept in"


def test_text_comes_out_and_the_folder_goes(outside: Outside) -> None:
    """A confined parser writes its text where the task wants it, and nothing of its own folder is left."""
    with ParserPool(1, ParseLimits(), confinement=outside.confinement) as pool:
        desk = Desk(outside.jobs, pool)
        desk.submit("a.txt", "plain words")
        pool.drain()
        assert (outside.jobs / "a.txt.md").read_text().strip() == "plain words"
        assert len(list(outside.scratch.iterdir())) == 1
    assert list(outside.scratch.iterdir()) == []


def test_what_dead_workers_left_is_swept(outside: Outside) -> None:
    """The folder of a process whose worker was killed goes when the next pool starts; that of a living one stays."""
    outside.scratch.mkdir()
    gone, living = outside.scratch / "999999999.1.dead", outside.scratch / "other"
    gone.mkdir()
    living.mkdir()
    with ParserPool(1, ParseLimits(), confinement=outside.confinement):
        assert not gone.exists()
        assert living.exists()


def test_working_folder_is_no_code(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The folder that `python -m` puts first among those of modules is not readable for being there."""
    monkeypatch.syspath_prepend(str(tmp_path))
    assert sys.path[0] == str(tmp_path)
    assert str(tmp_path) not in code_folders([])


def test_walls_are_reported_as_they_are() -> None:
    """A wall that holds names what it keeps a parser from; one that is missing is a warning with what to do."""
    whole = list(walls_of(Walls(True, True, landlock=7, seccomp=True, unprivileged=True)))
    bare = list(walls_of(Walls(False, False, landlock=0, seccomp=False, unprivileged=False)))
    assert all(wall.holds for wall in whole)
    assert [wall.name for wall in bare if not wall.holds] == [
        "files",
        "system calls",
        "privileges",
        "network",
        "processes",
    ]
    assert all(wall.hint for wall in bare if not wall.holds)
    assert "signals" in whole[0].message
    assert "signals" not in next(walls_of(Walls(True, True, landlock=5, seccomp=True, unprivileged=True))).message


def test_backend_that_runs_programs_gets_a_pool_of_its_own() -> None:
    """The walls against programs and sockets are let down for such a backend alone."""
    assert runs_programs(["unstructured"])
    assert not runs_programs([None, "pdf", "no such backend"])
