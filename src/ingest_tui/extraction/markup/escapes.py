r"""Escapes in the strings of data files, decoded by what their formats define: ``\u00fc`` is a letter for who reads.

What comes out is for readers and for search, no longer always a file of its format. Of source code nothing is decoded:
there an escape is what was written.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

_OF_PROPERTIES = {"f": "\n", "n": "\n", "r": "\n", r"r\n": "\n", "t": "\t"}
_OF_JSON = {**_OF_PROPERTIES, "b": " "}
_OF_TOML = {**_OF_JSON, "e": " "}
_OF_YAML = {**_OF_TOML, "0": " ", "a": " ", "v": "\n", "N": "\n", "_": "\xa0", "L": "\n", "P": "\n"}
"""What letters stand for; any other is itself."""
_JSON = re.compile(r"\\(u[0-9a-fA-F]{4}|r\\n|[\"\\/bfnrt])")
_YAML = re.compile(r"\\(x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|r\\n|[ \t]*\n[ \t]*|[0abtnvfre\"/\\N_LP \t])")
_TOML = re.compile(r"\\(x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|r\\n|[ \t]*\n\s*|[btnfre\"\\])")
_TOML_STRING = re.compile(
    r"#[^\n]*+|'''.*?'''|'[^'\n]*+'|(\"\"\"(?>(?:[^\\\"]++|\\.|\"(?!\"\"))*)\"{3,5}|\"(?>(?:[^\"\\\n]++|\\.)*)\")",
    re.DOTALL,
)
_PROPERTIES = re.compile(r"\\(u[0-9a-fA-F]{4}|r\\n|\n[ \t\f]*|[^\n])")
_PROPERTY = re.compile(r"^[ \t\f]*+(?![#!])(?>(?:[^\\\n]++|\\.)*)$", re.MULTILINE | re.DOTALL)
_STRINGS = re.compile(r"\\(U[0-9a-fA-F]{4}|u[0-9a-fA-F]{4}|r\\n|[\"'\\bfnrt])")
_STRINGS_STRING = re.compile(r"/\*.*?\*/|//[^\n]*+|(\"(?>(?:[^\"\\]++|\\.)*)\")", re.DOTALL)
_HALF = re.compile(r"\\u[dD](?=[89a-fA-F])")
_DEEPEST_YAML = 500
_LONGEST_YAML = 16_000_000
_SURROGATES = re.compile("[\ud800-\udbff][\udc00-\udfff]")


def decode_json(text: str) -> str:
    r"""Return JSON with its escapes decoded; ``\n`` ends a line. Outside of strings JSON has no backslash."""
    return _decoded(text, _JSON, _OF_JSON) if "\\" in text else text


def decode_yaml(text: str) -> str:
    """Return YAML with the escapes of strings in double quotes decoded (YAML 1.2, 5.7), as far as it can be read.

    One of more than 16 million characters is returned as it is: where its strings are takes a second for a million.
    """
    if "\\" not in text or len(text) > _LONGEST_YAML:
        return text
    return "".join(_with_decoded(text, _yaml_strings(text), _YAML, _OF_YAML))


def decode_toml(text: str) -> str:
    """Return TOML with the escapes of its basic strings decoded (TOML 1.0)."""
    return "".join(_with_decoded(text, _spans(text, _TOML_STRING), _TOML, _OF_TOML)) if "\\" in text else text


def decode_properties(text: str) -> str:
    """Return properties of Java with their escapes decoded and their lines joined; comments have none."""
    return _PROPERTY.sub(lambda line: _decoded(line[0], _PROPERTIES, _OF_PROPERTIES), text) if "\\" in text else text


def decode_strings(text: str) -> str:
    """Return a table of strings of Apple with its escapes decoded."""
    return "".join(_with_decoded(text, _spans(text, _STRINGS_STRING), _STRINGS, _OF_JSON)) if "\\" in text else text


DECODERS: dict[str, Callable[[str], str]] = {
    "yaml": decode_yaml,
    "toml": decode_toml,
    "properties": decode_properties,
    "strings": decode_strings,
}
"""By the name of the format."""


def _spans(text: str, strings: re.Pattern[str]) -> Iterator[tuple[int, int]]:
    """Yield where strings with escapes begin and end: the first group; what else is found has none."""
    return (match.span(1) for match in strings.finditer(text) if match[1])


def _yaml_strings(text: str) -> Iterator[tuple[int, int]]:
    import yaml

    readable = _HALF.sub(r"\\u0", text)  # JSON writes characters in halves, which libyaml refuses
    try:
        depth = 0
        for token in yaml.scan(readable, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader)):
            if isinstance(token, yaml.FlowSequenceStartToken | yaml.FlowMappingStartToken):
                depth += 1
                if depth > _DEEPEST_YAML:  # each level makes every token below it slower
                    return
            elif isinstance(token, yaml.FlowSequenceEndToken | yaml.FlowMappingEndToken):
                depth -= 1
            elif isinstance(token, yaml.ScalarToken) and token.style == '"':
                yield token.start_mark.index, token.end_mark.index
    except (yaml.YAMLError, ValueError):  # a template, or damage: what follows is kept as it is written
        return


def _with_decoded(
    text: str, spans: Iterator[tuple[int, int]], escape: re.Pattern[str], letters: dict[str, str]
) -> Iterator[str]:
    at = 0
    for start, end in spans:
        yield text[at:start]
        yield _decoded(text[start:end], escape, letters)
        at = end
    yield text[at:]


def _decoded(text: str, escape: re.Pattern[str], letters: dict[str, str]) -> str:
    decoded = escape.sub(lambda match: _shown(match[1], letters), text)
    return _SURROGATES.sub(lambda match: match[0].encode("utf-16", "surrogatepass").decode("utf-16"), decoded)


def _shown(escape: str, letters: dict[str, str]) -> str:
    if len(escape) > 2 and escape[0] in "xuU":  # noqa: PLR2004 a letter and the digits of a code
        return _character(int(escape[1:], 16))
    if escape[-1:] == "\n" or "\n" in escape:  # the line goes on
        return ""
    return letters.get(escape, escape)


def _character(code: int) -> str:
    """Return a character of an escape; a control character separates words, as it does where it is printed."""
    if code in (10, 13):
        return "\n"
    return " " if code < ord(" ") or code > 0x10FFFF else chr(code)  # noqa: PLR2004 beyond Unicode
