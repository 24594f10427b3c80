"""`source test` with a connector that raises what nobody foresaw."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, ClassVar

import pytest
from pydantic import BaseModel

from ingest_tui.connectors.base import BaseConnector, Capabilities, Listing
from ingest_tui.model.descriptor import Descriptor, ListingEnd, ListingPage


class NoSettings(BaseModel):
    """Nothing to set."""


class Broken(BaseConnector):
    """A connector one of whose methods raises."""

    source_type: ClassVar[str] = "broken"
    config_model: ClassVar[type[BaseModel]] = NoSettings
    capabilities: ClassVar[Capabilities] = Capabilities()

    def __init__(self, breaks: str) -> None:
        super().__init__({})
        self.breaks = breaks

    def step(self, name: str) -> None:
        if name == self.breaks:
            raise TypeError("bytes expected")

    def check_credential(self) -> str | None:
        self.step("auth")
        return None

    async def authenticate(self) -> bool:
        self.step("reach")
        return True

    def list(self, cursor: str | None = None) -> Listing:
        self.step("list")
        yield ListingPage([Descriptor("a.md", "broken:a", "1")])
        return ListingEnd(complete=True)

    @contextmanager
    def fetch(self, descriptor: Descriptor, offset: int = 0) -> Iterator[Iterator[bytes]]:
        self.step("read")
        yield iter([b"words"])


@pytest.mark.parametrize(
    ("breaks", "doing"),
    [("auth", "looking at its credential"), ("reach", "signing in"), ("list", "listing"), ("read", "reading")],
)
def test_each_step_reports_what_a_connector_raises(breaks: str, doing: str) -> None:
    """Any exception is the failure of its step, with its message and a hint, never an error of the program."""
    *_, last = Broken(breaks).test_steps()
    assert (last.name, last.ok) == (breaks, False)
    assert f"the connector failed while {doing}: TypeError: bytes expected" in last.message
    assert last.hint


def test_gaps_that_cannot_be_looked_for_are_a_failed_step() -> None:
    """A listing that breaks off after its first page is one, too."""

    def breaking(_self: BaseConnector, cursor: str | None = None) -> Any:
        yield ListingPage([])
        raise TypeError("bytes expected")

    later: Callable[..., Any] = breaking
    connector = Broken("")
    connector.list = later.__get__(connector)  # type: ignore[method-assign]
    *_, last = connector.test_steps()
    assert (last.name, last.ok) == ("list", False)
