"""Bytes to text: byte order mark, then strict UTF-8, then a guess that is always named as one."""

from __future__ import annotations

import re
from codecs import BOM_UTF8, BOM_UTF16_BE, BOM_UTF16_LE, BOM_UTF32_BE, BOM_UTF32_LE
from itertools import pairwise

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
_DROPPED = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_DROPPED_BYTES = bytes(set(range(32)) - set(b"\t\n")) + b"\x7f"
_CONTROL_BYTES = bytes(set(range(32)) - set(b"\t\n\v\f\r\x1b\b")) + b"\x7f"
_ASCII = bytes(range(128))
_BEGUN_UTF8 = re.compile(rb"[\xc2-\xf4][\x80-\xbf]")
_WORD_BYTES = re.compile(rb"[A-Za-z\x80-\xff]+")
_MAX_CONTROL_SHARE = 0.02
_UTF16_NUL_SHARE = 0.3
_MAX_BROKEN_SHARE = 0.1
_MARK_DOUBTED_FROM_BYTES = 16


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


def decode_declared(content: bytes, encoding: str) -> tuple[str, list[Finding]]:
    """Return the text in the encoding that the document itself declares; LookupError for an unknown one."""
    try:
        return content.decode(encoding), []
    except UnicodeDecodeError as error:
        return content.decode(encoding, "replace"), [_undecodable(encoding, error)]
    except UnicodeError as error:  # a codec that is no encoding of texts, like idna
        raise LookupError(encoding) from error


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
            return text, "utf-8", []
    wide = _guess_utf16(content[:_SAMPLE_BYTES])
    if wide:
        whole = content[: len(content) // 2 * 2]
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
        return _guess_utf16(sample) is not None
    return not _has_many_controls(sample)


def _has_many_controls(content: bytes) -> bool:
    sample = content[:_SAMPLE_BYTES]
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
    """Read what is behind a byte order mark that is wrong: a tool has put it before the bytes of another one."""
    text, encoding, findings = _decode_unmarked(content)
    mismatch = Finding(
        "warning", "bom_mismatch", f"the byte order mark says {marked}, the bytes are not: not relied on"
    )
    return text, encoding, [mismatch, *findings]


def _is_eight_bit_text(content: bytes) -> bool:
    """Say whether bytes behind a mark of UTF-16 or 32 are UTF-8 after all; some 8 letters are enough to be sure."""
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


def _guess_utf16(sample: bytes) -> str | None:
    """Name UTF-16 without a mark: mostly Latin text has a NUL in every second byte."""
    half = len(sample) // 2
    if half == 0 or b"\x00" not in sample or _has_many_controls(sample.translate(None, b"\x00")):
        return None
    even, odd = sample[0::2].count(0), sample[1::2].count(0)
    if odd > half * _UTF16_NUL_SHARE and even < odd / 10:
        return "utf-16-le"
    if even > half * _UTF16_NUL_SHARE and odd < even / 10:
        return "utf-16-be"
    return None


def _decode_legacy(content: bytes) -> tuple[str, str, list[Finding]]:
    replaced = content.decode("utf-8", "replace")
    broken = replaced.count("\ufffd")
    beyond_ascii = sum(1 for character in replaced[:_SAMPLE_BYTES] if character > "\x7f")
    by_line = _decode_by_line(content) if beyond_ascii > broken else None
    if by_line is not None:
        return by_line
    if broken < beyond_ascii * _MAX_BROKEN_SHARE:
        message = f"not valid UTF-8 in {broken} places: unreadable characters replaced"
        return replaced, "utf-8", [Finding("error", "undecodable_bytes", message)]
    sample = content[:_SAMPLE_BYTES]
    encoding = "cp1252" if _looks_western(sample) else _guess_encoding(sample)
    findings = [_guessed(encoding, "not valid UTF-8")]
    try:
        return content.decode(encoding), encoding, findings
    except UnicodeDecodeError as error:
        return content.decode(encoding, "replace"), encoding, [_undecodable(encoding, error), *findings]


def _decode_by_line(content: bytes) -> tuple[str, str, list[Finding]] | None:
    """Read a text whose lines are in UTF-8 or in cp1252, as in logs that several programs wrote; None for others."""
    lines: list[str] = []
    foreign = 0
    for line in content.split(b"\n"):
        try:
            lines.append(line.decode("utf-8"))
        except UnicodeDecodeError:
            if _BEGUN_UTF8.search(line) or not _WESTERN.issuperset(line.translate(None, _ASCII)):
                return None
            lines.append(line.decode("cp1252"))
            foreign += 1
    message = f"{foreign} of {len(lines)} lines are not UTF-8: read as cp1252"
    return "\n".join(lines), "utf-8", [Finding("warning", "mixed_encodings", message)]


def _looks_western(sample: bytes) -> bool:
    """Say whether the high bytes read as single accents or quotes between Latin letters.

    A short Latin-1 text is a toss-up for statistics, and cp1252 is by far the most frequent of the candidates.
    """
    high = [word for word in _WORD_BYTES.findall(sample) if max(word) > 0x7F]  # noqa: PLR2004 ASCII ends here
    try:
        sample.decode("cp1252")
    except UnicodeDecodeError:
        return False
    if not high:
        return True
    runs = sum(1 for word in high for left, right in pairwise(word) if left > 0x7F and right > 0x7F)  # noqa: PLR2004
    letters = sum(len(word) for word in high)
    beyond = sum(1 for word in high for byte in word if byte > 0x7F)  # noqa: PLR2004
    typical = sum(1 for word in high for byte in word if byte in _WESTERN)
    return runs <= beyond * 0.1 and beyond <= letters * 0.5 and typical >= beyond * 0.9


_WESTERN = frozenset(
    "äöüÄÖÜßéèêëÉÈÊàâáÀÁçÇîïíìôóòûúùñÑåÅæÆøØ–—‘’“”„…•€«»°§©®·×¿¡".encode("cp1252"),
)


def _guess_encoding(sample: bytes) -> str:
    from charset_normalizer import from_bytes

    best = from_bytes(sample).best()
    return best.encoding if best is not None else "latin-1"


def normalise_text(text: str) -> str:
    r"""Return ``text`` with ``\n`` line ends, no control characters but newline and tab, no spaces at line ends.

    Form feeds and vertical tabs become newlines: they separate. Nothing else changes: no Unicode normalisation,
    so an already clean text is returned as it is. Linear in the length of the text.
    """
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    try:
        raw = text.encode("utf-8")
    except UnicodeEncodeError:  # JSON escapes and broken parsers bring lone surrogates, which no file can hold
        text = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
        raw = text.encode("utf-8")
    if len(raw.translate(None, _DROPPED_BYTES)) != len(raw):  # ten times as fast as searching with a pattern
        text = _DROPPED.sub("", text.replace("\f", "\n").replace("\v", "\n"))
    if " \n" in text or "\t\n" in text or text[-1:] in (" ", "\t"):
        text = "\n".join([line.rstrip(" \t") for line in text.split("\n")])
    return text
