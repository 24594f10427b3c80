"""Random keys, clicks and changes from outside, from a seed: what breaks under them is found before a person does it.

`run` plays rounds; each is a burst of keys that arrive together, and now and then a click, the wheel, another size or a
change that a worker would have made. A failure names the seed and the rounds; `shrunk` makes them few.
"""

from __future__ import annotations

import asyncio
import random
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from textual import events
from textual.widgets import Input

from ingest_tui.services.client import Client
from ingest_tui.tui.app import IngestApp
from ingest_tui.tui.background.questions import Asking
from ingest_tui.tui.dialogs.dialogs import Confirm
from ingest_tui.tui.navigation.views import VIEW_NAMES
from ingest_tui.tui.terminal import editor, pager
from ingest_tui.tui.views.base.general_actions import Everywhere
from ingest_tui.tui.views.base.view_screen import ViewScreen
from ingest_tui.tui.widgets.table import VirtualTable
from tests.tui.stories import CLICK, NOW, add_job, send_mouse, send_together

MOVES = ("j", "k", "g", "G", "up", "down", "left", "right", "pageup", "pagedown", "home", "end", "tab", "shift+tab")
KEYS = (
    *MOVES, *MOVES, "enter", "escape", "enter", "escape", "space", "backspace", *"abcdefhilmnopqrstuvwxyz",
    *"ABCDEFHILNOPRTUX", *"01234567", *"/:?*[].!&#", "ctrl+p", "ctrl+o", "ctrl+t", "ctrl+r", "ctrl+u", "f2", "delete",
)  # fmt: skip
SIZES = ((80, 24), (120, 35), (200, 50), (60, 20), (38, 9))
STATES = ("queued", "running", "paused", "succeeded", "failed", "partial", "cancelled")
MOST_ESCAPES = 40
_ROUNDS_BETWEEN = 25
ACTS: dict[str, tuple[str, ...]] = {
    "jobs": ("cancel", "pause", "resume", "retry", "set_priority", "approve", "refuse"),
    "sources": ("sync", "set_enabled", "set_watched", "remove", "test"),
    "documents": ("remove", "restore"),
}
"""By part of the client: its functions that act on rows; their first argument names the rows."""


@dataclass(frozen=True, slots=True)
class Round:
    """What happens at once: ``kind`` is keys, click, wheel, resize or change."""

    kind: str
    keys: tuple[str, ...] = ()
    number: int = 0


def rounds_of(seed: int, number: int) -> list[Round]:
    """Return so many rounds, the same ones for the same seed."""
    chance = random.Random(seed)
    found = []
    for _ in range(number):
        kind = chance.choices(("keys", "click", "wheel", "resize", "change"), (80, 6, 4, 3, 7))[0]
        keys = tuple(chance.choices(KEYS, k=chance.randint(1, 8))) if kind == "keys" else ()
        found.append(Round(kind, keys, chance.randrange(1_000_000)))
    return found


@dataclass
class Witness:
    """Which rows were chosen when an action began, and which ones were acted on.

    An action does its work in a thread, while the next keys act and choose other rows: what was chosen goes with the
    question that the action asks.
    """

    chosen: dict[str, frozenset[str]] = field(default_factory=dict)
    wrong: list[str] = field(default_factory=list)
    acted: set[str] = field(default_factory=set)
    made: set[str] = field(default_factory=set)
    """The sources that forms have saved: their test follows, whatever the cursor is on."""
    asked: threading.local = field(default_factory=threading.local)

    def begins(self, screen: Any, action_id: str) -> None:
        """Take note of what is under the cursor, or marked, as a person sees it."""
        if not isinstance(screen, ViewScreen):
            return
        # A page is about its job or document also while its rows are still asked for.
        ids = {str(getattr(screen, "job_id", "")), str(getattr(screen, "document_id", ""))}
        if action_id == "undo":  # what it is about may be out of sight by now
            ids |= self.acted
        if screen.view in {"overview", "source"}:  # whose panels and page are about sources and jobs
            ids |= set(screen.command_values().values())
        if screen.is_whole:
            tables = screen.query(f"#{screen.main_id}").results(VirtualTable)
            ids |= {_id_of(table, key) for table in tables for key in table.chosen_keys}
        else:
            ids |= self.chosen.get(screen.view, set())
        self.chosen[screen.view] = frozenset(ids)

    def chosen_on(self, asker: Any) -> frozenset[str]:
        """Return what was chosen in the view that asks, or that the asking dialog is over."""
        stack = [*asker.app.screen_stack, asker.screen]
        view = next((screen.view for screen in reversed(stack) if isinstance(screen, ViewScreen)), "")
        return self.chosen.get(view, frozenset())

    def acts(self, name: str, target: Any) -> None:
        """Compare what is acted on, in the thread of a question, with what was chosen where the question was asked."""
        ids = {target} if isinstance(target, str) else {str(one) for one in target}
        self.acted |= ids
        known: frozenset[str] = getattr(self.asked, "chosen", frozenset())
        if not ids <= known | self.made:
            self.wrong.append(f"{name} acts on {sorted(ids)}, chosen were {sorted(known)[:5]}")


def _id_of(table: VirtualTable[Any], key: str) -> str:
    row = next((row for row in table.rows if table._key(row) == key), None)
    return str(getattr(row, "document_id", "") or key)


