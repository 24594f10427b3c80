"""The manual page, made of the same texts as the help of each command."""

from __future__ import annotations

import inspect
from collections.abc import Iterator

import click

from ingest_tui.cli.examples import examples_of
from ingest_tui.version import __version__


def manual_page(root: click.Context) -> str:
    """Return the page of the program in roff, with a section for each command."""
    command = root.command
    return "\n".join(
        [
            f'.TH INGEST-TUI 1 "" "ingest-tui {__version__}" "User Commands"',
            ".SH NAME",
            r"ingest\-tui \- keep search and RAG corpora fresh",
            ".SH SYNOPSIS",
            r"\fBingest\-tui\fR [\fIOPTIONS\fR] [\fICOMMAND\fR [\fIARGUMENTS\fR]]",
            ".SH DESCRIPTION",
            *_paragraphs(command.help or ""),
            ".SH OPTIONS",
            *_options(command, root),
            ".SH COMMANDS",
            *_commands(command, root),
            "",
        ]
    )


def _commands(group: click.Command, context: click.Context) -> Iterator[str]:
    if not isinstance(group, click.Group):
        return
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        if command is None:
            continue
        inner = click.Context(command, parent=context, info_name=name)
        usage = " ".join(command.collect_usage_pieces(inner))
        yield f".SS {_escaped(f'{inner.command_path} {usage}'.partition(' ')[2])}"
        yield from _paragraphs(command.help or "")
        yield from _options(command, inner)
        for one in examples_of(inner.command_path):
            yield from (".PP", ".RS", ".EX", _line(one), ".EE", ".RE")
        yield from _commands(command, inner)


def _options(command: click.Command, context: click.Context) -> Iterator[str]:
    for param in command.get_params(context):
        record = param.get_help_record(context) if isinstance(param, click.Option) else None
        if record is not None:
            yield from (".TP", rf"\fB{_escaped(record[0])}\fR", _line(" ".join(record[1].split())))


def _paragraphs(text: str) -> Iterator[str]:
    for paragraph in inspect.cleandoc(text).replace("\b\n", "").split("\n\n"):
        yield from (".PP", _line(" ".join(paragraph.split())))


def _line(text: str) -> str:
    """Return a line of text: one that begins with what roff takes for a request begins with nothing first."""
    shown = _escaped(text)
    return rf"\&{shown}" if shown.startswith((".", "'")) else shown


def _escaped(text: str) -> str:
    return text.replace("\\", r"\e").replace("-", r"\-")
