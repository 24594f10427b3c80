"""How often the encoding of a text without a label is found: python benchmarks/encodings.py

Sentences in 40 languages (encoding_sentences.json), each in the encodings in use for it, as a list of words, as
one sentence and as twenty lines; next to three detectors as they come. A text counts as read when every character of it
is right. charset-normalizer and chardetng_py are compared where they are installed.
"""

from __future__ import annotations

import json
import time
import unicodedata
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path

from ingest_tui.extraction.intake.guessing import guess_encoding, uses_iso_2022
from ingest_tui.extraction.intake.labels import codec_of

LENGTHS = ("words", "sentence", "20 lines")


def texts() -> Iterator[tuple[str, str, str, str]]:
    """Yield language, codec, length and text."""
    rows = json.loads(Path(__file__).with_name("encoding_sentences.json").read_text("utf-8"))
    for row in rows:
        language, sentence, codecs = row["language"], row["text"], row["encodings"]
        words = " ".join(word for word in sentence.split() if not word.isascii())[:40]
        for codec in codecs:
            for length, text in zip(LENGTHS, (words, sentence, f"{sentence}\n" * 20), strict=True):
                form = unicodedata.normalize("NFD", text) if codec == "cp1258" else text
                yield language, codec, length, form.encode(codec, "ignore").decode(codec)


def ours(content: bytes) -> str | None:
    """Guess as the program does."""
    return uses_iso_2022(content) or guess_encoding(content)


def by_chardet(content: bytes) -> str | None:
    """Guess with chardet as it comes."""
    import chardet

    return chardet.detect(content, compat_names=False)["encoding"]


def by_charset_normalizer(content: bytes) -> str | None:
    """Guess with charset-normalizer as it comes."""
    from charset_normalizer import from_bytes

    best = from_bytes(content).best()
    return best.encoding if best else None


def by_chardetng(content: bytes) -> str | None:
    """Guess with chardetng, which Firefox uses."""
    import chardetng_py

    detector = chardetng_py.EncodingDetector()
    detector.feed(content, last=True)
    return str(detector.guess(tld=None, allow_utf8=False))


def reads(content: bytes, encoding: str | None, text: str) -> bool:
    """Say whether decoding with what was found gives the text."""
    try:
        return content.decode(codec_of(encoding or "") or encoding or "ascii") == text
    except (UnicodeDecodeError, LookupError):
        return False


def main() -> None:
    """Print a row for each detector: how many of the texts of each length are read right, and how long one took."""
    detectors: dict[str, Callable[[bytes], str | None]] = {"ours": ours, "chardet": by_chardet}
    if find_spec("charset_normalizer"):
        detectors["charset-normalizer"] = by_charset_normalizer
    if find_spec("chardetng_py"):
        detectors["chardetng"] = by_chardetng
    everything = list(texts())
    print("| detector | " + " | ".join(LENGTHS) + " | ms a text |\n|---|" + "---|" * (len(LENGTHS) + 1))
    for name, detect in detectors.items():
        began = time.perf_counter()
        found = [
            (length, reads(text.encode(codec), detect(text.encode(codec)), text), language, codec)
            for language, codec, length, text in everything
        ]
        each = (time.perf_counter() - began) / len(everything) * 1000
        shares = [sum(ok for at, ok, *_ in found if at == length) for length in LENGTHS]
        count = len(everything) // len(LENGTHS)
        print(f"| {name} | " + " | ".join(f"{share} of {count}" for share in shares) + f" | {each:.1f} |")
        if name == "ours":
            missed = [f"{language} in {codec} ({length})" for length, ok, language, codec in found if not ok]
    print("\nnot read by ours:", "; ".join(missed))


if __name__ == "__main__":
    main()
