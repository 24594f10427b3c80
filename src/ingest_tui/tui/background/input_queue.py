"""Keys, clicks and pastes act one after another: each is fully done before the next one is looked at.

The library hands a key from widget to widget through their message queues, and looks for bindings at the end of that
way. Of keys that come together, as on a slow link, a later one would overtake: typed letters reach a field before
Backspace does, or the list below a dialog that is not there yet. Here the next one waits until nothing is under way,
and, while something that was asked for is on its way (a dialog that needs an answer of the workspace, the fields of a
form), until that is there.

A click waits likewise, and acts on what it was on: where that has gone or moved meanwhile, it does nothing.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, NamedTuple, Protocol, runtime_checkable

from textual import events
from textual.app import App
from textual.message_pump import MessagePump
from textual.widget import Widget

from ingest_tui.model.counted import counted
from ingest_tui.tui.background.pointed_at import pointed_at

MOST_LOOKS = 200
"""How often it is looked whether a key has acted before the next one does: one that waits for ever holds nobody.

Looks, not seconds: where the processor is busy with something else, all that was ready has run between two of them.
"""
NOTICE_SECONDS = 1.0
"""How long keys wait before a person is told; Esc pressed after that gets out of waiting at once."""
ESCAPE_SECONDS = 5.0
"""How long Esc waits that was typed before, with what it was typed after: it may be meant for what is to come."""
MOST_WAITING = 1000
_LOOK_SECONDS = 0.01
_QUIET_ROUNDS = 2


@runtime_checkable
class Loading(Protocol):
    """A screen that what is typed may have to wait for."""

    @property
    def is_loading(self) -> bool:
        """Whether what was asked for is on its way: a dialog, the fields of a form, other rows."""
        ...

    def stop_loading(self) -> None:
        """Wait no longer: a person has pressed Esc."""


class _Waiting(NamedTuple):
    """An input that waits, and when it came."""

    event: events.Event
    came_at: float
    pointed_at: object
    """What a press of the mouse was on."""
    was_held: bool

    @property
    def is_escape(self) -> bool:
        return isinstance(self.event, events.Key) and self.event.key == "escape"


class InputQueue:
    """What a person has typed, clicked or pasted, in its order. ``notice`` tells them what became of it."""

    def __init__(self, app: App[Any], notice: Callable[[str], object]) -> None:
        self._app = app
        self._notice = notice
        self._waiting: deque[_Waiting] = deque()
        self._acting: events.Event | None = None
        self._is_pressed = False
        self._task: asyncio.Task[None] | None = None

    # Inputs

    def takes(self, event: events.Event) -> bool:
        """Take an input that has come, to let it act at its turn; False: it acts now, or is none that waits."""
        if event is self._acting:
            return False
        if not isinstance(event, events.Key | events.Paste | events.MouseEvent) or event.is_forwarded:
            return False
        if isinstance(event, events.MouseMove):  # a pointer that moves changes nothing
            return False
        if len(self._waiting) < MOST_WAITING:
            self._waiting.append(
                _Waiting(event, asyncio.get_running_loop().time(), self._pointed_at(event), self.is_held)
            )
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._act_in_order())
            self._task.add_done_callback(self._ended)
        return True

    @property
    def is_quiet(self) -> bool:
        """Whether nothing waits, and everything that came has acted."""
        return not self._waiting and (self._task is None or self._task.done())

    def close(self) -> None:
        """Let nothing more act."""
        self._waiting.clear()
        if self._task is not None:
            self._task.cancel()

    @property
    def is_held(self) -> bool:
        """Whether what was asked for on the topmost screen is on its way."""
        return self._loading is not None

    @property
    def _loading(self) -> Loading | None:
        stack = self._app.screen_stack
        top = stack[-1] if stack else None
        return top if isinstance(top, Loading) and top.is_loading else None

    # One after another

    def _ended(self, task: asyncio.Task[None]) -> None:
        error = None if task.cancelled() else task.exception()
        if isinstance(error, Exception):
            self._app._handle_exception(error)  # noqa: SLF001 - as for what fails in a widget

    async def _act_in_order(self) -> None:
        while self._waiting:
            if self.is_held:
                await self._until_loaded()
                await self._until_settled()
                continue
            waiting = self._waiting.popleft()
            if self._is_meant(waiting):
                self._acting = waiting.event
                self._app.post_message(self._acting)
                await self._until_settled()

    def _is_meant(self, waiting: _Waiting) -> bool:
        """Tell whether an input is for what is shown by now: a press for what it was on, a release for its press."""
        event = waiting.event
        if isinstance(event, events.MouseDown):
            self._is_pressed = self._pointed_at(event) == waiting.pointed_at
            if not self._is_pressed and waiting.was_held:
                self._notice("1 click not done: what it was on is not there any more")
            return self._is_pressed
        if isinstance(event, events.MouseUp):
            is_pressed, self._is_pressed = self._is_pressed, False
            return is_pressed
        return True

    def _pointed_at(self, event: events.Event) -> object:
        if not isinstance(event, events.MouseDown) or not self._app.screen_stack:
            return None
        return pointed_at(self._app.screen, event.screen_offset)

    async def _until_loaded(self) -> None:
        """Wait for what is on its way. Esc among the keys gets out of that; a long wait is reported once."""
        now = asyncio.get_running_loop().time
        began, told_at = now(), None
        while (loading := self._loading) is not None:
            waited = now() - began
            since = 0.0 if waited >= ESCAPE_SECONDS else told_at
            if since is not None and self._forget_up_to_escape(since):
                loading.stop_loading()
                return
            if told_at is None and waited >= NOTICE_SECONDS:
                told_at = now()
                self._notice("reading …  keys wait for it; esc gets out")
            await asyncio.sleep(_LOOK_SECONDS)

    def _forget_up_to_escape(self, since: float) -> bool:
        """Forget what was typed up to the first Esc that came after a time; False: there is none, nothing is.

        It was meant for what is given up, and must not act on what is shown instead.
        """
        position = next((at for at, one in enumerate(self._waiting) if one.is_escape and one.came_at >= since), None)
        if position is None:
            return False
        forgotten = [self._waiting.popleft() for _ in range(position + 1)]
        clicks = sum(isinstance(one.event, events.MouseDown) for one in forgotten)
        keys = sum(not isinstance(one.event, events.MouseEvent) and not one.is_escape for one in forgotten)
        numbers = [counted(number, word) for number, word in ((keys, "key"), (clicks, "click")) if number]
        if numbers:
            self._notice(f"{' and '.join(numbers)} not done: meant for what did not come")
        # What was pressed before the wait is let go, or it would stay pressed.
        release = next((one for one in forgotten if isinstance(one.event, events.MouseUp)), None)
        if self._is_pressed and release is not None:
            self._waiting.appendleft(release)
        return True

    async def _until_settled(self) -> None:
        """Wait until no widget has anything left to do, each having had its turn twice."""
        looks, quiet_rounds = 0, 0
        while quiet_rounds < _QUIET_ROUNDS and looks < MOST_LOOKS:
            looks += await _turn_of_each(self._busy(), MOST_LOOKS - looks)
            quiet_rounds = 0 if any(_has_work(pump) for pump in self._pumps()) else quiet_rounds + 1
            while self._is_to_be_painted() and looks < MOST_LOOKS:
                await asyncio.sleep(_LOOK_SECONDS)
                looks, quiet_rounds = looks + 1, 0

    def _pumps(self) -> Iterator[MessagePump]:
        yield self._app
        for screen in self._app.screen_stack:
            yield screen
            yield from screen.walk_children(Widget)

    def _is_to_be_painted(self) -> bool:
        """Tell whether something is to be done after the next refresh, such as a focus that moves to a new pane."""
        stack = self._app.screen_stack
        return bool(stack and stack[-1]._callbacks)  # noqa: SLF001 - no public word for it

    def _busy(self) -> list[MessagePump]:
        """Return who may be at work: whoever has something to do, and everyone on the way that a key goes."""
        stack = self._app.screen_stack
        focused = stack[-1].focused if stack else None
        way: set[MessagePump] = {self._app, *stack, *(focused.ancestors_with_self if focused is not None else ())}
        return [pump for pump in self._pumps() if pump in way or _has_work(pump)]


# The library has no public words for either.
def _has_ended(pump: MessagePump) -> bool:
    return pump._closing or pump._closed  # noqa: SLF001


def _has_work(pump: MessagePump) -> bool:
    """Tell whether a pump is being made, or has something in its queue."""
    is_made = pump._is_mounted  # noqa: SLF001
    waiting = pump._next_callbacks or pump._pending_message or not pump._message_queue.empty()  # noqa: SLF001
    return not _has_ended(pump) and (not is_made or bool(waiting))


async def _turn_of_each(pumps: list[MessagePump], most_looks: int) -> int:
    """Wait until each pump has done what is in its queue now; returns how often it was looked.

    One that ends meanwhile is not waited for.
    """
    all_done = asyncio.Event()
    left: set[MessagePump] = set()

    def one_done(pump: MessagePump) -> None:
        left.discard(pump)
        if not left:
            all_done.set()

    left |= {pump for pump in pumps if pump.call_later(partial(one_done, pump))}
    looks = 1
    while left and looks < most_looks:
        try:
            async with asyncio.timeout(_LOOK_SECONDS):
                await all_done.wait()
        except TimeoutError:
            looks += 1
            left -= {pump for pump in left if _has_ended(pump)}
    return looks
