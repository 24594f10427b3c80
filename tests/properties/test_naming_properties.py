"""What the naming module promises for any foreign name."""

from __future__ import annotations

import contextlib
import json
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest_tui.model.errors import ValidationError
from ingest_tui.model.file_names import export_name, safe_extension
from ingest_tui.model.identifiers import check_identifier, slug
from ingest_tui.model.keys import bytes_from_key, file_name_of, file_uri, key_from_bytes
from ingest_tui.model.safe_text import safe_block, safe_cell, safe_display, safe_json

any_text = st.text(st.characters(), max_size=60)  # surrogates too
BIDIRECTIONAL = {"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"}
DOCUMENT_ID = "0123456789abcdef0123456789"
RESERVED = {"con", "prn", "aux", "nul", *(f"{port}{number}" for port in ("com", "lpt") for number in range(10))}
nasty_text = st.text(
    st.sampled_from("ab\\x1b[]\r\n\t\x00\x07\x7f\x85\x9b\u202e\u2066\u200f\u061c\u2028\ud800é\U000e0041日")
)


@given(name=any_text | nasty_text)
def test_slug_is_an_identifier_or_refused(name: str) -> None:
    """Whatever a person types becomes an identifier that stays itself, or is refused with a reason."""
    with contextlib.suppress(ValidationError):
        identifier = slug(name)
        assert check_identifier(identifier) == identifier
        assert slug(identifier) == identifier


@given(name=st.text("abc .-_(/", min_size=1).filter(lambda name: any(letter in "abc" for letter in name)))
def test_slug_takes_every_name_with_a_letter(name: str) -> None:
    """A name with a plain letter in it is never refused, however it is punctuated."""
    assert any(letter in slug(name) for letter in "abc")


@given(value=any_text | nasty_text | st.text("aZ0._-/~", max_size=70))
def test_identifier_is_a_plain_file_name(value: str) -> None:
    """What passes as an identifier can be a file name on any system: no separator, no dot alone, no capital letters."""
    with contextlib.suppress(ValidationError):
        check_identifier(value)
        assert value.isascii()
        assert value == value.lower()
        assert 1 <= len(value) <= 64
        assert not set(value) & set('/\\:*?"<>| \x00\n')
        assert value[0] not in "._-"
        assert value[-1] not in "._-"
        assert ".." not in value


@pytest.mark.parametrize(
    "value", ["", ".", "..", "a/b", "A", "con", "nul.txt", "lpt1", "a" * 65, "a\n", "a.", "-a", "a..b"]
)
def test_identifier_refuses(value: str) -> None:
    """Names that are special on some system are no identifiers."""
    with pytest.raises(ValidationError):
        check_identifier(value)


@given(path=st.binary(max_size=80) | any_text.map(lambda text: text.encode("utf-8", "surrogatepass")))
def test_key_gives_back_the_bytes(path: bytes) -> None:
    """Any byte path has a key that is valid Unicode and leads back to the very same bytes."""
    key = key_from_bytes(path)
    key.encode()
    assert bytes_from_key(key) == path


@given(first=st.binary(max_size=12), second=st.binary(max_size=12))
def test_keys_distinguish_paths(first: bytes, second: bytes) -> None:
    """Two paths never share a key, also not by looking like the escaped form of one another."""
    pairs = {first, second, b"bytes:" + first, key_from_bytes(first).encode()}
    assert len({key_from_bytes(path) for path in pairs}) == len(pairs)


@given(text=any_text | nasty_text)
def test_display_cannot_act_on_a_terminal(text: str) -> None:
    """Nothing is left that a terminal obeys: no control character, no reordering mark, no lone surrogate."""
    shown = safe_display(text)
    for character in shown:
        assert unicodedata.category(character) not in {"Cc", "Cs", "Zl", "Zp"}
        assert unicodedata.bidirectional(character) not in BIDIRECTIONAL
    shown.encode()


def test_no_character_that_acts_is_printable() -> None:
    """What is printable throughout is shown as it is without looking closer: nothing that acts may be printable."""
    everything = (chr(code) for code in range(0x110000))
    assert [character for character in everything if character.isprintable() and _acts(character)] == []


def _acts(character: str) -> bool:
    """Tell whether a character acts on a terminal, by the Unicode database and not by the code under test."""
    in_category = unicodedata.category(character) in {"Cc", "Cs", "Zl", "Zp"}
    return in_category or unicodedata.bidirectional(character) in BIDIRECTIONAL


@given(text=any_text | nasty_text)
def test_display_is_idempotent(text: str) -> None:
    """Making a text safe twice changes nothing more, so that every sink may do it."""
    assert safe_display(safe_display(text)) == safe_display(text)


