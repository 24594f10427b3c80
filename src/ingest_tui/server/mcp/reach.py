"""What a client of MCP sees of a workspace, and whether it may change something there."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ingest_tui.model.errors import NotFoundError, RefusedError
from ingest_tui.model.safe_text import safe_display
from ingest_tui.services.client import Client

if TYPE_CHECKING:
    from ingest_tui.model.document import Document
    from ingest_tui.model.job import Manifest
    from ingest_tui.services.sources.health import SourceSummary

_LONGEST_SHOWN = 200


def unchanged(value: Any) -> Any:
    """Return what is given."""
    return value


@dataclass(frozen=True, slots=True)
class Reach:
    """The workspace of ``client`` as one caller sees it.

    ``collection_id``: the one collection that is seen, None for all; what is elsewhere does not exist for the caller.
    ``may_write``: whether the tools that change something are offered; ``how_to_write``: what lets a caller do so who
    may not, as a hint. ``acts_as``: how the audit names the caller.
    ``hidden`` takes out of an answer what this caller must not see.
    """

    client: Client
    collection_id: str | None = None
    may_write: bool = False
    how_to_write: str = "'ingest-tui mcp --allow-write' offers what changes the workspace"
    acts_as: str = ""
    hidden: Callable[[Any], Any] = unchanged

    def sees(self, collection_id: str) -> bool:
        """Tell whether what is in a collection is seen."""
        return self.collection_id in {None, collection_id}

    def document(self, document_id: str) -> Document:
        """Return a document that is here, by its whole id; raises `NotFoundError`."""
        found = self.client.documents.list(document_ids=[document_id], collection_id=self.collection_id, state=None)
        shown = repr(safe_display(document_id, limit=_LONGEST_SHOWN))
        if not found:
            raise NotFoundError(f"there is no document {shown}", hint="the ids are those that the tool search returns")
        if found[0].state != "active":
            raise NotFoundError(f"document {shown} is in the trash", hint="the tool explain says why")
        return found[0]

    def source(self, source_id: str) -> SourceSummary:
        """Return a source; raises `NotFoundError`."""
        for one in self.sources():
            if one.source.source_id == source_id:
                return one
        shown = safe_display(source_id, limit=_LONGEST_SHOWN)
        raise NotFoundError(f"there is no source '{shown}'", hint="the tool list_sources returns the ids")

    def sources(self) -> list[SourceSummary]:
        """Return the sources that are seen."""
        return [one for one in self.client.sources.list() if self.sees(one.source.collection_id)]

    def job(self, job_id: str) -> Manifest:
        """Return a job by its whole id; raises `NotFoundError`."""
        try:
            found = self.client.jobs.get(job_id)
        except NotFoundError:
            found = None
        if found is None or found.job_id != job_id or not self.sees(found.collection_id):
            shown = safe_display(job_id, limit=_LONGEST_SHOWN)
            raise NotFoundError(f"there is no job '{shown}'", hint="the tool freshness names the job that waits")
        return found

    def check_may_write(self) -> None:
        """Raise `RefusedError` where nothing may be changed."""
        if not self.may_write:
            raise RefusedError("this server only reads", hint=self.how_to_write)
