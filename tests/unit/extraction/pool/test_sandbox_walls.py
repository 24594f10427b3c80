"""What bad files and bad parsers cost: themselves."""

from __future__ import annotations

import errno
import json
import logging
import os
import signal
import socket
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ingest_tui.extraction.parse import extract
from ingest_tui.extraction.pool import child as sandbox_child
from ingest_tui.extraction.pool import orphans as sandbox_orphans
from ingest_tui.extraction.pool import process as sandbox_process
from ingest_tui.extraction.pool.confinement import Confinement
from ingest_tui.extraction.pool.pool import ParserPool
from ingest_tui.extraction.validators.registered import installed_validators
from ingest_tui.model.extraction import Extraction
from ingest_tui.model.parse_limits import ParseLimits
from tests.unit.extraction.misbehaving import MISBEHAVING
from tests.unit.extraction.parser_desk import (
    LOADED_MACHINE_SECONDS,
    QUICK,
    Desk,
    is_alive,
    known_walls,
    one_bad_of_twenty,
    run,
)
from tests.waiting import wait_until


def test_crash_costs_one_file(tmp_path: Path) -> None:
    """A segmentation fault fails its own file as crashed and no other."""
    bad = one_bad_of_twenty(tmp_path, "segfault")
    assert (bad.status, bad.reason) == ("failed", "crashed")
    assert "SIGSEGV" in bad.detail


