"""A source is made and changed by the fields that it has."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from ingest_tui.model.errors import ConflictError, UsageError, ValidationError
from ingest_tui.services.sources.sources import add_source, edit_source, replace_source
from ingest_tui.services.sources.trials import SourceDraft, draft_of, save_draft, source_problems
from ingest_tui.store.workspace import init_workspace


def test_a_setting_that_no_source_has_is_refused(tmp_path: Path) -> None:
    """A name that is spelled wrong is reported, whether a source is added or edited; nothing is saved."""
    workspace, _ = init_workspace(tmp_path / "workspace")
    config = {"path": str(tmp_path)}
    with pytest.raises(ValidationError, match="a source has no 'wach'"):
        add_source(workspace, source_type="local", name="docs", config=config, wach=True)
    assert workspace.sources.all() == []
    add_source(workspace, source_type="local", name="docs", config=config)
    with pytest.raises(ValidationError, match="a source has no 'wach'"):
        edit_source(workspace, "docs", wach=True)
    assert workspace.sources.get("docs").revision == 1


def test_an_edit_that_changes_nothing_saves_nothing(tmp_path: Path) -> None:
    """No revision and no line in the audit; whoever was to be the only one to edit is still told of others."""
    workspace, _ = init_workspace(tmp_path / "workspace")
    config = {"path": str(tmp_path)}
    added = add_source(workspace, source_type="local", name="docs", config=config)
    number = len(list(workspace.audit.entries()))
    assert edit_source(workspace, "docs", config=config, watch=False) == added
    assert replace_source(workspace, "docs", added.model_dump(mode="json")) == added
    assert workspace.sources.get("docs") == added
    assert len(list(workspace.audit.entries())) == number
    changed = edit_source(workspace, "docs", watch=True)
    assert (changed.revision, len(list(workspace.audit.entries()))) == (2, number + 1)
    assert edit_source(workspace, "docs", config=config, based_on=added) == changed, "what others changed stays"
    with pytest.raises(ConflictError):
        edit_source(workspace, "docs", config=config, based_on=added, keeps_others=False)


def test_none_leaves_a_setting_at_its_default(tmp_path: Path) -> None:
    """What a form has left empty is as if it had not been given; its backends become one field."""
    workspace, _ = init_workspace(tmp_path / "workspace")
    left_empty = {
        "max_size": None,
        "priority": None,
        "watch": None,
        "backend": None,
        "by_type": {"pdf": "unstructured"},
    }
    saved = save_draft(workspace, SourceDraft("local", "docs", {"path": str(tmp_path)}, left_empty))
    assert (saved.max_size, saved.priority, saved.watch) == (50_000_000, 100, False)
    assert saved.extraction.by_type == {"pdf": "unstructured"}


def test_a_source_gets_a_name_that_no_other_is_meant_by(tmp_path: Path) -> None:
    """By an edit, by a form, which says so before it saves, and by its record, where a name that is none is refused."""
    workspace, _ = init_workspace(tmp_path / "workspace")
    for name in ("docs", "More"):
        add_source(workspace, source_type="local", name=name, config={"path": str(tmp_path)})
    assert edit_source(workspace, "docs", name=" Our Docs ").name == "Our Docs"
    for taken in ("more", "More", "", " "):
        with pytest.raises(UsageError):
            edit_source(workspace, "docs", name=taken)
    draft = replace(draft_of(workspace, "docs"), name="More", common={})
    assert source_problems(workspace, draft) == {"name": "a source named 'More' is already there"}
    assert save_draft(workspace, replace(draft, name="Docs", config={})).name == "Docs"
    record = workspace.sources.get("docs").model_dump(mode="json")
    for wrong in ({**record, "name": None}, {name: value for name, value in record.items() if name != "name"}):
        with pytest.raises(ValidationError):
            replace_source(workspace, "docs", wrong)
    assert workspace.sources.get("docs").name == "Docs"


@pytest.mark.parametrize("name", ["upload", "Upload", "Our Docs", " Our Docs ", "docs", "Docs!"])
def test_one_rule_for_names_holds_wherever_a_source_gets_one(tmp_path: Path, name: str) -> None:
    """Adding, editing and both forms refuse what is reserved and what another source is called, in the same words."""
    workspace, _ = init_workspace(tmp_path / "workspace")
    config = {"path": str(tmp_path)}
    for each in ("docs", "more"):
        add_source(workspace, source_type="local", name=each, config=config)
    edit_source(workspace, "docs", name="Our Docs")
    with pytest.raises(UsageError) as added:
        add_source(workspace, source_type="local", name=name, config=config)
    with pytest.raises(UsageError) as renamed:
        edit_source(workspace, "more", name=name)
    said = [added.value.message, renamed.value.message]
    edited = replace(draft_of(workspace, "more"), name=name, common={})
    said += [source_problems(workspace, one)["name"] for one in (edited, SourceDraft("local", name, config))]
    assert len(set(said)) == 1
    assert ("reserved" in said[0]) == (name.lower() == "upload")
    assert [source.name for source in workspace.sources.all()] == ["Our Docs", "more"]
