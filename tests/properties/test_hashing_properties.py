"""What content hashes promise."""

from __future__ import annotations

import hashlib
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest_tui.model.errors import ValidationError
from ingest_tui.model.hashing import check_content_hash, compute_content_hash, new_hasher, short_digest

lines = st.lists(st.text("ab é\u2028\x0b", max_size=5), max_size=6)
any_text = st.text(st.characters(), max_size=40)


@given(lines=lines)
def test_line_ends_do_not_matter_in_text(lines: list[str]) -> None:
    """The same text from Windows, from Unix and from an old Mac is the same content."""
    hashes = {compute_content_hash(end.join(lines)) for end in ("\n", "\r\n", "\r")}
    assert len(hashes) == 1


@given(lines=lines)
def test_line_ends_matter_in_bytes(lines: list[str]) -> None:
    """Bytes are hashed as they are: a raw file with other line ends is another file."""
    unix, windows = "\n".join(lines).encode(), "\r\n".join(lines).encode()
    assert (compute_content_hash(unix) == compute_content_hash(windows)) == (unix == windows)


@given(text=any_text)
def test_hash_is_that_of_the_normalised_text(text: str) -> None:
    """The hash is the SHA-256 of the text in UTF-8 with line feeds, as 64 small hexadecimal digits."""
    normalised = re.sub("\r\n|\r", "\n", text).encode("utf-8", "surrogatepass")
    digest = compute_content_hash(text)
    assert digest == hashlib.sha256(normalised).hexdigest() == check_content_hash(digest)


@given(first=any_text, second=any_text)
def test_different_texts_have_different_hashes(first: str, second: str) -> None:
    """Nothing but line ends is normalised away: not spaces, not case, not composition, not a lone surrogate."""
    same = re.sub("\r\n|\r", "\n", first) == re.sub("\r\n|\r", "\n", second)
    assert (compute_content_hash(first) == compute_content_hash(second)) == same


@given(pieces=st.lists(st.binary(max_size=10), max_size=6))
def test_streaming_gives_the_same_hash(pieces: list[bytes]) -> None:
    """Bytes hashed piece by piece have the hash of the whole."""
    hasher = new_hasher()
    for piece in pieces:
        hasher.update(piece)
    assert hasher.hexdigest() == compute_content_hash(b"".join(pieces))


@given(first=st.lists(any_text, max_size=4), second=st.lists(any_text, max_size=4))
def test_short_digest_keeps_its_parts_apart(first: list[str], second: list[str]) -> None:
    """Parts are joined so that moving a letter from one to the next gives another digest."""
    assert (short_digest(*first) == short_digest(*second)) == (first == second)


@pytest.mark.parametrize("value", ["", "a" * 63, "a" * 65, "A" * 64, "g" * 64, "a" * 64 + "\n"])
def test_what_is_no_hash_is_refused(value: str) -> None:
    """Anything but 64 small hexadecimal digits is refused."""
    with pytest.raises(ValidationError):
        check_content_hash(value)
