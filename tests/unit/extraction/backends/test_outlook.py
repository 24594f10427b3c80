"""Mails that Outlook keeps as files: their bodies, in any encoding, and what is attached to them."""

from __future__ import annotations

import struct

import compressed_rtf
import pytest

from ingest_tui.extraction.parse import extract, extract_text
from ingest_tui.model.errors import ItemError
from tests.made_ole_files import OleTree, ole_tree

Numbers = dict[str, int]


def properties(header_bytes: int, numbers: Numbers) -> bytes:
    """Return a stream of fixed properties; each name is ``p`` and its number."""
    rows = (struct.pack("<HHIQ", 3, int(name[1:], 16), 6, value) for name, value in numbers.items())
    return bytes(header_bytes) + b"".join(rows)


def mail(
    texts: dict[str, bytes], *, header_bytes: int = 32, more: OleTree | None = None, numbers: Numbers | None = None
) -> OleTree:
    """Return a mail. ``texts``: number and type of a property → its bytes."""
    return {
        "__properties_version1.0": properties(header_bytes, numbers or {}),
        **{f"__substg1.0_{name}": content for name, content in texts.items()},
        **(more or {}),
    }


def wide(text: str) -> bytes:
    return text.encode("utf-16-le")


@pytest.mark.parametrize(
    ("encoding", "numbers"),
    [
        ("cp1252", {"p3FDE": 65001, "p3FF1": 1031}),
        ("cp1252", {"p3FFD": 1252}),
        ("utf-8", {"p3FFD": 65001}),
        ("utf-8", {"p3FFD": 1252}),
        ("iso8859_15", {"p3FDE": 28605}),
    ],
)
def test_subject_and_body_are_in_the_encoding_of_the_mail(encoding: str, numbers: dict[str, int]) -> None:
    """The code page that is named, else that of the language; the page of the internet is the one of HTML."""
    word = "öäü"
    texts = {"0037001E": f"Subject {word}".encode(encoding), "1000001E": f"Body {word}".encode(encoding) + b"\0"}
    assert extract_text(ole_tree(mail(texts, numbers=numbers)), ".msg") == f"# Subject {word}\n\nBody {word}\n"


def test_headers_are_shown() -> None:
    """Who sent it to whom and when, with the subject as heading; Outlook's mark of a prefix is no text."""
    texts = {
        "0037001F": wide("\x01\x05RE: Plan"),
        "0C1A001F": wide("Ann"),
        "5D01001F": wide("ann@example.org"),
        "0E04001F": wide("Bob; Eve"),
        "1000001F": wide("agreed"),
    }
    content = ole_tree(mail(texts, numbers={"p0039": 134_000_000_000_000_000}))
    extraction = extract(content, file_name="a.msg")
    assert extraction.markdown == (
        "# RE: Plan\n\n- From: Ann <ann@example.org>\n- To: Bob; Eve\n- Date: 2025-08-18 14:13:20 UTC\n\nagreed\n"
    )
    assert extraction.title == "RE: Plan"


@pytest.mark.parametrize(
    ("name", "body"),
    [
        ("10130102", "<html><body><p>caf\xe9 <b>bold</b></p></body></html>".encode("cp1252")),
        ("10130102", '<html><meta charset="utf-8"><body><p>caf\xe9 <b>bold</b></p></body></html>'.encode()),
        ("1013001F", wide("<html><body><p>caf\xe9 <b>bold</b></p></body></html>")),
    ],
)
def test_the_body_is_read_in_its_richest_form(name: str, body: bytes) -> None:
    """The HTML is shown, in the encoding that it names, else in the one of the mail; not the plain text as well."""
    text = extract_text(ole_tree(mail({name: body, "1000001F": wide("plain")}, numbers={"p3FDE": 1252})), ".msg")
    assert text == "café **bold**\n"


def test_a_body_that_is_only_rtf_is_read() -> None:
    """Compressed RTF is unpacked where there is no other body; a damaged one costs only the body."""
    packed = compressed_rtf.compress(rb"{\rtf1\ansi only \b here\par}", compressed=True)
    assert (
        extract_text(ole_tree(mail({"0037001F": wide("Plan"), "10090102": packed})), ".msg") == "# Plan\n\nonly here\n"
    )
    assert extract_text(ole_tree(mail({"0037001F": wide("Plan"), "10090102": packed[:20]})), ".msg") == "# Plan\n"


def test_attachments_are_named_and_read_and_mails_within_are_mails() -> None:
    """A table is read under its name; what cannot be read is named; a forwarded mail has its own headers."""
    inner = mail({"0037001F": wide("Inner"), "1000001F": wide("forwarded")}, header_bytes=24)
    attached = {
        "__attach_version1.0_#00000000": mail({"3707001F": wide("a.csv"), "37010102": b"Name,Amount\napples,12\n"}),
        "__attach_version1.0_#00000001": mail({"3707001F": wide("b.bin"), "37010102": b"\x00\x01\x02"}),
        "__attach_version1.0_#00000002": mail({}, more={"__substg1.0_3701000D": inner}),
    }
    text = extract_text(
        ole_tree(mail({"0037001F": wide("Outer"), "1000001F": wide("see below")}, more=attached)), ".msg"
    )
    assert text.split("\n\n")[:4] == ["# Outer", "see below", "## Inner", "forwarded"]
    assert "- a.csv (application/octet-stream, 22 bytes)\n- b.bin" in text
    assert "### a.csv\n\n| Name | Amount |" in text


def test_a_mail_that_is_cut_short_is_malformed() -> None:
    """What no longer has its directory is damaged, not empty."""
    content = ole_tree(mail({"0037001F": wide("Plan"), "1000001F": wide("text " * 500)}))
    with pytest.raises(ItemError) as failed:
        extract(content[:700], file_name="a.msg")
    assert failed.value.reason == "malformed"
