"""Presentations of PowerPoint: what a person sees on the slides, below them and in their margins."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pytest

from ingest_tui.extraction.parse import extract, extract_text
from ingest_tui.model.errors import ItemError
from tests.made_files import office_file

A = "http://schemas.openxmlformats.org/drawingml/2006/main"
P = "http://schemas.openxmlformats.org/presentationml/2006/main"
R = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
C = "http://schemas.openxmlformats.org/drawingml/2006/chart"
MC = "http://schemas.openxmlformats.org/markup-compatibility/2006"
STRICT = "http://purl.oclc.org/ooxml"
NAMESPACES = f'xmlns:a="{A}" xmlns:p="{P}" xmlns:r="{R}" xmlns:c="{C}" xmlns:mc="{MC}"'

Related = Sequence[tuple[str, str]]


def paragraph(*runs: str, properties: str = "") -> str:
    """Return a paragraph of runs, each as Word and PowerPoint cut them: anywhere."""
    return f"<a:p>{properties}" + "".join(f"<a:r><a:rPr/><a:t>{run}</a:t></a:r>" for run in runs) + "</a:p>"


def shape(*paragraphs: str, kind: str | None = None) -> str:
    place = f'<p:ph type="{kind}"/>' if kind else ""
    return (
        f'<p:sp><p:nvSpPr><p:cNvPr id="2" name="s"/><p:cNvSpPr/><p:nvPr>{place}</p:nvPr></p:nvSpPr><p:spPr/>'
        f"<p:txBody><a:bodyPr/>{''.join(paragraphs)}</p:txBody></p:sp>"
    )


def sheet(*shapes: str, root: str = "sld") -> str:
    return f"<p:{root} {NAMESPACES}><p:cSld><p:spTree>{''.join(shapes)}</p:spTree></p:cSld></p:{root}>"


def presentation(
    slides: Sequence[str | bytes],
    *,
    related: Mapping[int, Related] | None = None,
    more: Mapping[str, str] | None = None,
    order: Sequence[int] | None = None,
    also: Related = (),
) -> bytes:
    """Return a presentation. ``related``: slide → what it refers to; ``order``: the slides as they are listed."""
    listed = "".join(
        f'<p:sldId id="{255 + number}" r:id="rId{number}"/>' for number in order or range(1, len(slides) + 1)
    )
    parts: dict[str, str | bytes] = {f"ppt/slides/slide{number}.xml": slide for number, slide in enumerate(slides, 1)}
    parts["ppt/presentation.xml"] = f"<p:presentation {NAMESPACES}><p:sldIdLst>{listed}</p:sldIdLst></p:presentation>"
    return office_file(
        parts | dict(more or {}),
        {
            "": [("officeDocument", "ppt/presentation.xml")],
            "ppt/presentation.xml": [*(("slide", f"slides/slide{n}.xml") for n in range(1, len(slides) + 1)), *also],
            **{f"ppt/slides/slide{number}.xml": targets for number, targets in (related or {}).items()},
        },
    )


def frame(graphic: str) -> str:
    return f"<p:graphicFrame><a:graphic><a:graphicData>{graphic}</a:graphicData></a:graphic></p:graphicFrame>"


def test_words_are_not_cut_where_their_format_changes() -> None:
    """Runs follow each other without a gap, in titles, texts and cells; a break is a new line."""
    cell = f"<a:tc><a:txBody>{paragraph('cell', 'value')}</a:txBody></a:tc>"
    text = extract_text(
        presentation(
            [
                sheet(
                    shape(paragraph("t", "he title"), kind="ctrTitle"),
                    shape(
                        paragraph("Project", "X2024 starts"),
                        f"<a:p>{'<a:r><a:t>one</a:t></a:r><a:br/>'}<a:r><a:t>two</a:t></a:r></a:p>",
                    ),
                    frame(f"<a:tbl><a:tr>{cell}{cell}</a:tr></a:tbl>"),
                )
            ]
        ),
        ".pptx",
    )
    assert text.startswith("## the title\n")
    assert "ProjectX2024 starts" in text
    assert "one\ntwo" in text
    assert "| cellvalue | cellvalue |" in text


def test_slides_come_in_the_order_in_which_they_are_shown_each_with_its_notes() -> None:
    """The presentation lists the slides, and a slide refers to its notes: the numbers in the names mean nothing."""

    def notes(text: str) -> str:
        return sheet(shape(paragraph("7"), kind="sldNum"), shape(paragraph(text), kind="body"), root="notes")

    content = presentation(
        [sheet(shape(paragraph("Drawn first"), kind="title")), sheet(shape(paragraph("Shown first"), kind="title"))],
        order=[2, 1],
        related={
            1: [("notesSlide", "../notesSlides/notesSlide2.xml")],
            2: [("notesSlide", "/ppt/notesSlides/notesSlide1.xml")],
        },
        more={
            "ppt/notesSlides/notesSlide1.xml": notes("said at the beginning"),
            "ppt/notesSlides/notesSlide2.xml": notes("said at the end"),
        },
    )
    extraction = extract(content, file_name="a.pptx")
    assert extraction.markdown.split("\n\n") == [
        *("## Shown first", "### Notes", "said at the beginning"),
        *("## Drawn first", "### Notes", "said at the end\n"),
    ]
    assert extraction.pages == 2
    assert extraction.title == "Shown first"
    assert [one.metadata["page_number"] for one in extraction.elements] == [1, 1, 1, 2, 2, 2]


@pytest.mark.parametrize("form", ["old", "new"])
def test_comments_have_their_authors(form: str) -> None:
    """Comments of both forms follow the slide, with the names of who wrote them, and with their replies."""
    old = f'<p:cmLst {NAMESPACES}><p:cm authorId="0"><p:text>too many words</p:text></p:cm></p:cmLst>'
    body = f"<m:txBody>{paragraph('too many ', 'words')}</m:txBody>"
    reply = f'<m:replyLst><m:reply authorId="1"><m:txBody>{paragraph("agreed")}</m:txBody></m:reply></m:replyLst>'
    new = f'<m:cmLst {NAMESPACES} xmlns:m="urn:m"><m:cm authorId="0">{reply}{body}</m:cm></m:cmLst>'
    authors = '<l><a id="0" name="Ann"/><a id="1" name="Bob"/></l>'
    text = extract_text(
        presentation(
            [sheet(shape(paragraph("Plan"), kind="title"))],
            related={1: [("comments", "../comments/c1.xml")]},
            more={"ppt/comments/c1.xml": old if form == "old" else new, "ppt/authors.xml": authors},
            also=[("commentAuthors" if form == "old" else "authors", "authors.xml")],
        ),
        ".pptx",
    )
    assert "### Comments\n\n- Ann: too many words" in text
    assert ("- Bob: agreed" in text) is (form == "new")


def test_charts_and_diagrams_are_read() -> None:
    """A chart has its title, its series and its values; a diagram has its words."""

    def points(tag: str, *values: str) -> str:
        cached = "".join(f'<c:pt idx="{at}"><c:v>{value}</c:v></c:pt>' for at, value in enumerate(values))
        return f"<c:{tag}><c:strRef><c:strCache>{cached}</c:strCache></c:strRef></c:{tag}>"

    title = f"<c:title><c:tx><c:rich>{paragraph('Sales ', 'by year')}</c:rich></c:tx></c:title>"
    series = f"<c:ser>{points('tx', 'Apples')}{points('cat', '2025', '2026')}{points('val', '3', '4')}</c:ser>"
    text = extract_text(
        presentation(
            [
                sheet(
                    shape(paragraph("Sales"), kind="title"),
                    frame('<c:chart r:id="rId1"/>'),
                    frame('<c:relIds r:dm="rId2"/>'),
                )
            ],
            related={1: [("chart", "../charts/chart1.xml"), ("diagramData", "../diagrams/data1.xml")]},
            more={
                "ppt/charts/chart1.xml": f"<c:chartSpace {NAMESPACES}>{title}{series}</c:chartSpace>",
                "ppt/diagrams/data1.xml": f"<d {NAMESPACES}><pt><t>{paragraph('pick', 'ing')}</t></pt></d>",
            },
        ),
        ".pptx",
    )
    assert "Sales by year" in text
    assert "|  | Apples |" in text
    assert "| 2026 | 4 |" in text
    assert "- picking" in text


def test_groups_and_alternatives_are_read_once() -> None:
    """Shapes within groups count; of alternative content only what is shown; a footer only where it is new."""
    inner = shape(paragraph("grouped"))
    choice, fallback = shape(paragraph("new form")), shape(paragraph("old form"))
    branches = f"<mc:Choice>{choice}</mc:Choice><mc:Fallback>{fallback}</mc:Fallback>"
    either = f"<mc:AlternateContent>{branches}</mc:AlternateContent>"
    footer = shape(paragraph("for internal use"), kind="ftr") + shape(paragraph("1"), kind="sldNum")
    text = extract_text(
        presentation([sheet(f"<p:grpSp><p:grpSp>{inner}</p:grpSp></p:grpSp>", either, footer), sheet(inner, footer)]),
        ".pptx",
    )
    assert text.count("grouped") == 2
    assert text.count("for internal use") == 1
    assert "new form" in text
    assert "old form" not in text
    assert "## Slide 1\n" in text


def test_bullets_are_a_list() -> None:
    """Paragraphs with a bullet or an indent of their own are list items, each below its level."""
    bullet = "<a:pPr><a:buChar char='-'/></a:pPr>"
    text = extract_text(
        presentation(
            [
                sheet(
                    shape(
                        paragraph("intro"),
                        paragraph("first", properties=bullet),
                        paragraph("within", properties='<a:pPr lvl="1"/>'),
                    )
                )
            ]
        ),
        ".pptx",
    )
    assert "intro\n\n- first\n  - within" in text


def test_numbers_of_lists_are_those_that_are_shown() -> None:
    """Each level counts for itself, from where it begins; a text between two lists ends the first."""

    def item(text: str, level: int = 0, more: str = "") -> str:
        return paragraph(text, properties=f'<a:pPr lvl="{level}"><a:buAutoNum type="arabicPeriod"{more}/></a:pPr>')

    items = (item("a"), item("b"), item("x", 1), item("y", 1), item("c"), item("z", 1), paragraph("text"))
    text = extract_text(presentation([sheet(shape(*items, item("d", more=' startAt="7"'), item("e")))]), ".pptx")
    assert "1. a\n2. b\n  1. x\n  2. y\n3. c\n  1. z\n\ntext\n\n7. d\n8. e" in text


def test_one_damaged_slide_does_not_lose_the_others() -> None:
    """Slides and notes that cannot be read are named in findings; a presentation without a good one is malformed."""
    good = sheet(shape(paragraph("whole"), kind="title"))
    extraction = extract(
        presentation(["<p:sld", good], related={2: [("notesSlide", "../notes/missing.xml")]}), file_name="a.pptx"
    )
    assert "## whole" in extraction.markdown
    assert sorted(finding.code for finding in extraction.validation) == ["part_missing", "slide_missing"]
    with pytest.raises(ItemError, match="slide 1 cannot be read"):
        extract(presentation(["<p:sld"]), file_name="a.pptx")


def test_one_slide_that_is_nested_without_end_does_not_lose_the_others() -> None:
    """Depth costs the slide that has it."""
    deep = sheet("<p:grpSp>" * 3_000 + "</p:grpSp>" * 3_000)
    extraction = extract(presentation([deep, sheet(shape(paragraph("whole"), kind="title"))]), file_name="a.pptx")
    assert extraction.markdown == "## whole\n"
    assert [finding.code for finding in extraction.validation] == ["slide_missing"]


def test_entities_are_refused() -> None:
    """No part may declare entities, whatever its encoding."""
    bomb = '<!DOCTYPE x [<!ENTITY a "aaaa">]>' + sheet(shape(paragraph("&a;")))
    for content in (bomb.encode(), ('<?xml version="1.0" encoding="UTF-16"?>' + bomb).encode("utf-16")):
        with pytest.raises(ItemError) as refused:
            extract(presentation([content]), file_name="a.pptx")
        assert refused.value.reason == "unsafe_xml"


def test_links_are_listed() -> None:
    """Targets of hyperlinks are links of the document."""
    content = presentation([sheet(shape(paragraph("see")))], related={1: [("hyperlink", "https://example.org/pptx")]})
    assert [one.target for one in extract(content, file_name="a.pptx").links] == ["https://example.org/pptx"]
