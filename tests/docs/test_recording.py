"""The recording of the first steps is one that players take, and holds nothing of the machine it was made on."""

from __future__ import annotations

import json
from pathlib import Path

import pyte

from tests.tui.pty_app import foreign_controls

CAST = Path(__file__).parent.parent.parent / "docs" / "first-steps.cast"


def test_the_recording_plays() -> None:
    """An asciicast of version 2: a header, then output in the order of time; it ends at the overview with a source."""
    header, *events = (json.loads(line) for line in CAST.read_text(encoding="utf-8").splitlines())
    assert header["version"] == 2
    times = [moment for moment, _kind, _data in events]
    assert times == sorted(times)
    assert {kind for _moment, kind, _data in events} == {"o"}
    screen = pyte.Screen(header["width"], header["height"])
    output = "".join(data for _moment, _kind, data in events)
    assert foreign_controls(output.encode()) == []
    assert "/srv/weather" in output
    assert "/tmp" not in output
    pyte.Stream(screen).feed(output)
    shown = "\n".join(screen.display)
    assert "Timeline 1" in shown
    assert "weather" in shown
