"""Bytes to text: byte order mark, then strict UTF-8, then a guess that is always named as one."""

from __future__ import annotations

import re
from codecs import BOM_UTF8, BOM_UTF16_BE, BOM_UTF16_LE, BOM_UTF32_BE, BOM_UTF32_LE
from collections.abc import Sequence
from itertools import accumulate, pairwise

from ingest_tui.extraction.intake.guessing import WESTERN_BYTES, guess_encoding, uses_iso_2022
from ingest_tui.extraction.intake.japanese import decode_strictly
from ingest_tui.extraction.intake.labels import codec_of, is_multi_byte
from ingest_tui.model.counted import counted
from ingest_tui.model.errors import ItemRejectedError
from ingest_tui.model.extraction import Finding

_SAMPLE_BYTES = 64 * 1024
_BOMS = (
    (BOM_UTF8, "utf-8-sig"),
    (BOM_UTF32_LE, "utf-32"),  # before UTF-16: its mark begins with the one of UTF-16 LE
    (BOM_UTF32_BE, "utf-32"),
    (BOM_UTF16_LE, "utf-16"),
    (BOM_UTF16_BE, "utf-16"),
)
_MARKS = tuple(mark for mark, _encoding in _BOMS)
_DROPPED = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_DROPPED_BYTES = bytes(set(range(32)) - set(b"\t\n")) + b"\x7f"
_PIECE_CHARACTERS = 1024**2
_CONTROL_BYTES = bytes(set(range(32)) - set(b"\t\n\v\f\r\x1b\b")) + b"\x7f"
_ASCII = bytes(range(128))
_BEGUN_UTF8 = re.compile(rb"[\xc2-\xf4][\x80-\xbf]")
_MAX_CONTROL_SHARE = 0.02
_UTF16_NUL_SHARE = 0.3
_MAX_BROKEN_SHARE = 0.1
_MARK_DOUBTED_FROM_BYTES = 16
_LEAST_FOREIGN_BYTES = 8
_SHIFTS = b"\x0e\x0f"
_KOREAN_ESCAPE = b"\x1b$)C"
_LEAST_WIDE_CHARACTERS = 8
_WIDE_SHARE = 0.1
_LEAST_UTF32_BYTES = 16
_HIGHEST_PLANE = 16
_ASCII_TEXT = b"\x00\t\n\r" + bytes(range(32, 127))
_WIDE_TEXT = re.compile(
    "[\t\n\r -~\u00a0-\u052f\u0590-\u06ff\u0900-\u0e7f\u10a0-\u10ff\u1e00-\u206f\u20a0-\u20bf\u2100-\u214f"
    "\u3000-\u30ff\u3400-\u9fff\uac00-\ud7a3\uff00-\uffef\U0001f000-\U0001faff\U00020000-\U0003ffff]*"
    "\ufffd?"  # half of a pair, where the sample ends
)
_PAUSE = re.compile("[ \n\u3001\u3002\uff0c]")


def decode_text(content: bytes) -> tuple[str, str, list[Finding]]:
    """Return the text, the encoding it was read with and what is wrong with it.

    Raises `ItemRejectedError` (``unsupported_type``) for bytes that are no text in any encoding we know.
    """
    mark = content[:4]
    if mark[:1] in (b"\xef", b"\xff", b"\xfe", b"\x00"):
        for bom, encoding in _BOMS:
            if mark.startswith(bom):
                return _decode_marked(content, bom, encoding)
    return _decode_unmarked(content)


def decode_declared(content: bytes, label: str) -> tuple[str, str, list[Finding]]:
    """Return the text of a document that says what its encoding is, the encoding it was read with, and findings.

    ``label`` is what the document says, by the table of `labels`; empty for one that says nothing. A byte order mark
    goes first, then UTF-8 where the bytes are that (a wrong label is common, valid UTF-8 by chance is not), then the
    label, and a guess where the bytes cannot be what the label says.
    Raises `ItemRejectedError` as `decode_text` does.
    """
    codec = codec_of(label) if label else None
    findings = [Finding("warning", "unknown_charset", f"unknown charset {label[:40]}")] if label and not codec else []
    if codec is None or content.startswith(_MARKS):
        text, encoding, more = decode_text(content)
        return text, encoding, [*findings, *more]
    for candidate in (codec, "utf-8") if is_multi_byte(codec) else ("utf-8", codec):
        try:
            text = decode_strictly(content, candidate)
        except UnicodeDecodeError:
            continue
        if not _is_noise(text):
            return text, candidate, _mismatch(codec, candidate, content)
    return _despite_label(content, codec)


