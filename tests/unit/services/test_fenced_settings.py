"""Settings that several people change at the same time: nobody's change is lost without being reported."""

from __future__ import annotations

import json
import multiprocessing
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ingest_tui.model.errors import ConflictError, IngestError, UsageError
from ingest_tui.services.collections.collections import add_collection
from ingest_tui.services.record_texts import record_text, save_source_text
from ingest_tui.services.sources.sources import add_source, edit_source, remove_source
from ingest_tui.services.workspaces import set_theme
from ingest_tui.store.workspace import Workspace, init_workspace, open_workspace_at

PROCESSES = 8


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    """A workspace with one source."""
    workspace, _ = init_workspace(tmp_path / "ws")
    for folder in ("docs", "other"):
        (tmp_path / folder).mkdir()
    add_source(workspace, source_type="local", name="Docs", config={"path": str(tmp_path / "docs")})
    return workspace


def write_by_hand(workspace: Workspace, **changes: Any) -> None:
    """Change the file of the source as an editor does: the revision stays."""
    path = workspace.layout.source("docs")
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


# Together


def at_once(root: Path, work: Callable[[Workspace, int], object]) -> list[str]:
    """Do ``work`` in several processes at the same time; returns how each ended: ``done`` or the class of its error."""
    context = multiprocessing.get_context("fork")
    barrier, answers = context.Barrier(PROCESSES), context.SimpleQueue()

    def run(number: int) -> None:
        workspace = open_workspace_at(root)
        barrier.wait(30)
        try:
            work(workspace, number)
        except IngestError as error:
            answers.put(type(error).__name__)
        else:
            answers.put("done")

    children = [context.Process(target=run, args=(number,)) for number in range(PROCESSES)]
    for child in children:
        child.start()
    ended = [answers.get() for _ in children]
    for child in children:
        child.join()
    return ended


def test_edits_of_different_fields_are_all_kept(workspace: Workspace) -> None:
    """Each of several processes that set a field of its own succeeds, and each field has its value afterwards."""
    fields: list[dict[str, Any]] = [
        {"priority": 7}, {"watch": True}, {"max_size": "1 MB"}, {"since": "2026-01-01"}, {"allow_types": ["pdf"]},
        {"deny_types": ["html"]}, {"config": {"include": ["*.md"]}}, {"config": {"exclude": ["*.tmp"]}},
    ]  # fmt: skip
    ended = at_once(workspace.root, lambda opened, number: edit_source(opened, "docs", **fields[number]))
    assert ended == ["done"] * PROCESSES
    source = workspace.sources.get("docs")
    assert (source.priority, source.watch, int(source.max_size), str(source.since)) == (7, True, 10**6, "2026-01-01")
    assert (source.allow_types, source.deny_types) == (("pdf",), ("html",))
    assert (source.source_config["include"], source.source_config["exclude"]) == (["*.md"], ["*.tmp"])
    assert source.revision == 1 + PROCESSES


def test_edits_of_one_field_end_with_one_winner_for_each_revision(workspace: Workspace) -> None:
    """Whoever is late with the same field is told, and the file has as many revisions as edits that succeeded."""
    before = workspace.sources.get("docs")
    ended = at_once(
        workspace.root, lambda opened, number: edit_source(opened, "docs", based_on=before, priority=number)
    )
    assert sorted(set(ended)) == ["ConflictError", "done"]
    assert ended.count("done") == 1
    assert workspace.sources.get("docs").revision == 2


def test_one_name_is_added_once(workspace: Workspace, tmp_path: Path) -> None:
    """Of several processes that add a source or a collection of one name one succeeds; the others are refused."""
    config = {"path": str(tmp_path / "other")}
    ended = at_once(
        workspace.root,
        lambda opened, number: add_source(opened, source_type="local", name="new", config=config, priority=number),
    )
    assert sorted(ended) == ["UsageError"] * (PROCESSES - 1) + ["done"]
    ended = at_once(workspace.root, lambda opened, number: add_collection(opened, "new", description=str(number)))
    assert sorted(ended) == ["UsageError"] * (PROCESSES - 1) + ["done"]


def test_a_workspace_is_made_once(tmp_path: Path) -> None:
    """Several processes that make the same workspace have the same one afterwards, and one of them has made it."""
    init_workspace(tmp_path / "ws")[0].layout.settings.unlink()
    root = tmp_path / "ws"
    context = multiprocessing.get_context("fork")
    barrier, answers = context.Barrier(PROCESSES), context.SimpleQueue()

    def run() -> None:
        barrier.wait(30)
        made, is_new = init_workspace(root)
        answers.put((is_new, made.settings.created_at))

    children = [context.Process(target=run) for _ in range(PROCESSES)]
    for child in children:
        child.start()
    ended = [answers.get() for _ in children]
    assert sum(is_new for is_new, _ in ended) == 1
    assert len({created_at for _, created_at in ended}) == 1


