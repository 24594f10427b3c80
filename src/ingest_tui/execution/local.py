"""The parser processes of this machine, confined to the workspace that they work for."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from ingest_tui.execution.extractor import Extractor
from ingest_tui.execution.machine import Machine
from ingest_tui.extraction.pool.confinement import Confinement
from ingest_tui.extraction.pool.pool import ParserPool
from ingest_tui.model.parse_limits import ParseLimits


def local_parsers(
    processes: int, limits: ParseLimits, *, readable: Iterable[Path], scratch: Path, may_run_programs: bool
) -> Extractor:
    """Return an extractor of so many processes, 0 for as many as fit here; they start with the first task.

    Fewer run while memory is short. They may read below ``readable`` and write below ``scratch``. ``may_run_programs``:
    for backends that work through other programs.
    """
    confinement = Confinement(tuple(map(str, readable)), str(scratch), may_run_programs=may_run_programs)
    machine = Machine()
    number = processes or machine.usual_processes()
    return ParserPool(number, limits, confinement=confinement, processes_now=machine.processes_now)
