"""Archives whose members are documents: taken in, edited, broken, gone, and hostile."""

from __future__ import annotations

import os
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from ingest_tui.model.job import JobState, Manifest
from ingest_tui.model.plan import KILLS_BEFORE_QUARANTINE
from ingest_tui.pipeline import unpack as unpack_module
from ingest_tui.pipeline.commit.containers import MANY_GONE
from ingest_tui.services.documents.documents import remove_documents
from ingest_tui.services.documents.explain import explain
from ingest_tui.services.documents.restore import restore_retired
from ingest_tui.services.documents.uploads import upload_files
from ingest_tui.services.jobs.jobs import job_items, retry_job
from ingest_tui.services.workspaces import rebuild
from ingest_tui.store.catalogue import queries
from ingest_tui.store.verify import verify_store
from ingest_tui.store.workspace import Workspace
from tests.faults.crash_lab import KILLER, UNREADABLE, new_workspace, quicken, run_queue, sync
from tests.made_files import zip_bytes

ONE, TWO = "# one\n\nThe first.\n", "# two\n\nThe second.\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The folder of the source."""
    return tmp_path / "source"


@pytest.fixture
def workspace(tmp_path: Path, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Workspace]:
    """A workspace with a source over the folder, whose parsers run in the process."""
    quicken(monkeypatch)
    workspace = new_workspace(tmp_path / "workspace", folder)
    yield workspace
    assert verify_store(workspace.layout, workspace.catalogue, deep=True) == []
    workspace.close()


def pack(path: Path, members: Mapping[str, str | bytes]) -> None:
    """Write a zip archive, as another file than what was there."""
    path.with_name("next").write_bytes(zip_bytes(members))
    path.with_name("next").replace(path)


def outcomes(workspace: Workspace, manifest: Manifest) -> dict[str, tuple[str, str]]:
    """Return outcome and reason of each key in a job, each once."""
    found = [outcome for outcome, _ in job_items(workspace, manifest.job_id)]
    by_key = {outcome.key: (str(outcome.outcome), outcome.reason) for outcome in found}
    assert len(by_key) == len(found)
    return by_key


def members(manifest: Manifest) -> dict[str, int]:
    """Return the counters of members that count something."""
    assert manifest.counters.listed_accounted_for == manifest.counters.descriptors_listed
    return {name: number for name, number in manifest.counters.members.model_dump().items() if number}


def texts(workspace: Workspace) -> dict[str, str]:
    """Return the texts of the active documents by the key of their place."""
    store = workspace.document_store
    return {
        document.key: store.normalized(store.folder(document.collection_id, document.document_id, document.version))
        for document in workspace.reading.all_documents()
        if document.state == "active"
    }


def test_members_are_documents_with_a_parent(workspace: Workspace, folder: Path) -> None:
    """Members have keys, addresses and outcomes of their own, and are not counted as listed."""
    pack(folder / "a.zip", {"one.md": ONE, "in/two.md": TWO, "broken.md": UNREADABLE, "empty.txt": ""})
    manifest = sync(workspace)
    assert texts(workspace) == {"a.zip!one.md": ONE, "a.zip!in/two.md": TWO}
    assert members(manifest) == {"ingested": 2, "empty": 1, "failed": 1}
    assert (manifest.counters.descriptors_listed, manifest.counters.items_ingested) == (1, 1)
    assert manifest.state == JobState.PARTIAL
    container = f"file://{folder}/a.zip"
    lines = {outcome.key: outcome for outcome, _ in job_items(workspace, manifest.job_id)}
    assert {line.parent for key, line in lines.items() if "!" in key} == {container}
    assert (lines["a.zip"].parent, lines["a.zip"].outcome) == (None, "ingested")
    assert lines["a.zip!in/two.md"].uri == f"{container}!in/two.md"
    [document] = workspace.reading.documents([lines["a.zip!in/two.md"].document_id or ""]).values()
    assert (document.file_name, document.title) == ("two.md", "two.md")


def test_unchanged_container_costs_one_line(workspace: Workspace, folder: Path) -> None:
    """A container that has not changed is skipped, and nothing is done for its members."""
    pack(folder / "a.zip", {"one.md": ONE, "two.md": TWO})
    sync(workspace)
    manifest = sync(workspace)
    assert outcomes(workspace, manifest) == {"a.zip": ("unchanged", "same_fingerprint")}
    assert members(manifest) == {}


