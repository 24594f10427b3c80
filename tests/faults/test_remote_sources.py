"""A source behind a network: what was listed and fetched before a crash is not asked for again, silence can be left."""

from __future__ import annotations

import hashlib
import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any, ClassVar

import pytest
from pydantic import BaseModel

from ingest_tui.connectors import resilience
from ingest_tui.connectors.base import BaseConnector, Capabilities, Listing
from ingest_tui.model.descriptor import Descriptor, ListingEnd, ListingPage
from ingest_tui.model.errors import AuthenticationError, TransientItemError, TransientSourceError
from ingest_tui.model.job import Manifest
from ingest_tui.model.source import Source
from ingest_tui.pipeline import connecting
from ingest_tui.pipeline.commit import committer
from ingest_tui.services.jobs.jobs import cancel_job, job_items
from ingest_tui.store import staging as staging_module
from ingest_tui.store.catalogue.listing_scratch import ListingScratch
from ingest_tui.store.workspace import Workspace, init_workspace, open_workspace_at
from ingest_tui.transport.retrying import RetryPolicy
from ingest_tui.worker.submit import submit_sync
from tests.faults.crash_lab import DIED, leftovers_of, quicken, run_queue
from tests.waiting import wait_until

pytestmark = pytest.mark.slow

PAGE = 5
PIECE = 1000


class Settings(BaseModel):
    """Nothing to set."""


class FarSource:
    """The other side: items by name, what was asked of it, and what it is told to do when asked."""

    def __init__(self) -> None:
        self.items: dict[str, bytes] = {}
        self.asked: list[tuple[Any, ...]] = []
        self.when_asked: Callable[[tuple[Any, ...]], None] = lambda _question: None

    def ask(self, *question: Any) -> None:
        self.asked.append(question)
        self.when_asked(question)


class FarConnector(BaseConnector):
    """Lists in pages and fetches by range."""

    source_type: ClassVar[str] = "far"
    config_model: ClassVar[type[BaseModel]] = Settings
    capabilities: ClassVar[Capabilities] = Capabilities(
        fetch_concurrency=2, resumes_listing=True, ranged_fetch=True, remote=True
    )
    source: ClassVar[FarSource]

    async def authenticate(self) -> bool:
        self.source.ask("authenticate", None)
        return True

    def list(self, cursor: str | None = None) -> Listing:
        names = [name for name in sorted(self.source.items) if cursor is None or name > cursor]
        for start in range(0, len(names), PAGE):
            page = names[start : start + PAGE]
            self.source.ask("list", page[0])
            yield ListingPage([self._describe(name) for name in page], page[-1])
        return ListingEnd(complete=True)

    def _describe(self, name: str) -> Descriptor:
        content = self.source.items[name]
        return Descriptor(name, f"far://{name}", hashlib.md5(content).hexdigest(), len(content), None)

    @contextmanager
    def fetch(self, descriptor: Descriptor, offset: int = 0) -> Iterator[Iterator[bytes]]:
        self.source.ask("fetch", (descriptor.key, offset))
        yield self._pieces(descriptor.key, offset)

    def _pieces(self, name: str, offset: int) -> Iterator[bytes]:
        content = self.source.items[name]
        for start in range(offset, len(content), PIECE):
            self.source.ask("piece", (name, start))
            yield content[start : start + PIECE]


@pytest.fixture
def far(monkeypatch: pytest.MonkeyPatch) -> FarSource:
    """A source with thirty small items."""
    quicken(monkeypatch)
    monkeypatch.setattr(resilience, "POLICY", RetryPolicy(attempts=3, first_wait=0.01))
    source = FarSource()
    source.items = {f"{number:02}.txt": f"common number{number}".encode() for number in range(30)}
    monkeypatch.setattr(FarConnector, "source", source, raising=False)

    def connector(_type: str, config: dict[str, Any], **options: Any) -> BaseConnector:
        return FarConnector(config, **options)

    monkeypatch.setattr(connecting, "get_connector", connector)
    return source


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    """A workspace with the far source, called ``docs``."""
    workspace, _ = init_workspace(tmp_path / "ws")
    workspace.sources.save(Source(source_id="docs", name="Docs", source_type="far"))
    return workspace


def queue_sync(workspace: Workspace) -> str:
    """Queue a sync and return the job's id."""
    return submit_sync(workspace, workspace.sources.get("docs"), trigger="manual", by="test").job_id


def sync(workspace: Workspace) -> Manifest:
    """Sync and return the job as it ended."""
    job_id = queue_sync(workspace)
    run_queue(workspace)
    return workspace.jobs.load(job_id)


