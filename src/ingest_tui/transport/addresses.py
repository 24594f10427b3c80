"""Where a secret or a token may be sent."""

from __future__ import annotations

import re

# Strict, for other programs read addresses in other ways: nothing but a port may follow the name of this machine.
_OVER_TLS = re.compile(r"https://", re.IGNORECASE)
_WITHIN_THIS_MACHINE = re.compile(r"https?://(?:127\.0\.0\.1|localhost|\[::1\])(?::\d*)?(?=[/?#]|\Z)", re.IGNORECASE)


def is_safe_for_secrets(address: str) -> bool:
    """Whether an address may be sent a secret: over TLS, or in the clear within this machine."""
    return bool(_OVER_TLS.match(address)) or is_this_machine(address)


def is_this_machine(address: str) -> bool:
    """Whether an address leads to this machine, over TLS or in the clear."""
    return bool(_WITHIN_THIS_MACHINE.match(address))
