"""Whatever happens to a folder between syncs, the collection holds what the folder holds, and nothing else."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from ingest_tui.services.jobs.holds import approve_job
from ingest_tui.store.catalogue.queries import search_text
from ingest_tui.store.documents import DocumentStore
from ingest_tui.store.workspace import Workspace, open_workspace_at
from tests.faults.crash_lab import Trial, new_workspace, queue_sync, quicken, rebuilt_state_of, run_queue, sync

pytestmark = pytest.mark.slow

NAMES = ("a.md", "b.md", "c.md", "z.md")
TEXTS = {"sun": "# Sky\n\nThe sun shines.\n", "rain": "# Sky\n\nThe rain falls.\n", "snow": "# Sky\n\nThe snow lies.\n"}
TEXTS["rain-on-windows"] = TEXTS["rain"].replace("\n", "\r\n")
WORDS = {"sun": "shines", "rain": "falls", "snow": "lies"}

_ticks = count(1_700_000_000_000_000_000, 1_000_000_000)

Step = tuple[str, str, str]
write = st.tuples(st.just("write"), st.sampled_from(NAMES), st.sampled_from(sorted(TEXTS)))
delete = st.tuples(st.just("delete"), st.sampled_from(NAMES), st.just(""))
rename = st.tuples(st.just("rename"), st.sampled_from(NAMES), st.sampled_from(NAMES))
copy = st.tuples(st.just("copy"), st.sampled_from(NAMES), st.sampled_from(NAMES))
rounds = st.lists(st.lists(write | delete | rename | copy, min_size=1, max_size=4), min_size=2, max_size=4)


@pytest.fixture(scope="module", autouse=True)
def _quick() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as monkeypatch:
        quicken(monkeypatch)
        yield


HISTORIES: dict[str, list[list[Step]]] = {
    "both of two duplicates change, one after the other": [
        [("write", "a.md", "sun"), ("write", "b.md", "sun")],
        [("write", "a.md", "rain")],
        [("write", "b.md", "snow")],
    ],
    "the first of two duplicates changes": [
        [("write", "a.md", "sun"), ("write", "b.md", "sun")],
        [("write", "a.md", "rain")],
    ],
    "the first of two duplicates takes over the text of another document": [
        [("write", "a.md", "sun"), ("write", "b.md", "sun"), ("write", "c.md", "snow")],
        [("write", "a.md", "snow")],
    ],
    "the first of two duplicates is renamed": [
        [("write", "a.md", "sun"), ("write", "b.md", "sun")],
        [("rename", "a.md", "z.md")],
    ],
    "the first of two duplicates goes, the other changes": [
        [("write", "a.md", "sun"), ("write", "b.md", "sun")],
        [("delete", "a.md", "")],
        [("write", "b.md", "rain")],
    ],
    "a document is renamed": [[("write", "a.md", "sun")], [("rename", "a.md", "z.md")]],
    "a document moves by content": [
        [("write", "a.md", "sun")],
        [("copy", "a.md", "z.md"), ("delete", "a.md", "")],
    ],
    "a document moves, and something new takes its place": [
        [("write", "a.md", "sun")],
        [("rename", "a.md", "z.md")],
        [("write", "a.md", "sun")],
        [("write", "a.md", "snow")],
    ],
    "a document is overwritten with a copy of another": [
        [("write", "a.md", "sun"), ("write", "b.md", "rain")],
        [("copy", "a.md", "b.md")],
        [("write", "c.md", "snow")],
    ],
    "two documents change places": [
        [("write", "a.md", "sun"), ("write", "b.md", "rain")],
        [("rename", "a.md", "z.md"), ("rename", "b.md", "a.md"), ("rename", "z.md", "b.md")],
    ],
    "more than half of the places go at once": [
        [("write", "a.md", "rain"), ("write", "z.md", "rain-on-windows")],
        [("delete", "a.md", ""), ("delete", "z.md", "")],
    ],
    "a document goes, and its text comes back in two places": [
        [("write", "a.md", "sun")],
        [("delete", "a.md", "")],
        [("write", "b.md", "sun")],
        [("write", "a.md", "sun")],
    ],
}


@pytest.mark.parametrize("history", HISTORIES.values(), ids=HISTORIES)
def test_collection_mirrors_the_folder_through_known_histories(history: list[list[Step]]) -> None:
    """After each sync every file is searchable with its present text, no other text is, and a rebuild agrees."""
    _live_through(history)


@settings(
    max_examples=10,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
    phases=(Phase.explicit, Phase.reuse, Phase.generate),  # histories are short already; to shrink one takes minutes
)
@given(history=rounds)
def test_collection_mirrors_the_folder_through_any_history(history: list[list[Step]]) -> None:
    """The same holds for histories that nobody thought of."""
    _live_through(history)


def _live_through(history: list[list[Step]]) -> None:
    with tempfile.TemporaryDirectory() as base:
        folder = Path(base) / "source"
        workspace = new_workspace(Path(base) / "workspace", folder)
        (folder / "anchor.md").write_text("# Anchor\n\nAlways here.\n")
        for steps in history:
            for step in steps:
                _do(folder, *step)
            ended = sync(workspace)
            if ended.held is not None:  # more than half would go: a person is asked, and agrees
                approve_job(workspace, ended.job_id)
                run_queue(workspace)
            _check_mirror(workspace, folder)
        seen = _mirror(workspace)
        root = workspace.root
        workspace.close()
        rebuilt_state_of(root, ())
        workspace = open_workspace_at(root)
        rebuilt = _mirror(workspace)
        workspace.close()
        for part, (before, after) in enumerate(zip(seen, rebuilt, strict=True)):
            assert after == before, f"part {part} after a rebuild"


def _do(folder: Path, what: str, name: str, other: str) -> None:
    path = folder / name
    if what == "write":
        path.write_bytes(TEXTS[other].encode())
        os.utime(path, ns=(next(_ticks),) * 2)
    elif path.exists() and what == "delete":
        path.unlink()
    elif path.exists() and what == "rename" and name != other:
        path.rename(folder / other)
    elif path.exists() and what == "copy" and name != other:
        shutil.copyfile(path, folder / other)
        os.utime(folder / other, ns=(next(_ticks),) * 2)


def _check_mirror(workspace: Workspace, folder: Path) -> None:
    catalogue, store = workspace.catalogue, DocumentStore(workspace.layout)
    files = {path.name: path.read_bytes().decode().replace("\r\n", "\n") for path in folder.iterdir()}
    locations = catalogue.locations("docs", files)
    assert set(locations) == set(files)
    documents = catalogue.documents(row.document_id or "" for row in locations.values())
    for name, text in files.items():
        document = documents[locations[name].document_id or ""]
        assert document.state == "active", f"{name} belongs to a document that is retired"
        stored = store.normalized(store.folder("default", document.document_id, document.version))
        assert stored == text, f"{name} is not searchable with its own text"
    for (document_id,) in catalogue.execute("SELECT document_id FROM documents WHERE state = 'active'"):
        places = [(row.source_id, row.key) for row in catalogue.locations_of(document_id)]
        assert places, f"a document without a place: {document_id}"
        document = catalogue.documents([document_id])[document_id]
        assert (document.source_id, document.key) in places, f"{document.key} is not a place of its document any more"
    for text_name, word in WORDS.items():
        found = bool(search_text(catalogue, word))
        assert found == (TEXTS[text_name] in files.values()), f"search for {word!r}"


def _mirror(workspace: Workspace) -> tuple[object, ...]:
    """What a rebuild has to bring back: documents, places of documents, and answers."""
    catalogue = workspace.catalogue
    return (
        catalogue.execute(
            "SELECT document_id, collection_id, source_id, source_type, uri, key, title, file_name, media_type,"
            " version, raw_sha256, content_hash, bytes, chunks, backend, state, created_at FROM documents"
            " ORDER BY document_id"
        ),
        catalogue.execute(
            "SELECT source_id, key, uri, document_id, fingerprint, size, modified_ns, version FROM locations"
            " WHERE document_id IS NOT NULL ORDER BY source_id, key"
        ),
        [[(hit.uri, hit.title, hit.text) for hit in search_text(catalogue, word)] for word in WORDS.values()],
    )


def test_batch_that_changes_a_text_and_brings_it_back_elsewhere(tmp_path: Path) -> None:
    """In one batch, a file that takes over the old text of a changed one gets a document with that text."""
    folder = tmp_path / "source"
    workspace = new_workspace(tmp_path / "workspace", folder)
    (folder / "a.md").write_text(TEXTS["rain"])
    sync(workspace)
    (folder / "a.md").write_text(TEXTS["sun"])
    (folder / "c.md").write_bytes(TEXTS["rain-on-windows"].encode())
    sync(workspace)
    _check_mirror(workspace, folder)
    workspace.close()


def test_trial_starts_from_a_closed_workspace(tmp_path: Path) -> None:
    """A copy of a prepared workspace is a workspace of its own: running it leaves the original as it was."""
    workspace = new_workspace(tmp_path / "prepared", tmp_path / "source")
    (tmp_path / "source" / "a.md").write_text(TEXTS["sun"])
    queue_sync(workspace)
    workspace.close()
    trial = Trial(tmp_path / "prepared", tmp_path, ())
    trial.run_undisturbed()
    untouched = open_workspace_at(tmp_path / "prepared")
    assert len(untouched.jobs.queued_ids()) == 1
    untouched.close()
