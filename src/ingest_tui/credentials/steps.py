"""The steps of trying a credential."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(slots=True)
class Step:
    """One step: what was tried, whether it worked, what was seen, what to do. Never a secret."""

    name: str
    ok: bool
    message: str
    hint: str = ""
    milliseconds: float = 0.0
