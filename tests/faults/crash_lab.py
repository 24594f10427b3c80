"""A laboratory for crashes: jobs whose process ends at a chosen step, and what is to be the same afterwards.

Steps are the calls that change the workspace. `count_steps` runs a job undisturbed and names them; `run_and_die` runs
it again in a forked child that ends by `os._exit` just before one of them, as `kill -9` would. Parsing is done in the
process itself, so that a run takes milliseconds.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import threading
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from ingest_tui.execution import local as local_execution
from ingest_tui.extraction.archives import unpack
from ingest_tui.extraction.intake.containers import found_container
from ingest_tui.extraction.members import MemberWriter
from ingest_tui.model.errors import ItemError, ItemRejectedError
from ingest_tui.model.extraction import AtWork, ParseResult, ParseStatus, ParseTask
from ingest_tui.model.hashing import compute_content_hash
from ingest_tui.model.job import Manifest
from ingest_tui.model.source import Source
from ingest_tui.pipeline.commit import committer as commit_module
from ingest_tui.pipeline.job.outcome_journal import OutcomeJournal
from ingest_tui.pipeline.plan import planning as planning_module
from ingest_tui.services.workspaces import rebuild
from ingest_tui.store import documents as documents_module
from ingest_tui.store import jobs as jobs_module
from ingest_tui.store import pruned_jobs as pruned_jobs_module
from ingest_tui.store.catalogue.catalogue import Catalogue
from ingest_tui.store.catalogue.queries import search_text
from ingest_tui.store.documents import DocumentStore
from ingest_tui.store.jobs import JobStore
from ingest_tui.store.records.journal import Journal, read_journal
from ingest_tui.store.staging import StagingArea
from ingest_tui.store.workspace import Workspace, init_workspace, open_workspace_at
from ingest_tui.worker import engine as engine_module
from ingest_tui.worker.submit import submit_sync

DIED = 77
UNREADABLE = "this text cannot be parsed"
KILLER = "this text ends its parser"
OUTCOME_COUNTERS = (
    "descriptors_listed",
    "items_skipped_incremental",
    "items_ingested",
    "items_duplicate",
    "items_moved",
    "items_retired",
    "items_empty",
    "items_rejected",
    "items_failed",
)


class InlinePool:
    """Stands in for the parser processes: the text of a file is its bytes, at once and in this thread."""

    at_work: tuple[AtWork, ...] = ()

    def __init__(self, *_arguments: Any, **_options: Any) -> None:
        pass

    def submit(self, task: ParseTask, on_result: Callable[[ParseResult], None]) -> None:
        content = Path(task.input_path).read_bytes()
        if content.startswith(b"PK"):
            return on_result(unpacked(task, content))
        text = Path(task.input_path).read_bytes().decode("utf-8", "replace").replace("\r\n", "\n")
        if not text.strip():
            on_result(ParseResult(task.task_id, "empty", "no_text", "there is no text in it"))
        elif UNREADABLE in text:
            on_result(ParseResult(task.task_id, "failed", "malformed", "it cannot be read"))
        elif KILLER in text:
            on_result(ParseResult(task.task_id, "failed", "crashed", "the parser died"))
        else:
            with Path(task.output_path).open("x", encoding="utf-8", newline="") as output:
                output.write(text)
            Path(task.output_path).chmod(0o600)
            digest = compute_content_hash(text)
            on_result(
                ParseResult(task.task_id, "parsed", media_type="text/markdown", backend="inline", content_hash=digest)
            )
        return None

    failure = None

    def cancel(self, _which: object, *, wait: bool = False) -> None:
        pass

    def close(self, **_options: Any) -> None:
        pass


def unpacked(task: ParseTask, content: bytes) -> ParseResult:
    """Return what a parser process says of a zip archive, with its members written out."""
    if task.member_bytes is None:
        return ParseResult(task.task_id, "rejected", "unsupported_type", "cannot read a zip archive")
    try:
        with MemberWriter(task.members_path, task.member_bytes or 0) as writer:
            unpack(found_container("zip", content), writer, lambda: None)
    except ItemError as error:
        Path(task.members_path).unlink()
        status: ParseStatus = "rejected" if isinstance(error, ItemRejectedError) else "failed"
        return ParseResult(task.task_id, status, error.reason, error.message, error.hint)
    return ParseResult(task.task_id, "container", backend="zip", members=writer.count)


def quicken(monkeypatch: pytest.MonkeyPatch) -> None:
    """Parse in the process, and do not wait for batches to fill for longer than three small files need."""
    monkeypatch.setattr(local_execution, "ParserPool", InlinePool)
    monkeypatch.setattr(commit_module, "BATCH_SECONDS", 0.08)


# Workspaces and jobs


def new_workspace(root: Path, folder: Path, **settings: Any) -> Workspace:
    """Make a workspace with one source, ``docs``, over ``folder``."""
    workspace, _ = init_workspace(root)
    folder.mkdir(exist_ok=True)
    config = {"path": str(folder), **settings}
    workspace.sources.save(Source(source_id="docs", name="Docs", source_type="local", source_config=config))
    return workspace


def queue_sync(workspace: Workspace, **options: Any) -> Manifest:
    """Queue a sync of ``docs``."""
    return submit_sync(workspace, workspace.sources.get("docs"), trigger="manual", by="test", **options)


def run_queue(workspace: Workspace) -> None:
    """Be a worker until nothing can be started any more."""
    with engine_module.Engine(workspace) as engine:
        while engine.start_ready_jobs() or engine.running:
            engine.wait(5.0)


def sync(workspace: Workspace, **options: Any) -> Manifest:
    """Sync ``docs`` in this process and return the job as it ended."""
    manifest = queue_sync(workspace, **options)
    run_queue(workspace)
    return workspace.jobs.load(manifest.job_id)


# Steps


@dataclass
class Tripwire:
    """Names every step that is about to be done, and ends the process before number ``die_before``."""

    die_before: int | None = None
    names: list[str] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def about_to(self, name: str) -> None:
        with self.lock:
            if len(self.names) == self.die_before:
                os._exit(DIED)
            self.names.append(name)


def lay(monkeypatch: pytest.MonkeyPatch, wire: Tripwire) -> None:
    """Put the wire before everything that changes documents, catalogue, journals, staging and job state."""

    def before(owner: Any, attribute: str, when: Callable[..., bool] = lambda *_a, **_o: True, label: str = "") -> None:
        original = getattr(owner, attribute)

        def stepping(*arguments: Any, **options: Any) -> Any:
            if when(*arguments, **options):
                wire.about_to(label or f"{getattr(owner, '__name__', owner)}.{attribute}")
            return original(*arguments, **options)

        monkeypatch.setattr(owner, attribute, stepping)

    for method in (
        "write_ingestion", "place", "sync", "note_locations", "note_retirement", "move_to_trash", "bring_back",
        "clear_retirement", "take_back", "purge", "prune",
    ):  # fmt: skip
        before(DocumentStore, method)
    before(documents_module, "remove_tree", label="folder of a purged document removed")
    before(Journal, "clear")
    for method in ("receive", "drop", "clear"):
        before(StagingArea, method)
    before(Journal, "append_lines", lambda _self, lines, **_o: bool(lines))
    before(Catalogue, "execute", lambda _self, sql, *_a: sql == "COMMIT", "Catalogue COMMIT")
    before(JobStore, "save", lambda _self, _manifest, *, durable=True: durable)
    before(JobStore, "leave_queue")
    before(jobs_module, "write_record", label="manifest of a new job")
    before(jobs_module, "sync_folder", label="queue entry made")
    before(planning_module, "sync_folder", label="plan renamed, folder not synced")
    before(OutcomeJournal, "record")
    for step in ("remove_tree", "sync_folder"):
        before(pruned_jobs_module, step, label=f"pruned job: {step}")


def count_steps(workspace: Workspace) -> list[str]:
    """Run the queue undisturbed; returns the names of its steps."""
    wire = Tripwire()
    with pytest.MonkeyPatch.context() as monkeypatch:
        lay(monkeypatch, wire)
        run_queue(workspace)
    return wire.names


def run_and_die(root: Path, step: int, work: Callable[[Workspace], object] | None = None) -> bool:
    """Run the queue of a workspace, or ``work``, in a child that ends before step number ``step``.

    Tells whether it came to that.
    """
    child = os.fork()
    if child == 0:
        try:
            with pytest.MonkeyPatch.context() as monkeypatch:
                lay(monkeypatch, Tripwire(die_before=step))
                (work or run_queue)(open_workspace_at(root))
            os._exit(0)
        except BaseException:  # noqa: BLE001 - the child must not return into the test run
            traceback.print_exc()
            os._exit(1)
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    assert code in {0, DIED}, f"the child failed with {code}"
    return code == DIED


# What is to be the same


@dataclass
class State:
    """What people and scripts see of a workspace, without times."""

    documents: list[dict[str, Any]]
    versions: list[tuple[Any, ...]]
    locations: list[dict[str, Any]]
    answers: dict[str, list[tuple[Any, ...]]]
    folders: list[str]
    texts: dict[str, str]
    jobs: dict[str, tuple[str, dict[str, int]]]
    outcomes: dict[str, list[tuple[Any, ...]]]


def state_of(root: Path, words: tuple[str, ...]) -> State:
    """Look at a workspace through its catalogue, its folders and its journals."""
    workspace = open_workspace_at(root)
    try:
        catalogue = workspace.catalogue
        documents = [_without_times(dict(zip(_columns(catalogue, "documents"), row, strict=True)))
                     for row in catalogue.execute("SELECT * FROM documents ORDER BY document_id")]  # fmt: skip
        versions = catalogue.execute(
            "SELECT document_id, version, raw_sha256, content_hash, bytes, uri FROM versions ORDER BY 1, 2"
        )
        locations = [_without_times(dict(zip(_columns(catalogue, "locations"), row, strict=True)))
                     for row in catalogue.execute("SELECT * FROM locations ORDER BY source_id, key")]  # fmt: skip
        return State(
            documents,
            versions,
            locations,
            {word: answers(catalogue, word) for word in words},
            folders_of(root),
            {str(path.relative_to(root)): path.read_text() for path in sorted(root.glob("*/**/v*/normalized.md"))},
            {job: _job_state(workspace.jobs.load(job)) for job in workspace.jobs.ids()},
            {job: _outcomes(workspace.jobs.paths(job).outcomes) for job in workspace.jobs.ids()},
        )
    finally:
        workspace.close()


def answers(catalogue: Catalogue, word: str) -> list[tuple[Any, ...]]:
    """Return all that a search finds, in its order, with its snippets.

    All: which of more equally good hits than a search shows are among them, depends on who came first.
    """
    return [(hit.uri, hit.document_id, hit.version, hit.title, hit.snippet, hit.heading_path)
            for hit in search_text(catalogue, word, limit=-1)]  # fmt: skip


def folders_of(root: Path) -> list[str]:
    """Return every file and folder of documents and trash, without the notes that hold times."""
    found = []
    for base in ("documents", "trash"):
        found += [str(path.relative_to(root)) for path in (root / base).rglob("*")]
    return sorted(found)


def rebuilt_state_of(root: Path, words: tuple[str, ...]) -> State:
    """Rebuild the catalogue from the folders, then look at the workspace."""
    workspace = open_workspace_at(root)
    report = rebuild(workspace)
    workspace.close()
    assert not report.problems
    return state_of(root, words)


def leftovers_of(root: Path) -> list[str]:
    """Return what an ended job must not leave: staged items, temporary names, scratch databases, queue entries.

    A failed upload keeps what was staged: nobody else has it, and `job retry` takes it in again.
    """
    ended = [job for job in (root / "jobs").iterdir() if not _is_failed_upload(job)]
    found = [path for job in ended for path in (job / "staging").iterdir()]
    found += [path for path in root.rglob("*") if path.name.startswith(".tmp.") or path.name == "plan.tmp"]
    found += root.rglob("listing.db*")
    found += list((root / "queue").iterdir())
    return sorted(str(path.relative_to(root)) for path in found)


def _is_failed_upload(job: Path) -> bool:
    manifest = json.loads((job / "manifest.json").read_text())
    return (manifest["kind"], manifest["state"]) == ("upload", "failed")


def _columns(catalogue: Catalogue, table: str) -> list[str]:
    return [row[1] for row in catalogue.execute(f"PRAGMA table_info({table})")]


def _without_times(row: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in row.items() if name not in {"at", "created_at", "updated_at"}}


def _job_state(manifest: Manifest) -> tuple[str, dict[str, int]]:
    counters = manifest.counters.model_dump()
    members = {f"members {name}": number for name, number in counters["members"].items()}
    return manifest.state.value, {name: counters[name] for name in OUTCOME_COUNTERS} | members


def _outcomes(path: Path) -> list[tuple[Any, ...]]:
    rows = [(line["key"], line["outcome"], line["reason"], line["document_id"], line["version"])
            for line in read_journal(path)]  # fmt: skip
    return sorted(rows, key=str)


# Trials


@dataclass
class Trial:
    """A workspace with queued work, kept aside, from which every run starts, and how it ends undisturbed."""

    prepared: Path
    scratch: Path
    words: tuple[str, ...]
    steps: list[str] = field(default_factory=list)
    expected: State | None = None
    expected_rebuilt: State | None = None

    def run_undisturbed(self) -> None:
        """Learn the steps and the end state."""
        root = self.fresh("undisturbed")
        workspace = open_workspace_at(root)
        self.steps = count_steps(workspace)
        workspace.close()
        self.expected = state_of(root, self.words)
        assert leftovers_of(root) == []
        self.expected_rebuilt = rebuilt_state_of(root, self.words)

    def end(self) -> State:
        """Return how the work ends undisturbed."""
        assert self.expected is not None, "it has not been run undisturbed"
        return self.expected

    def fresh(self, name: str) -> Path:
        """Return a new copy of the prepared workspace."""
        root = self.scratch / name
        shutil.rmtree(root, ignore_errors=True)
        shutil.copytree(self.prepared, root)
        return root

    @contextlib.contextmanager
    def interrupted_before(self, step: int) -> Iterator[Path]:
        """Yield a workspace whose worker died before a step, and remove it afterwards."""
        root = self.fresh(f"step-{step}")
        died = run_and_die(root, step)
        assert died or step >= len(self.steps) - 3, f"step {step} was not reached"
        yield root
        shutil.rmtree(root)

    def check(self, step: int, *, rebuilt: bool = True) -> None:
        """Die before a step, go on with a fresh worker, and compare with the undisturbed run."""
        assert self.expected is not None
        with self.interrupted_before(step) as root:
            workspace = open_workspace_at(root)
            run_queue(workspace)
            workspace.close()
            name = f"died before step {step}, {[*self.steps, 'the end'][min(step, len(self.steps))]}"
            compare(state_of(root, self.words), self.expected, name)
            assert leftovers_of(root) == [], name
            if rebuilt:
                assert self.expected_rebuilt is not None
                compare(rebuilt_state_of(root, self.words), self.expected_rebuilt, f"{name}, then rebuilt")


def compare(seen: State, expected: State, name: str) -> None:
    """Compare two states part by part, so that a failure names the part."""
    for part in vars(expected):
        assert getattr(seen, part) == getattr(expected, part), f"{part} differ: {name}"
