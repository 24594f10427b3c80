"""The forms in which a command prints data: ``--json``, and ``-o json|yaml|csv|table``.

A command knows only whether it prints data or text for people; which form data has is chosen and written here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

import click

from ingest_tui.model.safe_text import acts_on_a_screen, safe_cell, safe_json, safe_yaml

FORMATS = ("table", "json", "yaml", "csv")
_KEY = f"{__name__}.format"
_STREAM = f"{__name__}.stream"
_KEPT_IN_MEMORY = 2**22  # bytes of a stream of records, before it goes to a temporary file


def format_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add ``-o FORMAT`` and ``--json``; the command gets ``as_json``: whether it prints data."""
    command = click.option(
        "--output",
        "-o",
        "output_format",
        type=click.Choice(FORMATS),
        is_eager=True,
        expose_value=False,
        callback=_choose,
        help="Print as a table for people (default), or as data.",
    )(command)
    return click.option("--json", "as_json", is_flag=True, callback=_prints_data, help="Print JSON: -o json.")(command)


def chosen_format() -> str:
    """Return the form of the data that the running command prints."""
    context = click.get_current_context(silent=True)
    return str(context.meta.get(_KEY, "json")) if context else "json"


def wants_json(arguments: Sequence[str]) -> bool:
    """Tell whether a call asks for JSON, before its arguments are parsed: errors of usage follow it, too."""
    pairs = zip(("", *arguments), arguments, strict=False)
    return any(
        word in {"--json", "-ojson", "--output=json"} or (before in {"-o", "--output"} and word == "json")
        for before, word in pairs
    )


def _choose(ctx: click.Context, _param: click.Parameter, value: str | None) -> None:
    if value is not None:
        ctx.meta[_KEY] = value


def _prints_data(ctx: click.Context, _param: click.Parameter, value: bool) -> bool:
    chosen = ctx.meta.get(_KEY, "json" if value else "table")
    if value and chosen != "json":
        raise click.UsageError(f"--json and -o {chosen} ask for two forms.", ctx)
    return bool(chosen != "table")


def write_value(value: Any, write: Callable[[str], Any], columns: Iterable[str] = ()) -> None:
    """Write one value in the chosen form; a CSV begins with the ``columns`` even where there are no records."""
    chosen = chosen_format()
    if chosen == "yaml":
        write(as_yaml(value))
    elif chosen == "csv":
        records = [_as_record(one) for one in _rows_of(_plain_value(value))]
        names = dict.fromkeys((*columns, *(name for one in records for name in one)))
        write("".join(_csv_lines(names, records)))
    else:
        write(as_json(value, indent=True) + "\n")


def write_record(value: Any, write: Callable[[str], Any]) -> None:
    """Write one record of a stream in the chosen form."""
    chosen = chosen_format()
    if chosen == "yaml":
        write(f"---\n{as_yaml(value)}")
    elif chosen == "csv":
        _csv_stream(click.get_current_context(), write).add(_as_record(_plain_value(value)))
    else:
        write(as_json(value) + "\n")


class _CsvStream:
    """Records of a stream, kept until its end: the first line of a CSV names the columns of all of them."""

    def __init__(self, write: Callable[[str], Any]) -> None:
        import tempfile

        self._write = write
        self._columns: dict[str, None] = {}
        self._kept = tempfile.SpooledTemporaryFile(_KEPT_IN_MEMORY)  # noqa: SIM115 - closed by `close`

    def add(self, record: Mapping[str, Any]) -> None:
        """Keep a record."""
        self._columns |= dict.fromkeys(record)
        self._kept.write(as_json(record).encode() + b"\n")

    def close(self) -> None:
        """Write all records."""
        import orjson

        self._kept.seek(0)
        for line in _csv_lines(self._columns, (orjson.loads(line) for line in self._kept)):
            self._write(line)
        self._kept.close()


def _csv_stream(context: click.Context, write: Callable[[str], Any]) -> _CsvStream:
    if context.params.get("follow"):
        raise click.UsageError("A CSV names its columns first, so it cannot be followed; -o json can.", context)
    if _STREAM not in context.meta:
        stream = context.meta[_STREAM] = _CsvStream(write)
        context.call_on_close(stream.close)
    found: _CsvStream = context.meta[_STREAM]
    return found


def _rows_of(value: Any) -> list[Any]:
    """Return what becomes a row each: the items of a list, also of one that is all an object has; else the value."""
    if isinstance(value, Mapping) and len(value) == 1 and isinstance(inner := next(iter(value.values())), list):
        value = inner
    return value if isinstance(value, list) else [value]


def _as_record(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {"value": value}


def _csv_lines(columns: Iterable[str], records: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    names = list(columns)
    if names:
        yield _csv_line(safe_cell(name) for name in names)
    for record in records:
        yield _csv_line(_cell(record.get(name)) for name in names)


def _csv_line(cells: Iterable[Any]) -> str:
    import csv
    import io

    row = io.StringIO()
    csv.writer(row, lineterminator="\n").writerow(cells)
    return row.getvalue()


def _cell(value: Any) -> Any:
    """Return a cell: a text that is no formula, a number as it is, JSON for what has parts of its own."""
    if isinstance(value, str):
        return safe_cell(value)
    return value if value is None or type(value) in {int, float} else as_json(value)


def as_yaml(value: Any) -> str:
    """Return YAML in which nothing acts on a terminal."""
    import yaml

    class Dumper(yaml.SafeDumper):  # type: ignore[misc]  # the library brings no types
        """Writes texts so that none acts on a terminal: what would is in double quotes, where it can be escaped."""

    def text(dumper: yaml.SafeDumper, value: str) -> yaml.ScalarNode:
        style = '"' if acts_on_a_screen(value) else "|" if "\n" in value else None
        return dumper.represent_scalar("tag:yaml.org,2002:str", value, style=style)

    Dumper.add_representer(str, text)
    return safe_yaml(
        yaml.dump(
            _plain_value(value),
            Dumper=Dumper,
            sort_keys=False,
            allow_unicode=True,
            width=float("inf"),
            explicit_end=False,
        )
    )


def _plain_value(value: Any) -> Any:
    """Return a value as JSON has it: of dicts, lists, texts, numbers, booleans and None alone."""
    import json

    return json.loads(as_json(value))


def as_json(value: Any, *, indent: bool = False) -> str:
    """Return JSON in which nothing acts on a terminal."""
    import orjson

    try:
        text = orjson.dumps(value, option=orjson.OPT_INDENT_2 if indent else 0, default=_plain).decode()
    except TypeError:  # a lone surrogate, from a name that is not UTF-8
        import json

        return json.dumps(value, indent=2 if indent else None, default=_plain)
    return safe_json(text)


def _plain(value: Any) -> Any:
    from pydantic import BaseModel

    if isinstance(value, BaseModel):
        return value.model_dump(mode="json", by_alias=True)
    return str(value)
