"""Paths of this machine are for administrators: what others get names the file, and not where it is."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any
from urllib.parse import quote

_ADDRESS = re.compile(r"""file://(?:[^\s"'<>/]*/)+""")
_PATH = re.compile(r"""(?<![\w:/.<~-])…?/(?:[^\s"'<>/:;,]+/)+""")
_CONTENT = frozenset({"text", "snippet", "lines"})
"""What documents say: that is given as it is."""


class PlaceNames:
    """Replaces paths in texts. ``roots``: folders that are known, which may have spaces in their names."""

    def __init__(self, roots: Iterable[str] = ()) -> None:
        forms = {form for root in roots if len(root) > 1 for form in (root.rstrip("/"), quote(root.rstrip("/")))}
        by_length = sorted(filter(None, forms), key=len, reverse=True)
        self._roots = re.compile("|".join(f"(?:file://)?{re.escape(root)}(?=[/'\"\\s]|$)/?" for root in by_length))
        self._has_roots = bool(by_length)

    def hidden_in(self, text: str) -> str:
        """Return a text without folders of this machine."""
        if "/" not in text:
            return text
        if self._has_roots:
            text = self._roots.sub("…/", text)
        return _PATH.sub("…/", _ADDRESS.sub("file:…/", text))

    def hidden(self, value: Any) -> Any:
        """Return a JSON value with the same done to each of its texts, but for those that are content."""
        if isinstance(value, str):
            return self.hidden_in(value)
        if isinstance(value, dict):
            return {name: one if name in _CONTENT else self.hidden(one) for name, one in value.items()}
        return [self.hidden(one) for one in value] if isinstance(value, list) else value
