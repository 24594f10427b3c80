"""The parser pool: what bad files cost, and whom."""

from __future__ import annotations

import errno
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from ingest_tui.extraction import sandbox_child, sandbox_orphans, sandbox_process
from ingest_tui.extraction.parse import extract
from ingest_tui.extraction.sandbox import ParserPool
from ingest_tui.extraction.validators.registered import installed_validators
from ingest_tui.model.errors import BusyError
from ingest_tui.model.extraction import Extraction, ParseLimits, ParseResult, ParseTask

QUICK = ParseLimits(silence_seconds=1.0, total_seconds=3.0)
LOADED_MACHINE_SECONDS = 1.0
"""What a machine that is busy with other tests may be late by."""


class Desk:
    """Writes files, submits them and gathers what comes back."""

    def __init__(self, folder: Path, pool: ParserPool) -> None:
        self.folder = folder
        self.pool = pool
        self.results: dict[str, ParseResult] = {}
        self.order: list[str] = []

    def task(self, task_id: str, content: str | bytes, **options: Any) -> ParseTask:
        source = self.folder / f"{task_id}.in"
        source.write_bytes(content.encode() if isinstance(content, str) else content)
        name = options.pop("file_name", f"{task_id}.txt")
        return ParseTask(
            task_id, str(source), str(self.folder / f"{task_id}.md"), name, source.stat().st_size, **options
        )

    def submit(self, task_id: str, content: str | bytes, **options: Any) -> None:
        self.pool.submit(self.task(task_id, content, **options), self.take)

    def take(self, result: ParseResult) -> None:
        assert result.task_id not in self.results, "a task had two results"
        self.results[result.task_id] = result
        self.order.append(result.task_id)

    def reasons(self) -> dict[str, tuple[str, str]]:
        return {name: (result.status, result.reason) for name, result in self.results.items()}


def run(folder: Path, contents: dict[str, str], limits: ParseLimits = QUICK, workers: int = 2) -> Desk:
    with ParserPool(workers, limits, test_backend=True) as pool:
        desk = Desk(folder, pool)
        for task_id, content in contents.items():
            desk.submit(task_id, content)
        pool.drain()
    return desk


def one_bad_of_twenty(folder: Path, order: str, limits: ParseLimits = QUICK) -> ParseResult:
    """Return the result of the bad one, after checking that the other nineteen are parsed."""
    contents = {f"good{number}": f"good text {number}" for number in range(19)}
    items = [*contents.items()]
    items.insert(5, ("bad", f"misbehave:{order}"))
    desk = run(folder, dict(items), limits)
    parsed = {name for name, outcome in desk.reasons().items() if outcome == ("parsed", "")}
    assert parsed - {"bad"} == set(contents), desk.reasons()
    assert (folder / "good7.md").read_text() == "good text 7"
    return desk.results["bad"]


def is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def wait_until(condition: Any, seconds: float = 5.0) -> bool:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(0.02)
    return bool(condition())


def test_crash_costs_one_file(tmp_path: Path) -> None:
    """A segmentation fault fails its own file as crashed and no other."""
    bad = one_bad_of_twenty(tmp_path, "segfault")
    assert (bad.status, bad.reason) == ("failed", "crashed")
    assert "SIGSEGV" in bad.detail


def test_silent_exit_costs_one_file(tmp_path: Path) -> None:
    """A parser that ends its process without a word is a crash of that file."""
    assert one_bad_of_twenty(tmp_path, "leave 0").reason == "crashed"


def test_hang_is_killed_after_silence(tmp_path: Path) -> None:
    """A hang that ignores SIGTERM is ended after the silence limit, and only it."""
    started = time.monotonic()
    bad = one_bad_of_twenty(tmp_path, "hang")
    assert (bad.status, bad.reason) == ("failed", "timeout")
    assert "no progress" in bad.detail
    assert 0.9 < time.monotonic() - started < 4


