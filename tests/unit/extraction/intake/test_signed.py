"""Mails and documents in their signature (S/MIME)."""

from __future__ import annotations

import base64

import pytest

from ingest_tui.extraction.intake.signed import without_signature
from ingest_tui.extraction.parse import extract, extract_text
from ingest_tui.model.errors import ItemRejectedError, ProcessingError
from tests.made_files import pdf_of, pdf_pages

DATA, SIGNED, ENVELOPED = (bytes.fromhex(f"06092a864886f70d01070{number}") for number in (1, 2, 3))
MAIL = b"Content-Type: text/plain; charset=utf-8\r\n\r\nripe apples\r\n"


def element(tag: int, *inside: bytes, endless: bool = False) -> bytes:
    """Return an element of BER; ``endless``: with an end mark in place of a length."""
    content = b"".join(inside)
    if endless:
        return bytes((tag, 0x80)) + content + b"\x00\x00"
    size = len(content)
    length = bytes((size,)) if size < 0x80 else bytes((0x84,)) + size.to_bytes(4, "big")
    return bytes((tag,)) + length + content


def signed(content: bytes | None, *, pieces: bool = False, kind: bytes = SIGNED) -> bytes:
    """Return a signed message without certificates; with ``pieces`` as programs write that do not know its length."""
    octets = element(0x04, content or b"")
    if pieces and content is not None:
        halves = content[: len(content) // 2], content[len(content) // 2 :]
        octets = element(0x24, *(element(0x04, half) for half in halves), endless=True)
    held = element(
        0x30, DATA, *([element(0xA0, octets, endless=pieces)] if content is not None else []), endless=pieces
    )
    message = element(0x30, element(0x02, b"\x01"), element(0x31), held, element(0x31), endless=pieces)
    return element(0x30, kind, element(0xA0, message, endless=pieces), endless=pieces)


@pytest.mark.parametrize("pieces", [False, True])
def test_a_signed_mail_is_read_as_the_mail(pieces: bool) -> None:
    """What was signed is read, whole or in pieces, under any name."""
    for name in ("smime.p7m", "letter.p7m", "letter"):
        assert extract_text(signed(MAIL, pieces=pieces), name) == "ripe apples\n"


@pytest.mark.parametrize("pieces", [False, True])
def test_a_signed_document_is_what_it_is(pieces: bool) -> None:
    """A signed invoice is a PDF or an XML document, by its bytes and the name within."""
    pdf = extract(signed(pdf_of(pdf_pages("apples")), pieces=pieces), file_name="invoice.pdf.p7m")
    assert (pdf.media_type, pdf.markdown, pdf.warnings) == ("application/pdf", "apples\n", [])
    assert extract(signed(b"name,count\npump,12\n"), file_name="a.csv.p7m").columns[0]["rows"] == 1


def test_a_signature_in_base64_is_read() -> None:
    """Some programs keep the message as text."""
    text = base64.encodebytes(signed(MAIL))
    assert extract_text(text, "a.p7m") == "ripe apples\n"
    assert extract_text(b"-----BEGIN PKCS7-----\n" + text + b"-----END PKCS7-----\n", "a.p7m") == "ripe apples\n"


def test_an_encrypted_message_is_encrypted() -> None:
    """A message for somebody else has no text for us."""
    with pytest.raises(ItemRejectedError, match="encrypted") as raised:
        extract(signed(MAIL, kind=ENVELOPED), file_name="smime.p7m")
    assert raised.value.reason == "encrypted"


def test_a_mere_signature_says_what_it_is() -> None:
    """A signature in a file of its own holds nothing to read."""
    with pytest.raises(ItemRejectedError, match="a signature without what it signs"):
        extract(signed(None), file_name="a.p7s")


def test_a_damaged_message_is_malformed() -> None:
    """A message that is cut, or nested without end, is damaged."""
    whole = signed(MAIL, pieces=True)
    deep = b"\x30\x80" + SIGNED + b"\xa0\x80" * 5000
    for content in (signed(MAIL)[:60], whole[: len(whole) - 30], deep, signed(MAIL)[:17] + b"\x30\x89" + bytes(50)):
        with pytest.raises(ProcessingError, match="the signed message cannot be read"):
            extract(content, file_name="a.p7m")


def test_other_bytes_are_left_alone() -> None:
    """A text that begins with the same character is what it is."""
    assert without_signature(b"0 is a number", "a.txt") == (b"0 is a number", "a.txt")
    assert without_signature(b"MIDDAY", "a.p7m") == (b"MIDDAY", "a.p7m")
