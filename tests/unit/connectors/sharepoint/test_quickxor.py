"""quickXorHash: the checksum of SharePoint."""

from __future__ import annotations

import base64
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest_tui.connectors.sharepoint.quickxor import QuickXorHash
from tests.graph_server.items import quick_xor_hash


def digest(*pieces: bytes) -> str:
    """Hash pieces one after the other."""
    checksum = QuickXorHash()
    for piece in pieces:
        checksum.update(piece)
    return checksum.base64digest()


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("", "AAAAAAAAAAAAAAAAAAAAAAAAAAA="),
        ("Sg==", "SgAAAAAAAAAAAAAAAQAAAAAAAAA="),
        ("tbQ=", "taAFAAAAAAAAAAAAAgAAAAAAAAA="),
        ("0pZP", "0rDEEwAAAAAAAAAAAwAAAAAAAAA="),
        ("aGVsbG8gd29ybGQ=", "aCgDG9jwBhDc4Q1yawMZAAAAAAA="),
    ],
)
def test_known_checksums(content: str, expected: str) -> None:
    """The checksums that other implementations publish for their own tests come out."""
    assert digest(base64.b64decode(content)) == expected


@given(st.binary(max_size=2000))
def test_any_content_as_the_definition_says(content: bytes) -> None:
    """Folding rows gives what XORing byte after byte gives."""
    assert digest(content) == quick_xor_hash(content)


@given(st.lists(st.binary(max_size=500), max_size=12))
def test_pieces_do_not_matter(pieces: list[bytes]) -> None:
    """However the content is cut, its checksum is the same."""
    assert digest(*pieces) == digest(b"".join(pieces))


def test_large_pieces_are_hashed_in_slices() -> None:
    """A piece of more than one slice, and two that end within a row, give the checksum of the whole."""
    content = random.Random(1).randbytes(300_007)
    assert digest(content) == digest(content[:130_001], content[130_001:]) == quick_xor_hash(content)


def test_checksum_can_be_asked_for_on_the_way() -> None:
    """Asking for the checksum does not end it."""
    checksum = QuickXorHash()
    checksum.update(b"hello ")
    assert checksum.base64digest() == digest(b"hello ")
    checksum.update(b"world")
    assert checksum.base64digest() == digest(b"hello world")
