"""One form for each address, and keys that lead back to it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest_tui.connectors.web.addresses import SiteScope, canonical


@pytest.mark.parametrize(
    ("written", "form"),
    [
        ("HTTP://Example.ORG:80", "http://example.org/"),
        ("https://example.org:8443/a", "https://example.org:8443/a"),
        ("https://example.org/a/../b/./c/..", "https://example.org/b/"),
        ("https://example.org/../../a", "https://example.org/a"),
        ("https://example.org//a///b", "https://example.org/a/b"),
        ("https://example.org/%7euser/%e4?x=%2f#part", "https://example.org/~user/%E4?x=%2F"),
        ("https://example.org/a b/ü?q=ü", "https://example.org/a%20b/%C3%BC?q=%C3%BC"),
        ("https://example.org/100%", "https://example.org/100%25"),
        ("https://example.org/a?", "https://example.org/a"),
        ("https://bücher.example./", "https://xn--bcher-kva.example/"),
        ("https://[::1]:443/", "https://[::1]/"),
        ("https://user@example.org/", None),
        ("javascript:alert(1)", None),
        ("mailto:person@example.org", None),
        ("https:///path", None),
        (f"https://example.org/{'x' * 3000}", None),
    ],
)
def test_an_address_has_one_form(written: str, form: str | None) -> None:
    """Host, port, escapes, dots, slashes and fragment as RFC 3986 has them; no page where it is none."""
    assert canonical(written) == form
    if form is not None:
        assert canonical(form) == form


@pytest.mark.parametrize(
    ("start", "address", "key"),
    [
        ("https://example.org/docs/", "https://example.org/docs/", "/"),
        ("https://example.org/docs", "https://example.org/docs", "/"),
        ("https://example.org/docs", "https://example.org/docs/a", "a"),
        ("https://example.org/docs/index.html", "https://example.org/docs/index.html", "index.html"),
        ("https://example.org/docs/index.html", "https://example.org/docs/", "/"),
        ("https://example.org/docs/", "https://example.org/docs/a%20b/%C3%BC.pdf?v=1", "a b/ü.pdf?v=1"),
        ("https://example.org/docs/", "https://example.org/docs/%23%0A%C2%85", "%23%0A%C2%85"),
        ("https://example.org/docs/", "https://example.org/docs-old/a", None),
        ("https://example.org/docs/", "https://example.org/", None),
        ("https://example.org/docs/", "https://example.org.evil.example/docs/a", None),
        ("https://example.org/docs/", "https://example.org:8443/docs/a", None),
    ],
)
def test_keys_are_of_what_is_below_the_start(start: str, address: str, key: str | None) -> None:
    """What is in the folder of the start has a key that reads well; everything else has none."""
    scope = SiteScope(start)
    assert scope.key_of(address) == key
    if key is not None:
        assert scope.address_of(key) in {address, f"{address}/"}


def test_a_link_with_the_other_scheme_is_one_of_this_site() -> None:
    """A site that was moved to https has old links left; a port of its own is another site."""
    scope = SiteScope("https://example.org/docs/")
    assert scope.resolve("http://example.org/docs/a", "https://example.org/") == "https://example.org/docs/a"
    assert scope.resolve("http://example.org:81/docs/a", "https://example.org/") == "http://example.org:81/docs/a"
    assert scope.resolve("../b", "https://example.org/docs/x/y") == "https://example.org/docs/b"
    assert scope.resolve("https://[broken/", "https://example.org/") is None


@pytest.mark.parametrize(
    ("start", "leads_to", "begins"),
    [
        ("https://example.org/docs", "https://Example.org:443/docs/#top", "https://example.org/docs/"),
        ("http://example.org/docs", "https://example.org/docs/", "http://example.org/docs"),
        ("https://example.org/docs", "https://www.example.org/docs/", "https://example.org/docs"),
        ("https://example.org/docs", "https://example.org/docs/en/", "https://example.org/docs"),
        ("https://example.org/docs/", "https://example.org/docs", "https://example.org/docs/"),
        ("https://example.org/docs", "https://[broken/", "https://example.org/docs"),
    ],
)
def test_a_start_is_followed_to_its_own_folder_alone(start: str, leads_to: str, begins: str) -> None:
    """The address with a slash has the key of the one without; what is of another scheme or host is another site."""
    scope = SiteScope(start)
    assert scope.follow_start(leads_to) == (begins != start)
    assert scope.start_address == begins
    assert scope.key_of(start) == scope.key_of(begins) == scope.start_key == "/"


@given(st.text(max_size=40), st.text(max_size=10))
def test_a_key_leads_back_to_its_address(path: str, query: str) -> None:
    """Whatever a page links to: the key of an address stands for it alone."""
    scope = SiteScope("https://example.org/docs/")
    address = scope.resolve(f"https://example.org/docs/{path}?{query}", "https://example.org/")
    key = scope.key_of(address) if address else None
    if key is not None:
        assert scope.address_of(key) == address
        assert key.isprintable()
        assert key == "/" or not key.startswith("/")
