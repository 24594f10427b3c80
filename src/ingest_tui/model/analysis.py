"""Text to the terms by which it is found: one analyser for documents and for queries. Pure.

A *token* is what a person sees as one word or identifier. Its *terms* are what the index holds in the order of the
text: folded (no case, no accents, compatibility forms resolved) and stemmed, the parts of an identifier one by one,
scripts without spaces between words as overlapping pairs of characters. Its *forms* are what it is besides: the word
unstemmed, with its accents, the identifier as a whole. A query word finds both, so that exact forms rank higher.
"""

from __future__ import annotations

import functools
import re
import sys
import threading
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import chain
from typing import Final, NamedTuple, Protocol

from ingest_tui.model.tokens import (
    ANY_MARK,
    as_written,
    fold,
    is_paired,
    paired_and_others,
    patterns_for,
    token_pattern,
    tokens_of,
)

MAX_TERM_CHARACTERS: Final = 64
"""Longer terms are cut, in documents and queries alike."""
FORM_SIGNS: Final = "_.-@+#"
"""Signs that may be part of a form; no other ASCII sign is in what `analyse` returns."""

_CACHED_TOKENS = 40_000
_NOTHING: Final[Mapping[str, int]] = {}
_CACHED_CHARACTERS = 40
_AROUND_WORDS = '.,;:!?()"'
"""Signs next to a word that are not part of it, nor end another token there."""

_ESCAPE = re.compile(r"\\(?=[^\w\s])|\\(?=_)")
_CAMEL = re.compile(r"[A-Z]+(?=[A-Z][a-z])|[A-Z]?[a-z]+|[A-Z]+|[0-9]+")
_IS_CAMEL = re.compile(r"[a-z][0-9]*[A-Z]|[A-Z]{2}[a-z](?!\b)")
_PLURAL_OF_CAPITALS = re.compile(r"[A-Z]{2,}s")
_NUMBER = re.compile(r"([0-9]+)\.([0-9]+)|[0-9]+")
_DOTTED_NUMBER = re.compile(r"[0-9]+(?:\.[0-9]+)+")
_ALSO_WRITTEN = str.maketrans({"ة": "ه", "ى": "ي"})
"""Endings of Arabic that are often written without their dots; a stemmer has to see them."""
_OTHER_SIGNS = "".join(sign for sign in map(chr, range(128)) if not (sign.isalnum() or sign in f"_{FORM_SIGNS}"))
_NO_FORM_SIGN = re.compile(f"[{re.escape(_OTHER_SIGNS)}]+")

_STEMMERS: Final = {
    "ar": "arabic", "ca": "catalan", "cs": "czech", "da": "danish", "de": "german", "el": "greek", "en": "english",
    "eo": "esperanto", "es": "spanish", "et": "estonian", "eu": "basque", "fa": "persian", "fi": "finnish",
    "fr": "french", "ga": "irish", "hi": "hindi", "hu": "hungarian", "hy": "armenian", "id": "indonesian",
    "it": "italian", "lt": "lithuanian", "ne": "nepali", "nl": "dutch", "no": "norwegian", "pl": "polish",
    "pt": "portuguese", "ro": "romanian", "ru": "russian", "sr": "serbian", "sv": "swedish", "ta": "tamil",
    "tr": "turkish", "yi": "yiddish",
}  # fmt: skip
KEEPS_FIRST_LETTER: Final = frozenset({"da", "de", "en", "es", "fi", "fr", "it", "no", "pt", "ro", "sv"})
"""Languages whose stemmers take nothing from the beginning of a word."""
KEEPS_TWO_LETTERS: Final = frozenset({"en"})
"""Those whose stemmers take nothing from the first two letters either, but of a y: ``dying`` is ``die``."""
_SAME_STEMMER: Final = {"nb": "no", "nn": "no"}
DEFAULT_LANGUAGE: Final = "en"


class AnalysedText(NamedTuple):
    """What the index holds of a text, each separated by spaces: its terms in order, and its other forms, each once."""

    terms: str
    forms: str


class TokenPart(NamedTuple):
    """A part of a token: its term, its other forms, and how it is written there (empty where that is not known)."""

    term: str
    forms: tuple[str, ...]
    written: str