@pytest.mark.parametrize(
    ("order", "limits", "limit_seconds"),
    [
        ("hang", ParseLimits(silence_seconds=1.0, total_seconds=9.0), 1.0),
        ("crawl", ParseLimits(silence_seconds=1.0, total_seconds=1.5), 1.5),
        ("fork {note}", ParseLimits(silence_seconds=1.0, total_seconds=9.0), 1.0),
    ],
)
def test_kill_comes_within_a_second_of_the_limit(
    tmp_path: Path, order: str, limits: ParseLimits, limit_seconds: float
) -> None:
    """Neither early nor more than a second late; meanwhile the other process has parsed what was behind it."""
    with ParserPool(2, limits, test_backend=True) as pool:
        desk = Desk(tmp_path, pool)
        pool.warm_up()
        desk.submit("warm", "x")
        pool.drain()
        started = time.monotonic()
        desk.submit("bad", f"misbehave:{order.format(note=tmp_path / 'pids')}")
        for number in range(19):
            desk.submit(f"good{number}", "good text")
        assert wait_until(lambda: len(desk.results) == 20, limit_seconds * 0.9), desk.reasons()
        assert "bad" not in desk.results
        pool.drain()
        took = time.monotonic() - started
    assert desk.results["bad"].reason == "timeout"
    assert limit_seconds <= took <= limit_seconds + 1 + LOADED_MACHINE_SECONDS


def test_progress_keeps_a_slow_file_alive(tmp_path: Path) -> None:
    """A file that takes longer than the silence limit is parsed as long as it makes progress."""
    assert one_bad_of_twenty(tmp_path, "crawl 1.5\nslow but sure").status == "parsed"


def test_endless_progress_meets_the_total_limit(tmp_path: Path) -> None:
    """Progress without end is ended after the total limit."""
    bad = one_bad_of_twenty(tmp_path, "crawl", ParseLimits(silence_seconds=1.0, total_seconds=1.2))
    assert bad.reason == "timeout"
    assert "not finished" in bad.detail


def test_limits_of_one_task_win(tmp_path: Path) -> None:
    """A task may bring its own time limits."""
    with ParserPool(1, test_backend=True) as pool:
        desk = Desk(tmp_path, pool)
        desk.submit("bad", "misbehave:hang", limits=ParseLimits(silence_seconds=0.4))
        pool.drain()
    assert desk.results["bad"].reason == "timeout"


def test_memory_is_limited(tmp_path: Path) -> None:
    """A parser that eats memory without end fails its own file for memory."""
    limits = ParseLimits(memory_bytes=512 * 1024**2, silence_seconds=10)
    bad = one_bad_of_twenty(tmp_path, "eat", limits)
    assert (bad.status, bad.reason) == ("failed", "memory")


def test_prints_do_not_disturb(tmp_path: Path) -> None:
    """What a parser prints, even in the form of a result, reaches nobody."""
    assert one_bad_of_twenty(tmp_path, "print\nstill parsed").status == "parsed"


def test_parser_cannot_read_the_tasks(tmp_path: Path) -> None:
    """Standard input of a parser is empty: the tasks of others are not its to read."""
    assert one_bad_of_twenty(tmp_path, "read-input\nstill parsed").status == "parsed"


def test_exit_request_is_a_failure(tmp_path: Path) -> None:
    """A parser that raises SystemExit fails its own file."""
    assert one_bad_of_twenty(tmp_path, "raise").status == "failed"


def test_huge_file_is_stopped(tmp_path: Path) -> None:
    """A parser that writes a file without end meets the limit on file sizes, not the end of the disk."""
    grown = tmp_path / "grown"
    bad = one_bad_of_twenty(tmp_path, f"write-file {grown}", ParseLimits(file_size_bytes=2 * 1024**2))
    assert (bad.status, bad.reason) == ("failed", "unreadable")
    assert "File too large" in bad.detail
    assert grown.stat().st_size <= 2 * 1024**2


def test_text_beyond_the_limit_is_too_large(tmp_path: Path) -> None:
    """A text that is larger than a parser may write fails as too large and leaves no half of it."""
    with ParserPool(1, ParseLimits(file_size_bytes=4096)) as pool:
        desk = Desk(tmp_path, pool)
        desk.submit("big", "many words " * 1000)
        desk.submit("small", "few words")
        pool.drain()
    assert desk.reasons() == {"big": ("failed", "too_large"), "small": ("parsed", "")}
    assert desk.results["big"].hint
    assert not (tmp_path / "big.md").exists()


