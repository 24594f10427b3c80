"""The Errors view: an inbox over all jobs, driven by keys."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from ingest_tui.model.issue import Issue, IssueGroup, group_issues
from ingest_tui.model.place import KnownPlace
from ingest_tui.services.client import Client
from ingest_tui.store.workspace import open_workspace_at
from ingest_tui.tui.dialogs.report import Report
from ingest_tui.tui.views.errors.errors_model import ErrorList, arrange
from tests.tui.stories import (
    HOSTILE_NAMES,
    add_folder,
    at_rest,
    run_story,
    said,
    screen_text,
    send_together,
    stretches,
    sync_by_hand,
    until,
)
from tests.tui.test_tui_screens import ACTING

pytestmark = pytest.mark.slow


def issue(number: int, kind: Any = "failed", reason: str = "timeout", **values: Any) -> Issue:
    """Return an error of one document."""
    key = values.pop("key", f"file-{number:06}.pdf")
    at = f"2026-11-21T11:00:{number % 60:02}.000Z"
    return Issue(
        kind, reason, "docs", key, f"file:///docs/{number}", values.pop("detail", "too slow"), "default", None, 10,
        "20261121-000001-docs-aaaa", at, f"mark{number}",
    )  # fmt: skip


def errors_of(*issues: Issue) -> ErrorList:
    """Return the list of some errors, with a hint for each group."""
    groups = [IssueGroup(one.kind, one.reason, one.number, one.newest, "fix it") for one in group_issues(issues)]
    return ErrorList(tuple(groups), issues)


def put_issues(root: Path, names: list[str], *, outcome: str = "failed") -> None:
    """Put failed places into the catalogue, as a job would."""
    workspace = open_workspace_at(root)
    catalogue = workspace.catalogue
    rows = (
        KnownPlace("docs", name, f"file:///docs/{number}", "default", None, "", number, 1, outcome, "timeout", name,
                    "", "20261121-000001-docs-aaaa", "2026-11-21T11:00:00.000Z", None)
        for number, name in enumerate(names)
    )  # fmt: skip
    with catalogue.transaction():
        catalogue.put_locations(rows)
    workspace.close()


# The model


def test_groups_open_to_their_documents() -> None:
    """Closed groups are one line each; an open one is followed by its documents."""
    errors = errors_of(issue(1), issue(2), issue(3, "empty", "no_text"))
    lines, passing = arrange(errors)
    assert [(line.group.kind, line.group.number, line.issue) for line in lines] == [
        ("failed", 2, None),
        ("empty", 1, None),
    ]
    assert passing == 3
    lines, _ = arrange(errors, opened={("failed", "timeout")})
    assert [line.issue.key if line.issue else line.group.kind for line in lines] == [
        "failed", "file-000001.pdf", "file-000002.pdf", "empty",
    ]  # fmt: skip
    assert len({line.key for line in lines}) == 4


def test_the_filter_counts_again_and_drops_empty_groups() -> None:
    """Only what passes is counted, and a group without any is left out."""
    errors = errors_of(issue(1), issue(2), issue(3, "empty", "no_text"))
    lines, passing = arrange(errors, passes=lambda text: "file-000002" in text)
    assert [(line.group.kind, line.group.number) for line in lines] == [("failed", 1)]
    assert passing == 1


@pytest.mark.parametrize(("sort", "kinds"), [("newest", ["empty", "failed"]), ("reason", ["empty", "failed"])])
def test_groups_are_ordered_and_turned_around(sort: str, kinds: list[str]) -> None:
    """The order is the chosen one, or its reverse."""
    errors = errors_of(issue(1, reason="timeout"), issue(9, "empty", "no_text"))
    assert [line.group.kind for line in arrange(errors, sort=sort)[0]] == kinds
    assert [line.group.kind for line in arrange(errors, sort=sort, backwards=True)[0]] == kinds[::-1]


# The view


def test_without_errors_the_view_says_so(root: Path) -> None:
    """An empty inbox says what would stand there."""

    async def story(app: Any, pilot: Any) -> None:
        await pilot.press("4")
        await until(pilot, lambda: "No errors." in screen_text(app))
        await pilot.press("H")
        await until(pilot, lambda: "Nothing is ignored." in screen_text(app))
        await pilot.press("escape")
        await until(pilot, lambda: "No errors." in screen_text(app))

    run_story(root, story)


def test_errors_are_opened_explained_ignored_and_shown_again(root: Path, folder: Path) -> None:
    """By reason with a hint; Enter opens; the story tells why; what is ignored goes and can come back."""
    (folder / "void.txt").write_text(" \n")
    (folder / "hollow.txt").write_text("\n")
    add_folder(root, folder)
    sync_by_hand(root, "handbook")

    async def story(app: Any, pilot: Any) -> None:
        await pilot.press("4")
        await until(pilot, lambda: "▸ empty: " in screen_text(app))
        assert "hint: " in said(app, "hint")
        table = app.screen.table
        await pilot.press("enter")
        await until(pilot, lambda: "void.txt" in screen_text(app) and len(table.rows) == 3)
        await pilot.press("j", "enter")
        await until(pilot, lambda: isinstance(app.screen, Report) and "not here: empty" in screen_text(app))
        await pilot.press("escape", "n")
        await until(pilot, lambda: [line.issue.key for line in table.rows if line.issue] == ["void.txt"])
        await pilot.press("g", "n")
        await until(pilot, lambda: "No errors." in screen_text(app))
        await pilot.press("H")
        await until(pilot, lambda: "Errors > ignored" in said(app, "header") and "2 errors" in said(app, "info"))
        await until(pilot, lambda: len(table.rows) == 3)
        await pilot.press("g", "n")
        await until(pilot, lambda: "Nothing is ignored." in screen_text(app))

    run_story(root, story)


def test_closing_a_reason_leaves_the_cursor_on_it(root: Path, folder: Path) -> None:
    """Not on another one that stands where its document stood: what is done next is done to a whole reason."""
    for name, content in {"void.txt": b" \n", "hollow.txt": b"\n", "noise.bin": bytes(range(256))}.items():
        (folder / name).write_bytes(content)
    add_folder(root, folder)
    sync_by_hand(root, "handbook")

    async def story(app: Any, pilot: Any) -> None:
        await pilot.press("4")
        await until(pilot, lambda: len(app.screen.table.rows) == 2)
        table = app.screen.table
        reason = table.current.group_key
        await pilot.press("enter")
        await until(pilot, lambda: len(table.rows) > 2)
        await pilot.press("j")
        assert table.current.issue is not None
        await pilot.press("escape")
        await until(pilot, lambda: len(table.rows) == 2)
        assert (table.current.group_key, table.current.issue) == (reason, None)

    run_story(root, story)


def test_a_whole_reason_is_retried_in_one_job(root: Path, folder: Path) -> None:
    """``R`` on a reason queues its items again, and says how many in how many jobs."""
    (folder / "void.txt").write_text(" \n")
    (folder / "hollow.txt").write_text("\n")
    add_folder(root, folder)
    sync_by_hand(root, "handbook")

    async def story(app: Any, pilot: Any) -> None:
        await pilot.press("4")
        await until(pilot, lambda: app.screen.table.rows)
        await pilot.press("R")
        await until(pilot, lambda: any("2 items queued again in 1 job" in one.message for one in app._notifications))
        await until(pilot, lambda: app.model.number("queued") == 1)

    run_story(root, story)


def test_marks_choose_and_a_filter_narrows_what_a_reason_stands_for(root: Path) -> None:
    """An action on a reason takes only what passes the filter; marks take single documents."""
    put_issues(root, [f"{number}.pdf" for number in range(5)])

    async def story(app: Any, pilot: Any) -> None:
        await pilot.press("4")
        await until(pilot, lambda: app.screen.table.rows)
        errors = app.screen
        assert len(errors.chosen()) == 5
        await pilot.press("slash", "3", "enter")
        await until(pilot, lambda: "1 of 5 errors" in said(app, "info"))
        assert [one.key for one in errors.chosen()] == ["3.pdf"]
        await pilot.press("escape", "enter")
        await until(pilot, lambda: len(errors.table.rows) == 6)
        await pilot.press("j", "space", "space")
        assert [one.key for one in errors.chosen()] == ["0.pdf", "1.pdf"]
        await pilot.press("escape", "escape")
        await until(pilot, lambda: len(errors.table.rows) == 1)

    run_story(root, story)


def test_hostile_names_do_not_act_in_the_inbox(root: Path) -> None:
    """Keys and messages that are sequences or markup are shown escaped, in the list and next to it."""
    put_issues(root, [name.encode("utf-8", "replace").decode() for name in HOSTILE_NAMES])

    async def story(app: Any, pilot: Any) -> None:
        await pilot.press("4")
        await until(pilot, lambda: app.screen.table.rows)
        await pilot.press("enter")
        await until(pilot, lambda: len(app.screen.table.rows) == len(HOSTILE_NAMES) + 1)
        for _ in HOSTILE_NAMES:
            await pilot.press("j")
            await pilot.pause()
            assert not ACTING.search(screen_text(app).replace("\n", ""))
        await pilot.press("i")
        await at_rest(pilot)
        assert not ACTING.search(screen_text(app).replace("\n", ""))

    run_story(root, story, size=(160, 48))


def test_a_hundred_thousand_errors_do_not_freeze_the_view(root: Path) -> None:
    """Opened to all of them the view moves on, filters, and answers keys at once."""
    many = errors_of(*(issue(number, reason=f"reason{number % 3}") for number in range(100_000)))

    def grouped(*, ignored: bool = False) -> tuple[list[IssueGroup], list[Issue]]:
        return ([], []) if ignored else (list(many.groups), list(many.issues))

    client = Client(root)
    client.errors.grouped = grouped

    async def story(app: Any, pilot: Any) -> None:
        await pilot.press("4")
        await until(pilot, lambda: len(app.screen.table.rows) == 3)
        async with stretches() as measured:
            await pilot.press("enter")
            await until(pilot, lambda: len(app.screen.table.rows) > 30_000)
            await pilot.press("G", "g", "j", "pagedown", "G")
        assert max(measured) < 1, max(measured)
        await pilot.press("slash", *"099999", "enter")
        await until(pilot, lambda: "1 of 100,000 errors" in said(app, "info"))

    run_story(root, story, client=client)


def test_a_wide_screen_shows_the_story_at_the_side(root: Path, folder: Path) -> None:
    """From 140 columns the hint, and the story of the document under the cursor, are next to the list."""
    (folder / "void.txt").write_text(" \n")
    add_folder(root, folder)
    sync_by_hand(root, "handbook")

    async def story(app: Any, pilot: Any) -> None:
        await pilot.press("4")
        await until(pilot, lambda: re.search(r"1 item, the last one", screen_text(app)) is not None)
        await pilot.press("enter", "j")
        await until(pilot, lambda: "what jobs noted" in screen_text(app))

    run_story(root, story, size=(160, 48))


def test_trouble_with_the_catalogue_is_reported(root: Path) -> None:
    """What cannot be read is a notice, and reading goes on afterwards."""
    asked = []

    def grouped(*, ignored: bool = False) -> tuple[list[IssueGroup], list[Issue]]:
        asked.append(ignored)
        if len(asked) == 1:
            raise RuntimeError("secret")
        return [], []

    client = Client(root)
    client.errors.grouped = grouped

    async def story(app: Any, pilot: Any) -> None:
        await pilot.press("4")
        await until(pilot, lambda: any("RuntimeError" in one.message for one in app._notifications))
        await pilot.press("r")
        await until(pilot, lambda: "No errors." in screen_text(app))

    run_story(root, story, client=client)


def test_a_source_that_fails_comes_first(root: Path, folder: Path) -> None:
    """Its folder is gone: a panel above the errors says why, Enter opens the source, and it goes with the reason."""
    (folder / "broken.pdf").write_bytes(b"%PDF-1.4 broken")
    add_folder(root, folder)
    sync_by_hand(root, "handbook")
    folder.rename(folder.with_name("elsewhere"))
    sync_by_hand(root, "handbook")

    async def story(app: Any, pilot: Any) -> None:
        send_together(app, "4", "shift+tab")
        await until(pilot, lambda: "Sources that fail 1" in screen_text(app) and "! handbook" in screen_text(app))
        assert "failed: malformed" in screen_text(app)
        await until(pilot, lambda: app.screen.failing.has_focus and "hint: " in said(app, "hint"))
        send_together(app, "n", "R", "*", "enter")
        await until(pilot, lambda: app.screen.view == "source" and app.screen.source_id == "handbook")
        folder.with_name("elsewhere").rename(folder)
        sync_by_hand(root, "handbook")
        send_together(app, "escape", "escape", "r")
        await until(pilot, lambda: app.screen.view == "errors" and not app.screen.failing.display)
        await until(pilot, lambda: app.screen.table.has_focus and "Sources that fail" not in screen_text(app))

    run_story(root, story)
    assert not [one for one in Client(root).errors.list() if one.ignored_by]
