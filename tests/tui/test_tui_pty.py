"""Real processes under pseudo-terminals: what Pilot cannot see."""

from __future__ import annotations

import os
import re
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import ingest_tui
from ingest_tui.model.errors import NotFoundError, UsageError
from ingest_tui.tui.app import run_tui
from ingest_tui.tui.terminal.safety import LOST_TERMINAL_EXIT
from tests.tui.pty_app import RUN, PtyApp, foreign_controls
from tests.tui.stories import HOSTILE_NAMES, add_job, add_outcomes, outcome
from tests.waiting import wait_until

pytestmark = pytest.mark.slow


@pytest.fixture(autouse=True)
def package_on_path(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the processes find the package as the tests do."""
    monkeypatch.setenv("PYTHONPATH", str(Path(ingest_tui.__file__).parents[1]))


@pytest.fixture
def hostile(root: Path) -> Path:
    """A workspace in which every name is hostile."""
    for number, name in enumerate(HOSTILE_NAMES):
        job_id = f"20261121-0000{number:02d}-docs-aa{number:02d}"
        text = name.encode("utf-8", "replace").decode()
        add_job(root, job_id, "failed", listed=3, source_id=text, requested_by=text, errors=[text])
        add_outcomes(root, job_id, [outcome(text, "failed", "malformed", detail=text, hint=text)])
        (root / "jobs" / job_id / "log.jsonl").write_bytes(
            b'{"at":"2026-11-21T11:00:00.000Z","level":"error","message":"\\u001b]52;c;x\\u0007 \\u009b31m"}\n'
        )
    return root


@pytest.fixture
def started(root: Path) -> Iterator[PtyApp]:
    """The application on an empty workspace, painted."""
    app = PtyApp(root)
    try:
        app.read_until(b"No jobs yet")
        yield app
    finally:
        app.close()


def test_the_screen_is_painted_again_after_a_suspension(started: PtyApp) -> None:
    """Ctrl+Z gives the terminal to the shell, which clears it or not; ``fg`` finds all of the screen."""

    def is_stopped() -> bool:
        started.read(0.02)  # it stops once all is written
        return Path(f"/proc/{started.pid}/stat").read_text().rpartition(")")[2].split()[0] == "T"

    started.send(b"\x1a")
    wait_until(is_stopped)
    started.output = b""
    os.kill(started.pid, signal.SIGCONT)
    started.read_until(lambda output: b"No jobs yet" in output and b"quit" in output)


@pytest.mark.parametrize("size", [(80, 24), (200, 50)])
def test_no_control_sequence_of_the_data_reaches_the_terminal(hostile: Path, size: tuple[int, int]) -> None:
    """Walking through every screen of a hostile workspace sends only Textual's own sequences."""
    app = PtyApp(hostile, size=size)
    try:
        app.read_until(b"failed")
        for keys in (
            "jjjj",
            "G",
            "\r",
            "j",
            "l",
            "i",
            "\x1b",
            "\x1b",
            "k\r",
            "y",
            "\x1b",
            "x",
            "\x1b",
            "2",
            "3",
            "1",
            "/red\r",
        ):
            app.send(keys.encode())
            app.read(0.25)
        app.send(b"\x1b")
        app.read(0.3)
        app.send(b"q")
        assert app.wait(5) == 0
    finally:
        app.close()
    assert not re.search(rb"(\x1b\]|\xc2\x9d)52;", app.output)
    assert b"\\x1b" in app.output, "the names were never shown"
    assert foreign_controls(app.output) == []


def test_no_size_leaves_anything_of_another_one(root: Path) -> None:
    """From wide to narrow and back, with keys between: in the last column are borders and blanks, in all sizes."""
    for number in range(60):
        add_job(root, f"20261121-0000{number:02d}-docs-aa{number:02d}", source_id=f"source {'x' * 80}")
    app = PtyApp(root, size=(200, 50))

    def is_whole(width: int) -> bool:
        lines = app.screen.split("\n")
        ends = [line[width - 1] for number, line in enumerate(lines) if number != 1]  # tabs may fill their line
        is_framed = "60 jobs" in lines[2] and "╮" in ends and "╯" in ends and "quit" in lines[-1]
        return is_framed and set(ends) <= set("╮│╯ ")

    try:
        app.read_until(b"60 jobs")
        for size in ((80, 24), (200, 50), (60, 20), (120, 35), (80, 24), (120, 35), (60, 20), (200, 50)):
            app.send(b"jjk")
            app.resize(size)
            app.send(b"jk")
            app.read_until(lambda _output, width=size[0]: is_whole(width))  # type: ignore[misc]
    finally:
        app.close()


def test_a_byte_that_is_not_utf8_does_not_end_the_application(started: PtyApp) -> None:
    """Broken input is shown a replacement, and keys go on working."""
    started.send(b"\xff\xfe\x80")
    started.read(0.3)
    started.send(b"2")
    started.read_until(b"No sources yet")
    started.send(b"q")
    assert started.wait(5) == 0


def test_a_closed_terminal_ends_the_process(started: PtyApp) -> None:
    """A hangup ends it at once."""
    started.hang_up()
    assert started.wait(5) is not None


def test_a_lost_terminal_ends_the_process_even_when_hangups_are_ignored(root: Path) -> None:
    """With SIGHUP ignored it neither lives on nor spins."""
    app = PtyApp(root, ignore_hangup=True)
    try:
        app.read_until(b"No jobs yet")
        app.read(1.0)
        before = app.cpu_seconds()
        app.hang_up()
        assert app.wait(6) is not None
        assert app.cpu_seconds() - before < 1, "most of its last seconds it waits"
    finally:
        app.close()


def test_the_exit_code_of_a_lost_terminal_is_that_of_a_hangup() -> None:
    """Scripts distinguish a lost terminal."""
    assert LOST_TERMINAL_EXIT == 129


def test_the_terminal_is_given_back_as_it_was(started: PtyApp) -> None:
    """Quitting leaves the alternate screen, shows the cursor and switches the mouse off."""
    started.send(b"q")
    assert started.wait(5) == 0
    for sequence in (b"\x1b[?1049l", b"\x1b[?25h", b"\x1b[?1000l"):
        assert sequence in started.output


def test_a_crash_shows_where_and_no_values(root: Path) -> None:
    """The report of a crash names the place; local variables and messages stay out of it, and the exit code is 1."""
    script = (
        "import sys, pathlib\n"
        "from ingest_tui.tui import app\n"
        "def broken(self):\n"
        "    password = 'hunter2-secret'\n"
        "    raise ValueError(password)\n"
        "app.IngestApp.add_source = broken\n"
        "sys.exit(app.run_tui(pathlib.Path(sys.argv[1])))\n"
    )
    app = PtyApp(root, script=script)
    try:
        app.read_until(b"No jobs yet")
        app.send(b"a")
        assert app.wait(5) == 1
    finally:
        app.close()
    assert b"hunter2" not in app.output
    assert b"ValueError" in app.output


def test_one_update_of_progress_sends_below_a_kilobyte(root: Path) -> None:
    """A changed row repaints itself and not the table."""
    from ingest_tui.store.fs.locks import FileLock
    from tests.tui.stories import write_manifest

    for number in range(30):
        add_job(root, f"20261120-0000{number:02d}-docs-aa{number:02d}", listed=5)
    manifest = add_job(root, "20261121-000001-docs-aaaa", "running", listed=100, ingested=1, percent=1)
    lock = FileLock(root / "jobs" / manifest.job_id / "lock")
    assert lock.try_acquire()
    app = PtyApp(root)
    try:
        app.read_until(b"no worker")
        app.read_until(b"1/100")
        app.read(1.5)
        sent = []
        for number in range(10, 15):
            manifest.counters.items_ingested, manifest.progress.percent = number, float(number)
            write_manifest(root, manifest)
            sent.append(len(app.read(0.8)))
        assert all(0 < number < 1024 for number in sent), sent
    finally:
        lock.release()
        app.close()


def test_one_update_of_a_job_in_detail_sends_below_a_kilobyte(root: Path) -> None:
    """Bars, rate, history and counters of an open job change in place."""
    from ingest_tui.store.fs.locks import FileLock
    from tests.tui.stories import write_manifest

    manifest = add_job(root, "20261121-000001-docs-aaaa", "running", listed=100, ingested=1, percent=1)
    add_outcomes(root, manifest.job_id, [outcome(f"{number}.txt") for number in range(30)])
    lock = FileLock(root / "jobs" / manifest.job_id / "lock")
    assert lock.try_acquire()
    app = PtyApp(root)
    try:
        app.read_until(b"1/100")
        app.send(b"\r")
        app.read_until(b"to come")
        app.read(2.0)
        sent = []
        for number in range(10, 16):
            manifest.counters.items_ingested, manifest.progress.percent = number, float(number)
            manifest.progress.items_per_second = 3.0 * (number % 5)
            manifest.phases["extract"].done = number
            write_manifest(root, manifest)
            sent.append(len(app.read(0.8)))
        assert all(0 < number < 1024 for number in sent), sent
    finally:
        lock.release()
        app.close()


def test_without_colour_nothing_is_coloured(root: Path) -> None:
    """NO_COLOR leaves bold and reverse, but no colour code."""
    add_job(root, "20261121-000001-docs-aaaa", "failed")
    script = (
        "import os, sys, pathlib\n"
        "os.environ['NO_COLOR'] = '1'\n"
        "from ingest_tui.tui.app import run_tui\n"
        "sys.exit(run_tui(pathlib.Path(sys.argv[1])))\n"
    )
    app = PtyApp(root, script=script)
    try:
        app.read_until(b"failed")
        app.read(0.5)
    finally:
        app.close()
    codes = {code for codes in re.findall(rb"\x1b\[([0-9;]*)m", app.output) for code in codes.split(b";")}
    assert not codes & {
        b"38",
        b"48",
        *(str(code).encode() for code in (*range(30, 38), *range(40, 48), *range(90, 108))),
    }


def test_without_a_terminal_the_way_to_go_on_is_named(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No terminal, or a dumb one, is a wrong use with a hint."""
    with pytest.raises(UsageError) as caught:
        run_tui(root)
    assert "--watch" in caught.value.hint
    monkeypatch.setattr(os, "environ", {**os.environ, "TERM": "dumb"})
    with pytest.raises(UsageError):
        run_tui(root)


def test_without_a_workspace_the_way_to_make_one_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder that is no workspace is refused before the screen is taken."""
    monkeypatch.setattr("ingest_tui.tui.terminal.safety.terminal_is_usable", lambda: True)
    with pytest.raises(NotFoundError):
        run_tui(tmp_path)


def test_the_first_screen_sends_little_however_many_jobs_there_are(root: Path) -> None:
    """The overview is painted once and again when all jobs are known, not for each slice of them that was read."""
    for number in range(1500):
        add_job(root, f"20261120-{number:06}-docs-{number:04}", listed=5)
    app = PtyApp(root, view="")
    try:
        app.read_until(b"1.5k ok")
        while app.read(1.0):
            pass
    finally:
        app.close()
    assert b"Needs you" in app.output
    assert len(app.output) < 40_000


@pytest.mark.parametrize("size", [(80, 24), (200, 50)])
def test_what_was_sent_in_parts_reads_as_if_it_had_been_sent_at_once(hostile: Path, size: tuple[int, int]) -> None:
    """After views, dialogs and menus have come and gone, painting all of the screen again changes nothing on it."""
    app = PtyApp(hostile, size=size)
    try:
        app.read_until(b"failed")
        for keys, wanted in (
            ("jj?", b"esc"),
            ("\x1b2", b"No sources yet"),
            ("3", b"No documents yet"),
            ("1G", b"failed"),
        ):
            app.send(keys.encode())
            app.read_until(wanted)
            while app.read(0.5):
                pass
            in_parts, sent = app.screen, len(app.output)
            if keys.endswith(("2", "3", "G")):
                app.send(b"r")
                app.read_until(_more_than(sent + 1500))
                while app.read(0.5):
                    pass
                assert app.screen == in_parts
    finally:
        app.close()


def _more_than(length: int) -> Callable[[bytes], bool]:
    return lambda output: len(output) > length


_ON_SLOW_LINK = (
    "import sys, pathlib; from ingest_tui.tui.app import run_tui; "
    "sys.exit(run_tui(pathlib.Path(sys.argv[1]), slow_link=True))"
)


@pytest.mark.parametrize(
    ("script", "size", "most"),
    [(RUN, (80, 24), 20_000), (RUN, (200, 50), 40_000), (_ON_SLOW_LINK, (80, 24), 10_000)],
    ids=["small", "large", "slow-link"],
)
def test_a_start_sends_a_screenful_however_many_jobs_there_are(
    root: Path, script: str, size: tuple[int, int], most: int
) -> None:
    """Jobs that are read while others are shown already repaint nothing but the lines that count them."""
    for number in range(2_000):
        add_job(root, f"20261120-{number:06}-docs-{number:04}", listed=5)
    app = PtyApp(root, script=script, size=size)
    try:
        app.read_until(b"succeeded", 60)
        app.read_until(lambda _output: "2.0k ok" in app.screen or "2,000 jobs" in app.screen, 60)
        assert len(app.output) < most
    finally:
        app.close()


SLOW_TYPES = """
import pathlib, sys, time
from ingest_tui.tui.app import run_tui
from ingest_tui.tui.background import input_queue
from ingest_tui.services.sources import kinds

root = pathlib.Path(sys.argv[1])
input_queue.ESCAPE_SECONDS = 600.0
known = kinds.source_kinds


def slow(*arguments, **rest):
    while not (root / "answer").exists():
        time.sleep(0.01)
    return known(*arguments, **rest)


kinds.source_kinds = slow
sys.exit(run_tui(root))
"""


@pytest.mark.slow
def test_keys_that_a_terminal_sends_at_once_are_typed_where_they_were_meant(root: Path) -> None:
    """What comes in one bunch while the types of sources are read fills the form, and Esc at its end asks."""
    app = PtyApp(root, script=SLOW_TYPES)
    try:
        app.read_until(b"Jobs > all", 60)
        app.send(b"2a\rrain\x1b")
        app.read_until(b"keys wait for it", 60)
        (root / "answer").touch()
        app.read_until(lambda _output: "Leave without saving?" in app.screen and "Keep editing" in app.screen, 60)
        app.send(b"n")
        app.read_until(lambda _output: "rain" in app.screen and "Leave" not in app.screen, 60)
    finally:
        app.close()


def test_ctrl_z_gives_the_terminal_back_until_the_process_goes_on(started: PtyApp) -> None:
    """The process is stopped with the terminal as it was; then it paints again, and takes keys."""
    started.send(b"\x1a")
    started.read_until(b"\x1b[?1049l")
    assert os.WIFSTOPPED(os.waitpid(started.pid, os.WUNTRACED)[1])
    seen = len(started.output)
    os.kill(started.pid, signal.SIGCONT)
    started.read_until(lambda output: b"No jobs yet" in output[seen:])
    started.send(b"2")
    started.read_until(b"No sources yet")
