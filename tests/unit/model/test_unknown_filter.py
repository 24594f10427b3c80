"""What is said of a filter that names what is not there."""

from __future__ import annotations

import pytest

from ingest_tui.model.unknown_filter import UnknownFilter


@pytest.mark.parametrize(
    ("unknown", "said"),
    [
        (UnknownFilter("source", "nix", ("docs", "mail")), "there is no source 'nix'; there are: docs, mail"),
        (UnknownFilter("collection", "nix"), "there is no collection 'nix'; there are: none"),
        (UnknownFilter("type", "pdff", ("text/html",)), "no document is of type 'pdff'; there are: text/html"),
    ],
)
def test_it_names_what_there_is(unknown: UnknownFilter, said: str) -> None:
    """What is not there first, then what is."""
    assert str(unknown) == said


def test_of_many_some_are_named() -> None:
    """Ten of them, and how many more there are."""
    assert str(UnknownFilter("source", "x", tuple(map(str, range(12))))).endswith("8, 9 and 2 more")


def test_names_from_outside_move_no_cursor() -> None:
    """Whatever a server or a source is called."""
    said = str(UnknownFilter("so\x1b[2J", "n\x1b[2J", ("d\x1b[2J",)))
    assert "\x1b" not in said
