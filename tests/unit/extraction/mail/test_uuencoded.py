"""Files that are written into the text of a mail, as before MIME."""

from __future__ import annotations

import binascii

import pytest

from ingest_tui.extraction.mail.uuencoded import MOST_FILES, take_files
from ingest_tui.extraction.parse import extract_text


def written(name: str, content: bytes, end: str = "`\n") -> str:
    lines = [binascii.b2a_uu(content[at : at + 45]).decode() for at in range(0, len(content), 45)]
    return f"begin 644 {name}\n{''.join(lines)}{end}end\n"


def test_a_file_in_the_text_of_a_mail_is_attached() -> None:
    """It is named with the attachments and read as one; its lines are no text of the mail."""
    table = b"Name,Amount\napples,12\n" * 20
    body = f"See the table.\n\n{written('stock list.csv', table)}\nRegards\n"
    text = extract_text(f"From: a@example.org\nSubject: Stock\n\n{body}".encode(), ".eml")
    name = f"stock list.csv (text/csv, {len(table)} bytes)"
    assert text.index("See the table.") < text.index("Regards") < text.index(name)
    assert "| apples | 12 |" in text
    assert "begin 644" not in text


@pytest.mark.parametrize("end", ["`\n", " \n", "", "`\r\n"])
@pytest.mark.parametrize("content", [b"a", b"ab", b"abc", bytes(range(256))])
def test_files_are_decoded_as_they_were_written(content: bytes, end: str) -> None:
    """Whatever line ends the file, and with check sums at the ends of lines."""
    text = f"before\n{written('a.bin', content, end)}after\n"
    assert take_files(text) == ("before\n\nafter\n", [("a.bin", content)])
    with_sums = "\n".join(f"{line}X" if line[:1] in ("M", "!", "$") else line for line in text.split("\n"))
    assert take_files(with_sums)[1][0].content == content


@pytest.mark.parametrize(
    "text",
    [
        "we begin 644 days ago\nand\nend\n",
        "begin 644 a.txt\nthis is a sentence\nend\n",
        "begin 644 a.txt\n#86)C\nno end\n",
        "begin 644 a.txt\nend\n",
    ],
)
def test_texts_that_only_look_like_it_stay(text: str) -> None:
    """Sentences with these words, and a file that is cut off, are the text that they are."""
    assert take_files(text) == (text, [])


def test_files_are_limited() -> None:
    """What is beyond the most files stays in the text."""
    text, files = take_files(written("a", b"x") * (MOST_FILES + 1))
    assert len(files) == MOST_FILES
    assert text.count("begin 644") == 1
