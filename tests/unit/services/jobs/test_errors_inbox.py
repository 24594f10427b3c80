"""The errors over all jobs: what counts as one, how they are grouped, retried and ignored."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ingest_tui import open_workspace
from ingest_tui.model.errors import NotFoundError, UsageError
from ingest_tui.model.issue import group_issues, is_thin, mark_of
from ingest_tui.services.api import WorkspaceHandle
from ingest_tui.services.jobs import error_inbox
from ingest_tui.services.jobs.holds import approve_job, held_deletions, refuse_job
from ingest_tui.services.jobs.jobs import get_job, job_reasons
from ingest_tui.services.workers import follow_job
from ingest_tui.store.workspace import Workspace
from tests.copied_workspace import copied_workspace


def made_folder(folder: Path) -> Path:
    """Return a folder with a good, a broken, an empty and a thin document."""
    folder.mkdir()
    (folder / "good.md").write_text("# Good\n\nAll is well.\n")
    (folder / "broken.pdf").write_bytes(b"%PDF-1.7\n" + bytes(200))
    (folder / "blank.txt").write_text("\n \n")
    markup = "<div data-x='%s'></div>" % ("a" * 50)
    (folder / "shell.html").write_text(f"<html><body>Loading{markup * 400}</body></html>")
    return folder


@pytest.fixture(scope="module")
def synced(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace that has synced such a folder once, next to it."""
    home = tmp_path_factory.mktemp("synced")
    with open_workspace(home / "ws") as opened:
        opened.add_source("docs", path=str(made_folder(home / "docs")))
        opened.sync("docs")
    return home


