"""Why something is here, is not, or is not as it is at its source: decided from facts alone.

`services/documents/explain.py` gathers the facts, this module does the thinking. ``reason`` of a `Verdict` is stable
and meant for scripts, its text and hint are for people.
"""

from __future__ import annotations

from ingest_tui.model.explanation import absent, here, several
from ingest_tui.model.explanation.facts import Facts, Verdict


def decide(facts: Facts) -> Verdict:
    """Return the answer that the facts lead to: that of the first rule which knows one."""
    rules = several.RULES if facts.names or facts.folder else here.RULES if facts.is_here else absent.RULES
    verdict = next(verdict for rule in rules if (verdict := rule(facts)) is not None)
    if not facts.stands_for:
        return verdict
    return verdict._replace(text=f"{verdict.text}; {facts.target or 'an empty name'} is {facts.stands_for} here")
