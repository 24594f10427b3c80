"""The languages that people say the texts of a collection are in. Pure."""

from __future__ import annotations

from collections.abc import Sequence

_TESSERACT_NAMES = {
    "ar": "ara", "bg": "bul", "ca": "cat", "cs": "ces", "da": "dan", "de": "deu", "el": "ell", "en": "eng",
    "es": "spa", "et": "est", "eu": "eus", "fa": "fas", "fi": "fin", "fr": "fra", "ga": "gle", "gl": "glg",
    "he": "heb", "hi": "hin", "hr": "hrv", "hu": "hun", "hy": "hye", "id": "ind", "is": "isl", "it": "ita",
    "ja": "jpn", "ka": "kat", "ko": "kor", "la": "lat", "lt": "lit", "lv": "lav", "ms": "msa", "mt": "mlt",
    "nb": "nor", "ne": "nep", "nl": "nld", "no": "nor", "pl": "pol", "pt": "por", "ro": "ron", "ru": "rus",
    "sk": "slk", "sl": "slv", "sq": "sqi", "sr": "srp", "sv": "swe", "sw": "swa", "ta": "tam", "th": "tha",
    "tr": "tur", "uk": "ukr", "ur": "urd", "vi": "vie", "yi": "yid", "zh": "chi_sim",
}  # fmt: skip
"""The languages that can be named (ISO 639-1), and what Tesseract calls them."""


def check_text_languages(names: Sequence[str]) -> tuple[str, ...]:
    """Return languages in small letters, each once; raises ValueError for one that is not known."""
    languages = tuple(dict.fromkeys(name.strip().lower() for name in names))
    unknown = [name for name in languages if name not in _TESSERACT_NAMES]
    if unknown:
        known = " ".join(_TESSERACT_NAMES)
        raise ValueError(f"{unknown[0][:40]!r} is no language that is known here; there are {known}")
    return languages


def language_among(detected: str | None, languages: Sequence[str]) -> str | None:
    """Return the language that a text is analysed in: the detected one if it is among ``languages``, else the first.

    Without ``languages`` it is the detected one.
    """
    code = (detected or "").replace("_", "-").partition("-")[0].lower()
    return detected if not languages or code in languages else languages[0]


def ocr_languages_of(languages: Sequence[str]) -> str:
    """Return languages as OCR names them (``eng+deu``); empty for none."""
    return "+".join(dict.fromkeys(_TESSERACT_NAMES[name] for name in languages if name in _TESSERACT_NAMES))
