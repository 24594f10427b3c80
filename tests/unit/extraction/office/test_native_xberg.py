"""The native module of xberg: that it is there by itself, and is asked for what the layer around it would ask for."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from ingest_tui.extraction.backends import office
from ingest_tui.extraction.office.native_xberg import native_xberg

_PROGRAM = """
import asyncio, sys
sys.path[:] = {path!r}
from ingest_tui.extraction.parse import extract
content = sys.stdin.buffer.read()
first = extract(content, file_name="a.docx").markdown
print(sorted(name for name in sys.modules if name.startswith("xberg")))
import xberg
source = xberg.ExtractInput(kind=xberg.ExtractInputKind.BYTES, bytes=content, mime_type={media_type!r})
config = xberg.ExtractionConfig(output_format="markdown", use_cache=False, disable_ocr=True)

async def extracted():
    return await xberg.extract(source, config)

print(asyncio.run(extracted()).results[0].content.split()[0] in first)
"""
_EXAMPLE = Path(__file__).parents[4] / "examples/documents/manual/maintenance.docx"
_WORD = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
_USED = (
    *("use_cache", "disable_ocr", "ocr_embedded_images", "enable_quality_processing", "output_format"),
    *("escape_markdown", "max_archive_depth", "max_embedded_file_bytes", "security_limits"),
)


@pytest.mark.slow
def test_documents_are_read_without_the_layer_of_python() -> None:
    """Only the native module is loaded, and the whole package still works in the same process."""
    path = [entry for entry in sys.path if entry.startswith("/")]
    done = subprocess.run(
        [sys.executable, "-I", "-c", _PROGRAM.format(path=path, media_type=_WORD)],
        input=_EXAMPLE.read_bytes(),
        capture_output=True,
        check=False,
    )
    assert done.stdout.decode().splitlines() == ["['xberg._xberg']", "True"], done.stderr.decode()


@pytest.mark.slow
def test_the_package_gives_the_same_settings() -> None:
    """What is left out here means what xberg's own layer passes for it."""
    xberg = pytest.importorskip("xberg")
    from xberg import api

    config = office._config()
    chosen = {name: getattr(config, name) for name in _USED if name != "security_limits"}
    of_limits = {name: int(value) for name, value in _fields(config.security_limits).items() if value != "None"}
    limits = xberg.SecurityLimits(**of_limits)
    passed = api._to_rust_extraction_config(xberg.ExtractionConfig(**chosen, security_limits=limits))
    assert _fields(config) == _fields(passed)


def _fields(value: Any) -> dict[str, Any]:
    """Return all settings, and those within them; a member of an enumeration by its name."""
    named = {name: getattr(value, name) for name in dir(value) if not name.startswith("_")}
    return {
        name: _fields(one) if type(one).__name__.endswith(("Config", "Limits")) else str(one)
        for name, one in named.items()
        if not callable(one)
    }


def test_a_missing_library_is_an_import_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where xberg is not installed, asking for it says so as an import would."""
    monkeypatch.setattr("ingest_tui.extraction.office.native_xberg.find_spec", lambda _name: None)
    monkeypatch.delitem(sys.modules, "xberg._xberg", raising=False)
    with pytest.raises(ImportError):
        native_xberg.__wrapped__()
