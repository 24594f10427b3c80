"""Diffs of texts: right, and bounded whatever the texts are."""

from __future__ import annotations

import time

from hypothesis import given
from hypothesis import strategies as st

from ingest_tui.model.textdiff import MOST_LINES, diff_texts

LINES = st.lists(st.sampled_from(["a", "b", "c", ""]), max_size=30)


def patched(old: list[str], diff: list[str]) -> list[str]:
    """Return what a unified diff makes of the old lines."""
    new, at = [], 0
    for line in diff[2:]:
        if line.startswith("@@"):
            begin, _, length = line.split()[1][1:].partition(",")
            start = int(begin) - (length != "0")
            new += old[at:start]
            at = start
        elif line[0] == "+":
            new.append(line[1:])
        else:
            assert old[at] == line[1:]
            if line[0] == " ":
                new.append(line[1:])
            at += 1
    return new + old[at:]


@given(LINES, LINES)
def test_the_diff_makes_the_new_text_of_the_old_one(old: list[str], new: list[str]) -> None:
    """Applied to the old text the diff gives the new one, with the line numbers of the whole."""
    diff = diff_texts("\n".join(old), "\n".join(new))
    if "\n".join(old) == "\n".join(new):
        assert diff == []
    else:
        assert "\n".join(patched("\n".join(old).split("\n"), diff)) == "\n".join(new)


def test_a_change_in_the_middle_of_a_long_text_is_found_at_its_place() -> None:
    """Common ends cost nothing: one changed line of many is found with its number."""
    lines = [f"line {number}" for number in range(50_000)]
    diff = diff_texts("\n".join(lines), "\n".join([*lines[:40_000], "changed", *lines[40_001:]]))
    assert "-line 40000" in diff
    assert "+changed" in diff
    assert diff[2].startswith("@@ -39998,7")


def test_texts_that_differ_everywhere_are_cut() -> None:
    """Comparing stops at a bound and says so."""
    started = time.monotonic()
    diff = diff_texts("\n".join("ab" * 10_000), "\n".join("ba" * 9_000 + "c" * 9_000))
    assert time.monotonic() - started < 10
    assert diff[-1].startswith("…")
    assert len(diff) < 3 * MOST_LINES
