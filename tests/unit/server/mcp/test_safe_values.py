"""What leaves for a client is safe, and keeps its lines."""

from __future__ import annotations

import json

from ingest_tui.server.mcp.safe_values import excerpt, safe_values, shown_name


def test_no_text_of_a_value_acts() -> None:
    """Control characters, such as reorder others, hidden tags and lone surrogates are written out, in names too."""
    hostile = "a\x1b[2J\u202eb\U000e0041\ud800\x9b\rc"
    found = safe_values({hostile: [hostile, {"x": hostile}], "number": 3, "none": None, "yes": True})
    json.dumps(found, ensure_ascii=False).encode()
    name, (text, inner) = next(iter(found.items()))
    assert name == text == inner["x"] == "a\\x1b[2J\\u202eb\\U000e0041\\ud800\\x9b\\x0dc"
    assert (found["number"], found["none"], found["yes"]) == (3, None, True)


def test_lines_and_tabs_stay() -> None:
    """A text keeps its lines; a name is one line."""
    assert safe_values("a\n\tb") == "a\n\tb"
    assert shown_name("a\nb") == "a\\x0ab"


def test_what_is_long_is_cut() -> None:
    """Names in the middle, so that their ends stay readable, texts at the end."""
    assert len(shown_name("x" * 5_000 + "end")) == 300
    assert shown_name("x" * 5_000 + "end").endswith("end")
    assert excerpt("word " * 10, 9) == "word word…"
    assert excerpt("word", 4) == "word"
