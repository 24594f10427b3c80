"""Every command that prints names, on a pipe, in JSON and on a terminal: harmless to look at, and never a crash."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ingest_tui import open_workspace
from tests.cli.running import Result
from tests.hostile.hostile_lab import (
    DOCUMENTED_EXIT_CODES,
    PROBLEM_SOURCES,
    HostileCli,
    assert_ended_well,
    assert_harmless_on_a_terminal,
)
from tests.hostile.hostile_names import FILES, NAMES, SENTINEL

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("hostile names")]
Call = tuple[str | bytes | Path, ...]

ALL_DOCUMENTS: Call = ("doc", "list", "--limit", "9999")
ALL_HITS: Call = ("search", "payload", "--limit", "1000")


def listing_calls(cli: HostileCli) -> list[Call]:
    """Return the calls that print what is in the workspace."""
    calls: list[Call] = [
        ALL_DOCUMENTS, ALL_HITS, ("doc", "list", "--contains", "owned"), ("doc", "list", "--retired"), ("job", "list"),
        ("status", "last"), ("audit",), ("source", "list"), ("collection", "list"), ("doctor",), ("worker", "status"),
        ("job", "items", "last", "--outcome", "failed"), ("job", "items", "last", "--held"), ("export",),
    ]  # fmt: skip
    for job_id in cli.jobs().values():
        calls += [("job", "show", job_id), ("job", "items", job_id), ("job", "errors", job_id), ("job", "logs", job_id)]
    for source_id in ("docs", "take", *PROBLEM_SOURCES):
        calls += [("source", "show", source_id), ("source", "test", source_id), ("plan", source_id, "--all", "--force")]
    return calls


def document_calls(
    cli: HostileCli, share: int, told: tuple[str, ...] = ("show", "explain", "versions", "text", "export")
) -> list[Call]:
    """Return the calls that tell of one document, for one of ``share`` of them."""
    with open_workspace(cli.workspace) as handle:
        documents = handle.documents[::share]
    calls: list[Call] = []
    for document in documents:
        named: list[str] = [document.document_id] if "\0" in document.key else ["--", document.key]
        calls += [("doc", what, *named) for what in told]
    return calls


def values_of(result: Result) -> list[object]:
    """Return the JSON that a call printed, be it one value or lines of them."""
    try:
        return [json.loads(result.out)]
    except json.JSONDecodeError:
        return [json.loads(line) for line in result.out.splitlines()]


def test_no_listing_lets_a_name_act_on_a_pipe(hostile: HostileCli) -> None:
    """Whatever lists names writes them harmless, as text and as JSON, and ends as it should."""
    calls = listing_calls(hostile)
    before = hostile.outside()
    results = hostile.run_each(*calls, *((*call, "--json") for call in calls), code=None)
    for call, text, record in zip(calls, results, results[len(calls) :], strict=False):
        assert_ended_well(text)
        assert_ended_well(record)
        assert text.code == record.code, (call, text, record)
        assert text.code == 0 or call[:2] in {("source", "test"), ("plan", "locked")}, (call, text)
        assert values_of(record) or text.out.count("\n") <= 2, (call, text)
    assert hostile.outside() == before


def test_no_name_makes_a_line_of_its_own(hostile: HostileCli) -> None:
    """Line feeds in names forge nothing: each listing has one line for each document, item, event and record."""
    job_id = hostile.jobs()["fail"]
    calls: dict[Call, int] = {
        ALL_DOCUMENTS: len(NAMES) + 1,
        ALL_HITS: 3 * len(NAMES),
        ("plan", "docs", "--force", "--all"): len(FILES) + 2,
        ("job", "items", job_id): len(NAMES) + 1,
        ("job", "errors", job_id): 2 * len(NAMES),
        ("job", "logs", job_id): (hostile.workspace / "jobs" / job_id / "log.jsonl").read_bytes().count(b"\n"),
        ("audit",): (hostile.workspace / "audit.jsonl").read_bytes().count(b"\n"),
        ("export",): len(NAMES),
        ("export", "--format", "csv"): len(NAMES) + 1,
    }
    results = hostile.run_each(*calls)
    assert {call: result.out.count("\n") for call, result in zip(calls, results, strict=True)} == calls


def test_documents_are_told_of_harmlessly(hostile: HostileCli) -> None:
    """What is told of a single document is harmless too, whatever it is called."""
    calls = document_calls(hostile, 24)
    results = hostile.run_each(*calls, *((*call[:2], "--json", *call[2:]) for call in calls))
    for result in results:
        assert_ended_well(result)
    assert all(values_of(result) for result in results[len(calls) :])


@pytest.mark.slow
def test_every_document_is_told_of_harmlessly(hostile: HostileCli) -> None:
    """The same for each document of the catalogue, as text, as JSON and on a terminal."""
    calls = document_calls(hostile, 1, ("show", "explain"))
    for start in range(0, len(calls), 400):
        some = calls[start : start + 400]
        for result in (
            *hostile.run_each(*some),
            *hostile.run_each(*((*call[:2], "--json", *call[2:]) for call in some)),
        ):
            assert_ended_well(result)
        codes, stream = hostile.run_each_on_a_terminal(*some)
        assert set(codes) == {0}
        assert_harmless_on_a_terminal(stream)


def test_no_listing_lets_a_name_act_on_a_terminal(hostile: HostileCli) -> None:
    """On a terminal, too, nothing but text, line ends and our own colours leaves any of these calls."""
    calls = [call for call in listing_calls(hostile) if call[0] != "plan" or call[1] == "docs"]
    codes, stream = hostile.run_each_on_a_terminal(*calls, *document_calls(hostile, 25))
    assert set(codes) <= DOCUMENTED_EXIT_CODES
    assert_harmless_on_a_terminal(stream)
    assert SENTINEL in stream, "the names were never shown"


def test_the_progress_of_a_sync_on_a_terminal(another: HostileCli) -> None:
    """While a job runs on a terminal, and when it ends in trouble, the names do nothing but stand there."""
    for source_id, code in PROBLEM_SOURCES.items():
        codes, stream = another.run_each_on_a_terminal(("sync", source_id))
        assert codes == [code]
        # The bars move the cursor and hide it meanwhile.
        for own in ("\x1b[?25l", "\x1b[?25h", "\x1b[1A", "\x1b[2K"):
            stream = stream.replace(own, "")
        assert_harmless_on_a_terminal(stream.replace("\r", "\n"))


@pytest.mark.parametrize("encoding", ["ascii", pytest.param("utf-8:surrogateescape", marks=pytest.mark.slow)])
def test_a_stream_of_another_encoding(hostile: HostileCli, monkeypatch: pytest.MonkeyPatch, encoding: str) -> None:
    """Where a character cannot be written it is escaped; JSON stays JSON, and nothing leaves as a raw byte."""
    monkeypatch.setitem(hostile.environment, "PYTHONIOENCODING", encoding)
    for call in (ALL_DOCUMENTS, ("export", "--format", "csv"), ("source", "show", "caf\u00e9 \u65e5")):
        assert_ended_well(hostile.run(*call, code=None))
    listed, lines = hostile.run(*ALL_DOCUMENTS, "--json").json, hostile.run("export").lines
    names = {name.key for name in NAMES}
    assert {document["key"] for document in listed} == {line["document"]["key"] for line in lines} == names
