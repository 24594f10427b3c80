"""How much a call says besides its output: --verbose and --quiet, for all that writes to stderr."""

from __future__ import annotations

import click

_KEY = __name__
_LEVELS = ("", "info", "debug")


def put_verbosity(context: click.Context, *, verbose: int, quiet: bool) -> None:
    """Keep what the call asks for, for the whole of it."""
    context.meta[_KEY] = (verbose, quiet)


def is_quiet() -> bool:
    """Tell whether progress, notes and hints are left out."""
    return _verbosity()[1]


def followed_level() -> str:
    """Return from which level on the log of a job is shown while it is followed; empty: not at all."""
    return _LEVELS[min(_verbosity()[0], len(_LEVELS) - 1)]


def _verbosity() -> tuple[int, bool]:
    context = click.get_current_context(silent=True)
    found: tuple[int, bool] = context.meta.get(_KEY, (0, False)) if context else (0, False)
    return found
