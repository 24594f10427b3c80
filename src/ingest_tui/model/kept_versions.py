"""Which versions of a document are kept by their number. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import groupby, islice


def newest_with_contents(contents: Iterable[str], keep: int) -> int:
    """Return how many of the newest versions hold the ``keep`` newest contents. ``contents`` are hashes, newest first.

    Versions that follow each other with the same content count once: they were only cut into other chunks.

    >>> newest_with_contents(["c", "c", "b", "a"], 2)
    3
    """
    return sum(len(list(same)) for _content, same in islice(groupby(contents), keep))
