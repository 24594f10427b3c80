"""The page for browsers: who gets it, and what it may do there. What it does is tried in tests/page."""

from __future__ import annotations

import re
from importlib.resources import files

import pytest
from starlette.testclient import TestClient

from tests.servers.served import Served

FOLDER = files("ingest_tui.server") / "page"
SCRIPTS = {one.name: one.read_text(encoding="utf-8") for one in FOLDER.iterdir() if one.name.endswith(".js")}
BROWSER = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}


def test_a_browser_gets_the_page_and_a_program_what_it_needs(asking: TestClient) -> None:
    """Only who asks for HTML gets it; anybody else is told where the server is described."""
    page, program = asking.get("/", headers=BROWSER), asking.get("/", headers={"Accept": "*/*"})
    assert (page.status_code, page.headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert (program.status_code, program.json()["docs"]) == (200, "/docs")
    assert all("Accept" in one.headers["vary"].split(", ") for one in (page, program))
    assert asking.post("/", headers=BROWSER).status_code == 405


@pytest.mark.parametrize(
    ("path", "kind"),
    [("/", "text/html"), ("/page/page.js", "text/javascript"), ("/page/text.js", "text/javascript"),
     ("/page/page.css", "text/css"), ("/page/icon.svg", "image/svg+xml")],
)  # fmt: skip
def test_every_file_of_it_comes_with_the_policy(asking: TestClient, path: str, kind: str) -> None:
    """Nothing inline, nothing of other hosts, no markup out of a text; and nobody guesses another kind of file."""
    answer = asking.get(path, headers=BROWSER)
    policy = dict(part.split(" ", 1) for part in answer.headers["content-security-policy"].split("; "))
    assert answer.headers["content-type"].startswith(kind)
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert policy["default-src"] == "'none'"
    assert {policy[name] for name in ("script-src", "style-src", "connect-src", "img-src")} == {"'self'"}
    assert policy["require-trusted-types-for"] == "'script'"
    assert policy["frame-ancestors"] == "'none'"


def test_no_other_file_is_served(asking: TestClient) -> None:
    """A path is a name in a table, never a place on the disk."""
    for path in ("/page/", "/page/page.html", "/page/../app.py", "/page/%2e%2e/app.py", "/page/x"):
        assert asking.get(path, headers=BROWSER).status_code == 404, path


def test_the_page_has_nothing_inline_and_nothing_of_others() -> None:
    """A browser would refuse it; what the page loads is among the files that are served."""
    html = (FOLDER / "page.html").read_text(encoding="utf-8")
    assert not re.findall(r"<style|\sstyle=|\son\w+=|javascript:|<script(?![^>]*\ssrc=)", html)
    loaded = re.findall(r'<(?:script|link)[^>]*(?:src|href)="([^"]*)"', html)
    assert sorted(loaded) == ["/page/icon.svg", "/page/page.css", "/page/page.js"]
    for name in ("page.html", "page.css"):
        assert not re.findall(r"https?://|@import|url\(", (FOLDER / name).read_text(encoding="utf-8")), name
    for name, script in SCRIPTS.items():
        assert not re.findall(r"https?://|\bimport\(", script), name
        assert set(re.findall(r'\bfrom "([^"]*)"', script)) <= {f"./{one}" for one in SCRIPTS}, name


def test_the_script_makes_no_markup_out_of_text() -> None:
    """Texts become text nodes: none of the ways to markup or code is in it."""
    for name, script in SCRIPTS.items():
        assert not re.findall(
            r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\b|Function\(|DOMParser", script
        ), name


def test_every_element_that_the_script_names_is_in_the_page() -> None:
    """A name that is misspelt would fail where nobody looks."""
    html = (FOLDER / "page.html").read_text(encoding="utf-8")
    ids = set(re.findall(r'\sid="([^"]+)"', html))
    for name, script in SCRIPTS.items():
        assert set(re.findall(r'\bat\("([^"]+)"\)', script)) <= ids, name
    referred = re.findall(r'\s(?:for|aria-labelledby|aria-describedby)="([^"]+)"', html)
    assert set(referred) <= ids


def test_the_page_is_for_everybody_and_its_data_is_not(own: Served) -> None:
    """With a token in the workspace the page still comes without one, to ask for it; no data does."""
    own.token()
    with own.asking() as asking:
        assert asking.get("/", headers=BROWSER).status_code == 200
        assert asking.get("/page/page.js").status_code == 200
        assert asking.get("/documents").status_code == 401
        assert asking.get("/", headers=BROWSER | {"Host": "evil.example"}).status_code == 421
