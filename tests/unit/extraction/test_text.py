"""Decoding, normalising, tables and blocks."""

from __future__ import annotations

import json
import time
import tracemalloc
from datetime import date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest_tui.extraction.backends.plain import fence
from ingest_tui.extraction.intake.decoding import decode_text, normalise_text
from ingest_tui.extraction.markup.escapes import decode_json
from ingest_tui.extraction.markup.markdown import find_links, find_title, split_elements
from ingest_tui.extraction.parse import extract, extract_text, parse_document_content
from ingest_tui.extraction.tables.delimited import find_delimiter, read_csv
from ingest_tui.extraction.tables.table import MAX_FIELD_CHARACTERS, build_table
from ingest_tui.model.errors import ItemRejectedError, ProcessingError
from ingest_tui.model.extraction import MAX_LINKS, Finding
from ingest_tui.model.links import Link

GERMAN = "Die Größe der Äpfel überrascht, und süß sind sie auch."


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "cp1252", "latin-1"]
)
def test_encodings_are_read(encoding: str) -> None:
    """Umlauts survive every usual encoding, with and without a byte order mark."""
    assert decode_text(GERMAN.encode(encoding))[0] == GERMAN


@pytest.mark.parametrize(
    ("text", "encoding"),
    [("Привет, мир! Как дела сегодня утром?", "cp1251"), ("日本語のテキスト、これはテストです。", "shift_jis")],
)
def test_other_scripts_are_guessed(text: str, encoding: str) -> None:
    """Cyrillic and Japanese in their old encodings are recognised by their statistics."""
    assert decode_text(text.encode(encoding))[0] == text


def test_a_guess_is_a_warning() -> None:
    """An encoding that was guessed is named in a warning; UTF-8 is not worth one."""
    guessed = Finding("warning", "encoding_guessed", "read as cp1252: a guess, not valid UTF-8")
    assert decode_text("café".encode("cp1252"))[2] == [guessed]
    assert decode_text("café".encode())[2] == []


def test_one_broken_byte_does_not_change_the_encoding() -> None:
    """A single bad byte in a UTF-8 text is replaced; the rest is not garbled."""
    text, encoding, warnings = decode_text((GERMAN * 5).encode() + b"\xff end")
    assert encoding == "utf-8"
    assert text.startswith(GERMAN)
    assert text.endswith("\ufffd end")
    assert warnings


@pytest.mark.parametrize("content", [bytes(range(256)), b"\x00\x01\x02\x03" * 50])
def test_binary_is_no_text(content: bytes) -> None:
    """Control bytes in numbers are not text."""
    with pytest.raises(ItemRejectedError):
        decode_text(content)


def test_stray_nul_is_dropped() -> None:
    """A lone NUL in a text does not make it binary and is not kept."""
    assert extract(b"a" * 300 + b"\x00b", file_name="a.txt").markdown == "a" * 300 + "b"


@given(st.text())
def test_normalised_text_is_clean_and_stable(text: str) -> None:
    """Normalising leaves no control character and no trailing space, and doing it twice changes nothing."""
    once = normalise_text(text)
    assert normalise_text(once) == once
    assert not any(character < " " and character not in "\n\t" for character in once)
    assert not any(line.endswith((" ", "\t")) for line in once.split("\n"))
    once.encode("utf-8")


def test_clean_text_is_untouched() -> None:
    """A clean text is its own normal form, so its hash is the hash of the file."""
    text = "# Head\n\n  indented\tand tabbed é\n\n\nend"
    assert extract(text.encode(), file_name="a.txt").markdown == text


def test_a_large_text_is_looked_through_in_parts() -> None:
    """A control character far in a text is found, and a clean text is not copied to find none."""
    text = "a line of words\n" * (1 << 18)
    assert normalise_text(f"{text}x\x01y") == f"{text}xy"
    tracemalloc.start()
    assert normalise_text(text) is text
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < len(text)


def test_lone_surrogates_are_replaced() -> None:
    """A JSON escape for half a character cannot break the file it is written to."""
    markdown = extract(b'{"a": "' + b"x" * 3000 + b'\\ud800"}', file_name="a.json").markdown
    assert "\ufffd" in markdown


@pytest.mark.parametrize(
    "markdown",
    [
        "```sh\n# install\n```\n\n# Guide\n",
        "<!--\n# draft\n-->\n# Guide\n",
        "Guide\n=====\n",
        "---\r\na: b\r\n---\r\n# Guide\r\n",
    ],
)
def test_the_title_is_the_first_heading_that_is_one(markdown: str) -> None:
    """A comment in a listing is no title; an underlined line is one."""
    assert find_title(markdown) == "Guide"


