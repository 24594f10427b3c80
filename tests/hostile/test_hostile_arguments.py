"""Hostile words where a person names things: sources, folders, collections, queries, workspaces, jobs, options."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import pytest

from ingest_tui.cli.worker import reporter
from tests.cli.running import Result
from tests.hostile.hostile_lab import (
    PROBLEM_SOURCES,
    HostileCli,
    assert_ended_well,
    assert_harmless,
    assert_harmless_on_a_terminal,
    snapshot,
)
from tests.hostile.hostile_names import CATEGORIES, FILES, NAMES, HostileName
from tests.waiting import wait_until

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("hostile words")]
Call = tuple[str | bytes | Path, ...]

NAMEABLE = [name for name in NAMES if name.fits_a_command_line]
TELLING = {"long", "escapes", "newlines", "bidirectional", "markup", "not utf-8"}
FOLDER_NAMES = [name for name in FILES if b"/" not in name.raw and name.category in TELLING]


def a_few(names: list[HostileName], of_each: int) -> list[HostileName]:
    """Return the first names of each category."""
    chosen = []
    for category in CATEGORIES:
        chosen += [name for name in names if name.category == category][:of_each]
    return chosen


def calls_with(word: bytes) -> list[Call]:
    """Return calls that name something which is not there, or is no value. In some the word may happen to be one."""
    place = b"nowhere/x" + word
    return [
        ("source", "show", "--", word), ("source", "test", "--", word), ("source", "enable", "--", word),
        ("source", "remove", "--yes", "--", word), ("source", "remove", "--", word),
        ("source", "add", "--", word, "new"), ("source", "add", "local", "new", "--path", place),
        ("source", "edit", "docs", "--backend", word), ("source", "edit", "docs", "--backend-for", word),
        ("source", "edit", "docs", "--collection", word), ("source", "edit", "docs", "--max-size", word),
        ("plan", "--", word), ("sync", "--", word), ("job", "show", "--", word), ("job", "cancel", "--", word),
        ("job", "retry", "--", word), ("status", "--", word), ("job", "list", "--source", word),
        ("job", "list", "--state", word), ("doc", "list", "--collection", word), ("doc", "list", "--source", word),
        ("doc", "list", "--contains", word), ("doc", "list", "--limit", word), ("doc", "show", "--", place),
        ("doc", "explain", "--", place), ("doc", "remove", "--", place), ("doc", "restore", "--", place),
        ("search", "--", word), ("search", "--collection", word, "payload"), ("upload", "--", place),
        ("export", "--source", word), ("export", "--collection", word), ("export", "--to", place),
        ("export", "--format", word), ("doc", "export", "--", place), ("--workspace", place, "doc", "list"),
        *([(word,)] if word != b"--help" else []),
    ]  # fmt: skip


def in_json(call: Call) -> Call:
    """Return a call that asks for JSON."""
    options = [place for place, part in enumerate(call) if isinstance(part, str) and part.startswith("-")]
    place = options[0] if options and options[0] else len(call)
    return (*call[:place], "--json", *call[place:])


def make_with(cli: HostileCli, words: list[bytes]) -> None:
    """Make all calls with each word, as text and as JSON; each ends harmlessly, both ways with the same code."""
    calls = [call for word in words for call in calls_with(word)]
    results = cli.run_each(*calls, *map(in_json, calls), code=None)
    for call, text, record in zip(calls, results, results[len(calls) :], strict=False):
        assert_ended_well(text)
        assert_ended_well(record)
        assert text.code == record.code, (call, text, record)
        assert record.code == 0 or _complaint(record), (call, record)


def _complaint(record: Result) -> str:
    """Return what a call says of its failure: its error, or that of the job that it ran; `last` names one."""
    if record.err:
        return str(record.error["message"])
    return " ".join(error["message"] for error in json.loads(record.out)["errors"])


def test_errors_quote_hostile_words_harmlessly(another: HostileCli) -> None:
    """What a person pastes into any call comes back harmless, as text and as JSON, and changes nothing outside."""
    before = another.outside()
    make_with(another, [name.raw for name in a_few(NAMEABLE, 1)])
    assert another.outside() == before


@pytest.mark.slow
@pytest.mark.parametrize("part", range(8))
def test_errors_quote_every_word_harmlessly(another: HostileCli, part: int) -> None:
    """The same for every name of the catalogue that an argument can be."""
    before = another.outside()
    words = [name.raw for name in NAMEABLE][part::8]
    for start in range(0, len(words), 12):
        make_with(another, words[start : start + 12])
    assert another.outside() == before


def test_errors_are_harmless_on_a_terminal(another: HostileCli) -> None:
    """Errors, warnings and questions on a terminal hold nothing but text and our own colours."""
    words = [name.raw for name in NAMEABLE if name.category in {"escapes", "newlines", "not utf-8"}][::8]
    codes, stream = another.run_each_on_a_terminal(*(call for word in words for call in calls_with(word)))
    assert_harmless_on_a_terminal(stream)
    assert set(codes) == {0, 1, 2, 4}


def test_every_word_can_be_searched_for(hostile: HostileCli) -> None:
    """A query of any sign is answered, or refused because there is no word in it."""
    asked = [name for name in NAMEABLE if len(name.raw) < 6000]
    for name, result in zip(
        asked, hostile.run_each(*(("search", "--", name.raw) for name in asked), code=None), strict=True
    ):
        assert_ended_well(result)
        assert result.code in {0, 2}, (name, result)
        assert result.out or "the query has no word" in result.err


def test_sources_and_collections_of_hostile_names(another: HostileCli) -> None:
    """A source or collection gets a plain identifier whatever it is called, or is refused in words."""
    before = another.outside()
    words = [name.raw for name in NAMEABLE][::16]
    made = another.run_each(
        *(("source", "add", "hostile", "--", word) for word in words),
        *(("collection", "add", b"--description=" + word, "--", word) for word in words),
        code=None,
    )
    for result in made:
        assert_ended_well(result)
        assert result.code in {0, 2}, result
        assert "hint: " in result.err or not result.code
    assert sum(not result.code for result in made) > len(words) / 2
    for result in another.run_each(
        ("source", "list"), ("source", "list", "--json"), ("collection", "list"), ("audit",)
    ):
        assert_ended_well(result)
    for folder in ("sources", "collections"):
        for path in (another.workspace / folder).iterdir():
            assert path.suffix == ".json"
            assert path.name.isascii()
            assert_harmless(path.read_text(encoding="utf-8"))
    assert another.outside() == before


def test_sources_in_hostile_folders(another: HostileCli, tmp_path: Path) -> None:
    """A folder of any name can be a source and is listed and synced, or is refused because it is not UTF-8."""
    folders = [os.fsencode(tmp_path) + b"/" + name.raw for name in a_few(FOLDER_NAMES, 1)]
    for number, folder in enumerate(folders):
        Path(os.fsdecode(folder)).mkdir()
        Path(os.fsdecode(folder + b"/a.txt")).write_text(f"folder number{number}")
    added = another.run_each(
        *(("source", "add", "local", f"folder{number}", "--path", folder) for number, folder in enumerate(folders)),
        code=None,
    )
    taken = [f"folder{number}" for number, result in enumerate(added) if not result.code]
    for folder, result in zip(folders, added, strict=True):
        assert_ended_well(result)
        assert result.code == 0 or (result.code == 2 and "UTF-8" in result.err and not _is_utf8(folder)), result
    (synced,) = another.run_each(("sync", *taken))
    assert_ended_well(synced)
    assert synced.out.count("1 ingested") == len(taken) == len(folders) - 1
    for result in another.run_each(("source", "list"), *(("source", "show", name, "--json") for name in taken)):
        assert_ended_well(result)


def _is_utf8(path: bytes) -> bool:
    try:
        path.decode()
    except UnicodeDecodeError:
        return False
    return True


def test_workspaces_in_hostile_folders(hostile: HostileCli, tmp_path: Path) -> None:
    """A workspace can be in a folder of any name, or that is refused in words; nothing appears next to it."""
    for name in a_few(FOLDER_NAMES, 1):
        place = Path(os.fsdecode(os.fsencode(tmp_path) + b"/" + name.raw))
        made, *others = hostile.run_each(
            ("--workspace", place, "init"),
            ("--workspace", place, "source", "add", "hostile", "take"),
            ("--workspace", place, "plan", "take"),
            ("--workspace", place, "doc", "list"),
            ("--workspace", place, "doctor"),
            ("--workspace", place, "audit", "--json"),
            code=None,
        )
        for result in (made, *others):
            assert_ended_well(result)
        if _is_utf8(name.raw):
            assert [result.code for result in (made, *others)] == [0] * 6, (name, made, others)
        else:
            assert made.code == 2, made
            assert "UTF-8" in made.err
        assert {path for path in snapshot(tmp_path, without=[place]) if path != os.fsencode(place)} == set()
        shutil.rmtree(place, ignore_errors=True)


@pytest.mark.parametrize("log_format", ["text", "json"])
def test_the_log_of_a_worker_is_harmless(another: HostileCli, log_format: str) -> None:
    """A worker that runs into all the trouble there is writes harmless lines, each of its own."""
    queued = another.run_each(*(("sync", name, "--detach", "--json") for name in ("docs", *PROBLEM_SOURCES)))
    ids = {result.json["job_id"] for result in queued}
    worker = another.start("--log-format", log_format, "--watch")
    wait_until(
        lambda: not any((another.workspace / "queue" / job_id).exists() for job_id in ids), what="all jobs ended"
    )
    assert another.end(worker) == 0
    told = another.output_of(worker)
    assert_harmless(told)
    assert len([line for line in told.splitlines() if "job started" in line]) == len(ids)
    if log_format == "json":
        assert all(json.loads(line)["at"] for line in told.splitlines())


@pytest.mark.parametrize("log_format", ["text", "json"])
def test_what_a_worker_reports_is_harmless(log_format: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Errors that quote any name, also one that is no Unicode, become one harmless line each."""
    report = reporter(log_format)
    for name in NAMES:
        report("the queue cannot be read", {"error": os.fsdecode(name.raw), "source": name.key})
    told = capsys.readouterr().err
    assert_harmless(told)
    assert len(told.splitlines()) == len(NAMES)
