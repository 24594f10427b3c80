"""Patterns in gitignore style that are matched in linear time, whatever a person writes and whatever a source is named.

pathspec says what a pattern means, as a regular expression in which wildcards are tried in every combination: with five
of them, one name of 250 dashes takes half a minute. Of all ways to match a wildcard that another one follows the
shortest is as good as any, because the following one takes whatever is left over. So all but the last wildcard of a
segment, and all but the last ``**`` of a pattern, become atomic groups: matched once, as short as can be, and never
tried again.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Sequence
from typing import AnyStr

from pathspec import GitIgnoreSpec
from pathspec.patterns.gitignore.spec import GitIgnoreSpecPattern

from ingest_tui.model.errors import ValidationError
from ingest_tui.model.safe_text import safe_display

_ABOVE = "(?:.+/)?"
"""What pathspec writes for a ``**`` at the beginning."""
_BETWEEN = "(?:/.+)?"
"""What it writes for one between two segments."""
_STAR = "[^/]*"
_SHORTEST = {_ABOVE: "(?:.+?/)??", _BETWEEN: "(?:/.+?)??"}
_DOT_IS_ANY_CHARACTER = "(?s)"
_TOKEN = re.compile(
    r"""(?P<anything>\(\?:\.\+/\)\?|\(\?:/\.\+\)\?)
      | (?P<end>\(\?:\(\?P<ps_d>/\)\|\$\)|\(\?P<ps_d>/\)|/\Z)
      | (?P<star>\[\^/\]\*)
      | (?P<other>\[\^/\]\+?|\\.|[^\[\\])
      | (?P<bracket>\[\^?\]?[^\]]*\])""",
    re.VERBOSE | re.DOTALL,
)


class LinearPattern(GitIgnoreSpecPattern):
    """A pattern of pathspec with another regular expression of the same meaning."""

    __slots__ = ()

    @classmethod
    def pattern_to_regex(cls, pattern: AnyStr) -> tuple[AnyStr | None, bool | None]:
        """Return the regular expression and whether it includes; called by pathspec for each pattern."""
        regex, include = super().pattern_to_regex(pattern)
        if isinstance(regex, str):
            regex = linear(regex)
        return regex, include


def compile_patterns(lines: Sequence[str]) -> GitIgnoreSpec:
    """Return what matches the patterns together. Raises `ValidationError` for one that can match nothing."""
    patterns = [line for line in lines if line]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)  # `re` on brackets in brackets, which mean nothing special
        try:
            spec = GitIgnoreSpec.from_lines(patterns, LinearPattern, backend="simple")
        except (ValueError, TypeError, re.error) as error:
            raise _wrong(str(error)) from None
    for text, pattern in zip(patterns, spec.patterns, strict=True):
        if pattern.include is None and text.strip() and not text.startswith("#"):
            raise _wrong(text)
    return spec


def _wrong(what: str) -> ValidationError:
    return ValidationError(
        f"not a pattern in gitignore style: {safe_display(what, limit=200)}", hint="e.g. *.md, docs/**, !draft.md"
    )


def linear(regex: str) -> str:
    """Return a regular expression of pathspec so that it is matched in linear time, and line feeds are characters."""
    tokens = [(match.lastgroup or "", match[0]) for match in _TOKEN.finditer(regex)]
    if "".join(text for _, text in tokens) != regex:
        raise ValueError(f"cannot be matched in linear time: {regex}")
    parts: list[list[tuple[str, str]]] = [[]]
    for token in tokens:
        if token[0] == "anything":
            parts.append([])
        parts[-1].append(token)
    *earlier, last = parts
    written = "".join(map(_atomic_part, earlier)) + _without_retries(last)
    return _DOT_IS_ANY_CHARACTER + written.replace("|$)", r"|\Z)")


def _atomic_part(tokens: list[tuple[str, str]]) -> str:
    """Return the segments from one ``**`` up to the next, found as early as they can be."""
    if not tokens or tokens[0][0] != "anything":
        return _without_retries(tokens)
    kind = tokens[0][1]
    return f"(?>{_SHORTEST[kind]}{_without_retries(tokens[1:])}(?=/))"


def _without_retries(tokens: list[tuple[str, str]]) -> str:
    """Return tokens with each star that another one of its segment follows matched once, as short as can be."""
    written: list[str] = []
    since_star: list[str] | None = None
    for kind, text in tokens:
        if kind == "star":
            if since_star:
                written.append(f"(?>{_STAR}?{''.join(since_star)})")
            since_star = []
            continue
        token = f"(?!/){text}" if kind == "bracket" else text  # as in git, no bracket stands for a slash
        if since_star is None:
            written.append(token)
        elif text == "/" or kind in {"end", "anything"}:
            written += [_STAR, *since_star, token]
            since_star = None
        else:
            since_star.append(token)
    return "".join(written if since_star is None else [*written, _STAR, *since_star])
