"""The options that select what a command is for, in place of names: the same for documents and for errors."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import click

from ingest_tui.cli.name_arguments import COLLECTION, SOURCE, TYPE
from ingest_tui.model.selector import Selector

_UNITS = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


class Age(click.ParamType[timedelta]):
    """A length of time: ``30d``, ``12h``, ``2w``, ``90m``."""

    name = "AGE"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> timedelta:
        """Return the time that a text names."""
        found = re.fullmatch(r"(\d{1,6})([mhdw])", str(value))
        if found is None:
            self.fail(f"{value!r} is no age: write 90m, 12h, 30d or 2w", param, ctx)
        return timedelta(**{_UNITS[found[2]]: int(found[1])})


def selector_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options that `selector_of` reads."""
    options = (
        click.option("--collection", "collection_id", type=COLLECTION, metavar="NAME", help="All of this collection."),
        click.option("--source", "source_id", type=SOURCE, metavar="NAME", help="All of this source."),
        click.option(
            "--type",
            "media_type",
            type=TYPE,
            callback=_not_empty,
            help="All of this ending, pdf, or media type, text/.",
        ),
        click.option(
            "--path",
            callback=_not_empty,
            metavar="PATTERN",
            help="All whose key or address is like this; * stands for anything.",
        ),
        click.option("--older-than", type=Age(), help="All that are at least so old: 90m, 12h, 30d, 2w."),
    )
    for option in reversed(options):
        command = option(command)
    return command


def selector_of(options: dict[str, Any]) -> Selector:
    """Take the selector out of the options of a command."""
    return Selector(**{name: options.pop(name) for name in Selector.__slots__})


def _not_empty(ctx: click.Context, param: click.Parameter, value: str | None) -> str | None:
    if value is not None and not value.strip():
        raise click.BadParameter("this is needed: an empty one would mean everything.", ctx, param)
    return value