def test_open_files_are_limited(tmp_path: Path) -> None:
    """A parser that opens files without end fails its own file."""
    bad = one_bad_of_twenty(tmp_path, "open-files")
    assert (bad.status, bad.reason) == ("failed", "unreadable")
    assert "Too many open files" in bad.detail


@pytest.mark.parametrize(
    "line",
    [
        "not JSON",
        "[]",
        "{}",
        '{"seq": 2, "result": {}}',
        '{"hello": {}}',
        '{"returned": {}}',
    ],
)
def test_forged_results_cost_their_forger(tmp_path: Path, line: str) -> None:
    """A parser that finds the pipe and writes what is no result into it is ended, and nobody else is harmed."""
    with ParserPool(1, QUICK, test_backend=True) as pool:
        desk = Desk(tmp_path, pool)
        for name in ("first", "bad", "last"):  # sent together, numbered from 1
            desk.submit(name, f"misbehave:forge {line}" if name == "bad" else "good text")
        pool.drain()
    assert desk.reasons() == {"first": ("parsed", ""), "bad": ("failed", "crashed"), "last": ("parsed", "")}


def test_leaked_files_cost_nobody_else(tmp_path: Path) -> None:
    """A process in which a parser has left files open is replaced, also when that parser was content."""
    with ParserPool(1, QUICK, test_backend=True) as pool:
        desk = Desk(tmp_path, pool)
        desk.submit("leak", "misbehave:leak-files 200\nleaky but parsed")
        pool.drain()
        desk.submit("next", "next")
        pool.drain()
        assert pool.processes_started == 2
    assert desk.reasons() == {"leak": ("parsed", ""), "next": ("parsed", "")}


def test_flood_without_a_line_end_is_stopped(tmp_path: Path) -> None:
    """A parser that writes into the pipe without end is ended long before memory is."""
    bad = one_bad_of_twenty(tmp_path, "flood", ParseLimits(silence_seconds=5.0))
    assert bad.reason in ("crashed", "timeout")


