"""Who works with a workspace, as audit lines, manifests and messages name them."""

from __future__ import annotations

import getpass
import os
import pwd
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from ingest_tui.model.unicode import as_unicode

_acting_for: ContextVar[str] = ContextVar("acting_for", default="")
_through: ContextVar[str] = ContextVar("through", default="")


def user_name(user_id: int) -> str:
    """Return the name of a user, or the number where it has none."""
    try:
        return pwd.getpwuid(user_id).pw_name
    except KeyError:
        return str(user_id)


def requester() -> str:
    """Return ``user@host`` for audit lines and manifests, or whom `acting_for` names in place of the user."""
    user = _acting_for.get()
    try:
        user = user or getpass.getuser()
    except (KeyError, OSError):
        user = str(os.getuid())
    return as_unicode(f"{user}@{socket.gethostname()}")


def asked_through() -> str:
    """Return through which server what is done was asked for, as `acting_for` says: ``http``, ``mcp``; else empty."""
    return _through.get()


def trigger_here() -> str:
    """Return the trigger of a job that is asked for here: by a person, unless `acting_for` says through what."""
    return asked_through() or "manual"


@contextmanager
def acting_for(name: str, *, through: str = "") -> Iterator[None]:
    """Within the context, in this thread, what is done is done for somebody else; an empty name changes nothing.

    ``through``: the server that was asked, for jobs and audit.
    """
    name_mark, through_mark = _acting_for.set(name), _through.set(through)
    try:
        yield
    finally:
        _through.reset(through_mark)
        _acting_for.reset(name_mark)
