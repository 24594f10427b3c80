"""Files attached to mails and embedded in PDFs: part of the text, documents of their own, or names alone."""

from __future__ import annotations

import gzip
from collections.abc import Callable, Iterator, Mapping
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import orjson
import pytest

from ingest_tui.execution import local as local_execution
from ingest_tui.extraction.parse import extract
from ingest_tui.extraction.pool import child
from ingest_tui.extraction.pool.task import Job, wire_form
from ingest_tui.model.attachments import AttachmentsSetting
from ingest_tui.model.extraction import ParseResult, ParseTask
from ingest_tui.model.job import JobState
from ingest_tui.model.parse_limits import FileLimits
from ingest_tui.pipeline import unpack as unpack_module
from ingest_tui.pipeline.commit import committer as commit_module
from ingest_tui.pipeline.job.attachments import attachments_of
from ingest_tui.services.jobs.holds import approve_job
from ingest_tui.services.sources.sources import edit_source, remove_source, takes_otherwise
from ingest_tui.store.records.settings import Settings
from ingest_tui.store.verify import verify_store
from ingest_tui.store.workspace import Workspace
from tests.faults.crash_lab import InlinePool, new_workspace, run_queue, sync
from tests.made_files import pdf_of, pdf_pages, stream, zip_bytes
from tests.unit.pipeline.commit.test_containers import members, outcomes, texts

PLAN, NOTES = b"# Plan\n\nThe bridge opens in May.\n", b"# Notes\n\nBring a lamp.\n"


