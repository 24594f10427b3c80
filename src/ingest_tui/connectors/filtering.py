"""Include and exclude patterns, the same for every kind of source."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence


class PathFilter:
    """Include and exclude patterns in gitignore style, for byte paths relative to the root of the source.

    A key is turned into such a path by `bytes_from_key`.
    """

    def __init__(self, takes: Callable[[bytes], bool], enters: Callable[[bytes], bool]) -> None:
        self.takes = takes
        self.enters = enters


def build_filter(include_patterns: Sequence[str], exclude_patterns: Sequence[str]) -> PathFilter:
    """Return the filter of a source; without patterns it costs nothing. Raises `ValidationError` for wrong ones."""
    if not include_patterns and not exclude_patterns:
        return PathFilter(lambda _path: True, lambda _path: True)
    from ingest_tui.connectors.linear_patterns import compile_patterns

    include = compile_patterns(include_patterns) if include_patterns else None
    exclude = compile_patterns(exclude_patterns) if exclude_patterns else None

    def takes(path: bytes) -> bool:
        text = os.fsdecode(path)
        return (include is None or include.match_file(text)) and not (exclude is not None and exclude.match_file(text))

    def enters(path: bytes) -> bool:
        return exclude is None or not exclude.match_file(os.fsdecode(path) + "/")

    return PathFilter(takes, enters)
