"""Copying and editing: ``y`` to the clipboard or a file, ``e`` to an editor and back."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from textual.widgets import OptionList

from ingest_tui.model.errors import IngestError
from ingest_tui.services.sources.sources import edit_source
from ingest_tui.store.workspace import open_workspace_at
from ingest_tui.tui.app import IngestApp
from ingest_tui.tui.dialogs.ask import Ask
from ingest_tui.tui.dialogs.copy_menu import CopyMenu
from ingest_tui.tui.dialogs.dialogs import Choose
from ingest_tui.tui.terminal import editor
from ingest_tui.tui.terminal.clipboard import MOST_BYTES
from ingest_tui.tui.views.jobs.job_screen import JobScreen
from ingest_tui.tui.views.jobs.jobs_screen import JobsScreen
from ingest_tui.tui.views.sources.sources_screen import SourcesScreen
from tests.tui.stories import add_folder, add_job, add_outcomes, outcome, run_story, screen_text, until
from tests.tui.test_tui_navigation import notices

pytestmark = pytest.mark.slow

JOB = "20261121-000001-docs-aaaa"


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What was sent to the clipboard."""
    texts: list[str] = []

    def send(_app: IngestApp, text: str) -> bool:
        texts.append(text)
        return len(text) < MOST_BYTES

    monkeypatch.setattr(IngestApp, "send_to_clipboard", send)
    return texts


@contextmanager
def _no_suspension(_app: IngestApp) -> Iterator[None]:
    yield


@pytest.fixture
def typed(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """What the editor makes of a text, one after another: another text, or an error; it sees the texts too."""
    answers: list[Any] = []

    def edited(text: str, name: str) -> str:
        answer = answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return str(answer(text))

    monkeypatch.setattr(editor, "edited", edited)
    monkeypatch.setattr(IngestApp, "suspend", _no_suspension)
    return answers


def offered(app: Any) -> list[str]:
    """Return the lines of the copy menu."""
    options = app.screen.query_one(OptionList)
    return [str(options.get_option_at_index(number).prompt) for number in range(options.option_count)]


def test_y_offers_what_the_view_has(root: Path, sent: list[str]) -> None:
    """Id, path, error, JSON and the command lines; Enter sends one to the clipboard."""
    add_job(root, JOB, "failed", listed=1, errors=["PDF\x1b[31m encrypted"])
    add_outcomes(root, JOB, [outcome("bad.pdf", "failed", "malformed", detail="PDF encrypted")])

    async def story(app: Any, pilot: Any) -> None:
        await until(pilot, lambda: len(app.screen.table.rows) == 1)
        await pilot.press("y")
        await until(pilot, lambda: isinstance(app.screen, CopyMenu))
        lines = offered(app)
        assert lines[0].split() == ["job", JOB]
        assert any("PDF\\x1b[31m encrypted" in line for line in lines)
        assert any(line.endswith(f"ingest-tui job cancel {JOB}") for line in lines)
        await pilot.press("enter")
        await until(pilot, lambda: sent == [JOB])
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, JobScreen) and bool(app.screen.pane.items.rows))
        await pilot.press("y")
        await until(pilot, lambda: isinstance(app.screen, CopyMenu))
        number = next(number for number, line in enumerate(offered(app)) if line.startswith("JSON"))
        assert any(line.split()[0] == "path" and "file:///docs/" in line for line in offered(app))
        await pilot.press(*["j"] * number, "enter")
        await until(pilot, lambda: len(sent) == 2)
        assert json.loads(sent[1])["job_id"] == JOB
        await pilot.press("y")
        await until(pilot, lambda: isinstance(app.screen, CopyMenu))
        assert f"command lines are copied with -w {root}"[:40] in screen_text(app)
        number = next(number for number, line in enumerate(offered(app)) if "ingest-tui job cancel" in line)
        await pilot.press(*["j"] * number, "enter")
        await until(pilot, lambda: len(sent) == 3)
        assert sent[2] == f"ingest-tui -w {root} job cancel {JOB}"

    run_story(root, story)


def test_what_is_copied_can_go_to_a_file(root: Path, sent: list[str], tmp_path: Path) -> None:
    """``w`` asks for a name and writes there; a file that is there is left alone."""
    add_job(root, JOB)
    target = tmp_path / "copied.txt"

    async def story(app: Any, pilot: Any) -> None:
        await until(pilot, lambda: len(app.screen.table.rows) == 1)
        for _ in range(2):
            await pilot.press("y")
            await until(pilot, lambda: isinstance(app.screen, CopyMenu))
            await pilot.press("w")
            await until(pilot, lambda: isinstance(app.screen, Ask))
            app.focused.value = str(target)
            await pilot.press("enter")
            await until(pilot, target.exists)
        await until(pilot, lambda: "is there already" in notices(app))
        assert target.read_text() == JOB
        assert sent == []

    run_story(root, story)


def test_what_is_too_long_for_the_clipboard_says_where_it_can_go(root: Path, sent: list[str]) -> None:
    """Terminals take 75 KB and drop the rest, so it is not sent at all."""
    add_job(root, JOB, errors=["x" * 100])

    async def story(app: Any, pilot: Any) -> None:
        await until(pilot, lambda: len(app.screen.table.rows) == 1)
        app.screen.send("x" * 100_000)
        await until(pilot, lambda: "too long for the terminal's clipboard" in notices(app))

    run_story(root, story)