def test_control_characters_of_escapes_separate_words() -> None:
    """A zero or a tabulator between two words does not glue them."""
    assert '"x y z"' in extract_text(r'{"a": "x\u0000y\u0009z"}', ".json")


@pytest.mark.parametrize("data", [{"text/markdown": ["**seen**"]}, {"text/html": "<p><b>seen</b></p>"}])
def test_outputs_of_a_notebook_are_read_in_the_form_that_is_seen(data: dict[str, object]) -> None:
    """What shows itself as markdown or HTML has only the name of a Python object as its plain text."""
    output = {"output_type": "display_data", "data": {"text/plain": "<IPython.core.display.Markdown object>", **data}}
    cell = {"cell_type": "code", "source": "show()", "outputs": [output]}
    text = extract_text(json.dumps({"nbformat": 4, "metadata": {}, "cells": [cell]}), ".ipynb")
    assert "**seen**" in text
    assert "IPython" not in text


def test_long_runs_of_spaces_take_linear_time() -> None:
    """A megabyte of spaces is no way to stop the clock."""
    started = time.process_time()
    normalise_text(" " * 1_000_000 + "x \n")
    find_links("](" * 200_000)
    find_links("](x)" * 200_000)
    find_links("](<x " * 100_000)
    find_links("\n[x]:" * 100_000)
    find_links("[" * 100_000 + "](x) " * 50_000 + "```")
    find_links("http://x" + ")" * 500_000)
    find_links("[a](" + "(" * 200_000)
    split_elements(" " * 1_000_000 + "x")
    find_title("# " + " " * 1_000_000)
    assert time.process_time() - started < 1


# --- tables -----------------------------------------------------------------------------------------------------------


def test_leading_blank_rows_and_title_are_skipped() -> None:
    """Blank rows above a table are dropped and a lone title stays above it."""
    table = build_table("t", [[], ["", None], ["Fruit report"], [], ["Name", "Amount"], ["apples", 12.0]])
    assert table is not None
    assert table.columns == ["Name", "Amount"]
    assert table.rows == 1
    assert table.markdown.split("\n") == ["Fruit report", "", "| Name | Amount |", "| --- | --- |", "| apples | 12 |"]


def test_unnamed_empty_columns_are_dropped() -> None:
    """A column without a name and without a value is not there; one with values is in the text, but has no name."""
    table = build_table("t", [["a", "", "", "b"], ["1", "", "x", "2"]])
    assert table is not None
    assert table.columns == ["a", "b"]
    assert table.markdown.split("\n")[0::2] == ["| a |  | b |", "| 1 | x | 2 |"]


def test_longer_rows_are_kept() -> None:
    """Cells beyond the header are not lost."""
    table = read_csv("a,b\n1,2,3\n")
    assert table is not None
    assert table.columns == ["a", "b"]
    assert table.markdown.endswith("| 1 | 2 | 3 |")


def test_cells_cannot_break_the_table() -> None:
    """Pipes and newlines inside a cell stay inside it."""
    table = read_csv('a,b\n"x|y","two\nlines"\n')
    assert table is not None
    assert table.markdown.endswith("| x\\|y | two lines |")
    table = read_csv('a,b\n"x\\|y",z\n')
    assert table is not None
    assert table.markdown.endswith("| x\\\\\\|y | z |"), "three backslashes: its own is written twice"


@pytest.mark.parametrize(
    ("text", "expected"),
    [("a,b,c\n1,2,3", ","), ("a;b\n1,5;2", ";"), ("a\tb\n1\t2", "\t"), ("a|b\n1|2", "|"), ("one\ntwo", ",")],
)
def test_delimiter_is_found(text: str, expected: str) -> None:
    """The delimiter that splits the lines evenly wins over one that only occurs."""
    assert find_delimiter(text) == expected


def test_huge_field_is_cut_with_a_warning() -> None:
    """A field without end is cut, and says so."""
    table = read_csv("a,b\n1," + "x" * (MAX_FIELD_CHARACTERS + 5) + "\n")
    assert table is not None
    assert table.findings == [Finding("warning", "fields_cut", "1 fields cut to 100,000 characters")]


