"""A pattern that is matched in linear time matches what pathspec says it does."""

from __future__ import annotations

import re
from typing import Any, AnyStr

from hypothesis import given
from hypothesis import strategies as st
from pathspec import GitIgnoreSpec
from pathspec.patterns.gitignore.spec import GitIgnoreSpecPattern

from ingest_tui.connectors.linear_patterns import compile_patterns

SEGMENTS = st.lists(st.sampled_from(["a", "b", "-", "*", "?", "[ab]", "[!a]", "**"]), min_size=1, max_size=6).map(
    "".join
)
PATTERNS = st.tuples(
    st.sampled_from(["", "/", "!", "!/"]),
    st.lists(st.one_of(SEGMENTS, st.just("**")), min_size=1, max_size=6).map("/".join),
    st.sampled_from(["", "/", "/**"]),
).map("".join)
NAMES = st.lists(st.text("ab-c", min_size=1, max_size=6), min_size=1, max_size=6).map("/".join)


class WithoutSlashes(GitIgnoreSpecPattern):
    """pathspec's own pattern, but for brackets, which never stand for a slash in git."""

    @classmethod
    def pattern_to_regex(cls, pattern: AnyStr) -> tuple[AnyStr | None, bool | None]:
        regex, include = super().pattern_to_regex(pattern)
        without: Any = re.sub(r"\[(ab|\^a)\]", r"(?!/)[\1]", regex) if isinstance(regex, str) else regex
        return without, include


@given(patterns=st.lists(PATTERNS, min_size=1, max_size=3), names=st.lists(NAMES, min_size=1, max_size=20))
def test_linear_patterns_match_what_pathspec_matches(patterns: list[str], names: list[str]) -> None:
    """Alone and together, negated and not, for files and for folders."""
    expected = GitIgnoreSpec.from_lines(patterns, WithoutSlashes, backend="simple")
    linear = compile_patterns(patterns)
    for name in (*names, *(f"{name}/" for name in names)):
        assert linear.match_file(name) == expected.match_file(name), (patterns, name)