@pytest.fixture
def handle(synced: Path, tmp_path: Path) -> Iterator[WorkspaceHandle]:
    """A copy of that workspace; nothing in its folder may be changed."""
    with copied_workspace(synced / "ws", tmp_path / "ws") as opened:
        yield opened


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder that may be changed."""
    return made_folder(tmp_path / "docs")


@pytest.fixture
def changing(tmp_path: Path, folder: Path) -> Iterator[WorkspaceHandle]:
    """A workspace that has synced that folder once."""
    with open_workspace(tmp_path / "ws") as opened:
        opened.add_source("docs", path=str(folder))
        opened.sync("docs")
        yield opened


def found(workspace: Workspace, **choice: Any) -> list[tuple[str, str]]:
    """Return kind and key of the errors, sorted."""
    return sorted((one.kind, one.key) for one in error_inbox.list_open_issues(workspace, **choice))


def run(workspace: Workspace, job_id: str) -> Any:
    """Run a queued job here."""
    return follow_job(workspace, job_id, lambda _manifest: None, run_here=True)


def test_what_went_wrong_is_listed_by_kind(handle: WorkspaceHandle) -> None:
    """Broken, empty and thin documents are listed; a good one is not, and filters narrow."""
    kinds = {key: kind for kind, key in found(handle.workspace)}
    assert set(kinds) == {"broken.pdf", "blank.txt", "shell.html"}
    assert kinds["broken.pdf"] in {"failed", "rejected"}
    assert (kinds["blank.txt"], kinds["shell.html"]) == ("empty", "thin")
    assert found(handle.workspace, kinds=["thin"]) == [("thin", "shell.html")]
    assert found(handle.workspace, reasons=["little_text"], source_id="docs") == [("thin", "shell.html")]
    with pytest.raises(NotFoundError):
        error_inbox.list_open_issues(handle.workspace, source_id="nowhere")


def test_groups_say_how_many_and_what_to_do(handle: WorkspaceHandle) -> None:
    """Each kind and reason is one group with its number and a hint."""
    groups = error_inbox.groups_with_hints(handle.workspace, error_inbox.list_open_issues(handle.workspace))
    assert sorted(group.newest.key for group in groups) == ["blank.txt", "broken.pdf", "shell.html"]
    assert all(group.number == 1 and group.hint for group in groups)
    assert [group.kind for group in groups][-2:] == ["empty", "thin"]


def test_what_succeeded_since_is_no_error_any_more(changing: WorkspaceHandle, folder: Path) -> None:
    """Only the last look counts, whatever older jobs said."""
    (folder / "blank.txt").write_text("now there is something\n")
    changing.sync("docs")
    assert ("empty", "blank.txt") not in found(changing.workspace)


def test_ignored_errors_are_hidden_until_the_item_changes(changing: WorkspaceHandle, folder: Path) -> None:
    """Ignoring lasts over syncs, ends when the item changes or a person says so, and the audit log says who did it."""
    workspace = changing.workspace
    assert error_inbox.ignore_issues(workspace, error_inbox.list_open_issues(workspace)) == 3
    changing.sync("docs")
    assert found(workspace) == []
    assert len(found(workspace, ignored=True)) == 3
    assert all(one.ignored_by for one in error_inbox.list_open_issues(workspace, ignored=True))
    (folder / "blank.txt").write_text("\n\n\n\n\n")
    changing.sync("docs")
    assert found(workspace) == [("empty", "blank.txt")]
    shell = error_inbox.find_issues(workspace, ["shell.html"], ignored=True)
    assert error_inbox.ignore_issues(workspace, shell, ignore=False) == 1
    assert ("thin", "shell.html") in found(workspace)
    told = [line for line in workspace.audit.entries() if line["action"].startswith("errors.")]
    assert [line["action"] for line in told] == ["errors.ignore", "errors.unignore"]
    assert told[0]["details"]["items"] == 3


def test_ignoring_survives_a_rebuild_of_the_catalogue(handle: WorkspaceHandle) -> None:
    """What people said is not part of the catalogue, which can be made again."""
    workspace = handle.workspace
    error_inbox.ignore_issues(workspace, error_inbox.list_open_issues(workspace, kinds=["thin"]))
    assert workspace.layout.ignored.exists()
    assert [ignored.mark for ignored in workspace.ignored.all().values()] == [
        one.mark for one in error_inbox.list_open_issues(workspace, ignored=True)
    ]


def test_a_retry_is_one_job_for_each_source_with_the_items_alone(handle: WorkspaceHandle, tmp_path: Path) -> None:
    """Items of several sources and jobs are fetched again by a job of each source; what is well now leaves the list."""
    other = tmp_path / "other"
    other.mkdir()
    (other / "void.txt").write_text(" ")
    handle.add_source("other", path=str(other))
    handle.sync("other")
    (other / "void.txt").write_text("filled\n")
    troubles = error_inbox.list_open_issues(handle.workspace, kinds=["empty"])
    report = error_inbox.retry_issues(handle.workspace, troubles)
    assert (len(report.jobs), report.items, report.left_out_total) == (2, 2, 0)
    ended = [run(handle.workspace, job_id) for job_id in report.jobs]
    assert {job.trigger for job in ended} == {"retry"}
    assert [job.counters.descriptors_listed for job in ended] == [1, 1]
    assert found(handle.workspace, kinds=["empty"]) == [("empty", "blank.txt")]
    assert len(handle.documents) == 3, "a retry retires nothing"


def test_a_retry_of_what_the_settings_refuse_is_reported(handle: WorkspaceHandle, tmp_path: Path) -> None:
    """What the listing rules out is left out, with the reason; when nothing is left the retry is refused."""
    other = tmp_path / "other"
    other.mkdir()
    (other / "big.txt").write_text("x" * 5000)
    (other / "void.txt").write_text(" ")
    handle.add_source("other", path=str(other))
    source = handle.workspace.sources.get("other")
    handle.workspace.sources.save(source.model_copy(update={"max_size": 1000}))
    handle.sync("other")
    rejected = error_inbox.list_open_issues(handle.workspace, source_id="other", kinds=["rejected"])
    assert [one.key for one in rejected] == ["big.txt"]
    with pytest.raises(UsageError, match="settings"):
        error_inbox.retry_issues(handle.workspace, rejected)
    report = error_inbox.retry_issues(
        handle.workspace, error_inbox.list_open_issues(handle.workspace, source_id="other")
    )
    assert (report.items, report.left_out_total) == (1, 1)


def test_a_thin_document_is_read_again(handle: WorkspaceHandle) -> None:
    """Although its bytes are known, a thin document is extracted again; the same text changes nothing."""
    thin = error_inbox.list_open_issues(handle.workspace, kinds=["thin"])
    report = error_inbox.retry_issues(handle.workspace, thin)
    ended = run(handle.workspace, report.jobs[0])
    assert ended.options["force"] is True
    assert ended.counters.items_fetched == 1
    assert found(handle.workspace, kinds=["thin"]) == [("thin", "shell.html")]


def test_finding_by_address_names_what_is_not_there(handle: WorkspaceHandle, synced: Path) -> None:
    """An error is found by its key or its path; anything else is not found."""
    blank = str(synced / "docs" / "blank.txt")
    assert [one.key for one in error_inbox.find_issues(handle.workspace, [blank])] == ["blank.txt"]
    with pytest.raises(NotFoundError, match="good"):
        error_inbox.find_issues(handle.workspace, ["good.md"])


@pytest.mark.parametrize(
    ("size", "chunks", "characters", "thin"),
    [
        (9_999, 1, 0, False),
        (10_000, 1, 199, True),
        (10_000, 1, 200, False),
        (5_000_000, 10, 4_999, True),
        (5_000_000, 10, 5_000, False),
        (5_000_000, 28, 4_999, False),
    ],
)
def test_thin_is_little_text_of_many_bytes(size: int, chunks: int, characters: int, thin: bool) -> None:
    """Small files are never thin; large ones are measured by their size."""
    assert is_thin(size, chunks, characters) is thin


def test_groups_count_every_error_once(handle: WorkspaceHandle) -> None:
    """Whatever the mixture, the numbers of the groups add up, and each has its newest."""
    one = error_inbox.list_open_issues(handle.workspace)[0]
    chance = random.Random(7)
    troubles = [
        replace(one, kind=chance.choice(["failed", "empty"]), reason=chance.choice("abc"), at=str(number))
        for number in range(200)
    ]
    groups = group_issues(troubles)
    assert sum(group.number for group in groups) == 200
    for group in groups:
        alike = [item.at for item in troubles if (item.kind, item.reason) == (group.kind, group.reason)]
        assert group.newest.at == max(alike)


def test_a_mark_changes_with_the_item_and_with_the_trouble() -> None:
    """Size, time, fingerprint, kind and reason each make another mark."""
    marks = {
        mark_of("failed", "timeout", "f", 1, 2),
        mark_of("empty", "timeout", "f", 1, 2),
        mark_of("failed", "memory", "f", 1, 2),
        mark_of("failed", "timeout", "g", 1, 2),
        mark_of("failed", "timeout", "f", 3, 2),
        mark_of("failed", "timeout", "f", 1, None),
    }
    assert len(marks) == 6


def test_reasons_of_a_job_count_every_outcome(handle: WorkspaceHandle) -> None:
    """A job's errors by reason come from its journal, with hints, and leave out what went well."""
    groups = job_reasons(handle.workspace, "last")
    assert sum(group.number for group in groups) == 2
    assert {group.outcome for group in groups} <= {"failed", "rejected", "empty"}


def test_refused_deletions_keep_the_documents(changing: WorkspaceHandle, folder: Path) -> None:
    """A refusal is written down, asks no more, cannot be approved afterwards, and the next sync asks again."""
    for path in folder.iterdir():
        path.unlink()
    job_id = changing.sync("docs").job_id
    assert sorted(line.key for line in held_deletions(changing.workspace, job_id)) == ["good.md", "shell.html"]
    held = refuse_job(changing.workspace, job_id).held
    assert held is not None
    assert held.refused_by
    assert not held.waits
    with pytest.raises(UsageError, match="refused already"):
        approve_job(changing.workspace, job_id)
    with pytest.raises(UsageError, match="refused already"):
        refuse_job(changing.workspace, job_id)
    assert len(changing.documents) == 2
    again = changing.sync("docs")
    assert get_job(changing.workspace, again.job_id).held is not None
    assert "job.refuse" in [line["action"] for line in changing.workspace.audit.entries()]
