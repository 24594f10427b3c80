"""Hits as the command line shows them."""

from __future__ import annotations

import pytest

from ingest_tui.cli.search import show_hits
from ingest_tui.model.document import Contribution, SearchHit


@pytest.mark.parametrize(("why", "shown"), [((Contribution("by meaning", 0, {}, 0.0),), True), ((), False)])
def test_only_a_hit_by_a_filter_alone_has_no_score(
    why: tuple[Contribution, ...], shown: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    """The last one of a ranking may have 0.00, which is a score."""
    show_hits([SearchHit("d1", "d1:1:1", "Rain", "file:///rain.md", "default", 1, "", "rain", "rain", 0.0, why=why)])
    assert ("score 0.00" in capsys.readouterr().out) == shown
