"""Numbers as a spreadsheet shows them: the format codes of ECMA-376 part 1, 18.8.31. Dates are given in ISO form."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from functools import lru_cache
from typing import Literal, cast

BUILT_IN_FORMATS = {
    1: "0",
    2: "0.00",
    3: "#,##0",
    4: "#,##0.00",
    5: '"$"#,##0;\\-"$"#,##0',
    6: '"$"#,##0;[Red]\\-"$"#,##0',
    7: '"$"#,##0.00;\\-"$"#,##0.00',
    8: '"$"#,##0.00;[Red]\\-"$"#,##0.00',
    9: "0%",
    10: "0.00%",
    11: "0.00E+00",
    12: "# ?/?",
    13: "# ??/??",
    37: "#,##0;(#,##0)",
    38: "#,##0;[Red](#,##0)",
    39: "#,##0.00;(#,##0.00)",
    40: "#,##0.00;[Red](#,##0.00)",
    41: '#,##0;\\-#,##0;"-"',
    42: '"$"#,##0;\\-"$"#,##0;"-"',
    43: '#,##0.00;\\-#,##0.00;"-"',
    44: '"$"#,##0.00;\\-"$"#,##0.00;"-"',
    48: "##0.0E+0",
}
"""Formats that a workbook names by number only; those of dates and times are left out."""

_MAX_CODE_CHARACTERS = 500
_NOT_ZERO = re.compile("[1-9]").search
_MAX_SHOWN = 1e21
_MAX_SERIAL = 2_958_466  # the day after 9999-12-31
_TOKEN = re.compile(
    r'"(?P<quoted>[^"]*)"?|\\(?P<escaped>.)|_(?P<space>.?)|\*(?P<filler>.?)|\[(?P<bracket>[^\]]*)\]?'
    r"|(?P<general>General|Standard)|(?P<exponent>E[+-])|(?P<date>AM/PM|A/P|[dmyhs]+)|(?P<digit>[0#?])"
    r"|(?P<sign>[.,%/@;])|(?P<other>.)",
    re.IGNORECASE | re.DOTALL,
)
_CONDITION = re.compile(r"\s*(<=|>=|<>|<|>|=)\s*(-?[0-9.]+)\s*")
_ELAPSED = re.compile(r"(?:h+|m+|s+)", re.IGNORECASE)
_Kind = Literal["literal", "digit", ".", ",", "%", "/", "@", "exponent", "general", "date"]
_Token = tuple[_Kind, str]
_NUDGE = 1 + 2**-51
_SIMPLE = re.compile(r"(?:(?P<grouped>#,##)0|(?P<zeros>0{1,20}))(?:\.(?P<decimals>0{1,15}))?")


@dataclass(frozen=True, slots=True)
class _Simple:
    """A section that Python's own formatting covers, fifty times as fast: nearly all that people use."""

    before: str
    spec: str
    after: str
    factor: int

    def show(self, value: float) -> str:
        # Two units in the last place up: 2.675 is stored as a little less, and is shown as 2.68 with two places.
        return f"{self.before}{value * self.factor * _NUDGE:{self.spec}}{self.after}"


@dataclass(frozen=True, slots=True)
class _Section:
    tokens: tuple[_Token, ...]
    condition: tuple[str, Decimal] | None = None
    simple: _Simple | None = None

    def has(self, kind: _Kind) -> bool:
        return any(one == kind for one, _text in self.tokens)

    def is_plain(self) -> bool:
        """Say whether it shows a number as it is."""
        return all(kind in ("general", "@") for kind, _text in self.tokens)

    def holds(self, value: Decimal) -> bool:
        if self.condition is None:
            return False
        sign, bound = self.condition
        return {
            "<": value < bound,
            ">": value > bound,
            "=": value == bound,
            "<=": value <= bound,
            ">=": value >= bound,
            "<>": value != bound,
        }[sign]


