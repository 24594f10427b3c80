"""More than a hundred corruptions of all kinds: each is found, and after the repair nothing is worse."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from ingest_tui.execution.local import local_parsers
from ingest_tui.model.inconsistency import KINDS, Inconsistency, Remedy
from ingest_tui.model.parse_limits import ParseLimits
from ingest_tui.services.documents.search import search
from ingest_tui.services.verify import extraction_again, second_look
from ingest_tui.services.verify.repair import Repaired, verify_and_repair
from ingest_tui.services.verify.verify import VerifyScope, verify
from ingest_tui.store.workspace import Workspace, open_workspace_at
from tests.unit.services.verify.corruption_lab import WORDS, Corruption, Place, corruptions, make_workspace

pytestmark = pytest.mark.slow

ALL = list(corruptions())
LEFT = {Remedy.SOURCE, Remedy.PERSON}


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The workspace that is damaged in copies."""
    return make_workspace(tmp_path_factory.mktemp("prepared"))


class SharedParsers:
    """The parser processes of all repairs of this file; who closes them ends none."""

    def __init__(self, home: Path) -> None:
        (home / "parsers").mkdir()
        self._shared = local_parsers(
            1, ParseLimits(), readable=[home], scratch=home / "parsers", may_run_programs=False
        )
        self.submit = self._shared.submit
        self.end = self._shared.close

    failure = None

    def close(self, *, cancel: bool = False) -> None:
        """Leave them running."""


@pytest.fixture(scope="module")
def parsers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SharedParsers]:
    """Parser processes that may read below the folder of all tests."""
    shared = SharedParsers(tmp_path_factory.getbasetemp())
    yield shared
    shared.end()


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch, parsers: SharedParsers) -> None:
    """Nobody else writes to these workspaces, and no repair starts processes of its own."""
    monkeypatch.setattr(second_look, "_AGAIN_SECONDS", 0.0)
    monkeypatch.setattr(extraction_again, "local_parsers", lambda *_given, **_named: parsers)


@pytest.fixture
def place(prepared: Path, tmp_path: Path) -> Place:
    """A copy of it."""
    shutil.copytree(prepared, tmp_path / "workspace")
    return Place(tmp_path / "workspace")


def contents(root: Path) -> set[str]:
    """Return the digests of all that was fetched or read, wherever it is."""
    files = [path for name in ("raw.*", "normalized.md") for path in root.rglob(name)]
    return {hashlib.sha256(path.read_bytes()).hexdigest() for path in files if path.is_file()}


def answers(workspace: Workspace) -> dict[str, set[str]]:
    """Return which documents each word finds."""
    return {word: {hit.document_id for hit in search(workspace, word, mode="text")} for word in WORDS}


def found_in(root: Path) -> list[Inconsistency]:
    """Return all that a deep verification finds."""
    workspace = open_workspace_at(root)
    try:
        return list(verify(workspace, VerifyScope(deep=True)))
    finally:
        workspace.close()


def test_all_is_as_it_must_be_before(prepared: Path) -> None:
    """The workspace that is damaged afterwards has no finding, and there are more than a hundred corruptions."""
    assert found_in(prepared) == []
    assert len({one.name for one in ALL}) == len(ALL) > 100


DONE = {
    Remedy.QUARANTINE: ("quarantine/",),
    Remedy.KEEP_GOOD: ("quarantine/",),
    Remedy.REMOVE: ("removed", "forgets", "out of the queue"),
    Remedy.ACKNOWLEDGE: ("acknowledged",),
    Remedy.CLOSE: ("only its owner has access",),
    Remedy.FINISH: ("finished or undone",),
}
"""What a repair says that it did, for remedies that are one thing."""


def is_kept(one: Inconsistency, done: list[Repaired], left: list[Inconsistency]) -> bool:
    """Whether a repair has done what was said that it would do about a finding."""
    waits = {other.code for other in left if other.subject == one.subject}
    did = [other.done for other in done if one.subject == other.subject or one.code in other.codes]
    if one.remedy is Remedy.SOURCE:  # or it was found elsewhere after all
        return waits <= {"awaits_source"}
    if one.remedy is Remedy.PERSON:  # of two findings about one file the other may have moved it
        return bool(waits & {one.code, "awaits_person"} or did)
    if one.remedy in DONE:
        return any(word in text for word in DONE[one.remedy] for text in did)
    return not waits & {one.code, "awaits_source", "awaits_person"} or one.code == "outcomes_missing"


def test_every_kind_is_among_the_corruptions() -> None:
    """What a repair leaves to others, and what only a killed process leaves, have tests of their own."""
    elsewhere = {"awaits_source", "awaits_person", "unfinished_change"}
    assert {one.code for one in ALL} | elsewhere == set(KINDS)


@pytest.mark.parametrize("corruption", ALL, ids=lambda one: one.name)
def test_a_corruption_is_found_and_nothing_is_worse_after_its_repair(
    prepared: Path, place: Place, corruption: Corruption
) -> None:
    """Every document that answered still answers, no content is lost, and what is left needs a source or a person."""
    before = open_workspace_at(prepared)
    answered = answers(before)
    before.close()
    corruption.do(place)
    kept = contents(place.root)
    found = found_in(place.root)
    assert corruption.code in {one.code for one in found}
    workspace = open_workspace_at(place.root)
    results = list(verify_and_repair(workspace, VerifyScope(deep=True)))
    left = [one for one in results if isinstance(one, Inconsistency)]
    done = [one for one in results if isinstance(one, Repaired)]
    assert [one for one in found if not is_kept(one, done, left)] == []
    assert [one for one in left if one.kind.remedy not in LEFT] == []
    assert kept <= contents(place.root)
    now = answers(workspace)
    assert {word: answered[word] - now[word] for word in WORDS} == {word: set() for word in WORDS}
    workspace.close()
