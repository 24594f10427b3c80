"""The storage format of Confluence: what a person sees of a page is in its text."""

from __future__ import annotations

import pytest

from ingest_tui.connectors.confluence.document import file_of, named_in
from ingest_tui.extraction.parse import extract

PAGES = [
    ("DOC", "Pay & leave", "https://wiki.example.org/pages/2"),
    ("OPS", "Home", "https://wiki.example.org/pages/3"),
]
ABOUT = {
    "base": "https://wiki.example.org/wiki",
    "space": "DOC",
    "title": "Travel",
    "kind": "page",
    "attachments": "https://wiki.example.org/download/attachments/1/",
}


def text_of(stored: str) -> str:
    """Return the Markdown of a text in storage format, without the title of the page."""
    content = file_of(stored, ABOUT, PAGES, [("abc", "Ann Example")])
    return extract(content, file_name="1.confluence").markdown.removeprefix("# Travel").strip()


def macro(name: str, inner: str = "", **parameters: str) -> str:
    given = "".join(f'<ac:parameter ac:name="{key}">{value}</ac:parameter>' for key, value in parameters.items())
    return f'<ac:structured-macro ac:name="{name}">{given}{inner}</ac:structured-macro>'


def rich(inner: str) -> str:
    return f"<ac:rich-text-body>{inner}</ac:rich-text-body>"


def plain(text: str) -> str:
    return f"<ac:plain-text-body><![CDATA[{text}]]></ac:plain-text-body>"


def link(target: str, body: str = "") -> str:
    return f"<p><ac:link>{target}{body}</ac:link></p>"


def task(status: str, body: str) -> str:
    return f"<ac:task><ac:task-status>{status}</ac:task-status><ac:task-body>{body}</ac:task-body></ac:task>"


FILE = '<ri:attachment ri:filename="a.pdf"/>'
PAY = '<ri:page ri:content-title="Pay &amp; leave"/>'
BODY = "<ac:plain-text-link-body><![CDATA[see]]></ac:plain-text-link-body>"


