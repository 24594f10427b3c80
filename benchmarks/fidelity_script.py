"""What a file of fidelity.py holds: invented words that stand nowhere else; some are headings, some table cells."""

from __future__ import annotations

import io
import itertools
import random
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field

XML = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>'


@dataclass
class Script:
    """Invents what a file holds and keeps it: ``words``, ``headings`` and ``cells`` must be found again."""

    vocabulary: Iterator[str]
    words: list[str] = field(default_factory=list)
    headings: list[str] = field(default_factory=list)
    cells: list[str] = field(default_factory=list)

    def text(self, count: int = 8) -> str:
        """Return new words."""
        found = list(itertools.islice(self.vocabulary, count))
        self.words += found
        return " ".join(found)

    def heading(self) -> str:
        """Return a new heading."""
        self.headings.append(self.text(3))
        return self.headings[-1]

    def table(self) -> list[list[str]]:
        """Return a table of three columns with a row of names."""
        rows = [[self.text(1) for _ in range(3)] for _ in range(4)]
        self.cells += [cell for row in rows for cell in row]
        return rows


def vocabulary() -> Iterator[str]:
    """Yield words of four syllables, each once, in an order that is always the same."""
    syllables = [a + b for a in "bdfgklmnprstvz" for b in "aeiou"]
    found = ["".join(parts) for parts in itertools.islice(itertools.product(syllables, repeat=4), 0, None, 997)]
    random.Random(7).shuffle(found)
    return iter(found)


def archive(parts: dict[str, str | bytes]) -> bytes:
    """Return a zip archive whose first part is stored."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as out:
        for number, (name, content) in enumerate(parts.items()):
            out.writestr(name, content, zipfile.ZIP_DEFLATED if number else zipfile.ZIP_STORED)
    return buffer.getvalue()
