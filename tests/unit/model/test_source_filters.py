"""Which edits of a source may exclude what it took: those are reported before the next sync."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from ingest_tui.model.source import Source, may_take_less


def source(**values: Any) -> Source:
    return Source(source_id="s", name="s", source_type="local", **values)


def config(**values: Any) -> Source:
    return source(source_config={"path": "/docs", **values})


WIDER = [
    (config(include=["*.md"]), config(include=[])),
    (config(include=["*.md"]), config(include=["*.md", "*.txt"])),
    (config(exclude=["a/", "b/"]), config(exclude=["a/"])),
    (config(hidden=False), config(hidden=True)),
    (source(allow_types=("pdf",)), source()),
    (source(allow_types=("pdf",)), source(allow_types=("pdf", "html"))),
    (source(deny_types=("pdf",)), source()),
    (source(max_size=10), source(max_size=20)),
    (source(since=date(2026, 1, 2)), source(since=date(2026, 1, 1))),
    (source(since=date(2026, 1, 2)), source()),
]


@pytest.mark.parametrize(("narrow", "wide"), WIDER)
def test_only_what_takes_less_may_exclude(narrow: Source, wide: Source) -> None:
    """Each widening excludes nothing, and the same edit backwards may."""
    assert not may_take_less(narrow, wide)
    assert may_take_less(wide, narrow)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (config(exclude=["*.md", "!keep.md"]), config(exclude=["*.md"])),
        (config(), source(source_config={"path": "/elsewhere"})),
        (config(include=["*.md"]), config(include=[], exclude=["a/"])),
        (config(unknown=False), config(unknown=True)),
    ],
)
def test_what_is_not_certain_may_exclude(before: Source, after: Source) -> None:
    """Patterns that turn others round, another place, edits in both directions and unknown settings may exclude."""
    assert may_take_less(before, after)
