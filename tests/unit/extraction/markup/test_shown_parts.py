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
    """Values and prompts of fields, buttons, choices, details and fallbacks are shown; labels for machines are not."""
    page = (
        "<template><p>no-1</p></template><noscript>no-2</noscript><button aria-label='no-3'>press</button>"
        "<input placeholder='your name'><input value=typed placeholder='no-4'>"
        "<input type=submit value='Send &amp; go'><input type=hidden value=no-5><input type=password value=no-6>"
        "<textarea>long text</textarea><select><option>red<option>blue</select>"
        "<details><summary>more</summary>inside</details>"
        "<object data=x><p>instead</p></object><img src=a.png alt='a pump'><p title='no-7'>end</p>"
    )
    text = extract_text(page, ".html")
    shown = ("press", "your name", "typed", "Send & go", "long text", "red", "blue", "more", "inside", "instead")
    assert [word for word in (*shown, "a pump", "end") if word not in text] == []
    assert "no-" not in text


@pytest.mark.parametrize("mark", ["<input ", "<input a='", "<input a=\"<input b='", "<iframe srcdoc ", "<math "])
def test_tags_that_never_end_take_no_time_each(mark: str) -> None:
    """The end of one is not looked for again and again; nothing is shown of it."""
    page = mark * 100_000
    start = time.monotonic()
    assert convert_shown(page, str) == page
    assert convert_shown(f"<input {'a' * 100_000}>", str).rstrip() == f"<input {'a' * 100_000}>"
    assert time.monotonic() - start < 30


def test_stray_quotes_in_a_tag_hide_no_field() -> None:
    """A quote that begins no value is nothing to a browser."""
    assert convert_shown("<input value='a'' ><input value=b>", str) == "<input value='a'' > a <input value=b> b "
