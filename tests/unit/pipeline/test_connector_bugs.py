"""A connector with bugs: each costs the item it is about, with message and place in the job's log, and no other."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import repeat
from pathlib import Path
from typing import Any, ClassVar

import pytest
from pydantic import BaseModel

from ingest_tui.connectors import resilience
from ingest_tui.connectors.base import BaseConnector, Capabilities, Listing
from ingest_tui.model.descriptor import Descriptor, ListingEnd, ListingPage
from ingest_tui.model.errors import UsageError
from ingest_tui.model.job import Manifest
from ingest_tui.model.source import Source
from ingest_tui.pipeline import connecting, stage
from ingest_tui.services.jobs.jobs import cancel_job, job_items
from ingest_tui.store.records.job_log import read_log
from ingest_tui.store.records.plan_file import plan_end
from ingest_tui.store.workspace import Workspace, init_workspace
from ingest_tui.transport.retrying import RetryPolicy
from ingest_tui.worker.engine import Engine
from ingest_tui.worker.submit import submit_sync

pytestmark = pytest.mark.slow

NAMES = [f"{number:02}.txt" for number in range(12)]
BAD = "05.txt"


class NoSettings(BaseModel):
    """Nothing to set."""


class Buggy(BaseConnector):
    """Yields twelve items; the class attributes are replaced by what a test has go wrong."""

    source_type: ClassVar[str] = "buggy"
    config_model: ClassVar[type[BaseModel]] = NoSettings
    capabilities: ClassVar[Capabilities] = Capabilities(remote=True)

    @staticmethod
    def when_opened(_name: str) -> None: ...

    @staticmethod
    def pieces(name: str) -> Iterator[Any]:
        return iter([f"words of {name}".encode()])

    @staticmethod
    def when_closed(_name: str) -> None: ...

    @staticmethod
    def described(name: str) -> Any:
        return Descriptor(name, f"buggy://{name}", name, None, None)

    @staticmethod
    def origins(_descriptor: Descriptor) -> Any:
        return {}

    async def authenticate(self) -> bool:
        return True

    def list(self, cursor: str | None = None) -> Listing:
        yield ListingPage([self.described(name) for name in NAMES])
        return ListingEnd(complete=True)

    @contextmanager
    def fetch(self, descriptor: Descriptor, offset: int = 0) -> Iterator[Iterator[bytes]]:
        self.when_opened(descriptor.key)
        yield self.pieces(descriptor.key)
        self.when_closed(descriptor.key)

    def origin(self, descriptor: Descriptor) -> dict[str, str]:
        origin: dict[str, str] = self.origins(descriptor)
        return origin


@pytest.fixture
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    monkeypatch.setattr(resilience, "POLICY", RetryPolicy(attempts=2, first_wait=0.01))
    monkeypatch.setattr(connecting, "get_connector", lambda _type, config, **options: Buggy(config, **options))
    workspace, _ = init_workspace(tmp_path / "ws")
    workspace.sources.save(Source(source_id="docs", name="Docs", source_type="buggy"))
    return workspace


def sync(workspace: Workspace) -> tuple[Manifest, dict[str, tuple[str, str]]]:
    job_id = submit_sync(workspace, workspace.sources.get("docs"), trigger="manual", by="test").job_id
    with Engine(workspace) as engine:
        while engine.start_ready_jobs() or engine.running:
            engine.wait(1.0)
    items = {item.key: (str(item.outcome), item.reason) for item, _ in job_items(workspace, job_id)}
    return workspace.jobs.load(job_id), items


def raising(error: BaseException) -> Callable[[str], None]:
    def call(name: str) -> None:
        if name == BAD:
            raise error

    return call


def raising_between(name: str, error: BaseException | None = None) -> Iterator[bytes]:
    yield f"first words of {name} ".encode()
    if name == BAD:
        raise error or AttributeError("'NoneType' object has no attribute 'read'")


class Unprintable(BaseException):
    """An exception that cannot say what it is."""

    def __str__(self) -> str:
        raise SystemExit(4)

    __repr__ = __str__


def others_are_ingested(items: dict[str, tuple[str, str]]) -> bool:
    return all(items[name] == ("ingested", "new") for name in NAMES if name != BAD)


FAULTS: dict[str, tuple[str, Any]] = {
    "opening raises TypeError": ("when_opened", raising(TypeError("unsupported operand"))),
    "opening raises KeyError": ("when_opened", raising(KeyError("etag"))),
    "opening raises MemoryError": ("when_opened", raising(MemoryError())),
    "opening raises an error of another kind": ("when_opened", raising(UsageError("not like that"))),
    "opening raises StopIteration": ("when_opened", raising(StopIteration())),
    "opening raises CancelledError": ("when_opened", raising(asyncio.CancelledError())),
    "opening raises SystemExit": ("when_opened", raising(SystemExit(3))),
    "opening raises KeyboardInterrupt": ("when_opened", raising(KeyboardInterrupt())),
    "opening raises GeneratorExit": ("when_opened", raising(GeneratorExit())),
    "opening raises a group": ("when_opened", raising(BaseExceptionGroup("several", [SystemExit(3)]))),
    "opening raises what has no text": ("when_opened", raising(Unprintable())),
    "closing raises SystemExit": ("when_closed", raising(SystemExit(3))),
    "reading raises BaseException": ("pieces", lambda name: raising_between(name, BaseException("a panic"))),
    "reading raises": ("pieces", raising_between),
    "reading yields text": ("pieces", lambda name: iter(["text"] if name == BAD else [f"words of {name}".encode()])),
    "reading yields numbers": ("pieces", lambda name: iter([1] if name == BAD else [f"words of {name}".encode()])),
    "reading is no iterator": ("pieces", lambda name: None if name == BAD else iter([f"words of {name}".encode()])),
    "closing raises": ("when_closed", raising(ZeroDivisionError("division by zero"))),
}


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("concurrency", [1, 4])
def test_bug_while_an_item_is_read_fails_that_item(
    fault: str, concurrency: int, workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever a connector raises or yields for one item makes that item failed, and the others are ingested."""
    attribute, value = FAULTS[fault]
    monkeypatch.setattr(Buggy, attribute, staticmethod(value))
    monkeypatch.setattr(Buggy, "capabilities", Capabilities(remote=True, fetch_concurrency=concurrency))
    manifest, items = sync(workspace)
    assert manifest.state == "partial"
    assert others_are_ingested(items)
    outcome, reason = items[BAD]
    assert outcome == "failed"
    assert reason in {"connector_error", "usage"}