def test_values_read_like_in_the_sheet() -> None:
    """Whole numbers lose their .0, dates their midnight, and nothing is an empty cell."""
    row = [1.0, 1.5, None, True, datetime(2026, 1, 2), date(2026, 1, 2), timedelta(hours=1), b"xy"]  # noqa: DTZ001
    table = build_table("t", [["h"] * 8, row])
    assert table is not None
    assert table.markdown.split("\n")[-1] == "| 1 | 1.5 |  | true | 2026-01-02 | 2026-01-02 | 1:00:00 | (2 bytes) |"


@given(st.text(alphabet=st.sampled_from('ab,;"\n\r\t| '), max_size=200))
def test_any_csv_is_survived(text: str) -> None:
    """No text makes the reader fail, and every line of a table has as many cells as its header."""
    table = read_csv(text)
    if table is not None:
        lines = [line for line in table.markdown.split("\n") if line.startswith("| ")]
        assert len({line.replace("\\|", "").count("|") for line in lines}) <= 1


# --- blocks -----------------------------------------------------------------------------------------------------------


def test_blocks_have_their_categories() -> None:
    """Headings, prose, items, tables and code are distinguished."""
    markdown = "## Head\ntext\nmore\n\n- one\n- two\n\n| a |\n| --- |\n\n```py\n# no head\n\nx\n```\nend"
    elements = [(element.metadata["category"], element.text) for element in split_elements(markdown)]
    assert elements == [
        ("Title", "Head"),
        ("NarrativeText", "text\nmore"),
        ("ListItem", "one"),
        ("ListItem", "two"),
        ("Table", "| a |\n| --- |"),
        ("CodeSnippet", "# no head\n\nx"),
        ("NarrativeText", "end"),
    ]


def test_fence_holds_what_it_fences() -> None:
    """Backticks in a source cannot close the block around it."""
    assert fence("a\n````\nb", "md") == "`````md\na\n````\nb\n`````\n"


def test_links_are_found_once_and_capped() -> None:
    """Targets come in order, each once, with balanced brackets, at most a thousand."""
    assert find_links("[a](http://x/(y)) <https://z> http://x/(y) see http://w/q.") == [
        Link("http://x/(y)", "a", 0),
        Link("https://z", "", 18),
        Link("http://w/q", "", 47),
    ]
    assert len(find_links(" ".join(f"http://x/{number}" for number in range(2000)))) == MAX_LINKS


@pytest.mark.parametrize(
    ("markdown", "links"),
    [
        ("see [the *rain* `gauge`](gauge.md)", [Link("gauge.md", "the rain gauge", 4)]),
        ('![a [b] c](<my file.md> "title")', [Link("my file.md", "a [b] c", 1)]),
        ("[![logo](logo.png)](index.md)", [Link("index.md", "logo", 0), Link("logo.png", "logo", 2)]),
        ("[one]\n\n[one]: <one.md> 'One'\n", [Link("one.md", "one", 7)]),
        ("[a](x.md)\n\n```\n[b](y.md)\n```\n", [Link("x.md", "a", 0)]),
        ("[a](data:image/png;base64,AAAA) [over\ntwo lines](z.md)", [Link("z.md", "over two lines", 32)]),
        ("](lonely.md)", [Link("lonely.md", "", 0)]),
    ],
)
def test_links_have_their_text_and_their_place(markdown: str, links: list[Link]) -> None:
    """The text is that which is shown, and the offset that of the link; code and data within the page are no links."""
    assert find_links(markdown) == links


def test_notebook_keeps_cells_apart() -> None:
    """Cells of a notebook are elements with their number and kind."""
    content = (
        b'{"nbformat": 4, "cells": [{"cell_type": "markdown", "source": "# T"}, '
        b'{"cell_type": "code", "source": ["x"]}]}'
    )
    elements = parse_document_content(content, ".ipynb")
    assert [(text, metadata["cell"], metadata["cell_type"]) for text, metadata in elements] == [
        ("# T", 1, "markdown"),
        ("x", 2, "code"),
    ]


def test_broken_json_is_kept_as_text() -> None:
    """JSON that is not JSON is still text, with a warning."""
    extraction = extract(b'{"a": 1', file_name="a.json")
    assert '{"a": 1' in extraction.markdown
    assert "not valid JSON" in extraction.warnings[0]


def test_text_argument_is_taken() -> None:
    """Content may come as text, and an extension with or without its dot."""
    assert parse_document_content("hello", "txt")[0][0] == parse_document_content(b"hello", ".txt")[0][0] == "hello"


