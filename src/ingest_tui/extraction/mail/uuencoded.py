"""Files that are written into the text of a mail, as before MIME: ``begin 644 plan.txt``, lines, ``end``."""

from __future__ import annotations

import binascii
import re
from typing import NamedTuple

MOST_FILES = 100
_FILE = re.compile(r"^begin [0-7]{3,4} (\S[^\r\n]{0,254})\r?\n((?:[ -`]{1,80}\r?\n)+)end[ \t]*\r?$", re.MULTILINE)


class WrittenFile(NamedTuple):
    """A file: its name and its bytes."""

    name: str
    content: bytes


def take_files(text: str) -> tuple[str, list[WrittenFile]]:
    """Return a text without the files that are written into it, and these; what cannot be decoded stays in the text."""
    if "begin " not in text:
        return text, []
    files: list[WrittenFile] = []

    def take(match: re.Match[str]) -> str:
        content = _decoded(match[2].splitlines()) if len(files) < MOST_FILES else None
        if content is None:
            return match[0]
        files.append(WrittenFile(match[1].strip(), content))
        return ""

    return _FILE.sub(take, text), files


def _decoded(lines: list[str]) -> bytes | None:
    try:
        return b"".join(_line(line) for line in lines)
    except (binascii.Error, ValueError):
        return None


def _line(line: str) -> bytes:
    """Return the bytes of a line. Some programs put a check sum after what its first character counts."""
    count = (ord(line[0]) - 32) & 63
    return binascii.a2b_uu(line[: 1 + (count * 4 + 2) // 3])
