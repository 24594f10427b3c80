"""What a query looks for in analysed text: terms and forms, and where a text has them. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, islice, repeat
from typing import NamedTuple, TypeVar

from ingest_tui.model.analysis import (
    DEFAULT_LANGUAGE,
    Occurrence,
    WrittenToken,
    analyse_token,
    asked_parts,
    occurrences,
    terms_function,
    words_beginning_otherwise,
)
from ingest_tui.model.search_query import MAX_WORDS, QueryWord, SearchQuery
from ingest_tui.model.tokens import fold, is_paired, tokens_of

_Value = TypeVar("_Value")


@dataclass(frozen=True, slots=True)
class SearchTerm:
    """One thing to look for: any of the ``sequences`` of terms, one after the other, or any of the ``forms``.

    There is a sequence for each language that a word may be of. ``label`` is how it was typed. Finding it satisfies
    the clause of the query that has the number ``clause``; not so a ``part`` of an identifier, which only adds weight.
    Where it ``is_beginning``, the last term of each sequence is the beginning of a word.
    """

    label: str
    sequences: tuple[tuple[str, ...], ...]
    forms: tuple[str, ...] = ()
    clause: int = 0
    part: bool = False
    is_beginning: bool = False

    @property
    def is_phrase(self) -> bool:
        """Whether several terms have to follow each other."""
        return any(len(sequence) > 1 for sequence in self.sequences)


class Match(NamedTuple):
    """Where a term is found: offsets in the text, its position among the terms, and whether it is written so."""

    start: int
    end: int
    position: int
    is_exact: bool


class FoundTerms(NamedTuple):
    """The words of a text by term and by form, and how many terms it has."""

    by_term: dict[str, list[Occurrence]]
    by_form: dict[str, list[Occurrence]]
    length: int


class TermFinder:
    """Finds the terms of one query in texts. What it learns about a token holds for all texts of a language."""

    def __init__(self, terms: Iterable[SearchTerm]) -> None:
        terms = list(terms)
        self._beginnings = tuple(sequence[-1] for term in terms if term.is_beginning for sequence in term.sequences)
        self._wanted = frozenset(one for term in terms for found in (*term.sequences, term.forms) for one in found)
        self._first_letters = frozenset(one[:2] for one in (*self._wanted, *self._beginnings))
        self._languages: dict[str, _KnownTokens] = {}

    def find(self, text: str, language: str) -> FoundTerms:
        """Return the terms of the query that a text has, and how many terms it has in all."""
        known = self._languages.setdefault(language, _KnownTokens({}, {}))
        tokens = tokens_of(text)
        distinct = set(tokens)
        # One after the other: a difference from several goes through all that those know.
        new = distinct.difference(known.wanted).difference(known.unwanted)
        known.unwanted.update(dict.fromkeys(words_beginning_otherwise(new, self._first_letters, language), 1))
        terms_of = terms_function(language)
        for token in new.difference(known.unwanted):
            terms, count = terms_of(token)
            (known.wanted if self._is_wanted(terms) else known.unwanted)[token] = count
        by_term: dict[str, list[Occurrence]] = defaultdict(list)
        by_form: dict[str, list[Occurrence]] = defaultdict(list)
        length = sum(map(known.unwanted.get, tokens, repeat(0)))
        if distinct.isdisjoint(known.wanted):
            return FoundTerms(by_term, by_form, length)
        length += sum(map(known.wanted.get, tokens, repeat(0)))
        for occurrence in occurrences(text, language, known.unwanted):
            if occurrence.term:
                by_term[occurrence.term].append(occurrence)
            for form in occurrence.forms:
                by_form[form].append(occurrence)
        return FoundTerms(by_term, by_form, length)

    def _is_wanted(self, terms: frozenset[str]) -> bool:
        if not self._wanted.isdisjoint(terms):
            return True
        return bool(self._beginnings) and any(term.startswith(self._beginnings) for term in terms)


class _KnownTokens(NamedTuple):
    """The tokens that were seen, with the number of their terms: those that are looked for, and the others."""

    wanted: dict[str, int]
    unwanted: dict[str, int]


def matches_of(term: SearchTerm, found: FoundTerms) -> list[Match]:
    """Return where a term is found in a text, in its order."""
    if term.is_beginning and not term.is_phrase:
        matches = _matches_of_beginning(term.sequences[0][0], found)
    else:
        matches = [match for sequence in term.sequences for match in _matches_of_sequence(term, sequence, found)]
        for form in term.forms:
            matches += [_match(term, one) for one in _places(form, found)]
    if len(matches) < 2:  # noqa: PLR2004
        return matches
    by_place = {(match.start, match.end): match for match in sorted(matches, key=lambda match: match.is_exact)}
    return sorted(by_place.values())


def _matches_of_beginning(beginning: str, found: FoundTerms) -> list[Match]:
    """Return where words begin so: the words, but of scripts without spaces only the characters that are asked for."""
    asked = len(beginning) if is_paired(beginning) else 0
    matches = []
    for words in (found.by_term, found.by_form):
        for word, places in words.items():
            if word.startswith(beginning):
                for one in places:
                    is_as_written = one.end - one.start == len(word)
                    end = one.start + asked if asked and is_as_written else one.end
                    matches.append(Match(one.start, end, one.position, is_exact=True))
    return matches


def _matches_of_sequence(term: SearchTerm, sequence: tuple[str, ...], found: FoundTerms) -> list[Match]:
    if len(sequence) == 1:
        return [_match(term, one) for one in _places(sequence[0], found)]
    first = found.by_term.get(sequence[0])
    if not first:
        return []
    following = [{one.position: one for one in found.by_term.get(word, ())} for word in sequence[1:-1]]
    following.append({one.position: one for one in _last_places(term, sequence[-1], found)})
    matches = []
    for one in first:
        last: Occurrence | None = one
        for distance, places in enumerate(following, 1):
            last = places.get(one.position + distance)
            if last is None:
                break
        if last is not None:
            matches.append(Match(one.start, last.end, one.position, is_exact=True))
    return matches


def _places(word: str, found: FoundTerms) -> Iterator[Occurrence]:
    """Yield where a word is, as a term or as a form: E-Mail has the form that is the term of Email."""
    return chain(found.by_term.get(word, ()), found.by_form.get(word, ()))


def _last_places(term: SearchTerm, word: str, found: FoundTerms) -> Iterator[Occurrence]:
    """Yield where the last term of a sequence is: of a beginning only the part that is asked for."""
    if not term.is_beginning:
        yield from found.by_term.get(word, ())
        return
    for longer, places in found.by_term.items():
        if longer.startswith(word):
            for one in places:
                is_as_written = one.end - one.start == len(longer)
                yield one._replace(end=one.start + len(word)) if is_as_written else one


def _match(term: SearchTerm, one: Occurrence) -> Match:
    return Match(one.start, one.end, one.position, is_exact=one.forms == term.forms)


def search_terms(query: SearchQuery, languages: Iterable[str]) -> list[SearchTerm]:
    """Return what a query looks for in documents of the given languages, in the order of its words."""
    languages = sorted(languages) or [DEFAULT_LANGUAGE]
    found: list[SearchTerm] = []
    for number, clause in enumerate(query.clauses):
        for word in clause.words:
            found += _terms_of(word, number, languages)
    return found


def excluded_terms(query: SearchQuery, languages: Iterable[str]) -> list[SearchTerm]:
    """Return what must not occur. Of an identifier only the whole counts."""
    languages = sorted(languages) or [DEFAULT_LANGUAGE]
    return [term for word in query.excluded for term in _terms_of(word, 0, languages) if not term.part]


def _terms_of(word: QueryWord, clause: int, languages: Sequence[str]) -> list[SearchTerm]:
    written = tokens_of(word.text)
    by_language = [[analyse_token(one, language) for one in written] for language in languages]
    if character := _single_character(by_language[0]):
        return [SearchTerm(word.text, ((character,),), (), clause, is_beginning=True)]
    if word.kind == "phrase":
        return [_whole(word.text, by_language, (), clause)]
    if word.kind == "beginning":
        return [_beginning(word.text, by_language, clause)]
    if all(len(asked_parts(token)) == 1 for tokens in by_language for token in tokens):
        forms = [form for tokens in by_language for token in tokens for form in _all_forms(token)]
        return [SearchTerm(word.text, _sequences(by_language), _unique(forms), clause)]
    whole_forms = _unique(form for tokens in by_language for token in tokens for form in token.whole)
    return [*_parts(by_language, clause), _whole(word.text, by_language, whole_forms, clause)]


def _whole(label: str, by_language: list[list[WrittenToken]], forms: tuple[str, ...], clause: int) -> SearchTerm:
    """Return the term for words that follow each other: A股 is also where more follows, as a phrase and a beginning."""
    sequences = _sequences(by_language)
    is_beginning = any(_is_character(sequence[-1]) for sequence in sequences)
    return SearchTerm(label, sequences, forms, clause, is_beginning=is_beginning)


def _is_character(term: str) -> bool:
    """Whether a term is one character of a script without spaces, which texts have as the first of a pair."""
    return len(term) == 1 and is_paired(term)


def _parts(by_language: list[list[WrittenToken]], clause: int) -> list[SearchTerm]:
    parts_by_language = [[part for token in tokens for part in asked_parts(token)] for tokens in by_language]
    return [
        SearchTerm(
            same[0].written or same[0].term,
            _unique((part.term,) for part in same),
            _unique(form for part in same for form in part.forms),
            clause,
            part=True,
            is_beginning=_is_character(same[0].term),
        )
        for same in islice(zip(*parts_by_language, strict=True), MAX_WORDS)
    ]


def _single_character(tokens: list[WrittenToken]) -> str:
    """Return what is asked for where that is one character of a script without spaces; else nothing.

    Texts have it as the first of a pair, but at their end: it is looked for as a beginning.
    """
    parts = [part.term for token in tokens for part in token.parts]
    return parts[0] if len(parts) == 1 and _is_character(parts[0]) else ""


def _beginning(text: str, by_language: list[list[WrittenToken]], clause: int) -> SearchTerm:
    """Return the term for words that begin so. Characters of scripts without spaces are a phrase as ever."""
    sequences = _sequences(by_language)
    folded = fold(text)
    if len(sequences[0]) == 1 or not any(len(token.parts) > 1 for tokens in by_language for token in tokens):
        return SearchTerm(f"{text}*", ((folded,),), (), clause, is_beginning=True)
    return _whole(text, by_language, (folded,), clause)


def _sequences(by_language: list[list[WrittenToken]]) -> tuple[tuple[str, ...], ...]:
    found = (_sequence([part.term for token in tokens for part in token.parts]) for tokens in by_language)
    return _unique(sequence[:MAX_WORDS] for sequence in found if sequence)


def _sequence(terms: list[str]) -> tuple[str, ...]:
    """Return terms that follow each other, without the last one where it is half of the pair before it.

    A text may go on there. Within what is asked for each run of characters ends as it does in the text.
    """
    *_, last_but_one, last = ("", "", *terms)
    is_half_of_pair = len(last_but_one) == 2 and last == last_but_one[1] and is_paired(last)  # noqa: PLR2004
    return tuple(terms[:-1] if is_half_of_pair else terms)


def _all_forms(token: WrittenToken) -> tuple[str, ...]:
    return (*token.whole, *(form for part in token.parts for form in part.forms))


def _unique(values: Iterable[_Value]) -> tuple[_Value, ...]:
    return tuple(dict.fromkeys(values))