class WrittenToken(NamedTuple):
    """A token analysed: its parts in order, and the forms of the whole where it has several."""

    parts: tuple[TokenPart, ...]
    whole: tuple[str, ...]


_AnalysedWord = tuple[str, tuple[str, ...]]
"""The terms of a word, separated by spaces and empty for signs, and its other forms."""


class Occurrence(NamedTuple):
    """Where a term is in a text; ``term`` is empty for an identifier as a whole. ``position`` counts terms."""

    term: str
    forms: tuple[str, ...]
    start: int
    end: int
    position: int


@functools.lru_cache(maxsize=1024)
def stemming_language(language: str | None) -> str:
    """Return the language by whose rules words are stemmed: ``language`` (``de``, ``de-AT``), or English."""
    code = (language or "").replace("_", "-").partition("-")[0].lower()
    code = _SAME_STEMMER.get(code, code)
    return code if code in _STEMMERS else DEFAULT_LANGUAGE


def analyse(text: str, language: str | None = None) -> AnalysedText:
    """Return what the index holds of a text in a language."""
    return _analyser(stemming_language(language)).analyse(text)


def analyse_token(token: str, language: str | None = None) -> WrittenToken:
    """Return the terms and forms of one token, see `tokens_of`."""
    return _analyser(stemming_language(language)).token(token)


def asked_parts(token: WrittenToken) -> list[TokenPart]:
    """Return the parts of a token that a query asks for.

    Of a script without spaces the last character begins a term of its own, so that it is found by itself; in a query
    the pairs before it are enough.
    """
    parts = list(token.parts)
    ends = [number for number, part in enumerate(parts) if len(part.term) == 1 and is_paired(part.term)]
    dropped = {number for number in ends if number and is_paired(parts[number - 1].term)}
    return [part for number, part in enumerate(parts) if number not in dropped]


def occurrences(
    text: str, language: str | None = None, passed_over: Mapping[str, int] = _NOTHING
) -> Iterator[Occurrence]:
    """Yield the terms of a text with their offsets in it.

    Not of the tokens that are ``passed_over``: only how many terms these have is counted.
    """
    token_of = _analyser(stemming_language(language)).token
    position = 0
    for match in token_pattern(text).finditer(text):
        terms = passed_over.get(match[0])
        if terms is not None:
            position += terms
            continue
        token = token_of(match[0])
        if token.whole:
            yield Occurrence("", token.whole, match.start(), match.end(), position)
        if len(token.parts) == 1:
            part = token.parts[0]
            yield Occurrence(part.term, part.forms, match.start(), match.end(), position)
            position += 1
            continue
        spans = _spans(match[0], token)
        for (start, end), part in zip(spans, token.parts, strict=True):
            yield Occurrence(part.term, part.forms, match.start() + start, match.start() + end, position)
            position += 1


def terms_of(token: str, language: str | None = None) -> tuple[frozenset[str], int]:
    """Return all terms and forms of a token, and how many terms it has."""
    return terms_function(language)(token)


def terms_function(language: str | None) -> Callable[[str], tuple[frozenset[str], int]]:
    """Return `terms_of` for tokens of one language, for who asks for thousands of them."""
    return _analyser(stemming_language(language)).terms_of


def words_beginning_otherwise(tokens: Iterable[str], beginnings: frozenset[str], language: str) -> list[str]:
    """Return those of some tokens that are one term each, which has none of the beginnings, nor have its forms.

    ``beginnings``: the first two letters of what is looked for, or the one of what has only that. A search looks at
    thousands of words and wants few of them: most need not be stemmed to see that.
    """
    language = stemming_language(language)
    if language not in KEEPS_FIRST_LETTER:
        return []
    if language in KEEPS_TWO_LETTERS:
        otherwise = [
            token for token in tokens if token[:2].lower() not in beginnings and token[0].lower() not in beginnings
        ]
        return [t for t in otherwise if t.isascii() and t.isalpha() and t[1:].islower() and t[1] != "y"]
    first_letters = {one[:1] for one in beginnings}
    otherwise = [token for token in tokens if token[0].lower() not in first_letters]
    return [token for token in otherwise if token.isascii() and token.isalpha() and token[1:].islower()]


