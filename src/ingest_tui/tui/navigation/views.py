"""The top views, once: their order, their keys, and the screen that each of them is.

A screen is imported when its view is first shown; a view whose screen is not part of this installation is left out.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from textual.screen import Screen

_VIEWS = "ingest_tui.tui.views"


@dataclass(frozen=True, slots=True)
class View:
    """A top view. ``command``: the command line that prints what it shows; ``takes``: what ``:NAME …`` takes.

    ``other_names``: what else the ``:`` line calls it; the first of them is its title where there is little room.
    """

    name: str
    screen: str
    command: str
    takes: str = "FILTER"
    other_names: tuple[str, ...] = ()

    @property
    def title(self) -> str:
        """Its name as in the header."""
        return self.name.capitalize()

    @property
    def short_title(self) -> str:
        """What it is called where there is little room: a whole word too."""
        return self.other_names[0].capitalize() if self.other_names else self.title

    @property
    def _module(self) -> str:
        return f"{_VIEWS}.{self.name}.{self.name}_screen"

    @property
    def is_here(self) -> bool:
        """Whether its screen is part of this installation; imports nothing of it."""
        return find_spec(self._module) is not None

    def load(self) -> Screen[Any]:
        """Import the screen and make one."""
        made: Screen[Any] = getattr(import_module(self._module), self.screen)()
        return made


_ALL = (
    View("overview", "OverviewScreen", "ingest-tui status", takes=""),
    View("jobs", "JobsScreen", "ingest-tui job list"),
    View("sources", "SourcesScreen", "ingest-tui source list"),
    View("documents", "DocumentsScreen", "ingest-tui doc list", "WORDS", ("docs",)),
    View("errors", "ErrorsScreen", "ingest-tui errors list"),
    View("logs", "LogsScreen", "ingest-tui job logs"),
    View("credentials", "CredentialsScreen", "ingest-tui credential list", other_names=("creds",)),
    View("audit", "AuditScreen", "ingest-tui audit"),
    View("collections", "CollectionsScreen", "ingest-tui collection list"),
)
VIEWS = {str(number): view for number, view in enumerate(_ALL) if view.is_here}
VIEW_NAMES = tuple(view.name for view in VIEWS.values())
