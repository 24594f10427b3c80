"""The analyser: what is found by what."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from ingest_tui.model import analysis
from ingest_tui.model.analysis import (
    MAX_TERM_CHARACTERS,
    analyse,
    analyse_token,
    asked_parts,
    occurrences,
    stemming_language,
)
from ingest_tui.model.tokens import fold, tokens_of


def is_found(query: str, text: str, language: str = "en") -> bool:
    """Whether all terms of a query, or its forms, are in what the index holds of a text."""
    held = set(" ".join(analyse(text, language)).split())
    asked = [part for token in tokens_of(query) for part in asked_parts(analyse_token(token, language))]
    forms = set(analyse(query, language).forms.split())
    return bool(asked) and ({part.term for part in asked} <= held or (bool(forms) and forms <= held))


@pytest.mark.parametrize(
    ("query", "text"),
    [
        ("worldwide", "**W**orldwide"),
        ("worldwide", "a `world`wide net"),
        ("unbelievable", "un*believ*able"),
        ("worldwide", "*w*orldwide"),
        ("H2O", "H<sub>2</sub>O"),
        ("2", "2*3"),
        ("finance", "ﬁnance"),
        ("Donaudampfschiff", "Donau\u00addampf\u00adschiff"),
        ("zerowidth", "zero\u200bwidth"),
        ("Zürich", "Zu\u0308rich"),
        ("Zu\u0308rich", "Zürich"),
        ("zurich", "Zürich"),
        ("resume", "résumé"),
        ("résumé", "resume"),
        ("strasse", "Straße"),
        ("Straße", "STRASSE"),
        ("abc", "ＡＢＣ"),
        ("αθηνα", "Αθήνα"),
        ("ΑΘΗΝΑΣ", "Αθήνας"),
        ("كتب", "كَتَبَ"),
        ("كتب", "كتـــب"),
        ("елка", "ёлка"),
        ("हिन्दी", "हिन्दी में"),
        ("हिंदी", "हिन्दी में"),
        ("हिन्दी", "हिंदी में"),
        ("कलम", "क़लम से"),
        ("चांद", "चाँद"),
        ("שלום", "שָׁלוֹם"),
        ("快乐", "祝你生日快乐"),
        ("教程", "快乐的教程很好"),
        ("防災訓練", "明日は防災訓練を行います"),
        ("サーバー", "ｻｰﾊﾞｰを再起動"),
        ("서울", "서울에서 만나요"),
        ("ครับ", "สวัสดีครับ"),
        ("ບາຍດີ", "ສະບາຍດີ"),
        ("ភាសា", "ភាសាខ្មែរ"),
        ("foo_bar-1.2", "see foo_bar-1.2."),
        ("foo", "see foo_bar-1.2."),
        ("bar", "see foo_bar-1.2."),
        ("1.2", "see foo_bar-1.2."),
        ("foo_bar", r"see foo\_bar"),
        ("response", "parseHTTPResponse"),
        ("parsehttpresponse", "parseHTTPResponse"),
        ("pdf", "two PDFs"),
        ("javascript", "JavaScript"),
        ("init", "__init__"),
        ("__init__", "__init__"),
        ("C++", "in C++, not C"),
        ("2024", "2024.01.15"),
        ("dont", "don't"),
        ("homme", "l’homme"),
        ("user@example.com", "mail user@example.com"),
        ("example", "https://www.example.com/a?b=c"),
        ("report", "report_2024.final.PDF"),
        ("running", "he runs"),
        ("kg", "5 ㎏"),
        ("ørsted", "Orsted"),
    ],
)
def test_found_by_what_a_person_sees(query: str, text: str) -> None:
    """Every word is found in any normal form, by itself and as a part of an identifier, and by its stem."""
    assert is_found(query, text)


@pytest.mark.parametrize(
    ("query", "text"),
    [("乐生", "快乐 生日"), ("cat", "concatenate"), ("йод", "иод"), ("23", "2 3"), ("ab", "a b"), ("कंया", "कन्या")],
)
def test_not_found_by_what_is_not_there(query: str, text: str) -> None:
    """What is apart stays apart, and letters that are no accents are kept."""
    assert not is_found(query, text, "ru" if "й" in query else "en")


def test_stems_by_the_rules_of_the_language() -> None:
    """Words are stemmed by their language; what has no stemmer is stemmed as English."""
    assert analyse("Prüfungen", "de").terms == analyse("Prüfung", "de-AT").terms
    assert analyse("Prüfungen", "en").terms != analyse("Prüfung", "en").terms
    assert [stemming_language(name) for name in ("nb", "pt_BR", "zh", "", None)] == ["no", "pt", "en", "en", "en"]


@pytest.mark.parametrize(
    "token",
    ["a", "I", "Words", "WORDS", "McDonald", "7", "007", "3.50", "5.5", "1.2.3", "10th", "C++", "Straße", "٣.٥"],
)
def test_short_cuts_for_plain_words_and_numbers_change_nothing(token: str) -> None:
    """What most tokens are is analysed in a shorter way, with the terms and forms of the long one."""
    parts, whole = analyse_token(token)
    forms = dict.fromkeys([*whole, *(form for part in parts for form in part.forms)])
    assert analyse(token) == (" ".join(part.term for part in parts), " ".join(forms))


@pytest.mark.parametrize("token", ["7", "3.50", "5.5", "words", "1.2.3", "x.5", "٣.٥"])
@pytest.mark.parametrize("written", ["{}.", "({})", '"{}!?"', "{},"])
def test_signs_around_words_and_numbers_change_nothing(token: str, written: str) -> None:
    """What is next to signs that are no part of it has the terms and forms that it has by itself."""
    assert analyse(written.format(token)) == analyse(token)


def test_forms_keep_what_terms_lose() -> None:
    """The forms distinguish exact words: with and without accents, stemmed or not, identifiers as a whole."""
    assert analyse("résumé").forms.split() == ["resume", "résumé"]
    assert analyse("resume").forms.split() == ["resume"]
    assert "c++" in analyse("C++").forms.split()
    assert "foo_bar-1.2" in analyse("foo_bar-1.2").forms.split()


def test_offsets_are_those_of_the_text() -> None:
    """Each term has its place in the text as it is written: parts their own, pairs of characters two."""
    text = "a **W**orldwide foo-bar 快乐教 parseResponse"
    places = [(item.term, text[item.start : item.end], item.position) for item in occurrences(text) if item.term]
    assert places == [
        ("a", "a", 0),
        ("worldwid", "W**orldwide", 1),
        ("foo", "foo", 2),
        ("bar", "bar", 3),
        ("快乐", "快乐", 4),
        ("乐教", "乐教", 5),
        ("教", "教", 6),
        ("pars", "parse", 7),
        ("respons", "Response", 8),
    ]
    assert [text[item.start : item.end] for item in occurrences(text) if "foo-bar" in item.forms] == ["foo-bar"]


def test_long_words_are_cut_alike() -> None:
    """A word of any length is a term that is cut, the same in a document and in a query."""
    assert analyse("a" * 100_000).terms == "a" * MAX_TERM_CHARACTERS
    assert is_found("x1" * 500, "x1" * 500)


def test_folding_changes_nothing_twice() -> None:
    """What is folded stays as it is."""
    for text in ("Straße", "ÅNGSTRÖM", "ﬁ", "İstanbul", "Йод", "ＡＢＣ"):
        assert fold(fold(text)) == fold(text)


def test_texts_are_analysed_in_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    """Threads share what is known of words, also while it is forgotten."""
    monkeypatch.setattr(analysis, "_CACHED_TOKENS", 3)
    texts = [f"Running {number} dogs, {number}.5 (cats) word{number} {'long' * 20}{number}" for number in range(40)]
    alone = [analyse(text, "en") for text in texts]
    with ThreadPoolExecutor(4) as threads:
        assert list(threads.map(lambda text: analyse(text, "en"), texts * 5)) == alone * 5
