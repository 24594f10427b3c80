"""Many values, some at a time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import TypeVar

_Value = TypeVar("_Value")


def batches(values: Iterable[_Value], size: int) -> Iterator[list[_Value]]:
    """Yield ``values`` in lists of ``size``, the last one shorter; a value is asked for when its batch is.

    >>> list(batches("abcde", 2))
    [['a', 'b'], ['c', 'd'], ['e']]
    """
    remaining = iter(values)
    while batch := list(islice(remaining, size)):
        yield batch
