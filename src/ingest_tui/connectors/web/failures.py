"""Which addresses of a site fail again and again."""

from __future__ import annotations

TRIES = 3
_MOST_IN_A_ROW = 20


class Failures:
    """How often each address has failed, for as long as a connector lives: a listing that broke begins again."""

    def __init__(self) -> None:
        self._by_key: dict[str, int] = {}
        self.in_a_row = 0

    def is_given_up(self, key: str) -> bool:
        """Count a failure that may pass; returns whether enough was tried. Not while the whole site seems to fail."""
        self._by_key[key] = self._by_key.get(key, 0) + 1
        if self._by_key[key] < TRIES:
            return False
        self.in_a_row += 1
        return self.in_a_row <= _MOST_IN_A_ROW
