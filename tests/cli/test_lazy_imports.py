"""What a call loads: the command line stays fast, and headless commands never load the TUI."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.running import Cli
from tests.waiting import wait_until

PARSERS = ("pypdfium2", "python_calamine", "html_to_markdown", "xberg", "pyarrow", "unstructured", "puremagic")
CONNECTORS = ("boto3", "botocore", "urllib3", "office365", "msal", "requests", "httpx", "keyring")
LIBRARIES = (
    "pydantic",
    "apsw",
    "orjson",
    "rich",
    "watchfiles",
    "humanize",
    "aiofiles",
    "chardet",
    "webencodings",
    "asyncio",
)

_DUMP = """
import atexit, sys
atexit.register(lambda: open({out!r}, "w").write("\\n".join(sys.modules)))
sys.argv = ["ingest-tui", *{arguments!r}]
from ingest_tui.__main__ import main
main()
"""


def loaded_by(cli: Cli, *arguments: str) -> set[str]:
    """Return the top-level packages that a call has loaded when it ends."""
    return {name.partition(".")[0] for name in modules_loaded_by(cli, *arguments)}


def modules_loaded_by(cli: Cli, *arguments: str) -> set[str]:
    """Return all modules that a call has loaded when it ends."""
    dump = cli.home / "modules"
    program = _DUMP.format(out=str(dump), arguments=["--workspace", str(cli.workspace), *arguments])
    ended = subprocess.run(
        [sys.executable, "-c", program], cwd=cli.home, env=cli.environment, capture_output=True, check=False, timeout=30
    )
    assert ended.returncode == 0, ended.stderr.decode()
    return set(dump.read_text().split())


@pytest.mark.parametrize("arguments", [("--help",), ("--version",), ("sync", "--help")])
def test_help_loads_next_to_nothing(cli: Cli, arguments: tuple[str, ...]) -> None:
    """What needs no workspace loads no parser, no connector library, no pydantic, no SQLite, no rich."""
    assert loaded_by(cli, *arguments) & {*PARSERS, *CONNECTORS, *LIBRARIES, "textual"} == set()


@pytest.mark.slow
def test_settings_of_sources_load_no_connector_library(cli: Cli) -> None:
    """The options of each type are shown without what the type needs to reach its source."""
    cli.init()
    for arguments in (("source", "add", "--help"), ("source", "add", "s3", "--help"), ("source", "edit", "docs", "-h")):
        assert loaded_by(cli, *arguments) & {*PARSERS, *CONNECTORS, "textual"} == set(), arguments


def test_the_public_names_are_lazy(cli: Cli) -> None:
    """`import ingest_tui` loads nothing but itself and the standard library."""
    program = "import sys; before = set(sys.modules); import ingest_tui; print(*sorted(set(sys.modules) - before))"
    ended = subprocess.run(
        [sys.executable, "-c", program], env=cli.environment, capture_output=True, check=True, text=True
    )
    loaded = {name.partition(".")[0] for name in ended.stdout.split()}
    assert loaded - sys.stdlib_module_names == {"ingest_tui"}
    assert not any(name.startswith("ingest_tui.") for name in ended.stdout.split())


@pytest.mark.slow
def test_headless_commands_never_load_the_tui(cli: Cli) -> None:
    """Listing sources, syncing and searching load neither textual nor a connector library that is not used."""
    cli.write("a.txt", "alpha")
    cli.init()
    for command, *parsers in (
        ("credential list",),
        ("doctor",),
        ("sync docs",),
        ("source list", *PARSERS),
        ("search alpha", *PARSERS),
        ("doc list",),
        ("doc explain docs/a.txt", *PARSERS),
        ("job show last",),
    ):
        assert loaded_by(cli, *command.split()) & {"textual", *CONNECTORS, "unstructured", *parsers} == set(), command


@pytest.mark.slow
def test_a_sync_without_changes_loads_only_what_compares(cli: Cli) -> None:
    """What people run every few minutes loads nothing that reads, searches, tries again or has an event loop."""
    cli.write("a.txt", "alpha")
    cli.init()
    cli.run("sync", "docs")
    unneeded = (
        *("ingest_tui.extraction.intake.sniffing", "ingest_tui.extraction.schemas.table_schema"),
        *("ingest_tui.index.text_search", "ingest_tui.index.suggestions", "ingest_tui.pipeline.rechunk"),
        *("ingest_tui.pipeline.embed.embedding", "ingest_tui.credentials.references"),
        *("asyncio", "tenacity"),
    )
    assert modules_loaded_by(cli, "sync", "docs") & set(unneeded) == set()


def test_what_stays_loaded_is_not_looked_through_at_the_end(cli: Cli) -> None:
    """A process that ends frees what it has loaded at once, without looking for cycles in it first."""
    program = _DUMP.replace('"\\n".join(sys.modules)', "str(__import__('gc').get_freeze_count())")
    out = cli.home / "frozen"
    program = program.format(out=str(out), arguments=["--version"])
    subprocess.run([sys.executable, "-c", program], env=cli.environment, capture_output=True, check=True, timeout=30)
    assert int(out.read_text()) > 0


@pytest.mark.slow
def test_looking_things_up_loads_nothing_of_a_job(cli: Cli) -> None:
    """Searching, listing and showing documents load neither the planner nor what parses."""
    cli.write("a.txt", "alpha")
    cli.init()
    jobs = ("ingest_tui.pipeline", "ingest_tui.extraction.pool.pool", "ingest_tui.extraction.backends")
    for arguments in (("search", "alpha"), ("doc", "list")):
        loaded = modules_loaded_by(cli, *arguments)
        assert [name for name in sorted(loaded) if name.startswith(jobs)] == [], arguments


@pytest.mark.slow
def test_seeing_jobs_and_workers_loads_no_pipeline(cli: Cli) -> None:
    """To list jobs, and to see who works on them, nothing that runs one is loaded, nor what makes a catalogue again."""
    cli.init()
    cli.run("sync", "docs", "--detach")
    runs = ("ingest_tui.pipeline.job", "ingest_tui.pipeline.commit", "ingest_tui.worker.engine", "ingest_tui.execution")
    rebuilds = ("ingest_tui.store.catalogue.rebuild.", "ingest_tui.store.catalogue.rebuild ")
    for arguments in (("status",), ("job", "list"), ("worker", "status")):
        loaded = [f"{name} " for name in sorted(modules_loaded_by(cli, *arguments))]
        assert [name for name in loaded if name.startswith((*runs, *rebuilds))] == [], arguments


@pytest.mark.slow
def test_the_headless_worker_never_loads_the_tui(cli: Cli) -> None:
    """A worker that has run a job maps neither textual nor a parser: those live in processes of their own."""
    cli.write("a.pdf", b"%PDF-1.4\n%%EOF")
    cli.init()
    cli.run("sync", "docs", "--detach")
    program = _DUMP.format(out=str(cli.home / "modules"), arguments=["--workspace", str(cli.workspace), "--watch"])
    worker = subprocess.Popen([sys.executable, "-c", program], env=cli.environment, stderr=subprocess.DEVNULL)
    try:
        wait_until(lambda: cli.manifests()[0]["finished_at"])
    finally:
        worker.terminate()
        assert worker.wait(15) == 0
    loaded = {name.partition(".")[0] for name in Path(cli.home / "modules").read_text().split()}
    assert loaded & {"textual", "pypdfium2", "xberg", "python_calamine", "html_to_markdown", "pyarrow"} == set()
