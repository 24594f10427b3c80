"""Which characters the terminal shows: lines and bars of Unicode, or only those of ASCII."""

from __future__ import annotations

import os
from collections.abc import Mapping

_PLAIN_TERMINALS = ("linux", "vt", "ansi", "dumb")


def draws_lines(environment: Mapping[str, str] | None = None) -> bool:
    """Tell whether rounded borders and bars may be drawn: in a UTF-8 locale, and on no console of the kernel.

    A locale that says nothing is taken for UTF-8, which is what terminals speak today.
    """
    environment = os.environ if environment is None else environment
    if environment.get("TERM", "").startswith(_PLAIN_TERMINALS):
        return False
    locale = environment.get("LC_ALL") or environment.get("LC_CTYPE") or environment.get("LANG") or ""
    return "." not in locale or locale.upper().replace("-", "").endswith("UTF8")