def test_edited_container_makes_versions_of_what_changed(workspace: Workspace, folder: Path) -> None:
    """Of many members only the changed one gets a version; what is gone is retired, and says why."""
    many = {f"{number}.md": f"# {number}\n" for number in range(20)}
    pack(folder / "a.zip", {**many, "gone.md": "# gone\n"})
    sync(workspace)
    pack(folder / "a.zip", {**many, "7.md": "# seven\n"})
    manifest = sync(workspace)
    seen = outcomes(workspace, manifest)
    assert members(manifest) == {"ingested": 1, "unchanged": 19, "retired": 1}
    assert (seen["a.zip!7.md"], seen["a.zip!gone.md"]) == (("ingested", "changed"), ("retired", "not_in_container"))
    assert "a.zip!gone.md" not in texts(workspace)
    answer = explain(workspace, "a.zip!gone.md")
    assert (answer.here, answer.reason) == (False, "not_in_container")


def test_touched_container_is_unchanged(workspace: Workspace, folder: Path) -> None:
    """A container that was only touched is read and has no news."""
    pack(folder / "a.zip", {"one.md": ONE, "pic.bin": UNREADABLE})
    sync(workspace)
    os.utime(folder / "a.zip", (1, 1))
    assert outcomes(workspace, sync(workspace))["a.zip"] == ("unchanged", "same_content")


@pytest.mark.parametrize("broken", [b"PK\x03\x04 cut", b"", UNREADABLE.encode()])
def test_members_stay_while_their_container_cannot_be_read(workspace: Workspace, folder: Path, broken: bytes) -> None:
    """What was searchable stays so when the container is damaged, empty or unreadable, and comes back with it."""
    pack(folder / "a.zip", {"one.md": ONE})
    sync(workspace)
    (folder / "a.zip").write_bytes(broken)
    seen = outcomes(workspace, sync(workspace))
    assert list(seen) == ["a.zip"]
    assert seen["a.zip"][0] in {"failed", "empty"}
    assert texts(workspace) == {"a.zip!one.md": ONE}
    pack(folder / "a.zip", {"one.md": TWO})
    assert outcomes(workspace, sync(workspace))["a.zip!one.md"] == ("ingested", "changed")