@pytest.mark.slow
def test_memory_of_the_worker_is_not_taken_for_a_crashed_parsers(tmp_path: Path) -> None:
    """A crash is a crash even where the process that started the parser has used as much memory as a parser may."""
    limits = replace(QUICK, memory_bytes=512 * 1024**2)
    used = b"x" * (limits.memory_bytes // 2)
    assert one_bad_of_twenty(tmp_path, "segfault", limits).reason == "crashed"
    assert len(used) * 2 == limits.memory_bytes


@pytest.mark.slow
def test_memory_of_a_parser_is_seen_in_a_worker_that_had_more(tmp_path: Path) -> None:
    """A crash with much memory is one of memory, also where the process that started the parser had more."""
    limits = replace(QUICK, silence_seconds=20.0, total_seconds=30.0, memory_bytes=512 * 1024**2)
    used = b"x" * limits.memory_bytes
    assert one_bad_of_twenty(tmp_path, "grow-and-segfault 250", limits).reason == "memory"
    assert len(used) == limits.memory_bytes


def test_silent_exit_costs_one_file(tmp_path: Path) -> None:
    """A parser that ends its process without a word is a crash of that file."""
    assert one_bad_of_twenty(tmp_path, "leave 0").reason == "crashed"


@pytest.mark.slow
def test_hang_is_killed_after_silence(tmp_path: Path) -> None:
    """A hang that ignores SIGTERM is ended after the silence limit, and only it."""
    started = time.monotonic()
    bad = one_bad_of_twenty(tmp_path, "hang")
    assert (bad.status, bad.reason) == ("failed", "timeout")
    assert "no progress" in bad.detail
    assert 0.9 < time.monotonic() - started < 4


@pytest.mark.slow
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
    with ParserPool(2, limits, parser=MISBEHAVING) as pool:
        desk = Desk(tmp_path, pool)
        pool.warm_up()
        desk.submit("warm", "x")
        pool.drain()
        started = time.monotonic()
        desk.submit("bad", f"misbehave:{order.format(note=tmp_path / 'pids')}")
        for number in range(19):
            desk.submit(f"good{number}", "good text")
        wait_until(lambda: len(desk.results) == 20, seconds=limit_seconds * 0.9)
        assert "bad" not in desk.results
        pool.drain()
        took = time.monotonic() - started
    assert desk.results["bad"].reason == "timeout"
    assert limit_seconds <= took <= limit_seconds + 1 + LOADED_MACHINE_SECONDS


@pytest.mark.slow
def test_progress_keeps_a_slow_file_alive(tmp_path: Path) -> None:
    """A file that takes longer than the silence limit is parsed as long as it makes progress."""
    assert one_bad_of_twenty(tmp_path, "crawl 1.5\nslow but sure").status == "parsed"


@pytest.mark.slow
def test_endless_progress_meets_the_total_limit(tmp_path: Path) -> None:
    """Progress without end is ended after the total limit."""
    bad = one_bad_of_twenty(tmp_path, "crawl", ParseLimits(silence_seconds=1.0, total_seconds=1.2))
    assert bad.reason == "timeout"
    assert "not finished" in bad.detail


def test_limits_of_one_task_win(tmp_path: Path) -> None:
    """A task may bring its own time limits."""
    with ParserPool(1, parser=MISBEHAVING) as pool:
        desk = Desk(tmp_path, pool)
        desk.submit("bad", "misbehave:hang", limits=ParseLimits(silence_seconds=0.4))
        pool.drain()
    assert desk.results["bad"].reason == "timeout"


@pytest.mark.slow
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


@pytest.mark.slow
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
    with ParserPool(1, QUICK, parser=MISBEHAVING) as pool:
        desk = Desk(tmp_path, pool)
        for name in ("first", "bad", "last"):  # sent together, numbered from 1
            desk.submit(name, f"misbehave:forge {line}" if name == "bad" else "good text")
        pool.drain()
    assert desk.reasons() == {"first": ("parsed", ""), "bad": ("failed", "crashed"), "last": ("parsed", "")}


@pytest.mark.parametrize("seq", [1, 2, 7])
def test_a_result_of_a_task_that_nobody_sent_costs_its_forger(tmp_path: Path, seq: int) -> None:
    """A parser that answers for itself or for a task that its process does not have is ended, also when it is alone."""
    with ParserPool(1, QUICK, parser=MISBEHAVING) as pool:
        desk = Desk(tmp_path, pool)
        desk.submit("bad", f'misbehave:forge {{"seq": {seq}, "result": {{}}}}')
        pool.drain()
    assert desk.reasons() == {"bad": ("failed", "crashed")}


def test_nothing_more_is_tried_in_a_spent_process(tmp_path: Path) -> None:
    """What is in the pipe behind a file that used up all descriptors goes back unopened."""
    with ParserPool(1, QUICK, parser=MISBEHAVING) as pool:
        desk = Desk(tmp_path, pool)
        pool.warm_up()
        desk.submit("wait", "misbehave:sleep 0.3\nslow")
        desk.submit("bad", "misbehave:open-files")
        for number in range(20):
            desk.submit(f"good{number}", "good text")
        pool.drain()
    assert {name for name, outcome in desk.reasons().items() if outcome != ("parsed", "")} == {"bad"}
    assert desk.results["bad"].reason == "unreadable"


def test_leaked_files_cost_nobody_else(tmp_path: Path) -> None:
    """A process in which a parser has left files open is replaced, also when that parser was content."""
    with ParserPool(1, QUICK, parser=MISBEHAVING) as pool:
        desk = Desk(tmp_path, pool)
        desk.submit("leak", "misbehave:leak-files 200\nleaky but parsed")
        pool.drain()
        desk.submit("next", "next")
        pool.drain()
        assert pool.processes_started == 2
    assert desk.reasons() == {"leak": ("parsed", ""), "next": ("parsed", "")}


@pytest.mark.slow
def test_flood_without_a_line_end_is_stopped(tmp_path: Path) -> None:
    """A parser that writes into the pipe without end is ended long before memory is."""
    bad = one_bad_of_twenty(tmp_path, "flood", ParseLimits(silence_seconds=5.0))
    assert bad.reason in ("crashed", "timeout")


def test_reading_a_flood_comes_to_an_end() -> None:
    """What a parser writes without end is read a stretch at a time, and is soon no line any more."""
    process = sandbox_process.ParserProcess.start(QUICK, parser=MISBEHAVING)
    genuine, process.stdout_fd = process.stdout_fd, os.open("/dev/zero", os.O_RDONLY)
    try:
        assert process.read_lines() == []
        with pytest.raises(ValueError, match="line without an end"):
            list(iter(process.read_lines, None))
    finally:
        os.close(process.stdout_fd)
        process.stdout_fd = genuine
        process.kill("cancelled", "enough")
        process.bury()


def test_a_parser_is_shut_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its limits are set for good, it leads a group of its own, dumps no core, and its environment is not ours."""
    monkeypatch.setenv("CANARY_SECRET", "x")
    limits = ParseLimits(memory_bytes=1024**3, file_size_bytes=1024**2, open_files=64)
    with ParserPool(1, limits, parser=MISBEHAVING) as pool:
        desk = Desk(tmp_path, pool)
        desk.submit("a", f"misbehave:report {tmp_path / 'told'}\nfine")
        pool.drain()
        walls = known_walls(pool)
        contained = walls.children_contained
        assert contained is walls.network_isolated
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
    assert sorted(name.rpartition("/")[2] for name in told["descriptors"] if name) == [
        *("null", "null", "pipe", "pipe", "pipe", "statm")
    ]
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
    """No space for the text is distinguished from other trouble with the disk, and what was written is removed."""
    source = tmp_path / "a.txt"
    source.write_text("words")
    target = tmp_path / "a.md"

    def full(_descriptor: int, _data: object) -> int:
        raise OSError(number, os.strerror(number))

    task: dict[str, Any] = {"task_id": "a", "input_path": str(source), "output_path": str(target), "file_name": "a.txt"}
    task |= {"backend": None, "backends_by_type": None}
    with monkeypatch.context() as patched:
        patched.setattr("ingest_tui.extraction.pool.child.os.write", full)
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


def test_disk_that_refuses_a_parsers_folder_is_said_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """The pool raises what the disk said to whoever closes it, and logs no traceback beside."""

    def full(_self: Confinement, _mark: str) -> str:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(Confinement, "make_folder", full)
    walls = Confinement((str(tmp_path),), str(tmp_path / "parsers"))

    def run_one() -> None:
        with ParserPool(1, confinement=walls) as pool:
            Desk(tmp_path, pool).submit("a", "words")
            pool.drain()

    with pytest.raises(OSError, match="No space left"):
        run_one()
    assert [record.message for record in caplog.records if record.levelno > logging.DEBUG] == []


@pytest.fixture
def no_namespaces(monkeypatch: pytest.MonkeyPatch) -> None:
    """A system that lets nobody make namespaces, as many containers."""
    monkeypatch.setattr(sandbox_process, "_USES_NAMESPACES", False)


@pytest.mark.slow
@pytest.mark.usefixtures("no_namespaces")
def test_grandchildren_die_where_the_kernel_does_not_help(tmp_path: Path) -> None:
    """Without namespaces too, what a hung parser has started is killed with it, even in a session of its own."""
    note = tmp_path / "pids"
    with ParserPool(1, QUICK, parser=MISBEHAVING) as pool:
        desk = Desk(tmp_path, pool)
        desk.submit("bad", f"misbehave:fork {note}")
        pool.drain()
        assert known_walls(pool).children_contained is False
    assert desk.results["bad"].reason == "timeout"
    pids = [int(word) for word in note.read_text().split()]
    assert len(pids) == 3
    wait_until(lambda: not any(is_alive(pid) for pid in pids))


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
        wait_until(lambda: orphan.poll() is not None)
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
    if b"interrupt" in content:
        raise KeyboardInterrupt
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
            desk.submit("d", "interrupt")
            pool.drain()
    finally:
        installed_validators.cache_clear()
    assert {outcome for outcome, _ in desk.reasons().values()} == {"parsed"}
    codes = {name: [finding.code for finding in result.validation] for name, result in desk.results.items()}
    failed = "validator_failed"
    assert codes == {"a": ["house_rule", failed], "b": [failed, failed], "c": [failed], "d": [failed, failed]}
    assert desk.results["a"].validation[0].message == "text of 5 bytes"
    assert "inside the validator" in desk.results["b"].validation[0].message


@pytest.mark.slow
def test_grandchildren_die_too(tmp_path: Path) -> None:
    """What a hung parser has started is killed with it."""
    note = tmp_path / "pids"
    assert one_bad_of_twenty(tmp_path, f"fork {note}").reason == "timeout"
    pids = [int(word) for word in note.read_text().split()]
    assert len(pids) == 3
    wait_until(lambda: not any(is_alive(pid) for pid in pids))


def test_environment_is_clean(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A secret in the environment of the pool is not in that of a parser."""
    monkeypatch.setenv("CANARY_SECRET", "x")
    assert run(tmp_path, {"a": "misbehave:environment CANARY\nfine"}).results["a"].status == "parsed"


def test_network_is_out_of_reach(tmp_path: Path) -> None:
    """Where the kernel allows it, a parser cannot even reach a port of this machine."""
    with socket.create_server(("127.0.0.1", 0)) as server, ParserPool(1, QUICK, parser=MISBEHAVING) as pool:
        desk = Desk(tmp_path, pool)
        desk.submit("a", f"misbehave:connect {server.getsockname()[1]}\nconnected")
        pool.drain()
        if not known_walls(pool).network_isolated:
            pytest.skip("this system does not allow network namespaces")
    assert desk.results["a"].status == "failed"


@pytest.fixture(scope="module")
def namespaces_are_allowed() -> bool:
    """Whether this system lets a parser be shut in by the kernel."""
    with ParserPool(1) as pool:
        return known_walls(pool).children_contained


@pytest.mark.slow
def test_killed_parent_leaves_nobody(tmp_path: Path, namespaces_are_allowed: bool) -> None:
    """When the process that owns the pool is killed, its parsers die within two seconds, and what they started too."""
    program = (
        f"import sys; sys.path[:] = {[entry for entry in sys.path if entry]!r}\n"
        "from ingest_tui.extraction.pool.pool import ParserPool\n"
        "from ingest_tui.model.extraction import ParseTask\n"
        f"pool = ParserPool(2, parser={MISBEHAVING!r})\n"
        f"folder = {str(tmp_path)!r}\n"
        "for name in 'ab': pool.submit(ParseTask(name, f'{folder}/{name}', f'{folder}/{name}.md', 'x.txt', 9), print)\n"
        "pool.drain()\n"
    )
    for name in "ab":
        (tmp_path / name).write_text(f"misbehave:fork {tmp_path / ('pid' + name)}")
    parent = subprocess.Popen([sys.executable, "-c", program])
    notes = [tmp_path / "pida", tmp_path / "pidb"]
    try:
        wait_until(lambda: all(note.exists() and len(note.read_text().split()) == 3 for note in notes), seconds=10)
    finally:
        parent.kill()
        parent.wait()
    pids = [[int(word) for word in note.read_text().split()] for note in notes]
    parsers, started_by_them = [one[0] for one in pids], [pid for one in pids for pid in one[1:]]
    try:
        wait_until(lambda: not any(map(is_alive, parsers)), seconds=2)
        if namespaces_are_allowed:
            wait_until(lambda: not any(map(is_alive, started_by_them)), seconds=2)
    finally:
        for pid in filter(is_alive, started_by_them):
            os.kill(pid, signal.SIGKILL)
