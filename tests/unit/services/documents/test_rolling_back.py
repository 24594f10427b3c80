"""Going back to an earlier version of a document."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from ingest_tui.model.errors import NotFoundError, UsageError
from ingest_tui.model.plan import ROLLED_BACK
from ingest_tui.services.documents.documents import (
    document_diff,
    document_text,
    document_versions,
    ingestion_record,
    made_by,
    remove_documents,
)
from ingest_tui.services.documents.rollback import roll_back_document
from ingest_tui.services.workspaces import rebuild
from ingest_tui.store.catalogue.queries import find_documents, search_text
from tests.faults.crash_lab import UNREADABLE, quicken
from tests.faults.history_lab import World


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    """A source with one document in two versions: first of a heron, now of an otter."""
    quicken(monkeypatch)
    world = World(tmp_path)
    world.add("docs")
    for text in ("heron here\n", "otter here\n"):
        world.write("a.txt", text)
        world.sync("docs")
    yield world
    world.check()
    world.close()


def text_of(world: World) -> str:
    [document] = find_documents(world.workspace.catalogue)
    return document_text(world.workspace, document.document_id)


def number_of(world: World) -> int:
    return find_documents(world.workspace.catalogue)[0].version


def roll_back(world: World, version: int | None = None) -> None:
    roll_back_document(world.workspace, find_documents(world.workspace.catalogue)[0].document_id, version)


def found(world: World, word: str) -> int:
    return len(search_text(world.workspace.catalogue, word))


def test_the_earlier_version_becomes_the_newest_and_is_searchable_at_once(world: World) -> None:
    """It is a third version, the others stay, the record says what it is made of, and the audit who did it."""
    roll_back(world)
    assert (text_of(world), number_of(world)) == ("heron here\n", 3)
    assert (found(world, "heron"), found(world, "otter")) == (1, 0)
    [document] = find_documents(world.workspace.catalogue)
    versions = document_versions(world.workspace, document.document_id)
    assert [one["version"] for one in versions] == [3, 2, 1]
    assert versions[0]["raw_sha256"] == versions[2]["raw_sha256"]
    assert ingestion_record(world.workspace, document.document_id)["rolled_back"] == {"from": 2, "to": 1}
    assert [one["rolled_back"] for one in versions] == [{"from": 2, "to": 1}, None, None]
    jobs = [f"job {one['job_id']}" for one in versions[1:]]
    assert [made_by(one) for one in versions] == ["rollback from v2 to v1", *jobs]
    [line] = [line for line in world.workspace.audit.entries() if line["action"] == "document.rollback"]
    assert line["target"] == document.document_id
    assert {name: line["details"][name] for name in ("left", "to", "version")} == {"left": 2, "to": 1, "version": 3}


def test_rolling_back_again_undoes_it(world: World) -> None:
    """The version before is the one that was left."""
    roll_back(world)
    roll_back(world)
    assert (text_of(world), number_of(world)) == ("otter here\n", 4)


def test_versions_that_were_only_cut_otherwise_are_passed_over(world: World) -> None:
    """Whoever goes back wants the content of before, not the same one before its chunks were made again."""
    world.write("a.txt", "otter here, and a word more\n" * 200)
    world.sync("docs")
    earlier = number_of(world)
    world.prefer(400)
    world.sync("docs", force=True)
    before = number_of(world)
    assert before > earlier
    roll_back(world)
    assert (text_of(world), number_of(world)) == ("otter here\n", before + 1)


def test_what_the_source_has_does_not_come_back_unasked(world: World) -> None:
    """A sync, also of a touched file and after a failure, leaves it; other content, or a forced sync, is taken."""
    roll_back(world)
    world.sync("docs", check=False)
    world.touch("a.txt")
    world.sync("docs", check=False)
    assert text_of(world) == "heron here\n"
    [place] = world.workspace.catalogue.locations("docs", ["a.txt"]).values()
    assert (place.outcome, place.reason) == ("unchanged", ROLLED_BACK)
    world.write("a.txt", UNREADABLE)
    world.sync("docs", check=False)
    world.write("a.txt", "otter here\n")
    world.sync("docs", check=False)
    assert (text_of(world), number_of(world)) == ("heron here\n", 3)
    world.write("a.txt", "egret here\n")
    world.sync("docs")
    assert (text_of(world), number_of(world)) == ("egret here\n", 4)
    roll_back(world)
    world.sync("docs", force=True)
    assert text_of(world) == "egret here\n"


def test_what_was_left_first_is_remembered(world: World) -> None:
    """Two rollbacks after each other: the file still has what was current before the first."""
    world.write("a.txt", "egret here\n")
    world.sync("docs")
    roll_back(world, 2)
    roll_back(world, 1)
    world.touch("a.txt")
    world.sync("docs", check=False)
    assert text_of(world) == "heron here\n"


def test_an_upload_asks_for_its_content_again(world: World) -> None:
    """Who uploads what was left wants it."""
    world.write("b.txt", "egret here\n")
    world.upload("b.txt")
    [upload] = [one for one in find_documents(world.workspace.catalogue) if one.source_id == "upload"]
    world.write("b.txt", "egret again\n")
    world.upload("b.txt")
    assert roll_back_document(world.workspace, upload.document_id).version == 3
    world.upload("b.txt")
    assert document_text(world.workspace, upload.document_id) == "egret again\n"


def test_a_rebuild_knows_of_it(world: World) -> None:
    """The catalogue made again has the same versions, and the source's content stays left."""
    roll_back(world)
    rebuild(world.workspace)
    world.touch("a.txt")
    world.sync("docs", check=False)
    assert (text_of(world), number_of(world)) == ("heron here\n", 3)


