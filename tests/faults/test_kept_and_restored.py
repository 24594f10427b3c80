"""What a person's word means: documents that are restored, or kept when their source is removed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from ingest_tui.connectors.local.connector import LocalConnector
from ingest_tui.execution import local as local_execution
from ingest_tui.model.errors import UsageError
from ingest_tui.model.source import KEPT_SOURCE
from ingest_tui.pipeline.commit import committer as commit_module
from ingest_tui.services.documents.documents import restore_document
from ingest_tui.services.documents.explain import explain
from ingest_tui.services.sources.sources import add_source
from tests.faults.crash_lab import quicken
from tests.faults.history_lab import CONTENTS, NamedPool, World

pytestmark = pytest.mark.slow

HERON, _HERON_CRLF, OTTER, EGRET = CONTENTS[:4]


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


def at(world: World, source_id: str, key: str) -> str:
    """Return the document at a place."""
    places = world.workspace.catalogue.locations(source_id, [key])
    return (places[key].document_id or "") if key in places else ""


def verdict_on(world: World, name: str) -> str:
    return explain(world.workspace, str(world.folder / name)).verdict


def version_of(world: World, document_id: str) -> int:
    return world.workspace.catalogue.documents([document_id])[document_id].version


def places_of(world: World, document_id: str) -> list[tuple[str, str]]:
    return [(row.source_id, row.key) for row in world.workspace.catalogue.locations_of(document_id)]


def remove(world: World, document_id: str) -> None:
    world.remove(world.documents("active").index(document_id))


# A source that is removed without its documents


@pytest.mark.parametrize("name", ["docs", "twin"])
def test_kept_documents_are_taken_over_unread(world: World, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The folder added again, under any name, has the same documents, and nothing is fetched for it."""
    before = world.documents("active")
    world.remove_source("docs", keep=True)
    world.check()
    assert world.documents("active") == before
    world.add(name)
    with monkeypatch.context() as nothing_is_fetched:
        nothing_is_fetched.setattr(LocalConnector, "fetch", None)
        world.sync(name)
    assert [at(world, name, "a.txt"), at(world, name, "b.txt")] == before
    assert world.workspace.catalogue.value("SELECT count(*) FROM locations WHERE source_id = ?", (KEPT_SOURCE,)) == 0


def test_kept_documents_follow_their_files_again(world: World) -> None:
    """What changed meanwhile is the next version, what is deleted afterwards is retired; there is no second one."""
    first, second = at(world, "docs", "a.txt"), at(world, "docs", "b.txt")
    world.remove_source("docs", keep=True)
    world.write("a.txt", EGRET)
    world.add("twin")
    world.sync("twin")
    assert (at(world, "twin", "a.txt"), version_of(world, first)) == (first, 2)
    world.delete("b.txt")
    world.sync("twin")
    assert (world.documents("active"), world.documents("retired")) == ([first], [second])


def test_kept_documents_do_not_belong_to_another_folder_of_that_name(world: World, tmp_path: Path) -> None:
    """A source of the same name over another folder leaves them alone, though its files are named alike."""
    before = world.documents("active")
    world.remove_source("docs", keep=True)
    other = tmp_path / "other"
    other.mkdir()
    (other / "a.txt").write_text("crane here\n")
    add_source(world.workspace, source_type="local", name="docs", config={"path": str(other)})
    world.sync("docs", check=False)
    assert set(before) < set(world.documents("active"))
    assert {version_of(world, document_id) for document_id in before} == {1}


@pytest.mark.parametrize("loses_catalogue", [False, True])
@pytest.mark.parametrize("keep", [False, True])
@pytest.mark.parametrize("name", ["docs", "twin"])
def test_what_was_removed_stays_removed_in_a_source_that_is_added_again(
    world: World, name: str, *, keep: bool, loses_catalogue: bool
) -> None:
    """A removal is about a content of the collection, whatever becomes of the source; explain says so."""
    first = at(world, "docs", "a.txt")
    remove(world, first)
    world.remove_source("docs", keep=keep)
    assert "it stays out until it changes, also when its source is added again" in verdict_on(world, "a.txt")
    if loses_catalogue:
        world.workspace.close()
        world.workspace.layout.catalogue.unlink()
    world.add(name)
    world.touch("a.txt")
    world.sync(name)
    assert first in world.documents("retired")
    assert len(world.documents("active")) == 1
    assert "it stays out until it changes" in verdict_on(world, "a.txt")
    world.write("a.txt", EGRET)
    world.sync(name)
    assert len(world.documents("active")) == 2


def test_a_forced_sync_of_a_source_that_is_added_again_takes_what_was_removed(world: World) -> None:
    """Who asks for everything gets everything, with its history where the place is the same."""
    first = at(world, "docs", "a.txt")
    remove(world, first)
    world.remove_source("docs", keep=False)
    world.add("docs")
    world.sync("docs", force=True)
    assert first in world.documents("active")
    assert world.documents("retired") == []


# Restoring


