"""What a workspace does when a job has ended: a command is run or a webhook called, with what became of the job.

The signature is that of the Standard Webhooks specification, so that receivers find libraries that check it.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import re
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from ingest_tui.model.counted import counted
from ingest_tui.model.job import JobState, Manifest

_REFERENCE = re.compile(r"(?:env|file|keyring|command):.+", re.DOTALL)
_SERVER = re.compile(r"(https?://)([^/?#]+)")
_MOST_ERRORS = 3
_ENCODED = "whsec_"
EndState = Literal["succeeded", "partial", "failed", "cancelled"]


class JobEndHook(BaseModel):
    """An entry of ``on_job_end`` in workspace.json: a command (program and arguments, no shell) or the URL of a hook.

    ``states``, ``sources`` and ``kinds`` narrow which jobs it is for; empty: all. ``url`` and ``secret`` may be
    references (``env:NAME``, ``file:PATH``, …); a secret must be one, so that it is in no file of the workspace.
    ``environment`` names variables that a command gets besides its own. ``body``: ``event`` is all that is known,
    ``text`` only ``{"text": …}``, which chat servers take.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9][A-Za-z0-9_. -]*$")
    command: tuple[str, ...] = ()
    url: str = ""
    secret: str = ""
    body: Literal["event", "text"] = "event"
    states: tuple[EndState, ...] = ("partial", "failed")
    sources: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ()
    environment: tuple[str, ...] = ()
    seconds: float = Field(default=30, gt=0, le=600, description="for one attempt")

    @field_validator("secret")
    @classmethod
    def _is_reference(cls, value: str) -> str:
        if value and not _REFERENCE.fullmatch(value):
            raise ValueError("a secret is given by a reference: env:NAME, file:PATH, keyring:SERVICE/USER, command:…")
        return value

    @field_validator("url")
    @classmethod
    def _is_url_or_reference(cls, value: str) -> str:
        if value and not (value.startswith(("https://", "http://")) or _REFERENCE.fullmatch(value)):
            raise ValueError("a url begins with https:// or http://, or is a reference such as env:NAME")
        return value

    @model_validator(mode="after")
    def _is_one_thing(self) -> JobEndHook:
        if bool(self.command) == bool(self.url):
            raise ValueError("give either a command or a url")
        if self.secret and not self.url:
            raise ValueError("a secret signs the calls of a webhook; a command has none")
        return self

    def shown(self) -> dict[str, Any]:
        """Return the entry as people may see it: of an url only the server, since the rest of a chat's is a secret."""
        entry = self.model_dump(mode="json")
        if found := _SERVER.match(self.url):
            server = f"{found[1]}{found[2].rpartition('@')[2]}"
            entry["url"] = server if self.url.rstrip("/") == server else f"{server}/…"
        return entry

    def is_for(self, manifest: Manifest) -> bool:
        """Whether it wants to hear of an ended job."""
        return (
            (not self.states or str(manifest.state) in self.states)
            and (not self.sources or manifest.source_id in self.sources)
            and (not self.kinds or manifest.kind in self.kinds)
        )


def event_of(manifest: Manifest, workspace: str) -> dict[str, Any]:
    """Return what is told of an ended job: JSON without documents, addresses of a few errors at most.

    ``id`` is the same each time that it is told, so that a receiver can drop what it had before.
    """
    errors = [{"code": one.code, "message": one.message, "hint": one.hint} for one in manifest.errors[-_MOST_ERRORS:]]
    held = manifest.held.documents if manifest.held is not None and manifest.held.waits else 0
    return {
        "type": "job.end",
        "id": manifest.job_id,
        "workspace": workspace,
        "job_id": manifest.job_id,
        "kind": manifest.kind,
        "source_id": manifest.source_id,
        "collection_id": manifest.collection_id,
        "state": str(manifest.state),
        "trigger": manifest.trigger,
        "started_at": manifest.started_at,
        "finished_at": manifest.finished_at,
        "counters": {name: number for name, number in manifest.counters.as_flat_dict().items() if number},
        "held_deletions": held,
        "errors_total": manifest.errors_total,
        "errors": errors,
        "text": text_of_end(manifest, held),
    }


def text_of_end(manifest: Manifest, held: int) -> str:
    """Return in a line how a job ended, for chat and for the subject of a mail."""
    counters = manifest.counters
    what = f"{manifest.kind} of {manifest.source_id or manifest.collection_id}: {manifest.state}"
    parts = [
        f"{counters.items_ingested} ingested",
        f"{counters.items_retired} retired" if counters.items_retired else "",
        counted(manifest.errors_total, "error") if manifest.errors_total else "",
        f"{counted(held, 'deletion waits', 'deletions wait')} for approval" if held else "",
        manifest.errors[-1].message if manifest.state is JobState.FAILED and manifest.errors else "",
    ]
    return f"{what} ({', '.join(filter(None, parts))}), job {manifest.job_id}"


def signature_of(secret: str, message_id: str, timestamp: int, body: bytes) -> str:
    """Return the header ``webhook-signature``: HMAC-SHA256 over id, time and body, in base64.

    A secret that begins with ``whsec_`` is base64 after that; any other is taken as it is.
    """
    signed = f"{message_id}.{timestamp}.".encode() + body
    return f"v1,{base64.b64encode(hmac.new(_key(secret), signed, hashlib.sha256).digest()).decode()}"


def _key(secret: str) -> bytes:
    if secret.startswith(_ENCODED):
        try:
            return base64.b64decode(secret.removeprefix(_ENCODED), validate=True)
        except binascii.Error:
            pass
    return secret.encode()
