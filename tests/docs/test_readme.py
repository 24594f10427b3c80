"""The README's code runs as it is printed, also the second time."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

README = Path(__file__).parents[2] / "README.md"


def test_python_block_runs_twice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The block that shows the Python API finds its document in a fresh folder, and again when it is run once more."""
    block = re.search(r"```python\n(.*?)```", README.read_text(), re.DOTALL)
    assert block is not None
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes" / "gauge.md").write_text("# Gauges\n\nThe rain gauge stands in the garden.\n")
    monkeypatch.chdir(tmp_path)
    for _ in range(2):
        exec(compile(block[1], "README.md", "exec"), {})
        assert "The rain gauge stands in the garden." in capsys.readouterr().out