def test_a_parser_is_shut_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its limits are set for good, it leads a group of its own, dumps no core, and its environment is not ours."""
    monkeypatch.setenv("CANARY_SECRET", "x")
    limits = ParseLimits(memory_bytes=1024**3, file_size_bytes=1024**2, open_files=64)
    with ParserPool(1, limits, test_backend=True) as pool:
        desk = Desk(tmp_path, pool)
        desk.submit("a", f"misbehave:report {tmp_path / 'told'}\nfine")
        pool.drain()
        contained = pool.children_contained
    told = json.loads((tmp_path / "told").read_text())
    assert told["limits"] == {
        "RLIMIT_AS": [1024**3] * 2,
        "RLIMIT_FSIZE": [1024**2] * 2,
        "RLIMIT_NOFILE": [64, 64],
        "RLIMIT_CORE": [0, 0],
    }
    assert told["group"] != os.getpgrp()
    assert "CANARY_SECRET" not in told["environment"]
    assert told["environment"].keys() < set(sandbox_process._ENVIRONMENT) | {"INGEST_TUI_PARSER", "LC_CTYPE", "PWD"}
    if contained:
        assert not told["may_dump_core"]


def test_half_characters_are_no_crash(tmp_path: Path) -> None:
    """A title that is half a character cannot be written as JSON; the file is parsed without that half."""
    notebook = '{"nbformat": 4, "cells": [{"cell_type": "markdown", "source": "# Apples \\ud83c"}]}'
    with ParserPool(1) as pool:
        desk = Desk(tmp_path, pool)
        desk.submit("a", notebook, file_name="a.ipynb")
        pool.drain()
    assert desk.reasons() == {"a": ("parsed", "")}
    assert "Apples" in (desk.results["a"].title or "")


@pytest.mark.parametrize(
    ("number", "reason"),
    [(errno.ENOSPC, "disk_full"), (errno.EDQUOT, "disk_full"), (errno.EIO, "unreadable")],
)
def test_full_disk_is_a_reason_of_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, reason: str
) -> None:
    """No space for the text is told apart from other trouble with the disk, and what was written is removed."""
    source = tmp_path / "a.txt"
    source.write_text("words")
    target = tmp_path / "a.md"

    def full(_descriptor: int, _data: object) -> int:
        raise OSError(number, os.strerror(number))

    task = {"task_id": "a", "input_path": str(source), "output_path": str(target), "file_name": "a.txt"}
    task |= {"backend": None, "backends_by_type": None}
    with monkeypatch.context() as patched:
        patched.setattr("ingest_tui.extraction.sandbox_child.os.write", full)
        result, is_spent = sandbox_child._run(task, extract, lambda: None)
    assert (result.status, result.reason, is_spent) == ("failed", reason, False)
    assert result.hint
    assert not target.exists()


def test_full_disk_while_reading_is_not_ours(tmp_path: Path) -> None:
    """A parser that runs out of space of its own is unreadable: freeing space for the workspace would not help."""

    def parse(_content: bytes, **_options: object) -> Extraction:
        raise OSError(errno.ENOSPC, "No space left on device")

    (tmp_path / "a").write_text("words")
    task = {"task_id": "a", "input_path": str(tmp_path / "a"), "output_path": "", "file_name": "a.txt"}
    result, _ = sandbox_child._run(task | {"backend": None, "backends_by_type": None}, parse, lambda: None)
    assert result.reason == "unreadable"


@pytest.fixture
def no_namespaces(monkeypatch: pytest.MonkeyPatch) -> None:
    """A system that lets nobody make namespaces, as many containers."""
    monkeypatch.setattr(sandbox_process, "_USES_NAMESPACES", False)


@pytest.mark.usefixtures("no_namespaces")
def test_grandchildren_die_where_the_kernel_does_not_help(tmp_path: Path) -> None:
    """Without namespaces too, what a hung parser has started is killed with it, even in a session of its own."""
    note = tmp_path / "pids"
    with ParserPool(1, QUICK, test_backend=True) as pool:
        desk = Desk(tmp_path, pool)
        desk.submit("bad", f"misbehave:fork {note}")
        pool.drain()
        assert pool.children_contained is False
    assert desk.results["bad"].reason == "timeout"
    pids = [int(word) for word in note.read_text().split()]
    assert len(pids) == 3
    assert wait_until(lambda: not any(is_alive(pid) for pid in pids))


@pytest.mark.usefixtures("no_namespaces")
def test_orphans_of_a_dead_pool_are_killed(tmp_path: Path) -> None:
    """What the parsers of a killed program left behind is ended by the next pool; what a living one owns is not."""
    sleeper = ["/bin/sleep", "300"]
    dead = subprocess.run(["/bin/sh", "-c", "echo $$"], capture_output=True, text=True, check=True).stdout.strip()
    orphan = subprocess.Popen(sleeper, env={"INGEST_TUI_PARSER": f"{dead}.1.00"})
    owned = subprocess.Popen(sleeper, env={"INGEST_TUI_PARSER": sandbox_orphans.new_mark()})
    try:
        with ParserPool(1) as pool:
            desk = Desk(tmp_path, pool)
            desk.submit("a", "x")
            pool.drain()
        assert wait_until(lambda: orphan.poll() is not None)
        assert owned.poll() is None
    finally:
        for process in (orphan, owned):
            process.kill()
            process.wait()


VALIDATORS = """
from ingest_tui.model.extraction import Finding

def check(content, kind):
    if b"boom" in content:
        raise RuntimeError("inside the validator")
    return [Finding("error", "house_rule", f"{kind.name} of {len(content)} bytes")]
