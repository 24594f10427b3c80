"""Books of Mobipocket, Kindle and FictionBook."""

from __future__ import annotations

import struct

import pytest

from ingest_tui.extraction.books.palm import HuffmanReader, decompress
from ingest_tui.extraction.parse import extract, extract_text
from ingest_tui.model.errors import ItemRejectedError, ProcessingError
from tests.made_books import (
    fictionbook,
    huffman_tables,
    mobi,
    mobi_head,
    palm_database,
)

PAGE = b"<html><body><h1>Annual report</h1><p>ripe apples</p></body></html>"


def test_palmdoc_is_decompressed() -> None:
    """Literal runs, characters, spaces with a character and repetitions give the text."""
    assert (
        decompress(b"\x03\xc3\xbc!abc" + bytes((0x80 | (3 << 3) >> 8, (3 << 3) | 2)) + b"\xe9")
        == b"\xc3\xbc!abcabcab i"
    )
    with pytest.raises(ValueError, match="damaged"):
        decompress(b"ab\x80\x28")


def test_phrases_of_huffman_codes_are_put_together() -> None:
    """Each code stands for a phrase; a phrase may be compressed itself."""
    assert HuffmanReader(huffman_tables([b"ap", b"ples "])).decompress(b"\x00\x01\x00") == b"apples ap"
    huff, dictionary = huffman_tables([b"ap", b"\x00\x00"])
    at = dictionary.index(struct.pack(">H", 2 | 0x8000) + b"\x00\x00")
    nested = dictionary[:at] + struct.pack(">H", 2) + dictionary[at + 2 :]
    assert HuffmanReader([huff, nested]).decompress(b"\x01") == b"apap"


def test_phrases_that_hold_themselves_have_an_end() -> None:
    """A phrase that refers to itself, and one that grows with each use, are damage."""
    huff, dictionary = huffman_tables([b"\x00\x00"])
    at = dictionary.index(struct.pack(">H", 2 | 0x8000) + b"\x00\x00")
    with pytest.raises(ValueError, match="no end"):
        HuffmanReader([huff, dictionary[:at] + struct.pack(">H", 2) + dictionary[at + 2 :]]).decompress(b"\x00")
    with pytest.raises(ValueError, match="too long"):
        HuffmanReader(huffman_tables([b"x" * 30_000])).decompress(bytes(60_000))


@pytest.mark.parametrize("name", ["a.mobi", "a.azw3", "a.prc", "a"])
def test_a_book_is_read_whatever_its_name(name: str) -> None:
    """Its text, title, author and language are those of the book."""
    content = mobi(PAGE, compression=1, values={503: b"The report", 100: b"A. Writer", 524: b"en-GB"})
    read = extract(content, file_name=name)
    assert read.markdown == "A. Writer\n\n# Annual report\n\nripe apples\n"
    assert (read.title, read.language) == ("The report", "en-GB")


def test_what_follows_the_text_of_a_record_is_left_out() -> None:
    """Records end with entries that the flags of the book announce, and with a character cut at the border."""
    first, second = "<p>für ".encode()[:5], "<p>für ".encode()[5:] + b" all</p>"
    marked = [first + b"\x00" + b"\x81", second + b"\xbc\x01" + b"skip\x85"]
    assert extract_text(mobi(*marked, compression=1, flags=3), ".mobi") == "für all\n"


def test_windows_1252_and_the_full_name_are_read() -> None:
    """An older book has its own encoding; its name is its title."""
    read = extract(
        mobi("<p>café".encode("cp1252"), compression=1, encoding=1252, name=b"A caf\xe9"), file_name="a.mobi"
    )
    assert (read.markdown, read.title) == ("café\n", "A café")


def test_styles_of_the_newer_form_are_not_text() -> None:
    """What follows the text of a Kindle book, such as its style sheet, is another part."""
    text = PAGE + b"<p>more</p>" + b"body { color: red }"
    parts = b"FDST" + struct.pack(">IIIIII", 12, 2, 0, len(text) - 19, len(text) - 19, len(text))
    content = palm_database([mobi_head(1, compression=1, version=8, parts_at=2), text, parts])
    assert extract_text(content, ".azw3") == "# Annual report\n\nripe apples\n\nmore\n"


