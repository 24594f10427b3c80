"""Which encoding a text is read with: what it says, what its bytes are, and what is likely."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ingest_tui.extraction.intake.decoding import decode_declared, decode_text
from ingest_tui.extraction.intake.guessing import guess_encoding
from ingest_tui.extraction.intake.labels import codec_of

_ROWS = json.loads((Path(__file__).parents[4] / "benchmarks/encoding_sentences.json").read_text("utf-8"))
SENTENCES = {row["language"]: (row["text"], row["encodings"]) for row in _ROWS}
MISSED = {("Catalan", "cp850"), ("Dutch", "mac_roman"), ("Dutch", "cp850")}
"""Known limits, named in docs/formats.md: in these the few accents are those of another language, too."""


@pytest.mark.parametrize(
    ("label", "encoding", "text"),
    [
        ("gb2312", "gb18030", "陈镕新 東京訊息"),
        ("shift_jis", "cp932", "①番 髙橋 ㈱山﨑"),
        ("euc-kr", "cp949", "똠방각하 펲시"),
        ("iso-8859-1", "cp1252", "5 € – „gut“"),
        ("us-ascii", "cp1252", "5 € – „gut“"),
        ("iso-8859-9", "cp1254", "“İstanbul”"),
        ("latin2", "iso8859_2", "Łódź"),
        ("big5", "big5hkscs", "水泵 㗎"),
        ("cp437", "cp437", "Größe"),
        ("iso-2022-jp", "iso2022_jp_ext", "点検が終わり"),
        ("iso-2022-kr", "iso2022_kr", "펌프 점검이 끝났습니다."),
        ("hz-gb-2312", "hz", "水泵的检查已经结束。"),
        ("utf-7", "utf_7", "Grüße"),
        ('"windows-1251"', "cp1251", "Проверка"),
    ],
)
def test_a_label_means_what_texts_with_it_are_in(label: str, encoding: str, text: str) -> None:
    """The label of mail, HTML, XML and EPUB is read as browsers do, and without a finding."""
    assert decode_declared(text.encode(encoding), label)[0::2] == (text, [])


@pytest.mark.parametrize("label", ["utf-8", "shift_jis", "us-ascii", "", "nothing-known"])
def test_what_the_bytes_are_not_is_not_believed(label: str) -> None:
    """A German text in Windows-1252 is read as that, whatever it is declared as."""
    text = "Grüße aus Köln: die Straße ist für alle geöffnet, auch die Brücke über den Fluss."
    assert decode_declared(text.encode("cp1252"), label)[0] == text


@pytest.mark.parametrize("label", ["iso-8859-1", "windows-1252", "shift_jis", "koi8-r"])
def test_utf8_is_read_as_utf8_under_a_wrong_label(label: str) -> None:
    """Bytes that are valid UTF-8 beyond ASCII are that; the wrong label is a finding."""
    text, encoding, findings = decode_declared("Grüße aus Köln – 5 €".encode(), label)
    assert (text, encoding) == ("Grüße aus Köln – 5 €", "utf-8")
    assert [finding.code for finding in findings] == ["encoding_mismatch"]


def test_a_few_bad_characters_do_not_make_a_label_wrong() -> None:
    """A text with one cut character stays in the encoding that it declares, with a finding."""
    content = ("水泵的检查已经结束。" * 20).encode("gb18030") + b"\x81"
    text, encoding, findings = decode_declared(content, "gbk")
    assert text.startswith("水泵的检查已经结束。")
    assert (encoding, [finding.code for finding in findings]) == ("gb18030", ["undecodable_bytes"])


@pytest.mark.parametrize("label", ["x-user-defined", "idna", "rot13", "hex", "", "\x00", "no such"])
def test_what_is_no_encoding_of_texts_is_none(label: str) -> None:
    """Labels of codecs that decode no text are not followed."""
    assert codec_of(label) is None


@pytest.mark.parametrize(
    ("language", "codec"), [(one, codec) for one, (_, codecs) in SENTENCES.items() for codec in codecs]
)
def test_a_sentence_without_a_label_is_read(language: str, codec: str) -> None:
    """A sentence in each of 40 languages and the legacy encodings of each is read right, but for three known ones."""
    if (language, codec) in MISSED:
        return
    text = SENTENCES[language][0].encode(codec, "ignore").decode(codec)
    assert decode_text(text.encode(codec))[0] == text


def test_the_first_accent_may_come_late() -> None:
    """A log of 200 KB of ASCII whose last line is Russian is read as what that line is in."""
    content = b"2026-01-01 12:00:00 pump ok\n" * 8000 + "Проверка насоса закончена, и отчёт отправлен.\n".encode(
        "cp1251"
    )
    assert decode_text(content)[0].endswith("Проверка насоса закончена, и отчёт отправлен.\n")


def test_letters_of_two_scripts_in_one_word_are_no_good_guess() -> None:
    """A French word is not read as Latin and Cyrillic letters side by side, however frequent those are."""
    assert guess_encoding("Crée une œuvre à Noël.".encode("cp1252")) == "cp1252"


def test_escape_sequences_of_a_terminal_are_no_japanese() -> None:
    """A log with colours stays as it is."""
    assert decode_text(b"\x1b[31mred\x1b[0m text\n")[1] == "utf-8"


@pytest.mark.parametrize("text", ["5 €", "it’s late", "“Hi”", "20 °C\n" * 50, "x ü", "naïve", "Åse", "§ 5 – new", "£5"])
def test_a_text_with_hardly_an_accent_is_western(text: str) -> None:
    """One sign of another language's encoding is no reason to take an English text for it."""
    assert decode_text(text.encode("cp1252"))[0] == text


