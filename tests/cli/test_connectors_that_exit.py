"""A connector that raises SystemExit or KeyboardInterrupt fails for its source alone; a person's Ctrl-C interrupts."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, ClassVar

import pydantic
import pytest

from ingest_tui.cli.main import run
from ingest_tui.connectors import registry
from ingest_tui.connectors.base import BaseConnector, Capabilities, Listing, Place
from ingest_tui.model.descriptor import Descriptor, ListingEnd, ListingPage
from ingest_tui.model.sighting import UNKNOWN, Sighting

ITEM = Descriptor("a.txt", "shelf:a.txt", "1", 1)


class Settings(pydantic.BaseModel):
    """None but patterns."""

    include: tuple[str, ...] = ()


class Exiting(BaseConnector):
    """One item; in ``places`` it raises ``error``, or does what a person does who presses Ctrl-C."""

    source_type = "exiting"
    config_model = Settings
    capabilities = Capabilities()
    places: ClassVar[set[str]] = set()
    error: ClassVar[BaseException | None] = None

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._at("init")

    def _at(self, place: str) -> None:
        if place not in self.places:
            return
        if self.error is None:
            signal.raise_signal(signal.SIGINT)
        else:
            raise self.error

    def validate_config(self) -> None:
        self._at("validate")

    def choice(self) -> str:
        self._at("choice")
        return super().choice()

    def account(self) -> str:
        self._at("account")
        return super().account()

    def check_credential(self) -> str | None:
        self._at("credential")
        return None

    async def authenticate(self) -> bool:
        self._at("authenticate")
        return True

    def list(self, cursor: str | None = None) -> Listing:
        self._at("list")
        yield ListingPage([ITEM])
        self._at("list end")
        return ListingEnd(complete=True)

    @contextmanager
    def fetch(self, descriptor: Descriptor, offset: int = 0) -> Iterator[Iterator[bytes]]:
        self._at("fetch")
        yield iter([b"x"])

    def browse(self, path: str = "") -> Iterator[Place]:
        self._at("browse")
        yield Place("a.txt", "a.txt", "item")

    def key_of(self, address: str) -> str | None:
        self._at("key")
        return address.removeprefix("shelf:") if address.startswith("shelf:") else None

    def sight(self, key: str) -> Sighting:
        self._at("sight")
        return UNKNOWN

    def explain_left_out(self, key: str) -> str | None:
        self._at("left out")
        return None


FAILS = {
    ("plan", "shelf"): ("init", "choice", "account", "authenticate", "list", "list end"),
    ("source", "test", "shelf"): ("init", "credential", "authenticate", "list", "fetch"),
    ("source", "preview", "shelf"): ("init", "authenticate", "list"),
    ("source", "browse", "shelf"): ("init", "browse"),
    ("source", "edit", "shelf", "--include", "*.md"): ("init", "validate"),
}
ANSWERS = ("init", "choice", "key", "sight", "left out")
CASES = [(call, place) for call, places in FAILS.items() for place in places]
INTERRUPTED = [
    *(case for case in CASES if case != (("plan", "shelf"), "authenticate")),  # in another thread, without signals
    *((("doc", "explain", "shelf:a.txt"), place) for place in ("key", "sight")),
]


def prepare(place: str | None, error: BaseException | None = None) -> None:
    """Say where the connector does it; only one of a remote source is asked for its account."""
    Exiting.places, Exiting.error = {place} if place else set(), error
    Exiting.capabilities = Capabilities(remote=place == "account")


@pytest.fixture
def shelf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[str, ...]]:
    """A workspace with a source of that connector; yields how a call of the program begins."""
    monkeypatch.setitem(registry._BUILT_IN, "exiting", f"{__name__}:Exiting")
    monkeypatch.setattr(registry, "_built_in", lambda _type: Exiting)
    begin = ("--workspace", str(tmp_path / "workspace"))
    prepare(None)
    assert run([*begin, "init"]) == 0
    assert run([*begin, "source", "add", "exiting", "shelf"]) == 0
    yield begin
    prepare(None)


@pytest.mark.parametrize("error", [SystemExit(0), KeyboardInterrupt()], ids=["SystemExit", "KeyboardInterrupt"])
@pytest.mark.parametrize(("call", "place"), CASES, ids=[f"{' '.join(call[:2])}, {place}" for call, place in CASES])
def test_what_a_connector_raises_fails_the_command(
    shelf: tuple[str, ...], capsys: pytest.CaptureFixture[str], call: tuple[str, ...], place: str, error: BaseException
) -> None:
    """The command ends with a failure that names the error and, where one is asked, its source."""
    prepare(place, error)
    code = run([*shelf, *call])
    told = "".join(capsys.readouterr())
    assert code == 1, told
    assert type(error).__name__ in told
    assert "the connector failed" in told
    assert call[0] != "plan" or "shelf" in told


@pytest.mark.parametrize("error", [SystemExit(0), KeyboardInterrupt()], ids=["SystemExit", "KeyboardInterrupt"])
@pytest.mark.parametrize("place", ANSWERS)
def test_an_explanation_does_without_the_answer(
    shelf: tuple[str, ...], capsys: pytest.CaptureFixture[str], place: str, error: BaseException
) -> None:
    """`doc explain` answers from what is known where the connector has none."""
    prepare(place, error)
    assert run([*shelf, "doc", "explain", "shelf:a.txt"]) == 0
    assert "not here" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("call", "place"), [*CASES, *((("doc", "explain", "shelf:a.txt"), one) for one in ("key", "sight"))]
)
def test_a_ctrl_c_interrupts(shelf: tuple[str, ...], call: tuple[str, ...], place: str) -> None:
    """What a person presses while a connector is at work ends the command as always, wherever it is."""
    prepare(place)
    assert run([*shelf, *call]) == 130
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
