"""Formulas are lines of text, in pages, documents of XML and documents of Office."""

from __future__ import annotations

import time

import pytest

from ingest_tui.extraction.markup.formulas import formula_of_tags
from ingest_tui.extraction.parse import extract_text
from tests.unit.extraction.backends.test_slides import presentation, shape, sheet
from tests.unit.extraction.office.test_opendocument import odf
from tests.unit.extraction.office.test_word import document, paragraph, part, run

LAW = "<mi>speed</mi><mo>=</mo><mfrac><mi>distance</mi><mi>time</mi></mfrac>"
MATRIX = "<mtable><mtr><mtd><mn>1</mn></mtd><mtd><mn>2</mn></mtd></mtr><mtr><mtd><mn>3</mn></mtd></mtr></mtable>"
SUM = "<m:naryPr><m:chr m:val='∑'/></m:naryPr>"
OFFICE = 'xmlns:m="http://schemas.openxmlformats.org/officeDocument/2006/math"'


def office(word: str, place: str = "") -> str:
    """Return a run of a formula of Office, in a place of it."""
    written = f"<m:r><m:rPr/><m:t>{word}</m:t></m:r>"
    return f"<m:{place}>{written}</m:{place}>" if place else written


@pytest.mark.parametrize(
    ("written", "read"),
    [
        (LAW, "speed = (distance)/(time)"),
        (MATRIX, "1, 2; 3"),
        ("<mi>sin</mi><mi>x</mi>", "sin x"),
        ("<mi>f</mi><mo>&#x2061;</mo><mrow><mo>(</mo><mi>x</mi><mo>)</mo></mrow>", "f(x)"),
        ("<msup><mi>x</mi><mrow><mi>n</mi><mo>+</mo><mn>1</mn></mrow></msup>", "x^(n + 1)"),
        ("<munderover><mo>∑</mo><mi>i</mi><mi>n</mi></munderover><msqrt><mi>x</mi></msqrt>", "∑_i^n √(x)"),
        ("<mroot><mi>x</mi><mn>3</mn></mroot>", "3√(x)"),
        ("<mfenced><mi>a</mi><mi>b</mi></mfenced>", "(a, b)"),
        (r"<semantics><mi>x</mi><annotation>\frac</annotation></semantics>", "x"),
        (f"<m:f><m:fPr/>{office('distance', 'num')}{office('time', 'den')}</m:f>", "(distance)/(time)"),
        (f"<m:m><m:mPr/><m:mr>{office('1', 'e')}{office('2', 'e')}</m:mr></m:m>", "1, 2"),
        (f"<m:rad><m:deg/>{office('x', 'e')}</m:rad>", "√(x)"),
        (f"<m:nary>{SUM}{office('i', 'sub')}{office('n', 'sup')}{office('x', 'e')}</m:nary>", "∑_i^n x"),
        (f"<m:d><m:dPr><m:begChr m:val='['/></m:dPr>{office('a', 'e')}{office('b', 'e')}</m:d>", "[a, b)"),
    ],
)
def test_what_is_next_to_each_other_is_no_word(written: str, read: str) -> None:
    """Words, numbers, operators and cells have gaps; brackets, fractions, roots and scripts are written out."""
    assert formula_of_tags(f"<math>{written}</math>") == read


def test_formulas_are_where_they_are_in_the_text() -> None:
    """In HTML, XHTML, JATS, OpenDocument and Word a formula is in its sentence."""
    page = f"<p>The <math alttext='no'>{LAW}</math> law</p>"
    assert extract_text(page, ".html") == "The speed = (distance)/(time) law\n"
    spaces = 'xmlns="http://www.w3.org/1999/xhtml" xmlns:m="http://www.w3.org/1998/Math/MathML"'
    prefixed = "<m:math><m:mi>speed</m:mi><m:mo>=</m:mo><m:mi>time</m:mi></m:math>"
    xhtml = f"<html {spaces}><head><title/></head><body><p>The {prefixed} law</p></body></html>"
    assert extract_text(xhtml, ".xhtml") == "The speed = time law\n"
    jats = f"<article {spaces}><sec><title>T</title><p>The {prefixed} law</p></sec></article>"
    assert "The speed = time law\n" in extract_text(jats, ".xml")
    word = f"<m:oMath {OFFICE}>{office('speed')}{office('=')}{office('time')}</m:oMath>"
    assert extract_text(document(paragraph(run("The"), word, run("law"))), ".docx") == "The speed = time law\n"
    cuts = f"<m:oMath {OFFICE}>{office('a')}</m:oMath>"
    found = extract_text(
        document(
            paragraph(run("("), cuts, run("), "), cuts, run(". End")),
            paragraph(run("x"), "<w:proofErr/>", cuts, '<w:bookmarkEnd w:id="0"/>', run("y")),
            paragraph(cuts, cuts),
        ),
        ".docx",
    )
    assert found == "(a), a. End\n\nx a y\n\na a\n"
    fraction = f"<m:f>{office('a', 'num')}{office('b', 'den')}</m:f>"
    formula = f"<m:oMath {OFFICE}>{office('x')}{fraction}</m:oMath>"
    slide = f"<a:p><a:r><a:t>The</a:t></a:r>{formula}{formula}<a:r><a:t>, end</a:t></a:r></a:p>"
    assert "The x(a)/(b) x(a)/(b), end\n" in extract_text(presentation([sheet(shape(slide))]), ".pptx")
    header = part("hdr", paragraph(run("The"), formula, run(", end")))
    around = document(paragraph(run("b")), related=[("header", "h.xml")], more={"word/h.xml": header})
    assert extract_text(around, ".docx").endswith("The x(a)/(b), end\n")
    inner = f'<math xmlns="http://www.w3.org/1998/Math/MathML">{LAW}</math>'
    body = '<text:p><draw:frame><draw:object xlink:href="./Object 1"/></draw:frame></text:p>'
    found = extract_text(odf("text", body, more={"Object 1/content.xml": inner}), ".odt")
    assert found == "speed = (distance)/(time)\n"
    placed, floating = (
        f'<draw:frame {anchor}><draw:object xlink:href="./Object {number}"/></draw:frame>'
        for number, anchor in ((1, 'text:anchor-type="as-char"'), (2, 'text:anchor-type="paragraph"'))
    )
    body = f"<text:p>The{placed}law ({floating})</text:p>"
    found = extract_text(odf("text", body, more={f"Object {number}/content.xml": inner for number in (1, 2)}), ".odt")
    assert found == "The speed = (distance)/(time) law ()\n\nspeed = (distance)/(time)\n"


def test_a_formula_that_shows_nothing_is_called_what_it_says() -> None:
    """Its alternative text stands for it."""
    assert formula_of_tags('<math alttext="E = mc^2"></math>') == "E = mc^2"


def test_damaged_and_deep_formulas_are_read() -> None:
    """What closes nothing is passed over, depth has a limit, and many openings take no time each."""
    assert formula_of_tags("<math><mi>a</mrow></mi><mn>1") == "a 1"
    assert formula_of_tags("<math>" + "<mrow>" * 5_000 + "<mi>a</mi>") == "a"
    start = time.monotonic()
    assert "end" in extract_text("<p>" + "<math><iframe srcdoc='x'>" * 5_000 + "</iframe>end", ".html")
    assert time.monotonic() - start < 60
