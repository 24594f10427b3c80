"""How a client is told of warnings."""

from __future__ import annotations

from ingest_tui.services.noted_warnings import as_shown


def warning_headers(found: list[str]) -> dict[str, str]:
    """Return the header that tells a client of warnings, each once (RFC 9111, section 5.5); it can hold ASCII only."""
    texts = as_shown(found)
    quoted = (text.replace("\\", "/").replace('"', "'").encode("ascii", "replace").decode() for text in texts)
    return {"Warning": ", ".join(f'199 ingest-tui "{text}"' for text in quoted)} if texts else {}