def test_a_document_whose_source_no_longer_has_it_is_retired(world: World) -> None:
    """Going back keeps no document alive: the file is gone."""
    roll_back(world)
    world.delete("a.txt")
    world.sync("docs")
    assert (world.documents("active"), len(world.documents("retired"))) == ([], 1)


def test_content_that_another_document_has_is_not_doubled(world: World) -> None:
    """The refusal names the document that has it; nothing is changed."""
    world.write("b.txt", "heron here\n")
    world.sync("docs")
    document_id = world.workspace.catalogue.locations("docs", ["a.txt"])["a.txt"].document_id
    with pytest.raises(UsageError, match="here already, as document"):
        roll_back_document(world.workspace, str(document_id))
    assert found(world, "heron") == found(world, "otter") == 1


@pytest.mark.parametrize("version", [3, 99])
def test_a_version_that_is_not_there_is_refused(world: World, version: int) -> None:
    """The hint names the command that shows which there are."""
    with pytest.raises(NotFoundError, match="has no version") as caught:
        roll_back(world, version)
    assert "doc versions" in caught.value.hint


def test_the_current_version_the_trash_and_one_version_only_are_refused(world: World) -> None:
    """Each says what is the matter."""
    with pytest.raises(UsageError, match="is the current version"):
        roll_back(world, 2)
    world.write("b.txt", "egret here\n")
    world.sync("docs")
    other = str(world.workspace.catalogue.locations("docs", ["b.txt"])["b.txt"].document_id)
    with pytest.raises(UsageError, match="one version only"):
        roll_back_document(world.workspace, other)
    remove_documents(world.workspace, [other])
    with pytest.raises(UsageError, match="in the trash"):
        roll_back_document(world.workspace, other)


@pytest.mark.parametrize("name", ["normalized.md", "raw.txt", "ingestion.json"])
def test_a_damaged_version_is_not_made_the_newest(world: World, name: str) -> None:
    """Bytes and text are compared with their hashes; nothing is changed, and no folder is left."""
    folder = next((world.root / "ws" / "documents" / "default").glob("*/*/v0001"))
    intact = (folder / name).read_bytes()
    (folder / name).write_bytes(b"{}")
    with pytest.raises(NotFoundError, match="is damaged"):
        roll_back(world)
    assert number_of(world) == 2
    (folder / name).write_bytes(intact)
    assert not list((world.root / "ws" / "documents").glob(".tmp*"))


def test_versions_are_called_alike_wherever_people_read_of_them(world: World) -> None:
    """It is v9 in messages, in what explains a place and above a diff, never the name of its folder."""
    [document] = find_documents(world.workspace.catalogue)
    for attempt in (lambda: roll_back(world, 9), lambda: document_text(world.workspace, document.document_id, 9)):
        with pytest.raises(NotFoundError, match=r"has no version v9$"):
            attempt()
    assert document_diff(world.workspace, document.document_id, 1, 2)[:2] == ["--- v1", "+++ v2"]
    roll_back(world)
    [place] = world.workspace.catalogue.locations("docs", ["a.txt"]).values()
    assert place.detail == "a person went back from v2 to v1"