"""


def test_installed_validators_run_in_the_parser(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A validator that a package names as an entry point runs in the parser processes; failing there costs little."""
    package = tmp_path / "package"
    (package / "house_rules-1.dist-info").mkdir(parents=True)
    (package / "house_rules-1.dist-info" / "METADATA").write_text("Name: house-rules\nVersion: 1\n")
    (package / "house_rules-1.dist-info" / "entry_points.txt").write_text(
        "[ingest_tui.validators]\ntext = house_rules:check\npfd = house_rules:check\n* = house_rules:missing\n"
    )
    (package / "house_rules.py").write_text(VALIDATORS)
    monkeypatch.syspath_prepend(str(package))
    installed_validators.cache_clear()
    try:
        assert installed_validators() == (("*", "house_rules:missing"), ("text", "house_rules:check"))
        with ParserPool(1) as pool:
            desk = Desk(tmp_path, pool)
            desk.submit("a", "words")
            desk.submit("b", "boom")
            desk.submit("c", "# head", file_name="c.md")
            pool.drain()
    finally:
        installed_validators.cache_clear()
    assert {outcome for outcome, _ in desk.reasons().values()} == {"parsed"}
    codes = {name: [finding.code for finding in result.validation] for name, result in desk.results.items()}
    assert codes == {"a": ["house_rule", "validator_failed"], "b": ["validator_failed"] * 2, "c": ["validator_failed"]}
    assert desk.results["a"].validation[0].message == "text of 5 bytes"
    assert "inside the validator" in desk.results["b"].validation[0].message


def test_grandchildren_die_too(tmp_path: Path) -> None:
    """What a hung parser has started is killed with it."""
    note = tmp_path / "pids"
    assert one_bad_of_twenty(tmp_path, f"fork {note}").reason == "timeout"
    pids = [int(word) for word in note.read_text().split()]
    assert len(pids) == 3
    assert wait_until(lambda: not any(is_alive(pid) for pid in pids))