def test_escapes_of_json_are_what_they_stand_for() -> None:
    """A letter that JSON writes as an escape is that letter, a line ends where it says, a backslash stays one."""
    escaped = r'{"a":"Z\u00fcrich \ud83d\ude00 \\u00fc first\nsecond\tthird \"said\" C:\\new"}'
    read = '{"a":"Zürich 😀 \\u00fc first\nsecond\tthird "said" C:\\new"}'
    assert decode_json(escaped) == read
    assert read in extract_text(escaped, ".json")
    assert read in extract_text(f"{escaped}\n{escaped}\n", ".jsonl")


def test_json_that_is_broken_stays_as_it_is() -> None:
    """What is not JSON keeps its backslashes: nobody knows what they mean."""
    assert r"Z\u00fcrich" in extract_text(r'{"a":"Z\u00fcrich"', ".json")


def test_cells_of_the_first_row_are_not_renamed() -> None:
    """The table shows what is in its cells, repeated and blank ones too; names that can be used are in ``columns``."""
    table = build_table("t", [["name", "", "name"], ["a", "b", "c"]])
    assert table is not None
    assert table.markdown.split("\n")[0] == "| name |  | name |"
    assert table.columns == ["name", "name_2"]


def test_a_panic_of_a_library_is_a_failure_of_its_document(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a library in Rust raises for its own bugs is no Exception, and still ends one document only."""

    class PanicException(BaseException):
        pass

    def panic(_content: bytes) -> None:
        raise PanicException("no entry found for key")

    monkeypatch.setattr("ingest_tui.extraction.backends.plain.decode_text", panic)
    with pytest.raises(ProcessingError, match="no entry found"):
        extract_text("text", ".txt")


def test_a_notebook_of_version_3_is_read() -> None:
    """Its cells are in worksheets, its headings cells of their own, its code is called input."""
    cells = [
        {"cell_type": "heading", "level": 2, "source": ["Annual", " report"]},
        {"cell_type": "code", "input": ["print(1)"], "outputs": [{"output_type": "stream", "text": ["one"]}]},
        {"cell_type": "code", "input": "1/0", "outputs": [{"output_type": "pyerr", "ename": "Zero", "evalue": "no"}]},
        {"cell_type": "heading", "level": "x", "source": "Other"},
    ]
    notebook = {"nbformat": 3, "metadata": {}, "worksheets": [{"cells": cells}, None, {"cells": 7}]}
    lines = [line for line in extract_text(json.dumps(notebook), ".ipynb").splitlines() if line]
    assert lines == [
        *("## Annual report", "```python", "print(1)", "```", "```", "one", "```"),
        *("```python", "1/0", "```", "```", "Zero: no", "```", "# Other"),
    ]


@pytest.mark.parametrize("codec", ["utf-32-le", "utf-32-be"])
@pytest.mark.parametrize("text", ["Annual report", "Отчёт за год", "年間報告書、りんご", "smile \U0001f600 now"])
def test_utf_32_without_a_mark_is_read(codec: str, text: str) -> None:
    """Four bytes for each character are distinguished from UTF-16, from NULs in a text and from other bytes."""
    found = extract(text.encode(codec), file_name="a.txt")
    assert found.markdown.strip() == text
    assert found.validation[0].code == "encoding_guessed"


def test_numbers_of_four_bytes_are_no_utf_32() -> None:
    """Small numbers one after the other are no text."""
    with pytest.raises(ItemRejectedError):
        extract(b"".join(number.to_bytes(4, "little") for number in range(1, 200)), file_name="a.bin")


@pytest.mark.parametrize(
    "feed",
    [
        "<rss><channel><item><title>Fruit</title><description>{}</description></item></channel></rss>",
        '<feed><entry><title>Fruit</title><content type="html">{}</content></entry></feed>',
        '<rss xmlns:c="c"><channel><item><title>Fruit</title><c:encoded>{}</c:encoded></item></channel></rss>',
    ],
)
def test_pages_within_feeds_are_read_as_pages(feed: str) -> None:
    """What a feed quotes as HTML, escaped or as CDATA, has no marks; what only looks a bit like it is text."""
    page = "<p>ripe <b>apples</b> &amp;amp; pears</p><ul><li>one</li></ul>"
    for quoted in (page.replace("<", "&lt;").replace(">", "&gt;"), f"<![CDATA[{page.replace('&amp;amp;', '&amp;')}]]>"):
        text = extract_text(feed.format(quoted), ".xml")
        assert "ripe **apples** & pears" in text
        assert "- one" in text.splitlines()
        assert "<" not in text
    assert "a < b" in extract_text(feed.format("a &lt; b"), ".xml")
