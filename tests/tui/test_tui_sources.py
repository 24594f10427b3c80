"""The Sources view: health, plan, preview, watch, enable, removal, first steps; empty, in error, hostile, and long."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from ingest_tui.credentials.summary import CredentialSummary
from ingest_tui.model.plan_line import PlanLine
from ingest_tui.model.source import Source
from ingest_tui.services.client import Client
from ingest_tui.services.sources.sources import SourceSummary
from ingest_tui.store.workspace import open_workspace_at
from ingest_tui.tui.dialogs.dialogs import Choose, Confirm
from ingest_tui.tui.dialogs.report import TestReport
from ingest_tui.tui.views.jobs.job_screen import JobScreen
from ingest_tui.tui.views.jobs.jobs_screen import JobsScreen
from ingest_tui.tui.views.sources import plan_screen
from ingest_tui.tui.views.sources.plan_screen import Plan
from ingest_tui.tui.views.sources.preview_screen import Preview
from ingest_tui.tui.views.sources.remove_source_screen import RemoveSources
from ingest_tui.tui.views.sources.source_form_screen import SourceForm
from ingest_tui.tui.views.sources.source_screen import SourceScreen
from ingest_tui.tui.views.sources.source_words import detail_lines
from ingest_tui.tui.views.sources.sources_screen import SourcesScreen
from ingest_tui.tui.widgets.text import TextLines
from tests.tui.stories import (
    HOSTILE_NAMES,
    add_folder,
    add_job,
    let_answer,
    run_story,
    said,
    screen_text,
    sync_by_hand,
    until,
)

pytestmark = pytest.mark.slow


def source_on_disk(root: Path, source_id: str) -> Source:
    workspace = open_workspace_at(root)
    try:
        return workspace.sources.get(source_id)
    finally:
        workspace.close()


def test_an_empty_workspace_leads_to_a_first_sync(root: Path, folder: Path) -> None:
    """Type, place, test, plan, sync: each step says which it is and how to continue, and Esc goes back."""

    async def story(app: Any, pilot: Any) -> None:
        await pilot.press("2")
        await until(pilot, lambda: "1  choose what kind of place" in screen_text(app))
        await pilot.press("a")
        await until(pilot, lambda: isinstance(app.screen, Choose) and "First source, step 1 of 5" in screen_text(app))
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, SourceForm) and "step 2 of 5" in screen_text(app))
        await until(pilot, lambda: app.focused.id == "field-path")
        app.focused.value = str(folder)
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, TestReport) and "step 3 of 5" in screen_text(app))
        await until(pilot, lambda: "p shows what a sync would do" in screen_text(app))
        await pilot.press("p")
        await until(pilot, lambda: isinstance(app.screen, Plan) and "step 4 of 5" in screen_text(app))
        await until(pilot, lambda: "2 items, 2 to work on" in screen_text(app))
        await pilot.press("s")
        await until(pilot, lambda: isinstance(app.screen, SourcesScreen) and app.model.number("queued") == 1)
        await until(pilot, lambda: app.screen.table.rows and app.screen.table.rows[0].active_job is not None)

    run_story(root, story)


def test_with_a_source_nobody_is_led_by_the_hand(root: Path, folder: Path) -> None:
    """The steps are for a first source only, from whatever view a is pressed."""
    add_folder(root, folder)

    async def story(app: Any, pilot: Any) -> None:
        await pilot.press("a")
        await until(pilot, lambda: isinstance(app.screen, Choose))
        assert "First source" not in screen_text(app)
        assert "What kind of source?" in screen_text(app)

    run_story(root, story)


def test_a_plan_is_grouped_and_leads_to_its_items(root: Path, folder: Path) -> None:
    """What, why and how many; Enter shows the items of a group, Esc comes back, the filter narrows both."""
    add_folder(root, folder)
    sync_by_hand(root, "handbook")
    (folder / "rules.txt").write_text("Shoes are allowed now.\n")
    (folder / "new [b]\x1b[31m.md").write_text("# New\n")

    async def story(app: Any, pilot: Any) -> None:
        await pilot.press("2")
        await until(pilot, lambda: app.screen.table.rows)
        await pilot.press("p")
        await until(pilot, lambda: isinstance(app.screen, Plan) and "3 items, 2 to work on" in screen_text(app))
        text = screen_text(app)
        for words in ("not here yet", "changed since the last sync", "unchanged"):
            assert words in text
        await pilot.press("slash", *"changed since", "enter")
        assert [group.reason for group in app.screen.table.rows] == ["changed"]
        await pilot.press("enter")
        assert [item.key for item in app.screen.table.rows] == ["rules.txt"]
        assert "fingerprint was" in screen_text(app)
        await pilot.press("escape")
        await until(pilot, lambda: len(app.screen.table.rows) == 3)
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(app.screen, SourcesScreen))

    run_story(root, story, size=(110, 30))


def test_a_plan_of_many_items_keeps_some_and_counts_all(root: Path, folder: Path, monkeypatch: Any) -> None:
    """Ten thousand items come in slices; what is kept for drilling down is bounded, the counts are not."""
    monkeypatch.setattr(plan_screen, "MOST_ITEMS", 500)

    def many_lines(_source_id: str, *, force: bool = False) -> Any:
        assert not force
        for number in range(10_000):
            name = f"{HOSTILE_NAMES[number % len(HOSTILE_NAMES)]}{number}"
            yield PlanLine("ingest", "new", name, f"file:///{number}", size=10)

    client = Client(root)
    let_answer(client.sources, plan=many_lines)

    add_folder(root, folder)

    async def story(app: Any, pilot: Any) -> None:
        await pilot.press("2")
        await until(pilot, lambda: app.screen.table.rows)
        await pilot.press("p")
        await until(pilot, lambda: "10,000 items, 10,000 to work on" in screen_text(app))
        await pilot.press("enter")
        await until(pilot, lambda: len(app.screen.table.rows) == 500)
        assert "10,000 items, the first 500 are shown" in screen_text(app)
        await pilot.press("G")
        assert "\x1b" not in screen_text(app)

    run_story(root, story, client=client)


def test_a_source_that_cannot_be_listed_says_so_in_plan_and_preview(root: Path, folder: Path) -> None:
    """The error and what to do are where the rows would be."""
    add_folder(root, folder)
    for path in folder.iterdir():
        path.unlink()
    folder.rmdir()

    async def story(app: Any, pilot: Any) -> None:
        await pilot.press("2")
        await until(pilot, lambda: app.screen.table.rows)
        await pilot.press("p")
        await until(pilot, lambda: "the source cannot be listed" in screen_text(app))
        assert "does not exist" in screen_text(app)
        await pilot.press("escape", "P")
        await until(pilot, lambda: isinstance(app.screen, Preview) and "it cannot be listed" in screen_text(app))
        await pilot.press("escape", "t")
        await until(pilot, lambda: "it does not work yet" in screen_text(app))

    run_story(root, story)


def test_watch_and_enable_change_all_that_are_marked(root: Path, folder: Path) -> None:
    """One key for the marked ones; the first decides which way, and the table shows its state."""
    for name in ("a", "b", "c"):
        add_folder(root, folder, name)

    async def story(app: Any, pilot: Any) -> None:
        await pilot.press("2")
        await until(pilot, lambda: len(app.screen.table.rows) == 3)
        await pilot.press("space", "space", "u")
        await until(pilot, lambda: [row.source.watch for row in app.screen.table.rows] == [True, True, False])
        assert "on change" in screen_text(app)
        await pilot.press("E")
        await until(pilot, lambda: [row.source.enabled for row in app.screen.table.rows] == [False, False, True])
        assert "disabled" in screen_text(app)
        await pilot.press("escape", "g", "u")
        await until(pilot, lambda: not app.screen.table.rows[0].source.watch)

    run_story(root, story)
    assert source_on_disk(root, "b").watch


def test_a_forced_sync_is_asked_for_and_reads_everything_again(root: Path, folder: Path) -> None:
    """Nothing is queued before a person has agreed; the job then takes what has not changed, too."""
    add_folder(root, folder)

    async def story(app: Any, pilot: Any) -> None:
        await pilot.press("2")
        await until(pilot, lambda: len(app.screen.table.rows) == 1)
        await pilot.press("S")
        await until(pilot, lambda: isinstance(app.screen, Confirm))
        assert "changed or not" in screen_text(app)
        await pilot.press("n")
        await until(pilot, lambda: isinstance(app.screen, SourcesScreen))
        assert not app.model.rows
        await pilot.press("S")
        await until(pilot, lambda: isinstance(app.screen, Confirm))
        await pilot.press("y")
        await until(pilot, lambda: len(app.model.rows) == 1)

    run_story(root, story)
    with closing(open_workspace_at(root)) as workspace:
        assert [job.options for job in workspace.jobs.waiting()] == [{"force": True}]


def test_removal_names_what_goes_and_may_keep_the_documents(root: Path, folder: Path) -> None:
    """Documents, watch and a job that waits are named; what it names stays fixed while rows move."""
    add_folder(root, folder, watch=True)
    sync_by_hand(root, "handbook")
    add_folder(root, folder, "other")

    async def story(app: Any, pilot: Any) -> None:
        await pilot.press("2")
        await until(pilot, lambda: len(app.screen.table.rows) == 2)
        sources = app.screen
        await pilot.press("D")
        await until(pilot, lambda: isinstance(app.screen, RemoveSources))
        assert "handbook: 2 documents, its watch" in screen_text(app)
        sources.table.show([])
        await pilot.press("tab", "tab", "space")
        await until(pilot, lambda: "stay searchable" in screen_text(app))
        await pilot.press("enter", "tab", "enter")
        await until(pilot, lambda: [row.source.source_id for row in sources.table.rows] == ["other"])

    run_story(root, story)
    workspace = open_workspace_at(root)
    assert [document.state for document in _documents(workspace)] == ["active", "active"]


def _documents(workspace: Any) -> list[Any]:
    from ingest_tui.services.documents.documents import list_documents

    try:
        return list_documents(workspace)
    finally:
        workspace.close()


def test_a_source_with_a_waiting_job_is_not_removed(root: Path, folder: Path) -> None:
    """The question says which job is in the way, and the refusal is reported."""
    add_folder(root, folder)

    async def story(app: Any, pilot: Any) -> None:
        await pilot.press("2")
        await until(pilot, lambda: app.screen.table.rows)
        await pilot.press("s")
        await until(pilot, lambda: app.screen.table.rows[0].active_job is not None)
        await pilot.press("D")
        await until(pilot, lambda: "has not ended" in screen_text(app))
        await pilot.press("tab", "enter")
        await until(pilot, lambda: any(notice.severity == "error" for notice in app._notifications))
        assert app.screen.table.rows

    run_story(root, story, size=(120, 30))
    assert source_on_disk(root, "handbook").source_id == "handbook"


def test_health_is_words_and_sorts_what_is_wrong_to_the_top(root: Path, folder: Path) -> None:
    """Failing for how long, as glyph and word; the line below says the last error."""
    for name in ("calm", "wiki"):
        add_folder(root, folder, name)
    add_job(root, "20261119-110000-wiki-aaaa", "failed", source_id="wiki", at="2026-11-19T11:00:00.000Z")
    add_job(root, "20261121-110000-wiki-bbbb", "failed", source_id="wiki", at="2026-11-21T11:00:00.000Z",
            errors=["no [/] route"])  # fmt: skip
    add_job(root, "20261121-113000-calm-cccc", "succeeded", source_id="calm", at="2026-11-21T11:30:00.000Z")

    async def story(app: Any, pilot: Any) -> None:
        await pilot.press("2")
        await until(pilot, lambda: "! failing for 2d" in screen_text(app))
        assert "+ ok" in screen_text(app)
        await pilot.press("o", "down", "enter")
        await until(pilot, lambda: [row.source.source_id for row in app.screen.table.rows] == ["wiki", "calm"])
        await until(pilot, lambda: "no [/] route" in said(app, "hint"))
        await pilot.press("slash", *"failing", "enter")
        assert [row.source.source_id for row in app.screen.table.rows] == ["wiki"]

    run_story(root, story)


def test_a_wide_screen_shows_settings_and_jobs_next_to_the_list(root: Path, folder: Path) -> None:
    """Three panes from 140 columns, one below; a resize brings and takes them."""
    add_folder(root, folder, deny_types=["docm"])
    sync_by_hand(root, "handbook")

    async def story(app: Any, pilot: Any) -> None:
        await pilot.press("2")
        await until(pilot, lambda: "not these types" in screen_text(app) and "LAST ERROR" in screen_text(app))
        await until(pilot, lambda: "2/2" in screen_text(app))
        await pilot.resize_terminal(80, 24)
        await until(pilot, lambda: "LAST ERROR" not in screen_text(app))
        await pilot.resize_terminal(30, 8)
        await pilot.pause()
        await pilot.resize_terminal(160, 48)
        await until(pilot, lambda: "not these types" in screen_text(app))

    run_story(root, story, size=(160, 48))


def test_ten_thousand_sources_of_hostile_names(root: Path) -> None:
    """The list stays quick and harmless, and the filter finds one of them."""

    def many_sources() -> list[SourceSummary]:
        return [
            SourceSummary(
                Source(source_id=f"s{number}", name=f"{HOSTILE_NAMES[number % len(HOSTILE_NAMES)]}{number}",
                       source_type="local", source_config={"path": HOSTILE_NAMES[number % 5]}),
                number, None, None, next_run="by hand",
            )
            for number in range(10_000)
        ]  # fmt: skip

    client = Client(root)
    let_answer(client.sources, list=many_sources)

    async def story(app: Any, pilot: Any) -> None:
        await pilot.press("2")
        await until(pilot, lambda: len(app.screen.table.rows) == 10_000)
        for keys in ("G", "k k g", "o", "down down enter", "O"):
            await pilot.press(*keys.split())
            assert "\x1b" not in screen_text(app)
        await pilot.press("slash", *"s4711", "enter")
        await until(pilot, lambda: [row.source.source_id for row in app.screen.table.rows] == ["s4711"])

    run_story(root, story, client=client, size=(160, 40))


def test_a_client_that_is_read_only_changes_nothing(root: Path, folder: Path) -> None:
    """Whatever way an action is reached, the door refuses it."""
    add_folder(root, folder)
    client = Client(root, read_only=True)
    seen = client.sources.list()[0].source
    for change in (
        lambda: client.sources.set_watched("handbook", watched=True),
        lambda: client.sources.remove(seen.source_id, based_on=seen),
        lambda: client.sources.save(client.sources.draft_of("handbook")),
        lambda: client.credentials.remove("x", based_on=CredentialSummary("x", "basic"), force=True),
    ):
        with pytest.raises(Exception, match="read-only"):
            change()


def test_the_words_of_a_source_leave_nothing_out(folder: Path) -> None:
    """Every setting that is not at its default is in the detail."""
    source = Source(
        source_id="docs", name="Docs", source_type="local", since="2026-01-31", deny_types=("docm",),
        source_config={"path": "/srv", "include": ["*.md"], "recursive": False},
        extraction={"backend": "unstructured", "by_type": {"pdf": "x"}},
    )  # fmt: skip
    job = SimpleNamespace(job_id="j", state="failed", counters=SimpleNamespace(
        descriptors_listed=3, items_ingested=1, items_failed=2))  # fmt: skip
    summary = SourceSummary(source, 3, job, None, next_run="by hand", embedding="queued")  # type: ignore[arg-type]
    summary.text_columns, summary.context_columns = ("city", "people"), ("year",)
    text = "\n".join(line for line, _tone in detail_lines(summary))
    for words in (
        "city, people; context: year",
        "/srv",
        "*.md",
        "no",
        "2026-01-31",
        "docm",
        "unstructured",
        "pdf=x",
        "3 listed, 1 ingested, 2 failed",
        "queued",
    ):
        assert words in text


# The page of a source


def test_the_page_of_a_source_shows_its_past_and_what_became_of_its_items(root: Path, folder: Path) -> None:
    """Enter opens it: jobs, items by outcome with what to do, settings; a job opens from it, and Esc comes back."""
    (folder / "broken.docx").write_bytes(b"no zip")
    add_folder(root, folder)
    sync_by_hand(root, "handbook")

    async def story(app: Any, pilot: Any) -> None:
        await pilot.press("2")
        await until(pilot, lambda: len(app.screen.table.rows) == 1)
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, SourceScreen) and len(app.screen.outcomes.rows) == 2)
        page = app.screen
        assert {(one.outcome, one.number, bool(one.hint)) for one in page.outcomes.rows} == {
            ("ingested", 2, False),
            ("rejected", 1, True),
        }
        assert "1 job" in page.info
        assert "3 items" in screen_text(app)
        assert "last jobs" in page.query_one("#source-about", TextLines).plain
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, JobScreen))
        await pilot.press("escape")
        await until(pilot, lambda: app.screen is page)
        await pilot.press("s")
        await until(pilot, lambda: len(page.jobs.rows) == 2)
        await pilot.press("d")
        await until(pilot, lambda: app.current_mode == "documents")

    run_story(root, story, size=(120, 40))


def test_the_page_of_a_source_that_is_gone_says_so(root: Path) -> None:
    """What was removed meanwhile has no page; the keys go on working."""

    async def story(app: Any, pilot: Any) -> None:
        app.open_source_here("gone")
        await until(pilot, lambda: "there is no source gone any more" in screen_text(app))
        await pilot.press("E", "D", "escape")
        await until(pilot, lambda: isinstance(app.screen, JobsScreen))

    run_story(root, story)
