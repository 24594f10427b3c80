"""From the settings of a source to what rclone is given: its configuration file, and the password of that."""

from __future__ import annotations

import shlex
from pathlib import Path

from ingest_tui.connectors.base import Credential, Credentials
from ingest_tui.connectors.rclone.program import RcloneAccess
from ingest_tui.credentials.private_files import OTHERS_MAY_READ, OTHERS_MAY_WRITE, Strictness, read_private_file
from ingest_tui.model.errors import AuthenticationError, ValidationError
from ingest_tui.model.safe_text import safe_display

_STRICTNESS = Strictness(OTHERS_MAY_WRITE | OTHERS_MAY_READ, root_may_own=True)


def entry_for(name: str, credentials: Credentials | None) -> Credential:
    """Return the credential that a source names; raises `ValidationError` for one that is of no use to rclone."""
    shown = safe_display(name)
    if credentials is None:
        raise ValidationError(
            f"the source names the credential '{shown}', but there are no credentials here",
            hint=f"'ingest-tui credential add {shown} --type rclone' makes one",
        )
    entry = credentials.get(name)
    if entry.type != "rclone":
        raise ValidationError(
            f"credential '{shown}' is of type '{entry.type}'; an rclone source needs one of type 'rclone'",
            hint="see credentials.example.json",
            setting="credential",
        )
    return entry


def check_config_file(entry: Credential) -> str:
    """Return the path of the configuration file; raises `AuthenticationError` or `RefusedError` when it is of no use.

    It holds tokens and passwords, and can name programs to run, so that nobody else may read or change it.
    """
    path = entry.require("config_file")
    what = f"the configuration file of credential '{safe_display(entry.name)}'"
    try:
        read_private_file(Path(path), _STRICTNESS, what=what)
    except OSError as error:
        raise AuthenticationError(
            f"{what} cannot be read: {error.strerror}: {safe_display(path)}",
            hint=f"'rclone config --config {safe_display(shlex.quote(path))}' makes it",
            code="credential_unresolved",
        ) from None
    return path


def access_with(entry: Credential, remote: str | None) -> RcloneAccess:
    """Return what rclone is given; the reference to the password is resolved now."""
    return RcloneAccess(check_config_file(entry), entry.get("config_password"), remote)