# One after the other


def test_a_late_form_is_told_what_has_changed(workspace: Workspace) -> None:
    """A form that was opened before somebody else saved is refused, with each field of both, and writes nothing."""
    opened = workspace.sources.get("docs")
    edit_source(workspace, "docs", priority=5, watch=True)
    with pytest.raises(ConflictError) as caught:
        edit_source(workspace, "docs", based_on=opened, keeps_others=False, priority=9)
    assert caught.value.exit_code == 5
    differences: Any = caught.value.context["differences"]
    told = {item["field"]: (item["yours"], item["theirs"]) for item in differences}
    assert told == {"priority": (9, 5), "watch": (False, True)}
    assert "priority: theirs 5, yours 9" in caught.value.message
    assert workspace.sources.get("docs").priority == 5


def test_a_late_editor_is_told(workspace: Workspace) -> None:
    """A text that was edited for minutes is not saved over what somebody else has saved meanwhile."""
    before = record_text(workspace, "source", "docs")
    edit_source(workspace, "docs", priority=5)
    with pytest.raises(ConflictError):
        save_source_text(workspace, "docs", json.dumps(json.loads(before) | {"watch": True}), before)
    assert not workspace.sources.get("docs").watch
    after = record_text(workspace, "source", "docs")
    save_source_text(workspace, "docs", json.dumps(json.loads(after) | {"watch": True}), after)
    assert (workspace.sources.get("docs").watch, workspace.sources.get("docs").priority) == (True, 5)


def test_an_edit_by_hand_is_a_change_too(workspace: Workspace) -> None:
    """A file that was changed without a new revision refuses a late form, and keeps a command's other fields."""
    opened = workspace.sources.get("docs")
    write_by_hand(workspace, priority=3, note="kept by its owner")
    with pytest.raises(ConflictError):
        edit_source(workspace, "docs", based_on=opened, keeps_others=False, watch=True)
    edit_source(workspace, "docs", based_on=opened, watch=True)
    record = json.loads(workspace.layout.source("docs").read_text())
    assert (record["priority"], record["watch"], record["note"]) == (3, True, "kept by its owner")


def test_an_edit_of_a_removed_source_is_reported(workspace: Workspace) -> None:
    """A source that was removed while it was edited does not come back, with or without another one of its name."""
    opened = workspace.sources.get("docs")
    remove_source(workspace, "docs")
    for keeps_others in (True, False):
        with pytest.raises(ConflictError, match="removed"):
            edit_source(workspace, "docs", based_on=opened, keeps_others=keeps_others, watch=True)
    assert not workspace.sources.exists("docs")


def test_a_source_that_changed_after_the_question_is_not_removed(workspace: Workspace, tmp_path: Path) -> None:
    """Whoever confirms the removal of a source confirms that of the source that they saw."""
    seen = workspace.sources.get("docs")
    edit_source(workspace, "docs", config={"path": str(tmp_path / "other")})
    with pytest.raises(ConflictError):
        remove_source(workspace, "docs", based_on=seen)
    assert workspace.sources.exists("docs")
    remove_source(workspace, "docs", based_on=workspace.sources.get("docs"))


def test_a_file_without_revision_is_at_zero(workspace: Workspace) -> None:
    """A record of an older program is read as revision 0, and is at 1 once it was saved."""
    path = workspace.layout.source("docs")
    record = json.loads(path.read_text())
    del record["revision"]
    path.write_text(json.dumps(record))
    assert workspace.sources.get("docs").revision == 0
    assert edit_source(workspace, "docs", watch=True).revision == 1


def test_a_damaged_record_is_not_overwritten(workspace: Workspace, tmp_path: Path) -> None:
    """A source whose file is empty is neither added again nor edited."""
    path = workspace.layout.source("docs")
    path.write_text("")
    with pytest.raises(UsageError):
        add_source(workspace, source_type="local", name="docs", config={"path": str(tmp_path / "docs")})
    with pytest.raises(IngestError):
        edit_source(workspace, "docs", watch=True)
    assert path.read_text() == ""


def test_settings_of_the_workspace_keep_what_others_wrote(workspace: Workspace) -> None:
    """A theme is saved into workspace.json as it is now, by hand or not, and counts as a revision."""
    path = workspace.layout.settings
    path.write_text(json.dumps(json.loads(path.read_text()) | {"trash_days": 5}))
    set_theme(workspace, "dark")
    settings = json.loads(path.read_text())
    assert (settings["theme"], settings["trash_days"], settings["revision"]) == ("dark", 5, 2)
