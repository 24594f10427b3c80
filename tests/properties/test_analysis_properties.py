"""The analyser with whatever texts there are."""

from __future__ import annotations

import re
import sys
import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest_tui.model import analysis
from ingest_tui.model import language as language_module
from ingest_tui.model import tokens as tokens_module
from ingest_tui.model.analysis import (
    FORM_SIGNS,
    KEEPS_FIRST_LETTER,
    KEEPS_TWO_LETTERS,
    MAX_TERM_CHARACTERS,
    analyse,
    analyse_token,
    occurrences,
    stemming_language,
    terms_of,
    words_beginning_otherwise,
)
from ingest_tui.model.language import detect_language
from ingest_tui.model.search_query import parse_query
from ingest_tui.model.search_terms import TermFinder, search_terms
from ingest_tui.model.tokens import token_pattern, tokens_of

LANGUAGES = st.sampled_from([None, "en", "de", "ru", "el", "ar", "zh", "tr"])
LETTERS = st.characters(categories=["L", "N", "M"])
SIGNS = st.sampled_from([*"_-.'*`~<>/\\@+# \n", "**", "\u00ad", "\u200b", "\u0301", "<sub>", "ﬁ", "快", "ก", "é", "ß"])
TEXTS = st.text(max_size=60) | st.lists(st.sampled_from("abcXYZ019") | LETTERS | SIGNS, max_size=40).map("".join)


WORDS = st.from_regex(
    r"[A-Za-z]{1,12}|[A-Z]{2,5}s?|[a-z]+[A-Z][a-z]*|[0-9a-z]{1,6}|[0-9]{1,3}(\.[0-9]{1,3}){0,3}", fullmatch=True
)
ALMOST_ALIKE = st.sampled_from(
    ["a", "I", "iPhone", "iphone", "IPHONE", "PDFs", "pdfs", "TIES", "ties", "1ties", "1.2.3"]
)
PLAIN_TEXTS = st.lists(WORDS | ALMOST_ALIKE, max_size=8).map(" ".join)


