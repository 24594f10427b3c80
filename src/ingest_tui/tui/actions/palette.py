"""The command palette: the actions of the registry that belong to the view that is shown."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, cast

from textual.command import CommandPalette, DiscoveryHit, Hit, Hits, Provider

from ingest_tui.tui.actions.actions import Action
from ingest_tui.tui.dialogs.dialog import AnswersOnce

if TYPE_CHECKING:
    from ingest_tui.tui.application import Application


class Palette(CommandPalette, AnswersOnce[None]):
    """The palette, which closes once."""


class ActionsProvider(Provider):
    """Offers the actions of the current view."""

    def _actions(self) -> list[Action]:
        view = getattr(self.screen, "view", "")
        if not view:
            return []
        actions = cast("Application", self.app).registry.of(view)
        return [action for action in actions if action.id != "palette" and not action.needs_argument]

    async def discover(self) -> Hits:
        """Offer all of them while nothing is typed."""
        for action in self._actions():
            yield DiscoveryHit(action.title, partial(action.run, self.screen), help=_help(action))

    async def search(self, query: str) -> Hits:
        """Offer those whose title matches."""
        matcher = self.matcher(query)
        for action in self._actions():
            score = matcher.match(action.title)
            if score > 0:
                yield Hit(score, matcher.highlight(action.title), partial(action.run, self.screen), help=_help(action))


def _help(action: Action) -> str:
    return "   ".join(part for part in (action.shown_keys, action.command) if part)
