"""Reading settings, sources and credentials again while a worker runs."""

from __future__ import annotations

from ingest_tui.credentials.credential_registry import CredentialRegistry
from ingest_tui.model.errors import IngestError
from ingest_tui.model.safe_text import safe_display
from ingest_tui.store.workspace import Workspace


def read_settings_again(workspace: Workspace) -> list[str]:
    """Take over workspace.json as it is now, and look whether sources and credentials can be read.

    Returns what cannot, in words: settings stay as they were then. Sources and credentials are read from their files
    whenever they are needed, so they are only looked at. Jobs that run keep the settings that they began with.
    """
    problems: list[str] = []
    try:
        workspace.settings = workspace.read_settings()
    except (IngestError, OSError) as error:
        problems.append(f"workspace.json: {_in_words(error)}; the settings of before stay in force")
    for source_id in workspace.sources.unreadable():
        try:
            workspace.sources.get(source_id)
        except (IngestError, OSError) as error:
            problems.append(f"source {safe_display(source_id)}: {_in_words(error)}")
    if workspace.credentials_path.exists():
        try:
            entries = CredentialRegistry(workspace.credentials_path).entries()
        except (IngestError, OSError) as error:
            problems.append(f"credentials: {_in_words(error)}")
        else:
            problems += [f"credential {entry.name}: {entry.problem}" for entry in entries if entry.problem]
    return problems


def _in_words(error: IngestError | OSError) -> str:
    return error.message if isinstance(error, IngestError) else (error.strerror or type(error).__name__)