@pytest.mark.parametrize(
    ("stored", "expected"),
    [
        ("<h2>&Uuml;ber&nbsp;uns</h2><p><strong>w</strong>ord</p>", "## Über uns\n\n**w**ord"),
        (macro("code", plain('print("<hi>")\n# no heading'), language="py"), '```py\nprint("<hi>")\n# no heading\n```'),
        (macro("code", plain("x"), title="Listing"), "**Listing**\n\n```\nx\n```"),
        (macro("noformat", plain("a < b")), "```\na < b\n```"),
        (macro("info", rich("<p>inside</p>"), title="Heed"), "> **Heed**\n>\n> inside"),
        (macro("expand", rich("<p>more words</p>"), title="More"), "**More**\n\nmore words"),
        (macro("somebodys", rich("<p>kept words</p>"), x="parameter"), "kept words"),
        (macro("somebodys", plain("kept words")), "```\nkept words\n```"),
        (macro("toc", maxLevel="3") + "<p>x</p>", "x"),
        (macro("excerpt", rich("<p>secret</p>"), hidden="true") + "<p>x</p>", "x"),
        (f"<p>{macro('status', title='DONE', colour='Green')} and {macro('jira', key='AB-1')}</p>", "DONE and AB-1"),
        (macro("view-file", f'<ac:parameter ac:name="name">{FILE}</ac:parameter>'), "a.pdf"),
        (
            macro("include", f'<ac:parameter ac:name=""><ac:link>{PAY}</ac:link></ac:parameter>'),
            "[Pay & leave](https://wiki.example.org/pages/2)",
        ),
        (
            f"<ac:task-list>{task('complete', 'buy <em>milk</em>')}{task('incomplete', 'sell')}</ac:task-list>",
            "- [x] buy *milk*\n- [ ] sell",
        ),
        (
            f"<table><tr><th>A</th><th>B</th></tr><tr><td>1</td><td>{macro('status', title='OK')}</td></tr></table>",
            "| A | B |\n| --- | --- |\n| 1 | OK |",
        ),
        ('<p>due <time datetime="2026-12-01"/></p>', "due 2026-12-01"),
        ('<p><ac:emoticon ac:name="smile" ac:emoji-fallback="🙂"/><ac:emoticon ac:name="tick"/></p>', "🙂:tick:"),
        ("<p>a<ac:inline-comment-marker>b</ac:inline-comment-marker>c</p>", "abc"),
        ("<ac:layout-section><ac:layout-cell><p>x</p></ac:layout-cell></ac:layout-section>", "x"),
        ("<ac:placeholder>type here</ac:placeholder><p>x</p>", "x"),
        (link('<ri:page ri:content-title="Pay &amp; leave"/>', BODY), "[see](https://wiki.example.org/pages/2)"),
        (link('<ri:page ri:space-key="OPS" ri:content-title="Home"/>'), "[Home](https://wiki.example.org/pages/3)"),
        (link('<ri:page ri:content-title="Unknown"/>', BODY), "see"),
        (link('<ri:user ri:account-id="abc"/>'), "@Ann Example"),
        (link('<ri:user ri:userkey="xyz"/>'), "@xyz"),
        (link('<ri:attachment ri:filename="a b.pdf"/>'), "[a b.pdf](https://wiki.example.org/download/attachments/1/a%20b.pdf)"),
        ('<p><a href="/wiki/x/AbC">short</a></p>', "[short](https://wiki.example.org/wiki/x/AbC)"),
        (
            f'<ac:image ac:alt="a map">{FILE}<ac:caption><p>Our way</p></ac:caption></ac:image>',
            "![a map](https://wiki.example.org/download/attachments/1/a.pdf)\n\nOur way",
        ),
        (
            "<ac:adf-extension><ac:adf-node/><ac:adf-fallback><div>words</div></ac:adf-fallback></ac:adf-extension>",
            "words",
        ),
    ],
)  # fmt: skip
def test_what_is_seen_is_read(stored: str, expected: str) -> None:
    """Macros, tasks, links, mentions, images and tables read as a person sees them."""
    assert text_of(stored) == expected


@pytest.mark.parametrize("stored", ["<p>open", "a & b <p>words</p>", "<p>words</p></p>", "\x00\ud800 words ]]>"])
def test_a_text_that_is_no_xml_keeps_its_words(stored: str) -> None:
    """What old editors and imports left is read as browsers would, and the document says so."""
    extraction = extract(file_of(f"{stored} more words", ABOUT), file_name="1.confluence")
    assert "more words" in extraction.markdown
    assert [finding.code for finding in extraction.validation] == ["not_well_formed"]


def test_a_text_nested_without_end_keeps_its_words() -> None:
    """Neither the depth nor entities of its own harm the parser."""
    deep = "<div>" * 3000 + "<p>words</p>" + "</div>" * 3000
    assert "words" in extract(file_of(deep, ABOUT), file_name="1.confluence").markdown
    bomb = '<!DOCTYPE r [<!ENTITY a "lol">]><p>&a; words</p>'
    assert "words" in extract(file_of(bomb, ABOUT), file_name="1.confluence").markdown


def test_what_a_text_names_is_found() -> None:
    """Pages with their space, people by any of their ids; each once, entities resolved."""
    stored = (
        link('<ri:page ri:content-title="Pay &amp; leave" />')
        + link("<ri:page ri:content-title='Pay &amp; leave'/>")
        + link('<ri:page ri:space-key="OPS" ri:content-title="Home"/>')
        + link('<ri:user ri:account-id="abc"/>')
        + link('<ri:user ri:userkey="key"/>')
        + "<ri:page ri:content-title"
    )
    named = named_in(stored)
    assert named.pages == [("", "Pay & leave"), ("OPS", "Home")]
    assert named.people == ["abc", "key"]