def test_a_source_is_edited_and_saved(root: Path, folder: Path, typed: list[Any]) -> None:
    """What the editor leaves is saved when it is valid."""
    add_folder(root, folder)
    typed.append(lambda text: text.replace('"watch": false', '"watch": true'))

    async def story(app: Any, pilot: Any) -> None:
        await pilot.press("2")
        await until(pilot, lambda: isinstance(app.screen, SourcesScreen) and bool(app.screen.table.rows))
        await pilot.press("e")
        await until(pilot, lambda: "saved: source handbook" in notices(app))
        await until(pilot, lambda: app.screen.table.rows[0].source.watch)

    run_story(root, story)


def test_what_is_not_valid_can_be_corrected_or_left(root: Path, folder: Path, typed: list[Any]) -> None:
    """The text of a person is not lost: the editor opens again on it, or the source stays as it was."""
    add_folder(root, folder)
    seen: list[str] = []

    def again(text: str) -> str:
        seen.append(text)
        return text

    typed += [lambda _text: "{ broken", again, lambda text: text]

    async def story(app: Any, pilot: Any) -> None:
        await pilot.press("2")
        await until(pilot, lambda: isinstance(app.screen, SourcesScreen) and bool(app.screen.table.rows))
        await pilot.press("e")
        await until(pilot, lambda: isinstance(app.screen, Choose) and "not JSON" in screen_text(app))
        await pilot.press("enter")
        await until(pilot, lambda: seen == ["{ broken"] and isinstance(app.screen, Choose))
        await pilot.press("j", "enter")
        await until(pilot, lambda: "left as it was" in notices(app))

    run_story(root, story)
    assert not open_workspace_at(root).sources.get("handbook").watch


def test_an_editor_that_is_late_is_shown_what_has_changed(root: Path, folder: Path, typed: list[Any]) -> None:
    """What somebody else saved while the editor was open is shown, and lost only when the person edits over it."""
    add_folder(root, folder)
    seen: list[str] = []

    def slowly(text: str) -> str:
        workspace = open_workspace_at(root)
        edit_source(workspace, "handbook", priority=3)
        workspace.close()
        return text.replace('"watch": false', '"watch": true')

    def again(text: str) -> str:
        seen.append(text)
        return text.replace('"priority": 100', '"priority": 3')

    typed += [slowly, again]

    async def story(app: Any, pilot: Any) -> None:
        await pilot.press("2")
        await until(pilot, lambda: isinstance(app.screen, SourcesScreen) and bool(app.screen.table.rows))
        await pilot.press("e")
        await until(pilot, lambda: isinstance(app.screen, Choose) and "priority: theirs 3" in screen_text(app))
        assert not open_workspace_at(root).sources.get("handbook").watch
        await pilot.press("j", "enter")
        await until(pilot, lambda: "saved: source handbook" in notices(app))

    run_story(root, story)
    assert '"watch": true' in seen[0]
    source = open_workspace_at(root).sources.get("handbook")
    assert (source.watch, source.priority) == (True, 3)


def test_other_records_are_only_looked_at(root: Path, typed: list[Any]) -> None:
    """A manifest that was changed in the editor is not written back, and an editor that fails is reported."""
    add_job(root, JOB)
    typed += [lambda text: text + "x", IngestError("the editor 'nonesuch' cannot be started", hint="VISUAL names it")]

    async def story(app: Any, pilot: Any) -> None:
        before = (root / "jobs" / JOB / "manifest.json").read_bytes()
        await until(pilot, lambda: isinstance(app.screen, JobsScreen) and len(app.screen.table.rows) == 1)
        await pilot.press("e")
        await until(pilot, lambda: "this was a copy" in notices(app))
        await pilot.press("e")
        await until(pilot, lambda: "VISUAL names it" in notices(app))
        assert (root / "jobs" / JOB / "manifest.json").read_bytes() == before

    run_story(root, story)


def test_without_a_record_the_editor_is_not_opened(root: Path) -> None:
    """Empty lists have nothing to edit, and say so."""

    async def story(app: Any, pilot: Any) -> None:
        await pilot.press("e")
        await until(pilot, lambda: "there is no JSON" in notices(app))

    run_story(root, story)


# The editor itself


def test_the_editor_is_the_persons_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """VISUAL outranks EDITOR, both may have options; the text comes back, and its file is private and gone."""
    script = tmp_path / "my editor"
    script.write_text(
        '#!/bin/sh\n[ "$1" = -w ] || exit 9\nstat -c %a "$2" > mode\necho "$2" > name\necho more >> "$2"\n'
    )
    script.chmod(0o700)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("EDITOR", "false")
    monkeypatch.setenv("VISUAL", f"'{script}' -w")
    assert editor.edited("text\n", "record.json") == "text\nmore\n"
    place = Path((tmp_path / "name").read_text().strip())
    assert place.name == "record.json"
    assert not place.parent.exists()


@pytest.mark.parametrize("command", ["false", "/nowhere/to/be/found", "'"])
def test_an_editor_that_fails_changes_nothing(command: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """It cannot be started, it says that it failed, or nobody can tell what it is."""
    monkeypatch.delenv("VISUAL", raising=False)
    monkeypatch.setenv("EDITOR", command)
    with pytest.raises(IngestError) as caught:
        editor.edited("text", "record.json")
    assert "EDITOR" in caught.value.hint
