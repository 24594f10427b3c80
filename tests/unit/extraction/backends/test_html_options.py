"""The options of html-to-markdown: those of its native module are what the layer around it would make."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from ingest_tui.extraction.backends import html

pytest.importorskip("html_to_markdown")


def test_the_package_gives_the_same_options() -> None:
    """What is left out here means what the package passes for it."""
    from html_to_markdown import ConversionOptions, PreprocessingOptions, api

    chosen = ConversionOptions(
        bullets="-",
        compact_tables=True,
        extract_metadata=False,
        infer_dimensions=False,
        inline_data_media="alt_text_only",
        preprocessing=PreprocessingOptions(enabled=True, remove_navigation=False, remove_forms=False),
    )
    assert _fields(html._options()) == _fields(api._to_rust_conversion_options(chosen))


def test_options_are_made_once_for_all_threads() -> None:
    """Pages are read in any thread with the options that another one made."""
    pages = [f"<h1>Page {number}</h1><ul><li>one</li></ul>" for number in range(20)]
    with ThreadPoolExecutor(4) as threads:
        texts = list(threads.map(html.html_to_markdown_text, pages))
    assert [text.split("\n")[0] for text in texts] == [f"# Page {number}" for number in range(20)]
    assert html._options() is html._options()


def test_a_library_without_these_options_is_no_fault_of_a_page(monkeypatch: pytest.MonkeyPatch) -> None:
    """What its native module lacks is reported as it is, not as a page that cannot be read."""
    import html_to_markdown

    html._options.cache_clear()
    monkeypatch.delattr(html_to_markdown._html_to_markdown, "InlineDataMedia")
    with pytest.raises(AttributeError, match="InlineDataMedia"):
        html.html_to_markdown_text("<p>text</p>")


def _fields(value: Any) -> dict[str, Any]:
    """Return all options, and those within them; a member of an enumeration by its name."""
    named = {name: getattr(value, name) for name in dir(value) if not name.startswith("_")}
    return {
        name: _fields(one) if type(one).__name__.endswith("Options") else str(one)
        for name, one in named.items()
        if not callable(one)
    }
