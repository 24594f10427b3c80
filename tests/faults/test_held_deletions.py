"""Which deletions wait for a person, in whole jobs: how many, by which settings, and what an approval covers."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from itertools import permutations
from pathlib import Path

import orjson
import pytest

from ingest_tui.model.job import JobState, Manifest
from ingest_tui.pipeline.job import run as run_job
from ingest_tui.pipeline.job.context import JobContext
from ingest_tui.services.jobs.holds import approve_job, held_deletions, refuse_job
from ingest_tui.services.jobs.jobs import get_job, pause_job, resume_job
from ingest_tui.services.jobs.plan_preview import plan_source
from ingest_tui.services.sources.sources import edit_source
from ingest_tui.store.catalogue.queries import find_documents
from ingest_tui.store.fs.atomic import write_durably
from ingest_tui.store.workspace import Workspace, open_workspace_at
from ingest_tui.worker.engine import Engine
from tests.faults.crash_lab import new_workspace, queue_sync, quicken, run_queue, sync

SOURCE = "docs"


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    quicken(monkeypatch)


class Desk:
    """A workspace with one folder, and what is done to it."""

    def __init__(self, root: Path) -> None:
        self.folder = root / "source"
        self.workspace: Workspace = new_workspace(root / "ws", self.folder)

    def write(self, *names: str, text: str = "The weather.") -> None:
        for name in names:
            path = self.folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(f"# {name}\n\n{text}\n")

    def remove(self, *names: str) -> None:
        for name in names:
            (self.folder / name).unlink()

    def sync(self) -> Manifest:
        return sync(self.workspace)

    def approve(self, job: Manifest) -> Manifest:
        """Approve what a job holds, and return the job that follows once it has ended."""
        queued = approve_job(self.workspace, job.job_id)
        run_queue(self.workspace)
        return get_job(self.workspace, queued.job_id)

    def known(self) -> list[str]:
        return sorted(document.key for document in find_documents(self.workspace.catalogue))


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    """A desk without documents."""
    desk = Desk(tmp_path)
    yield desk
    desk.workspace.close()


def names(number: int, kind: str = "md") -> list[str]:
    return [f"{one:02}.{kind}" for one in range(number)]


def held_of(job: Manifest) -> tuple[str, int]:
    assert job.held is not None
    return job.held.reason, job.held.documents


def adds_up(job: Manifest) -> bool:
    return job.counters.descriptors_listed == job.counters.listed_accounted_for


@pytest.mark.parametrize(("gone", "known", "held"), [(20, 40, True), (9, 10, True), (10, 40, False), (2, 3, True)])
def test_many_and_most_are_held(desk: Desk, gone: int, known: int, held: bool) -> None:
    """Deletions of more than a tenth and more than ten, and of more than half of however few, wait."""
    desk.write(*names(known))
    desk.sync()
    desk.remove(*names(known)[:gone])
    job = desk.sync()
    assert adds_up(job)
    if held:
        assert (job.state, *held_of(job)) == (JobState.PARTIAL, "mass_deletion", gone)
        assert len(desk.known()) == known
        assert desk.approve(job).counters.items_retired == gone
    assert len(desk.known()) == known - gone


def edits(desk: Desk) -> dict[str, Callable[[], object]]:
    def edit(**changes: object) -> Callable[[], object]:
        return lambda: edit_source(desk.workspace, SOURCE, **changes)  # type: ignore[arg-type]

    return {
        "path": edit(config={"path": str(desk.folder / "sub")}),
        "exclude": edit(config={"exclude": ["00.md"]}),
        "include": edit(config={"include": ["0*.md", "sub/"]}),
        "recursive": edit(config={"recursive": False}),
        "hidden": edit(config={"hidden": False}),
        "max_size": edit(max_size="50"),
        "deny_types": edit(deny_types=["html"]),
        "since": edit(since="2020-01-01"),
    }


@pytest.mark.parametrize(
    "what", ["path", "exclude", "include", "recursive", "hidden", "max_size", "deny_types", "since"]
)
def test_what_another_choice_leaves_out_is_held_until_it_is_approved(desk: Desk, what: str) -> None:
    """Whichever setting leaves out documents that are here: plan says so, no sync retires them, an approval does."""
    edit_source(desk.workspace, SOURCE, config={"hidden": True})
    desk.write(*names(20), ".hidden.md", "sub/a.md", "sub/b.md")
    desk.write("large.md", text="The weather. " * 20)
    (desk.folder / "page.html").write_text("<h1>page</h1><p>The weather.</p>")
    desk.write("old.md")
    os.utime(desk.folder / "old.md", (1, 1))
    first = desk.sync()
    assert first.state is JobState.SUCCEEDED
    before = desk.known()
    edits(desk)[what]()
    planned = [action.key for action in plan_source(desk.workspace, SOURCE) if action.action == "hold"]
    assert planned
    for _attempt in range(2):  # holding does not wear off
        job = desk.sync()
        reason, number = held_of(job)
        assert (job.state, number) == (JobState.PARTIAL, len(planned))
        assert reason in {"choice_changed", "excluded"}
        assert (adds_up(job), len(desk.known())) == (True, len(before))
        assert set(planned) <= set(desk.known())
    approved = desk.approve(job)
    assert (approved.state, approved.counters.items_retired, adds_up(approved)) == (
        JobState.SUCCEEDED,
        len(planned),
        True,
    )
    assert (len(before) - len(desk.known()), set(planned) & set(desk.known())) == (len(planned), set())
    assert desk.sync().held is None


@pytest.mark.parametrize(("first", "second"), permutations(["exclude", "max_size", "deny_types", "since"], 2))
def test_what_one_choice_leaves_out_waits_under_another_too(desk: Desk, first: str, second: str) -> None:
    """An edit that nobody has answered yet is not settled by the next edit, in plan, sync and approval."""
    desk.write(*names(20))
    desk.write("large.md", text="The weather. " * 20)
    (desk.folder / "page.html").write_text("<h1>page</h1><p>The weather.</p>")
    desk.write("old.md")
    os.utime(desk.folder / "old.md", (1, 1))
    desk.sync()
    edits(desk)[first]()
    assert held_of(desk.sync())[1] == 1
    edits(desk)[second]()
    planned = [action.key for action in plan_source(desk.workspace, SOURCE) if action.action == "hold"]
    job = desk.sync()
    assert (len(planned), held_of(job)[1], len(desk.known())) == (2, 2, 23)
    assert desk.approve(job).counters.items_retired == 2
    assert len(desk.known()) == 21


def test_a_deletion_after_another_choice_was_approved_goes_unasked(desk: Desk) -> None:
    """Once a person has answered, the new choice is the known one."""
    desk.write(*names(20))
    desk.sync()
    edit_source(desk.workspace, SOURCE, config={"exclude": ["00.md"]})
    desk.approve(desk.sync())
    desk.remove("01.md")
    job = desk.sync()
    assert (job.state, job.counters.items_retired) == (JobState.SUCCEEDED, 1)


def test_a_choice_taken_back_holds_nothing(desk: Desk) -> None:
    """A wrong path that is corrected leaves everything as it was."""
    desk.write(*names(20))
    desk.sync()
    edit_source(desk.workspace, SOURCE, config={"exclude": ["00.md"]})
    assert held_of(desk.sync())[1] == 1
    edit_source(desk.workspace, SOURCE, config={"exclude": []})
    assert desk.sync().state is JobState.SUCCEEDED
    desk.remove("01.md")
    assert desk.sync().counters.items_retired == 1


def test_a_document_that_outgrew_the_limit_is_no_deletion(desk: Desk) -> None:
    """What is refused because it changed keeps its last good version, also when a filter is tightened later."""
    edit_source(desk.workspace, SOURCE, max_size="100")
    desk.write(*names(20))
    desk.sync()
    desk.write("00.md", text="The weather. " * 20)
    for _ in range(2):
        job = desk.sync()
        assert (job.state, job.counters.items_rejected, job.held) == (JobState.SUCCEEDED, 1, None)
    edit_source(desk.workspace, SOURCE, max_size="90")
    for _ in range(2):
        job = desk.sync()
        assert (job.state, job.held, len(desk.known())) == (JobState.SUCCEEDED, None, 20)


def test_a_lost_record_of_the_last_look_holds_deletions(desk: Desk) -> None:
    """Nobody knows what chose the documents: a deletion waits, once; then the choice is known again."""
    desk.write(*names(20))
    desk.sync()
    desk.workspace.layout.look(SOURCE).unlink()
    desk.remove("00.md")
    job = desk.sync()
    assert held_of(job) == ("choice_unknown", 1)
    assert held_of(desk.sync()) == ("choice_unknown", 1)
    assert desk.approve(desk.sync()).state is JobState.SUCCEEDED
    desk.remove("01.md")
    assert desk.sync().counters.items_retired == 1


def test_a_lost_record_of_a_source_without_deletions_is_made_again(desk: Desk) -> None:
    """Where nothing is gone nobody is asked."""
    desk.write(*names(20))
    desk.sync()
    desk.workspace.layout.look(SOURCE).write_bytes(b"")
    assert desk.sync().state is JobState.SUCCEEDED
    desk.remove("00.md")
    assert desk.sync().counters.items_retired == 1


def test_an_approval_covers_only_what_was_shown(desk: Desk) -> None:
    """What vanished after the list was made waits for an approval of its own."""
    desk.write(*names(20))
    desk.sync()
    desk.remove(*names(20)[:12])
    held = desk.sync()
    desk.remove(*names(20)[12:15])
    approved = desk.approve(held)
    assert (approved.state, approved.counters.items_retired) == (JobState.PARTIAL, 12)
    assert held_of(approved) == ("mass_deletion", 3)
    assert desk.known() == names(20)[12:]


def test_an_approval_does_not_cover_what_came_back_in_between(desk: Desk) -> None:
    """A file that a later job has seen again and that is gone once more is another deletion, for another answer."""
    desk.write(*names(20))
    desk.sync()
    desk.remove(*names(20)[:12])
    held = desk.sync()
    desk.write("00.md")
    desk.sync()
    desk.remove("00.md")
    approved = desk.approve(held)
    assert (approved.state, approved.counters.items_retired) == (JobState.PARTIAL, 11)
    assert [line.key for line in held_deletions(desk.workspace, approved.job_id)] == ["00.md"]
    assert "00.md" in desk.known()


def test_an_approval_covers_the_document_that_was_shown(desk: Desk) -> None:
    """A file that came back with another text and is gone again is not what the person saw."""
    desk.write(*names(20))
    desk.sync()
    desk.remove(*names(20)[:12])
    held = desk.sync()
    desk.write("00.md", text="Other news.")
    desk.sync()
    desk.remove("00.md")
    desk.sync()
    assert desk.approve(held).counters.items_retired == 11
    assert "00.md" in desk.known()


def test_an_approval_that_cannot_be_checked_covers_nothing(desk: Desk) -> None:
    """When a plan in between is lost, nobody knows what was seen: the deletions are shown again."""
    desk.write(*names(20))
    desk.sync()
    desk.remove(*names(20)[:12])
    held, later = desk.sync(), desk.sync()
    desk.workspace.jobs.paths(later.job_id).plan.unlink()
    approved = desk.approve(held)
    assert (approved.state, approved.counters.items_retired, held_of(approved)[1]) == (JobState.PARTIAL, 0, 12)
    assert desk.approve(approved).counters.items_retired == 12


def test_refused_deletions_are_asked_for_again(desk: Desk) -> None:
    """A refusal keeps the documents; the next sync that misses them asks again."""
    desk.write(*names(20))
    desk.sync()
    edit_source(desk.workspace, SOURCE, config={"exclude": ["00.md"]})
    refuse_job(desk.workspace, desk.sync().job_id)
    assert held_of(desk.sync()) == ("choice_changed", 1)


def settings(desk: Desk, **values: object) -> None:
    path = desk.workspace.layout.settings
    write_durably(path, orjson.dumps(orjson.loads(path.read_bytes()) | values))
    desk.workspace.close()
    desk.workspace = open_workspace_at(path.parent)


@pytest.mark.parametrize(
    ("values", "gone", "held"),
    [
        ({"mass_deletion_items": 10, "mass_deletion_share": 0.5}, 15, True),  # as init wrote them: nobody set them
        ({"mass_deletion_items": 1000}, 15, False),
        ({"mass_deletion_share": 0.9}, 17, False),
        ({"mass_deletion_share": 0.9}, 19, True),
        ({"mass_deletion_items": 2, "mass_deletion_share": 0.05}, 2, True),
        ({"hold_items": 1, "hold_share": 0.0}, 2, True),
        ({"hold_share": 1.0, "hold_always_share": 1.0}, 19, False),
    ],
)
def test_settings_of_the_workspace(desk: Desk, values: dict[str, object], gone: int, held: bool) -> None:
    """What somebody has set keeps its meaning; the new limits have settings of their own."""
    settings(desk, **values)
    desk.write(*names(20))
    desk.sync()
    desk.remove(*names(20)[:gone])
    assert (desk.sync().held is not None) is held


def test_settings_of_a_source_take_precedence(desk: Desk) -> None:
    """A source may hold more, or less, than the others."""
    settings(desk, mass_deletion_items=1000)
    edit_source(desk.workspace, SOURCE, hold_items=0, hold_share=0.0)
    desk.write(*names(20))
    desk.sync()
    desk.remove("00.md")
    held = desk.sync()
    assert held_of(held) == ("mass_deletion", 1)
    edit_source(desk.workspace, SOURCE, hold_items=5)
    assert held_of(desk.sync()) == ("still_held", 1)
    desk.approve(held)
    desk.remove("01.md")
    assert desk.sync().counters.items_retired == 1


def test_what_an_approval_left_out_waits_for_its_own_answer(desk: Desk) -> None:
    """What vanished after the list was shown stays held, however few they are, until somebody approves it too."""
    desk.write(*names(10))
    desk.sync()
    desk.remove(*names(10)[:7])
    held = desk.sync()
    desk.remove("07.md")
    desk.approve(held)
    assert desk.known() == ["07.md", "08.md", "09.md"]
    again = desk.sync()
    assert held_of(again) == ("still_held", 1)
    assert desk.known() == ["07.md", "08.md", "09.md"]
    desk.approve(again)
    assert desk.known() == ["08.md", "09.md"]


def test_an_interrupted_plan_is_superseded_whatever_the_clock_says(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """A plan that waits while a newer job lists retires nothing, though its files are an hour younger."""
    desk.write(*names(4))
    desk.sync()
    aside = desk.folder.parent / "aside.md"
    (desk.folder / "00.md").rename(aside)
    old = queue_sync(desk.workspace)
    stop_after_planning(desk.workspace, monkeypatch)
    pause_job(desk.workspace, old.job_id)
    aside.rename(desk.folder / "00.md")
    assert desk.sync().state is JobState.SUCCEEDED
    plan = desk.workspace.jobs.paths(old.job_id).plan
    later = plan.stat().st_mtime + 3600
    os.utime(plan, (later, later))
    resume_job(desk.workspace, old.job_id)
    run_queue(desk.workspace)
    job = get_job(desk.workspace, old.job_id)
    assert (job.state, job.counters.items_retired, adds_up(job)) == (JobState.SUCCEEDED, 0, True)
    assert desk.known() == names(4)


def stop_after_planning(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    """Run the queue with a worker that ends once the plan is made."""

    def stopped(job: JobContext, _finished: set[str], **_options: bool) -> None:
        job.controls._stopping.set()
        job.controls.checkpoint()

    with monkeypatch.context() as patched:
        patched.setattr(run_job, "totals_of_plan", stopped)
        with Engine(workspace) as engine:
            engine.start_ready_jobs()
            while engine.running:
                engine.wait(5.0)
