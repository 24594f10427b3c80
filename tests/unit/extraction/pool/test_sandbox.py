"""The parser pool: sharing out, recycling, cancelling, results."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from ingest_tui.extraction.pool import child
from ingest_tui.extraction.pool.pool import ParserPool
from ingest_tui.model.chunk_words import ChunkWords
from ingest_tui.model.chunking import TextChunk
from ingest_tui.model.errors import BusyError
from ingest_tui.model.extraction import ParseResult, ParseTask
from ingest_tui.model.hashing import compute_content_hash
from ingest_tui.model.parse_limits import ParseLimits
from tests.unit.extraction.misbehaving import MISBEHAVING
from tests.unit.extraction.parser_desk import QUICK, Desk, is_alive, run
from tests.waiting import wait_until


@pytest.mark.slow
def test_processes_are_recycled_after_many_files(tmp_path: Path) -> None:
    """A process is replaced after its number of files, without losing one; small texts count a twentieth."""
    limits = ParseLimits(max_tasks_per_process=2)
    with ParserPool(1, limits, parser=MISBEHAVING) as pool:
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
    with ParserPool(1, limits, parser=MISBEHAVING) as pool:
        desk = Desk(tmp_path, pool)
        desk.submit("leak", "misbehave:grow 200\nleaky but parsed")
        pool.drain()
        desk.submit("next", "next")
        pool.drain()
        assert pool.processes_started == 2
    assert desk.reasons() == {"leak": ("parsed", ""), "next": ("parsed", "")}


def test_little_work_starts_one_process(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A few small files are left to the process that is there: a second one would cost more than they do."""
    monkeypatch.setattr("ingest_tui.extraction.pool.dispatcher._START_SECONDS", float("inf"))
    with ParserPool(2, parser=MISBEHAVING) as pool:
        desk = Desk(tmp_path, pool)
        for number in range(20):
            desk.submit(f"{number}", f"text {number}")
        pool.drain()
        assert pool.processes_started == 1
    assert set(desk.reasons().values()) == {("parsed", "")}


@pytest.mark.parametrize(("seconds", "text"), [(0.25, "fine"), (float("inf"), "fine " * 200_000)])
def test_what_waits_gets_a_process_of_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seconds: float, text: str
) -> None:
    """A second process starts where the first one takes long, and at once where there is much to do."""
    monkeypatch.setattr("ingest_tui.extraction.pool.dispatcher._START_SECONDS", seconds)
    with ParserPool(2, parser=MISBEHAVING) as pool:
        desk = Desk(tmp_path, pool)
        desk.submit("slow", f"misbehave:crawl\n{text}")
        desk.submit("next", text)
        wait_until(lambda: "next" in desk.results)
        assert "slow" not in desk.results
        pool.cancel(["slow"], wait=True)
    assert desk.reasons()["next"] == ("parsed", "")


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
    with ParserPool(2, parser=MISBEHAVING) as pool:
        desk = Desk(tmp_path, pool)
        pool.warm_up()
        desk.submit("slow", "misbehave:sleep 2.5\nslow")
        for number in range(40):
            desk.submit(f"fast{number}", "fast")
        wait_until(lambda: len(desk.results) == 40, seconds=2.2)
        assert "slow" not in desk.results
        pool.drain()
    assert len(desk.results) == 41


def test_cancel_gives_up_running_and_waiting(tmp_path: Path) -> None:
    """Cancelled tasks have a result each; others that shared their pipe are parsed."""
    with ParserPool(1, parser=MISBEHAVING) as pool:
        desk = Desk(tmp_path, pool)
        for name, content in (("hang", "misbehave:hang"), ("keep", "kept"), ("drop", "dropped")):
            desk.submit(name, content)
        wait_until(pool.walls)  # the parser has started
        pool.cancel(["hang", "drop"])
        pool.drain()
    assert desk.reasons() == {"hang": ("failed", "cancelled"), "drop": ("failed", "cancelled"), "keep": ("parsed", "")}