def die_while_syncing(workspace: Workspace, far: FarSource, last_question: Callable[[tuple[str, Any]], bool]) -> None:
    """Work off the queue in a child that is gone as soon as the source is asked ``last_question``."""
    child = os.fork()
    if child == 0:
        far.when_asked = lambda question: os._exit(DIED) if last_question(question) else None
        run_queue(open_workspace_at(workspace.root))
        os._exit(1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == DIED


def listed_from(far: FarSource) -> list[str]:
    """Return the first item of each page that was asked for."""
    return [first for what, first in far.asked if what == "list"]


def test_a_listing_goes_on_from_its_checkpoint(far: FarSource, workspace: Workspace) -> None:
    """After kill -9 in the fourth page of six, the next worker asks for the fourth page on, and nothing is missing."""
    job_id = queue_sync(workspace)
    die_while_syncing(workspace, far, lambda question: question == ("list", "15.txt"))
    run_queue(workspace)
    ended = workspace.jobs.load(job_id)
    assert (ended.state, ended.counters.items_ingested, ended.attempt) == ("succeeded", 30, 2)
    assert listed_from(far) == ["15.txt", "20.txt", "25.txt"]


def test_a_listing_is_not_resumed_under_other_settings(far: FarSource, workspace: Workspace) -> None:
    """When the source was edited meanwhile, what its old settings had listed does not count."""
    job_id = queue_sync(workspace)
    die_while_syncing(workspace, far, lambda question: question == ("list", "15.txt"))
    workspace.sources.save(workspace.sources.get("docs").model_copy(update={"since": date(2026, 1, 1)}))
    del far.items["03.txt"]
    run_queue(workspace)
    ended = workspace.jobs.load(job_id)
    assert (ended.state, ended.counters.descriptors_listed) == ("succeeded", 29)
    assert listed_from(far)[0] == "00.txt"


def test_a_checkpoint_of_before_a_reboot_is_not_trusted(
    far: FarSource, workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Pages that a power cut may have taken are listed again: an incomplete list would look like deletions."""
    sync(workspace)
    far.asked.clear()
    job_id = queue_sync(workspace)
    die_while_syncing(workspace, far, lambda question: question == ("list", "15.txt"))
    other_boot = tmp_path / "boot_id"
    other_boot.write_text("another boot")
    monkeypatch.setattr("ingest_tui.store.catalogue.listing_scratch._BOOT_ID", other_boot)
    run_queue(workspace)
    ended = workspace.jobs.load(job_id)
    assert listed_from(far)[0] == "00.txt"
    assert (ended.state, ended.counters.items_retired, ended.counters.descriptors_listed) == ("succeeded", 0, 30)


def test_the_scratch_of_a_listing_forgets_what_is_not_resumed(tmp_path: Path) -> None:
    """A listing that starts over does not inherit pages."""
    scratch = ListingScratch(tmp_path / "listing.db", resume=True)
    scratch.add(ListingPage([Descriptor("a", "far://a", "f")], "a"))
    scratch.close()
    again = ListingScratch(tmp_path / "listing.db", resume=True)
    assert (again.cursor, again.count()) == ("a", 1)
    again.close()
    again = ListingScratch(tmp_path / "listing.db", resume=False)
    assert (again.cursor, again.count()) == (None, 0)
    again.close()


def test_a_large_download_goes_on_by_range(
    far: FarSource, workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After kill -9 within a large item the next attempt asks only for what follows the last durable part."""
    monkeypatch.setattr(staging_module, "KEPT_EVERY_BYTES", 10_000)
    monkeypatch.setattr("ingest_tui.pipeline.stage.KEPT_EVERY_BYTES", 10_000)
    content = "\n".join(f"line {number} of a long text" for number in range(4000)).encode()
    far.items = {"long.txt": content}
    job_id = queue_sync(workspace)
    die_while_syncing(workspace, far, lambda question: question == ("piece", ("long.txt", 57_000)))
    run_queue(workspace)
    ended = workspace.jobs.load(job_id)
    assert (ended.state, ended.counters.items_ingested) == ("succeeded", 1)
    assert [where for what, where in far.asked if what == "fetch"] == [("long.txt", 50_000)]
    [outcome] = [outcome for outcome, _ in job_items(workspace, job_id)]
    assert outcome.raw_sha256 == hashlib.sha256(content).hexdigest()
    assert leftovers_of(workspace.root) == []


def test_a_large_download_that_changed_meanwhile_begins_again(
    far: FarSource, workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is kept of an item belongs to its fingerprint only; another one finds nothing."""
    monkeypatch.setattr(staging_module, "KEPT_EVERY_BYTES", 10_000)
    staging = staging_module.StagingArea(workspace.root / "staging")
    (workspace.root / "staging").mkdir()

    def cut() -> Iterator[bytes]:
        yield b"a" * 12_000
        yield b"b" * 12_000
        raise TransientItemError("cut")

    with pytest.raises(TransientItemError):
        staging.receive("item", "txt", cut(), fingerprint="one")
    assert staging.begun("item", "another") is None
    begun = staging.begun("item", "one")
    assert begun is not None
    assert begun.size == 12_000
    _path, size, digest = staging.receive("item", "txt", [b"c" * 5], begun=begun, fingerprint="one")
    assert (size, digest) == (12_005, hashlib.sha256(b"a" * 12_000 + b"c" * 5).hexdigest())
    assert not [path.name for path in (workspace.root / "staging" / "item").iterdir() if path.name != "raw.txt"]


@pytest.mark.parametrize("silent_when", ["authenticate", "list", "fetch", "piece"])
def test_a_silent_network_does_not_hold_up_a_cancel(far: FarSource, workspace: Workspace, silent_when: str) -> None:
    """A job whose source does not answer is cancelled within two seconds, and leaves nothing half."""
    silence = threading.Event()
    is_silent = threading.Event()

    def fall_silent(question: tuple[str, Any]) -> None:
        if question[0] == silent_when:
            is_silent.set()
            silence.wait(20)

    far.when_asked = fall_silent
    job_id = queue_sync(workspace)
    worker = threading.Thread(target=run_queue, args=(workspace,))
    worker.start()
    assert is_silent.wait(5)
    asked_at = time.monotonic()
    cancel_job(workspace, job_id)
    wait_until(lambda: workspace.jobs.load(job_id).ended)
    took = time.monotonic() - asked_at
    silence.set()
    worker.join()
    assert workspace.jobs.load(job_id).state == "cancelled"
    assert took < 2.0
    assert leftovers_of(workspace.root) == []


def test_items_that_fill_the_way_do_not_wait_for_one_another(
    far: FarSource, workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where one item is as much as may be on its way at once, as two files of 64 MB are, they still go one by one."""
    monkeypatch.setattr(committer, "MAX_WEIGHT_IN_FLIGHT", 1)
    manifests: list[Manifest] = []
    syncing = threading.Thread(target=lambda: manifests.append(sync(workspace)), daemon=True)
    syncing.start()
    syncing.join(30)
    assert [manifest.counters.items_ingested for manifest in manifests] == [30]


def test_time_lost_to_throttling_is_reported(far: FarSource, workspace: Workspace) -> None:
    """A source that asks to wait is waited for, and the job says for how long."""
    throttled: list[int] = []

    def throttle(question: tuple[str, Any]) -> None:
        if question[0] == "list" and len(throttled) < 1:
            throttled.append(1)
            raise TransientSourceError("slow down", code="throttled", retry_after=1.0)

    far.when_asked = throttle
    manifest = sync(workspace)
    assert manifest.state == "succeeded"
    assert 0.7 <= manifest.progress.throttled_seconds <= 3.0


def test_a_source_that_refuses_everything_stops_the_job(far: FarSource, workspace: Workspace) -> None:
    """Ten refusals in a row at the start end the job with what they have in common; nothing else is asked for."""

    def refuse(question: tuple[str, Any]) -> None:
        if question[0] == "fetch":
            raise AuthenticationError("the token has expired", hint="renew it")

    far.items = {f"{number:03}.txt": b"x" for number in range(200)}
    far.when_asked = refuse
    manifest = sync(workspace)
    assert manifest.state == "failed"
    assert manifest.errors[-1].code == "source_failing"
    assert "the first 10 fetches all failed" in manifest.errors[-1].message
    assert "the token has expired" in manifest.errors[-1].message
    assert manifest.errors[-1].hint == "renew it"
    assert sum(1 for what, _ in far.asked if what == "fetch") < 30
    assert manifest.counters.items_failed >= 10
    far.when_asked = lambda _question: None
    again = sync(workspace)
    assert (again.state, again.counters.items_ingested) == ("succeeded", 1)
    assert again.counters.items_duplicate == 199


def test_documents_that_are_bad_never_stop_the_job(far: FarSource, workspace: Workspace) -> None:
    """Nine of ten documents that cannot be read are nine of ten failed outcomes."""
    far.items = {f"{number:03}.txt": b"this text cannot be parsed" + str(number).encode() for number in range(180)}
    far.items |= {f"good{number}.txt": f"good {number}".encode() for number in range(20)}
    manifest = sync(workspace)
    assert (manifest.state, manifest.counters.items_failed, manifest.counters.items_ingested) == ("partial", 180, 20)
