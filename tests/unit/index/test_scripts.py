"""Words in the scripts and spellings of many languages: what a text has, and what is typed to find it."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from contextlib import closing
from typing import Literal

import pytest

from ingest_tui.model.analysis import stemming_language
from ingest_tui.store.catalogue.catalogue import Catalogue
from ingest_tui.store.catalogue.queries import search_text
from tests.unit.store.catalogue_rows import document, put

HEBREW = [
    ("he", "צה״ל הודיע", "צה״ל"),
    ("he", "צה״ל הודיע", 'צה"ל'),
    ("he", 'צה"ל הודיע', "צה״ל"),
    ("he", 'צה"ל הודיע', "צהל"),
    ("he", "צהל הודיע", 'צה"ל'),
    ("he", 'מנכ"לית החברה', "מנכ״לית"),
    ("he", "צ׳ק אחד", "צ'ק"),
    ("he", "צ'ק אחד", "צ׳ק"),
    ("he", "צ׳ק אחד", "צק"),
    ("he", "רח׳ הרצל", "רח'"),
    ("he", "שָׁלוֹם", "שלום"),
    ("he", "בית־ספר", "בית ספר"),
    ("he", "בית־ספר", "בית-ספר"),
    ("yi", "װאָס איז", "וואס"),
    ("yi", "ייִדיש", "יידיש"),
]
ARABIC = [
    ("ar", "كتـــاب", "كتاب"),
    ("ar", "أحمد", "احمد"),
    ("ar", "إسلام", "اسلام"),
    ("ar", "آخر", "اخر"),
    ("ar", "ٱلكتاب", "الكتاب"),
    ("ar", "احمد", "أحمد"),
    ("ar", "مدرسة", "مدرسه"),
    ("ar", "مدرسه", "مدرسة"),
    ("ar", "المدرسة", "المدرسه"),
    ("ar", "مستشفى", "مستشفي"),
    ("ar", "ﻛﺘﺎﺏ", "كتاب"),
    ("ar", "٢٠٢٤", "2024"),
    ("ar", "2024", "٢٠٢٤"),
    ("ar", "كَتَبَ", "كتب"),
    ("fa", "کتاب", "كتاب"),
    ("fa", "یک روز", "يك"),
    ("fa", "كتاب", "کتاب"),
    ("fa", "می\u200cرود", "میرود"),
    ("fa", "۱۴۰۳", "1403"),
    ("ur", "ہے", "هے"),
    ("ur", "گھر", "گهر"),
    ("fa", "خانۀ ما", "خانه"),
    ("syr", "ܫܠܳܡܳܐ", "ܫܠܡܐ"),
]
INDIC = [
    ("bn", "বাড়ি", "ব\u09be\u09dc\u09bf"),
    ("bn", "ব\u09be\u09dc\u09bf", "বাড়ি"),
    ("bn", "বাড়ি", "ব\u09be\u09dc\u09bf"),
    ("bn", "উৎসব", "উত্\u200dসব"),
    ("bn", "উত্\u200dসব", "উৎসব"),
    ("bn", "অঙ্ক", "অংক"),
    ("bn", "ক্\u200cষ", "ক্ষ"),
    ("bn", "সময়", "সময়"),
    ("bn", "২০২৪ সাল", "2024"),
    ("hi", "क़लम", "कलम"),
    ("hi", "\u0958लम", "कलम"),
    ("hi", "हिन्दी", "हिंदी"),
    ("hi", "चाँद", "चांद"),
    ("hi", "क्\u200dष", "क्ष"),
    ("hi", "२०२४", "2024"),
    ("mr", "ॲप", "अॅप"),
    ("gu", "હિન્દી", "હિંદી"),
    ("pa", "ਸ਼ਹਿਰ", "ਸ਼ਹਿਰ"),
    ("pa", "ਪੰਜਾਬ", "ਪੰਜਾਬ"),
    ("or", "ଓଡ଼ିଆ", "ଓଡ଼ିଆ"),
    ("te", "హిన్దీ", "హిందీ"),
    ("kn", "ಕನ್ನಡ", "ಕನ್ನಡ"),
    ("ml", "അവൻ", "അവന്\u200d"),
    ("ml", "അവന്\u200d", "അവൻ"),
    ("ml", "എന്റെ", "എൻ്റെ"),
    ("ml", "മലയാളം", "മലയാളം"),
    ("ml", "കൌമാരം", "കൗമാരം"),
    ("ta", "ஸ்ரீ", "ஶ்ரீ"),
    ("ta", "தமிழ் நூல்", "தமிழ்"),
    ("ta", "கொ", "க\u0bc6\u0bbe"),
    ("si", "ශ්\u200dරී", "ශ්රී"),
]
EASTERN = [
    ("zh", "我爱北京天安门", "京"),
    ("zh", "我爱北京天安门", "门"),
    ("zh", "我爱北京天安门", "北京"),
    ("zh", "㈱日本", "株"),
    ("ja", "ﾃｽﾄ中", "テスト"),
    ("ja", "東京都", "都"),
    ("ja", "ガラス", "カ\u3099ラス"),
    ("ja", "カ\u3099ラス", "ガラス"),
    ("zh", "２０２４年", "2024"),
    ("ko", "한국어", "\u1112\u1161\u11ab국어"),
    ("ko", "\u1112\u1161\u11ab\u1100\u116e\u11a8\u110b\u1165 \u1106\u116e\u11ab\u1109\u1165", "한국어"),
    ("ko", "한국어", "한"),
    ("th", "น้ำ", "น้ํา"),
    ("th", "ภาษาไทย", "ไทย"),
    ("th", "๒๐๒๔", "2024"),
    ("lo", "\u0edcູ", "ຫນູ"),
    ("km", "ភាសាខ្មែរ", "ខ្មែរ"),
    ("my", "မြန်မာစာ", "မြန်မာ"),
    ("mn", "ᠮᠣᠩᠭᠣᠯ\u180b", "ᠮᠣᠩᠭᠣᠯ"),
    ("bo", "བོད་སྐད", "སྐད"),
]
EUROPEAN = [
    ("hy", "Երևան", "Երեւան"),
    ("hy", "Երեւան", "Երևան"),
    ("hy", "ԵՐԵՎԱՆ", "Երևան"),
    ("hy", "ԵՐԵՒԱՆ", "Երևան"),
    ("hy", "Ինչո՞ւ", "ինչու"),
    ("hy", "Այո՛", "այո"),
    ("tr", "İstanbul", "istanbul"),
    ("tr", "İSTANBUL", "istanbul"),
    ("tr", "ISPARTA", "ısparta"),
    ("tr", "ısparta", "isparta"),
    ("tr", "kış", "KIŞ"),
    ("tr", "i̇stanbul", "İstanbul"),
    ("de", "Software-Entwicklung", "Softwareentwicklung"),
    ("de", "Softwareentwicklung", "Software-Entwicklung"),
    ("de", "E-Mail", "Email"),
    ("de", "Email", "E-Mail"),
    ("de", "Straße", "STRASSE"),
    ("de", "STRAẞE", "straße"),
    ("en", "re\u2010use", "reuse"),
    ("en", "e\u2011mail", "e-mail"),
    ("el", "Ὀδυσσεύς", "οδυσσευς"),
    ("el", "ΟΔΥΣΣΕΥΣ", "Ὀδυσσεύς"),
    ("el", "λόγος", "ΛΟΓΟΣ"),
    ("vi", "Việt Nam", "Vie\u0323\u0302t"),
    ("vi", "Đu\u031bo\u031b\u0300ng pho\u0302\u0301", "đường"),
    ("vi", "Đường phố", "duong"),
    ("vi", "hoà", "hòa"),
    ("en", "ＡＢＣ１２３", "abc123"),
    ("en", "Ⅳ", "IV"),
    ("ca", "col·legi", "collegi"),
    ("ca", "col·legi", "col·legi"),
    ("ca", "co\u0140legi", "col·legi"),
    ("ca", "col.legi", "col·legi"),
    ("uk", "п’ять", "п'ять"),
    ("uk", "пʼять", "п'ять"),
    ("uk", "п'ять", "пять"),
    ("ru", "ёлка", "елка"),
    ("ru", "и\u0306од", "йод"),
    ("uz", "o‘zbek", "o'zbek"),
    ("uz", "oʻzbek", "o'zbek"),
    ("uz", "oʻzbek", "o‘zbek"),
    ("haw", "Hawaiʻi", "Hawai'i"),
    ("haw", "Hawai‘i", "hawaii"),
    ("ka", "ᲗᲑᲘᲚᲘᲡᲘ", "თბილისი"),
    ("se", "Ŧ", "ŧ"),
    ("am", "ሰላም፡ዓለም", "ዓለም"),
]
FOUND = [*HEBREW, *ARABIC, *INDIC, *EASTERN, *EUROPEAN]
NOT_FOUND = [
    ("he", 'אמר "שלום" לו', "אמרשלום"),
    ("ar", "كتاب", "كاتب"),
    ("bn", "ডাল", "ড়াল"),
    ("hi", "कन्या", "कंया"),
    ("zh", "天安门", "门安"),
    ("zh", "东京大阪", '"东京 大阪"'),
    ("ja", "東京-大阪", '"東大"'),
    ("de", "Software Entwicklung", "Softwareentwicklung"),
    ("en", "9-5", "95"),
]
PHRASES = [
    ("zh", "我在东京 大阪工作", '"东京 大阪"'),
    ("zh", "东京-大阪线", "+东京-大阪"),
    ("zh", "使用Python编程语言", "+使用Python编程"),
    ("zh", "使用Python编程语言", '"使用Python编程语言"'),
    ("ja", "第三章 快楽", '"三章 快"'),
    ("zh", "上海A股市场", "A股"),
    ("zh", "上海A股市场", "+A股"),
    ("zh", "上海A股", '"A股"'),
    ("ja", "第5話は", "5話"),
    ("he", 'צה"ל הודיע', '"צה״ל הודיע"'),
]


@pytest.fixture(scope="module")
def catalogue(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Catalogue]:
    """A document for each text, in its language."""
    with closing(Catalogue(tmp_path_factory.mktemp("scripts") / "catalogue.db", create=True)) as catalogue:
        for language, text in {(language, text) for language, text, _ in (*FOUND, *NOT_FOUND, *PHRASES)}:
            put(catalogue, document(name_of(language, text)), text, language=stemming_language(language))
        yield catalogue


def name_of(language: str, text: str) -> str:
    """Return the identifier of the document that has a text; none of its words is one of a text."""
    return f"{language}{text.encode().hex()}"


def marked(catalogue: Catalogue, query: str, language: str, text: str) -> list[str] | None:
    """Return what is marked in the document with a text; None where that is not found."""
    for hit in search_text(catalogue, query, limit=-1):
        if hit.document_id == name_of(language, text):
            return [hit.text[start:end] for start, end in hit.matches]
    return None


@pytest.mark.parametrize(("language", "text", "typed"), [*FOUND, *PHRASES])
def test_a_text_is_found_as_it_is_typed(catalogue: Catalogue, language: str, text: str, typed: str) -> None:
    """In whichever way it is spelled and encoded there and here; what was found is marked in the text."""
    assert marked(catalogue, typed, language, text)


@pytest.mark.parametrize(("language", "text", "typed"), NOT_FOUND)
def test_what_is_another_word_stays_one(catalogue: Catalogue, language: str, text: str, typed: str) -> None:
    """Letters that make another word are kept, and characters that are apart are no phrase."""
    assert marked(catalogue, typed, language, text) is None


@pytest.mark.parametrize("form", ["NFC", "NFD", "NFKC", "NFKD"])
@pytest.mark.parametrize(("language", "text", "typed"), FOUND)
def test_no_normal_form_hides_a_text(
    catalogue: Catalogue, form: Literal["NFC", "NFD", "NFKC", "NFKD"], language: str, text: str, typed: str
) -> None:
    """What is typed is found in each of the four normal forms."""
    assert marked(catalogue, unicodedata.normalize(form, typed), language, text)
