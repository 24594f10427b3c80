"""A source of hostile names that no file system holds, and of troubles told with hostile words.

Found by its entry point, as the connectors of other packages are. What it does is its setting ``path``:
``take`` lists `OTHERS`; ``fail``, ``refuse`` and ``gaps`` name all of `NAMES` as items that cannot be read, are not let
in, or could not be looked into; ``locked`` lets nobody in; ``sloppy`` is ``take`` with a key among the others that
breaks the contract: it is no Unicode.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import ClassVar
from urllib.parse import quote_from_bytes

from pydantic import BaseModel

from ingest_tui.connectors.base import BaseConnector, Listing
from ingest_tui.connectors.registry import ENTRY_POINT_GROUP
from ingest_tui.model.descriptor import Descriptor, ListingEnd, ListingPage
from ingest_tui.model.errors import AuthenticationError, ItemError
from tests import REPOSITORY
from tests.hostile.hostile_names import NAMES, OTHERS, HostileName

SLOPPY_KEY = "lone\udc9b31m\ud800.txt"
_BY_KEY = {name.key: name for name in NAMES}


class HostileConfig(BaseModel):
    """Which part it plays."""

    path: str = "take"


class HostileConnector(BaseConnector):
    """Lists and reads the catalogue of hostile names."""

    source_type: ClassVar[str] = "hostile"
    config_model: ClassVar[type[BaseModel]] = HostileConfig

    async def authenticate(self) -> bool:
        if self.config.path == "locked":
            raise AuthenticationError(f"refused: {_in_words(NAMES)}", hint=f"try {_in_words(NAMES[::-1])}")
        return True

    def list(self, cursor: str | None = None) -> Listing:
        if self.config.path == "gaps":
            return ListingEnd(
                complete=False, gaps=tuple((name.key, f"cannot look into {_text(name)}") for name in NAMES)
            )
        page = [self._describe(name) for name in (NAMES if self.config.path in {"fail", "refuse"} else OTHERS)]
        if self.config.path == "sloppy":
            page.insert(1, Descriptor(SLOPPY_KEY, f"hostile:///{SLOPPY_KEY}", "1", 1, metadata={"name": SLOPPY_KEY}))
        yield ListingPage(page)
        return ListingEnd(complete=True)

    def _describe(self, name: HostileName) -> Descriptor:
        refusal = ("too_large", f"no room for {_text(name)}") if self.config.path == "refuse" else None
        uri = uri_of(name) if self.config.path == "take" else f"hostile://{name.key}"
        return Descriptor(name.key, uri, "1", len(name.content), None, refusal, metadata={"name": name.key})

    @contextmanager
    def fetch(self, descriptor: Descriptor, offset: int = 0) -> Iterator[Iterator[bytes]]:
        name = _BY_KEY[descriptor.key]
        if self.config.path == "fail":
            words = _text(name)
            raise ItemError(f"cannot read {words}", code="unreadable", hint=f"repair {words}", uri=f"hostile://{words}")
        yield iter([name.content])


def uri_of(name: HostileName) -> str:
    """Return the address under which ``take`` lists a name."""
    return "hostile:///" + quote_from_bytes(name.raw)


def _text(name: HostileName) -> str:
    """A name as a program has it that does not care: with lone surrogates for what is no UTF-8."""
    return os.fsdecode(name.raw)


def _in_words(names: list[HostileName]) -> str:
    return " ".join(_text(name)[:40] for name in names)


def install(folder: Path) -> list[Path]:
    """Write the entry point of this connector into a folder; returns what has to be on the path of a process."""
    metadata = folder / "hostile_connector-1.dist-info"
    metadata.mkdir(parents=True)
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: hostile-connector\nVersion: 1\n")
    target = f"{HostileConnector.source_type} = {__name__}:{HostileConnector.__name__}"
    (metadata / "entry_points.txt").write_text(f"[{ENTRY_POINT_GROUP}]\n{target}\n")
    return [folder, REPOSITORY]
