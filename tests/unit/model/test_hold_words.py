"""Why deletions are held, in words."""

from __future__ import annotations

import pytest

from ingest_tui.model.holding import HOLD_WORDS, HoldReason, hold_words


@pytest.mark.parametrize("reason", list(HoldReason))
def test_only_a_source_behind_a_network_has_somebody_who_signs_in(reason: HoldReason) -> None:
    """The reason of a local folder does not speak of access keys; each reason has its words."""
    assert hold_words(reason, is_remote=False) == HOLD_WORDS[reason]
    assert ("signs in" in hold_words(reason, is_remote=True)) == (reason is HoldReason.CHOICE_CHANGED)


def test_a_reason_of_a_newer_program_is_shown_as_it_is() -> None:
    """What is not known has no words."""
    assert hold_words("full_moon", is_remote=True) == "full_moon"
