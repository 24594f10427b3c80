"""Equal contents that meet, each way by itself; `test_random_histories` mixes them."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ingest_tui.execution import local as local_execution
from ingest_tui.model.keys import file_uri
from ingest_tui.pipeline.commit import committer as commit_module
from ingest_tui.services.sources.sources import edit_source
from tests.faults.crash_lab import quicken
from tests.faults.history_lab import CONTENTS, NamedPool, World

pytestmark = pytest.mark.slow

HERON, HERON_CRLF, OTTER, EGRET = CONTENTS[:4]


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    """A folder with two files that the source ``docs`` has taken in."""
    quicken(monkeypatch)
    monkeypatch.setattr(local_execution, "ParserPool", NamedPool)
    monkeypatch.setattr(commit_module, "BATCH_SECONDS", 0.02)
    world = World(tmp_path)
    world.add("docs")
    world.write("a.txt", HERON)
    world.write("b.txt", OTTER)
    world.sync("docs")
    yield world
    world.check()
    world.close()


def at(world: World, source_id: str, key: str) -> str | None:
    """Return the document at a place."""
    places = world.workspace.catalogue.locations(source_id, [key])
    return places[key].document_id if key in places else None


def version_of(world: World, document_id: str | None) -> int:
    return world.workspace.catalogue.documents([document_id or ""])[document_id or ""].version


@pytest.mark.parametrize("content", [HERON, HERON_CRLF])
def test_an_edit_that_makes_two_files_equal(world: World, content: str) -> None:
    """One document at two places is left, whether the bytes or only the texts are equal; the other one is replaced."""
    first, second = at(world, "docs", "a.txt"), at(world, "docs", "b.txt")
    world.write("b.txt", content)
    world.sync("docs")
    assert at(world, "docs", "a.txt") == at(world, "docs", "b.txt") == first
    assert (world.documents("active"), world.documents("retired")) == ([first], [second])


def test_a_file_that_is_different_again_gets_its_document_back(world: World) -> None:
    """What was replaced returns with the next version, so that an address keeps its document."""
    second = at(world, "docs", "b.txt")
    world.write("b.txt", HERON)
    world.sync("docs")
    world.write("b.txt", EGRET)
    world.sync("docs")
    assert (at(world, "docs", "b.txt"), version_of(world, second)) == (second, 2)
    assert world.documents("retired") == []


def test_two_files_that_exchange_their_contents(world: World) -> None:
    """The documents follow their contents, and neither gets a new version."""
    first, second = at(world, "docs", "a.txt"), at(world, "docs", "b.txt")
    world.write("a.txt", OTTER)
    world.write("b.txt", HERON)
    world.sync("docs")
    assert (at(world, "docs", "a.txt"), at(world, "docs", "b.txt")) == (second, first)
    assert (version_of(world, first), version_of(world, second)) == (1, 1)


def test_two_sources_over_one_folder(world: World) -> None:
    """A file is one document to both, and stays it when it changes, whichever of them sees that first."""
    first = at(world, "docs", "a.txt")
    world.add("twin")
    world.sync("twin")
    assert at(world, "twin", "a.txt") == first
    for number, (content, source_id) in enumerate([(EGRET, "docs"), ("crane here\n", "twin")], start=2):
        world.write("a.txt", content)
        world.sync(source_id)
        assert at(world, "docs", "a.txt") == at(world, "twin", "a.txt") == first
        assert version_of(world, first) == number
        world.check()
    world.sync("docs")
    assert (at(world, "docs", "a.txt"), version_of(world, first)) == (first, 3)


def test_reading_again_makes_no_version_of_what_is_the_same(world: World) -> None:
    """Two names whose parsers read the same bytes in different ways are one document, with the text of its own name."""
    world.copy("a.txt", "c.loud")
    world.sync("docs")
    for _ in range(4):
        world.sync("docs", force=True)
    document_id = at(world, "docs", "a.txt")
    assert (at(world, "docs", "c.loud"), version_of(world, document_id)) == (document_id, 1)


def test_reading_again_finds_what_a_parser_makes_different(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another text is a new version once; when it is the text of another document, they become one."""
    first, second = at(world, "docs", "a.txt"), at(world, "docs", "b.txt")
    monkeypatch.setattr(NamedPool, "replaced", {HERON: "crane here\n"})
    for _ in range(2):
        world.sync("docs", force=True, check=False)
    assert (version_of(world, first), version_of(world, second)) == (2, 1)
    monkeypatch.setattr(NamedPool, "replaced", {HERON: OTTER})
    world.sync("docs", force=True, check=False)
    assert at(world, "docs", "a.txt") == at(world, "docs", "b.txt") == second


