"""How large chunks may be, in which unit, and what measures them. Pure: what reads a tokenizer file is in the store."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol, Self

ChunkUnit = Literal["characters", "tokens"]
CHUNK_SIZES: dict[ChunkUnit, tuple[int, int]] = {"characters": (200, 100_000), "tokens": (64, 32_000)}
"""The smallest and the largest size of a chunk that can be chosen."""
USUAL_SIZES: dict[ChunkUnit, int] = {"characters": 1500, "tokens": 384}


@dataclass(frozen=True, slots=True)
class ChunkRules:
    """What a collection says of its chunks, as JSON values that a parser process is given.

    No chunk is larger than ``size``, with what it repeats of the one before it (``overlap``) and of heads of tables.
    """

    size: int = USUAL_SIZES["characters"]
    overlap: int = 0
    unit: ChunkUnit = "characters"
    tokenizer: str = ""
    """The path of a tokenizer.json, for tokens."""
    text_columns: tuple[str, ...] = ()
    context_columns: tuple[str, ...] = ()
    """Names of columns of tables whose rows become texts: see `chunk_rows`."""
    languages: tuple[str, ...] = ()
    """Which languages texts are analysed in: see `language_among`."""

    @classmethod
    def of(cls, values: Mapping[str, Any]) -> Self:
        """Return the rules of the JSON form."""
        lists = {name: tuple(values.get(name, ())) for name in ("text_columns", "context_columns", "languages")}
        return cls(**{**values, **lists})

    def as_dict(self) -> dict[str, Any]:
        """Return the JSON form that ingestion.json keeps under ``chunking``; lists only where something is in them."""
        values = {name: getattr(self, name) for name in self.__slots__}
        return {name: value for name, value in values.items() if value != ()}


class Measure(Protocol):
    """Counts characters or tokens."""

    def size(self, text: str) -> int:
        """Return how large a text is."""

    def reach(self, text: str, start: int, limit: int) -> int:
        """Return the offset up to which the text from ``start`` is no larger than ``limit``; beyond ``start``."""

    def tail(self, text: str, limit: int) -> int:
        """Return the offset from which the rest of the text is no larger than ``limit``."""


class Characters(Measure):
    """Counts characters."""

    def size(self, text: str) -> int:
        """Return how large a text is."""
        return len(text)

    def reach(self, text: str, start: int, limit: int) -> int:
        """Return the offset up to which the text from ``start`` is no larger than ``limit``."""
        return min(start + limit, len(text))

    def tail(self, text: str, limit: int) -> int:
        """Return the offset from which the rest of the text is no larger than ``limit``."""
        return max(len(text) - limit, 0)


@dataclass(frozen=True, slots=True)
class ChunkLimits:
    """Rules, and what measures by them."""

    rules: ChunkRules = ChunkRules()
    measure: Measure = field(default_factory=Characters)

    @property
    def largest(self) -> int:
        """How large the own text of a chunk may be."""
        return self.rules.size - self.rules.overlap

    @property
    def target(self) -> int:
        """How far pieces are gathered. What is left to ``largest`` is room to cut where a person would."""
        return self.largest * 2 // 3


DEFAULT_LIMITS = ChunkLimits()
