"""Whether a sync that is asked for is the one that waits already. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ingest_tui.model.job import KNOWN_PLAN


def merged_options(waiting: Mapping[str, Any], wanted: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return the options of one job that does what two would: a waiting one, and another that is asked for.

    The stronger of each counts: what one of them forces or approves, the one job does. None where no job can do both:
    one has a plan already and lists nothing, or they approve the deletions of two jobs.
    """
    if KNOWN_PLAN in waiting or KNOWN_PLAN in wanted:
        return None
    approved = {options["approves"] for options in (waiting, wanted) if options.get("approves")}
    if len(approved) > 1:
        return None
    return {**wanted, **waiting} | dict.fromkeys(["approves"] if approved else [], *approved)