def test_a_compressed_book_with_tables_is_read() -> None:
    """The tables of the compression are records of the book."""
    content = palm_database(
        [mobi_head(1, compression=17480, tables=(2, 2)), b"\x00\x01", *huffman_tables([b"<p>ap", b"ples</p>"])]
    )
    assert extract_text(content, ".mobi") == "apples\n"


def test_a_plain_palm_text_is_read() -> None:
    """A text without the header of a book is text, in whatever encoding."""
    head = struct.pack(">HHIHHI", 1, 0, 12, 1, 4096, 7)
    assert extract_text(palm_database([head, "schöne Äpfel".encode("cp1252")], b"TEXtREAd"), ".pdb") == "schöne Äpfel"


def test_a_protected_book_is_encrypted() -> None:
    """DRM is named as such."""
    with pytest.raises(ItemRejectedError, match="DRM") as raised:
        extract(mobi(PAGE, encryption=2), file_name="a.azw")
    assert raised.value.reason == "encrypted"


@pytest.mark.parametrize("head", [b"TPZ0", b"\xeaDRMION\xee", b"CONT\x02\x00"])
def test_other_forms_of_kindle_are_named(head: bytes) -> None:
    """What cannot be read is a Kindle book, not unknown bytes."""
    with pytest.raises(ItemRejectedError, match="Kindle book"):
        extract(head + bytes(range(256)), file_name="a.bin")


def test_a_book_that_is_cut_keeps_its_beginning() -> None:
    """Records that are missing or damaged are a finding; no record at all is an error."""
    short = palm_database([mobi_head(3, compression=1), b"<p>apples</p>"])
    read = extract(short, file_name="a.mobi")
    assert (read.markdown, read.validation[0].code) == ("apples\n", "records_missing")
    read = extract(mobi(b"apples ", b"\x80\x01"), file_name="a.mobi")
    assert read.validation[0].message.startswith("the text breaks off: record 2 of 2")
    for content in (mobi(b"\x80\x01"), mobi(PAGE, compression=7), mobi(PAGE)[:90]):
        with pytest.raises(ProcessingError, match="the book cannot be read"):
            extract(content, file_name="a.mobi")


# --- FictionBook ----------------------------------------------------------------------------------------------------


def test_a_fictionbook_keeps_its_structure() -> None:
    """Title, authors, headings by their depth, poems, tables and links; pictures are left out."""
    about = (
        "<author><first-name>A.</first-name><last-name>Writer</last-name></author><book-title>Report</book-title>"
        "<annotation><p>about it</p></annotation><lang>en</lang>"
    )
    body = (
        "<title><p>Annual</p><p>report</p></title><section><title><p>One</p></title><p>ripe <strong>app</strong>les</p>"
        "<subtitle>small</subtitle><poem><stanza><v>first</v><v>second</v></stanza></poem>"
        '<section><title><p>Deep</p></title><p><a l:href="https://example.org/fb2">link</a></p></section>'
        "<table><tr><th>Name</th></tr><tr><td>apples</td></tr></table></section>"
    )
    read = extract(fictionbook(body, about=about, more="<binary>aGVsbG8=</binary>"), file_name="a.fb2")
    assert read.markdown == (
        "# Report\n\nA. Writer\n\nabout it\n\n# Annual report\n\n## One\n\nripe apples\n\n### small\n\nfirst\n\nsecond"
        "\n\n### Deep\n\nlink\n\n| Name |\n| --- |\n| apples |\n"
    )
    assert (read.title, read.language, [one.target for one in read.links]) == (
        "Report",
        "en",
        ["https://example.org/fb2"],
    )


def test_a_fictionbook_is_recognised_by_its_root() -> None:
    """Under the name of any XML file it is a book, without a finding."""
    read = extract(fictionbook("<section><p>apples</p></section>"), file_name="a.xml")
    assert (read.backend, read.warnings) == ("fictionbook", [])


def test_entities_in_a_fictionbook_are_refused() -> None:
    """A book may not declare entities."""
    content = fictionbook("<p>x</p>").replace(b"<FictionBook", b'<!DOCTYPE a [<!ENTITY b "c">]><FictionBook')
    with pytest.raises(ItemRejectedError, match="entities"):
        extract(content, file_name="a.fb2")
