"""Which chunks are looked at for a query: the best by BM25 among those with its rarest words.

What is ranked is bounded: a word that is in a fifth of a million chunks would take half a second to rank, and says
little about any of them. Such words only count in chunks that were found by rarer ones.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain, combinations
from typing import Final, NamedTuple

from ingest_tui.index import term_counts
from ingest_tui.index.base import Database
from ingest_tui.index.term_counts import IndexSize, count_chunks
from ingest_tui.model.ranking import TermWeight, term_weight, without_function_words
from ingest_tui.model.search_terms import SearchTerm

RANKED: Final = 6_000
"""How many chunks are ranked for one expression, at most, the newest ones first: one takes about a microsecond."""
_PAIRED: Final = 3
"""So many of the words that are too common are looked for in pairs."""


class CandidateQuery(NamedTuple):
    """An expression of FTS5, the weights of its phrases in their order, and how many rows these have, one by one.

    What is asked for together with unwanted words has no weights for these, which come last.
    """

    expression: str
    weights: tuple[float, ...]
    rows: int
    has_sequences: bool
    """Whether it has words that follow each other: to count where they do, FTS5 reads the rows of each of them."""


def expression_of(term: SearchTerm) -> str:
    """Return the expression of FTS5 for a term."""
    found = [f'"{" ".join(sequence)}"' + (" *" if term.is_beginning else "") for sequence in term.sequences if sequence]
    found += [f'"{form}"' for form in term.forms]
    return found[0] if len(found) == 1 else f"({' OR '.join(found)})"


def weigh(
    database: Database, terms: Sequence[SearchTerm], size: IndexSize, languages: Sequence[str]
) -> list[TermWeight]:
    """Return what finding each term is worth."""
    counts: dict[str, int] = {}
    weights = []
    for term in terms:
        expression = expression_of(term)
        if expression not in counts:
            counted_to = term_counts.COUNTED_SEQUENCES if term.is_phrase else term_counts.COUNTED
            counts[expression] = count_chunks(database, expression, size, counted_to)
        weights.append(term_weight(term, counts[expression], size.chunks))
    return without_function_words(weights, languages)


def candidate_queries(weights: Sequence[TermWeight], required: set[int], unwanted: str) -> list[CandidateQuery]:
    """Return what to ask for, one after the other until there are enough hits; none where no word is found.

    ``required`` are the clauses that have to be satisfied, ``unwanted`` is the expression of what must not occur.
    """
    needed: dict[int, list[TermWeight]] = {clause: [] for clause in required}
    for weight in weights:
        if weight.term.clause in needed and not weight.term.part:
            needed[weight.term.clause].append(weight)
    if any(not any(weight.chunks for weight in of_clause) for of_clause in needed.values()):
        return []
    optional = sorted((weight for weight in weights if weight.chunks), key=lambda weight: weight.chunks)
    asked = [_with_required(needed, optional)] if needed else _any_of(optional)
    return [_without(one, unwanted) for one in asked] if unwanted else asked


def _any_of(optional: Sequence[TermWeight]) -> list[CandidateQuery]:
    """Return what finds chunks with any of the words: the rare ones, then pairs of the others, then one of these."""
    rare, ranked = [], 0
    for weight in optional:
        ranked += weight.chunks
        if ranked > RANKED:
            break
        rare.append(_for_term(weight))
    common = [_for_term(weight) for weight in optional[len(rare) :]]
    pairs = [_joined("AND", pair) for pair in combinations(dict.fromkeys(common[:_PAIRED]), 2)]
    return [_joined("OR", one) for one in (rare, pairs, common[:1]) if one]


def _with_required(needed: dict[int, list[TermWeight]], optional: Sequence[TermWeight]) -> CandidateQuery:
    by_clause = [[_for_term(weight) for weight in of_clause if weight.chunks] for of_clause in needed.values()]
    expression = _joined("AND", [_joined("OR", one) for one in by_clause])
    others, ranked = [], 0
    for weight in optional:
        ranked += weight.chunks
        if weight.term.clause not in needed and ranked <= RANKED:
            others.append(_for_term(weight))
    if others:
        expression = _joined("AND", [expression, _joined("OR", [*others, *chain.from_iterable(by_clause)])])
    return expression


def _for_term(weight: TermWeight) -> CandidateQuery:
    term = weight.term
    phrases = sum(map(bool, term.sequences)) + len(term.forms)
    return CandidateQuery(
        expression_of(term), (weight.value,) * phrases, weight.chunks * phrases, has_sequences=term.is_phrase
    )


def _joined(operator: str, parts: Sequence[CandidateQuery]) -> CandidateQuery:
    """Return what finds any of the parts, or all of them; each once."""
    different = list(dict.fromkeys(parts))
    if len(different) == 1:
        return different[0]
    return CandidateQuery(
        f"({f' {operator} '.join(part.expression for part in different)})",
        tuple(chain.from_iterable(part.weights for part in different)),
        sum(part.rows for part in different),
        has_sequences=any(part.has_sequences for part in different),
    )


def _without(asked: CandidateQuery, unwanted: str) -> CandidateQuery:
    return asked._replace(expression=f"({asked.expression}) NOT ({unwanted})")