def test_environment_is_clean(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A secret in the environment of the pool is not in that of a parser."""
    monkeypatch.setenv("CANARY_SECRET", "x")
    assert run(tmp_path, {"a": "misbehave:environment CANARY\nfine"}).results["a"].status == "parsed"


def test_network_is_out_of_reach(tmp_path: Path) -> None:
    """Where the kernel allows it, a parser cannot even reach a port of this machine."""
    with socket.create_server(("127.0.0.1", 0)) as server, ParserPool(1, QUICK, test_backend=True) as pool:
        desk = Desk(tmp_path, pool)
        desk.submit("a", f"misbehave:connect {server.getsockname()[1]}\nconnected")
        pool.drain()
        if not pool.network_isolated:
            pytest.skip("this system does not allow network namespaces")
    assert desk.results["a"].status == "failed"


@pytest.fixture(scope="module")
def namespaces_are_allowed() -> bool:
    """Whether this system lets a parser be shut in by the kernel."""
    with ParserPool(1) as pool:
        pool.warm_up()
        assert wait_until(lambda: pool.children_contained is not None, 10)
        return bool(pool.children_contained)


def test_killed_parent_leaves_nobody(tmp_path: Path, namespaces_are_allowed: bool) -> None:
    """When the process that owns the pool is killed, its parsers die within two seconds, and what they started too."""
    program = (
        f"import sys; sys.path[:] = {[entry for entry in sys.path if entry]!r}\n"
        "from ingest_tui.extraction.sandbox import ParserPool\n"
        "from ingest_tui.model.extraction import ParseTask\n"
        "pool = ParserPool(2, test_backend=True)\n"
        f"folder = {str(tmp_path)!r}\n"
        "for name in 'ab': pool.submit(ParseTask(name, f'{folder}/{name}', f'{folder}/{name}.md', 'x.txt', 9), print)\n"
        "pool.drain()\n"
    )
    for name in "ab":
        (tmp_path / name).write_text(f"misbehave:fork {tmp_path / ('pid' + name)}")
    parent = subprocess.Popen([sys.executable, "-c", program])
    notes = [tmp_path / "pida", tmp_path / "pidb"]
    try:
        assert wait_until(lambda: all(note.exists() and len(note.read_text().split()) == 3 for note in notes), 10)
    finally:
        parent.kill()
        parent.wait()
    pids = [[int(word) for word in note.read_text().split()] for note in notes]
    parsers, started_by_them = [one[0] for one in pids], [pid for one in pids for pid in one[1:]]
    try:
        assert wait_until(lambda: not any(map(is_alive, parsers)), 2)
        if namespaces_are_allowed:
            assert wait_until(lambda: not any(map(is_alive, started_by_them)), 2)
    finally:
        for pid in filter(is_alive, started_by_them):
            os.kill(pid, signal.SIGKILL)


def test_processes_are_recycled_after_many_files(tmp_path: Path) -> None:
    """A process is replaced after its number of files, without losing one; small texts count a twentieth."""
    limits = ParseLimits(max_tasks_per_process=2)
    with ParserPool(1, limits, test_backend=True) as pool:
        desk = Desk(tmp_path, pool)
        for number in range(120):
            desk.submit(f"t{number}", f"text {number}")
        pool.drain()
        assert 2 <= pool.processes_started <= 5
    assert set(desk.reasons().values()) == {("parsed", "")}
    assert len(desk.results) == 120


def test_grown_process_is_replaced(tmp_path: Path) -> None:
    """A process that has kept too much memory is replaced before it does harm."""
    limits = ParseLimits(grown_bytes=150 * 1024**2)
    with ParserPool(1, limits, test_backend=True) as pool:
        desk = Desk(tmp_path, pool)
        desk.submit("leak", "misbehave:grow 200\nleaky but parsed")
        pool.drain()
        desk.submit("next", "next")
        pool.drain()
        assert pool.processes_started == 2
    assert desk.reasons() == {"leak": ("parsed", ""), "next": ("parsed", "")}


def test_results_of_one_process_keep_their_order(tmp_path: Path) -> None:
    """With one process small files come back in the order they went in, and most share a process."""
    with ParserPool(1) as pool:
        desk = Desk(tmp_path, pool)
        for number in range(300):
            desk.submit(f"{number}", f"text {number}")
        pool.drain()
        assert pool.processes_started == 1
    assert desk.order == [f"{number}" for number in range(300)]


def test_slow_file_does_not_hold_up_its_pipe(tmp_path: Path) -> None:
    """Files queued behind a slow one are taken back and given to a process that has nothing to do."""
    with ParserPool(2, test_backend=True) as pool:
        desk = Desk(tmp_path, pool)
        pool.warm_up()
        desk.submit("slow", "misbehave:sleep 2.5\nslow")
        for number in range(40):
            desk.submit(f"fast{number}", "fast")
        assert wait_until(lambda: len(desk.results) == 40, 2.2), len(desk.results)
        assert "slow" not in desk.results
        pool.drain()
    assert len(desk.results) == 41


def test_cancel_gives_up_running_and_waiting(tmp_path: Path) -> None:
    """Cancelled tasks have a result each; others that shared their pipe are parsed."""
    with ParserPool(1, test_backend=True) as pool:
        desk = Desk(tmp_path, pool)
        for name, content in (("hang", "misbehave:hang"), ("keep", "kept"), ("drop", "dropped")):
            desk.submit(name, content)
        time.sleep(0.3)
        pool.cancel(["hang", "drop"])
        pool.drain()
    assert desk.reasons() == {"hang": ("failed", "cancelled"), "drop": ("failed", "cancelled"), "keep": ("parsed", "")}


def test_submit_blocks_when_many_wait(tmp_path: Path) -> None:
    """The queue is bounded: a producer waits until the parsers have caught up."""
    with ParserPool(1, test_backend=True, max_waiting=4) as pool:
        desk = Desk(tmp_path, pool)
        desk.submit("slow", "misbehave:sleep 0.6\nslow")
        submitted: list[int] = []

        def produce() -> None:
            for number in range(60):
                desk.submit(f"t{number}", "x")
                submitted.append(number)

        producer = threading.Thread(target=produce)
        producer.start()
        time.sleep(0.35)
        assert len(submitted) < 60
        producer.join(5)
        pool.drain()
    assert len(desk.results) == 61


def test_result_may_submit_more(tmp_path: Path) -> None:
    """A callback may submit the next task, even when the queue is full."""
    with ParserPool(1, max_waiting=1) as pool:
        desk = Desk(tmp_path, pool)
        tasks = [desk.task(f"t{number}", "x") for number in range(5)]

        def then(result: ParseResult) -> None:
            desk.take(result)
            if tasks:
                pool.submit(tasks.pop(), then)

        pool.submit(tasks.pop(), then)
        pool.drain()
    assert len(desk.results) == 5


def test_error_of_a_callback_is_raised_by_close(tmp_path: Path) -> None:
    """An error in a callback loses no result and is not swallowed."""
    pool = ParserPool(1)
    desk = Desk(tmp_path, pool)

    def fail(_result: ParseResult) -> None:
        raise LookupError("broken callback")

    pool.submit(desk.task("a", "x"), fail)
    pool.submit(desk.task("b", "x"), desk.take)
    pool.drain()
    with pytest.raises(LookupError, match="broken callback"):
        pool.close()
    assert desk.reasons() == {"b": ("parsed", "")}


def test_closed_pool_takes_no_tasks(tmp_path: Path) -> None:
    """After close a submit is refused and no process is left."""
    pool = ParserPool(1)
    desk = Desk(tmp_path, pool)
    desk.submit("a", "x")
    pool.close()
    assert desk.reasons() == {"a": ("parsed", "")}
    with pytest.raises(BusyError):
        desk.submit("b", "x")
    pool.close()


def test_closing_with_cancel_is_quick(tmp_path: Path) -> None:
    """Closing with cancel kills what hangs instead of waiting for it."""
    pool = ParserPool(1, test_backend=True)
    desk = Desk(tmp_path, pool)
    desk.submit("a", "misbehave:hang")
    time.sleep(0.2)
    started = time.monotonic()
    pool.close(cancel=True)
    assert time.monotonic() - started < 2
    assert desk.reasons() == {"a": ("failed", "cancelled")}


def test_output_is_private_and_never_overwritten(tmp_path: Path) -> None:
    """The output has mode 0600, and a file or link that is already there is left alone."""
    secret = tmp_path / "secret"
    secret.write_text("keep me")
    (tmp_path / "linked.md").symlink_to(secret)
    with ParserPool(1) as pool:
        desk = Desk(tmp_path, pool)
        desk.submit("linked", "overwrite")
        desk.submit("plain", "text")
        pool.drain()
    assert desk.results["linked"].status == "failed"
    assert secret.read_text() == "keep me"
    assert (tmp_path / "plain.md").stat().st_mode & 0o777 == 0o600


def test_chunks_come_for_small_texts_only(tmp_path: Path) -> None:
    """Chunks cross the pipe below 256 KB; beyond, the caller reads the file."""
    with ParserPool(1) as pool:
        desk = Desk(tmp_path, pool)
        desk.submit("small", "# Head\n\nbody", file_name="a.md")
        desk.submit("large", "word " * 60_000)
        pool.drain()
    assert str(desk.results["small"].chunks) == "[[['Head'], 'body']]"
    assert desk.results["large"].chunks is None
    assert desk.results["large"].text_bytes > 256 * 1024


def test_missing_input_is_an_outcome(tmp_path: Path) -> None:
    """An input that is gone fails its own task with a reason."""
    with ParserPool(1) as pool:
        desk = Desk(tmp_path, pool)
        task = desk.task("gone", "x")
        (tmp_path / "gone.in").unlink()
        pool.submit(task, desk.take)
        pool.drain()
    assert desk.reasons() == {"gone": ("failed", "unreadable")}


@pytest.mark.parametrize(
    ("content", "name", "status", "reason"),
    [
        (b"", "a.txt", "empty", "empty"),
        (b"\x7fELF" + bytes(100), "a.bin", "rejected", "unsupported_type"),
        (b"PK\x03\x04 cut", "a.docx", "failed", "malformed"),
    ],
)
def test_statuses(tmp_path: Path, content: bytes, name: str, status: str, reason: str) -> None:
    """Empty, rejected and failed are told apart, each with its reason and no output file."""
    with ParserPool(1) as pool:
        desk = Desk(tmp_path, pool)
        desk.submit("x", content, file_name=name)
        pool.drain()
    assert desk.reasons() == {"x": (status, reason)}
    assert not (tmp_path / "x.md").exists()


def test_parsers_that_cannot_start_fail_their_tasks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """When no process comes up at all, every task has a result instead of waiting for ever."""
    monkeypatch.setattr("ingest_tui.extraction.sandbox_process._BOOT", "raise SystemExit('no parser here')")
    desk = run(tmp_path, {f"t{number}": "x" for number in range(5)})
    assert set(desk.reasons().values()) == {("failed", "crashed")}