class ParsersHere(InlinePool):
    """Runs what a parser process runs, at once and in this thread."""

    def submit(self, task: ParseTask, on_result: Callable[[ParseResult], None]) -> None:
        limits = FileLimits(task.size, 2**31, 60, 60, 60, is_memory_fitted=False, is_cpu_fitted=False)
        form = orjson.loads(orjson.dumps(wire_form(Job(task, on_result, limits))))
        on_result(child._run(form, extract, lambda: None)[0])


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The folder of the source."""
    return tmp_path / "source"


@pytest.fixture
def workspace(tmp_path: Path, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Workspace]:
    """A workspace with a source over the folder, whose attachments are documents."""
    monkeypatch.setattr(local_execution, "ParserPool", ParsersHere)
    monkeypatch.setattr(commit_module, "BATCH_SECONDS", 0.08)
    workspace = new_workspace(tmp_path / "workspace", folder)
    read_as(workspace, "documents")
    yield workspace
    assert verify_store(workspace.layout, workspace.catalogue, deep=True) == []
    workspace.close()


def read_as(workspace: Workspace, attachments: AttachmentsSetting) -> None:
    """Choose what becomes of attachments."""
    edit_source(workspace, "docs", attachments=attachments)


def mail(attached: Mapping[str, bytes], subject: str = "the plan") -> bytes:
    """Return a mail with attachments."""
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = "a@example.org", "b@example.org", subject
    message["Date"], message["Message-ID"] = "Mon, 5 Jan 2026 10:00:00 +0000", f"<{subject.replace(' ', '')}@x>"
    message.set_content("See below.")
    for name, content in attached.items():
        message.add_attachment(content, maintype="application", subtype="octet-stream", filename=name)
    return bytes(message)


def pdf_with(files: Mapping[str, bytes], *pages: str) -> bytes:
    """Return a PDF with embedded files."""
    number = 4 + 2 * len(pages)
    names = b" ".join(b"(%s) %d 0 R" % (name.encode(), number + 2 * at) for at, name in enumerate(files))
    more = []
    for at, (name, content) in enumerate(files.items()):
        more.append(
            b"<< /Type /Filespec /F (%s) /UF (%s) /EF << /F %d 0 R >> >>"
            % (name.encode(), name.encode(), number + 2 * at + 1)
        )
        more.append(stream(content, b"/Type /EmbeddedFile"))
    catalogue = b"/Names << /EmbeddedFiles << /Names [%s] >> >>" % names
    return pdf_of(pdf_pages(*pages, catalogue=catalogue, more=more))


def test_attachments_of_a_mail_are_documents(workspace: Workspace, folder: Path) -> None:
    """They have keys, addresses and outcomes of their own, and are not counted as listed; the mail has their names."""
    (folder / "a.eml").write_bytes(
        mail({"plan.md": PLAN, "pic.bin": b"\x00\x01\x02", "all.zip": zip_bytes({"n.md": NOTES})})
    )
    manifest = sync(workspace)
    seen = outcomes(workspace, manifest)
    assert {key: outcome for key, (outcome, _) in seen.items()} == {
        "a.eml": "ingested",
        "a.eml!plan.md": "ingested",
        "a.eml!pic.bin": "rejected",
        "a.eml!all.zip": "ingested",
        "a.eml!all.zip!n.md": "ingested",
    }
    assert (manifest.counters.descriptors_listed, manifest.counters.items_ingested) == (1, 1)
    assert members(manifest) == {"ingested": 3, "rejected": 1}
    found = texts(workspace)
    assert found["a.eml!plan.md"].encode() == PLAN
    assert found["a.eml!all.zip!n.md"].encode() == NOTES
    assert "- plan.md (application/octet-stream" in found["a.eml"]
    assert "bridge" not in found["a.eml"]
    [row] = [row for row in workspace.reading.members_below("docs", "a.eml") if row.key == "a.eml!plan.md"]
    assert (row.container, row.uri) == ("a.eml", f"file://{folder}/a.eml!plan.md")
    assert outcomes(workspace, sync(workspace)) == {"a.eml": ("unchanged", "same_fingerprint")}


@pytest.mark.parametrize(("setting", "has_text"), [("inline", True), ("names", False)])
def test_attachments_are_text_or_names(
    workspace: Workspace, folder: Path, setting: AttachmentsSetting, has_text: bool
) -> None:
    """Without documents of their own the mail has their text under their names, or the names alone."""
    read_as(workspace, setting)
    (folder / "a.eml").write_bytes(mail({"plan.md": PLAN}))
    (folder / "b.pdf").write_bytes(pdf_with({"plan.md": PLAN}, "a page"))
    manifest = sync(workspace)
    assert members(manifest) == {}
    for text in texts(workspace).values():
        assert "plan.md" in text
        assert ("bridge" in text) == has_text


def test_embedded_files_of_a_pdf_are_documents(workspace: Workspace, folder: Path) -> None:
    """So they are of a portfolio whose own pages hold no text."""
    (folder / "a.pdf").write_bytes(pdf_with({"plan.md": PLAN}, "a page"))
    (folder / "b.pdf").write_bytes(pdf_with({"notes.md": NOTES}, ""))
    seen = outcomes(workspace, sync(workspace))
    assert seen["b.pdf"][0] == "empty"
    found = texts(workspace)
    assert {key: text.encode() for key, text in found.items() if "!" in key} == {
        "a.pdf!plan.md": PLAN,
        "b.pdf!notes.md": NOTES,
    }
    assert "a page" in found["a.pdf"]


def test_attachment_that_is_gone_from_its_mail_is_retired(workspace: Workspace, folder: Path) -> None:
    """When a mail changes, its attachments are compared: one is new, one is gone, one stays."""
    (folder / "0.md").write_bytes(b"# other\n")
    (folder / "a.eml").write_bytes(mail({"plan.md": PLAN, "old.md": b"# old\n"}))
    sync(workspace)
    (folder / "a.eml").write_bytes(mail({"plan.md": PLAN, "new.md": NOTES}))
    seen = outcomes(workspace, sync(workspace))
    assert seen["a.eml!old.md"] == ("retired", "not_in_container")
    assert seen["a.eml!new.md"] == ("ingested", "new")
    assert seen["a.eml!plan.md"][0] == "unchanged"
    assert set(texts(workspace)) == {"0.md", "a.eml", "a.eml!plan.md", "a.eml!new.md"}


def test_attachments_stay_while_their_mail_cannot_be_read(workspace: Workspace, folder: Path) -> None:
    """A PDF that is damaged keeps what is embedded in it."""
    (folder / "a.pdf").write_bytes(pdf_with({"plan.md": PLAN}, "a page"))
    sync(workspace)
    (folder / "a.pdf").write_bytes(b"%PDF-1.4 damaged")
    assert outcomes(workspace, sync(workspace))["a.pdf"][0] == "failed"
    assert set(texts(workspace)) == {"a.pdf", "a.pdf!plan.md"}


def test_attachments_go_with_their_mail(workspace: Workspace, folder: Path) -> None:
    """They are retired with it."""
    (folder / "a.eml").write_bytes(mail({"plan.md": PLAN}))
    for number in range(4):
        (folder / f"{number}.md").write_text(f"# number {number}\n")
    sync(workspace)
    (folder / "a.eml").unlink()
    manifest = sync(workspace)
    assert (manifest.counters.items_retired, members(manifest)) == (1, {"retired": 1})


def test_mail_in_a_renamed_folder_takes_its_attachments_along(workspace: Workspace, folder: Path) -> None:
    """Nothing is read again, nothing is held, and the documents keep their ids."""
    (folder / "a").mkdir()
    (folder / "a/m.eml").write_bytes(mail({"plan.md": PLAN, "all.zip": zip_bytes({"n!1.md": NOTES})}))
    sync(workspace)
    before = {document.document_id for document in workspace.reading.all_documents()}
    (folder / "a").rename(folder / "b")
    manifest = sync(workspace)
    assert manifest.held is None
    assert (manifest.counters.items_fetched, manifest.counters.items_moved, members(manifest)) == (0, 1, {"moved": 2})
    assert set(texts(workspace)) == {"b/m.eml", "b/m.eml!plan.md", "b/m.eml!all.zip!n%211.md"}
    assert {document.document_id for document in workspace.reading.all_documents()} == before
    rows = {row.key: row.uri for row in workspace.reading.members_below("docs", "b/m.eml")}
    assert rows["b/m.eml!all.zip!n%211.md"] == f"file://{folder}/b/m.eml!all.zip!n%211.md"
    assert outcomes(workspace, sync(workspace)) == {"b/m.eml": ("unchanged", "same_fingerprint")}
    folder.rename(folder.with_name("elsewhere"))
    edit_source(workspace, "docs", config={"path": str(folder.with_name("elsewhere"))})
    assert members(sync(workspace)) == {"moved": 2}
    rows = {row.key: row.uri for row in workspace.reading.members_below("docs", "b/m.eml")}
    assert rows["b/m.eml!plan.md"] == f"file://{folder.with_name('elsewhere')}/b/m.eml!plan.md"


def test_renamed_mail_keeps_the_documents_of_its_attachments(workspace: Workspace, folder: Path) -> None:
    """A mail that has to be read again under its new name is found to be the same, and so is what is attached."""
    (folder / "a.eml").write_bytes(mail({"plan.md": PLAN}))
    sync(workspace)
    before = {document.document_id for document in workspace.reading.all_documents()}
    (folder / "a.eml").rename(folder / "b.eml")
    manifest = sync(workspace)
    assert (manifest.held, manifest.counters.items_moved, members(manifest)) == (None, 1, {"moved": 1})
    assert {document.document_id for document in workspace.reading.all_documents()} == before


def test_mail_in_an_archive_has_attachments(workspace: Workspace, folder: Path) -> None:
    """Members of members are documents as well; the mail in the archive is one, too."""
    (folder / "a.zip").write_bytes(zip_bytes({"in.eml": mail({"plan.md": PLAN})}))
    sync(workspace)
    assert set(texts(workspace)) == {"a.zip!in.eml", "a.zip!in.eml!plan.md"}


def test_attachments_of_a_mailbox_are_named_by_their_mail(workspace: Workspace, folder: Path) -> None:
    """Two mails of a mailbox may have attachments of one name; a mail that is appended leaves them alone."""
    lines = [b"From x Mon Jan  5 10:00:00 2026\n" + mail({"p.md": PLAN}, "one"), mail({"p.md": NOTES}, "two")]
    (folder / "a.mbox").write_bytes(b"\nFrom x Mon Jan  5 11:00:00 2026\n".join(lines))
    sync(workspace)
    assert {"a.mbox!1/p.md", "a.mbox!2/p.md"} <= set(texts(workspace))


def test_other_setting_reads_mails_again_and_holds_what_was_a_document(workspace: Workspace, folder: Path) -> None:
    """What is no document any more stays until a person agrees; other files are left alone."""
    (folder / "a.eml").write_bytes(mail({"plan.md": PLAN, "all.zip": zip_bytes({"n.md": NOTES})}))
    (folder / "b.zip").write_bytes(zip_bytes({"in.md": b"# in\n"}))
    for number in range(9):
        (folder / f"{number}.md").write_text(f"# number {number}\n")
    sync(workspace)
    before = workspace.sources.get("docs")
    read_as(workspace, "inline")
    assert takes_otherwise(workspace, before, workspace.sources.get("docs"))
    manifest = sync(workspace)
    seen = outcomes(workspace, manifest)
    assert seen["a.eml"] == ("ingested", "rules_changed")
    assert "0.md" not in {key for key, (outcome, _) in seen.items() if outcome != "unchanged"}
    assert manifest.held is not None
    assert manifest.held.documents == 2
    assert "bridge" in texts(workspace)["a.eml"]
    assert {"a.eml!plan.md", "a.eml!all.zip!n.md", "b.zip!in.md"} <= set(texts(workspace))
    approve_job(workspace, manifest.job_id)
    run_queue(workspace)
    assert set(texts(workspace)) == {"a.eml", "b.zip!in.md", *(f"{number}.md" for number in range(9))}
    after = sync(workspace)
    assert (after.held, after.counters.items_skipped_incremental) == (None, 11)


def test_setting_of_before_can_come_back(workspace: Workspace, folder: Path) -> None:
    """Mails that were read with the text of their attachments are read again without it."""
    read_as(workspace, "inline")
    (folder / "a.eml").write_bytes(mail({"plan.md": PLAN}))
    sync(workspace)
    read_as(workspace, "documents")
    manifest = sync(workspace)
    assert manifest.state == JobState.SUCCEEDED
    found = texts(workspace)
    assert set(found) == {"a.eml", "a.eml!plan.md"}
    assert "bridge" not in found["a.eml"]


def test_mail_with_too_many_attachments_is_here_without_them(
    workspace: Workspace, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The limits of archives hold for attachments; the mail is taken all the same, and nothing is retired for it."""
    (folder / "a.eml").write_bytes(mail({"plan.md": PLAN}))
    sync(workspace)
    monkeypatch.setattr(unpack_module, "MAX_MEMBERS", 1)
    (folder / "a.eml").write_bytes(mail({"1.md": b"# 1\n", "2.md": b"# 2\n"}))
    manifest = sync(workspace)
    assert outcomes(workspace, manifest)["a.eml"] == ("ingested", "changed")
    assert set(texts(workspace)) == {"a.eml", "a.eml!plan.md"}


