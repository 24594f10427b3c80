"""Include and exclude patterns: what they take, and that no pattern and no name makes them slow."""

from __future__ import annotations

import time

import pytest

from ingest_tui.connectors.filtering import build_filter
from ingest_tui.model.errors import ValidationError

SECONDS = 1.0
"""The worst pair below takes some milliseconds; without linear time the mildest takes minutes."""


@pytest.mark.parametrize(
    ("pattern", "name"),
    [
        ("*-*-*-*-*.pdf", "-" * 250),
        ("*-*-*-*-*-*-*-*-*.pdf", "-" * 1000),
        ("*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*b", "a" * 1000),
        ("**/a/**/a/**/a/**/a/**/a/**/b", "a/" * 499 + "c"),
        ("**/*a*a*/**/*a*a*/**/*b", "aaaa/" * 200),
        ("[!b]*" * 100 + "x", "a" * 1000),
        ("?*" * 100 + "x", "a" * 1000),
        ("*[" + "a" * 5000 + "]" * 2 + "*[!b]*[a-z]*x", "a" * 1000),
        ("**/" * 100 + "x", "y/" * 500),
        ("*" * 1000 + "x", "y" * 1000),
        ("x/**/" + "*-" * 50 + "/**/y", "x/" + "-" * 900 + "/z"),
        ("/" + "*/" * 200 + "x", "a/" * 500),
    ],
    ids=lambda text: text[:20],
)
@pytest.mark.parametrize("is_included", [True, False])
def test_hostile_pattern_and_name_are_matched_at_once(pattern: str, name: str, is_included: bool) -> None:
    """However many wildcards a pattern has, a long name that nearly matches costs no more than others."""
    path_filter = build_filter((pattern,), ()) if is_included else build_filter((), (pattern,))
    started = time.process_time()
    for _ in range(10):
        assert path_filter.takes(name.encode()) is not is_included
        path_filter.enters(name.encode())
    assert time.process_time() - started < SECONDS


@pytest.mark.parametrize(
    ("pattern", "takes", "leaves"),
    [
        ("*-*-*.pdf", ["a-b-c.pdf", "--.pdf", "x/a-b-c.pdf", "a-b-c.pdf/x"], ["a-b.pdf", "a-b/c-d.pdf"]),
        ("**/a/**/b", ["a/b", "x/a/y/b", "a/a/b", "a/b/c"], ["b/a", "ab", "a"]),
        ("*a*/b", ["xax/b", "a/b/c"], ["x/b", "y/xax/b"]),
        ("*ab*ab", ["abab", "aabxab"], ["ab", "aba"]),
        ("[!a]*c", ["bc", "xbc"], ["ac", "a/c", "c"]),
        ("x[+-0]y", ["x-y", "x0y"], ["x/y"]),
        ("*.pdf", ["new\nline/a.pdf", "new\nline.pdf"], ["a.pdf\n"]),
        ("foo/", ["foo/a", "x/foo/a"], ["foo", "x/foo"]),
        ("/foo", ["foo", "foo/a"], ["x/foo"]),
        ("a/**", ["a/b", "a/b/c"], ["a", "x/a/b"]),
        ("\\*x", ["*x"], ["ax"]),
    ],
)
def test_patterns_mean_what_they_mean_in_gitignore(pattern: str, takes: list[str], leaves: list[str]) -> None:
    """Wildcards stay within a segment, ``**`` crosses them, no bracket is a slash, line feeds are characters."""
    path_filter = build_filter((pattern,), ())
    assert [name for name in [*takes, *leaves] if path_filter.takes(name.encode())] == takes


@pytest.mark.parametrize("pattern", ["[", "a[b", "x\\", "!", "/", "[z-a]"])
@pytest.mark.parametrize("is_included", [True, False])
def test_pattern_that_can_match_nothing_is_named(pattern: str, is_included: bool) -> None:
    """A pattern with a bracket that does not close, or with nothing in it, is refused instead of ignored."""
    with pytest.raises(ValidationError, match="not a pattern") as caught:
        build_filter((pattern,), ()) if is_included else build_filter((), (pattern,))
    assert caught.value.hint


def test_comments_and_blank_lines_are_no_patterns() -> None:
    """The lines of a .gitignore file can be given as they are."""
    path_filter = build_filter((), ("# drafts", "", "  ", "*.tmp", "!keep.tmp"))
    assert [name for name in ("a.tmp", "keep.tmp", "b") if path_filter.takes(name.encode())] == ["keep.tmp", "b"]


def test_names_that_are_no_unicode_are_matched() -> None:
    """Bytes that are no UTF-8 are characters like others."""
    path_filter = build_filter(("*.pdf",), ())
    assert path_filter.takes(b"\xff\xfe.pdf")
