"""A draft has the schedule and the preferences of a source field by field, as a form shows them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ingest_tui.services.sources.trials import SourceDraft, draft_of, save_draft, source_problems
from ingest_tui.store.workspace import Workspace, init_workspace


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    """An empty workspace."""
    return init_workspace(tmp_path / "workspace")[0]


def draft(folder: Path, **common: Any) -> SourceDraft:
    return SourceDraft("local", "docs", {"path": str(folder)}, common)


def edited(workspace: Workspace, **common: Any) -> SourceDraft:
    """Return a draft of the source with these fields changed and no others, as a form hands it over."""
    return replace(draft_of(workspace, "docs"), config={}, common=common)


def test_what_a_draft_chooses_is_saved_and_read_back(workspace: Workspace, tmp_path: Path) -> None:
    """Times and preferences come back as the texts that were entered."""
    chosen = {"chunk_size": "800", "text_columns": 'title, "a,b"', "chunk_unit": "characters"}
    saved = save_draft(workspace, draft(tmp_path, cron="30 6 * * *", tz="Europe/Berlin", preferences=chosen))
    assert saved.schedule is not None
    assert saved.schedule.in_words == "cron 30 6 * * * Europe/Berlin"
    assert (saved.overrides.chunk_size, saved.overrides.text_columns) == (800, ("title", "a,b"))
    common = draft_of(workspace, "docs").common
    assert (common["cron"], common["tz"], common["preferences"]) == ("30 6 * * *", "Europe/Berlin", chosen)
    assert "every" not in common
    assert source_problems(workspace, draft_of(workspace, "docs")) == {}


def test_only_what_is_changed_is_changed(workspace: Workspace, tmp_path: Path) -> None:
    """Fields that an edit leaves out stay; an empty one is as usual again; no rule is no schedule."""
    save_draft(workspace, draft(tmp_path, every="1h", preferences={"chunk_size": "800", "trash_days": "3"}))
    first = save_draft(workspace, edited(workspace, jitter="2m", preferences={"chunk_size": ""}))
    assert first.schedule is not None
    assert first.schedule.in_words == "every 1h, jitter 2m"
    assert first.overrides.chosen() == {"trash_days": 3}
    other = save_draft(workspace, edited(workspace, every="", cron="0 1 * * *", jitter=""))
    assert other.schedule is not None
    assert other.schedule.in_words == "cron 0 1 * * * UTC"
    none = save_draft(workspace, edited(workspace, cron=""))
    assert none.schedule is None
    assert none.overrides.chosen() == {"trash_days": 3}
    assert save_draft(workspace, edited(workspace, priority=7)).schedule is None


@pytest.mark.parametrize(
    ("common", "about", "words"),
    [
        ({"every": "often"}, "every", "15m"),
        ({"every": "15m", "cron": "0 1 * * *"}, "every", "either every or cron"),
        ({"cron": "soon"}, "cron", "five fields"),
        ({"jitter": "2m"}, "every", "no schedule"),
        ({"every": "1h", "tz": "Mars"}, "tz", "no time zone"),
        ({"every": "1h", "quiet_hours": "at night"}, "quiet_hours", "22:00-06:00"),
        ({"preferences": {"chunk_size": "5"}}, "chunk_size", "must be from"),
        ({"preferences": {"chunk_size": "800", "chunk_overlap": "600"}}, "chunk_overlap", "at most half"),
        ({"preferences": {"keep_versions": "all"}}, "keep_versions", "whole number"),
        ({"preferences": {"chunk_unit": "tokens"}}, "chunk_unit", "tokenizer"),
    ],
)
def test_problems_are_next_to_the_field(
    workspace: Workspace, tmp_path: Path, common: dict[str, Any], about: str, words: str
) -> None:
    """What cannot be is reported under the field that it is about, and nothing else is."""
    found = source_problems(workspace, draft(tmp_path, **common))
    assert found.keys() == {about}
    assert words in found[about]
