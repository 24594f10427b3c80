"""A job whose worker is killed between any two of its steps ends as if nothing had happened."""

from __future__ import annotations

from pathlib import Path

import pytest

from ingest_tui.execution import local as local_execution
from ingest_tui.services.documents.uploads import upload_files
from ingest_tui.services.sources.sources import edit_source
from ingest_tui.store.workspace import open_workspace_at
from tests.faults.crash_lab import UNREADABLE, Trial, new_workspace, queue_sync, quicken, sync
from tests.made_files import zip_bytes
from tests.unit.pipeline.commit.test_attachments import ParsersHere, mail

WORDS = ("weather", "alpha", "beta", "gamma", "delta", "returned", "renamed", "gone")


@pytest.fixture(scope="module", autouse=True)
def _quick() -> object:
    with pytest.MonkeyPatch.context() as monkeypatch:
        quicken(monkeypatch)
        yield


@pytest.fixture(scope="module")
def first_sync(tmp_path_factory: pytest.TempPathFactory) -> Trial:
    """Three new documents, queued."""
    base = tmp_path_factory.mktemp("first")
    folder = base / "source"
    workspace = new_workspace(base / "prepared", folder)
    for name in ("alpha", "beta", "gamma"):
        (folder / f"{name}.md").write_text(f"# {name}\n\nThe weather in {name}.\n")
    queue_sync(workspace)
    workspace.close()
    trial = Trial(base / "prepared", base, WORDS)
    trial.run_undisturbed()
    return trial


@pytest.fixture(scope="module")
def second_sync(tmp_path_factory: pytest.TempPathFactory) -> Trial:
    """A collection with history, and a sync queued that has every kind of work to do."""
    base = tmp_path_factory.mktemp("second")
    folder = base / "source"
    workspace = new_workspace(base / "prepared", folder)
    for name in ("alpha", "beta", "gamma", "old-name", "gone", "returned", "same"):
        (folder / f"{name}.md").write_text(f"# {name}\n\nThe weather in {name}.\n")
    (folder / "old-folder").mkdir()
    (folder / "old-folder" / "inner.md").write_text("# inner\n\nThe weather in a folder.\n")
    sync(workspace)
    (folder / "returned.md").unlink()
    sync(workspace)
    (folder / "returned.md").write_text("# returned\n\nThe weather is back.\n")
    (folder / "alpha.md").write_text("# alpha\n\nThe weather in alpha changed.\n")
    (folder / "beta-copy.md").write_bytes((folder / "beta.md").read_bytes())
    (folder / "gamma-elsewhere.md").write_bytes((folder / "gamma.md").read_bytes())
    (folder / "gamma.md").unlink()
    (folder / "old-name.md").rename(folder / "renamed.md")
    (folder / "old-folder").rename(folder / "new-folder")
    (folder / "gone.md").unlink()
    (folder / "delta.md").write_text("# delta\n\nNew weather.\n")
    (folder / "broken.md").write_text("this text cannot be parsed")
    queue_sync(workspace)
    workspace.close()
    trial = Trial(base / "prepared", base, WORDS)
    trial.run_undisturbed()
    return trial


@pytest.fixture(scope="module")
def upload(tmp_path_factory: pytest.TempPathFactory) -> Trial:
    """Two uploaded files, queued; the originals are gone, so that the workspace holds the only copies."""
    base = tmp_path_factory.mktemp("upload")
    workspace = new_workspace(base / "prepared", base / "source")
    files = [base / "letter.md", base / "note.md"]
    for path in files:
        path.write_text(f"# {path.stem}\n\nThe weather in a {path.stem}.\n")
    upload_files(workspace, files)
    for path in files:
        path.unlink()
    workspace.close()
    trial = Trial(base / "prepared", base, WORDS)
    trial.run_undisturbed()
    return trial


@pytest.fixture(scope="module")
def containers(tmp_path_factory: pytest.TempPathFactory) -> Trial:
    """An archive with an archive in it was taken in, and has members that are new, changed, gone and the same."""
    base = tmp_path_factory.mktemp("containers")
    folder = base / "source"
    workspace = new_workspace(base / "prepared", folder)
    inner = zip_bytes({"deep.md": "# delta\n\nThe deepest weather.\n"})
    members = {"alpha.md": "# alpha\n\nThe weather.\n", "beta.md": "# beta\n\nWeather.\n", "gone.md": "# gone\n"}
    (folder / "box.zip").write_bytes(zip_bytes({**members, "inner.zip": inner}))
    sync(workspace)
    del members["gone.md"]
    members |= {"alpha.md": "# alpha\n\nOther weather.\n", "gamma.md": "# gamma\n", "broken.md": UNREADABLE}
    (folder / "box.zip").write_bytes(zip_bytes({**members, "inner.zip": inner}))
    queue_sync(workspace)
    workspace.close()
    trial = Trial(base / "prepared", base, WORDS)
    trial.run_undisturbed()
    return trial


