"""Outcomes of an ended job whose lines are lost, from its plan and from what the catalogue still knows of the job."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from contextlib import closing

from ingest_tui.model.batching import batches
from ingest_tui.model.job import Manifest
from ingest_tui.model.outcome import Outcome
from ingest_tui.pipeline.job.known_outcomes import outcomes_at
from ingest_tui.pipeline.plan.plan_writer import settled_outcome
from ingest_tui.store.catalogue.catalogue import Catalogue
from ingest_tui.store.catalogue.known_good import open_known_good_to_read
from ingest_tui.store.records.journal import read_journal
from ingest_tui.store.records.plan_file import readable_lines
from ingest_tui.store.workspace import Workspace

_AT_ONCE = 500


def derived_outcomes(workspace: Workspace, manifest: Manifest) -> Generator[Outcome, None, None]:
    """Yield an outcome for each item and member of a job that has no line and of which it is known what it came to.

    What a later job has looked at again, or what is retired, has left no trace of that; what a person removed since
    has, where this job took it in. A damaged plan tells all but its damaged lines; members need no plan.
    """
    paths = workspace.jobs.paths(manifest.job_id)
    written = {str(line.get("key")) for line in read_journal(paths.outcomes)}
    with closing(open_known_good_to_read(workspace.layout)) as catalogue:
        for batch in batches(readable_lines(paths.plan), _AT_ONCE):
            lines = [line for line in batch if line.key not in written]
            settled = [(line, settled_outcome(line, manifest.updated_at)) for line in lines]
            yield from (outcome for _line, outcome in settled if outcome is not None)
            yield from _committed(catalogue, manifest, [line.key for line, outcome in settled if outcome is None])
        members = catalogue.members_of_job(manifest.source_id, manifest.job_id)
        for rows in batches((row.key for row in members if row.key not in written), _AT_ONCE):
            yield from _committed(catalogue, manifest, rows)


def _committed(catalogue: Catalogue, manifest: Manifest, keys: list[str]) -> Iterator[Outcome]:
    places = catalogue.locations(manifest.source_id, keys)
    rows = [row for row in places.values() if row.job_id == manifest.job_id]
    yield from outcomes_at(catalogue, rows)