def test_bug_is_logged_with_message_and_place(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    """The job's log names the error, what it says, and the line of the connector that raised it."""
    monkeypatch.setattr(Buggy, "when_opened", staticmethod(raising(TypeError("unsupported operand"))))
    manifest, _ = sync(workspace)
    lines = [line for line, _ in read_log(workspace.jobs.paths(manifest.job_id).log) if "places" in line]
    assert "TypeError: unsupported operand" in lines[0]["message"]
    assert lines[0]["document"] == f"buggy://{BAD}"
    assert any(place.startswith("test_connector_bugs.py:") for place in lines[0]["places"])


@pytest.mark.parametrize("error", [ConnectionResetError("reset by peer"), TimeoutError("timed out")])
def test_broken_connection_is_no_bug(error: OSError, workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    """An error of the network that a connector passes on as it came is a network failure of that item."""
    monkeypatch.setattr(Buggy, "when_opened", staticmethod(raising(error)))
    _, items = sync(workspace)
    assert items[BAD] == ("failed", "network")
    assert others_are_ingested(items)


@pytest.mark.parametrize(
    "change",
    [
        {"uri": None},
        {"fingerprint": 7},
        {"size": "12"},
        {"size": -1},
        {"size": 2**70},
        {"modified_ns": 1.5},
        {"modified_ns": 2**70},
        {"refusal": "too_large"},
        {"metadata": {"pages": 7}},
        {"media_type": b"text/plain"},
    ],
)
def test_malformed_descriptor_refuses_that_item(
    change: dict[str, Any], workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An item that is listed with values of the wrong kind is rejected with the reason, and the others are ingested."""

    def described(name: str) -> Descriptor:
        plain = Descriptor(name, f"buggy://{name}", name, None, None)
        return plain._replace(**change) if name == BAD else plain

    monkeypatch.setattr(Buggy, "described", staticmethod(described))
    _, items = sync(workspace)
    assert items[BAD] == ("rejected", "connector_error")
    assert others_are_ingested(items)


def origin_raises(_descriptor: Descriptor) -> dict[str, str]:
    raise LookupError("no such header")


@pytest.mark.parametrize("origins", [origin_raises, lambda _descriptor: None, lambda _descriptor: {"pages": 7}])
def test_bug_in_origin_costs_no_document(
    origins: Callable[[Descriptor], Any], workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where a connector cannot say where a document came from, the document is ingested all the same."""
    monkeypatch.setattr(Buggy, "origins", staticmethod(origins))
    manifest, items = sync(workspace)
    assert manifest.state == "succeeded"
    assert {outcome for outcome, _ in items.values()} == {"ingested"}


@pytest.mark.parametrize("descriptor", [None, Descriptor(None, "u", "f"), ("key", "uri")])  # type: ignore[arg-type]
def test_listing_without_keys_fails_the_job_and_retires_nothing(
    descriptor: Any, workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A listing that yields what is no descriptor fails with what to report, and documents stay."""
    sync(workspace)
    monkeypatch.setattr(Buggy, "described", staticmethod(lambda name: descriptor))
    manifest, _ = sync(workspace)
    assert manifest.state == "failed"
    assert manifest.errors[-1].code == "connector_error"
    assert "report it" in manifest.errors[-1].hint
    assert workspace.catalogue.value("SELECT count(*) FROM documents WHERE state = 'active'") == len(NAMES)


@pytest.mark.parametrize("error", [SystemExit(3), KeyboardInterrupt(), asyncio.CancelledError(), Unprintable()])
@pytest.mark.parametrize("remote", [True, False])
def test_listing_that_raises_anything_fails_its_job(
    error: BaseException, remote: bool, workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a listing raises fails the job with its kind, whether or not it is an `Exception`."""

    def described(_name: str) -> Descriptor:
        raise error

    monkeypatch.setattr(Buggy, "described", staticmethod(described))
    monkeypatch.setattr(Buggy, "capabilities", Capabilities(remote=remote))
    manifest, _ = sync(workspace)
    assert manifest.state == "failed"
    assert type(error).__name__ in manifest.errors[-1].message


@pytest.mark.parametrize("descriptor", [None, Descriptor(None, "u", "f"), ("key", "uri")])  # type: ignore[arg-type]
def test_descriptor_without_a_key_costs_that_item(
    descriptor: Any, workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of a listing with something that is no descriptor the rest is ingested; it counts as incomplete."""
    sync(workspace)
    sound = Buggy.described
    monkeypatch.setattr(Buggy, "described", staticmethod(lambda name: descriptor if name == BAD else sound(name)))
    manifest, items = sync(workspace)
    assert manifest.state == "partial"
    assert len(items) == len(NAMES) - 1
    assert manifest.errors[-1].code == "listing_incomplete"
    assert "one of its items is left out" in manifest.errors[-1].message
    assert "source test" in manifest.errors[-1].hint
    assert workspace.catalogue.value("SELECT count(*) FROM documents WHERE state = 'active'") == len(NAMES)


def test_item_that_yields_nothing_for_ever_fails(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    """An item whose stream works without bytes fails after a while, and the others are ingested."""
    monkeypatch.setattr(stage, "LONGEST_WITHOUT_BYTES", 0.05)
    pieces = staticmethod(lambda name: repeat(b"") if name == BAD else iter([name.encode()]))
    monkeypatch.setattr(Buggy, "pieces", pieces)
    _, items = sync(workspace)
    assert items[BAD] == ("failed", "network")
    assert others_are_ingested(items)


def test_job_is_cancelled_while_an_item_yields_nothing(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    """A job that reads an endless stream without bytes answers a request to cancel it."""

    def endless(_name: str) -> Iterator[bytes]:
        job_id = workspace.jobs.ids()[-1]
        workspace.jobs.leave_request(job_id, "cancel", by="test")
        yield from repeat(b"")

    monkeypatch.setattr(Buggy, "pieces", staticmethod(endless))
    manifest, _ = sync(workspace)
    assert manifest.state == "cancelled"


@dataclass
class Blocked:
    """A job whose connector does not come back from a call; ``ends`` cancels it and returns how it ended."""

    workspace: Workspace
    is_blocked: threading.Event = field(default_factory=threading.Event)
    is_over: threading.Event = field(default_factory=threading.Event)

    def block(self) -> None:
        """What the connector does in that call."""
        self.is_blocked.set()
        self.is_over.wait(30)

    def ends(self) -> tuple[Manifest, float]:
        """Run a job until it is in the call, cancel it; return its manifest and the seconds that this took."""
        results: list[Manifest] = []
        worker = threading.Thread(target=lambda: results.append(sync(self.workspace)[0]), daemon=True)
        worker.start()
        assert self.is_blocked.wait(20)
        asked_at = time.monotonic()
        cancel_job(self.workspace, self.workspace.jobs.ids()[0])
        worker.join(20)
        took = time.monotonic() - asked_at
        self.is_over.set()
        [manifest] = results
        return manifest, took


@pytest.mark.parametrize("remote", [True, False])
def test_a_fetch_that_blocks_does_not_hold_up_a_cancel(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch, *, remote: bool
) -> None:
    """One item at a time, and a call that never comes back: the job ends within two seconds and names the item."""
    blocked = Blocked(workspace)
    monkeypatch.setattr(Buggy, "capabilities", Capabilities(remote=remote))
    monkeypatch.setattr(Buggy, "when_opened", staticmethod(lambda name: blocked.block() if name == BAD else None))
    manifest, took = blocked.ends()
    assert manifest.state == "cancelled"
    assert took < 2.0
    assert manifest.warnings == [f"left while still being read: buggy://{BAD}"]
    logged = [record for record, _ in read_log(workspace.jobs.paths(manifest.job_id).log, 0)]
    assert [record["document"] for record in logged if "still reading" in record["message"]] == [f"buggy://{BAD}"]


@pytest.mark.parametrize("remote", [True, False])
@pytest.mark.parametrize("call", ["authenticate", "list"])
def test_signing_in_or_listing_that_blocks_does_not_hold_up_a_cancel(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch, call: str, *, remote: bool
) -> None:
    """A plug-in that never comes back from another call is left within two seconds as well, remote or not."""
    blocked = Blocked(workspace)

    async def authenticate(_self: Buggy) -> bool:
        blocked.block()
        return True

    def listed(_self: Buggy, cursor: str | None = None) -> Listing:
        yield ListingPage([Buggy.described(name) for name in NAMES[:3]])
        blocked.block()
        return ListingEnd(complete=True)

    monkeypatch.setattr(Buggy, "capabilities", Capabilities(remote=remote))
    monkeypatch.setattr(Buggy, call, {"authenticate": authenticate, "list": listed}[call])
    manifest, took = blocked.ends()
    assert manifest.state == "cancelled"
    assert took < 2.0


@pytest.mark.parametrize(
    ("field_name", "value"),
    [
        ("complete", "yes"),
        ("complete", 1),
        ("gaps", None),
        ("gaps", ["a folder"]),
        ("gaps", ("ab",)),
        ("gaps", (("a", 1),)),
        ("volumes", ["a"]),
        ("volumes", {"a": 1}),
        ("volumes", None),
        ("doubts", (("a",),)),
        ("doubts", 7),
        ("bounded", "yes"),
    ],
)
def test_end_of_a_listing_with_wrong_values_proves_nothing(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch, field_name: str, value: Any
) -> None:
    """What was listed is taken in, nothing is retired, and the gap says that the connector is at fault."""
    assert sync(workspace)[0].state == "succeeded"
    end = ListingEnd(complete=True)._replace(**{field_name: value})

    def listed(_self: Buggy, cursor: str | None = None) -> Listing:
        yield ListingPage([Buggy.described(name) for name in NAMES[:3]], cursor=7)  # type: ignore[arg-type] # a bug
        return end

    monkeypatch.setattr(Buggy, "list", listed)
    manifest, _ = sync(workspace)
    assert (manifest.state, manifest.counters.items_retired, manifest.held) == ("partial", 0, None)
    gaps = plan_end(workspace.jobs.paths(manifest.job_id).plan).gaps
    assert [key for key, message in gaps if f"the connector is at fault: {field_name} must be" in message] == [""]