def test_cancel_that_waits_leaves_nobody_who_writes(tmp_path: Path) -> None:
    """After it, tasks of the same names are new ones: the cancel does not reach them, and their files are free."""
    for name, content in (("slow", "misbehave:hang"), ("quick", "words")):
        (tmp_path / name).write_text(content)
    results: list[ParseResult] = []

    def task(name: str) -> ParseTask:
        return ParseTask("job/1", str(tmp_path / name), str(tmp_path / "1.md"), "a.txt", 10)

    with ParserPool(1, ParseLimits(), parser=MISBEHAVING) as pool:
        for _ in range(3):
            pool.submit(task("slow"), results.append)
            pool.cancel(lambda task_id: task_id.startswith("job/"), wait=True)
            pool.submit(task("quick"), results.append)
            pool.drain()
            (tmp_path / "1.md").unlink()
    assert [(result.status, result.reason) for result in results] == [("failed", "cancelled"), ("parsed", "")] * 3


def test_submit_blocks_when_many_wait(tmp_path: Path) -> None:
    """The queue is bounded: a producer waits until the parsers have caught up."""
    with ParserPool(1, parser=MISBEHAVING, max_waiting=4) as pool:
        desk = Desk(tmp_path, pool)
        desk.submit("slow", "misbehave:sleep 0.6\nslow")
        unanswered = []
        for number in range(60):
            desk.submit(f"t{number}", "x")
            unanswered.append(number + 1 - len(desk.results))
        pool.drain()
    assert max(unanswered) < 60
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
    pool = ParserPool(1, parser=MISBEHAVING)
    desk = Desk(tmp_path, pool)
    desk.submit("a", "misbehave:hang")
    wait_until(pool.walls)  # the parser has started
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
    assert desk.results["small"].chunks == [
        TextChunk(("Head",), "body", 8, 12, words=ChunkWords("head", "bodi", "body"))
    ]
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
    """Empty, rejected and failed are distinguished, each with its reason and no output file."""
    with ParserPool(1) as pool:
        desk = Desk(tmp_path, pool)
        desk.submit("x", content, file_name=name)
        pool.drain()
    assert desk.reasons() == {"x": (status, reason)}
    assert not (tmp_path / "x.md").exists()


def test_parsers_that_cannot_start_fail_their_tasks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """When no process comes up at all, every task has a result instead of waiting for ever."""
    monkeypatch.setattr("ingest_tui.extraction.pool.process._BOOT", "raise SystemExit('no parser here')")
    desk = run(tmp_path, {f"t{number}": "x" for number in range(5)})
    assert set(desk.reasons().values()) == {("failed", "crashed")}


def test_fewer_processes_run_while_there_is_less_room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Processes that are too many end, what they had is parsed by others, and they come back with the room."""
    monkeypatch.setattr("ingest_tui.extraction.pool.dispatcher._FITTING_SECONDS", 0.0)
    monkeypatch.setattr("ingest_tui.extraction.pool.dispatcher._IDLE_SECONDS", 0.02)
    room = [3]
    with ParserPool(3, QUICK, parser=MISBEHAVING, processes_now=lambda most: min(most, room[0])) as pool:
        desk = Desk(tmp_path, pool)
        pool.warm_up()
        wait_until(lambda: len(pool._dispatcher._processes) == 3)
        room[0] = 0
        wait_until(lambda: len(pool._dispatcher._processes) == 1, what="one is left, however little room there is")
        for number in range(12):
            desk.submit(f"good{number}", f"text {number}")
        pool.drain()
        assert len(pool._dispatcher._serving()) == 1
        room[0] = 2
        wait_until(lambda: len(pool._dispatcher._serving()) == 2)
    assert {reason for reason, _ in desk.reasons().values()} == {"parsed"}
    assert len(desk.results) == 12


def test_pool_says_what_it_parses(tmp_path: Path) -> None:
    """The file at work is named with the process that parses it; once it is done nothing is."""
    with ParserPool(1, parser=MISBEHAVING) as pool:
        desk = Desk(tmp_path, pool)
        started = time.monotonic()
        desk.submit("slow", "misbehave:hang")
        wait_until(lambda: bool(pool.at_work))
        (one,) = pool.at_work
        assert one.task_id == "slow"
        assert is_alive(one.pid)
        assert started <= one.began_at <= time.monotonic()
        pool.cancel(["slow"], wait=True)
        wait_until(lambda: not pool.at_work)


def test_a_large_text_is_written_in_pieces(tmp_path: Path) -> None:
    """What is in the file, its hash and its size are those of the text as one, whatever a piece ends with."""
    text = "é" * (1 << 20) + "日" * (1 << 20) + "x"
    path = tmp_path / "normalized.md"
    written = child._write(str(path), text)
    assert path.read_text(encoding="utf-8") == text
    assert written == (compute_content_hash(text), path.stat().st_size)
