"""Short beginnings of words in a large full text, of which FTS5 would join long lists for a second.

Where few words begin so the lists are short: these are all found. A character of Chinese or Japanese is a beginning.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import replace
from typing import Final

import orjson

from ingest_tui.index.base import Database
from ingest_tui.index.ranked_chunks import LARGE
from ingest_tui.index.term_counts import IndexSize
from ingest_tui.model.analysis import terms_function
from ingest_tui.model.search_terms import SearchTerm
from ingest_tui.model.tokens import fold, is_paired, tokens_of

SHORT: Final = 3
_SAMPLE: Final = 80
_WORDS: Final = 12
_FREQUENT: Final = 3
"""Found so often in the sample, a beginning is in a thirtieth of the chunks or so."""


def from_a_sample(database: Database, term: SearchTerm, size: IndexSize) -> SearchTerm:
    """Return a term whose short and frequent beginning is replaced by the most frequent words that begin so."""
    beginning = term.sequences[0][-1] if term.is_beginning else ""
    if not beginning or len(beginning) > SHORT or size.chunks <= LARGE:
        return term
    numbers = orjson.dumps([size.last_number * (number + 1) // _SAMPLE for number in range(_SAMPLE)]).decode()
    sql = "SELECT text, language FROM chunks WHERE id IN (SELECT value FROM json_each(?))"
    tokens: dict[str, Counter[str]] = defaultdict(Counter)
    for text, language in database.execute(sql, (numbers,)):
        tokens[language].update(tokens_of(text))
    words: Counter[str] = Counter()
    for language, counts in tokens.items():
        terms_of = terms_function(language)
        for token, count in counts.items():
            begins_within = not token.isalpha() or is_paired(beginning)
            if begins_within or fold(token[: len(beginning)]).startswith(beginning):
                words.update({term: count for term in terms_of(token)[0] if term.startswith(beginning)})
    if sum(words.values()) < _FREQUENT:
        return term
    frequent = [word for word, _ in words.most_common(_WORDS)]
    heads = dict.fromkeys(sequence[:-1] for sequence in term.sequences)
    sequences = tuple((*head, word) for head in heads for word in (*frequent, beginning))
    return replace(term, sequences=sequences, is_beginning=False)
