"""Names that are nearly right."""

from __future__ import annotations

from ingest_tui.model.similar_names import did_you_mean


def test_a_name_that_is_nearly_one_is_asked_for() -> None:
    """Capitals do not count, what is unlike is not offered, and what a name holds is safe to show."""
    assert did_you_mean("Handbok", ["handbook", "prices"]) == "did you mean 'handbook'? "
    assert did_you_mean("pricelist", ["price-list", "prices"]) == "did you mean 'price-list' or 'prices'? "
    assert did_you_mean("x", ["handbook"]) == ""
    assert "\x1b" not in did_you_mean("red", ["\x1b[red"])
