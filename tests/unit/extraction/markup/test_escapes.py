"""Escapes of data files are what they stand for, by the rules of each format."""

from __future__ import annotations

import time

import pytest

from ingest_tui.extraction.markup.escapes import decode_yaml
from ingest_tui.extraction.parse import extract, extract_text


@pytest.mark.parametrize(
    ("name", "written", "read"),
    [
        ("a.yaml", r'a: "Z\u00fcrich \U0001F600 \ud83d\ude00 \xe9 \"q\""', 'a: "Zürich 😀 😀 é "q""'),
        (
            "a.yaml",
            'a: \'Z\\u00fc\'\nb: Z\\u00fc "\\u00fc"\nc: |\n  "\\u00fc"',
            'b: Z\\u00fc "\\u00fc"\nc: |\n  "\\u00fc"',
        ),
        ("a.yml", '😀: "one \\\n   two\\nthree"', '😀: "one two\nthree"'),
        ("a.toml", r'a = "Z\u00fc\tx" # "\u00fc"', 'a = "Zü\tx" # "\\u00fc"'),
        ("a.toml", r"a = '\u00fc'", r"a = '\u00fc'"),
        ("a.toml", 'a = """Z\\u00fc ""\\U0001F600 \\\n  y"""', 'a = """Zü ""😀 y"""'),
        ("a.toml", "a = '''\n\"\\u00fc\"'''", "a = '''\n\"\\u00fc\"'''"),
        ("a.properties", r"k\u00fc\ x=Z\u00fc C\:\\u00e9", "kü x=Zü C:\\u00e9"),
        ("a.properties", "a=one, \\\n    two\n# \\u00fc", "a=one, two\n# \\u00fc"),
        ("a.properties", r"a=C:\Program Files\app \Network\0\e\b\_\tx", "a=C:Program Filesapp Network0eb_\tx"),
        ("a.strings", r'/* "\U00fc" */ "k" = "Z\U00fc \"q\"";', r'/* "\U00fc" */ "k" = "Zü "q"";'),
        ("a.js", r'const a = "Z\u00fc"', r'const a = "Z\u00fc"'),
    ],
)
def test_escapes_are_decoded_where_the_format_has_them(name: str, written: str, read: str) -> None:
    """Strings without escapes, comments and source code stay as they are written."""
    assert read in extract_text(written, name)


def test_yaml_that_breaks_is_decoded_as_far_as_it_is_read() -> None:
    """A template is no YAML; what is before it is."""
    assert decode_yaml('a: "\\u00fc"\n%}{{ "\\u00fc"') == 'a: "ü"\n%}{{ "\\u00fc"'


def test_control_characters_of_escapes_separate_words() -> None:
    """An escape for a character that no text holds is a gap; a number beyond Unicode, too."""
    text = extract_text(r'a = "one\u0001two\U00110000three\u000afour"', "a.toml")
    assert text == '```toml\na = "one two three\nfour"\n```\n'


def test_texts_of_a_sequence_are_read() -> None:
    """Each is JSON of its own (RFC 7464), also over several lines; the bytes say what it is, whatever its name."""
    written = '\x1e{"city": "Z\\u00fcrich"}\n\x1e{"list":\n[1]}\n'
    for name in ("a.json-seq", "a.json", "a"):
        assert extract_text(written, name) == '```json\n{"city": "Zürich"}\n{"list":\n[1]}\n```\n'


def test_the_picture_of_a_separator_separates_no_texts() -> None:
    """In a string it is a character as any other."""
    written = '\x1e{"a": "x␞y"}\n\x1e{"b": 1}\n'
    found = extract(written.encode(), file_name="a.json-seq")
    assert (found.markdown, list(found.validation)) == ('```json\n{"a": "x␞y"}\n{"b": 1}\n```\n', [])


def test_yaml_that_is_nested_deeper_than_anybody_writes_is_kept_as_it_is() -> None:
    """Each level makes what is in it slower to read: from some depth on escapes stay."""
    began = time.process_time()
    deep = '["\\u00fc", ' + "[" * 100_000 + '"\\u00e4"'
    assert decode_yaml(deep) == deep.replace("\\u00fc", "ü")
    assert time.process_time() - began < 30