def test_a_restored_document_is_at_all_its_places_again(world: World) -> None:
    """Removing took it from each of its places, restoring gives each back, and syncs agree."""
    world.copy("a.txt", "deep/d.txt")
    world.add("twin")
    for source_id in ("docs", "twin"):
        world.sync(source_id)
    first = at(world, "docs", "a.txt")
    before = places_of(world, first)
    remove(world, first)
    assert restore_document(world.workspace, first).document_id == first
    assert places_of(world, first) == before
    assert len(before) == 4
    world.sync("docs")
    assert (places_of(world, first), version_of(world, first)) == (before, 1)


def test_a_document_restored_after_an_edit_follows_its_file(world: World) -> None:
    """The file was edited and not synced: the next sync makes its content the next version."""
    first = at(world, "docs", "a.txt")
    remove(world, first)
    world.write("a.txt", EGRET)
    restore_document(world.workspace, first)
    world.sync("docs")
    assert (at(world, "docs", "a.txt"), version_of(world, first)) == (first, 2)


def test_an_edit_brings_a_removed_document_back_so_that_there_is_nothing_to_restore(world: World) -> None:
    """Remove, edit, sync, restore: one document for the address, and restoring it again is refused in words."""
    first = at(world, "docs", "a.txt")
    remove(world, first)
    world.write("a.txt", EGRET)
    world.sync("docs")
    assert world.documents("retired") == []
    with pytest.raises(UsageError, match="not in the trash"):
        restore_document(world.workspace, first)


def test_what_is_gone_at_its_source_stays_when_it_is_restored(world: World) -> None:
    """A sync does not overrule the person; when the file is back, the document follows it again."""
    first = at(world, "docs", "a.txt")
    world.delete("a.txt")
    world.sync("docs")
    restore_document(world.workspace, first)
    world.sync("docs")
    assert first in world.documents("active")
    world.write("a.txt", EGRET)
    world.sync("docs")
    assert (places_of(world, first), version_of(world, first)) == ([("docs", "a.txt")], 2)


def test_restoring_over_another_document_is_refused(world: World) -> None:
    """One address has one document: the answer names the other one, and when that is removed it works."""
    first, second = at(world, "docs", "a.txt"), at(world, "docs", "b.txt")
    world.write("b.txt", HERON)  # the document of b.txt is replaced by that of a.txt
    world.sync("docs")
    with pytest.raises(UsageError, match=first) as caught:
        restore_document(world.workspace, second)
    assert caught.value.reason == "place_is_taken"
    remove(world, first)
    assert restore_document(world.workspace, second).document_id == second
    world.check()
    world.sync("docs")  # what is there now is not what was restored: the document follows its file
    assert (at(world, "docs", "b.txt"), version_of(world, second)) == (second, 2)


def test_restoring_what_is_here_already_gives_its_places_to_the_document_that_has_it(world: World) -> None:
    """The same content is not there twice: its places go to the other document, or there is nothing to do."""
    first = at(world, "docs", "a.txt")
    remove(world, first)
    world.register("ticket", HERON, None)
    registered = at(world, "upload", "default/ticket")
    assert restore_document(world.workspace, first).document_id == registered
    assert at(world, "docs", "a.txt") == registered
    with pytest.raises(UsageError, match=registered) as caught:
        restore_document(world.workspace, first)
    assert caught.value.reason == "content_is_here"


# Registering


def test_registered_content_that_a_source_has_is_one_document(world: World) -> None:
    """Registering adds a place, and the document outlives the file for it."""
    first = at(world, "docs", "a.txt")
    world.register("ticket", HERON, "script")
    assert at(world, "script", "ticket") == first
    world.delete("a.txt")
    world.sync("docs")
    assert places_of(world, first) == [("script", "ticket")]


def test_registering_other_content_leaves_the_document_to_its_other_places(world: World) -> None:
    """A place that changes gets a document of its own; registering the old content again joins it to the first."""
    first = at(world, "docs", "a.txt")
    world.register("ticket", HERON, "script")
    world.register("ticket", EGRET, "script")
    own = at(world, "script", "ticket")
    assert own not in {"", first}
    world.register("ticket", OTTER, "script")
    assert at(world, "script", "ticket") == at(world, "docs", "b.txt")
    assert own in world.documents("retired")
    world.register("ticket", "crane here\n", "script")
    assert (at(world, "script", "ticket"), version_of(world, own)) == (own, 2)


def test_what_is_restored_after_it_went_at_its_source_stays(world: World) -> None:
    """A removed document whose file went meanwhile is restored for good: no sync retires what a person brought back."""
    document = at(world, "docs", "b.txt")
    remove(world, document)
    world.delete("b.txt")
    world.sync("docs")
    restore_document(world.workspace, document)
    for _ in range(2):
        world.sync("docs")
        assert document in world.documents("active")
    assert places_of(world, document)[0][0] == KEPT_SOURCE


def test_what_is_restored_and_listed_again_follows_its_file(world: World) -> None:
    """Once a sync has seen the file of a restored document, its deletion retires the document as any other."""
    world.write("c.txt", EGRET)
    world.sync("docs")
    document = at(world, "docs", "b.txt")
    remove(world, document)
    restore_document(world.workspace, document)
    world.sync("docs")
    world.delete("b.txt")
    world.sync("docs")
    assert document not in world.documents("active")
