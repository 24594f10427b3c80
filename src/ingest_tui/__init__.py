"""ingest-tui: keep search and RAG corpora fresh from the terminal.

The public names are imported when first used, so that ``import ingest_tui`` costs nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ingest_tui.connectors.base import BaseConnector
    from ingest_tui.connectors.registry import get_connector
    from ingest_tui.extraction.parse import extract_text, parse_document_content
    from ingest_tui.model.document import IngestedDocument
    from ingest_tui.model.hashing import compute_content_hash
    from ingest_tui.services.api import open_workspace
    from ingest_tui.version import __version__

_HOMES = {
    "BaseConnector": "ingest_tui.connectors.base",
    "IngestedDocument": "ingest_tui.model.document",
    "__version__": "ingest_tui.version",
    "compute_content_hash": "ingest_tui.model.hashing",
    "extract_text": "ingest_tui.extraction.parse",
    "get_connector": "ingest_tui.connectors.registry",
    "open_workspace": "ingest_tui.services.api",
    "parse_document_content": "ingest_tui.extraction.parse",
}

__all__ = [
    "BaseConnector",
    "IngestedDocument",
    "__version__",
    "compute_content_hash",
    "extract_text",
    "get_connector",
    "open_workspace",
    "parse_document_content",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        message = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(message)
    from importlib import import_module

    return getattr(import_module(_HOMES[name]), name)
