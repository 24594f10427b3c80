"""How well a chunk answers a query: BM25 over its fields, and what words that belong together add. Pure.

BM25 as of Robertson and Zaragoza (2009) with one length for all fields (BM25F, simple form). The constants were chosen
with half of the judged questions of CISI: nDCG@10 is .412 there and .357 on the other half, which had no part in it
(FTS5 with a porter stemmer: .367 over both); k1 = 1.2 and b = .75 give .382 and .324.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

from ingest_tui.model.document import Contribution
from ingest_tui.model.function_words import is_function_word
from ingest_tui.model.search_terms import FoundTerms, Match, SearchTerm, TermFinder, matches_of
from ingest_tui.model.tokens import fold

FIELD_WEIGHTS: Final = {"name": 2.0, "heading": 3.0, "text": 1.0}
"""``name`` is the title and the file name of the document, looked into for its first chunk."""

_K1 = 2.0
_B = 0.85
_INEXACT = 0.85
"""What a word counts that has the same stem, or other accents."""
_ADJACENT = 0.15
"""What two words of the query that follow each other add, of the weight of the lesser one."""
_FUNCTION_WORD = 0.3
"""What a function word counts next to other words."""
_ALL_WORDS = 0.15
"""What it adds to the whole when all words of the query occur; half of them add less than half of it."""


class Score(NamedTuple):
    """The score of a chunk, what it is made of, and the matches in its text."""

    value: float
    contributions: tuple[Contribution, ...]
    matches: tuple[Match, ...]


class TermWeight(NamedTuple):
    """A term of a query, in how many chunks it is, and what finding it is worth: more the fewer these are."""

    term: SearchTerm
    chunks: int
    value: float


def term_weight(term: SearchTerm, chunks: int, total: int) -> TermWeight:
    """Return the weight of a term that is in ``chunks`` of ``total`` chunks."""
    chunks = min(chunks, total)
    return TermWeight(term, chunks, math.log(1 + (total - chunks + 0.5) / (chunks + 0.5)))


def without_function_words(weights: Sequence[TermWeight], languages: Sequence[str]) -> list[TermWeight]:
    """Return weights of which those of function words count less, where there are words of another kind."""
    of_function_words = [
        not weight.term.is_phrase and is_function_word(fold(weight.term.label), languages) for weight in weights
    ]
    if not any(weight.chunks for weight, is_one in zip(weights, of_function_words, strict=True) if not is_one):
        return list(weights)
    return [
        weight._replace(value=weight.value * _FUNCTION_WORD) if is_one else weight
        for weight, is_one in zip(weights, of_function_words, strict=True)
    ]


class ChunkScorer:
    """Scores chunks for one query: what is needed of the query for each chunk is made once."""

    def __init__(self, weights: Sequence[TermWeight], average_length: float) -> None:
        self._weights = weights
        self._average_length = max(average_length, 1.0)
        self._finder = TermFinder(weight.term for weight in weights)
        self._numbers: dict[str, list[int]] = defaultdict(list)
        self._beginnings = [number for number, weight in enumerate(weights) if weight.term.is_beginning]
        for number, weight in enumerate(weights):
            for first in {*(sequence[0] for sequence in weight.term.sequences), *weight.term.forms}:
                self._numbers[first].append(number)

    def score(self, texts: Mapping[str, str], language: str) -> Score:
        """Return how well the fields of a chunk, by their names in `FIELD_WEIGHTS`, answer the query."""
        fields = {name: self._finder.find(text, language) for name, text in texts.items()}
        length = sum(found.length for found in fields.values())
        dampening = _K1 * (1 - _B + _B * length / self._average_length)
        matches = self._matches(fields)
        contributions: list[Contribution] = []
        satisfied: set[int] = set()
        for number in sorted(matches):
            weight, by_field = self._weights[number], matches[number]
            frequency = sum(
                FIELD_WEIGHTS[name] * sum(1.0 if one.is_exact else _INEXACT for one in found)
                for name, found in by_field.items()
            )
            value = weight.value * frequency * (_K1 + 1) / (frequency + dampening)
            counts = {name: len(found) for name, found in by_field.items()}
            contributions.append(Contribution(weight.term.label, weight.chunks, counts, value))
            if not weight.term.part:
                satisfied.add(weight.term.clause)
        contributions += _adjacent(self._weights, matches)
        value = sum(one.weight for one in contributions)
        share = _share_satisfied(self._weights, satisfied)
        if share:
            label = "(all words)" if share == 1 else "(several words)"
            contributions.append(Contribution(label, 0, {}, value * _ALL_WORDS * share**2))
        in_text = sorted({match for by_field in matches.values() for match in by_field.get("text", ())})
        return Score(sum(one.weight for one in contributions), tuple(contributions), tuple(in_text))

    def _matches(self, fields: Mapping[str, FoundTerms]) -> dict[int, dict[str, list[Match]]]:
        """Return where the terms are that are found, by their number and by field."""
        matches: dict[int, dict[str, list[Match]]] = defaultdict(dict)
        for name, found in fields.items():
            numbers = set(self._beginnings)
            for words in (found.by_term, found.by_form):
                for word in words:
                    numbers.update(self._numbers.get(word, ()))
            for number in numbers:
                if places := matches_of(self._weights[number].term, found):
                    matches[number][name] = places
        return matches


def _share_satisfied(weights: Sequence[TermWeight], satisfied: set[int]) -> float:
    """Return how much of a query with several words is found, by the weight of its words."""
    worth: dict[int, float] = {}
    for weight in weights:
        if not weight.term.part:
            worth[weight.term.clause] = max(worth.get(weight.term.clause, 0.0), weight.value)
    total = sum(worth.values())
    if len(worth) < 2 or not total:  # noqa: PLR2004
        return 0.0
    return sum(worth[clause] for clause in satisfied) / total


def _adjacent(weights: Sequence[TermWeight], matches: Mapping[int, Mapping[str, list[Match]]]) -> list[Contribution]:
    """Return what is added where words that follow each other in the query do so in a field, each pair once."""
    added = []
    for number in sorted(matches):
        if number + 1 not in matches:
            continue
        one, other = weights[number], weights[number + 1]
        if one.term.is_phrase or other.term.is_phrase or one.term.is_beginning:
            continue
        for name, found in matches[number].items():
            after = {match.position + 1 for match in found}
            together = sum(match.position in after for match in matches[number + 1].get(name, ()))
            if together:
                label = f'"{one.term.label} {other.term.label}"'
                worth = _ADJACENT * min(one.value, other.value)
                added.append(Contribution(label, 0, {name: together}, worth))
                break
    return added
