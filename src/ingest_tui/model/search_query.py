"""What a person typed to search for: words, phrases, beginnings, what must not occur, and filters. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import date
from typing import Final, Literal, NamedTuple

from ingest_tui.model.errors import UsageError
from ingest_tui.model.safe_text import safe_display
from ingest_tui.model.tokens import GERSHAYIM_TYPED, is_word, tokens_of

FIELDS: Final = ("source", "collection", "type", "path", "title", "after", "before")
MAX_WORDS: Final = 100
"""Words of a query beyond that are not looked for; nor are those of a phrase, and alternatives to a word."""

_PIECE = re.compile(r"([-+]?)(?:([A-Za-z]+):(?=\S))?(?:\"([^\"]*)(?:\"|$)|([^\s\"]+))")
_DAY = re.compile(r"[0-9]{4}(?:-[0-9]{2}(?:-[0-9]{2})?)?")
_OPERATORS = ("OR", "AND", "NOT")


class QueryWord(NamedTuple):
    """A word, a beginning of one (``gaug*``), or a phrase whose words follow each other."""

    text: str
    kind: Literal["word", "beginning", "phrase"] = "word"


class QueryFilter(NamedTuple):
    """A choice of documents: ``source:handbook``; ``excluded`` for ``-source:handbook``."""

    field: str
    value: str
    excluded: bool = False


@dataclass(frozen=True, slots=True)
class QueryClause:
    """Words of which any will do: one, or several with OR between them. Without ``required`` it may be missing.

    What is ``quoted`` is required only where some document has it.
    """

    words: tuple[QueryWord, ...]
    required: bool = False
    quoted: bool = False


@dataclass(frozen=True, slots=True)
class SearchQuery:
    """A query as it was understood."""

    clauses: tuple[QueryClause, ...] = ()
    excluded: tuple[QueryWord, ...] = ()
    filters: tuple[QueryFilter, ...] = ()

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to look for and nothing to choose by."""
        return not (self.clauses or self.filters)

    def without_quotes(self) -> SearchQuery | None:
        """Return the query with what it quotes as words that may be missing, for when no document has all of that.

        None where nothing is quoted, or nothing else could be found.
        """
        quoted = [clause for clause in self.clauses if clause.quoted]
        if not quoted or len(quoted) == len(self.clauses):
            return None
        clauses: list[QueryClause] = []
        for clause in self.clauses:
            if not clause.quoted:
                clauses.append(clause)
                continue
            tokens = tokens_of(clause.words[0].text)
            clauses += [QueryClause((QueryWord(token),)) for token in tokens if is_word(token)]
        return replace(self, clauses=tuple(clauses))


class _Piece(NamedTuple):
    sign: str
    field: str
    is_quoted: bool
    text: str
    written: str


def parse_query(text: str) -> SearchQuery:
    """Return what a query means. Never fails: what is no syntax is words.

    ``rain gauge``: any of the words, the more the better. ``"rain gauge"``: one after the other, and required.
    ``gaug*``: words that begin so. ``-word``, ``NOT word``: what must not occur. ``+word``, ``a AND b``: what must.
    ``a OR b``: alternatives. ``source:``, ``collection:``, ``type:``, ``path:``, ``title:``, ``after:``, ``before:``.
    """
    clauses: list[QueryClause] = []
    excluded: list[QueryWord] = []
    filters: list[QueryFilter] = []
    operator = ""
    whole_characters = GERSHAYIM_TYPED.sub("״", text.encode("utf-8", "ignore").decode())
    for piece in _pieces(whole_characters):
        # OR and AND join what is on both sides of them; without a left side they are words.
        if piece.written in _OPERATORS and operator != piece.written and (piece.written == "NOT" or clauses):
            operator = piece.written
            continue
        query_filter = _filter_of(piece)
        if query_filter is not None:
            filters.append(query_filter)
            operator = ""
            continue
        words = _words_of(piece)
        if not words:
            continue
        if piece.sign == "-" or operator == "NOT":
            excluded += words
        elif operator == "OR" and clauses:
            last = clauses.pop()
            clauses.append(QueryClause((*last.words, *words)[:MAX_WORDS]))
        else:
            is_required = piece.sign == "+" or operator == "AND" or piece.is_quoted
            if operator == "AND":
                clauses.append(QueryClause(clauses.pop().words, required=True))
            quoted = piece.is_quoted and piece.sign != "+" and operator != "AND"
            clauses += [QueryClause((word,), required=is_required, quoted=quoted) for word in words]
        operator = ""
    return SearchQuery(tuple(clauses[:MAX_WORDS]), tuple(excluded[:MAX_WORDS]), tuple(filters[:MAX_WORDS]))


def query_filters(**values: str | None) -> tuple[QueryFilter, ...]:
    """Return the filters for values given by name; raises `UsageError` for what is no day."""
    for name in ("after", "before"):
        value = values.get(name)
        if value is not None and not _is_day(value):
            raise UsageError(f"--{name} is no day: '{safe_display(value)}'", hint="e.g. 2026, 2026-11 or 2026-11-29")
    return tuple(QueryFilter(name, value) for name, value in values.items() if value)


def _is_day(text: str) -> bool:
    """Return whether a text is a year, a month or a day that there is."""
    if not _DAY.fullmatch(text):
        return False
    try:
        date.fromisoformat(f"{text}-01-01"[: len("2026-01-01")])
    except ValueError:
        return False
    return True


def _pieces(text: str) -> list[_Piece]:
    found = []
    for match in _PIECE.finditer(text):
        sign, field, quoted, bare = match.groups()
        found.append(_Piece(sign, (field or "").lower(), quoted is not None, quoted or bare or "", match[0]))
    return found


def _filter_of(piece: _Piece) -> QueryFilter | None:
    """Return the filter that a piece is, None where it is words: another field, or no day."""
    if piece.field not in FIELDS or not piece.text.strip():
        return None
    if piece.field in {"after", "before"} and not _is_day(piece.text):
        return None
    return QueryFilter(piece.field, piece.text, excluded=piece.sign == "-")


def _words_of(piece: _Piece) -> list[QueryWord]:
    prefix = f"{piece.field}:" if piece.field else ""
    tokens = tokens_of(prefix + piece.text)
    if not any(map(is_word, tokens)):
        return []
    if piece.is_quoted:
        return [QueryWord(prefix + piece.text, "phrase" if len(tokens) > 1 else "word")]
    words = [QueryWord(token) for token in tokens if is_word(token)]
    if piece.text.endswith("*"):
        words[-1] = QueryWord(words[-1].text, "beginning")
    return words