def _mismatch(declared: str, used: str, content: bytes) -> list[Finding]:
    if used == declared or declared in ("ascii", "utf-8") or content.isascii():
        return []
    return [Finding("warning", "encoding_mismatch", f"declared as {declared}, read as {used}, which its bytes are")]


def _is_noise(text: str) -> bool:
    """Say whether a text that was decoded is none: NULs in every second place are UTF-16, not what was declared."""
    sample = text[:_SAMPLE_BYTES]
    return sample.count("\x00") > len(sample) * _UTF16_NUL_SHARE


def _despite_label(content: bytes, codec: str) -> tuple[str, str, list[Finding]]:
    """Read a document whose bytes are not what it says: with a few bad characters as it says, else by a guess."""
    try:
        replaced = content.decode(codec, "replace")
    except UnicodeError:  # a codec that cannot go past an error
        replaced = "\ufffd" * len(content)
    broken = replaced.count("\ufffd")
    beyond_ascii = sum(1 for character in replaced if character > "\x7f")
    if codec != "utf-8" and broken <= beyond_ascii * _MAX_BROKEN_SHARE:
        message = f"not valid {codec} in {counted(broken, 'place')}: unreadable characters replaced"
        return replaced, codec, [Finding("error", "undecodable_bytes", message)]
    text, encoding, findings = decode_text(content)
    return (
        text,
        encoding,
        [
            Finding("warning", "encoding_mismatch", f"declared as {codec}, its bytes are not: not relied on"),
            *findings,
        ],
    )


def _undecodable(encoding: str, error: UnicodeDecodeError) -> Finding:
    message = f"not valid {encoding} at byte {error.start}: unreadable characters replaced"
    return Finding("error", "undecodable_bytes", message)


