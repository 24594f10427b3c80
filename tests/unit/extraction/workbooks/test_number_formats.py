"""Format codes: a number is shown as spreadsheet programs show it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest_tui.extraction.workbooks.number_formats import BUILT_IN_FORMATS, compile_format


@pytest.mark.parametrize(
    ("code", "value", "shown"),
    [
        ("00000", 420, "00420"),
        ("00000", 123456, "123456"),
        ("000-00-0000", 12345678, "012-34-5678"),
        ("(000) 000-0000", 2125551234, "(212) 555-1234"),
        ("0%", 0.125, "13%"),
        ("0.0%", 0.125, "12.5%"),
        ("#,##0.00", 1234567.891, "1,234,567.89"),
        ("#,##0", 999, "999"),
        ("#,##0", -1234, "-1,234"),
        ("0.00", 4232.240000000001, "4232.24"),
        ("0.00", 2.675, "2.68"),
        ("#.##", 0.5, ".5"),
        ("0.0#", 3, "3.0"),
        ("0", 0.4, "0"),
        ("0", -0.4, "0"),
        ('"$"#,##0.00', 12.5, "$12.50"),
        ("[$€-407] #,##0.00", 1234.5, "€ 1,234.50"),
        ("#,##0.00\\ [$€-1]", 1234.5, "1,234.50 €"),
        ('0.0" kg"', 2.25, "2.3 kg"),
        ("#,##0_);(#,##0)", -1234, "(1,234)"),
        ("#,##0_);[Red](#,##0)", 1234, "1,234"),
        ('_(* #,##0.00_);_(* (#,##0.00);_(* "-"??_);_(@_)', 0, "-"),
        ("#,##0,", 1234567, "1,235"),
        ('0.0,,"M"', 12_345_678, "12.3M"),
        ("0.00E+00", 12345.678, "1.23E+04"),
        ("0.00E+00", 0.00012, "1.20E-04"),
        ("##0.0E+0", 12345, "12.3E+3"),
        ("0.0E+0", 9.99, "1.0E+1"),
        ("# ?/?", 1.5, "1 1/2"),
        ("# ??/??", 0.25, "1/4"),
        ("# ?/8", 0.5, "4/8"),
        ("?/?", 1.5, "3/2"),
        ("# ?/?", 2, "2"),
        ('[>=1000]#,##0,"k";0', 25_000, "25k"),
        ('[>=1000]#,##0,"k";0', 25, "25"),
        ('[=1]"yes";[=0]"no";0', 0, "no"),
        ('[=1]"yes";[=0]"no";0', 1, "yes"),
        ('[=1]"yes";[=0]"no";0', 7, "7"),
        ("[Red][<0]-0;0", -3, "-3"),
        ("[<1]0%;yyyy\\-mm\\-dd", 45_000, "2023-03-15"),
        ("[<1]0%;yyyy\\-mm\\-dd", 0.25, "25%"),
        ('"up";"down";"same"', -3, "down"),
        ('General" pcs"', 3.5, "3.5 pcs"),
    ],
)
def test_numbers_as_shown(code: str, value: float, shown: str) -> None:
    """Leading zeros, percent, currencies, groups, fractions, exponents and conditions give what a person sees."""
    assert compile_format(code).show(value) == shown


@pytest.mark.parametrize(("code", "value"), [(";;;", 5), ("General", 1.5), ("@", 3), ("0", 1e30), ('""', 5), ("", 5)])
def test_number_is_kept_where_nothing_is_shown(code: str, value: float) -> None:
    """A hidden, plain or huge number is kept as it is, not lost."""
    assert compile_format(code).show(value) is None


@pytest.mark.parametrize(
    ("code", "changes"),
    [
        ("General", False),
        ("@", False),
        ("yyyy-mm-dd", False),
        ("yyyy\\-mm\\-dd;@", False),
        ("[h]:mm:ss", False),
        ("[$-409]d\\-mmm\\-yy", False),
        ("0.00", True),
        ('0" days"', True),
        ("[>=40000]yyyy;0", True),
        ("General;[Red]\\-General", True),
    ],
)
def test_formats_worth_a_look(code: str, changes: bool) -> None:
    """Dates and plain numbers need no second look; what a format changes does."""
    assert compile_format(code).changes_numbers is changes


@given(st.text(alphabet='0#?.,%/@;[]<>=$"\\_*E+-dmyhs Generalx1', max_size=40), st.floats(allow_nan=True))
def test_no_format_raises(code: str, value: float) -> None:
    """Whatever a workbook calls a format: a number is shown or kept."""
    compile_format(code).show(value)


def test_built_in_formats_change_numbers() -> None:
    """Each of the formats known by number shows numbers in its own way."""
    assert all(compile_format(code).changes_numbers for code in BUILT_IN_FORMATS.values())