@pytest.fixture
def attachments(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Trial:
    """A mail and an archive with a mail in it were taken in, whose attachments are new, changed, gone and the same."""
    monkeypatch.setattr(local_execution, "ParserPool", ParsersHere)
    folder = tmp_path / "source"
    workspace = new_workspace(tmp_path / "prepared", folder)
    edit_source(workspace, "docs", attachments="documents")
    same, inner = b"# beta\n\nWeather.\n", mail({"deep.md": b"# delta\n\nThe deepest weather.\n"}, "inner")
    (folder / "letter.eml").write_bytes(mail({"alpha.md": b"# alpha\n", "same.md": same, "gone.md": b"# gone\n"}))
    (folder / "box.zip").write_bytes(zip_bytes({"in.eml": inner}))
    sync(workspace)
    (folder / "letter.eml").write_bytes(
        mail({"alpha.md": b"# alpha\n\nWeather.\n", "same.md": same, "new.md": b"# gamma\n"})
    )
    (folder / "box.zip").write_bytes(zip_bytes({"in.eml": inner, "more.md": b"# renamed\n"}))
    queue_sync(workspace)
    workspace.close()
    trial = Trial(tmp_path / "prepared", tmp_path, WORDS)
    trial.run_undisturbed()
    return trial


def _sweep(trial: Trial) -> None:
    """Try every step, and report all that went wrong at once: the pattern of the failures tells more than the first."""
    failures = []
    for step in range(len(trial.steps) + 1):
        try:
            trial.check(step)
        except AssertionError as error:
            failures.append(str(error).split("\n", maxsplit=1)[0])
    if failures:
        pytest.fail("\n".join([f"{len(failures)} of {len(trial.steps) + 1} crash points:", *failures]), pytrace=False)


def test_undisturbed_runs_do_what_the_scenarios_promise(first_sync: Trial, second_sync: Trial, upload: Trial) -> None:
    """The three scenarios contain every kind of outcome, so that the sweeps below mean something."""
    seen = {
        outcome[1]
        for trial in (first_sync, second_sync, upload)
        for lines in trial.end().outcomes.values()
        for outcome in lines
    }
    assert seen == {"ingested", "duplicate", "moved", "retired", "unchanged", "failed"}
    assert sum(name == "DocumentStore.place" for name in first_sync.steps) == 3


def test_first_sync_killed_before_any_step(first_sync: Trial) -> None:
    """Three new documents arrive once each, wherever the worker died."""
    _sweep(first_sync)


@pytest.mark.slow
def test_second_sync_killed_before_any_step(second_sync: Trial) -> None:
    """Changed, moved, duplicate, returned, retired and failed items come out the same, wherever the worker died."""
    _sweep(second_sync)


def test_members_killed_before_any_step(containers: Trial) -> None:
    """The members of an archive come out the same and are counted once, wherever the worker died."""
    assert {outcome[1] for lines in containers.end().outcomes.values() for outcome in lines} == {
        "ingested", "unchanged", "retired", "failed",
    }  # fmt: skip
    _sweep(containers)


@pytest.mark.slow
def test_attachments_killed_before_any_step(attachments: Trial) -> None:
    """Attachments, and members with attachments, come out the same and are counted once, wherever the worker died."""
    assert {(outcome[0], outcome[1]) for lines in attachments.end().outcomes.values() for outcome in lines} >= {
        ("letter.eml", "ingested"), ("letter.eml!alpha.md", "ingested"), ("letter.eml!same.md", "unchanged"),
        ("letter.eml!gone.md", "retired"), ("letter.eml!new.md", "ingested"), ("box.zip!more.md", "ingested"),
        ("box.zip!in.eml!deep.md", "unchanged"),
    }  # fmt: skip
    _sweep(attachments)


@pytest.mark.slow
def test_upload_killed_before_any_step(upload: Trial) -> None:
    """Uploaded files are never lost: nobody could fetch them again."""
    _sweep(upload)


def test_worker_killed_again_and_again(first_sync: Trial) -> None:
    """A job whose worker dies at one step more each time comes to the same end."""
    from tests.faults.crash_lab import compare, leftovers_of, run_and_die, run_queue, state_of

    root = first_sync.fresh("again-and-again")
    for step in range(2, len(first_sync.steps), 7):  # fewer deaths than the attempts that a job gets
        run_and_die(root, step)
    workspace = open_workspace_at(root)
    run_queue(workspace)
    workspace.close()
    compare(state_of(root, WORDS), first_sync.end(), "killed again and again")
    assert leftovers_of(root) == []


def test_file_that_vanished_after_the_crash_leaves_nothing(tmp_path: Path) -> None:
    """A version that was placed but not committed is taken away when its file is gone at the second attempt."""
    from tests.faults.crash_lab import count_steps, folders_of, run_and_die, run_queue, state_of

    folder = tmp_path / "source"
    workspace = new_workspace(tmp_path / "prepared", folder)
    document = folder / "only.md"
    document.write_text("# only\n\nThe weather.\n")
    queue_sync(workspace)
    workspace.close()
    trial = Trial(tmp_path / "prepared", tmp_path, WORDS)
    learned = open_workspace_at(trial.fresh("undisturbed"))
    names = count_steps(learned)
    learned.close()
    after_place = names.index("DocumentStore.place") + 1
    root = trial.fresh("crashed")
    assert run_and_die(root, after_place)
    assert any(name.endswith("v0001") for name in folders_of(root)), "the crash came too early to show anything"
    document.unlink()
    workspace = open_workspace_at(root)
    run_queue(workspace)
    workspace.close()
    state = state_of(root, WORDS)
    assert [name for name in state.folders if "v0001" in name] == []
    assert state.documents == []
    assert [counts["items_failed"] for _, counts in state.jobs.values()] == [1]
