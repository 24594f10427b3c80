"""What foreign texts look like on a screen, in a log or in an export: nothing in them acts. Every sink uses this."""

from __future__ import annotations

import re

_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")

# Characters that act on a terminal or reorder what is next to them: C0 and C1 controls, DEL, bidirectional
# embeddings, overrides and isolates, line and paragraph separators, zero-width marks, and lone surrogates.
_ACTING = re.compile(
    "[\x00-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\ud800-\udfff\U000e0000-\U000e007f]"
)


def safe_display(text: str, *, limit: int = 0) -> str:
    r"""Return ``text`` so that it cannot act on a terminal: acting characters become visible ``\xNN`` escapes.

    Used at every sink: screens, command line, logs, exports. With ``limit`` > 0 the middle is left out, so that
    the end of a path stays readable. Markup is not handled here: sinks must not interpret data as markup.
    """
    if not text.isprintable():  # which none of the acting characters is
        text = _ACTING.sub(_visible, text)
    if 0 < limit < len(text):
        head = (limit - 1) // 2
        text = f"{text[:head]}…{text[len(text) - (limit - 1 - head) :]}"
    return text


def safe_block(text: str) -> str:
    """Return several lines safe to show: like `safe_display`, but line feeds and tabs keep their meaning."""
    return "\n".join("\t".join(safe_display(cell) for cell in line.split("\t")) for line in text.split("\n"))


def safe_json(text: str) -> str:
    r"""Return JSON text in which acting characters are ``\uNNNN`` escapes: the same value, but harmless to show.

    JSON itself escapes C0 controls only; DEL, C1 and bidirectional controls are legal in its strings. Line feeds
    between values stay.
    """
    if text.isprintable() or (text.isascii() and "\x7f" not in text):
        return text
    return _ACTING.sub(_json_escape, text)


def acts_on_a_screen(text: str) -> bool:
    """Tell whether something in ``text`` acts on a terminal, or reorders what is next to it; line feeds do not."""
    return not text.isprintable() and any(match.group() != "\n" for match in _ACTING.finditer(text))


def safe_yaml(text: str) -> str:
    r"""Return YAML text in which acting characters are escapes; those in its texts must be in double quotes."""
    return text if text.isprintable() else _ACTING.sub(_yaml_escape, text)


def safe_cell(text: str) -> str:
    """Return a cell for a spreadsheet: safe to show, and never taken for a formula (a ``'`` is put before it).

    The beginnings are those that OWASP names for CSV injection, full-width forms included.
    """
    shown = safe_display(text)
    return f"'{shown}" if text.startswith(_FORMULA_STARTS) else shown


def _visible(match: re.Match[str]) -> str:
    code = ord(match.group())
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"  # noqa: PLR2004


def _yaml_escape(match: re.Match[str]) -> str:
    code = ord(match.group())
    return "\n" if match.group() == "\n" else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"  # noqa: PLR2004


def _json_escape(match: re.Match[str]) -> str:
    if match.group() == "\n":
        return "\n"
    # JSON escapes are UTF-16: two for what lies beyond the first plane.
    units = match.group().encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[at : at + 2].hex()}" for at in range(0, len(units), 2))
