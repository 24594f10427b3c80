"""Deliberately broken writers: the checks of this folder must catch each of them, or they prove nothing."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from typing import Any

import orjson
import pytest

from ingest_tui.model.outcome import Outcome
from ingest_tui.pipeline.commit.batch import CommitBatch, Writes
from ingest_tui.store.change import StoreChange, StoreWriter
from ingest_tui.store.fs import atomic
from ingest_tui.store.fs.atomic import write_durably
from ingest_tui.store.records import journal
from ingest_tui.store.records.journal import Journal
from ingest_tui.store.workspace import open_workspace_at
from tests.faults.crash_lab import (
    Trial,
    count_steps,
    new_workspace,
    queue_sync,
    quicken,
    run_and_die,
    run_queue,
    state_of,
)
from tests.faults.journal_lab import check_altered_lines, check_power_cut_after_append, check_torn_tails
from tests.faults.writer_lab import check_every_death, check_every_moment, check_every_power_cut

pytestmark = pytest.mark.slow

WORDS = ("weather", "alpha", "beta", "gamma")


# The durable writer


def _writers_os() -> Any:
    """Return `os` as the writer has it, which is replaced while its steps are counted."""
    return vars(atomic)["os"]


def _overwriting(path: Path, data: bytes) -> None:
    descriptor = _writers_os().open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    atomic.write_all(descriptor, data)
    _writers_os().fsync(descriptor)
    _writers_os().close(descriptor)


def _removing_first(path: Path, data: bytes) -> None:
    temporary = path.with_name(".tmp.broken")
    temporary.unlink(missing_ok=True)
    atomic.write_new(temporary, data, sync=True)
    _writers_os().unlink(path)
    _writers_os().rename(temporary, path)


@pytest.mark.parametrize("broken", [_overwriting, _removing_first])
@pytest.mark.parametrize("check", [check_every_death, check_every_moment])
def test_writer_that_does_not_replace_in_one_step_is_caught(
    tmp_path: Path, broken: Callable[[Path, bytes], None], check: Callable[..., None]
) -> None:
    """Overwriting in place and removing before renaming both show a reader something that never was written."""
    check(write_durably, tmp_path)
    with pytest.raises(AssertionError):
        check(broken, tmp_path)


def _without_sync(path: Path, data: bytes) -> None:
    temporary = path.with_name(".tmp.broken")
    atomic.write_new(temporary, data)
    _writers_os().rename(temporary, path)
    atomic.sync_folder(path.parent)


def _syncing_too_late(path: Path, data: bytes) -> None:
    _without_sync(path, data)
    descriptor = _writers_os().open(path, os.O_RDONLY)
    _writers_os().fsync(descriptor)
    _writers_os().close(descriptor)


def _without_sync_of_the_folder(path: Path, data: bytes) -> None:
    temporary = path.with_name(".tmp.broken")
    atomic.write_new(temporary, data, sync=True)
    _writers_os().rename(temporary, path)


@pytest.mark.parametrize("broken", [_without_sync, _syncing_too_late, _without_sync_of_the_folder])
def test_writer_that_does_not_sync_in_time_is_caught(tmp_path: Path, broken: Callable[[Path, bytes], None]) -> None:
    """No fsync, one that comes after the rename, and none of the folder: each loses something in a power cut."""
    check_every_power_cut(write_durably, tmp_path)
    with pytest.raises(AssertionError):
        check_every_power_cut(broken, tmp_path)


# The journal


def test_journal_without_sync_is_caught(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A journal that does not sync what it appended promises what a power cut may take."""
    check_power_cut_after_append(tmp_path)

    def append_lines(self: Journal, lines: bytes, *, durable: bool = True) -> None:
        atomic.write_all(self._descriptor, lines)

    monkeypatch.setattr(Journal, "append_lines", append_lines)
    with pytest.raises(AssertionError):
        check_power_cut_after_append(tmp_path)


