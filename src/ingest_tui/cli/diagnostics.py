"""stderr and exit codes: errors say what happened, then what to do."""

from __future__ import annotations

import contextlib
import io
import os
import re
import sys
import traceback
from collections.abc import Iterable
from types import TracebackType
from typing import TYPE_CHECKING

import click

from ingest_tui.cli import output
from ingest_tui.cli.verbosity import is_quiet
from ingest_tui.model.errors import IngestError
from ingest_tui.model.foreign_errors import as_ingest_error
from ingest_tui.model.redaction import redact, redact_values
from ingest_tui.model.safe_text import safe_block, safe_display
from ingest_tui.model.similar_names import did_you_mean

if TYPE_CHECKING:
    from ingest_tui.model.job import Manifest

EXIT_FAILED = 1
EXIT_USAGE = 2
EXIT_FAILED_ITEMS = 3
EXIT_UNKNOWN = 3
"""Of monitoring plugins: it could not be looked at."""
EXIT_NOT_FOUND = 4
EXIT_REFUSED = 6
EXIT_INTERRUPTED = 130
_BY_SEVERITY = (0, EXIT_FAILED_ITEMS, EXIT_REFUSED, EXIT_FAILED)


def say_what_ocr_lacks(missing: tuple[str, str] | None) -> None:
    """Write a note of what OCR lacks on this machine, and how to get it; nothing where it lacks nothing."""
    from ingest_tui.model.ocr import lack_in_words

    if missing is not None:
        say(f"note: {lack_in_words(missing)}")


def say(message: str) -> None:
    """Write one line for people to stderr, without secrets and without what acts on a terminal.

    With --quiet notes and hints are left out, but for the hint of the error that ends a call.
    """
    if not (message.startswith(("hint:", "note:")) and is_quiet()):
        _write(message)


def _write(message: str) -> None:
    print(safe_display(redact(message)), file=sys.stderr, flush=True)  # noqa: T201


class _ProgressLine:
    """The line of a terminal that says how far something is, and how many columns of it are written, at most."""

    columns = 0

    def show(self, text: str) -> None:
        if not text and not self.columns:
            return
        # Written over with blanks: nothing that acts on the terminal is sent.
        sys.stderr.write(f"\r{text:{self.columns}}" + ("" if text else "\r"))
        sys.stderr.flush()
        self.columns = len(text) + sum(not character.isascii() for character in text)


_progress_line = _ProgressLine()


def show_progress(text: str) -> None:
    """Show in a terminal how far something is, in one line that the next one replaces; an empty text clears it."""
    if sys.stderr.isatty() and not is_quiet():
        _progress_line.show(safe_display(text))


def fail(error: IngestError, *, as_json: bool) -> int:
    """Write an error and return its exit code."""
    if as_json:
        print(output.as_json(redact_values({"error": error.as_dict()})), file=sys.stderr)  # noqa: T201
    else:
        _write(f"error: {error.message}")
        if error.hint:
            _write(f"hint: {error.hint}")
    return error.exit_code


def fail_usage(error: click.ClickException, *, as_json: bool) -> int:
    """Write a mistake in the call and return 2, or what its command has for that."""
    from ingest_tui.model.errors import UsageError

    command = error.ctx.command_path if isinstance(error, click.UsageError) and error.ctx else "ingest-tui"
    message = safe_block(error.format_message())
    hint = f"{_choice_meant(error)}'{command} --help' shows its usage"
    fail(UsageError(message, hint=hint), as_json=as_json)
    return error.exit_code if isinstance(error, click.UsageError) else EXIT_USAGE


def _choice_meant(error: click.ClickException) -> str:
    """Return the question which of the choices of an option was meant; click names all of them, not the likely one."""
    param = error.param if isinstance(error, click.BadParameter) else None
    if param is None or not isinstance(param.type, click.Choice):
        return ""
    given = re.match(r"'(.*?)' is not", error.message)
    return did_you_mean(given[1], map(str, param.type.choices)) if given else ""


def fail_unexpectedly(error: BaseException, *, as_json: bool) -> int:
    """Write an error that no service expected without a traceback: tracebacks quote data."""
    problem = as_ingest_error(error) or IngestError(
        f"unexpected {type(error).__name__}", hint="run the command again with --debug and report what it prints"
    )
    return fail(problem, as_json=as_json)


def exit_code_of(manifest: Manifest) -> int:
    """Return the exit code that says how a job ended."""
    if manifest.state == "succeeded":
        return 0
    if manifest.state == "partial":
        return EXIT_REFUSED if manifest.held is not None else EXIT_FAILED_ITEMS
    return EXIT_FAILED


def worst_exit_code(codes: Iterable[int]) -> int:
    """Return the exit code of the worst result: a failure, then what waits for approval, then failed items."""
    return max(codes, key=_BY_SEVERITY.index, default=0)


def fail_os(error: OSError, *, as_json: bool) -> int:
    """Write what the operating system refused."""
    return silence_stdout(fail_unexpectedly(error, as_json=as_json))


def code_of_ending(ending: SystemExit) -> int:
    """Return the exit code of a call that ended early; that its reader went away is no failure of it."""
    if type(sys.stdout).__name__.endswith("PacifyFlushWrapper"):  # click's, put there when a pipe was closed
        return silence_stdout(0)
    return ending.code if isinstance(ending.code, int) else 1


def redact_tracebacks() -> None:
    """Have the tracebacks that --debug asks for written without secrets."""

    def write(kind: type[BaseException], error: BaseException, places: TracebackType | None) -> None:
        sys.stderr.write(safe_block(redact("".join(traceback.format_exception(kind, error, places)))))

    sys.excepthook = write


def silence_stdout(code: int) -> int:
    """Drop what could not be written, so that the interpreter does not try again at its end; returns ``code``."""
    nothing = os.open(os.devnull, os.O_WRONLY)
    with contextlib.suppress(io.UnsupportedOperation):  # a program that calls us may keep what is written in memory
        os.dup2(nothing, sys.stdout.fileno())
    os.close(nothing)
    return code
