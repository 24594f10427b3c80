"""What changes while a browser looks: jobs, uploads, and tokens that are asked for and revoked."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from ingest_tui import open_workspace
from ingest_tui.services.jobs.jobs import cancel_job, enqueue_sync
from ingest_tui.services.workers import follow_job
from tests.cli.running import Cli
from tests.page.chromium import Chromium, Page
from tests.servers.running_server import running_server

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("browser")]


def test_a_row_of_a_job_changes_as_the_job_does(page: Page, calls: Cli) -> None:
    """A job that begins while the page is open gets a row, newest first; its end changes the row and is announced."""
    page.value("window.shown = []; const none = document.getElementById('no-jobs')")
    page.value("new MutationObserver(() => shown.push(!none.hidden)).observe(none, {attributes: true})")
    page.value("location.hash = '#jobs'")
    page.wait("document.querySelectorAll('#job-rows tr').length > 0")
    assert not page.value("shown.includes(true)"), "that there is no job was said before it was known"
    with open_workspace(calls.workspace) as handle:
        job = enqueue_sync(handle.workspace, "notes")
        row = f"#job-rows tr[data-job='{job.job_id}']"
        page.wait_for_text(row, "queued")
        rows = page.value("[...document.querySelectorAll('#job-rows tr')].map((one) => one.dataset.job)")
        assert rows == sorted(rows, reverse=True)
        page.value(f"document.querySelector({json.dumps(row)}).mine = true")
        cancel_job(handle.workspace, job.job_id)
    page.wait_for_text(row, "cancelled")
    assert page.value(f"document.querySelector({json.dumps(row)}).mine"), "it is the same row"
    page.wait_for_text("#status", f"Job {job.job_id} is cancelled")
    page.value(f"document.querySelector({json.dumps(row)}).querySelector('a').click()")
    page.wait_for_text("#wrong", "Nothing")


def seen(page: Page, *, is_hidden: bool) -> None:
    """Let the page take itself for hidden behind another tab, or not."""
    page.value(f"Object.defineProperty(document, 'hidden', {{configurable: true, value: {json.dumps(is_hidden)}}})")
    page.value("document.dispatchEvent(new Event('visibilitychange'))")


def test_a_tab_that_nobody_sees_follows_nothing(page: Page, calls: Cli) -> None:
    """It gives its connection back, and shows what has happened once it is seen again."""
    page.value("location.hash = '#jobs'")
    page.wait("document.querySelectorAll('#job-rows tr').length > 0")
    seen(page, is_hidden=True)
    page.until(
        lambda: page.value("1") and any(one.endswith("/events") for one in page.given_up), "the stream is given up"
    )
    with open_workspace(calls.workspace) as handle:
        job = enqueue_sync(handle.workspace, "notes")
        cancel_job(handle.workspace, job.job_id)
    seen(page, is_hidden=False)
    page.wait_for_text(f"#job-rows tr[data-job='{job.job_id}']", "cancelled")


def chosen(page: Page) -> list[str]:
    """Return what is shown of each file that is chosen."""
    return [
        str(text) for text in page.value("[...document.querySelectorAll('#chosen li')].map((one) => one.innerText)")
    ]


def actions(page: Page) -> list[str]:
    """Return what is offered to be done with the job that is shown."""
    return [
        str(label)
        for label in page.value("[...document.querySelectorAll('#job-actions button')].map((one) => one.textContent)")
    ]


def test_files_are_dropped_and_the_one_that_is_refused_is_named(page: Page, calls: Cli, tmp_path: Path) -> None:
    """Of two files one cannot be read: nothing is taken, and it says so at that one; without it the job is followed."""
    good, bad = tmp_path / "<b>good.txt", tmp_path / "bad.bin"
    good.write_text("the anemometer turns")
    bad.write_bytes(bytes(range(256)) * 8)
    page.value("location.hash = '#upload'")
    page.wait("document.querySelectorAll('#into option').length === 2")
    page.drop("#drop", bad, good)
    page.wait("document.querySelectorAll('#chosen li').length === 2")
    page.value("document.getElementById('send').focus()")
    page.press("Enter")
    page.wait("document.querySelectorAll('#chosen .wrong').length === 1")
    refused, fine = chosen(page)
    assert refused.startswith("bad.bin")
    assert "bad.bin" in refused.partition("Remove")[2]
    assert fine.startswith("<b>good.txt")
    assert fine.endswith("Remove"), "nothing is wrong with it"
    page.wait_for_text("#problem", "What to do")
    page.forget_refused("422")
    page.value("document.querySelector('#chosen button').focus()")
    page.press("Enter")
    page.wait("document.querySelectorAll('#chosen li').length === 1")
    assert page.value("document.activeElement.getAttribute('aria-label')") == "Remove <b>good.txt"
    page.tab_to("send")
    page.press("Enter")
    page.wait_for_text("#job-facts", "queued")
    job_id = page.text("#job-title").removeprefix("Job ")
    with open_workspace(calls.workspace) as handle:
        follow_job(handle.workspace, job_id, lambda _state: None, run_here=True)
    page.wait_for_text("#job-facts", "succeeded")
    page.wait_for_text("#items", "ingested")
    assert actions(page) == [], "what was taken in cannot be done again"
    page.value("document.querySelector('#items a').click()")
    page.wait_for_text("#text", "anemometer")
    page.wait_for_text("#events", "ingested")


def choose(page: Page, label: str, *, answer: str = "confirm-yes") -> None:
    """Go to a button of the job by keys alone, press it, and answer what the page asks then."""
    page.wait(
        f"[...document.querySelectorAll('#job-actions button')].some((one) => one.textContent === {json.dumps(label)})"
    )
    page.value("document.getElementById('job-title').focus()")
    page.tab_to(label)
    page.press("Enter")
    page.wait("document.getElementById('confirm-dialog').open")
    assert page.focused() == "confirm-no", "what changes nothing has the focus"
    assert ("dialog", f"{label}?") in page.accessible()
    if answer == "confirm-yes":
        page.press("Tab")
        assert page.focused() == answer
    page.press("Enter" if answer.startswith("confirm") else answer)
    page.wait("!document.getElementById('confirm-dialog').open")


def test_a_job_is_paused_resumed_cancelled_and_done_again(page: Page, calls: Cli) -> None:
    """Each by keys, after a question whose answer may be no; what is offered follows from the state of the job."""
    with open_workspace(calls.workspace) as handle:
        job = enqueue_sync(handle.workspace, "notes")
        page.value(f"location.hash = '#job?id={job.job_id}'")
        page.wait_for_text("#job-facts", "queued")
        for answer in ("confirm-no", "Escape"):
            choose(page, "Pause", answer=answer)
        assert not [asked for asked in page.asked if asked.endswith("/pause")], "nothing was asked for"
        assert actions(page) == ["Pause", "Cancel the job"]
        assert ("group", "What can be done with the job") in page.accessible()
        choose(page, "Pause")
        page.wait_for_text("#job-facts", "paused")
        choose(page, "Resume")
        page.wait_for_text("#job-facts", "interrupted")
        choose(page, "Cancel the job")
        page.wait_for_text("#job-facts", "cancelled")
        choose(page, "Do it again")
        page.wait(f"!location.hash.includes({json.dumps(job.job_id)})")
        page.wait_for_text("#job-facts", "queued")
        again = page.text("#job-title").removeprefix("Job ")
        assert again != job.job_id
        assert page.focused() == "job-title"
        cancel_job(handle.workspace, again)
        page.wait_for_text("#status", "The job is cancelled")


def showing(page: Page, *jobs: dict[str, object]) -> None:
    """Let the page be told of a job: how it is, and how it is then."""
    page.value(
        "import('/page/job_actions.js').then(({ clearActions, showActions }) => {"
        f" clearActions(); for (const job of {json.dumps(jobs)})"
        " showActions(job, new AbortController().signal, () => {}); })"
    )


def test_a_question_is_about_the_job_as_it_is_now(page: Page) -> None:
    """The buttons that were there stay, and ask with the numbers of now."""
    page.value("location.hash = '#job?id=20200101-000000-none-0000'")
    page.wait_for_text("#problem", "20200101-000000-none-0000")
    page.forget_refused("404")
    job: dict[str, object] = {"job_id": "none", "kind": "sync", "state": "partial"}
    showing(page, *({**job, "counters": {"items_failed": number}} for number in (3, 5)))
    choose(page, "Do again what failed", answer="confirm-no")
    assert page.text("#confirm-text").endswith("what failed: 5.")


@pytest.mark.parametrize(
    ("kind", "state", "is_offered"),
    [("sync", "cancelled", True), ("embed", "succeeded", True), ("rechunk", "failed", True), ("upload", "failed", True),
     ("upload", "partial", False), ("upload", "cancelled", False), ("unknown", "failed", False)],
)  # fmt: skip
def test_what_cannot_be_done_again_is_not_offered(page: Page, kind: str, state: str, is_offered: bool) -> None:
    """Only a failed upload keeps its files; of a job that nobody can read it is not known what it did."""
    showing(page, {"job_id": "none", "kind": kind, "state": state, "counters": {"items_failed": 0}})
    assert actions(page) == ["Do it again"] * is_offered


def test_held_deletions_are_refused_and_approved(page: Page, calls: Cli) -> None:
    """The page says how many documents it is about; refused they stay, approved a job carries them out."""
    folder = calls.home / "gone"
    folder.mkdir()
    for number in range(12):
        (folder / f"{number}.txt").write_text(f"number {number}")
    with open_workspace(calls.workspace) as handle:
        handle.add_source("gone", path=str(folder), collection="notes")
        handle.sync("gone")
        for path in folder.iterdir():
            path.unlink()
        (folder / "other.txt").write_text("another one")
        held = handle.sync("gone").job_id
        page.value(f"location.hash = '#job?id={held}'")
        choose(page, "Refuse the deletions")
        page.wait_for_text("#status", "The documents stay")
        page.wait("document.activeElement.id === 'job-title'")
        assert "Approve the deletions" not in actions(page)
        held = handle.sync("gone").job_id
        page.value(f"location.hash = '#job?id={held}'")
        page.wait_for_text("#job-title", held)
        choose(page, "Approve the deletions")
        assert "12 go to the trash" in page.value("document.getElementById('confirm-text').textContent")
        page.wait_for_text("#job-facts", "queued")
        job_id = page.text("#job-title").removeprefix("Job ")
        follow_job(handle.workspace, job_id, lambda _state: None, run_here=True)
        page.wait_for_text("#job-facts", "items retired")


def test_an_upload_without_a_file_says_so(page: Page) -> None:
    """Nothing is sent, and the page says what to do."""
    page.value("location.hash = '#upload'")
    page.wait("document.querySelectorAll('#into option').length === 2")
    page.value("document.getElementById('upload-form').requestSubmit()")
    page.wait_for_text("#problem", "no file is chosen")
    assert not [asked for asked in page.asked if asked.endswith("/files")]


@pytest.fixture
def guarded(tmp_path: Path) -> Iterator[tuple[Cli, str, str]]:
    """A server that wants a token, its address and a token."""
    cli = Cli(tmp_path)
    with open_workspace(cli.workspace) as handle:
        (tmp_path / "papers").mkdir()
        handle.add_source("papers", path=str(tmp_path / "papers"))
        enqueue_sync(handle.workspace, "papers")
        secret = str(cli.run("serve", "token", "add", "reader", "--json").json["token"])
    with running_server(cli) as (_process, address):
        yield cli, address, secret
    cli.close()


def test_a_token_is_asked_for_where_one_is_needed(
    chromium: Chromium, guarded: tuple[Cli, str, str], tmp_path: Path
) -> None:
    """A wrong one is asked for again; the right one is kept in this tab alone; what it may not do is said.

    Once it is revoked, a page that follows jobs asks for another one.
    """
    (tmp_path / "note.txt").write_text("a note")
    cli, address, secret = guarded
    is_asked = "document.getElementById('token-dialog').open"
    with chromium.page() as page:
        page.open(f"{address}/")
        page.wait(is_asked)
        assert page.focused() == "token"
        page.type("wrong")
        page.press("Enter")
        page.wait_for_text("#token-problem", "the token is not valid")
        page.wait(is_asked)
        page.type(secret)
        page.press("Enter")
        page.wait_for_text("#status", "0 documents")
        assert page.text("#token-button") == "Forget the token"
        assert page.value("[localStorage.length, document.cookie]") == [0, ""]
        assert not [asked for asked in page.asked if secret in asked]
        page.value("location.hash = '#upload'")
        page.wait("document.querySelectorAll('#into option').length === 1")
        page.drop("#drop", tmp_path / "note.txt")
        page.wait("document.querySelectorAll('#chosen li').length === 1")
        page.value("document.getElementById('upload-form').requestSubmit()")
        page.wait_for_text("#problem", "this needs the scope write")
        page.forget_refused("403")
        page.value("location.hash = '#jobs'")
        page.wait_for_request("/events")
        page.wait("document.querySelector('#job-rows a')")
        page.value("document.querySelector('#job-rows a').click()")
        page.wait_for_text("#job-facts", "queued")
        assert page.value("document.querySelectorAll('#job-actions button').length") == 0, "it may only read"
        cli.run("serve", "token", "revoke", "reader")
        page.wait(is_asked)
        page.press("Escape")
        page.wait_for_text("#problem", "a token is needed")
        page.forget_refused("401")
        page.check(address)


def test_jobs_are_followed_again_after_a_break(chromium: Chromium, tmp_path: Path) -> None:
    """While the server is away the page says so and tries again; what happened meanwhile is shown then."""
    cli = Cli(tmp_path)
    with open_workspace(cli.workspace) as handle, chromium.page() as page:
        handle.add_source("papers", path=str(tmp_path))
        with running_server(cli) as (process, address):
            page.open(f"{address}/#jobs")
            page.wait_for_request("/events")
            assert cli.end(process, seconds=30) == 0
            page.wait_for_text("#status", "The connection is lost")
        job = enqueue_sync(handle.workspace, "papers")
        with running_server(cli, "--port", str(urlsplit(address).port)):
            page.wait_for_text("#job-rows", job.job_id)
            page.wait_for_text("#status", "The connection is back")
            assert page.complaints == []
    cli.close()
