"""Who works with a workspace, as audit lines, manifests and messages name them."""

from __future__ import annotations

import getpass
import os
import pwd
import socket

from ingest_tui.model.unicode import as_unicode


def user_name(user_id: int) -> str:
    """Return the name of a user, or the number where it has none."""
    try:
        return pwd.getpwuid(user_id).pw_name
    except KeyError:
        return str(user_id)


def requester() -> str:
    """Return ``user@host`` for audit lines and manifests."""
    try:
        user = getpass.getuser()
    except (KeyError, OSError):
        user = str(os.getuid())
    return as_unicode(f"{user}@{socket.gethostname()}")
