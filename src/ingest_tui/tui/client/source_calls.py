"""What the screens ask of the services about sources; part of the `Gateway`."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from ingest_tui.tui.client.conflicts import Conflict, saved_or_conflict

if TYPE_CHECKING:
    # For types alone: the first screen is painted before pydantic and the services are loaded.
    import pydantic

    from ingest_tui.model.job import Manifest
    from ingest_tui.model.plan_line import PlanLine
    from ingest_tui.model.source import Source
    from ingest_tui.services.sources.sources import Place, SourceSummary, TestStep
    from ingest_tui.services.sources.trials import PreviewItem, SourceDraft
    from ingest_tui.store.workspace import Workspace

ABOVE = ".."  # the name of the place above, as the connectors give it


@dataclass(frozen=True, slots=True)
class SourceKind:
    """A type of source that can be chosen. ``trouble`` says why it cannot be used, where that is known."""

    name: str
    summary: str
    trouble: str = ""


class Opening(ABC):
    """Opens the workspace for the calls of a part of the gateway."""

    @abstractmethod
    def _workspace(self) -> AbstractContextManager[Workspace]:
        """Open the workspace for this thread."""

    @abstractmethod
    def _changing(self) -> AbstractContextManager[Workspace]:
        """Open the workspace for something that changes it."""


class SourceCalls(Opening):
    """The calls about sources."""

    def sources(self) -> list[SourceSummary]:
        """Return all sources with their last and their active job, and how they are doing."""
        from ingest_tui.services.sources import sources

        with self._workspace() as workspace:
            return sources.list_sources(workspace)

    def has_sources(self) -> bool:
        """Tell whether there is one."""
        with self._workspace() as workspace:
            return bool(workspace.sources.names() or workspace.sources.unreadable())

    # Making and changing one

    def source_kinds(self) -> list[SourceKind]:
        """Return the types of sources, those of other packages too, each once."""
        from ingest_tui.services.sources import sources

        return [SourceKind(*kind) for kind in sources.source_kinds()]

    def config_model(self, source_type: str) -> type[pydantic.BaseModel]:
        """Return the settings that a connector takes."""
        from ingest_tui.services.sources import sources

        return sources.connector_config_model(source_type)

    def collections(self) -> list[str]:
        """Return the names of the collections."""
        with self._workspace() as workspace:
            return [collection.collection_id for collection in workspace.collections.all()]

    def draft_of(self, source_id: str) -> SourceDraft:
        """Return a source as a form has it."""
        from ingest_tui.services.sources import trials as source_trials

        with self._workspace() as workspace:
            return source_trials.draft_of(workspace, source_id)

    def draft_from(self, source: Source) -> SourceDraft:
        """Return a source that was read as a form has it."""
        from ingest_tui.services.sources import trials as source_trials

        return source_trials.draft_from(source)

    def source_problems(self, draft: SourceDraft) -> dict[str, str]:
        """Return what is wrong with a draft, by setting."""
        from ingest_tui.services.sources import trials as source_trials

        with self._workspace() as workspace:
            return source_trials.source_problems(workspace, draft)

    def save_source(self, draft: SourceDraft) -> Source | Conflict:
        """Add a source, or change the one that the draft names and that is still as it was when the draft was made."""
        from ingest_tui.services.sources import sources

        with self._changing() as workspace:
            common = dict(draft.common)
            if draft.source_id is None:
                return sources.add_source(
                    workspace, source_type=draft.source_type, name=draft.name, config=draft.config, **common
                )
            if common.keys() & {"backend", "by_type"}:
                by_type = common.pop("by_type", None) or {}
                common["extraction"] = {"backend": common.pop("backend", None), "by_type": by_type}
            edit = partial(sources.edit_source, workspace, draft.source_id, config=draft.config, **common)
            return saved_or_conflict(partial(edit, based_on=draft.based_on, keeps_others=draft.based_on is None))

    # Trying it

    def test_source(self, source_id: str) -> Iterator[TestStep]:
        """Yield the steps of a test as they are done."""
        from ingest_tui.services.sources import sources

        with self._workspace() as workspace:
            yield from sources.test_source(workspace, source_id)

    def test_draft(self, draft: SourceDraft) -> Iterator[TestStep]:
        """Yield the steps of testing settings that are not saved."""
        from ingest_tui.services.sources import trials as source_trials

        with self._workspace() as workspace:
            yield from source_trials.test_draft(workspace, draft)

    def preview(self, draft: SourceDraft) -> Iterator[PreviewItem]:
        """Yield the first items that would be looked at, taken or left out."""
        from ingest_tui.services.sources import trials as source_trials

        with self._workspace() as workspace:
            yield from source_trials.preview_draft(workspace, draft)

    def places(self, source_type: str, config: dict[str, Any], path: str) -> Iterator[Place]:
        """Yield the places to choose from while the settings are made."""
        from ingest_tui.services.sources import trials as source_trials

        with self._workspace() as workspace:
            yield from source_trials.browse_for_settings(workspace, source_type, config, path)

    def settings_of_place(self, source_type: str, config: dict[str, Any], path: str) -> dict[str, Any]:
        """Return the settings that make a source of a place."""
        from ingest_tui.services.sources import trials as source_trials

        return source_trials.settings_of_place(source_type, config, path)

    def plan(self, source_id: str) -> Iterator[PlanLine]:
        """Yield what a sync would do now, and why."""
        from ingest_tui.services.jobs import plan_preview

        with self._workspace() as workspace:
            yield from plan_preview.plan_source(workspace, source_id)

    # Doing something with it

    def sync(self, source_id: str) -> Manifest:
        """Put a sync into the queue."""
        from ingest_tui.services.jobs import jobs

        with self._changing() as workspace:
            return jobs.enqueue_sync(workspace, source_id)

    def remove_source(self, seen: Source, *, keep_documents: bool = False) -> int:
        """Remove a source that is still as it was seen and retire its documents, unless they are kept.

        Returns how many were retired.
        """
        from ingest_tui.services.sources import sources

        with self._changing() as workspace:
            return sources.remove_source(workspace, seen.source_id, keep_documents=keep_documents, based_on=seen)

    def set_enabled(self, source_id: str, *, enabled: bool) -> Source:
        """Let a source be synced, or not."""
        from ingest_tui.services.sources import sources

        with self._changing() as workspace:
            return sources.set_enabled(workspace, source_id, enabled)

    def set_watched(self, source_id: str, *, watched: bool) -> Source:
        """Let a source be synced by itself when something changes, or not."""
        from ingest_tui.services.sources import sources

        with self._changing() as workspace:
            return sources.edit_source(workspace, source_id, watch=watched)
