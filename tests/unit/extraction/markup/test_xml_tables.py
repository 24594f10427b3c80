"""Prose in XML: tables are tables, listings fences, and sentences lines."""

from __future__ import annotations

import pytest

from ingest_tui.extraction.parse import extract_text

CALS = """<article xmlns="http://docbook.org/ns/docbook"><table><title>Pumps</title><tgroup cols="3">
<colspec colname="c1"/><colspec colname="c2"/><colspec colname="c3"/>
<thead><row><entry>Name</entry><entry namest="c2" nameend="c3">Size of <emphasis>it</emphasis></entry></row></thead>
<tbody><row><entry morerows="1">A</entry><entry><para># one | x</para><para>two</para></entry><entry/></row>
<row><entry>3</entry><entry><informaltable><tgroup cols="2"><tbody><row><entry>in</entry><entry>cell</entry></row>
</tbody></tgroup></informaltable></entry></row></tbody></tgroup></table><para>after</para></article>"""
JATS = """<article><body><table-wrap><label>Pumps</label>
<table><thead><tr><th>Name</th><th colspan="2">Size of it</th></tr>
</thead><tbody><tr><td rowspan="2">A</td><td># one | x<break/>two</td><td/></tr><tr><td>3</td><td>in cell</td></tr>
</tbody></table><table-wrap-foot><p>after</p></table-wrap-foot></table-wrap></body></article>"""
TEI = """<TEI><text><body><table><head>Pumps</head><row><cell>Name</cell><cell cols="2">Size of it</cell></row>
<row><cell rows="2">A</cell><cell># one | x two</cell><cell/></row><row><cell>3</cell><cell>in cell</cell></row></table>
<p>after</p></body></text></TEI>"""
DITA = """<topic id="t"><body><p>Pumps</p>
<simpletable><sthead><stentry>Name</stentry><stentry>Size of it</stentry><stentry/>
</sthead><strow><stentry>A</stentry><stentry># one | x two</stentry></strow><strow><stentry/><stentry>3</stentry>
<stentry>in cell</stentry></strow></simpletable><p>after</p></body></topic>"""


@pytest.mark.parametrize("document", [CALS, JATS, TEI, DITA])
def test_tables_have_their_cells_in_columns(document: str) -> None:
    """Spans are there once, several paragraphs of a cell in one line, and tables in cells as words of them."""
    assert [line for line in extract_text(document, ".xml").split("\n") if line] == [
        "Pumps",
        "| Name | Size of it |  |",
        "| --- | --- | --- |",
        "| A | # one \\| x two |  |",
        "|  | 3 | in cell |",
        "after",
    ]


@pytest.mark.parametrize(
    ("rows", "shown"),
    [
        (
            "<tr><td>A</td><td rowspan='2'>B</td></tr><tr><td>c</td></tr><tr><td>d</td><td>e</td></tr>",
            ["| A | B |", "| c |  |", "| d | e |"],
        ),
        (
            "<tr><td>A</td><td/><td rowspan='2'>C</td></tr><tr><td>d</td></tr><tr><td>e</td><td>f</td><td>g</td></tr>",
            ["| A |  | C |", "| d |  |  |", "| e | f | g |"],
        ),
        (
            "<tr><td rowspan='3'>A</td><td rowspan='2'>B</td></tr><tr/><tr><td>c</td></tr>",
            ["| A | B |", "|  | c |"],
        ),
    ],
)
def test_cells_that_go_over_rows_end_where_they_end(rows: str, shown: list[str]) -> None:
    """A row counts for the cells from above also where none of its own is beside or behind them."""
    table = extract_text(f"<article><table>{rows}</table></article>", ".xml")
    assert [line for line in table.splitlines() if line and "---" not in line] == shown


