"""What `doc explain` answers: a verdict, what it rests on and what to do, as JSON and as lines for people."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from ingest_tui.model.document import Document
from ingest_tui.model.explanation.facts import Event
from ingest_tui.model.place import KnownPlace
from ingest_tui.model.safe_text import safe_display
from ingest_tui.services.documents.documents import remarks_of


@dataclass(slots=True)
class Explanation:
    """The answer in one sentence, what it rests on, and what to do.

    ``reason`` is a stable code; ``stale``: it is here, but not as it is at its source. ``others``: the answers for the
    same place as other sources have it, each in its own collection.
    """

    target: str
    here: bool
    verdict: str
    hint: str = ""
    reason: str = ""
    stale: bool = False
    document: Document | None = None
    location: KnownPlace | None = None
    record: dict[str, Any] | None = None
    events: list[Event] = field(default_factory=list)
    source_id: str = ""
    collection_id: str = ""
    others: list[Explanation] = field(default_factory=list)

    def as_dict(self) -> dict[str, Any]:
        """Return the JSON form."""
        return {
            "target": safe_display(self.target),
            "here": self.here,
            "stale": self.stale,
            "reason": self.reason,
            "verdict": self.verdict,
            "hint": self.hint,
            "document": self.document.as_dict() if self.document else None,
            "location": self.location._asdict() if self.location else None,
            "ingestion": self.record,
            "events": [event._asdict() for event in self.events],
            "others": [other.in_short() for other in self.others],
        }

    def in_short(self) -> dict[str, Any]:
        """Return the JSON form without evidence."""
        return {
            "source_id": self.source_id,
            "collection_id": self.collection_id,
            "document_id": self.document.document_id if self.document else None,
            "here": self.here,
            "stale": self.stale,
            "reason": self.reason,
            "verdict": self.verdict,
            "hint": self.hint,
        }

    def lines(self) -> list[str]:
        """Return the story for people, safe to print."""
        lines = [self.verdict]
        if self.hint:
            lines.append(f"hint: {self.hint}")
        for other in self.others:
            lines.append(f"also at {other.whose()}: {other.verdict}")
            if other.document:
                lines.append(f"  'ingest-tui doc explain {other.document.document_id}' shows more about that one")
        if self.document:
            document = self.document
            lines += [
                f"document   {document.document_id}  version {document.version}  collection {document.collection_id}",
                f"address    {document.uri}",
                f"text       chunks: {document.chunks}, read by {document.backend} as {document.media_type}",
                f"hashes     raw {document.raw_sha256[:16]}…  text {document.content_hash[:16]}…",
            ]
        if self.record:
            lines += [f"{kind:10} {message}" for kind, message in remarks_of(self.record)]
        if self.events:
            lines.append("what jobs noted, oldest first:")
            for event in self.events:
                detail = f": {event.detail}" if event.detail else ""
                lines.append(f"  {event.at}  {event.what} ({event.reason}){detail}  [{event.job_id}]")
        return [safe_display(line) for line in lines]

    def whose(self) -> str:
        """Return which source and collection the answer is about."""
        return f"source {self.source_id!r}, collection {self.collection_id!r}"
