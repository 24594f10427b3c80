"""The first file of a backup: which backup it is, of what, and what it rests on."""

from __future__ import annotations

from typing import Final

import orjson
import pydantic

from ingest_tui.model.errors import SchemaVersionError, ValidationError
from ingest_tui.model.safe_text import safe_display
from ingest_tui.store.backup.archive import NOT_A_BACKUP
from ingest_tui.store.catalogue import schema
from ingest_tui.store.upgrade import SCHEMA_VERSION as WORKSPACE_SCHEMA
from ingest_tui.version import __version__

BACKUP: Final = "backup.json"
CONTENTS: Final = "contents.jsonl"
CREDENTIALS: Final = "credentials.json"
WORKSPACE: Final = "workspace"
"""The names in a backup; the files of the workspace are in the folder of that name."""
SCHEMA_VERSION = 1


class EarlierBackup(pydantic.BaseModel):
    """A backup that another rests on, for people: the name of its file then, and when it was written."""

    model_config = pydantic.ConfigDict(extra="ignore", frozen=True)

    backup_id: str
    file_name: str
    created_at: str

    def __str__(self) -> str:
        return f"{safe_display(self.file_name)} of {safe_display(self.created_at)}"


class BackupHeader(pydantic.BaseModel):
    """``rests_on``: the earlier backups that have some of the bytes, the latest first; a full backup rests on none.

    ``earlier``: what is known of them; not of those that older programs wrote.
    """

    model_config = pydantic.ConfigDict(extra="ignore", frozen=True)

    schema_version: int = SCHEMA_VERSION
    backup_id: str = pydantic.Field(pattern=r"^[0-9a-f]{32}$")
    rests_on: list[str] = []
    earlier: list[EarlierBackup] = []
    created_at: str
    program: str = __version__
    workspace: str
    workspace_schema: int
    catalogue_schema: int


def read_header(data: bytes) -> BackupHeader:
    """Return what `BACKUP` says; raises `ValidationError`, and `SchemaVersionError` for a backup of a newer program."""
    try:
        header = BackupHeader.model_validate(orjson.loads(data))
    except (orjson.JSONDecodeError, pydantic.ValidationError):
        hint = "name a backup: 'ingest-tui backup FILE' writes one"
        raise ValidationError(
            "this is no backup: its first file is not readable", hint=hint, code=NOT_A_BACKUP
        ) from None
    knows = (SCHEMA_VERSION, WORKSPACE_SCHEMA, schema.SCHEMA_VERSION)
    has = (header.schema_version, header.workspace_schema, header.catalogue_schema)
    if any(one > known for one, known in zip(has, knows, strict=True)):
        raise SchemaVersionError(
            f"the backup was written by a newer ingest-tui ({header.program}); nothing was restored",
            hint="upgrade ingest-tui",
        )
    return header