def _spans(written: str, token: WrittenToken) -> Iterator[tuple[int, int]]:
    """Yield where in a token its parts are; the whole of it where that cannot be seen."""
    after = 0
    for part in token.parts:
        found = written.find(part.written, after) if part.written else -1
        if len(token.parts) == 1 or found < 0:
            yield 0, len(written)
        else:
            yield found, found + len(part.written)
            after = found + (1 if is_paired(part.written) else len(part.written))


@functools.cache
def _analyser(language: str) -> _Analyser:
    return _Analyser(_stemmer(language))


def _stemmer(language: str) -> _Stemmer:
    import Stemmer

    stemmer: _Stemmer = Stemmer.Stemmer(_STEMMERS[language], 0)  # what was analysed is kept here, not there
    return stemmer


class _Stemmer(Protocol):
    """Takes the endings off folded words."""

    def stemWord(self, word: str) -> str:  # noqa: N802 the name is the library's
        """Return the stem of a word."""


class _Analyser:
    """Analyses by the rules of one language, and keeps what it has made of the words that come again and again.

    No token goes over white space, so a text is looked up by what is between white space, signs around words included:
    that is what a text is cut into fastest.
    """

    def __init__(self, stemmer: _Stemmer) -> None:
        self._stem = stemmer.stemWord
        self._words = _AnalysedWords(self)
        self._lock = threading.Lock()
        self.terms_of = functools.lru_cache(maxsize=_CACHED_TOKENS)(self._terms_of)
        self.token = functools.lru_cache(maxsize=_CACHED_TOKENS)(self._token)

    def analyse(self, text: str) -> AnalysedText:
        words = text.split()
        if not words:  # the headings above most chunks
            return AnalysedText("", "")
        with self._lock:
            if len(self._words) > _CACHED_TOKENS:
                self._words.clear()
            analysed = list(map(self._words.__getitem__, words))
        terms = [terms for terms, _ in analysed if terms]
        forms = dict.fromkeys([form for _, forms in analysed for form in forms])
        return AnalysedText(" ".join(terms), " ".join(forms))

    def plain_word(self, folded: str) -> _AnalysedWord:
        """Return what a plain word is, in a third of the time that others take."""
        stem = sys.intern(self._stem(folded))
        return stem, () if stem == folded else (folded,)

    def other_token(self, written: str) -> _AnalysedWord:
        """Return the terms and forms of a token that may have parts."""
        token = self._token(written)
        forms = dict.fromkeys(chain(token.whole, *[part.forms for part in token.parts]))
        return sys.intern(" ".join([part.term for part in token.parts])), tuple(forms)

    def _terms_of(self, written: str) -> tuple[frozenset[str], int]:
        """Return the terms and forms of a token, and how many terms it has."""
        token = self._token(written)
        forms = (form for part in token.parts for form in part.forms)
        return frozenset((*(part.term for part in token.parts), *forms, *token.whole)), len(token.parts)

    def _token(self, written: str) -> WrittenToken:
        if not written.isascii():
            written = as_written(written)
        if _is_plain_word(written):
            return WrittenToken((self._part(written),), ())
        written = _ESCAPE.sub("", written)
        pieces, joined = _pieces(written)
        if _PLURAL_OF_CAPITALS.fullmatch(joined):
            folded = fold(joined)[:MAX_TERM_CHARACTERS]
            return WrittenToken((TokenPart(folded.removesuffix("s"), (folded,), joined),), ())
        every_part = (self._part(part) for piece in pieces for part in _parts(piece))
        parts = tuple(part for part in every_part if part.term)
        return WrittenToken(parts, _whole_forms(joined, pieces, parts))

    def _part(self, written: str) -> TokenPart:
        folded = fold(written)
        if is_paired(folded):
            return TokenPart(folded, (), written)
        folded = folded[:MAX_TERM_CHARACTERS]
        if written.isascii():
            term = self._stem(folded) if folded.isalpha() else folded
            return TokenPart(term, (folded,) if folded != term else (), written)
        exact = unicodedata.normalize("NFKC", written).casefold()[:MAX_TERM_CHARACTERS]
        term = self._stem(folded) if folded.isalpha() or not folded.isascii() else folded
        forms = dict.fromkeys((folded, exact, folded.translate(_ALSO_WRITTEN)))
        return TokenPart(term, tuple(form for form in forms if form != term), written)


