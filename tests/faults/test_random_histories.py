"""Whatever people and sources do in whatever order: catalogue, search and folders agree, each content is once."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from ingest_tui.execution import local as local_execution
from ingest_tui.pipeline.commit import committer as commit_module
from tests.faults.crash_lab import quicken
from tests.faults.history_lab import CONTENTS, NAMES, SOURCES, NamedPool, World

pytestmark = pytest.mark.slow

IS_WHOLE = os.environ.get("INGEST_TUI_WHOLE") == "1"

names = st.sampled_from(NAMES)
contents = st.sampled_from(CONTENTS)
sources = st.sampled_from(SOURCES)
collections = st.sampled_from(["default", "archive"])
numbers = st.integers(0, 5)


class History(RuleBasedStateMachine):
    """One history; Hypothesis chooses its steps."""

    def __init__(self) -> None:
        super().__init__()
        self.root = Path(tempfile.mkdtemp(prefix="history-"))
        self.world = World(self.root)

    @initialize(content=contents)
    def begin(self, content: str) -> None:
        self.world.add("docs")
        self.world.write("a.txt", content)
        self.world.write("b.txt", CONTENTS[0])

    @rule(name=names, content=contents)
    def write(self, name: str, content: str) -> None:
        self.world.write(name, content)

    @rule(name=names)
    def touch(self, name: str) -> None:
        self.world.touch(name)

    @rule(name=names, other=names)
    def copy(self, name: str, other: str) -> None:
        self.world.copy(name, other)

    @rule(name=names, other=names)
    def move(self, name: str, other: str) -> None:
        self.world.move(name, other)

    @rule(name=names)
    def delete(self, name: str) -> None:
        self.world.delete(name)

    @rule(source_id=sources)
    def sync(self, source_id: str) -> None:
        self.world.sync(source_id)

    @rule(source_id=sources)
    def sync_again(self, source_id: str) -> None:
        """The same as `sync`, so that it is chosen more often."""
        self.world.sync(source_id)

    @rule(source_id=sources)
    def force(self, source_id: str) -> None:
        """Reading again twice what did not change makes no version the second time.

        Moves are settled before: a file under a new name may be read by another parser, which is another text.
        """
        self.world.sync(source_id)
        self.world.sync(source_id, force=True)
        self.world.check()
        versions = self.world.versions
        self.world.sync(source_id, force=True)
        self.world.check()
        assert self.world.versions == versions

    @rule(source_id=sources)
    def add_source(self, source_id: str) -> None:
        self.world.add(source_id)

    @rule(source_id=sources, keep=st.booleans())
    def remove_source(self, source_id: str, keep: bool) -> None:
        self.world.remove_source(source_id, keep=keep)

    @rule(source_id=sources, patterns=st.sampled_from([[], ["a.txt"], ["b.txt", "c.loud"]]))
    def filter(self, source_id: str, patterns: list[str]) -> None:
        self.world.exclude(source_id, patterns)

    @rule(
        name=names,
        collection=collections,
        label=st.sampled_from(["", "final"]),
        replace=st.booleans(),
        chunk_size=st.sampled_from([None, 300]),
    )
    def upload(self, name: str, collection: str, label: str, replace: bool, chunk_size: int | None) -> None:
        self.world.upload(name, collection, label=label, replace=replace, chunk_size=chunk_size)

    @rule(number=numbers)
    def roll_back(self, number: int) -> None:
        self.world.roll_back(number)

    @rule(number=numbers)
    def prune(self, number: int) -> None:
        self.world.prune(number)

    @rule(chunk_size=st.sampled_from([200, 1500]), collection=collections)
    def prefer(self, chunk_size: int, collection: str) -> None:
        self.world.prefer(chunk_size, collection)

    @rule(
        number=numbers,
        content=st.sampled_from(CONTENTS[:4]),
        source_id=st.sampled_from([None, "script"]),
        collection=collections,
    )
    def register(self, number: int, content: str, source_id: str | None, collection: str) -> None:
        self.world.register(f"ticket {number % 2}", content, source_id, collection)

    @rule(number=numbers)
    def remove(self, number: int) -> None:
        self.world.remove(number)

    @rule(number=numbers)
    def restore(self, number: int) -> None:
        self.world.restore(number)

    @invariant()
    def everything_agrees(self) -> None:
        self.world.check()

    def teardown(self) -> None:
        self.world.close()
        shutil.rmtree(self.root)


@pytest.fixture
def run_histories(monkeypatch: pytest.MonkeyPatch) -> Callable[[int, int], None]:
    """What tries a number of histories of a number of steps, parsing in this process."""
    quicken(monkeypatch)
    monkeypatch.setattr(local_execution, "ParserPool", NamedPool)
    monkeypatch.setattr(commit_module, "BATCH_SECONDS", 0.02)

    def run(examples: int, steps: int) -> None:
        chosen = settings(
            max_examples=examples,
            stateful_step_count=steps,
            deadline=None,
            phases=(Phase.explicit, Phase.reuse, Phase.generate),  # histories are short, shrinking them takes minutes
            report_multiple_bugs=False,
            suppress_health_check=list(HealthCheck),
        )
        run_state_machine_as_test(History, settings=chosen)

    return run


def test_random_histories(run_histories: Callable[[int, int], None]) -> None:
    """A few short histories, so that a fault that is easy to meet is met at once."""
    run_histories(15, 12)


def test_many_random_histories(run_histories: Callable[[int, int], None]) -> None:
    """More and longer histories; with INGEST_TUI_WHOLE=1 other ones in each run, for some half an hour."""
    run_histories(*((150, 40) if IS_WHOLE else (12, 25)))
