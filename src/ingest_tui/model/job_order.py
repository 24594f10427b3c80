"""Which job is newer: by their ids, which hold the time."""

from __future__ import annotations

_TIME_CHARACTERS = len("20261121-063105")


def job_order(job_id: str) -> tuple[str, str, str]:
    """Return what jobs are ordered by, oldest first: the time in the id, down to parts of a second in its ending.

    The whole id would not do: the name of the source comes before that ending.
    """
    return job_id[:_TIME_CHARACTERS], job_id.rpartition("-")[2], job_id