def test_attachment_larger_than_the_source_takes_is_refused(workspace: Workspace, folder: Path) -> None:
    """It has an outcome of its own."""
    edit_source(workspace, "docs", max_size="2KB")
    (folder / "a.eml.gz").write_bytes(gzipped(mail({"large.md": b"# large\n" + b"word " * 3000})))
    assert outcomes(workspace, sync(workspace))["a.eml.gz!large.md"] == ("rejected", "too_large")


def gzipped(content: bytes) -> bytes:
    """Return bytes as gzip packs them."""
    return gzip.compress(content)


def test_form_of_the_settings(workspace: Workspace) -> None:
    """The setting of the source takes precedence over that of the workspace."""
    source: Any = workspace.sources.get("docs")
    general = Settings(attachments="names")
    assert attachments_of(source, general) == "documents"
    assert attachments_of(source.model_copy(update={"attachments": None}), general) == "names"


def test_kept_attachments_belong_to_their_mail_again(workspace: Workspace, folder: Path) -> None:
    """When a source comes back, its mails are read again, as attachments were kept that no listing names."""
    (folder / "a.eml").write_bytes(mail({"plan.md": PLAN, "all.zip": zip_bytes({"n.md": NOTES})}))
    (folder / "b.eml").write_bytes(mail({}, "nothing attached"))
    sync(workspace)
    before = {document.document_id for document in workspace.reading.all_documents()}
    source = workspace.sources.get("docs")
    remove_source(workspace, "docs", keep_documents=True)
    workspace.sources.save(source.model_copy(update={"revision": 0}))
    seen = outcomes(workspace, sync(workspace))
    assert seen["b.eml"] == ("unchanged", "same_fingerprint")
    assert {seen[key][0] for key in ("a.eml!plan.md", "a.eml!all.zip!n.md")} == {"unchanged"}
    assert {document.document_id for document in workspace.reading.all_documents()} == before
    assert workspace.reading.kept_members("default", f"file://{folder}/a.eml") == {}
    assert outcomes(workspace, sync(workspace))["a.eml"] == ("unchanged", "same_fingerprint")