def _decode_unmarked(content: bytes) -> tuple[str, str, list[Finding]]:
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError:
        text = ""
    else:
        # A NUL is legal UTF-8; only the slow path can tell UTF-16 without a mark from a stray NUL in a text.
        if "\x00" not in text and (len(text) > _SAMPLE_BYTES or not _has_many_controls(content)):
            return _decode_iso_2022(content) or (text, "utf-8", [])
    wide = _guess_wide(content[:_SAMPLE_BYTES])
    if wide:
        unit = 4 if wide.startswith("utf-32") else 2
        whole = content[: len(content) // unit * unit]
        return whole.decode(wide, "replace"), wide, [_guessed(wide, "there is no byte order mark")]
    if _has_many_controls(content[:_SAMPLE_BYTES]):
        raise ItemRejectedError("these bytes are not text", code="unsupported_type")
    if text:
        return text, "utf-8", [Finding("warning", "nul_characters", "contains NUL characters: dropped")]
    return _decode_legacy(content)


def looks_like_text(sample: bytes) -> bool:
    """Say whether the beginning of a file is text in some encoding; cheap, and sure only of what is not."""
    if sample.startswith(tuple(bom for bom, _encoding in _BOMS)):
        return True
    if b"\x00" in sample:
        return _guess_wide(sample) is not None
    return not _has_many_controls(sample)


def _has_many_controls(content: bytes) -> bool:
    sample = content[:_SAMPLE_BYTES]
    if _KOREAN_ESCAPE in sample:  # ISO 2022-KR goes to and fro with control characters
        sample = sample.translate(None, _SHIFTS)
    return len(sample) - len(sample.translate(None, _CONTROL_BYTES)) > max(1, len(sample) * _MAX_CONTROL_SHARE)


def _decode_marked(content: bytes, mark: bytes, encoding: str) -> tuple[str, str, list[Finding]]:
    if encoding != "utf-8-sig" and _is_eight_bit_text(content[len(mark) :]):
        return _despite_mark(content[len(mark) :], encoding)
    try:
        return content.decode(encoding), encoding, []
    except UnicodeDecodeError as error:
        if encoding == "utf-8-sig":
            return _despite_mark(content[len(mark) :], "utf-8")
        return content.decode(encoding, "replace"), encoding, [_undecodable(encoding, error)]


def _despite_mark(content: bytes, marked: str) -> tuple[str, str, list[Finding]]:
    """Read what is after a byte order mark that is wrong: a tool has put it before the bytes of another one."""
    text, encoding, findings = _decode_unmarked(content)
    mismatch = Finding(
        "warning", "bom_mismatch", f"the byte order mark says {marked}, the bytes are not: not relied on"
    )
    return text, encoding, [mismatch, *findings]


def _is_eight_bit_text(content: bytes) -> bool:
    """Say whether bytes after a mark of UTF-16 or 32 are UTF-8 after all; some 8 letters are enough to be sure."""
    sample = content[:_SAMPLE_BYTES]
    if len(sample) < _MARK_DOUBTED_FROM_BYTES or b"\x00" in sample or not (b" " in sample or b"\n" in sample):
        return False
    try:
        content.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return not _has_many_controls(content)


def _guessed(encoding: str, why: str) -> Finding:
    return Finding("warning", "encoding_guessed", f"read as {encoding}: a guess, {why}")


def _guess_wide(sample: bytes) -> str | None:
    return _guess_utf32(sample) or _guess_utf16(sample) if b"\x00" in sample else None


def _guess_utf32(sample: bytes) -> str | None:
    """Name UTF-32 without a mark: of each four bytes the highest is 0, the next at most 16, and all are letters."""
    whole = sample[: len(sample) // 4 * 4]
    if len(whole) < _LEAST_UTF32_BYTES:
        return None
    for codec, highest, second in (("utf-32-le", 3, 2), ("utf-32-be", 0, 1)):
        if any(whole[highest::4]) or max(whole[second::4]) > _HIGHEST_PLANE:
            continue
        try:
            text = whole.decode(codec)
        except UnicodeDecodeError:
            continue
        return codec if _WIDE_TEXT.fullmatch(text) else None
    return None


def _guess_utf16(sample: bytes) -> str | None:
    """Name UTF-16 without a mark: mostly Latin text has a NUL in every second byte, other scripts in their spaces."""
    half = len(sample) // 2
    if half == 0 or b"\x00" not in sample:
        return None
    if _has_many_controls(sample.translate(None, b"\x00")):
        return _guess_wide_script(sample[: half * 2])
    even, odd = sample[0::2].count(0), sample[1::2].count(0)
    if odd > half * _UTF16_NUL_SHARE and even < odd / 10:
        return "utf-16-le"
    if even > half * _UTF16_NUL_SHARE and odd < even / 10:
        return "utf-16-be"
    return _guess_wide_script(sample[: half * 2])


def _guess_wide_script(sample: bytes) -> str | None:
    """Name UTF-16 in a script that is not Latin: nothing but its characters, with spaces, line ends or full stops."""
    if len(sample) < _LEAST_WIDE_CHARACTERS * 2:
        return None
    if len(sample.translate(None, _ASCII_TEXT)) < len(sample) * _WIDE_SHARE:  # pairs of Latin letters look Chinese
        return None
    best, most = None, 0
    for codec in ("utf-16-le", "utf-16-be"):
        text = sample.decode(codec, "replace")
        if _WIDE_TEXT.fullmatch(text) and (pauses := len(_PAUSE.findall(text))) > most:
            best, most = codec, pauses
    return best


def _decode_legacy(content: bytes) -> tuple[str, str, list[Finding]]:
    replaced = content.decode("utf-8", "replace")
    broken = replaced.count("\ufffd")
    beyond_ascii = sum(1 for character in replaced[:_SAMPLE_BYTES] if character > "\x7f")
    by_line = _decode_by_line(content) if beyond_ascii > broken else None
    if by_line is not None:
        return by_line
    if broken < beyond_ascii * _MAX_BROKEN_SHARE:
        message = f"not valid UTF-8 in {counted(broken, 'place')}: unreadable characters replaced"
        return replaced, "utf-8", [Finding("error", "undecodable_bytes", message)]
    encoding = guess_encoding(content)
    findings = [_guessed(encoding, "not valid UTF-8")]
    try:
        return decode_strictly(content, encoding), encoding, findings
    except UnicodeDecodeError as error:
        return content.decode(encoding, "replace"), encoding, [_undecodable(encoding, error), *findings]


def _decode_by_line(content: bytes) -> tuple[str, str, list[Finding]] | None:
    """Read a text whose lines are in UTF-8 or one other encoding, as in logs of several programs; None for others."""
    lines: list[str] = []
    foreign: dict[int, bytes] = {}
    for number, line in enumerate(content.split(b"\n")):
        try:
            lines.append(line.decode("utf-8"))
        except UnicodeDecodeError:
            if _BEGUN_UTF8.search(line):
                return None
            foreign[number] = line
            lines.append("")
    together = b"\n".join(foreign.values())
    beyond = together.translate(None, _ASCII)
    other = "cp1252"
    if not WESTERN_BYTES.issuperset(beyond):
        if len(beyond) < _LEAST_FOREIGN_BYTES:
            return None
        other = guess_encoding(together)
    try:
        for number, line in foreign.items():
            lines[number] = line.decode(other)
    except UnicodeDecodeError:
        return None
    message = f"{len(foreign)} of {counted(len(lines), 'line')} are not UTF-8: read as {other}"
    return "\n".join(lines), "utf-8", [Finding("warning", "mixed_encodings", message)]


def _decode_iso_2022(content: bytes) -> tuple[str, str, list[Finding]] | None:
    """Read a text that looks like ASCII and holds Japanese or Korean between escape sequences; None for others."""
    codec = uses_iso_2022(content) if b"\x1b" in content else None
    if codec is None:
        return None
    try:
        text = decode_strictly(content, codec)
    except UnicodeDecodeError:
        return None
    return None if text.isascii() else (text, codec, [_guessed(codec, "by its escape sequences")])


def normalise_text(text: str) -> str:
    r"""Return ``text`` with ``\n`` line ends, no control characters but newline and tab, no spaces at line ends.

    Form feeds and vertical tabs become newlines: they separate. Nothing else changes: no Unicode normalisation,
    so an already clean text is returned as it is. Linear in the length of the text.
    """
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    try:
        has_controls = _has_controls(text)
    except UnicodeEncodeError:  # JSON escapes and broken parsers bring lone surrogates, which no file can hold
        text = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
        has_controls = _has_controls(text)
    if has_controls:
        text = _DROPPED.sub("", text.replace("\f", "\n").replace("\v", "\n"))
    if " \n" in text or ("\t" in text and "\t\n" in text) or text[-1:] in (" ", "\t"):
        text = "\n".join([line.rstrip(" \t") for line in text.split("\n")])
    return text


def _has_controls(text: str) -> bool:
    """Whether a text has characters that are dropped. Ten times as fast as searching with a pattern."""
    for start in range(0, len(text), _PIECE_CHARACTERS):  # a large text is not there three times
        raw = text[start : start + _PIECE_CHARACTERS].encode("utf-8")
        if len(raw.translate(None, _DROPPED_BYTES)) != len(raw):
            return True
    return False


def normalise_pages(text: str, page_starts: Sequence[int]) -> tuple[str, list[int]]:
    """Return the text as `normalise_text` does, and the offsets at which its pages begin then."""
    clean = normalise_text(text)
    if len(clean) == len(text) or not page_starts:  # nothing is ever added, so nothing was taken out
        return clean, list(page_starts)
    pages = [normalise_text(text[start:end]) for start, end in pairwise((0, *map(abs, page_starts), len(text)))]
    starts = list(accumulate(map(len, pages)))[:-1]
    starts[-1] = -starts[-1] if page_starts[-1] < 0 else starts[-1]  # the end of the pages: see model.pages
    return "".join(pages), starts
