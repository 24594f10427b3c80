"""Bad files through the real parser pool: each costs itself and says why."""

from __future__ import annotations

import os
import socket
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from ingest_tui.extraction.parse import extract
from ingest_tui.extraction.pool.confinement import Confinement
from ingest_tui.extraction.pool.pool import ParserPool
from ingest_tui.model.errors import ItemError
from ingest_tui.model.extraction import ParseResult, ParseTask
from ingest_tui.model.parse_limits import ParseLimits
from tests.conformance.extraction.bad_files import BadFile, bad_files, external_xml
from tests.made_files import pdf_of, pdf_pages, sheet_row, workbook, zip_bytes
from tests.waiting import wait_until

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("bad-files")]  # one pool for all of them

LIMITS = ParseLimits(memory_bytes=640 * 1024**2, silence_seconds=4.0, total_seconds=8.0)


@pytest.fixture(scope="module")
def bad(samples: Mapping[str, Any]) -> dict[str, BadFile]:
    """Everything bad, by name."""
    return bad_files(samples)


@pytest.fixture(scope="module")
def results(
    bad: dict[str, BadFile], samples: Mapping[str, Any], tmp_path_factory: pytest.TempPathFactory
) -> dict[str, ParseResult]:
    """The results of all bad files and, among them, of every sound sample, from one pool of two processes."""
    folder = tmp_path_factory.mktemp("bad")
    files = {name: (one.file_name, one.content) for name, one in bad.items()}
    files |= {f"sound {name}": (one.file_name, one.content) for name, one in samples.items()}
    found: dict[str, ParseResult] = {}
    walls = Confinement((str(folder),), str(folder / "parsers"))  # the worker's: no library needs what they refuse
    with ParserPool(2, LIMITS, confinement=walls) as pool:
        for number, name in enumerate(sorted(files, key=lambda name: name[::-1])):  # sound and bad ones mixed
            file_name, content = files[name]
            (folder / f"{number}").write_bytes(content)
            task = ParseTask(name, str(folder / f"{number}"), str(folder / f"{number}.md"), file_name, len(content))
            pool.submit(task, lambda result: found.__setitem__(result.task_id, result))
        pool.drain()
    return found


def test_there_are_enough_of_them(bad: dict[str, BadFile]) -> None:
    """Five dozen at least: each family empty, blank, of another type, cut, locked, and the bombs."""
    assert len(bad) >= 60


def test_every_bad_file_has_its_outcome(bad: dict[str, BadFile], results: dict[str, ParseResult]) -> None:
    """Each ends with the status and reason that it must, and what is not parsed says what to do."""
    wrong = {
        name: (results[name].status, results[name].reason, results[name].detail)
        for name, one in bad.items()
        if results[name].status not in one.statuses or results[name].reason not in one.reasons
    }
    assert wrong == {}
    silent = [
        name for name in bad if results[name].status != "parsed" and not (results[name].reason and results[name].hint)
    ]
    assert silent == []


def test_every_valid_file_finishes(samples: Mapping[str, Any], results: dict[str, ParseResult]) -> None:
    """The valid ones among them are parsed as if they were alone."""
    failed = {
        name: (results[f"sound {name}"].reason, results[f"sound {name}"].detail)
        for name in samples
        if results[f"sound {name}"].status != "parsed"
    }
    assert failed == {}


@pytest.mark.usefixtures("results")
def test_no_parser_is_left() -> None:
    """When the pool is closed none of its processes lives, nor the ones around them."""
    wait_until(lambda: not parsers_of(os.getpid()))


def parsers_of(owner: int) -> list[int]:
    """Return the parser processes that a process has started."""
    parents: dict[int, int] = {}
    parsers: set[int] = set()
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                parents[int(entry.name)] = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
                if b"pool.lockdown" in (entry / "cmdline").read_bytes():
                    parsers.add(int(entry.name))
            except (OSError, IndexError):
                continue
    return [pid for pid in parsers if owner in (parents[pid], parents.get(parents[pid]))]


CANARY = "canary-of-the-outside"


def test_nothing_outside_a_document_is_read(tmp_path: Path, samples: Mapping[str, Any]) -> None:
    """No document makes its parser read another file or open a connection, whatever it refers to."""
    secret = tmp_path / "secret.txt"
    secret.write_text(CANARY)
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.2)
        address = f"http://127.0.0.1:{server.getsockname()[1]}/x"
        for number, (file_name, content) in enumerate(reaching_out(secret.as_uri(), address, samples)):
            try:
                text = extract(content, file_name=file_name).markdown
            except ItemError as error:
                text = error.message
            assert CANARY not in text, (number, file_name)
        with pytest.raises(TimeoutError):
            server.accept()


def reaching_out(file: str, address: str, samples: Mapping[str, Any]) -> list[tuple[str, bytes]]:
    """Return documents that refer to a file and to a server in every way their format knows."""
    entity = f'<!DOCTYPE r [<!ENTITY x SYSTEM "{file}">]>'
    page = f'<iframe src="{file}"></iframe><img src="{address}"><link rel="stylesheet" href="{address}">'
    include = f'<xi:include xmlns:xi="http://www.w3.org/2001/XInclude" href="{file}" parse="text"/>'
    styled = f'<?xml-stylesheet href="{address}"?>'
    rows = sheet_row(1, "<f>WEBSERVICE(&quot;" + address + "&quot;)</f>")
    word = {"[Content_Types].xml": "<Types/>", "word/document.xml": f'<?xml version="1.0"?>{entity}<a>&x;</a>'}
    opened = b"/OpenAction << /S /URI /URI (" + address.encode() + b") >>"
    return [
        ("a.xml", external_xml(file)),
        ("a.svg", external_xml(address)),
        ("a.xml", f'<?xml version="1.0"?>{styled}<!DOCTYPE r SYSTEM "{address}"><r>{include}x</r>'.encode()),
        ("a.html", f"<!DOCTYPE html><html><body>{page}<p>x</p></body></html>".encode()),
        ("a.md", f"![x]({address}) ![y]({file})".encode()),
        ("a.rst", f".. include:: {file[7:]}\n\n.. raw:: html\n   :url: {address}\n".encode()),
        ("a.org", f'#+INCLUDE: "{file[7:]}"\n'.encode()),
        ("a.docx", zip_bytes(word)),
        ("a.xlsx", workbook({"a": rows}, more={"xl/externalLinks/externalLink1.xml": entity.encode()})),
        ("a.pdf", pdf_of(pdf_pages("x", catalogue=opened))),
        ("a.rtf", (r"{\rtf1 {\field{\*\fldinst INCLUDETEXT " + file[7:] + r"}} x}").encode()),
        *((one.file_name, one.content) for one in samples.values()),
    ]