def test_members_stay_while_too_many_are_packed(
    workspace: Workspace, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A container beyond the limits is rejected, and what it had before stays."""
    pack(folder / "a.zip", {"one.md": ONE})
    sync(workspace)
    monkeypatch.setattr(unpack_module, "MAX_MEMBERS", 3)
    pack(folder / "a.zip", {f"{number}.md": f"# {number}\n" for number in range(4)})
    assert outcomes(workspace, sync(workspace)) == {"a.zip": ("rejected", "archive_bomb")}
    assert texts(workspace) == {"a.zip!one.md": ONE}


def test_container_that_goes_takes_its_members_along(workspace: Workspace, folder: Path) -> None:
    """Members are retired with their container; held deletions count them as the documents they are."""
    pack(folder / "a.zip", {"one.md": ONE, "two.md": TWO, "inner.zip": zip_bytes({"three.md": "# three\n"})})
    for number in range(5):
        (folder / f"{number}.md").write_text(f"# number {number}\n")
    sync(workspace)
    (folder / "a.zip").unlink()
    manifest = sync(workspace)
    seen = outcomes(workspace, manifest)
    gone = {"a.zip!one.md", "a.zip!two.md", "a.zip!inner.zip!three.md"}
    assert {key for key, outcome in seen.items() if outcome == ("retired", "not_listed")} == gone
    assert members(manifest) == {"retired": 3}
    assert manifest.counters.items_retired == 0


def test_mass_deletion_of_members_is_held(workspace: Workspace, folder: Path) -> None:
    """When most documents of a source are in one archive, its disappearance waits for a person."""
    pack(folder / "a.zip", {f"{number}.md": f"# {number}\n" for number in range(12)})
    (folder / "b.md").write_text("# b\n")
    sync(workspace)
    (folder / "a.zip").unlink()
    manifest = sync(workspace)
    assert manifest.held is not None
    assert manifest.held.documents == 12
    assert len(texts(workspace)) == 13


def many_in(folder: Path, *, prefix: str = "", first: int = 0) -> None:
    """Pack twelve members, from a number on."""
    pack(folder / "a.zip", {f"{prefix}{number}.md": f"# {number}\n" for number in range(first, first + 12)})


@pytest.mark.parametrize("emptied", [zip_bytes({}), zip_bytes({"0.md": "# 0\n"}), b"# no archive any more\n"])
def test_members_stay_when_too_many_are_gone_from_their_container(
    workspace: Workspace, folder: Path, emptied: bytes
) -> None:
    """An archive that lost most of what it had is as a folder that did: its documents stay until a person agrees."""
    many_in(folder)
    (folder / "b.md").write_text("# b\n")
    sync(workspace)
    before = texts(workspace)
    (folder / "a.zip").write_bytes(emptied)
    for _ in range(2):
        assert outcomes(workspace, sync(workspace))["a.zip"] == ("failed", MANY_GONE)
        assert texts(workspace) == before
    source = workspace.sources.get("docs")
    workspace.sources.save(source.model_copy(update={"hold_share": 1.0, "hold_always_share": 1.0}))
    assert members(sync(workspace))["retired"] >= 11
    assert len(texts(workspace)) <= 2


def test_members_packed_again_below_another_folder_are_not_gone(workspace: Workspace, folder: Path) -> None:
    """Documents that are found under other names in their archive are not held."""
    many_in(folder)
    sync(workspace)
    many_in(folder, prefix="export-2/")
    assert outcomes(workspace, sync(workspace))["a.zip"][0] == "ingested"
    assert set(texts(workspace)) == {f"a.zip!export-2/{number}.md" for number in range(12)}


def test_renamed_container_keeps_its_documents(workspace: Workspace, folder: Path) -> None:
    """The members of a renamed archive are moved: their documents keep their ids."""
    pack(folder / "a.zip", {"one.md": ONE, "two.md": TWO})
    sync(workspace)
    before = {document.document_id for document in workspace.reading.all_documents()}
    (folder / "a.zip").rename(folder / "b.zip")
    manifest = sync(workspace)
    assert members(manifest) == {"moved": 2}
    assert texts(workspace) == {"b.zip!one.md": ONE, "b.zip!two.md": TWO}
    assert {document.document_id for document in workspace.reading.all_documents()} == before


def test_containers_within_containers(workspace: Workspace, folder: Path) -> None:
    """Archives in archives are followed to a depth; what is deeper is refused, and the rest is taken."""
    packed = zip_bytes({"deepest.md": "# deepest\n"})
    for depth in (3, 2, 1):
        packed = zip_bytes({"next.zip": packed, f"depth{depth}.md": f"# depth {depth}\n"})
    (folder / "a.zip").write_bytes(packed)
    (folder / "b.md").write_text("# b\n")
    seen = outcomes(workspace, sync(workspace))
    assert set(texts(workspace)) == {
        "b.md", "a.zip!depth1.md", "a.zip!next.zip!depth2.md", "a.zip!next.zip!next.zip!depth3.md",
    }  # fmt: skip
    assert seen["a.zip!next.zip!next.zip!next.zip"] == ("rejected", "archive_bomb")
    (folder / "a.zip").write_bytes(zip_bytes({"depth1.md": "# depth 1\n"}))
    assert set(texts(workspace)) == {
        "b.md", "a.zip!depth1.md", "a.zip!next.zip!depth2.md", "a.zip!next.zip!next.zip!depth3.md",
    }  # fmt: skip
    sync(workspace)
    assert set(texts(workspace)) == {"b.md", "a.zip!depth1.md"}


def test_inner_container_that_breaks_keeps_its_members(workspace: Workspace, folder: Path) -> None:
    """A nested archive that cannot be read this time keeps what was in it, while its outer one is taken in."""
    pack(folder / "a.zip", {"inner.zip": zip_bytes({"one.md": ONE}), "two.md": TWO})
    sync(workspace)
    pack(folder / "a.zip", {"inner.zip": b"PK\x03\x04 cut", "two.md": "# two\n\nOther.\n"})
    seen = outcomes(workspace, sync(workspace))
    assert seen["a.zip!inner.zip"][0] == "failed"
    assert texts(workspace) == {"a.zip!inner.zip!one.md": ONE, "a.zip!two.md": "# two\n\nOther.\n"}


def test_hostile_names_stay_names(workspace: Workspace, folder: Path, tmp_path: Path) -> None:
    """Names that lead out, repeat, differ in case only or hold control characters are documents, and only that."""
    names = [
        "../../out.md",
        "/etc/out2.md",
        "a/../../b.md",
        "c\x1b[31m.md",
        "d.md",
        "D.md",
        "e!f.md",
        "g\n.md",
        "....md",
    ]
    pack(folder / "a.zip", {name: f"# {number}\n" for number, name in enumerate(names)})
    before = {path for path in tmp_path.rglob("*") if not path.is_relative_to(tmp_path / "workspace")}
    manifest = sync(workspace)
    assert members(manifest) == {"ingested": len(names)}
    assert {path for path in tmp_path.rglob("*") if not path.is_relative_to(tmp_path / "workspace")} == before
    keys = set(texts(workspace))
    assert {"a.zip!out.md", "a.zip!etc/out2.md", "a.zip!a/b.md", "a.zip!e%21f.md"} <= keys
    assert sync(workspace).counters.items_skipped_incremental == 1
    assert not list(tmp_path.rglob("out*.md"))


def test_two_members_of_one_name_are_two_documents(workspace: Workspace, folder: Path) -> None:
    """A name that an archive has twice loses neither of its texts."""
    with zipfile.ZipFile(folder / "a.zip", "w") as archive:
        archive.writestr("one.md", ONE)
        with pytest.warns(UserWarning, match="Duplicate name"):
            archive.writestr("one.md", TWO)
    sync(workspace)
    assert texts(workspace) == {"a.zip!one.md": ONE, "a.zip!one~2.md": TWO}


def test_file_named_like_a_member_takes_nothing_over(workspace: Workspace, folder: Path) -> None:
    """Of a file and a member that would have one key the first keeps it, and the other says so."""
    pack(folder / "a.zip", {"one.md": ONE})
    sync(workspace)
    (folder / "a.zip!one.md").write_text(TWO)
    for _ in range(2):
        assert outcomes(workspace, sync(workspace))["a.zip!one.md"] == ("rejected", "key_taken")
        assert texts(workspace) == {"a.zip!one.md": ONE}


def test_member_gets_its_key_when_that_is_free(workspace: Workspace, folder: Path) -> None:
    """A member that a file had the key of becomes a document once the file is gone."""
    pack(folder / "a.zip", {"two.md": TWO})
    (folder / "a.zip!one.md").write_text("# a file\n")
    for number in range(4):
        (folder / f"{number}.md").write_text(f"# number {number}\n")
    sync(workspace)
    pack(folder / "a.zip", {"one.md": ONE, "two.md": TWO})
    assert members(sync(workspace)) == {"rejected": 1, "unchanged": 1}
    (folder / "a.zip!one.md").unlink()
    for _ in range(2):
        sync(workspace)
    assert texts(workspace)["a.zip!one.md"] == ONE


def test_container_in_the_place_of_a_document_and_back(workspace: Workspace, folder: Path) -> None:
    """A document that becomes an archive is retired, and so are the members of an archive that becomes a document."""
    (folder / "a").write_text(TWO)
    (folder / "b.md").write_text("# b\n")
    sync(workspace)
    pack(folder / "a", {"one.md": ONE})
    sync(workspace)
    assert texts(workspace) == {"a!one.md": ONE, "b.md": "# b\n"}
    (folder / "a").write_text("# three\n")
    manifest = sync(workspace)
    assert members(manifest) == {"retired": 1}
    assert texts(workspace) == {"a": "# three\n", "b.md": "# b\n"}


def test_member_that_kills_its_parser_is_tried_twice(workspace: Workspace, folder: Path) -> None:
    """A member in quarantine does not make its container be read by each sync; a person may have it tried again."""
    pack(folder / "a.zip", {"one.md": ONE, "killer.md": KILLER})
    for _ in range(KILLS_BEFORE_QUARANTINE):
        manifest = sync(workspace)
        assert outcomes(workspace, manifest)["a.zip!killer.md"] == ("failed", "crashed")
    assert outcomes(workspace, sync(workspace)) == {"a.zip": ("unchanged", "same_fingerprint")}
    retried = retry_job(workspace, manifest.job_id, failed_only=True)
    run_queue(workspace)
    assert outcomes(workspace, retried)["a.zip!killer.md"] == ("failed", "crashed")


def test_refused_containers(workspace: Workspace, folder: Path) -> None:
    """A source may refuse archives, and take them in once it does no more."""
    pack(folder / "a.zip", {"one.md": ONE})
    source = workspace.sources.get("docs")
    refusing = workspace.sources.save(source.model_copy(update={"containers": "refuse"}))
    sync(workspace)
    assert not texts(workspace).keys() & {"a.zip!one.md"}
    workspace.sources.save(refusing.model_copy(update={"containers": "documents"}))
    sync(workspace)
    assert "a.zip!one.md" in texts(workspace)


def test_removed_member_stays_removed_until_it_changes(workspace: Workspace, folder: Path) -> None:
    """What a person removed does not come back with the next version of its container, and can be restored."""
    pack(folder / "a.zip", {"one.md": ONE, "two.md": TWO})
    sync(workspace)
    [document] = queries.documents_at(workspace.reading, "a.zip!one.md")
    remove_documents(workspace, [document.document_id])
    pack(folder / "a.zip", {"one.md": ONE, "two.md": "# two\n\nOther.\n"})
    sync(workspace)
    assert set(texts(workspace)) == {"a.zip!two.md"}
    [document] = queries.documents_at(workspace.reading, "a.zip!one.md")
    restore_retired(workspace, document)
    sync(workspace)
    assert set(texts(workspace)) == {"a.zip!one.md", "a.zip!two.md"}
    (folder / "a.zip").unlink()
    (folder / "b.md").write_text("# b\n")
    assert sync(workspace).held is not None


def test_rebuilt_catalogue_knows_members(workspace: Workspace, folder: Path) -> None:
    """A catalogue that is made again from the folders knows which places are those of members."""
    pack(folder / "a.zip", {"one.md": ONE, "two.md": TWO})
    sync(workspace)
    before = workspace.reading.members_below("docs", "a.zip")
    rebuild(workspace)
    assert [row[:5] for row in workspace.reading.members_below("docs", "a.zip")] == [row[:5] for row in before]
    assert outcomes(workspace, sync(workspace)) == {"a.zip": ("unchanged", "same_fingerprint")}


def test_uploaded_archive_becomes_documents(workspace: Workspace, tmp_path: Path) -> None:
    """An archive that is added by hand is taken apart as one of a source."""
    pack(tmp_path / "a.zip", {"one.md": ONE, "two.md": TWO})
    upload_files(workspace, [tmp_path / "a.zip"])
    run_queue(workspace)
    assert sorted(texts(workspace).values()) == [ONE, TWO]


def explained(workspace: Workspace, target: Any) -> tuple[bool, str]:
    """Return whether something is here, and why."""
    answer = explain(workspace, str(target))
    return answer.here, answer.reason


def test_explain_answers_for_containers_and_members(workspace: Workspace, folder: Path) -> None:
    """Each question about an archive has its answer: for it, its members, and what is not in it."""
    pack(folder / "a.zip", {"one.md": ONE, "in/pic.md": UNREADABLE})
    sync(workspace)
    assert explained(workspace, folder / "a.zip!one.md") == (True, "present")
    assert explained(workspace, f"file://{folder}/a.zip!one.md") == (True, "present")
    assert explained(workspace, folder / "a.zip!in/pic.md") == (False, "malformed")
    assert explained(workspace, folder / "a.zip") == (True, "container")
    assert explained(workspace, folder / "a.zip!none.md") == (False, "not_in_container")
    os.utime(folder / "a.zip", (1, 1))
    assert explained(workspace, folder / "a.zip!one.md") == (True, "changed")
    (folder / "a.zip").unlink()
    assert explained(workspace, folder / "a.zip!one.md") == (True, "gone")
