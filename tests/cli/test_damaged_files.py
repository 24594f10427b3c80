"""Each file of a workspace, damaged in each way, and the commands that read it: absence is not emptiness.

Whatever is damaged: no command has a traceback, nothing of documents, trash and staging changes, the damaged file stays
as it is, what has nothing to do with it still works, and `doctor` names it.
"""

from __future__ import annotations

import hashlib
import io
import json
import shutil
import sys
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ingest_tui.cli.main import run
from ingest_tui.services.client import Client
from ingest_tui.services.jobs.error_inbox import find_issues
from ingest_tui.services.jobs.jobs import list_jobs
from ingest_tui.store.fs.locks import FileLock
from ingest_tui.store.upgrade import upgrade_workspace
from ingest_tui.store.verify import verify_store
from ingest_tui.store.workspace import Workspace, open_workspace_at
from ingest_tui.worker.engine import Engine
from ingest_tui.worker.living_workers import living_workers
from tests.old_workspace import unpack_workspace_1

pytestmark = pytest.mark.slow

READING = (
    ["source", "list"], ["source", "show", "notes"], ["collection", "list"], ["job", "list"], ["doc", "list"],
    ["search", "topic"], ["errors", "list"], ["audit"], ["worker", "status"],
)  # fmt: skip
CHANGING = (["source", "edit", "notes", "--priority", "7"], ["sync", "--all", "--detach"], ["collection", "add", "new"])
Call = Callable[..., tuple[int, str]]
KINDS = ("upload", "interrupted", "done")
DAMAGES = ("missing", "empty", "cut", "garbled", "newer")


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace with everything in it, two jobs in the queue, of the present schema."""
    home = tmp_path_factory.mktemp("damaged")
    root = unpack_workspace_1(home)
    workspace = open_workspace_at(root)
    upgrade_workspace(workspace.layout)
    trouble = find_issues(workspace, ["broken.pdf"])[0]
    workspace.ignored.note([((trouble.source_id, trouble.key), "mark")], ignore=True, by="test", at="2026-01-01")
    workspace.close()
    (root / "tui.json").write_text('{"schema_version": 1, "views": {"jobs": {"filter": "x"}}}')
    return home


@pytest.fixture
def home(template: Path, tmp_path: Path) -> Path:
    """A copy of it; its sources stay where they are."""
    shutil.copytree(template, tmp_path / "home", symlinks=True)
    return tmp_path / "home"


@pytest.fixture
def root(home: Path) -> Path:
    return home / "workspace"


def job_of(root: Path, kind: str) -> str:
    """Return a job: the ``upload`` that is queued, the sync that was ``interrupted``, or one that is ``done``."""
    for job_id in sorted((path.name for path in (root / "jobs").iterdir()), reverse=True):
        manifest = json.loads((root / "jobs" / job_id / "manifest.json").read_text())
        is_queued = (root / "queue" / job_id).exists()
        if kind == ("done" if not is_queued else "upload" if manifest["kind"] == "upload" else "interrupted"):
            return job_id
    raise LookupError(kind)


def damage(path: Path, how: str) -> None:
    """Damage a file, or remove a folder."""
    data = path.read_bytes() if path.is_file() else b""
    if how == "missing":
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    elif how == "newer":
        path.write_text(json.dumps(json.loads(data) | {"schema_version": 99}))
    else:
        path.write_bytes({"empty": b"", "cut": data[: len(data) // 2], "garbled": b"\x00\xff{" + data[::-1]}[how])


def kept(root: Path) -> dict[str, str]:
    """Return a digest of every file that no command here may change."""
    folders = [root / "documents", root / "trash", *root.glob("jobs/*/staging")]
    files = [path for folder in folders for path in folder.rglob("*") if path.is_file()]
    return {str(path.relative_to(root)): hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(files)}


@pytest.fixture
def call(root: Path, monkeypatch: pytest.MonkeyPatch) -> Call:
    """Calls the program in this process, with streams of its own; returns the exit code and all that it wrote."""

    def calling(*arguments: str) -> tuple[int, str]:
        buffer = io.BytesIO()
        stream = io.TextIOWrapper(buffer, "utf-8", newline="")
        with monkeypatch.context() as patched:
            patched.setattr(sys, "stdout", stream)
            patched.setattr(sys, "stderr", stream)
            patched.setattr(warnings, "showwarning", warnings.showwarning)
            code = run(["--workspace", str(root), *arguments])
            stream.flush()
        written = buffer.getvalue().decode()
        assert "Traceback" not in written
        assert "--debug" not in written, f"an unexpected error: {arguments}\n{written}"
        return code, written

    return calling


def all_cases() -> Iterator[tuple[str, str]]:
    settings = ("workspace.json", "sources/handbook.json", "collections/default.json", "collections/manuals.json")
    for name in (*settings, *(f"jobs/{{{kind}}}/manifest.json" for kind in KINDS)):
        for how in DAMAGES:
            yield name, how
    for name in ("sources", "collections", "queue"):
        yield name, "missing"


def path_of(root: Path, name: str) -> Path:
    return root / name.format(
        **{kind: job_of(root, kind) for kind in ("upload", "interrupted", "done") if kind in name}
    )


@pytest.mark.parametrize(("name", "how"), all_cases(), ids=lambda value: value.replace("/", "-"))
def test_a_damaged_record_harms_nothing_else(root: Path, call: Call, name: str, how: str) -> None:
    """Every command ends with an answer or a clear error; nothing is overwritten, adopted or forgotten."""
    path = path_of(root, name)
    damage(path, how)
    before, left = kept(root), path.read_bytes() if path.is_file() else None
    answers = {tuple(arguments): call(*arguments) for arguments in (*READING, *CHANGING)}
    assert kept(root) == before
    assert (path.read_bytes() if path.is_file() else None) == left
    code, told = call("doctor")
    assert path.name in told or path.parent.name in told or path.stem in told
    if (name, how) == ("sources/handbook.json", "missing"):  # it may have been removed with --keep-documents
        assert "note     source handbook" in told
    else:
        assert (code, "problem" in told) == (1, True)
    if name == "workspace.json":
        expected = "newer ingest-tui" if how == "newer" else "workspace.json"
        assert [written for code, written in answers.values() if code == 0 or expected not in written] == []
        return
    if name != "sources":
        assert answers["source", "show", "notes"][0] == 0
    if name not in {"sources", "collections", "collections/manuals.json"}:  # what is wrong with it is said
        assert answers["source", "edit", "notes", "--priority", "7"][0] == 0
    assert answers["doc", "list"][0] == answers["search", "topic"][0] == answers["job", "list"][0] == 0


@pytest.mark.parametrize("how", DAMAGES)
def test_a_damaged_source_is_neither_added_again_nor_retired(root: Path, home: Path, call: Call, how: str) -> None:
    """Its documents stay whatever runs, and another source of its name is refused, or reports what it takes over."""
    path = root / "sources/handbook.json"
    active = "SELECT document_id FROM documents WHERE source_id = 'handbook' AND state = 'active'"
    workspace = open_workspace_at(root)
    documents = workspace.catalogue.execute(active)
    whole = path.read_bytes()
    damage(path, how)
    run_queue(workspace)
    call("sync", "--all", "--detach")
    run_queue(workspace)
    assert workspace.catalogue.execute(active) == documents
    code, told = call("source", "add", "local", "handbook", "--path", str(home / "desk"))
    if how == "missing":
        assert code == 0
        assert f"{len(documents)} documents of an earlier source" in told
    else:
        assert code == 2
        assert path.read_bytes() != whole
    assert "handbook" in (told if how == "missing" else call("source", "list")[1])
    workspace.close()


@pytest.mark.parametrize("how", DAMAGES)
def test_the_files_of_an_upload_outlive_its_manifest(root: Path, how: str) -> None:
    """A worker that finds a queued upload without a manifest that it can read leaves what was uploaded alone."""
    path = path_of(root, "jobs/{upload}/manifest.json")
    whole, before = path.read_bytes(), kept(root)
    staged = [name for name in before if path.parent.name in name]
    assert staged
    damage(path, how)
    workspace = open_workspace_at(root)
    run_queue(workspace)
    assert {name: kept(root).get(name) for name in staged} == {name: before[name] for name in staged}
    path.write_bytes(whole)
    run_queue(workspace)
    assert workspace.jobs.load(path.parent.name).state == "succeeded"
    workspace.close()


def test_a_job_that_lost_its_place_in_the_queue_is_done(root: Path) -> None:
    """Neither one lost entry nor the whole queue loses a job; one that has ended does not come back."""
    workspace = open_workspace_at(root)
    lost = workspace.jobs.queued_ids()
    shutil.rmtree(root / "queue")
    assert sorted(workspace.jobs.requeue_lost()) == sorted(lost)
    assert workspace.jobs.requeue_lost() == []
    run_queue(workspace)
    assert {str(job.state) for job in list_jobs(workspace) if job.job_id in lost} <= {"succeeded", "partial"}
    assert workspace.jobs.requeue_lost() == []
    assert verify_store(workspace.layout, workspace.catalogue, deep=True) == []
    workspace.close()


@pytest.mark.parametrize("how", ["missing", "empty", "cut", "garbled"])
def test_lost_outcomes_do_not_make_an_interrupted_job_do_things_twice(root: Path, how: str) -> None:
    """What the catalogue knows of the job is not done again, and every count adds up."""
    path = path_of(root, "jobs/{interrupted}/outcomes.jsonl")
    damage(path, how)
    workspace = open_workspace_at(root)
    run_queue(workspace)
    manifest = workspace.jobs.load(path.parent.name)
    assert manifest.counters.listed_accounted_for == manifest.counters.descriptors_listed
    assert workspace.catalogue.value("SELECT max(version) FROM documents") == 2
    assert verify_store(workspace.layout, workspace.catalogue, deep=True) == []
    workspace.close()


def test_lost_outcomes_of_a_job_that_is_done_are_reported(root: Path, call: Call) -> None:
    """`job items`, `job errors` and a retry of what failed do not take a lost file for a job without failures."""
    job_id = next(
        path.parent.name for path in root.glob("jobs/*/manifest.json")
        if json.loads(path.read_text())["counters"]["items_failed"] and job_of(root, "interrupted") not in str(path)
    )  # fmt: skip
    (root / "jobs" / job_id / "outcomes.jsonl").unlink()
    for command in (["job", "items", job_id], ["job", "errors", job_id], ["job", "retry", "--failed-only", job_id]):
        code, told = call(*command)
        assert (code, "outcomes of job" in told) == (1, True), command


@pytest.mark.parametrize("name", ["audit.jsonl", "ignored.jsonl"])
@pytest.mark.parametrize("how", ["missing", "empty", "cut", "garbled"])
def test_damaged_journals_are_used_as_far_as_they_go(root: Path, call: Call, name: str, how: str) -> None:
    """Commands that read and write them work; `doctor` counts lines that cannot be used."""
    damage(root / name, how)
    if how == "cut":
        (root / name).write_bytes((root / name).read_bytes() + b"\n")  # as whoever appends the next line does
    code, told = call("doctor")
    assert code == 0
    assert ("are damaged" in told) == (how in {"cut", "garbled"})
    for command in (["audit"], ["errors", "list"], ["source", "edit", "notes", "--priority", "7"]):
        assert call(*command)[0] == 0


@pytest.mark.parametrize("how", DAMAGES)
def test_the_memory_of_the_tui_costs_nothing(root: Path, how: str) -> None:
    """Damaged, it is forgotten and written again; one of a newer program is left alone."""
    path = root / "tui.json"
    damage(path, how)
    left = path.read_bytes() if path.exists() else b""
    client = Client(root)
    assert len(client.sources.list()) == 2
    from ingest_tui.store.records.view_state import read_view_state, write_view_state

    layout = open_workspace_at(root).layout
    assert read_view_state(layout) == {}
    assert write_view_state(layout, {"jobs": {}}) is (how != "newer")
    if how == "newer":
        assert path.read_bytes() == left


@pytest.mark.parametrize("how", ["missing", "empty", "cut", "garbled"])
def test_a_worker_is_seen_although_its_record_is_damaged(root: Path, call: Call, how: str) -> None:
    """It holds its lock, so it lives; only one without a record is not known to be a worker."""
    workspace = open_workspace_at(root)
    record = workspace.layout.workers / "17-abcdef.json"
    record.write_text(json.dumps({"worker_id": "17-abcdef", "pid": 17, "host": "h", "started_at": "", "mode": "queue"}))
    holder = FileLock(record.with_suffix(".lock"))
    assert holder.try_acquire()
    damage(record, how)
    assert [worker.pid for worker in living_workers(workspace)] == ([] if how == "missing" else [17])
    assert call("worker", "status")[0] == 0
    holder.release()


def test_workspace_json_that_is_lost_is_not_a_workspace_that_is_not_there(root: Path, call: Call) -> None:
    """Commands say what is missing; `init` makes it again, and everything else is as it was."""
    (root / "workspace.json").unlink()
    before = kept(root)
    code, told = call("source", "list")
    assert (code, "workspace.json is missing" in told) == (1, True)
    assert call("init")[0] == 0
    assert kept(root) == before
    code, told = call("source", "list")
    assert (code, "handbook" in told) == (0, True)


def run_queue(workspace: Workspace) -> None:
    """Be a worker until nothing can be started any more."""
    workspace.jobs.requeue_lost()
    with Engine(workspace) as engine:
        while engine.start_ready_jobs() or engine.running:
            engine.wait(5.0)