def test_cells_that_name_their_column_are_in_it() -> None:
    """By one name, or by that of the first; columns have names, numbers or neither, and a head may name its own."""
    columns = '<colspec/><colspec colname="b"/><colspec/><colspec colnum="5" colname="e"/>'
    head = (
        '<thead><colspec colname="x"/><row><entry colname="x">A</entry><entry>B</entry><entry>C</entry></row></thead>'
    )
    rows = (
        '<row><entry colname="b">1</entry><entry>2</entry><entry colname="e">3</entry></row>'
        '<row><entry namest="b" nameend="e">4</entry></row><row><entry namest="e">5</entry></row>'
        '<row><entry colname="b" morerows="1">6</entry></row><row><entry colname="b">7</entry></row>'
    )
    group = f'<tgroup cols="5">{columns}{head}<tbody>{rows}</tbody></tgroup>'
    assert extract_text(f"<article><table>{group}</table></article>", ".xml").splitlines() == [
        "| A | B | C |  |  |",
        "| --- | --- | --- | --- | --- |",
        "|  | 1 | 2 |  | 3 |",
        "|  | 4 |  |  |  |",
        "|  |  |  |  | 5 |",
        "|  | 6 |  |  |  |",
        "|  |  | 7 |  |  |",
    ]


def test_tables_whose_end_is_lost_keep_their_words() -> None:
    """A document that breaks off within a cell has its table as far as it goes."""
    cut = extract_text("<article><table><tr><td>A</td><td>B</td></tr><tr><td>1</td><td>half", ".xml")
    assert cut == "| A | B |\n| --- | --- |\n| 1 | half |\n"


def test_rows_of_data_are_no_table() -> None:
    """Only prose has tables: elsewhere a row is whatever its document means by it."""
    assert extract_text("<list><row><cell>a</cell><cell>b</cell></row></list>", ".xml") == "a\nb\n"


def test_spans_do_not_make_a_large_text_of_a_small_one() -> None:
    """A table of which most would be blank is lines."""
    wide = f"<tr>{'<td>a</td>' * 1_500}</tr>"
    text = extract_text(f"<article><table>{wide}{'<tr><td>b</td></tr>' * 3_000}</table></article>", ".xml")
    assert "|" not in text
    assert len(text) < 20_000


def test_listings_are_fences() -> None:
    """With their lines as they are, in the language that they name; in a cell a listing is one line of it."""
    code = '<co id="c"/>def f():\n    return <emphasis>1</emphasis> # ```'
    listing = f'<programlisting language="python">{code}</programlisting>'
    cell = "<table><tr><td><screen>$ ls\n  a</screen></td><td>x</td></tr></table>"
    text = extract_text(f"<article><para>See</para>{listing}<screen> </screen>{cell}</article>", ".xml")
    assert text == "See\n\n````python\ndef f():\n    return 1 # ```\n````\n\n| $ ls a | x |\n| --- | --- |\n"


def test_marks_within_a_sentence_do_not_cut_it() -> None:
    """In prose what only looks otherwise is part of its line, and a picture none; in data each is on its own."""
    sentence = (
        "<p>The <italic>E</italic>. <bold>co</bold>li <hi>and</hi> <replaceable>x</replaceable>, H<sub>2</sub>O</p>"
    )
    assert extract_text(f"<article>{sentence}</article>", ".xml") == "The E. coli and x, H2O\n"
    shown = "<article><fig><graphic file='a.png'/><p>Fig<xref rid='r'/></p></fig><link href='x'/></article>"
    assert extract_text(shown, ".xml") == "Fig\nlink href=x\n"
    assert extract_text("<list><bold>1</bold><italic>2</italic></list>", ".xml") == "1\n2\n"


def test_names_in_a_synopsis_are_words_of_their_own() -> None:
    """What is next to each other there is not one word, as it would be in a sentence."""
    names = "<function>f</function><function>g</function>"
    document = f"<article><funcsynopsis>{names}</funcsynopsis><para>as {names}</para></article>"
    assert extract_text(document, ".xml") == "f g\nas fg\n"