@dataclass(frozen=True, slots=True)
class NumberFormat:
    """A format code taken apart; made by `compile_format`."""

    sections: tuple[_Section, ...]
    has_conditions: bool

    @property
    def changes_numbers(self) -> bool:
        """Say whether a number is shown otherwise than as it is, or as the date that its first section makes of it."""
        first, *others = self.sections
        if first.has("date"):
            return first.condition is not None or any(
                other.tokens and not other.has("date") and not other.is_plain() for other in others[:2]
            )
        return not all(section.is_plain() for section in self.sections[:3])

    def show(self, value: float, *, is_1904: bool = False) -> str | None:
        """Return a number as it is shown; None where it is to be kept as it is: hidden, too large, plain."""
        if not -_MAX_SHOWN < value < _MAX_SHOWN:
            return None
        quick = self._quickly(value)
        if quick is not None:
            return quick
        number = Decimal(f"{value:.15g}")
        at = self._section_of(number)
        section = self.sections[at]
        if section.has("date"):
            return _show_date(value, is_1904=is_1904)
        if section.is_plain():
            return None
        text = " ".join(_show(section.tokens, abs(number)).split())
        if text and number < 0 and (at != 1 or section.condition is not None) and _NOT_ZERO(text):
            text = text if section.condition is not None and text.startswith("-") else f"-{text}"
        return text or None

    def _quickly(self, value: float) -> str | None:
        if self.has_conditions or (value == 0 and len(self.sections) > 2):  # noqa: PLR2004 the third is for zero
            return None
        negative = value < 0
        simple = self.sections[1 if negative and len(self.sections) > 1 else 0].simple
        if simple is None:
            return None
        text = simple.show(abs(value))
        return f"-{text}" if negative and len(self.sections) == 1 and _NOT_ZERO(text) else text

    def _section_of(self, number: Decimal) -> int:
        sections = self.sections[:3]
        if self.has_conditions:
            for at, section in enumerate(sections):
                if section.holds(number):
                    return at
            return max(at for at, section in enumerate(sections) if at == 0 or section.condition is None)
        if len(sections) == 1 or number > 0 or (number == 0 and len(sections) == 2):  # noqa: PLR2004 positive; negative; zero
            return 0
        return 1 if number < 0 else 2


@lru_cache(maxsize=4096)
def compile_format(code: str) -> NumberFormat:
    """Return a format code taken apart; never raises."""
    sections: list[_Section] = []
    tokens: list[_Token] = []
    condition: tuple[str, Decimal] | None = None
    for match in _TOKEN.finditer(code[:_MAX_CODE_CHARACTERS]):
        if match[0] == ";":
            sections.append(_Section(tuple(tokens), condition, _simplify(tokens)))
            tokens, condition = [], None
        elif match["bracket"] is not None:
            condition = _read_bracket(match["bracket"], tokens) or condition
        else:
            tokens.append(_token_of(match))
    sections.append(_Section(tuple(tokens), condition, _simplify(tokens)))
    return NumberFormat(tuple(sections), any(section.condition for section in sections))


def _simplify(tokens: Sequence[_Token]) -> _Simple | None:
    """Return a section as a format of Python, or None where it takes more than that."""
    at = [index for index, (kind, _text) in enumerate(tokens) if kind in ("digit", ",", ".")]
    if not at:
        return None
    first, end = at[0], at[-1] + 1
    match = _SIMPLE.fullmatch("".join(text for _kind, text in tokens[first:end]))
    around = [*tokens[:first], *tokens[end:]]
    if match is None or any(kind not in ("literal", "%") for kind, _text in around):
        return None
    places = len(match["decimals"] or "")
    whole = len(match["zeros"] or "0") + (places + 1 if places else 0)
    spec = f",.{places}f" if match["grouped"] else f"0{whole}.{places}f"
    before, after = ("".join(text for _kind, text in part) for part in (tokens[:first], tokens[end:]))
    return _Simple(before.lstrip(), spec, after.rstrip(), 100 ** sum(kind == "%" for kind, _text in around))


def _token_of(match: re.Match[str]) -> _Token:
    kinds: tuple[_Kind, ...] = ("exponent", "date", "digit", "general")
    for kind in kinds:
        if match[kind] is not None:
            return kind, match[kind]
    if match["sign"] is not None:
        return cast("_Kind", match["sign"]), match["sign"]
    if match["space"] is not None or match["filler"] is not None:
        return "literal", " "
    return "literal", match["quoted"] or match["escaped"] or match["other"] or ""


def _read_bracket(inside: str, tokens: list[_Token]) -> tuple[str, Decimal] | None:
    """Add the token of a bracket: a currency, elapsed time. Return its condition if it is one; colours say nothing."""
    condition = _CONDITION.fullmatch(inside)
    if condition:
        try:
            return condition[1], Decimal(condition[2])
        except ArithmeticError:
            return None
    if inside.startswith("$"):
        tokens.append(("literal", inside[1:].partition("-")[0]))
    elif _ELAPSED.fullmatch(inside):
        tokens.append(("date", inside))
    return None


def _show_date(serial: float, *, is_1904: bool) -> str | None:
    if not 0 <= serial < _MAX_SERIAL:
        return None
    seconds = round(serial * 86_400)
    if serial < 1:
        return str(timedelta(seconds=seconds)).rjust(8, "0")
    day = (1904, 1, 1) if is_1904 else (1899, 12, 31 if serial < 60 else 30)  # noqa: PLR2004 there, 1900 was a leap year
    start = datetime(*day)  # noqa: DTZ001 a sheet knows no time zone
    shown = start + timedelta(seconds=seconds)
    return shown.isoformat(sep=" ") if seconds % 86_400 else shown.date().isoformat()


