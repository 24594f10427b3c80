"""`doc explain` through whole workspaces: for each way in which a file is absent or stale, its reason and its hint."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ingest_tui import open_workspace
from ingest_tui.connectors.base import Listing
from ingest_tui.model.descriptor import ListingEnd, ListingPage
from ingest_tui.model.errors import IngestError, UsageError
from ingest_tui.services.api import WorkspaceHandle
from ingest_tui.services.collections.collections import add_collection
from ingest_tui.services.documents import uploads
from ingest_tui.services.documents.documents import get_document, remove_documents, restore_document
from ingest_tui.services.documents.explain import explain
from ingest_tui.services.documents.explain_answer import Explanation
from ingest_tui.services.documents.trash import empty_trash, list_trash
from ingest_tui.services.documents.uploads import upload_files
from ingest_tui.services.jobs.holds import approve_job
from ingest_tui.services.jobs.jobs import enqueue_sync, pause_job
from ingest_tui.services.jobs.plan_preview import plan_source
from ingest_tui.services.sources.sources import add_source, edit_source, remove_source, set_enabled
from ingest_tui.services.workers import follow_job

SAMPLES = Path(__file__).parents[4] / "examples" / "documents" / "special-cases"


class Desk:
    """A workspace with a source ``docs`` on a folder, and what these tests do with both."""

    def __init__(self, home: Path, handle: WorkspaceHandle) -> None:
        self.home, self.docs, self.handle, self.workspace = home, home / "docs", handle, handle.workspace
        self.docs.mkdir()

    def write(self, name: str, content: str | bytes = "") -> Path:
        """Write a file of the source, by default with a content of its own."""
        path = self.docs / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else (content or f"the text of {name}").encode())
        return path

    def sync(self) -> str:
        """Sync the source; returns the job."""
        return self.handle.sync("docs").job_id

    def upload(self, path: Path, content: str) -> None:
        """Write a file and upload it."""
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
        self.run(upload_files(self.workspace, [path]).job_id)

    def run(self, job_id: str) -> None:
        """Run a queued job."""
        follow_job(self.workspace, job_id, lambda _manifest: None, run_here=True)

    def told(self, target: str | Path) -> Explanation:
        """Explain a path of the source, or any other target."""
        is_name = isinstance(target, str) and not target.startswith(("/", "doc:"))
        return explain(self.workspace, str(self.docs / target) if is_name else str(target))

    def check(self, target: str | Path, reason: str, words: str, hint: str, *, here: bool = False) -> Explanation:
        """Check what is said of a target: whether it is here, why (code and words), and what to do."""
        told = self.told(target)
        assert told.verdict.startswith("here: " if here else "not here: "), told.verdict
        assert (told.here, told.reason) == (here, reason), told.verdict
        assert words in told.verdict
        assert hint in told.hint, told.hint
        assert (told.as_dict()["reason"], told.as_dict()["hint"]) == (told.reason, told.hint)
        return told

    def id_of(self, name: str) -> str:
        """Return the id of the document of a file."""
        return get_document(self.workspace, str(self.docs / name)).document_id


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    """A workspace whose source has one file, not synced yet."""
    with open_workspace(tmp_path / "ws") as handle:
        made = Desk(tmp_path, handle)
        made.write("plain.txt", "plain words")
        handle.add_source("docs", path=str(made.docs))
        yield made


def test_what_listing_and_parsers_refused(desk: Desk) -> None:
    """What is not taken is explained by its own reason, and the hint is for that reason."""
    desk.write("blank.txt", " \n")
    desk.write("blob.bin", bytes(range(256)) * 8)
    desk.write("secret.pdf", (SAMPLES / "encrypted.pdf").read_bytes())
    desk.write("broken.docx", (SAMPLES / "broken.docx").read_bytes())
    desk.write("big.txt", "big " * 10000)
    desk.write("page.html", "<p>a page</p>")
    old = desk.write("old.txt")
    os.utime(old, (1e9, 1e9))
    os.mkfifo(desk.docs / "pipe")
    desk.write(".hidden.txt")
    desk.write("drafts/one.txt")
    exclude = {"exclude": ["drafts/"]}
    edit_source(desk.workspace, "docs", config=exclude, max_size="30KB", since="2020-01-01", deny_types=["html"])
    for _ in range(2):  # what failed before is passed over by the second
        desk.sync()
        desk.check("blank.txt", "empty", "empty at", "there is no text in it")
        desk.check("blob.bin", "unsupported_type", "rejected at", "'ingest-tui doctor' lists")
        desk.check("secret.pdf", "encrypted", "encrypted", "remove the password")
        desk.check("broken.docx", "malformed", "failed at", "errors retry --source docs")
        desk.check("big.txt", "too_large", "40.0 kB", "source edit docs --max-size SIZE")
        desk.check("page.html", "type_not_allowed", "takes no html", "--any-type")
        desk.check("old.txt", "too_old", "last changed before 2020-01-01", "--since ''")
        desk.check("pipe", "special_file", "named pipe", "only regular files")
        desk.check(".hidden.txt", "excluded", "hidden files", "source edit docs --help")
        desk.check("drafts/one.txt", "excluded", "drafts is excluded", "source edit docs --help")
    assert "passed over until" in desk.told("broken.docx").verdict
    desk.write("broken.docx", "not the same bytes any more")
    desk.check("broken.docx", "malformed", "it has changed since", "ingest-tui sync docs")


def test_before_the_first_sync_and_while_jobs_wait(desk: Desk) -> None:
    """What no sync has seen says what the source waits for: a first sync, a job, a person."""
    desk.check("plain.txt", "never_synced", "never synced", "ingest-tui sync docs")
    set_enabled(desk.workspace, "docs", enabled=False)
    desk.check("plain.txt", "source_disabled", "disabled", "source enable docs")
    set_enabled(desk.workspace, "docs", enabled=True)
    job = enqueue_sync(desk.workspace, "docs").job_id
    desk.check("plain.txt", "job_queued", job, "worker start")
    pause_job(desk.workspace, job)
    desk.check("plain.txt", "job_paused", job, f"job resume {job}")
    desk.check("nothing.txt", "gone", "no such file", "renamed")


def test_changes_that_no_sync_has_seen(desk: Desk) -> None:
    """What is here may be out of date: the explanation says so, and what the next sync will do."""
    for name in ("same.txt", "edited.txt", "deleted.txt", "folder/inner.txt"):
        desk.write(name)
    desk.sync()
    desk.check("same.txt", "present", "version 1", "", here=True)
    assert not desk.told("same.txt").stale
    desk.write("edited.txt", "other words than before")
    (desk.docs / "deleted.txt").unlink()
    desk.write("new.txt")
    desk.check("edited.txt", "changed", "changed at its source since", "sync docs", here=True)
    desk.check("deleted.txt", "gone", "next sync retires it", "sync docs", here=True)
    desk.check("new.txt", "not_listed_yet", "no sync has seen it yet", "sync docs")
    assert desk.told("edited.txt").stale
    (desk.docs / "same.txt").unlink()
    (desk.docs / "same.txt").symlink_to("edited.txt")
    desk.check("same.txt", "symlink", "it is a symbolic link", "--follow-symlinks", here=True)
    shutil.rmtree(desk.docs / "folder")
    desk.check("folder/inner.txt", "gone", "gone at its source", "sync docs", here=True)


def test_symbolic_links(desk: Desk, tmp_path: Path) -> None:
    """A link, and what is behind one, is explained although no listing names it and no job notes it."""
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "far.txt").write_text("far away")
    desk.write("real/near.txt")
    (desk.docs / "link.txt").symlink_to("plain.txt")
    (desk.docs / "away").symlink_to(outside)
    (desk.docs / "inner").symlink_to("real")
    desk.sync()
    desk.check("link.txt", "symlink", "does not follow", "source edit docs --follow-symlinks")
    desk.check("inner/near.txt", "symlink", "its folder inner is a symbolic link", "--follow-symlinks")
    edit_source(desk.workspace, "docs", config={"follow_symlinks": True})
    (desk.docs / "lost").symlink_to("nowhere")
    desk.check("away/far.txt", "symlink", "leads out of the source's folder", "source of its own")
    desk.check("lost", "symlink", "leads nowhere", "source of its own")
    desk.check("link.txt", "not_listed_yet", "no sync has seen it yet", "sync docs")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("config", "common", "reason", "hint"),
    [
        ({"exclude": ["late.txt"]}, {}, "excluded", "source edit docs --help"),
        ({}, {"max_size": "20"}, "too_large", "--max-size"),
        ({}, {"since": "2020-01-01"}, "too_old", "--since"),
        ({}, {"deny_types": ["text"]}, "type_not_allowed", "--any-type"),
    ],
    ids=["pattern", "size", "age", "type"],
)
def test_what_a_filter_excludes_later(
    desk: Desk, config: dict[str, object], common: dict[str, Any], reason: str, hint: str
) -> None:
    """One rule for every kind of filter: said beforehand, held by the sync, gone once a person approves it."""
    late = desk.write("late.txt", "late words, more than a few of them")
    os.utime(late, (1e9, 1e9))
    for number in range(4):
        desk.write(f"page-{number}.html", f"<p>{number}</p>")
    desk.sync()
    edit_source(desk.workspace, "docs", config=config, **common)
    told = desk.check("late.txt", reason, "holds its deletion until a person approves", hint, here=True)
    assert told.stale
    job = desk.sync()
    desk.check("late.txt", "held", "its deletion waits for a person", f"job approve {job}", here=True)
    assert "source 'docs' leaves it out now" in desk.told("late.txt").verdict
    assert desk.handle.search("late")
    desk.run(approve_job(desk.workspace, job).job_id)
    told = desk.told("late.txt")
    assert not told.here
    assert "retired to the trash" in told.verdict
    assert "source 'docs' leaves it out" in told.verdict
    assert hint in told.hint
    assert "doc restore" in told.hint


@pytest.mark.slow
def test_a_type_that_only_the_bytes_tell_is_held_too(desk: Desk) -> None:
    """A page without an extension is held by a list of types like one with; what has changed is read first."""
    desk.write("nameless", "<!DOCTYPE html><p>a page")
    desk.write("changing", "<!DOCTYPE html><p>a page that changes")
    for number in range(4):
        desk.write(f"words-{number}.txt")
    desk.sync()
    edit_source(desk.workspace, "docs", deny_types=["html"])
    desk.write("changing", "words only, of another type")
    desk.check("nameless", "type_not_allowed", "holds its deletion", "--any-type", here=True)
    desk.check("changing", "changed", "changed at its source since", "sync docs", here=True)
    planned = {one.key: (one.action, one.reason) for one in plan_source(desk.workspace, "docs") if one.action != "skip"}
    assert planned == {"nameless": ("hold", "excluded"), "changing": ("ingest", "changed")}
    job = desk.sync()
    desk.check("nameless", "held", "takes no html", f"job approve {job}", here=True)
    desk.run(approve_job(desk.workspace, job).job_id)
    assert not desk.told("nameless").here
    desk.check("changing", "present", "version 2", "", here=True)


def test_a_filter_that_was_tightened_while_the_last_look_is_lost(desk: Desk) -> None:
    """When nobody knows what chose the documents, those that are excluded are held as those that are gone."""
    desk.write("large.txt", "large " * 1000)
    desk.sync()
    desk.workspace.layout.look("docs").unlink()
    edit_source(desk.workspace, "docs", max_size="1KB")
    job = desk.sync()
    desk.check("large.txt", "held", "leaves it out now", f"job approve {job}", here=True)


def test_a_file_that_outgrew_a_limit_is_kept(desk: Desk) -> None:
    """Without a change of the settings it is no deletion: the last good version stays, and that is said."""
    edit_source(desk.workspace, "docs", max_size="1KB")
    desk.write("grows.txt", "small")
    desk.sync()
    desk.write("grows.txt", "large " * 1000)
    told = desk.check("grows.txt", "too_large", "the next sync keeps this version", "--max-size", here=True)
    assert "holds" not in told.verdict
    desk.sync()
    desk.check("grows.txt", "too_large", "the last good version is kept", "--max-size", here=True)


def test_what_a_person_removed_and_restored(desk: Desk) -> None:
    """A removal holds until the content changes; restoring, changing and emptying the trash are all distinguished."""
    for name in ("back.txt", "edited.txt", "purged.txt"):
        desk.write(name)
    desk.sync()
    ids = {name: desk.id_of(name) for name in ("back.txt", "edited.txt", "purged.txt")}
    remove_documents(desk.workspace, list(ids.values()))
    desk.sync()
    desk.check("back.txt", "removed", "stays out until it changes", f"doc restore {ids['back.txt']}")
    desk.write("edited.txt", "something else")
    desk.check("edited.txt", "removed", "the next sync takes it", "sync docs")
    restore_document(desk.workspace, ids["back.txt"])
    assert desk.told("back.txt").here
    desk.sync()
    desk.check("back.txt", "present", "version 1", "", here=True)
    desk.sync()
    desk.check("edited.txt", "present", "version 2", "", here=True)
    empty_trash(desk.workspace, list(list_trash(desk.workspace)))
    desk.check("purged.txt", "removed", "the trash was emptied since", "sync docs --force")


def test_duplicates_and_renames(desk: Desk) -> None:
    """A duplicate names its original; once that has gone the place that is left keeps the document."""
    desk.write("first.txt", "twins")
    desk.write("old-name.txt")
    desk.sync()
    desk.write("second.txt", "twins")
    (desk.docs / "old-name.txt").rename(desk.docs / "new-name.txt")
    desk.sync()
    desk.check("second.txt", "duplicate", "as a duplicate of", "", here=True)
    desk.check("old-name.txt", "moved", "moved to new-name.txt", "doc explain new-name.txt")
    desk.check("new-name.txt", "present", "version 1", "", here=True)
    (desk.docs / "first.txt").unlink()
    desk.sync()
    desk.check("second.txt", "present", "was a duplicate", "", here=True)
    second = (desk.docs / "second.txt").as_uri()
    desk.check("first.txt", "other_place", f"its content is still searchable, at {second}", f"doc explain {second}")


def test_gone_purged_and_back_again(desk: Desk) -> None:
    """What left its source is in the trash, and says why; after the trash was emptied too."""
    for name in ("gone.txt", "returns.txt", "stays-1.txt", "stays-2.txt"):
        desk.write(name)
    desk.sync()
    gone = desk.id_of("gone.txt")
    (desk.docs / "gone.txt").unlink()
    (desk.docs / "returns.txt").unlink()
    desk.sync()
    desk.check("gone.txt", "not_listed", "source 'docs' no longer listed it", f"doc restore {gone}")
    desk.write("returns.txt")
    desk.check("returns.txt", "not_listed", "at its source again", "sync docs")
    assert explain(desk.workspace, gone).reason == "not_listed"
    empty_trash(desk.workspace, list(list_trash(desk.workspace)))
    desk.check("gone.txt", "purged", "the trash was emptied since", "sync")


def test_a_deletion_that_is_held(desk: Desk) -> None:
    """What is gone but held stays searchable, with the two commands that answer."""
    (desk.docs / "plain.txt").write_text("the only one")
    desk.sync()
    (desk.docs / "plain.txt").unlink()
    job = desk.sync()
    desk.check("plain.txt", "held", "it is gone at its source", f"job refuse {job}", here=True)


@pytest.mark.slow
def test_uploads(desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An upload that another one replaced is found by its own path, and one that changed says how to renew it.

    So is one that was let in before uploads were checked.
    """
    desk.upload(tmp_path / "a" / "note.txt", "the first")
    desk.check(tmp_path / "a" / "note.txt", "uploaded", "added by hand", "", here=True)
    desk.upload(tmp_path / "b" / "note.txt", "the second")
    desk.check(tmp_path / "a" / "note.txt", "replaced", "version 1 came from here", "--version 1", here=True)
    (tmp_path / "b" / "note.txt").write_text("changed since then")
    desk.check(tmp_path / "b" / "note.txt", "changed", "has changed since", "ingest-tui upload", here=True)
    (tmp_path / "c").mkdir()
    shutil.copy(SAMPLES / "encrypted.pdf", tmp_path / "c" / "locked.pdf")
    monkeypatch.setattr(uploads, "unreadable_files", lambda *_arguments: [])
    desk.run(upload_files(desk.workspace, [tmp_path / "c" / "locked.pdf"]).job_id)
    told = desk.check(tmp_path / "c" / "locked.pdf", "encrypted", "encrypted", "remove the password")
    assert told.hint.endswith("upload it again")


