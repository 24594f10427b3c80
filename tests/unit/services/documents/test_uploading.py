"""Uploading files: what is checked first, names and labels of versions, and what replaces what."""

from __future__ import annotations

from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest

from ingest_tui.model.errors import NotFoundError, UsageError
from ingest_tui.model.job import Manifest
from ingest_tui.services.documents.documents import document_text, document_versions
from ingest_tui.services.documents.pruning import prune_documents, versions_deleted_by, versions_to_prune
from ingest_tui.services.documents.upload_files import UploadFile, file_at, file_from
from ingest_tui.services.documents.uploads import upload_files
from ingest_tui.store.catalogue.queries import find_documents, search_text
from ingest_tui.store.change import EarlierVersion
from ingest_tui.store.verify import verify_store
from ingest_tui.store.workspace import Workspace, init_workspace
from tests.faults.crash_lab import UNREADABLE, leftovers_of, quicken, run_queue


@pytest.fixture
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Workspace]:
    """A workspace without sources, whole in the end."""
    quicken(monkeypatch)
    workspace, _ = init_workspace(tmp_path / "workspace")
    yield workspace
    assert verify_store(workspace.layout, workspace.catalogue, deep=True) == []
    assert leftovers_of(workspace.root) == []
    workspace.close()


def upload(workspace: Workspace, *files: Path | UploadFile, label: str = "", replace: bool = False) -> Manifest:
    queued = upload_files(workspace, files, label=label, replace=replace)
    run_queue(workspace)
    return workspace.jobs.load(queued.job_id)


def stream(text: str, name: str = "report.csv") -> UploadFile:
    return file_from(BytesIO(text.encode()), name)


def labels(workspace: Workspace) -> list[str]:
    [document] = find_documents(workspace.catalogue)
    return [one["version_label"] for one in document_versions(workspace, document.document_id)]


def test_a_label_names_the_version_that_comes_of_it(workspace: Workspace) -> None:
    """Versions without one are called by name and number; all are kept and listed."""
    upload(workspace, stream("heron"), label=" final, as of June ")
    upload(workspace, stream("otter"))
    assert labels(workspace) == ["report.csv (version 2)", "final, as of June"]


def test_a_file_can_be_uploaded_under_another_name(workspace: Workspace, tmp_path: Path) -> None:
    """The name in the collection decides which document it is a version of."""
    path = tmp_path / "export-2026-11.csv"
    path.write_text("heron")
    upload(workspace, stream("otter"))
    upload(workspace, file_at(path, "report.csv"))
    [document] = find_documents(workspace.catalogue)
    assert (document.version, document.file_name) == (2, "report.csv")
    assert document_text(workspace, document.document_id) == "heron"


def test_replacing_deletes_the_versions_before(workspace: Workspace) -> None:
    """Only once the new one is in: what could not be read replaces nothing. Job and audit name what was deleted."""
    upload(workspace, stream("heron"))
    upload(workspace, stream(UNREADABLE), replace=True)
    assert labels(workspace) == ["report.csv (version 1)"]
    replacing = upload(workspace, stream("otter"), replace=True)
    assert labels(workspace) == ["report.csv (version 2)"]
    assert replacing.counters.versions_deleted == 1
    assert list(versions_deleted_by(workspace, replacing.job_id)) == [("default/report.csv", [1])]
    assert [hit.version for hit in search_text(workspace.catalogue, "otter")] == [2]
    [line] = [line for line in workspace.audit.entries() if line["action"] == "document.prune_versions"]
    assert [one.partition(" ")[2] for one in line["details"]["versions"]] == ["v1"]
    assert line["details"]["job_id"] == replacing.job_id


def test_the_same_content_replaces_nothing(workspace: Workspace) -> None:
    """No version comes of it, so none goes."""
    upload(workspace, stream("heron"))
    upload(workspace, stream("otter"))
    upload(workspace, stream("otter"), replace=True)
    assert len(labels(workspace)) == 2