def _show(tokens: Sequence[_Token], number: Decimal) -> str:
    kinds = [kind for kind, _text in tokens]
    number *= 100 ** kinds.count("%")
    if "general" in kinds:
        return "".join(_plain(number) if kind == "general" else text for kind, text in tokens)
    if "digit" not in kinds:
        return "".join(text for _kind, text in tokens)
    if "exponent" in kinds:
        return _show_scientific(tokens, kinds.index("exponent"), number)
    if "/" in kinds and "digit" in kinds[: kinds.index("/")]:
        return _show_fraction(tokens, kinds.index("/"), number)
    return _show_fixed(tokens, number)


def _plain(number: Decimal) -> str:
    text = f"{number:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _show_fixed(tokens: Sequence[_Token], number: Decimal) -> str:
    """Lay the digits of a number out over the places of its format; further ones go before the first place."""
    kinds = [kind for kind, _text in tokens]
    point = kinds.index(".") if "." in kinds else len(tokens)
    last = max((at for at in range(point) if kinds[at] == "digit"), default=-1)
    grouped = any(kinds[at] == "," for at in range(max(last, 0)) if "digit" in kinds[:at])
    places_end = max((at for at, kind in enumerate(kinds) if kind == "digit"), default=-1)
    number /= 1000 ** (_leading_commas(kinds[last + 1 : point]) + _leading_commas(kinds[max(places_end + 1, point) :]))
    places = kinds[point:].count("digit")
    whole, _dot, decimals = f"{number.quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP):f}".partition(".")
    return _show_whole(tokens[:point], whole.lstrip("0"), grouped=grouped) + _show_decimals(tokens[point:], decimals)


def _leading_commas(kinds: Sequence[str]) -> int:
    """Return how many commas follow the last place: each is for thousands that are left out."""
    return next((at for at, kind in enumerate(kinds) if kind != ","), len(kinds))


def _show_whole(tokens: Sequence[_Token], digits: str, *, grouped: bool) -> str:
    out: list[str] = []
    written = 0
    first = next((at for at, (kind, _text) in enumerate(tokens) if kind == "digit"), None)

    def write(digit: str) -> None:
        nonlocal written
        if grouped and written and written % 3 == 0:
            out.append(",")
        out.append(digit)
        written += 1

    for at in range(len(tokens) - 1, -1, -1):
        kind, text = tokens[at]
        if kind == "digit":
            taken = len(digits) if at == first else min(1, len(digits))
            for digit in reversed(digits[len(digits) - taken :]):
                write(digit)
            digits = digits[: len(digits) - taken]
            if not taken and text == "0":
                write("0")
        elif kind != ",":
            out.append(text[::-1])
    return "".join(out)[::-1] if first is not None else "".join(out)[::-1] + digits


def _show_decimals(tokens: Sequence[_Token], decimals: str) -> str:
    out: list[str] = []
    at = 0
    for kind, text in tokens:
        if kind == "digit":
            if text == "0" or decimals[at:].strip("0"):
                out.append(decimals[at])
            at += 1
        elif kind != ",":
            out.append(text)
    return "".join(out)


def _show_scientific(tokens: Sequence[_Token], mark: int, number: Decimal) -> str:
    before, after = tokens[:mark], tokens[mark + 1 :]
    point = next((at for at, (kind, _text) in enumerate(before) if kind == "."), mark)
    step = max(sum(kind == "digit" for kind, _text in before[:point]), 1)
    exponent = number.adjusted() // step * step if number else 0
    places = sum(kind == "digit" for kind, _text in before[point:])
    rounded = number.scaleb(-exponent).quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP)
    if rounded >= 10**step:
        exponent += step
    sign = "-" if exponent < 0 else tokens[mark][1][1:].replace("-", "")
    shown = _show_fixed(before, number.scaleb(-exponent))
    return shown + tokens[mark][1][0] + sign + _show_whole(after, str(abs(exponent)).lstrip("0"), grouped=False)


def _show_fraction(tokens: Sequence[_Token], mark: int, number: Decimal) -> str:
    """Return a whole number and a fraction, or a fraction alone where the format has no place before it."""
    places = sum(1 for kind, _text in tokens[mark + 1 :] if kind == "digit")
    fixed = "".join(text for kind, text in tokens[mark + 1 :] if kind in ("literal", "digit") and text.strip("#?"))
    gaps = [at for at in range(mark) if tokens[at][0] == "literal" and not tokens[at][1].strip()]
    mixed = any(kind == "digit" for kind, _text in tokens[: gaps[-1]]) if gaps else False
    exact = Fraction(number)
    whole = int(exact) if mixed else 0
    if fixed.strip().isdecimal() and int(fixed) > 0:
        below = int(fixed)
        part = Fraction(round((exact - whole) * below), 1)
    else:
        rounded = (exact - whole).limit_denominator(10 ** min(max(places, 1), 4) - 1)
        part, below = Fraction(rounded.numerator), rounded.denominator
    above = int(part)
    if mixed and above == below:
        whole, above = whole + 1, 0
    shown = f"{above}/{below}" if above or not mixed else ""
    return f"{whole} {shown}".strip() if mixed and (whole or not above) else shown
