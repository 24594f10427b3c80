"""Where links lead: from where they stand, to what is there now or was there when it was read."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest_tui.model.links import AddressBook, ItemAddress, Link, comparable, links_of

ROOT = "file:///srv/docs/"
GUIDE = ItemAddress(f"{ROOT}guide/start.md", "guide/start.md")
SITE = "https://contoso.sharepoint.com/sites/hr/Shared%20Documents/"


@pytest.fixture
def book() -> AddressBook:
    """A folder, a bucket and a library, each with documents."""
    book = AddressBook()
    book.add_place(GUIDE, "start")
    book.add_place(ItemAddress(f"{ROOT}guide/set%20up.md", "guide/set up.md"), "setup")
    book.add_place(ItemAddress(f"{ROOT}index.md", "index.md"), "index")
    book.add_place(ItemAddress(f"{ROOT}picture.png", "picture.png"), None, "rejected: unsupported_type")
    book.add_place(ItemAddress("s3://bucket/manual/a%20b.md", "manual/a b.md"), "object")
    book.add_place(ItemAddress(f"{SITE}Plans/Plan%202026.docx", "Documents/Plans/Plan 2026.docx"), "plan")
    book.add_former(f"{ROOT}old/moved.md", "index")
    return book


@pytest.mark.parametrize(
    ("target", "base", "document_id"),
    [
        ("set%20up.md", GUIDE, "setup"),
        ("set up.md", GUIDE, "setup"),
        ("./set%20up.md#first-steps", GUIDE, "setup"),
        ("../guide/./set%20up.md?x=1", GUIDE, "setup"),
        ("..\\index.md", GUIDE, "index"),
        ("/index.md", GUIDE, "index"),
        ("/srv/docs/index.md", GUIDE, "index"),
        ("FILE:///srv/docs/index.md", GUIDE, "index"),
        ("#below", GUIDE, "start"),
        ("../old/moved.md", GUIDE, "index"),
        ("a b.md", ItemAddress("s3://bucket/manual/z.md", "manual/z.md"), "object"),
        ("s3://bucket/manual/a%20b.md", GUIDE, "object"),
        ("https://CONTOSO.sharepoint.com/sites/HR/Shared%20Documents/plans/plan%202026.docx?d=w1&web=1", GUIDE, "plan"),
        (
            "https://contoso.sharepoint.com/:w:/r/sites/hr/Shared%20Documents/Plans/Plan%202026.docx?csf=1",
            GUIDE,
            "plan",
        ),
    ],
)
def test_links_lead_to_documents(book: AddressBook, target: str, base: ItemAddress, document_id: str) -> None:
    """Relative paths, addresses of files, keys and the forms in which SharePoint writes one address."""
    found = book.resolve(Link(target), base)
    assert (found.state, found.document_id) == ("document", document_id)


@pytest.mark.parametrize(
    ("target", "state"),
    [
        ("missing.md", "broken"),
        ("../guide", "folder"),
        ("../guide/", "folder"),
        ("../picture.png", "item"),
        ("../../other/x.md", "external"),
        ("https://example.org/x", "external"),
        ("mailto:a@example.org", "external"),
        ("C:\\docs\\a.doc", "external"),
        ("s3://bucket/manual/gone.md", "broken"),
        ("s3://other/manual/a.md", "external"),
        (f"{SITE}Gone.docx", "broken"),
        ("https://contoso.sharepoint.com/sites/other/x.docx", "external"),
        ("../../../../../../etc/passwd", "external"),
        ("", "document"),
    ],
)
def test_what_leads_to_no_document_is_distinguished(book: AddressBook, target: str, state: str) -> None:
    """Broken is only what leads into a source and is not known there."""
    assert book.resolve(Link(target), GUIDE).state == state


def test_a_link_follows_a_document_that_moved_and_one_that_moved_itself(book: AddressBook) -> None:
    """Both ends may move: where the linking document was read from is tried as well."""
    moved = ItemAddress(f"{ROOT}attic/start.md", "attic/start.md")
    assert book.resolve(Link("set up.md"), moved).state == "broken"
    assert book.resolve(Link("set up.md"), moved, GUIDE).document_id == "setup"


def test_what_is_at_an_address_now_comes_before_what_was_there(book: AddressBook) -> None:
    """A link leads to the document that is there now."""
    book.add_place(ItemAddress(f"{ROOT}old/moved.md", "old/moved.md"), "newcomer")
    assert book.resolve(Link("../old/moved.md"), GUIDE).document_id == "newcomer"


def test_relative_links_of_what_scripts_registered_are_broken_where_nothing_is_known() -> None:
    """There is no source whose end could be reported; a name without an address has no neighbours."""
    book = AddressBook()
    book.add_place(ItemAddress("https://wiki.example/a/b", "https://wiki.example/a/b"), "one")
    base = ItemAddress("https://wiki.example/a/c", "https://wiki.example/a/c")
    assert book.resolve(Link("b"), base).document_id == "one"
    assert book.resolve(Link("d"), base).state == "broken"
    assert book.resolve(Link("d"), ItemAddress("message-17", "message-17")).state == "external"


@given(target=st.text(max_size=60) | st.text("./\\#?%:a2F ", max_size=30), uri=st.text("a:/%. ", max_size=20))
def test_no_target_fails(target: str, uri: str) -> None:
    """Whatever is in a document, it leads somewhere or nowhere."""
    book = AddressBook()
    book.add_place(GUIDE, "start")
    book.add_place(ItemAddress(uri, uri[2:]), "other")
    assert book.resolve(Link(target), GUIDE, ItemAddress(uri, uri)).state
    assert comparable(target) is not None


@pytest.mark.parametrize(
    ("kept", "links"),
    [
        (["a.md", {"target": "b.md", "text": "B", "start": 3}], [Link("a.md"), Link("b.md", "B", 3)]),
        ([{"target": "b.md"}, {"target": "c", "text": 3, "start": "x"}], [Link("b.md"), Link("c")]),
        ([3, None, {"text": "B"}, [], {"target": None}], []),
        (None, []),
        ({"target": "x"}, []),
    ],
)
def test_records_of_all_ages_are_read(kept: Any, links: list[Link]) -> None:
    """Targets alone are what earlier versions of the program kept; what is damaged is left out."""
    assert links_of({"links": kept}) == links


def test_the_query_of_a_web_address_tells_pages_apart() -> None:
    """Pages whose addresses differ in it alone are different ones; where none is known by it, it means nothing."""
    book = AddressBook()
    start = "https://wiki.example.org/pages/viewpage.action"
    for number in ("12", "13"):
        book.add_place(ItemAddress(f"{start}?pageId={number}", f"DOC/{number}.confluence"), number)
    book.add_place(ItemAddress("https://wiki.example.org/a.html", "a.html"), "a")
    base = ItemAddress("https://wiki.example.org/b.html", "b.html")

    def lead(target: str) -> str | None:
        return book.resolve(Link(target, "", None), base).document_id

    assert [lead(f"{start}?pageId={number}#heading") for number in ("12", "13", "14")] == ["12", "13", None]
    assert lead("https://wiki.example.org/a.html?utm_source=x") == "a"
    assert lead("a.html?version=2") == "a"