def test_all_files_are_checked_before_anything_is_stored(workspace: Workspace, tmp_path: Path) -> None:
    """One error names each that cannot be taken, with the limit and what to do; no job and no byte is left."""
    large, good = tmp_path / "large.csv", tmp_path / "good.csv"
    with large.open("wb") as file:
        file.truncate(50_000_001)
    good.write_text("heron")
    with pytest.raises(UsageError) as caught:
        upload_files(workspace, [good, large, tmp_path])
    assert "of 3 files 2 cannot be uploaded" in caught.value.message
    assert "uploads take at most 50.0 MB" in caught.value.message
    assert "is not a file" in caught.value.message
    assert "upload_max_size" in caught.value.hint
    files: Any = caught.value.context["files"]
    assert [one["code"] for one in files] == ["too_large", "usage"]
    assert not list(workspace.layout.jobs.iterdir())
    [line] = [line for line in workspace.audit.entries() if line["action"] == "upload"]
    assert (line["outcome"], line["details"]["files"]) == ("refused", ["good.csv", "large.csv", tmp_path.name])


def test_the_limit_is_a_setting(workspace: Workspace, tmp_path: Path) -> None:
    """It holds for files and streams, whose size nobody knows beforehand."""
    workspace.settings.upload_max_size = type(workspace.settings.upload_max_size)(4)
    path = tmp_path / "a.txt"
    path.write_text("heron")
    for file in (file_at(path), stream("heron")):
        with pytest.raises(UsageError, match="at most 4 Bytes"):
            upload_files(workspace, [file])
    assert not list(workspace.layout.jobs.iterdir())
    upload(workspace, stream("ibis"))
    assert len(find_documents(workspace.catalogue)) == 1


def test_a_missing_file_is_named(workspace: Workspace, tmp_path: Path) -> None:
    """As what is not found."""
    with pytest.raises(NotFoundError, match="there is no file"):
        upload_files(workspace, [tmp_path / "a.txt"])


@pytest.mark.parametrize("name", ["", ".", "..", "a/b.csv", "a\0b", "a" * 256])
def test_what_is_no_name_of_a_file_is_refused(name: str) -> None:
    """A name is a name, not a path."""
    with pytest.raises(UsageError, match="no name of a file"):
        file_from(BytesIO(b""), name)


@pytest.mark.parametrize("label", ["a\nb", "a\x1b[2J", "a" * 101])
def test_a_label_is_one_line(workspace: Workspace, label: str) -> None:
    """What cannot be shown as it is, or is longer than a label, is refused."""
    with pytest.raises(UsageError, match="is no label"):
        upload_files(workspace, [stream("heron")], label=label)


def test_earlier_versions_are_deleted_on_request(workspace: Workspace) -> None:
    """All but the newest, as many as are to be kept; the folders are gone, numbers are not used again."""
    for text in ("heron", "otter", "egret"):
        upload(workspace, stream(text))
    [document] = find_documents(workspace.catalogue)
    chosen = versions_to_prune(workspace, [document.document_id], keep=2)
    assert [one.version for one in chosen] == [1]
    assert prune_documents(workspace, chosen) == chosen
    assert prune_documents(workspace, chosen) == []
    folder = workspace.layout.document("default", document.document_id)
    assert sorted(path.name for path in folder.iterdir() if path.is_dir()) == ["v0002", "v0003"]
    current = EarlierVersion("default", document.document_id, 3)
    assert prune_documents(workspace, [current]) == []
    with pytest.raises(UsageError, match="always kept"):
        versions_to_prune(workspace, [document.document_id], keep=0)


def test_an_upload_tells_how_far_it_is(workspace: Workspace, tmp_path: Path) -> None:
    """Files are counted as they are copied, then as they are checked, those that need no parser at once."""
    (tmp_path / "plain.txt").write_text("words")
    (tmp_path / "page.html").write_text("<p>other words</p>")
    told: list[tuple[str, int, int]] = []
    files = [tmp_path / "plain.txt", tmp_path / "page.html"]
    upload_files(workspace, files, progress=lambda *step: told.append(step))
    run_queue(workspace)
    assert told == [("copied", 1, 2), ("copied", 2, 2), ("checked", 1, 2), ("checked", 2, 2)]