@pytest.mark.parametrize("keep", [False, True], ids=["retired", "kept"])
def test_removed_source(desk: Desk, *, keep: bool) -> None:
    """Documents of a source that was removed say so, whether they went or stayed."""
    desk.sync()
    document = desk.id_of("plain.txt")
    remove_source(desk.workspace, "docs", keep_documents=keep)
    if keep:
        told = desk.check("plain.txt", "kept", "a person keeps it", f"doc remove {document}", here=True)
        assert not told.stale
    else:
        desk.check("plain.txt", "source_removed", "source 'docs' was removed", f"doc restore {document}")
        desk.check("other.txt", "not_covered", "no source covers it", "source add")


def test_vanished_root_and_damaged_record(desk: Desk) -> None:
    """A root that is gone deletes nothing and says so; a damaged record is named instead of "no source covers it"."""
    desk.sync()
    desk.docs.rename(desk.home / "elsewhere")
    desk.check("plain.txt", "source_gone", "nothing is deleted", "source test docs", here=True)
    desk.check("other.txt", "source_gone", "does not exist", "source test docs")
    desk.check(desk.docs, "source_gone", "does not exist", "source test docs", here=True)
    (desk.home / "elsewhere").rename(desk.docs)
    (desk.workspace.layout.source("docs")).write_text("{")
    desk.check("plain.txt", "source_damaged", "missing or damaged", "doctor", here=True)
    desk.check("other.txt", "source_damaged", "missing or damaged: docs", "doctor")