def test_a_folder_that_was_renamed_has_its_documents_at_the_new_address(world: World) -> None:
    """The source is told of the new path; nothing else has changed, and no place keeps the old address."""
    first, second = at(world, "docs", "a.txt"), at(world, "docs", "b.txt")
    renamed = world.folder.with_name("renamed")
    world.folder.rename(renamed)
    world.folder = renamed
    edit_source(world.workspace, "docs", config={"path": str(renamed)})
    world.sync("docs")
    assert (at(world, "docs", "a.txt"), at(world, "docs", "b.txt")) == (first, second)
    uris = {row[0] for row in world.workspace.catalogue.execute("SELECT uri FROM locations")}
    assert uris == {file_uri(os.fsencode(renamed / name)) for name in ("a.txt", "b.txt")}


def test_a_rename_onto_a_file_that_another_source_knows(world: World) -> None:
    """The address belongs to the document that moved there, to both sources."""
    first, second = at(world, "docs", "a.txt"), at(world, "docs", "b.txt")
    world.add("twin")
    world.sync("twin")
    world.exclude("docs", ["b.txt"])
    world.sync("docs")
    world.move("a.txt", "b.txt")
    world.exclude("docs", [])
    world.sync("docs")
    assert at(world, "docs", "b.txt") == at(world, "twin", "b.txt") == first
    assert world.documents("retired") == [second]


def touched(world: World) -> None:
    world.touch("a.txt")
    world.sync("docs")


def renamed(world: World) -> None:
    world.move("a.txt", "deep/d.txt")
    world.sync("docs")


def away_and_back(world: World) -> None:
    world.delete("a.txt")
    world.sync("docs")
    world.write("a.txt", HERON)
    world.sync("docs")


def seen_by_another_source(world: World) -> None:
    world.add("twin")
    world.sync("twin")


def filtered_for_a_while(world: World) -> None:
    world.exclude("docs", ["a.txt"])
    world.sync("docs")
    world.exclude("docs", [])
    touched(world)


@pytest.mark.parametrize("unasked", [touched, renamed, away_and_back, seen_by_another_source, filtered_for_a_while])
def test_what_a_person_removed_does_not_come_back_unasked(world: World, unasked: Callable[[World], None]) -> None:
    """The bytes decide, not times, names or sources."""
    first = at(world, "docs", "a.txt")
    world.remove(world.documents("active").index(first or ""))
    unasked(world)
    assert first in world.documents("retired")
    assert len(world.documents("active")) == 1


def test_what_a_person_removed_returns_with_new_content(world: World) -> None:
    """An edit is no longer what was removed: the document is back with its next version."""
    first = at(world, "docs", "a.txt")
    world.remove(world.documents("active").index(first or ""))
    world.write("a.txt", EGRET)
    world.sync("docs")
    assert (at(world, "docs", "a.txt"), version_of(world, first)) == (first, 2)


def test_what_a_person_removed_returns_when_asked_for(world: World) -> None:
    """Reading everything again, or uploading the file, asks for it."""
    first = at(world, "docs", "a.txt")
    world.remove(world.documents("active").index(first or ""))
    world.sync("docs", force=True)
    assert at(world, "docs", "a.txt") == first
    world.remove(world.documents("active").index(first or ""))
    world.upload("a.txt")
    assert at(world, "docs", "a.txt") == at(world, "upload", "default/a.txt") is not None