def test_journal_without_healing_is_caught(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A journal that appends straight behind a torn line loses the record."""
    check_torn_tails(tmp_path)
    monkeypatch.setattr(Journal, "_heal", lambda _self: None)
    with pytest.raises(AssertionError):
        check_torn_tails(tmp_path)


def test_journal_without_checksum_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    """A reader that believes a line because it is JSON takes an altered record for a true one."""
    check_altered_lines()

    def believing(line: bytes) -> dict[str, Any] | None:
        try:
            record = orjson.loads(line)
        except orjson.JSONDecodeError:
            return None
        if not isinstance(record, dict):
            return None
        record.pop("crc", None)
        return record

    monkeypatch.setattr(journal, "decode_line", believing)
    with pytest.raises(AssertionError):
        check_altered_lines()


# The order of a commit


@pytest.fixture(scope="module", autouse=True)
def _quick() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as monkeypatch:
        quicken(monkeypatch)
        yield


@pytest.fixture(scope="module")
def trial(tmp_path_factory: pytest.TempPathFactory) -> Trial:
    """Three new documents, queued, and the end that valid code brings them to."""
    base = tmp_path_factory.mktemp("variants")
    folder = base / "source"
    workspace = new_workspace(base / "prepared", folder)
    for name in ("alpha", "beta", "gamma"):
        (folder / f"{name}.md").write_text(f"# {name}\n\nThe weather in {name}.\n")
    queue_sync(workspace)
    workspace.close()
    trial = Trial(base / "prepared", base, WORDS)
    trial.run_undisturbed()
    return trial


def _committing(*order: str) -> Callable[[CommitBatch, StoreWriter, list[Any]], tuple[list[Outcome], list[Any]]]:
    """Return a `CommitBatch.commit` that takes its steps in the given order."""

    def commit(self: CommitBatch, writer: StoreWriter, items: list[Any]) -> tuple[list[Outcome], list[Any]]:
        writes = Writes(at="2026-01-01", by=self._job.manifest.job_id)
        self._look_up(items)
        for item in items:
            self._decide(item, writes)

        def folders() -> None:
            writer._intents.announce(writer._intents_of(writes))
            writer._move_in(writes)

        steps: dict[str, Callable[[], object]] = {
            "folders": folders,
            "catalogue": lambda: writer._write_catalogue(writes),
            "journal": lambda: self._job.outcomes.record(writes.outcomes),
        }
        assert writes.chunks
        for name in order:
            steps[name]()
        writer._intents.clear()
        return [], []

    return commit


def _sweep_of_the_commit(trial: Trial) -> None:
    """Die before each step of the commit, with whatever `CommitBatch` is in force, and compare with the valid end."""
    workspace = open_workspace_at(trial.fresh("counting"))
    steps = count_steps(workspace)
    workspace.close()
    sweep = Trial(trial.prepared, trial.scratch, trial.words, steps, trial.expected, trial.expected_rebuilt)
    first = steps.index("DocumentStore.write_ingestion")
    last = len(steps) - steps[::-1].index("OutcomeJournal.record")
    for step in range(first, last + 1):
        sweep.check(step, rebuilt=False)


def test_commit_in_its_right_order_passes(trial: Trial, monkeypatch: pytest.MonkeyPatch) -> None:
    """The variants below fail for their order alone: in the right one the same code passes."""
    monkeypatch.setattr(CommitBatch, "commit", _committing("folders", "catalogue", "journal"))
    _sweep_of_the_commit(trial)


@pytest.mark.parametrize(
    "order",
    [
        ("folders", "journal", "catalogue"),
        ("journal", "folders", "catalogue"),
        ("catalogue", "folders", "journal"),
    ],
    ids=["journal-before-catalogue", "journal-first", "fingerprints-before-folders"],
)
def test_commit_in_a_wrong_order_is_caught(
    trial: Trial, monkeypatch: pytest.MonkeyPatch, order: tuple[str, ...]
) -> None:
    """A journal line that promises what the catalogue does not have, or a row without its folder, loses documents."""
    monkeypatch.setattr(CommitBatch, "commit", _committing(*order))
    with pytest.raises(AssertionError, match="differ: died before step"):
        _sweep_of_the_commit(trial)


def _check_syncs_of_the_commit(trial: Trial) -> None:
    """Fail unless a batch is durable before it gets its places, and these are before the catalogue knows of them."""
    workspace = open_workspace_at(trial.fresh("syncs"))
    steps = count_steps(workspace)
    workspace.close()
    first_place = steps.index("DocumentStore.place")
    last_place = len(steps) - steps[::-1].index("DocumentStore.place")
    written = len(steps) - steps[::-1].index("DocumentStore.write_ingestion")
    committed = steps.index("Catalogue COMMIT", last_place)
    assert "DocumentStore.sync" in steps[written:first_place], "a place for what is not durable"
    assert "DocumentStore.sync" in steps[last_place:committed], "known at a place that is not durable"


@pytest.mark.parametrize(("left_out", "caught_as"), [(0, "a place for what"), (1, "known at a place")])
def test_commit_without_a_sync_is_caught(
    trial: Trial, monkeypatch: pytest.MonkeyPatch, left_out: int, caught_as: str
) -> None:
    """A batch that is placed before it is durable, or known before its places are, would not survive a power cut."""
    _check_syncs_of_the_commit(trial)
    move_in = StoreWriter._move_in

    def moving_in(self: StoreWriter, change: StoreChange) -> None:
        sync, numbers = self._store.sync, count()
        with monkeypatch.context() as patch:
            patch.setattr(self._store, "sync", lambda: None if next(numbers) == left_out else sync())
            move_in(self, change)

    monkeypatch.setattr(StoreWriter, "_move_in", moving_in)
    with pytest.raises(AssertionError, match=caught_as):
        _check_syncs_of_the_commit(trial)


# Intents


def _check_vanished_file(trial: Trial, document: Path) -> None:
    """Die once everything is placed, let a file vanish, go on: nothing of it may be left."""
    workspace = open_workspace_at(trial.fresh("counting"))
    steps = count_steps(workspace)
    workspace.close()
    root = trial.fresh("vanished")
    assert run_and_die(root, steps.index("Catalogue COMMIT", steps.index("DocumentStore.place")))
    content = document.read_bytes()
    document.unlink()
    try:
        workspace = open_workspace_at(root)
        run_queue(workspace)
        workspace.close()
    finally:
        document.write_bytes(content)
    state = state_of(root, WORDS)
    known = {row["document_id"] for row in state.documents}
    on_disk = {name.split("/")[3] for name in state.folders if name.count("/") >= 3}
    assert on_disk == known, "a version folder that the catalogue does not know of"


def test_placing_without_an_intent_is_caught(trial: Trial, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a line that announces them, folders placed before a crash are never found again."""
    document = trial.scratch / "source" / "beta.md"
    _check_vanished_file(trial, document)
    append = Journal.append

    def forgetful(self: Journal, records: Any, *, durable: bool = True) -> None:
        if self.path.name != "intents.jsonl":
            append(self, records, durable=durable)

    monkeypatch.setattr(Journal, "append", forgetful)
    with pytest.raises(AssertionError, match="does not know"):
        _check_vanished_file(trial, document)
