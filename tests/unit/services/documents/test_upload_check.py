"""What is in uploaded files is checked before anything is stored: each that cannot be read is named with its reason."""

from __future__ import annotations

from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest

from ingest_tui.execution import local as local_execution
from ingest_tui.model.errors import IngestError, UsageError
from ingest_tui.model.ocr import NEEDS_OCR
from ingest_tui.services.documents.upload_files import UploadFile, file_at, file_from
from ingest_tui.services.documents.uploads import upload_files
from ingest_tui.store.workspace import Workspace, init_workspace
from tests.conformance.extraction.bad_files import bad_files
from tests.conformance.extraction.conftest import SAMPLES
from tests.faults.crash_lab import KILLER, UNREADABLE, InlinePool, leftovers_of, quicken
from tests.made_files import zip_bytes

KINDS = ("empty", "blank", "noise", "cut", "locked", "text", "picture", "program", "damaged", "gzip")


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[Workspace]:
    """A workspace without sources."""
    workspace, _ = init_workspace(tmp_path / "workspace")
    yield workspace
    workspace.close()


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Parse in this process."""
    quicken(monkeypatch)


def stream(content: str | bytes, name: str) -> UploadFile:
    return file_from(BytesIO(content.encode() if isinstance(content, str) else content), name)


def refusals(workspace: Workspace, *files: UploadFile) -> dict[str, str]:
    """Return the code of each file that is refused, by its name; nothing is stored then, and the audit has a line."""
    before = leftovers_of(workspace.root), workspace.jobs.ids(), workspace.jobs.queued_ids()
    with pytest.raises(IngestError) as caught:
        upload_files(workspace, files)
    assert (leftovers_of(workspace.root), workspace.jobs.ids(), workspace.jobs.queued_ids()) == before
    line = list(workspace.audit.entries())[-1]
    assert (line["action"], line["outcome"]) == ("upload", "refused")
    listed: list[Any] = caught.value.context.get("files") or [  # type: ignore[assignment]
        {"message": caught.value.message, "hint": caught.value.hint, "code": caught.value.reason}
    ]
    assert all(one["hint"] for one in listed)
    return {file.name: one["code"] for file in files for one in listed if one["message"].startswith(file.shown)}


@pytest.mark.slow
def test_every_kind_of_bad_file_is_refused(workspace: Workspace) -> None:
    """Empty, cut, encrypted, of no known type, or of another than its name says: of many files each by its reason."""
    bad = {name: one for name, one in bad_files(SAMPLES).items() if name.startswith(KINDS)}
    files = {f"{number}-{one.file_name}": one for number, one in enumerate(bad.values())}
    good = [stream(SAMPLES[kind].content, f"good.{kind}") for kind in ("pdf", "docx", "xlsx", "csv", "parquet")]
    found = refusals(workspace, *good, *(stream(one.content, name) for name, one in files.items()))
    assert found.keys() == files.keys()
    assert {name: code for name, code in found.items() if code not in files[name].reasons} == {}


@pytest.mark.slow
def test_an_archive_is_checked_as_a_whole(workspace: Workspace) -> None:
    """One that is cut is refused; one that holds a file that cannot be read is taken in, and its job names the file."""
    archive = zip_bytes({"a.txt": b"heron", "b.exe": b"MZ\x90\x00" + bytes(500)})
    assert refusals(workspace, stream(archive[:-30], "a.zip")) == {"a.zip": "malformed"}
    upload_files(workspace, [stream(archive, "a.zip")])


@pytest.mark.usefixtures("quick")
def test_all_problems_are_named_at_once(workspace: Workspace, tmp_path: Path) -> None:
    """What is missing, too large or cannot be read: one attempt names all of it, and what is good is not stored."""
    workspace.settings.upload_max_size = type(workspace.settings.upload_max_size)(100)
    large = tmp_path / "large.bin"
    large.write_bytes(bytes(101))
    found = refusals(
        workspace, stream("heron", "good.txt"), file_at(large), stream(UNREADABLE, "bad.bin"),
        stream(b"x" * 101, "stream.bin"), stream("", "empty.txt"),
    )  # fmt: skip
    assert found == {
        "large.bin": "too_large", "stream.bin": "too_large", "bad.bin": "malformed", "empty.txt": "no_text",
    }  # fmt: skip


@pytest.mark.usefixtures("quick")
def test_one_refused_file_says_what_to_do(workspace: Workspace) -> None:
    """Its message names the file and the reason, its hint the remedy and that it is to be uploaded again."""
    with pytest.raises(UsageError) as caught:
        upload_files(workspace, [stream("heron", "good.txt"), stream(UNREADABLE, "bad.bin")])
    assert caught.value.message == "bad.bin cannot be taken in: it cannot be read"
    assert caught.value.hint.endswith("upload it again")
    assert caught.value.exit_code == 2


@pytest.mark.usefixtures("quick")
def test_what_the_machine_may_be_to_blame_for_is_left_to_the_job(workspace: Workspace) -> None:
    """A parser that died, or had no time or memory, may do better in the job, which tries more often."""
    upload_files(workspace, [stream(KILLER, "a.bin")])
    assert len(list(workspace.layout.jobs.iterdir())) == 1


@pytest.mark.parametrize(("status", "reason"), [("empty", NEEDS_OCR), ("empty", "empty"), ("rejected", NEEDS_OCR)])
def test_pictures_are_left_to_ocr(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch, status: Any, reason: str
) -> None:
    """The check reads none, which takes long: where OCR is on it lets them in, but for a file that holds nothing."""

    class FindsNoText(InlinePool):
        def submit(self, task: Any, on_result: Any) -> None:
            from ingest_tui.model.extraction import ParseResult

            assert not task.ocr.is_on
            on_result(ParseResult(task.task_id, status, reason, "its pages are images"))

    monkeypatch.setattr(local_execution, "ParserPool", FindsNoText)
    assert refusals(workspace, stream("%PDF", "scan.pdf")) == {"scan.pdf": reason}
    workspace.settings.ocr = "auto"
    assert refusals(workspace, stream("", "scan.pdf")) == {"scan.pdf": reason}
    upload_files(workspace, [stream("%PDF", "scan.pdf")])


def test_plain_text_needs_no_parser(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is text by its name and its bytes is taken at once: no parser process is started to look at it."""
    monkeypatch.setattr(local_execution, "ParserPool", None)
    upload_files(workspace, [stream("city\nBern", "a.csv"), stream("Häuser", "b.TXT"), stream("{}", "c.json")])
    with pytest.raises(TypeError):
        upload_files(workspace, [stream("a\0b", "a.txt")])


def test_parsers_that_cannot_be_run_refuse_the_upload(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    """A pool that has failed gives no results: whoever waits for them is not left waiting."""

    class Failed(InlinePool):
        failure: Any = OSError(24, "Too many open files")

        def submit(self, _task: Any, _on_result: Any) -> None:
            pass

    monkeypatch.setattr(local_execution, "ParserPool", Failed)
    with pytest.raises(IngestError, match="parser processes cannot be run"):
        upload_files(workspace, [stream("%PDF", "a.pdf")])
