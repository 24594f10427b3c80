"""Limits that follow from the size of a file, and files that suffer from what others left in their process."""

from __future__ import annotations

from pathlib import Path

import pytest

from ingest_tui.extraction.parse import extract
from ingest_tui.extraction.pool.pool import ParserPool
from ingest_tui.model.extraction import ParseResult
from ingest_tui.model.parse_limits import ParseLimits
from tests.made_files import far_off_xls
from tests.made_tables import dbf_of
from tests.unit.extraction.misbehaving import MISBEHAVING
from tests.unit.extraction.parser_desk import Desk

pytestmark = pytest.mark.slow

MEGABYTE = 1024**2
FITTED = ParseLimits(
    base_memory_bytes=192 * MEGABYTE,
    memory_bytes_per_megabyte=256 * MEGABYTE,
    base_cpu_seconds=1.0,
    cpu_seconds_per_megabyte=60.0,
)


def results(folder: Path, limits: ParseLimits, **contents: str | bytes) -> dict[str, ParseResult]:
    """Return the results of files parsed one after the other in one process, while it lives."""
    with ParserPool(1, limits, parser=MISBEHAVING) as pool:
        desk = Desk(folder, pool)
        for task_id, content in contents.items():
            desk.submit(task_id, content)
        pool.drain()
    return desk.results


def test_small_file_has_no_more_processor_time_than_fits_it(tmp_path: Path) -> None:
    """A small file that computes without end is ended by the time of its size; a larger one may take longer."""
    large = "misbehave:burn 1.6\n" + "word " * (MEGABYTE // 5)
    found = results(tmp_path, FITTED, small="misbehave:burn 60\nx", after="misbehave:burn 0.1\nx", large=large)
    assert (found["small"].status, found["small"].reason) == ("failed", "timeout")
    assert "1.0 seconds of processor time, the limit for a file of 0 kB" in found["small"].detail
    assert "parser_base_cpu_seconds" in found["small"].hint
    assert (found["after"].status, found["large"].status) == ("parsed", "parsed")


def test_small_file_has_no_more_memory_than_fits_it(tmp_path: Path) -> None:
    """A small file that wants more than its size explains fails for memory; a larger one may have as much."""
    large = "misbehave:grow 300\n" + "word " * (MEGABYTE // 5)
    found = results(tmp_path, FITTED, small="misbehave:grow 300\nx", large=large, after="x")
    assert (found["small"].status, found["small"].reason) == ("failed", "memory")
    assert "192 MiB of memory that a file of 0 kB may use" in found["small"].detail
    assert "parser_base_memory" in found["small"].hint
    assert (found["after"].status, found["large"].status) == ("parsed", "parsed")


def test_memory_that_others_left_is_not_a_files_own(tmp_path: Path) -> None:
    """What fits a file in a process of its own fits it after a file that kept much, too."""
    large = "misbehave:grow 100\n" + "word " * (MEGABYTE // 5)
    found = results(tmp_path, FITTED, large=large, small="misbehave:grow 100\nx")
    assert (found["large"].status, found["small"].status) == ("parsed", "parsed")


@pytest.mark.parametrize("failure", ["segfault", "run-out-of-memory", "leave"])
def test_failure_that_others_caused_is_not_a_files_own(tmp_path: Path, failure: str) -> None:
    """A file that ends a process, or its memory, is tried again in one that has parsed nothing before."""
    with ParserPool(1, parser=MISBEHAVING) as pool:
        desk = Desk(tmp_path, pool)
        desk.submit("first", "misbehave:leave-a-mark\nfirst")
        desk.submit("second", f"misbehave:stumble {failure}\nsecond")
        desk.submit("third", "third")
        pool.drain()
        assert pool.processes_started == 2
    assert set(desk.reasons().values()) == {("parsed", "")}
    assert (tmp_path / "second.md").read_text().endswith("second")


@pytest.mark.parametrize(("order", "reason"), [("segfault", "crashed"), ("run-out-of-memory", "memory")])
def test_failure_of_its_own_is_tried_twice_and_no_more(tmp_path: Path, order: str, reason: str) -> None:
    """In a process of its own it fails again, for good; the first file of a process is not tried again at all."""
    with ParserPool(1, parser=MISBEHAVING) as pool:
        desk = Desk(tmp_path, pool)
        desk.submit("first", "first")
        desk.submit("bad", f"misbehave:{order}")
        desk.submit("last", "last")
        pool.drain()
        assert pool.processes_started == 3
    assert desk.reasons() == {"first": ("parsed", ""), "bad": ("failed", reason), "last": ("parsed", "")}
    with ParserPool(1, parser=MISBEHAVING) as pool:
        desk = Desk(tmp_path, pool)
        desk.submit("alone", f"misbehave:{order}")
        pool.drain()
        assert pool.processes_started == 1
    assert desk.reasons() == {"alone": ("failed", reason)}


def test_workbook_with_far_off_cells_meets_the_limits_of_its_size(tmp_path: Path) -> None:
    """A workbook of some kilobytes whose sheets span millions of blank cells fails for memory, soon and with a hint."""
    with ParserPool(1) as pool:
        desk = Desk(tmp_path, pool)
        desk.submit("far", far_off_xls(4), file_name="far.xls")
        pool.drain()
    found = desk.results["far"]
    assert (found.status, found.reason) == ("failed", "memory")
    assert "that a file of 6 kB may use" in found.detail


def test_blank_rows_between_cells_are_passed_over() -> None:
    """A sheet with a cell in its last row is its two rows, not all the blank ones between them."""
    text = extract(far_off_xls(1, last_row=20_000, columns=2), file_name="a.xls").markdown
    assert text == "## Sheet1\n\n| Name |  |\n| --- | --- |\n|  | far |\n"


@pytest.mark.parametrize(
    ("file_name", "content"),
    [
        ("a.rtf", rb"{\rtf1 " + rb"{\b word}\par " * 10_000 + b"}"),
        ("a.dbf", dbf_of((("N", "C", 3),), (b" abc",) * 12_000)),
    ],
    ids=["rtf", "dbf"],
)
def test_a_long_file_is_not_taken_for_a_hang(file_name: str, content: bytes) -> None:
    """A format that is read here, token by token, says on the way that it goes on."""
    ticks: list[None] = []
    extract(content, file_name=file_name, tick=lambda: ticks.append(None))
    assert len(ticks) > 2
