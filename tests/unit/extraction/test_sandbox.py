"""The parser pool: what bad files cost, and whom."""

from __future__ import annotations

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

from ingest_tui.extraction.sandbox import ParserPool
from ingest_tui.model.errors import BusyError
from ingest_tui.model.extraction import ParseLimits, ParseResult, ParseTask

QUICK = ParseLimits(silence_seconds=1.0, total_seconds=3.0)


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
    assert parsed - {"bad"} == set(contents)
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


def test_grandchildren_die_too(tmp_path: Path) -> None:
    """What a hung parser has started is killed with it."""
    note = tmp_path / "pids"
    assert one_bad_of_twenty(tmp_path, f"fork {note}").reason == "timeout"
    pids = [int(word) for word in note.read_text().split()]
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


def test_killed_parent_leaves_nobody(tmp_path: Path) -> None:
    """When the process that owns the pool is killed, its parsers die with it, even hung ones."""
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
        assert wait_until(lambda: all(note.exists() and len(note.read_text().split()) == 2 for note in notes), 10)
    finally:
        parent.kill()
        parent.wait()
    pids = [[int(word) for word in note.read_text().split()] for note in notes]
    try:
        assert wait_until(lambda: not any(is_alive(parser) for parser, _grandchild in pids))
    finally:
        for _parser, grandchild in pids:
            if is_alive(grandchild):
                os.kill(grandchild, signal.SIGKILL)


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