class _AnalysedWords(dict[str, _AnalysedWord]):
    """By word as it is written between white space: what it is. Numbers and long words are not kept."""

    def __init__(self, analyser: _Analyser) -> None:
        super().__init__()
        self._analyser = analyser

    def __missing__(self, word: str) -> _AnalysedWord:
        if len(word) > _CACHED_CHARACTERS:
            return self._by_tokens(word)
        bare = word.strip(_AROUND_WORDS)
        if _is_plain_word(bare):
            analysed = self._analyser.plain_word(bare.lower())
        elif number := _NUMBER.fullmatch(bare):
            return bare, _forms_of_number(number)  # few of them come again
        else:
            analysed = self._by_tokens(word)
        self[word] = analysed
        return analysed

    def _by_tokens(self, word: str) -> _AnalysedWord:
        tokens = tokens_of(word)
        if tokens == [word]:
            number = _NUMBER.fullmatch(word)
            return (word, _forms_of_number(number)) if number else self._analyser.other_token(word)
        analysed = [self[token] for token in tokens]
        forms = dict.fromkeys(chain.from_iterable(forms for _, forms in analysed))
        return " ".join(filter(None, (terms for terms, _ in analysed))), tuple(forms)


def _forms_of_number(number: re.Match[str]) -> tuple[str, ...]:
    """Return the parts of a decimal number, each once; a whole number has none."""
    whole, fraction = number.groups()
    if fraction is None:
        return ()
    return (whole, fraction) if whole != fraction else (whole,)


def _is_plain_word(written: str) -> bool:
    """Whether a token is nothing but a word of ASCII letters, without capitals that begin another one."""
    return written.isascii() and written.isalpha() and (written.islower() or written.istitle() or written.isupper())


def _is_camel(written: str) -> bool:
    return _IS_CAMEL.search(written) is not None and _PLURAL_OF_CAPITALS.fullmatch(written) is None


def _pieces(written: str) -> tuple[list[str], str]:
    """Return what a token is made of, and the token without marks of markdown.

    Marks in the middle of a word are taken out of it. One star may be a sign of arithmetic: what is around it is found
    by itself, and together as a form.
    """
    marks = ANY_MARK.findall(written)
    joined = ANY_MARK.sub("", written) if marks else written
    apart = ANY_MARK.sub(" ", written) if marks == ["*"] else joined
    return [piece for piece in patterns_for(apart).between_parts.split(apart) if piece], joined


def _parts(piece: str) -> Iterator[str]:
    """Yield the parts of a piece: words in camel case one by one, pairs of characters where there are no spaces."""
    for run in paired_and_others(piece) if not piece.isascii() else (piece,):
        if is_paired(run):
            yield from (run[at : at + 2] for at in range(len(run)))
        elif run.isascii() and run != run.lower() and _is_camel(run):
            yield from _CAMEL.findall(run)
        else:
            yield run


def _whole_forms(joined: str, pieces: list[str], parts: tuple[TokenPart, ...]) -> tuple[str, ...]:
    """Return the forms of a token that are not those of its parts."""
    forms: dict[str, None] = {}
    for form in dict.fromkeys((joined, *pieces)):
        folded = _NO_FORM_SIGN.sub("", fold(form))
        if len(folded) <= MAX_TERM_CHARACTERS and folded.strip(FORM_SIGNS) and not is_paired(folded):
            forms[folded] = None
            forms[folded.strip("_")] = None
            if "-" in folded and (closed := folded.replace("-", "")).isalpha():
                forms[closed] = None
        if _DOTTED_NUMBER.fullmatch(form):
            forms.update(dict.fromkeys(form.split(".")))
    known = {"", *chain.from_iterable((part.term, *part.forms) for part in parts)}
    return tuple(form for form in forms if form not in known)
