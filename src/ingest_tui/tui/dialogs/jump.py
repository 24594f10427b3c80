"""F2: go straight to a view, a job, a source or its documents, or a collection."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, NamedTuple

from ingest_tui.model.job_order import job_order
from ingest_tui.services.client import Client
from ingest_tui.tui import wording
from ingest_tui.tui.dialogs.finder import Finder
from ingest_tui.tui.navigation.views import VIEWS
from ingest_tui.tui.views.jobs.jobs_model import JobRow
from ingest_tui.tui.widgets.columns import Cell, Column

if TYPE_CHECKING:
    from ingest_tui.model.collection import Collection
    from ingest_tui.services.sources.sources import SourceSummary


class Target(NamedTuple):
    """Where one can jump. ``key``: ``view jobs``, ``job ID``, ``source ID``, ``documents ID`` or ``collection ID``."""

    key: str
    name: str
    what: str


_COLUMNS: list[Column[Target]] = [
    Column("kind", "GO TO", 10, lambda target: Cell(target.key.partition(" ")[0], "running")),
    Column("name", "NAME", 0, lambda target: Cell(target.name)),
    Column("what", "", 0, lambda target: Cell(target.what, "quiet"), from_width=60),
]


class Jump(Finder):
    """A chooser over views, jobs, sources and collections; returns the key of a `Target`, or None."""

    def __init__(self, client: Client, jobs: Iterable[JobRow]) -> None:
        newest_first = sorted(jobs, key=lambda row: (row.created_at or row.job_id, job_order(row.job_id)), reverse=True)
        views = [Target(f"view {view.name}", view.title, key) for key, view in VIEWS.items()]
        known = [
            Target(f"job {row.job_id}", row.job_id, f"{wording.state_word(row.state)}  {row.source_id}")
            for row in newest_first
        ]
        super().__init__(
            "Jump",
            _COLUMNS,
            views + known,
            key=lambda target: target.key,
            searchable=lambda target: f"{target.key} {target.name} {target.what}",
        )
        self._client = client

    def on_mount(self) -> None:
        """Add sources and collections as soon as they are read; views and jobs are shown at once."""
        client = self._client

        def read() -> tuple[list[SourceSummary], list[tuple[Collection, int]]]:
            return client.sources.list(), client.collections.list()

        self.ask(read, self._add, group="sources", opens_dialog=True)

    def stop_loading(self) -> None:
        """Close: what was typed was meant for rows that are not there."""
        super().stop_loading()
        self.dismiss(None)

    def _add(self, found: tuple[list[SourceSummary], list[tuple[Collection, int]]]) -> None:
        sources = [summary.source for summary in found[0]]
        targets = [Target(f"source {source.source_id}", source.name, source.place) for source in sources]
        targets += [
            Target(f"documents {source.source_id}", source.name, "the documents of this source") for source in sources
        ]
        targets += [
            Target(f"collection {one.collection_id}", one.name, wording.plural(documents, "document"))
            for one, documents in found[1]
        ]
        self.add_rows(targets, at=len(VIEWS))
