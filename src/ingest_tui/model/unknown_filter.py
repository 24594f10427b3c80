"""A filter of a query that names what is not there, so that it finds nothing."""

from __future__ import annotations

from typing import Final, NamedTuple

from ingest_tui.model.safe_text import safe_display

_SHOWN: Final = 10


class UnknownFilter(NamedTuple):
    """``field``: source, collection or type. ``known``: what there is of that, the most usual first."""

    field: str
    value: str
    known: tuple[str, ...] = ()

    @property
    def what(self) -> str:
        """What is not there, safe to show."""
        value = safe_display(self.value)
        if self.field == "type":
            return f"no document is of type '{value}'"
        return f"there is no {safe_display(self.field)} '{value}'"

    @property
    def names(self) -> str:
        """Some of what there is, safe to show; ``none`` where there is nothing."""
        more = len(self.known) - _SHOWN
        shown = ", ".join(map(safe_display, self.known[:_SHOWN]))
        return f"{shown} and {more} more" if more > 0 else shown or "none"

    def __str__(self) -> str:
        return f"{self.what}; there are: {self.names}"