@pytest.mark.parametrize(
    ("text", "codec"),
    [
        ("dům", "cp1250"),
        ("да", "cp1251"),
        ("Łódź", "cp1250"),
        ("Möbel aus Köln, schön", "cp850"),
        ("สวัสดีชาวโลก", "cp874"),
    ],
)
def test_a_short_text_of_another_encoding_is_not_western(text: str, codec: str) -> None:
    """The likeliest encoding is no answer where its letters would be quotation marks within words, or none at all."""
    assert decode_text(text.encode(codec))[0] == text


@pytest.mark.parametrize("frame", ["╔══════╗\n║ Menu ║\n╚══════╝\n", "┌──────┐\n│ Menu │\n└──────┘\n"])
def test_frames_are_drawn_with_lines(frame: str) -> None:
    """Text menus of DOS are no Thai and no Cyrillic, whose letters would be repeated without end."""
    assert decode_text(frame.encode("cp437"))[0] == frame


@pytest.mark.parametrize("codec", ["utf-16-le", "utf-16-be"])
@pytest.mark.parametrize(
    "text",
    ["Проверка насоса закончена", "Έλεγχος της αντλίας", "水泵的检查已经结束。\n一切正常。\n", "בדיקת המשאבה הסתיימה"],
)
def test_utf16_without_a_mark_is_seen_in_any_script(codec: str, text: str) -> None:
    """Where letters have no zero in them, their spaces and line ends do."""
    assert decode_text(text.encode(codec))[0] == text


@pytest.mark.parametrize("text", ["plain words\x00 and more of them", "Grüße\x00 aus Köln, Größe 5, und mehr davon"])
def test_a_stray_zero_makes_no_text_chinese(text: str) -> None:
    """Two Latin letters together are a Chinese one in UTF-16."""
    assert decode_text(text.encode("cp1252"))[0] == text


def test_korean_in_seven_bits_is_seen() -> None:
    """The control characters that go to and fro between its two sets are not those of a binary file."""
    assert decode_text("펌프 점검".encode("iso2022_kr"))[0] == "펌프 점검"


@pytest.mark.parametrize("label", ["iso-2022-jp", ""])
def test_characters_of_windows_in_japanese_mail_are_read(label: str) -> None:
    """The circled digits and company signs that Windows adds (rows 13 and 89 on) are no damage."""
    content = b'\x1b$B-!F|K\\-j\x1b(B ok\r\n\x1b$By"\x1b(B'
    assert decode_declared(content, label)[0] == "①日本㈱ ok\r\n纊".replace("纊", b"\xed\x41".decode("cp932"))


def test_characters_of_windows_in_euc_are_read() -> None:
    """The same in EUC-JP."""
    assert decode_declared("日本".encode("euc-jp") + b"\xad\xa1 ok", "euc-jp")[0] == "日本① ok"


def test_lines_of_two_programs_are_each_read_in_theirs() -> None:
    """Also where the other encoding is not the Western one."""
    lines = ["Проверка насоса закончена", "Отчёт отправлен сегодня"]
    assert decode_text(lines[0].encode() + b"\n" + lines[1].encode("cp1251"))[0] == "\n".join(lines)
