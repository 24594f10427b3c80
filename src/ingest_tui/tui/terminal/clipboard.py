"""The terminal's clipboard (OSC 52): works over SSH where the terminal allows it, and through tmux.

tmux takes the sequence itself with ``set-clipboard on``, and hands a wrapped one on to its terminal with
``allow-passthrough on``; it drops what it is not to take. So it is sent both.
"""

from __future__ import annotations

import base64
import os

MOST_BYTES = 75_000  # what common terminals take of one sequence


def sequence(text: str, *, in_tmux: bool | None = None) -> str:
    """Return what to send to the terminal, or nothing when the text is too long for it."""
    encoded = base64.b64encode(text.encode("utf-8", "replace")).decode("ascii")
    if len(encoded) > MOST_BYTES:
        return ""
    osc52 = f"\x1b]52;c;{encoded}\a"
    wrapped = "TMUX" in os.environ if in_tmux is None else in_tmux
    return osc52 + "\x1bPtmux;" + osc52.replace("\x1b", "\x1b\x1b") + "\x1b\\" if wrapped else osc52
