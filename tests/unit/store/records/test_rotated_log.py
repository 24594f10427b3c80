"""Logs that are put aside when they have grown: offsets stay, followers lose nothing, the oldest goes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from ingest_tui.store.records.job_log import JobLog, read_log
from ingest_tui.store.records.rotated_log import LogLimit, files_of, lines_from, log_end, put_aside

LIMIT = LogLimit(400, 3)


def numbers(path: Path, offset: int = 0) -> list[int]:
    return [record["number"] for record, _end in read_log(path, offset)]


def write(path: Path, numbers_to_write: range, limit: LogLimit | None = LIMIT) -> None:
    log = JobLog(path, limit, job="j")
    for number in numbers_to_write:
        log.event("info", "words", number=number)
    log.close()


def test_the_newest_files_are_kept(tmp_path: Path) -> None:
    """Each file is about as large as the limit; of the whole log the last lines are there, without a gap."""
    path = tmp_path / "log.jsonl"
    write(path, range(100))
    assert len(files_of(path)) == LIMIT.files
    assert all(LIMIT.size <= one.stat().st_size < 2 * LIMIT.size for one in files_of(path)[:-1])
    assert all(one.stat().st_mode & 0o777 == 0o600 for one in files_of(path))
    kept = numbers(path)
    assert kept == list(range(kept[0], 100))
    assert 0 < kept[0] < 95


def test_an_offset_means_the_same_line_for_ever(tmp_path: Path) -> None:
    """Whoever continues from the offset behind a line gets the next one, whatever was put aside meanwhile."""
    path = tmp_path / "log.jsonl"
    seen, offset = [], 0
    for number in range(60):
        write(path, range(number, number + 1))
        for record, end in read_log(path, offset):
            seen.append(record["number"])
            offset = end
    assert seen == list(range(60))
    assert offset == log_end(path)
    assert numbers(path, offset) == []


def test_what_was_deleted_is_skipped(tmp_path: Path) -> None:
    """A follower that was away too long continues with the oldest line that is there."""
    path = tmp_path / "log.jsonl"
    write(path, range(2))
    [*_, (_line, offset)] = lines_from(path, 0)
    write(path, range(2, 100))
    assert numbers(path, offset) == numbers(path, 0)
    assert numbers(path, 0)[-1] == 99


def test_other_files_are_no_part_of_a_log(tmp_path: Path) -> None:
    """Names that only look like one are left alone."""
    path = tmp_path / "log.jsonl"
    for name in ("log.1.jsonl", "log.00000000000000a.jsonl", "log.000000000000001.json", "xlog.000000000000001.jsonl"):
        (tmp_path / name).write_text("{}\n")
    write(path, range(50))
    assert len(files_of(path)) == LIMIT.files
    assert len(list(tmp_path.iterdir())) == LIMIT.files + 4


def test_one_file_may_be_all_that_is_kept(tmp_path: Path) -> None:
    """With a limit of one file the log begins anew."""
    path = tmp_path / "log.jsonl"
    path.write_text("x\n")
    put_aside(path, LogLimit(1, 1))
    assert files_of(path) == []


@pytest.mark.slow
def test_a_process_puts_its_own_log_aside(tmp_path: Path) -> None:
    """Standard error goes on in the new file, also what others write to the descriptor; another file is left alone."""
    program = (
        "import os, sys; from pathlib import Path\n"
        "from ingest_tui.cli.worker import reporter\n"
        "from ingest_tui.store.records.own_log import OwnLog\n"
        "from ingest_tui.store.records.rotated_log import LogLimit\n"
        "report = reporter('json', OwnLog(Path(sys.argv[1]), LogLimit(500, 4)))\n"
        "for number in range(30): report('words', {'number': number})\n"
        "os.write(2, b'the last of stderr\\n'); os.write(1, b'and of stdout\\n')\n"
    )
    path = tmp_path / "worker.log"
    with path.open("ab") as log:
        environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
        for named in (path, tmp_path / "other.log"):
            command = [sys.executable, "-c", program, str(named)]
            subprocess.run(command, stdout=log, stderr=log, env=environment, check=True)
            log.seek(0)
    assert len(files_of(path)) == 4
    lines = [line.decode() for line, _end in lines_from(path, 0)]
    assert [json.loads(line)["number"] for line in lines if line.startswith("{")][-1] == 29
    assert lines[-2:] == ["the last of stderr\n", "and of stdout\n"]


def test_a_log_is_read_while_it_is_put_aside(tmp_path: Path) -> None:
    """Whenever a reader looks, it sees each line once, in order."""
    path, lines = tmp_path / "log.jsonl", 1500
    writing = threading.Thread(target=write, args=(path, range(lines), LogLimit(200, lines)))
    writing.start()
    seen, offset = [], 0
    while True:
        is_last = not writing.is_alive()
        for record, end in read_log(path, offset):
            seen.append(record["number"])
            offset = end
        if is_last:
            break
    writing.join()
    assert seen == list(range(lines))
