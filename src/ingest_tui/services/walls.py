"""Which walls hold parsers on this system, found out by starting one: they differ by kernel and by container."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from typing import NamedTuple

from ingest_tui.extraction.pool.confinement import Confinement
from ingest_tui.extraction.pool.pool import ParserPool, Walls

_TCP_FROM_ABI, _SIGNALS_FROM_ABI = 4, 6
_HINT = "see 'What holds where' in docs/security.md; ingest only what you trust, or run on a system that has it"


class Wall(NamedTuple):
    """One wall: its name, whether it holds here, what it keeps from a parser, and what to do where it is missing."""

    name: str
    holds: bool
    message: str
    hint: str = ""


def walls_here() -> Iterator[Wall]:
    """Yield the walls around parsers on this system, each with whether it holds."""
    with (
        tempfile.TemporaryDirectory(prefix="ingest-tui-walls-") as folder,
        ParserPool(1, confinement=Confinement((), f"{folder}/parsers")) as pool,
    ):
        found = pool.walls()
    if found is None:
        yield Wall(
            "parsers", holds=False, message="no parser process starts", hint="see what 'ingest-tui demo' reports"
        )
        return
    yield from walls_of(found)


def walls_of(found: Walls) -> Iterator[Wall]:
    """Yield what a process has reported of its walls, in words."""
    kept_out = "other files"
    if found.landlock >= _TCP_FROM_ABI:
        kept_out += ", TCP"
    if found.landlock >= _SIGNALS_FROM_ABI:
        kept_out += ", signals"
    yield _wall("files", found.landlock > 0, kept_out, f"Landlock {found.landlock}")
    calls = "programs, sockets, modes and owners of files, other processes, settings of the machine"
    yield _wall("system calls", found.seccomp, calls, "seccomp")
    yield _wall("privileges", found.unprivileged, "the rights of root", "dropped capabilities")
    yield _wall("network", found.network_isolated, "the network", "a network namespace")
    yield _wall("processes", found.children_contained, "outliving its end", "a process namespace")
    yield Wall("limits", holds=True, message="memory, time, size of its text, open files; a clean environment")


def _wall(name: str, holds: bool, kept_out: str, mechanism: str) -> Wall:
    if holds:
        return Wall(name, holds=True, message=f"parsers are kept from {kept_out} ({mechanism})")
    missing = mechanism.removesuffix(" 0")
    return Wall(
        name, holds=False, message=f"this system does not keep parsers from {kept_out}: no {missing}", hint=_HINT
    )