def watched(app: IngestApp, patch: pytest.MonkeyPatch) -> Witness:
    """Let nothing leave the screen, and note what is chosen and what is acted on."""
    witness = Witness()
    perform, ask_many = Everywhere.perform, Asking.ask_many

    def noted(screen: Everywhere, action_id: str, argument: str = "") -> None:
        witness.begins(screen, action_id)
        perform(screen, action_id, argument)

    def asked(asker: Asking, work: Callable[[], Iterator[Any]], *then: Any, **how: Any) -> None:
        chosen = witness.chosen_on(asker)

        def in_thread() -> Iterator[Any]:
            witness.asked.chosen = chosen
            yield from work()

        ask_many(asker, in_thread, *then, **how)

    patch.setattr(Everywhere, "perform", noted)
    patch.setattr(Asking, "ask_many", asked)
    patch.setattr(Everywhere, "leave", lambda _screen: None)
    patch.setattr(IngestApp, "suspend", lambda _app: nullcontext())
    patch.setattr(editor, "edited", lambda text, _name: text)
    patch.setattr(pager, "show_in_pager", lambda _text: True)
    for name in ("start", "stop", "ensure"):
        patch.setattr(app.client.workers, name, lambda *_args: None)
    for part, names in ACTS.items():
        for name in names:
            real = getattr(getattr(app.client, part), name)
            patch.setattr(getattr(app.client, part), name, partial(_recorded, real, name, witness))
    patch.setattr(app.client.sources, "save", partial(_noted_as_made, app.client.sources.save, witness))
    return witness


def _noted_as_made(save: Callable[..., Any], witness: Witness, *changes: Any) -> Any:
    saved = save(*changes)
    witness.made.add(saved.source_id)
    return saved


def _recorded(real: Callable[..., Any], name: str, witness: Witness, target: Any, **rest: Any) -> Any:
    witness.acts(name, target)
    return real(target, **rest)


class Player:
    """Plays rounds on an application that runs, and checks after each."""

    def __init__(self, app: IngestApp, pilot: Any, witness: Witness) -> None:
        self._app = app
        self._pilot = pilot
        self._witness = witness

    async def play(self, rounds: Sequence[Round]) -> None:
        """Play the rounds; raises AssertionError that says after which one it broke."""
        for number, one in enumerate(rounds):
            await self._play(one)
            assert self._app._exception is None, f"round {number}: {self._app._exception!r}"
            assert not self._witness.wrong, f"round {number}: {self._witness.wrong}"
            if number % _ROUNDS_BETWEEN == 0:
                await self.leave_everything()
        await self.leave_everything()

    async def _play(self, one: Round) -> None:
        chance = random.Random(one.number)
        width, height = self._app.size
        if one.kind == "keys":
            send_together(self._app, *one.keys)
        elif one.kind in {"click", "wheel"}:
            wheel = (events.MouseScrollDown,) * 3
            send_mouse(self._app, chance.randrange(width), chance.randrange(height),
                       CLICK if one.kind == "click" else wheel)  # fmt: skip
        elif one.kind == "resize":
            await self._pilot.resize_terminal(*chance.choice(SIZES))
        else:
            job_id, listed = f"20261121-0631{chance.randrange(60):02d}-docs-aaaa", chance.randrange(3, 50)
            await asyncio.to_thread(add_job, self._app.root, job_id, chance.choice(STATES), listed=listed, failed=2)
            self._app.feed.look_now()
        await self._quiet()

    async def _quiet(self) -> None:
        await asyncio.sleep(0)
        while not self._app.input_queue.is_quiet and self._app._exception is None:  # noqa: ASYNC110 - no event tells
            await asyncio.sleep(0.005)

    async def leave_everything(self) -> None:
        """No dialog is stuck: Esc leads out of everything, and y out of the question whether to leave a form."""
        for _ in range(MOST_ESCAPES):
            screen = self._app.screen
            if getattr(screen, "view", "") in VIEW_NAMES and not isinstance(screen.focused, Input):
                return
            agrees = isinstance(screen, Confirm) and not screen.query_one("#go").disabled
            send_together(self._app, "y" if agrees else "escape")
            await self._quiet()
        screen = self._app.screen
        where = f"focus {screen.focused!r}, {sorted(screen.classes)}, loading: {getattr(screen, 'is_loading', None)}"
        raise AssertionError(f"stuck in {self._app.screen_stack}: {where}")


def play(root: Path, rounds: Sequence[Round]) -> str:
    """Play rounds on a fresh application; returns what broke, or nothing."""

    async def run() -> str:
        app = IngestApp(root, client=Client(root), now=lambda: NOW)
        with pytest.MonkeyPatch.context() as patch:
            witness = watched(app, patch)
            try:
                async with app.run_test(size=(80, 24)) as pilot:
                    while not app.model.complete:  # noqa: ASYNC110 - no event tells
                        await asyncio.sleep(0.01)
                    await Player(app, pilot, witness).play(rounds)
            except Exception as error:  # noqa: BLE001 - whatever it is, it is what was looked for
                return f"{type(error).__name__}: {error}"
        return ""

    return asyncio.run(run())


def shrunk(rounds: Sequence[Round], breaks: Callable[[Sequence[Round]], bool]) -> list[Round]:
    """Return few of the rounds that still break: without ever smaller parts of them, for as long as that helps."""
    left, size = list(rounds), len(rounds) // 2
    while size:
        for start in _starts(left, size):
            rest = left[:start] + left[start + size :]
            if breaks(rest):
                left = rest
                break
        else:
            size //= 2
    return left


def _starts(rounds: Sequence[Round], size: int) -> Iterator[int]:
    return iter(range(0, len(rounds), size))
