"""What the command line says of a job that runs."""

from __future__ import annotations

from ingest_tui.cli.progress import _note, parsing_lines
from ingest_tui.model.clock import posix_ns, rfc3339_from_ns
from ingest_tui.model.job import JobState, Manifest, ParsingItem


def _running(*ages: float) -> Manifest:
    manifest = Manifest(job_id="j", source_id="s", collection_id="c", created_at="", updated_at="")
    manifest.state = JobState.RUNNING
    for number, seconds in enumerate(ages):
        since = rfc3339_from_ns(posix_ns() - int(seconds * 1e9)) or ""
        manifest.parsing.append(ParsingItem(key=f"docs/\x1b{number}.pdf", pid=4711 + number, since=since))
    return manifest


def test_what_is_parsed_is_named_with_its_process() -> None:
    """A line for each item, the longest first, with seconds and process."""
    first, second = parsing_lines(_running(60.5, 0.5))
    assert first.startswith("docs/\x1b0.pdf for 6")  # `output.line` makes it safe
    assert first.endswith(" s, pid 4711")
    assert second.endswith(" s, pid 4712")
    assert parsing_lines(_running()) == []


def test_the_bar_names_what_takes_long() -> None:
    """An item that is parsed for seconds is named next to its bar, without control characters; a quick one is not."""
    assert "0.pdf for 6" in _note(_running(60.5), "extract")
    assert "\x1b" not in _note(_running(60.5), "extract")
    assert _note(_running(-60), "extract") == ""
    assert "pdf" not in _note(_running(60.5), "commit")
