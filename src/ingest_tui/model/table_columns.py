"""Names of the columns of a table, as they are chosen by. Pure."""

from __future__ import annotations

from collections.abc import Sequence


def name_columns(header: Sequence[str]) -> list[str]:
    """Return the name of each column: repeated ones get ``_2``, ``_3``, …; one that has no name has none.

    Where no column has a name they are called ``column_1``, ``column_2``, …: else nothing of the table could be chosen.
    """
    plain = [" ".join(name.split()) for name in header]
    if not any(plain):
        return [f"column_{position}" for position in range(1, len(plain) + 1)]
    names: list[str] = []
    taken: set[str] = {""}
    for base in plain:
        name, suffix = base, 2
        while name and name in taken:
            name, suffix = f"{base}_{suffix}", suffix + 1
        taken.add(name)
        names.append(name)
    return names
