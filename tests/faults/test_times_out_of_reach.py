"""Times that cannot be stored, from a wrong clock or a hostile server, cost their own value and nothing else."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from ingest_tui.connectors.base import Listing
from ingest_tui.connectors.local.connector import LocalConnector
from ingest_tui.connectors.s3.pages import _nanoseconds as of_s3
from ingest_tui.connectors.sharepoint.items import _nanoseconds as of_sharepoint
from ingest_tui.model.clock import days, rfc3339, seconds_since_epoch, shifted
from ingest_tui.model.job import JobState
from ingest_tui.pipeline.purge import purge_overdue
from ingest_tui.services.documents.documents import remove_documents
from ingest_tui.services.documents.trash import list_trash
from ingest_tui.services.documents.uploads import upload_files
from ingest_tui.store.catalogue.queries import search_text
from ingest_tui.store.workspace import Workspace
from ingest_tui.transport.retry_after import seconds_to_wait
from tests.faults.crash_lab import new_workspace, queue_sync, quicken, run_queue, sync

pytestmark = pytest.mark.slow

TIMES = {"after 2262": (1 << 63) + 10**9, "before 1970": -(10**18), "far away": 10**30, "long ago": -(10**30)}


@pytest.fixture
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Workspace]:
    """A source with one file."""
    quicken(monkeypatch)
    workspace = new_workspace(tmp_path / "workspace", tmp_path / "source")
    (tmp_path / "source" / "clock.md").write_text("# clock\n\nThe weather of another time.\n")
    yield workspace
    workspace.close()


@pytest.mark.parametrize("name", ["after 2262", "before 1970"])
def test_files_of_another_time_are_taken_in_once(workspace: Workspace, name: str) -> None:
    """A sync and an upload take such a file, and the next sync finds it unchanged."""
    path = workspace.root.parent / "source" / "clock.md"
    os.utime(path, ns=(TIMES[name], TIMES[name]))
    assert sync(workspace).state is JobState.SUCCEEDED
    assert len(search_text(workspace.catalogue, "weather")) == 1
    assert sync(workspace).counters.items_skipped_incremental == 1
    upload_files(workspace, [path])
    run_queue(workspace)
    assert not list(workspace.layout.queue.iterdir())


@pytest.mark.parametrize("name", TIMES)
def test_a_connector_may_name_any_time(workspace: Workspace, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a plug-in says of a file is not trusted to fit into the catalogue."""
    genuine = LocalConnector.list

    def elsewhere(connector: LocalConnector, cursor: str | None = None) -> Listing:
        listing = genuine(connector, cursor)
        while True:
            try:
                page = next(listing)
            except StopIteration as end:
                return end.value  # type: ignore[no-any-return]
            yield page._replace(descriptors=[one._replace(modified_ns=TIMES[name]) for one in page.descriptors])

    monkeypatch.setattr(LocalConnector, "list", elsewhere)
    manifest = queue_sync(workspace)
    run_queue(workspace)
    assert workspace.jobs.load(manifest.job_id).counters.items_ingested == 1


@pytest.mark.parametrize("text", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "0001-01-01T00:00:00Z"])
def test_servers_may_name_any_time(text: str) -> None:
    """The ends of the calendar are no time that is kept, and none of them is an error."""
    assert of_s3(text) is None
    assert of_sharepoint(text) is None
    assert rfc3339(datetime.fromisoformat(text)).endswith("Z")
    assert seconds_since_epoch("0001-01-01T00:00:00") is None


@pytest.mark.parametrize(
    "value", ["²", "9" * 400, "Mon, 31 Dec 9999 23:59:59 -1400x", "Fri, 99 Xxx 99999 99:99:99 GMT"]
)
def test_servers_may_ask_to_wait_for_anything(value: str) -> None:
    """A Retry-After that is no time to wait is none."""
    waited = seconds_to_wait(value)
    assert waited is None or 0 <= waited < float("inf")


def test_a_grace_beyond_the_calendar_never_ends(workspace: Workspace) -> None:
    """``trash_days`` may be any number: nothing is purged before its time, and the trash is listed."""
    sync(workspace)
    rows = workspace.catalogue.execute("SELECT document_id FROM documents")
    remove_documents(workspace, [rows[0][0]])
    workspace.settings.trash_days = 10**12
    assert purge_overdue(workspace, now=datetime.now(UTC)) == 0
    (entry,) = list_trash(workspace)
    assert entry.as_dict()["deleted_after"].startswith("4")
    assert shifted(datetime.now(UTC), -days(10**12)).year == 1
    assert shifted(datetime(9000, 1, 1, tzinfo=UTC), days(10**12)).year == 9999
