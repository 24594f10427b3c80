"""Flat OpenDocument texts, presentations and drawings: one XML file, read as the package that it stands for."""

from __future__ import annotations

from dataclasses import replace

from ingest_tui.extraction.backends import get_backend
from ingest_tui.extraction.backends.base import Parsed, ParseInput
from ingest_tui.extraction.intake.formats import BY_NAME
from ingest_tui.extraction.workbooks.opendocument import package_flat

_PACKAGED = {"fodt": BY_NAME["odt"], "fodp": BY_NAME["odp"], "fodg": BY_NAME["odg"]}


def parse(parse_input: ParseInput) -> Parsed:
    """Return the document as markdown. Raises what the reader of office documents raises."""
    packaged = _PACKAGED[parse_input.format.name]
    content = package_flat(parse_input.content, packaged.media_type)
    return get_backend(packaged.backend).load()(replace(parse_input, content=content, format=packaged))
