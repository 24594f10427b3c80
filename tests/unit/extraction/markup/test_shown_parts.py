"""What a browser shows of a page is read, and what it does not show is not."""

from __future__ import annotations

import time
from html import escape

import pytest

from ingest_tui.extraction.markup.shown_parts import convert_shown
from ingest_tui.extraction.parse import extract_text
from ingest_tui.model.chunking import split_into_chunks


def framed(page: str) -> str:
    return f'<iframe title="t" srcdoc="{escape(page, quote=True)}">not shown</iframe>'


def test_pages_in_frames_are_read() -> None:
    """A frame has its page in it, also frames within frames, and in a cell; it changes no heading of the page."""
    inner = f"<h1>Inner</h1><p>inner words</p>{framed('<p>deeper words</p>')}<script>no words</script><textarea>"
    cell = f"<table><tr><td>{framed('<p>a</p><p>b</p>')}</td></tr></table>"
    text = extract_text(f"<h1>Outer</h1>{framed(inner)}<p>outer words</p>{cell}", ".html")
    blocks = [block for block in text.split("\n\n") if block.strip()]
    assert [block.strip() for block in blocks[:5]] == [
        "# Outer", "**Inner**", "inner words", "deeper words", "outer words"
    ]  # fmt: skip
    assert "| a b |" in text
    assert {chunk.heading_path for chunk in split_into_chunks(text)} == {("Outer",)}
    assert "not shown" not in text
    assert "no words" not in text


def test_frames_within_frames_have_a_limit() -> None:
    """What is nested deeper than anybody writes is left out."""
    page = "<p>deepest</p>"
    for number in range(7):
        page = f"<p>level {number}</p>{framed(page)}"
    text = extract_text(page, ".html")
    assert "level 6" in text
    assert "deepest" not in text


def test_what_is_shown_of_a_page() -> None:
    """Buttons, choices, details and fallbacks are shown; labels for machines and what a field asks for are not."""
    page = (
        "<template><p>no-1</p></template><noscript>no-2</noscript><button aria-label='no-3'>press</button>"
        "<input placeholder='no-4'><input type=hidden value=no-5><input type=password value=no-6>"
        "<textarea>long text</textarea><select><option>red<option>blue</select>"
        "<details><summary>more</summary>inside</details>"
        "<object data=x><p>instead</p></object><img src=a.png alt='a pump'><p title='no-7'>end</p>"
    )
    text = extract_text(page, ".html")
    shown = ("press", "long text", "red", "blue", "more", "inside", "instead", "a pump", "end")
    assert [word for word in shown if word not in text] == []
    assert "no-" not in text


def test_what_is_typed_into_a_field_is_no_markup() -> None:
    """The lines of a field are in a fence as they are typed, also of one never closed; in a cell in one line."""
    typed = "# first &amp; <b>\n* second\n    third"
    fence = "```\n# first & <b>\n* second\n    third\n```"
    assert extract_text(f"<p>a</p><textarea rows=3>{typed}</textarea><p>b</p>", ".html") == f"a\n\n{fence}\n\nb\n"
    assert extract_text(f"<p>a</p><textarea> </textarea><textarea>{typed}", ".html") == f"a\n\n{fence}\n"
    cells = extract_text(f"<table><tr><td>a<td><textarea>{typed}</textarea></table>", ".html")
    assert cells.startswith("| a | `# first & <b> * second     third` |\n")


@pytest.mark.parametrize("how", ["hidden", 'rows=3 style="display:none"', "hidden/"])
def test_fields_that_are_hidden_are_not_read(how: str) -> None:
    """What nobody sees of a form is no part of the page; a slash closes no field."""
    assert extract_text(f"<p>a</p><textarea {how}>secret</textarea><p>b</p>", ".html") == "a\n\nb\n"
    shown = extract_text("<p>a</p><textarea/># seen</textarea><p>b</p>", ".html")
    assert shown == "a\n\n```\n# seen\n```\n\nb\n"


@pytest.mark.parametrize(
    "hidden",
    [
        "<!-- formulas are in <math> elements -->",
        "<!-- <iframe srcdoc='old'> -->",
        "<script>document.write('<math' + '>'); a = '<math>'; b = '<iframe srcdoc=\"x\">'</script>",
        "<style>/* <math> */ p::after { content: '<math>' }</style>",
        "<p title='a <math> sign' class=\"<iframe srcdoc='q'>\">sign</p>",
        "<math>",
        "<math/>",
        "<iframe srcdoc=' '></iframe>",
        "<textarea>typed <math> here</textarea>",
    ],
)
def test_what_only_looks_like_a_formula_or_frame_takes_nothing_away(hidden: str) -> None:
    """In comments, scripts, styles, fields and attributes; and one that is never closed ends where it is opened."""
    after = "<h1>Pumps</h1><p>The walrus text.</p><p>Speed <math><mi>v</mi></math> is shown.</p>"
    frame = f"<p>last</p>{framed('<p>giraffe</p>')}"
    text = extract_text(f"<html><body><p>first</p>{hidden}{after}{frame}</body></html>", ".html")
    assert [line for line in text.splitlines() if line][-5:] == [
        "# Pumps", "The walrus text.", "Speed v is shown.", "last", "giraffe"
    ]  # fmt: skip
    assert "first" in text


def test_no_page_can_name_the_place_of_a_frame() -> None:
    """Characters that stand for nothing, as icons of fonts do, are no places."""
    page = f"<p>icon &#xe0fd;7&#xe0fd; &#xe0fd;0&#xe0fd;</p>{framed('<p>giraffe</p>')}"
    text = extract_text(page, ".html")
    assert text.count("giraffe") == 1
    assert "7" in text


@pytest.mark.parametrize(
    "opening",
    [
        "<math ",
        "<math>",
        "<iframe srcdoc ",
        "<a b='",
        "<math a=\"<math b='",
        "<iframe srcdoc=x ",
        "<iframe srcdoc=x>",
        "<!--",
        '<a "',
        "<script>",
        "<p '",
        "<math></math ",
    ],
)
def test_many_openings_take_no_time_each(opening: str) -> None:
    """What is never closed goes to the end of the page, and is looked at once."""
    began = time.process_time()
    text = "".join(convert_shown(f"<p>x</p>{opening * 20_000}<math></math><iframe srcdoc=a>", str))
    assert text.startswith("<p>x</p>")
    assert time.process_time() - began < 60


@pytest.mark.parametrize(
    ("style", "attributes"),
    [
        (".a{display:none} .a{display:block}", "class=a"),
        (".a{display:none} @media screen{.a{display:block}}", "class=a"),
        (".a{display:none} .b{display:block}", "class='a b'"),
        (".a{display:none} form textarea{display:block!important}", "class=a"),
        (".a{visibility:hidden}", "class=a style='visibility: visible'"),
        ("@media print{.a{display:none}}", "class=a"),
    ],
)
def test_a_field_that_another_rule_shows_again_is_read(style: str, attributes: str) -> None:
    """Where rules say both, the text of a field is read: it would be lost else."""
    page = f"<style>{style}</style><p>one</p><textarea {attributes}>words</textarea>"
    assert "words" in extract_text(page, ".html")


def test_a_field_that_styles_hide_for_sure_is_not_read() -> None:
    """A class or an id that one rule hides, and none shows."""
    style = "@import 'x.css'; .c{color:red} /* } */ .a, textarea#b{display:none!important}"
    for attributes in ("class=a", "id=b"):
        page = f"<style>{style}</style><p>one</p><textarea {attributes}>words</textarea>"
        assert extract_text(page, ".html") == "one\n"
