"""Letters of symbol fonts as Unicode: Symbol (PDF reference, annex D.5) and the usual signs of Wingdings."""

from __future__ import annotations

_SYMBOL_LOW = " !∀#∃%&∋()∗+,−./0123456789:;<=>?≅ΑΒΧΔΕΦΓΗΙϑΚΛΜΝΟΠΘΡΣΤΥςΩΞΨΖ[∴]⊥_‾αβχδεφγηιϕκλμνοπθρστυϖωξψζ{|}∼"
_SYMBOL_HIGH = "€ϒ′≤⁄∞ƒ♣♦♥♠↔←↑→↓°±″≥×∝∂•÷≠≡≈…⏐⎯↵ℵℑℜ℘⊗⊕∅∩∪⊃⊇⊄⊂⊆∈∉∠∇®©™∏√⋅¬∧∨⇔⇐⇑⇒⇓◊〈®©™∑⎛⎜⎝⎡⎢⎣⎧⎨⎩⎪"
_SYMBOL_LAST = "〉∫⌠⎮⌡⎞⎟⎠⎤⎥⎦⎫⎬⎭"
_SYMBOL = {
    **{0x20 + at: sign for at, sign in enumerate(_SYMBOL_LOW)},
    **{0xA0 + at: sign for at, sign in enumerate(_SYMBOL_HIGH)},
    **{0xF1 + at: sign for at, sign in enumerate(_SYMBOL_LAST)},
}
_WINGDINGS = {
    0x20: " ",
    0x4A: "☺",
    0x6C: "●",
    0x6E: "■",
    0x6F: "□",
    0x71: "❑",
    0x75: "◆",
    0x76: "❖",
    0x9F: "•",
    0xA7: "▪",
    0xA8: "◻",
    0xD8: "➢",
    0xDF: "←",
    0xE0: "→",
    0xE1: "↑",
    0xE2: "↓",
    0xE8: "➔",
    0xF0: "⇨",
    0xFB: "✗",
    0xFC: "✓",
    0xFD: "☒",
    0xFE: "☑",
}
_PRIVATE = 0xF000
"""Word writes the letters of symbol fonts here."""


def is_symbol_font(name: str) -> bool:
    """Say whether the letters of a font are other signs than they are in the text."""
    return name == "Symbol" or name.startswith(("Wingdings", "Webdings"))


def decode_symbols(text: str, font: str) -> str:
    """Return what a text in a symbol font shows; of a sign without a known meaning nothing is shown."""
    if not is_symbol_font(font):
        return text
    table = _SYMBOL if font == "Symbol" else _WINGDINGS if font == "Wingdings" else {}
    return "".join(_decoded(ord(letter), letter, table) for letter in text)


def _decoded(code: int, letter: str, table: dict[int, str]) -> str:
    if _PRIVATE <= code <= _PRIVATE + 0xFF:
        return table.get(code - _PRIVATE, "")
    return table.get(code, letter)