@given(text=any_text, limit=st.integers(1, 40))
def test_display_keeps_its_limit_and_both_ends(text: str, limit: int) -> None:
    """A limit is kept to the character; what is cut is the middle."""
    whole, short = safe_display(text), safe_display(text, limit=limit)
    assert len(short) == min(limit, len(whole))
    if len(whole) > limit:
        head, _, tail = short.partition("…") if "…" not in whole else (short[: (limit - 1) // 2], "", "")
        assert whole.startswith(head)
        assert whole.endswith(tail)
    assert safe_display(short, limit=limit) == short


@given(text=nasty_text)
def test_block_keeps_lines_and_tabs_only(text: str) -> None:
    """A block for the screen has the lines and columns of its text and no other control character."""
    shown = safe_block(text)
    assert shown.count("\n") == text.count("\n")
    assert shown.count("\t") == text.count("\t")
    assert not {character for character in shown if unicodedata.category(character) == "Cc"} - {"\n", "\t"}


@given(name=any_text | nasty_text | st.from_regex(r"[a-zA-Z/.]{0,10}\.[a-zA-Z0-9]{1,12}"))
def test_extension_is_a_safe_file_name(name: str) -> None:
    """The extension of any name is one to ten small ASCII letters and digits."""
    extension = safe_extension(name)
    assert extension.isascii()
    assert extension.isalnum()
    assert extension == extension.lower()
    assert 1 <= len(extension) <= 10


@given(path=st.binary(max_size=60))
def test_uri_is_printable_ascii(path: bytes) -> None:
    """The URI of any path is plain ASCII without spaces, whatever bytes the path is made of."""
    uri = file_uri(b"/" + path)
    assert uri.startswith("file:///")
    assert uri.isascii()
    assert uri.isprintable()
    assert " " not in uri


@given(first=st.binary(max_size=20), second=st.binary(max_size=20))
def test_uris_distinguish_paths(first: bytes, second: bytes) -> None:
    """Two paths never share a URI."""
    assert (file_uri(b"/" + first) == file_uri(b"/" + second)) == (first == second)


@given(key=st.text(min_size=1, max_size=20))
def test_file_name_is_a_part_of_its_key(key: str) -> None:
    """The name a person knows a document by is never empty and comes from the end of its key."""
    name = file_name_of(key)
    assert name
    assert name in key


@given(value=any_text | nasty_text, indent=st.none() | st.just(2))
def test_json_is_harmless_and_means_the_same(value: str, indent: int | None) -> None:
    """JSON made safe holds no character that acts but line feeds between values, and reads as the same value."""
    shown = safe_json(json.dumps({"value": [value]}, ensure_ascii=False, indent=indent))
    assert safe_display(shown.replace("\n", "")) == shown.replace("\n", "")
    assert json.loads(shown) == {"value": [value]}


@given(text=any_text | nasty_text | st.text("=+-@\t\r\n＝＋－＠'a1", max_size=5))
def test_a_cell_is_harmless_and_no_formula(text: str) -> None:
    """A cell cannot act on a terminal, is no formula to a spreadsheet, and otherwise the text itself."""
    cell = safe_cell(text)
    assert safe_display(cell) == cell
    assert not cell.startswith(tuple("=+-@\t\r\n＝＋－＠"))
    assert cell.removeprefix("'") == safe_display(text).removeprefix("'")


@given(name=any_text | nasty_text | st.text("./\\-_CONcon~日\u0301é", max_size=400))
def test_export_names_are_plain_file_names(name: str) -> None:
    """The file name of an export is one short component on any system: not hidden, reserved, an option or a path."""
    exported = export_name(name, DOCUMENT_ID)
    assert exported.endswith(f"--{DOCUMENT_ID[:12]}.md")
    assert safe_display(exported) == exported
    assert not set(exported) & set('/\\:*?"<>| \x00')
    assert not exported.startswith((".", "-"))
    assert ".." not in exported
    for form in ("NFC", "NFD", "NFKC", "NFKD"):
        assert len(unicodedata.normalize(form, exported).encode()) < 255
    assert unicodedata.normalize("NFKC", exported) == exported
    assert exported.partition(".")[0].casefold() not in RESERVED


@given(first=any_text, second=any_text)
def test_export_names_differ_by_their_ids(first: str, second: str) -> None:
    """Names that a file system takes for the same still differ, because of the ids."""
    names = (export_name(first, DOCUMENT_ID), export_name(second, DOCUMENT_ID[::-1]))
    folded = {unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", name).casefold()) for name in names}
    assert len(folded) == 2