def test_unreadable_folder(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is in a folder that may not be read is kept, and the folder is named; root reads all, so access is asked."""
    desk.write("closed/inside.txt")
    desk.sync()
    genuine = os.access

    def access(path: bytes, mode: int) -> bool:
        return not os.fsencode(path).endswith(b"/closed") and genuine(path, mode)

    monkeypatch.setattr("ingest_tui.connectors.local.sighting.os.access", access)
    told = desk.check("closed/inside.txt", "unreadable", "its folder closed cannot be read", "sync docs", here=True)
    assert told.stale
    desk.check("closed/other.txt", "unreadable", "its folder closed cannot be read", "sync docs")
    desk.check("closed", "unreadable", "it cannot be read", "sync docs", here=True)


def test_gap_of_the_last_listing(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the last sync could not look, that is said, also of what seems to be gone now."""
    desk.write("closed/inside.txt")
    desk.sync()
    genuine = os.scandir

    def scandir(path: bytes | int) -> object:
        if not isinstance(path, int) and os.fsencode(path).endswith(b"/closed"):
            raise PermissionError(13, "Permission denied")
        return genuine(path)

    with monkeypatch.context() as patched:
        patched.setattr("ingest_tui.connectors.local.connector.os.scandir", scandir)
        desk.sync()
    (desk.docs / "closed" / "inside.txt").unlink()
    desk.check("closed/inside.txt", "unreadable", "could not look there (closed: Permission denied)", "sync", here=True)


def test_a_gap_that_is_the_whole_source_has_a_name(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """A root whose mount is gone is called "the source itself", in warnings, in the error and in the explanation."""
    desk.sync()

    def listing(_self: object, _cursor: str | None = None) -> Listing:
        yield ListingPage([])
        return ListingEnd(complete=True)

    monkeypatch.setattr("ingest_tui.connectors.local.connector.LocalConnector.list", listing)
    manifest = desk.handle.sync("docs")
    [warning] = manifest.warnings
    assert warning.startswith("the source itself: what was mounted there is gone (")
    assert "complete: the source itself: what" in manifest.errors[-1].message
    desk.check("plain.txt", "unreadable", "(the source itself: what was mounted", "sync docs", here=True)
    assert [(one.action, one.key) for one in plan_source(desk.workspace, "docs")] == [("gap", "")]


def test_folders_and_bare_names(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder, the root, a folder above, a deleted folder and a bare name are explained by what they stand for."""
    desk.write("one/note.txt", "in one")
    desk.write("two/note.txt", "in two")
    desk.write("two/only.txt")
    desk.write("two/blank.txt", " ")
    desk.write("drafts/x.txt")
    edit_source(desk.workspace, "docs", config={"exclude": ["drafts/"]})
    desk.sync()
    monkeypatch.chdir(desk.home)
    told = desk.check(
        desk.docs, "folder", "the folder of source 'docs'; documents: 4, empty: 1", "explain one", here=True
    )
    assert not told.stale
    desk.check("two", "folder", "a folder of source 'docs'; documents: 2, empty: 1", "explain one", here=True)
    desk.check(f"{desk.docs}/two/", "folder", "documents: 2", "explain one", here=True)
    desk.check("drafts", "excluded", "its folder drafts is excluded", "source edit docs --help")
    desk.check(desk.home, "folder", "a folder above the sources docs", "source list", here=True)
    for name, reason, here in (
        ("only.txt", "present", True),
        ("note.txt", "ambiguous", False),
        ("no.txt", "not_covered", False),
    ):
        told = explain(desk.workspace, name)
        assert (told.here, told.reason) == (here, reason), told.verdict
    assert "2 items have that name" in explain(desk.workspace, "note.txt").verdict
    shutil.rmtree(desk.docs / "two")
    desk.check("two", "gone", "documents: 2", "sync docs", here=True)


def test_odd_targets(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """Links above the source, dots, other case, names too long or with a NUL: each gets an answer that is true."""
    desk.sync()
    (desk.home / "link").symlink_to("docs")
    monkeypatch.chdir(desk.home)
    desk.check(desk.home / "link" / "plain.txt", "present", "version 1", "", here=True)
    desk.check(desk.home / "link" / "other.txt", "gone", "no such file in source 'docs'", "renamed")
    for target in (".", "", ".."):
        assert explain(desk.workspace, target).verdict.startswith("here: a folder above the sources docs")
    assert not explain(desk.workspace, "PLAIN.TXT").here
    desk.check("x" * 300, "gone", "no such file", "renamed")
    for target in ("x/" * 5000, "a\0b", "a\0/b", "%", "*.txt", "s3://shelf/key"):
        assert explain(desk.workspace, target).reason == "not_covered", target


def test_a_source_that_is_named_by_a_link(desk: Desk) -> None:
    """What is known by the address that leads through the link is found by the real path too."""
    (desk.home / "alias").symlink_to("docs")
    desk.handle.add_source("linked", path=str(desk.home / "alias"))
    desk.handle.sync("linked")
    desk.check(desk.home / "alias" / "plain.txt", "present", "version 1", "", here=True)
    desk.write("unseen.txt")
    desk.check("unseen.txt", "not_listed_yet", "source 'linked' would take it", "sync linked")


def test_a_failed_sync_and_an_unsettled_file(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """What no sync could take says how the last one failed, or that the file was being written."""
    desk.sync()
    desk.write("new.txt")
    with monkeypatch.context() as patched:
        patched.setattr("ingest_tui.connectors.local.connector.LocalConnector.list", _failing)
        desk.sync()
    desk.check("new.txt", "sync_failed", "the disk is on fire", "sync docs")
    desk.run(enqueue_sync(desk.workspace, "docs", trigger="watch").job_id)
    desk.check("new.txt", "unsettled", "being written when the watch saw it", "sync docs")


def _failing(*_arguments: object) -> object:
    raise IngestError("the disk is on fire")


def test_two_sources_on_one_folder(desk: Desk) -> None:
    """Of two sources that cover a path the one that would take it explains it; the inner one first."""
    desk.write("sub/new.txt")
    add_source(desk.workspace, source_type="local", name="narrow", config={"path": str(desk.docs), "include": ["*.md"]})
    desk.sync()
    desk.write("later.txt")
    desk.check("later.txt", "not_listed_yet", "source 'docs' would take it", "sync docs")
    desk.check("later.md", "gone", "no such file", "renamed")


@pytest.mark.slow
def test_one_place_in_two_collections(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a place that two sources have, each for its collection, both answers are given, and commands ask for one."""
    add_collection(desk.workspace, "second")
    desk.write("sub/one.txt")
    desk.sync()
    desk.handle.add_source("docs2", path=str(desk.docs), collection="second")
    told = desk.told("sub/one.txt")
    assert [(one.source_id, one.here, one.reason) for one in told.others] == [("docs2", False, "never_synced")]
    desk.handle.sync("docs2")
    told = desk.told("sub/one.txt")
    assert "for source 'docs', collection 'default', 1 other source has the same place" in told.verdict
    other = told.others[0]
    assert (other.source_id, other.collection_id, other.here) == ("docs2", "second", True)
    assert other.document is not None
    assert f"'ingest-tui doc explain {other.document.document_id}'" in "\n".join(told.lines())
    assert told.as_dict()["others"][0]["document_id"] == other.document.document_id
    assert not explain(desk.workspace, other.document.document_id).others
    folder = desk.told("sub")
    assert "documents: 1;" in folder.verdict
    assert "documents: 1" in folder.others[0].verdict
    monkeypatch.chdir(desk.home)
    assert [one.source_id for one in explain(desk.workspace, "docs/").others] == ["docs2"]
    with pytest.raises(UsageError, match=r"2 documents at .*collection default.*collection second") as raised:
        get_document(desk.workspace, "docs/sub/one.txt")
    assert set(raised.value.context["document_ids"]) == {other.document.document_id, told.document.document_id}  # type: ignore[union-attr]
    remove_documents(desk.workspace, [told.document.document_id])  # type: ignore[union-attr]
    told = desk.told("sub/one.txt")
    assert told.here
    assert [(one.source_id, one.reason) for one in told.others] == [("docs", "removed")]
    assert get_document(desk.workspace, "docs/sub/one.txt").document_id == other.document.document_id


def test_another_source_that_leaves_it_out_is_no_second_answer(desk: Desk) -> None:
    """Only sources that have a place, or would take what is there, count as others."""
    desk.sync()
    desk.handle.add_source("narrow", path=str(desk.docs), include=["*.md"])
    assert not desk.told("plain.txt").others


def test_dots_say_which_folder_they_are(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of ``.``, ``..`` and an empty name the answer says which folder that is, wherever it is asked."""
    desk.write("sub/one.txt")
    (desk.home / "elsewhere").mkdir()
    desk.sync()
    above, root, sub = "a folder above the sources docs", "the folder of source 'docs'", "a folder of source 'docs'"
    cases = {
        desk.home: {"": above, ".": above, "..": above},
        desk.docs: {"": root, ".": root, "..": above, "../": above},
        desk.docs / "sub": {"": sub, "./": sub, "..": root, "../..": above},
        desk.home / "elsewhere": {"": "no source covers it", "..": above},
    }
    for folder, answers in cases.items():
        monkeypatch.chdir(folder)
        for target, words in answers.items():
            verdict = explain(desk.workspace, target).verdict
            assert words in verdict, (folder, target)
            assert f"{target or 'an empty name'} is {os.path.normpath(folder / target)} here" in verdict


def test_a_hidden_name_is_not_that_of_another_file(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """The dot of a hidden name belongs to it; dots that stand for folders are no names."""
    desk.sync()
    monkeypatch.chdir(desk.home)
    for target in (".plain.txt", "../plain.txt"):
        assert explain(desk.workspace, target).reason == "not_covered"
    assert explain(desk.workspace, "./plain.txt").reason == "present"