def analysed_without_short_cuts(text: str, language: str | None) -> tuple[str, str]:
    """Return terms and forms of a text by what each of its tokens is, as if none were a plain word."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(analysis, "_is_plain_word", lambda _written: False)
        analyser = analysis._Analyser(analysis._stemmer(stemming_language(language)))
        tokens = [analyser.token(token) for token in tokens_of(text)]
    terms = " ".join(part.term for token in tokens for part in token.parts)
    forms: dict[str, None] = {}
    for token in tokens:
        forms.update(dict.fromkeys((*token.whole, *(form for part in token.parts for form in part.forms))))
    return terms, " ".join(forms)


@settings(max_examples=100, deadline=None)
@given(texts=st.lists(PLAIN_TEXTS | TEXTS, min_size=1, max_size=3), language=LANGUAGES)
def test_short_ways_change_nothing(texts: list[str], language: str | None) -> None:
    """What is kept of tokens that come again, and the short ways for plain words and numbers, change nothing."""
    for text in (*texts, *texts):
        assert analyse(text, language) == analysed_without_short_cuts(text, language)


def test_tokens_are_kept_and_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    """A text with more tokens than are kept, and longer ones than are kept, is analysed as any."""
    monkeypatch.setattr(analysis, "_CACHED_TOKENS", 3)
    long = "long" * 20
    text = f"Running dogs {long} ran parseResponse quickly {long} again"
    first = analyse(text, "en")
    assert first == analyse(text, "en")
    assert first.terms.split(" ")[:2] == ["run", "dog"]
    assert first.terms.split(" ").count(long[:MAX_TERM_CHARACTERS]) == 2


@settings(max_examples=150, deadline=None)
@given(text=TEXTS | st.text("abé_0*`~<b>/\\.-@'’ʼ\u2010+#\u0301 ", max_size=40))
def test_tokens_are_those_of_the_plain_pattern(text: str) -> None:
    """Looking first at what may follow a word finds the same."""
    found = token_pattern(text)
    plain = found.pattern.replace(tokens_module._MAY_JOIN, "").replace("(?=[+#])", "")
    assert plain != found.pattern
    assert tokens_of(text) == re.findall(plain, text)


@settings(max_examples=150, deadline=None)
@given(text=TEXTS | st.text("abHtp:/s é_07.-\t\n\x1c", max_size=60).map("see http://a-b/c ".__add__))
def test_only_words_decide_the_language(text: str) -> None:
    """The short way for ASCII leaves the words that the pattern leaves, and counts the same letters."""
    left = language_module._without_signs(text).split()
    assert left == re.sub(r"https?://\S+|[^\s\w]|[\d_]+", " ", text).split()
    prose = " ".join(left)
    assert language_module._count_letters(prose) == sum(letter.isalpha() for letter in prose)


@pytest.mark.slow
@settings(max_examples=400, deadline=None)
@given(text=TEXTS, language=LANGUAGES)
def test_terms_are_what_the_index_can_hold(text: str, language: str | None) -> None:
    """Terms and forms are short, never empty, and have no sign at which the index would cut them."""
    analysed = analyse(text, language)
    for term in (*analysed.terms.split(" "), *analysed.forms.split(" ")):
        assert len(term) <= MAX_TERM_CHARACTERS
        assert all(sign.isalnum() or sign in FORM_SIGNS or not sign.isascii() for sign in term)
        assert not any(sign.isspace() for sign in term)


@pytest.mark.slow
@settings(max_examples=400, deadline=None)
@given(text=TEXTS, language=LANGUAGES)
def test_occurrences_are_the_terms_in_order(text: str, language: str | None) -> None:
    """What is indexed of a text and what is marked in it are the same terms, at places within the text."""
    found = list(occurrences(text, language))
    assert " ".join(item.term for item in found if item.term) == analyse(text, language).terms
    assert {form for item in found for form in item.forms} == set(analyse(text, language).forms.split())
    assert all(0 <= item.start < item.end <= len(text) for item in found)


@settings(max_examples=300, deadline=None)
@given(text=st.text(LETTERS | st.sampled_from("aäßéöñçα"), max_size=30), language=LANGUAGES)
def test_normal_forms_are_the_same(text: str, language: str | None) -> None:
    """A text is found by the same terms whichever normal form it has."""
    composed, apart = (unicodedata.normalize(form, text) for form in ("NFC", "NFD"))
    assert analyse(composed, language).terms == analyse(apart, language).terms


@settings(max_examples=300, deadline=None)
@given(text=TEXTS, language=LANGUAGES)
def test_a_token_alone_is_found_as_in_its_text(text: str, language: str | None) -> None:
    """Each token of a text, asked for by itself, has the terms that the text has."""
    held = analyse(text, language).terms.split()
    for token in tokens_of(text):
        assert [part.term for part in analyse_token(token, language).parts] == [
            term for term in held if term in analyse(token, language).terms.split()
        ][: len(analyse_token(token, language).parts)] or set(analyse(token, language).terms.split()) <= set(held)


@settings(max_examples=200, deadline=None)
@given(text=st.text(max_size=300))
def test_detecting_a_language_never_fails(text: str) -> None:
    """Whatever the text, there is one answer or none, and always the same."""
    assert detect_language(text) == detect_language(text)


@pytest.mark.slow
def test_every_letter_is_the_same_in_both_normal_forms() -> None:
    """Each letter that has a decomposition, in whatever script and plane, is found however it is written."""
    differing = []
    for point in range(sys.maxunicode + 1):
        letter = chr(point)
        composed, apart = (unicodedata.normalize(form, letter) for form in ("NFC", "NFD"))
        if composed != apart and analyse(f"a{composed}b").terms != analyse(f"a{apart}b").terms:
            differing.append(hex(point))
    assert differing == []


@pytest.mark.slow
@settings(max_examples=400, deadline=None)
@given(
    token=st.from_regex(r"[A-Za-z][a-z]{1,12}", fullmatch=True), language=st.sampled_from(sorted(KEEPS_FIRST_LETTER))
)
def test_stemmers_keep_the_first_letter(token: str, language: str) -> None:
    """A word that is passed over for its first letter alone has no term or form that begins with another one."""
    terms, count = terms_of(token, language)
    assert {term[0] for term in terms} == {token[0].lower()}
    assert count == 1
    kept = language in KEEPS_TWO_LETTERS and token[1] == "y"
    assert words_beginning_otherwise([token], frozenset(), language) == ([] if kept else [token])
    assert words_beginning_otherwise([token], frozenset(token[0].lower()), language) == []


@settings(max_examples=400, deadline=None)
@given(
    token=st.from_regex(r"[A-Za-z][a-z]{1,12}", fullmatch=True)
    | st.sampled_from(["dying", "Lying", "skies", "ugly", "as", "eyes", "tied", "ied", "yes"]),
    language=st.sampled_from(sorted(KEEPS_TWO_LETTERS)),
)
def test_stemmers_keep_two_letters(token: str, language: str) -> None:
    """A word that is passed over for its first two letters has no term or form that begins with others."""
    beginnings = {one[:2] for one in terms_of(token, language)[0]}
    assert beginnings == {token[:2].lower()} or token[1] == "y"
    for one in beginnings:
        assert words_beginning_otherwise([token], frozenset({one}), language) == []
    passed_over = words_beginning_otherwise([token], frozenset({token[0].lower() + "-"}), language)
    assert passed_over == ([] if token[1] == "y" else [token])


@settings(max_examples=400, deadline=None)
@given(texts=st.lists(TEXTS, min_size=1, max_size=3), query=TEXTS | st.sampled_from(["fox*", "wörld", "foo-bar", "9*"]))
def test_a_finder_finds_what_is_in_a_text(texts: list[str], query: str) -> None:
    """What is found of a query is what an analysis of the whole text has, at the same places, and so is the length."""
    terms = search_terms(parse_query(query), ["en", "ar"])
    finder = TermFinder(terms)
    wanted = {one for term in terms for found in (*term.sequences, term.forms) for one in found}
    for text, language in ((text, language) for text in texts for language in ("en", "ar")):
        found = finder.find(text, language)
        every = list(occurrences(text, language))
        assert found.length == sum(1 for one in every if one.term)
        for word in wanted:
            assert found.by_term.get(word, []) == [one for one in every if one.term == word]
            assert found.by_form.get(word, []) == [one for one in every if word in one.forms]
