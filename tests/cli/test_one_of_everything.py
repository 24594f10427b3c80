"""A workspace with one of everything: no command says `1 documents`."""

from __future__ import annotations

import re

import pytest

from ingest_tui.model.batching import batches
from tests.cli.running import Cli

pytestmark = pytest.mark.slow

ONE_OF_MANY = re.compile(r"(?<![\d.,:/-])1 ([a-z]+s)\b(?!\s*[:=])")
NO_PLURALS = {"is", "has", "was", "waits", "ms", "needs", "status"}

AT_ONCE = 12
CALLS = (
    "sync docs",
    "sync docs -n",
    "sync docs --force",
    "plan docs",
    "status",
    "health",
    "stats",
    "job list",
    "job show last",
    "job items last",
    "job errors last",
    "job logs last",
    "logs",
    "doc list",
    "doc show a.txt",
    "doc versions a.txt",
    "doc chunks a.txt",
    "doc explain a.txt",
    "doc trace a.txt",
    "doc remove a.txt -n",
    "doc purge a.txt -n",
    "source list",
    "source show docs",
    "source preview docs",
    "source test docs",
    "source remove docs -n",
    "collection list",
    "collection show default",
    "collection prefs default",
    "errors list",
    "errors list --by-reason",
    "errors retry --all -n",
    "errors ignore --all -n",
    "search alpha",
    "export --to out.jsonl",
    "audit export lines.csv",
    "backup one.tar.zst",
    "restore one.tar.zst --check",
    "verify --deep",
    "prune --dry-run",
    "worker status",
    "rebuild",
    "doctor",
    "doc remove a.txt --yes",
    "trash list",
    "trash restore a.txt -n",
    "trash empty --yes",
)


def test_one_of_a_thing_is_no_plural(cli: Cli) -> None:
    """Each command over one document, one that fails, one source, one job, one line."""
    cli.write("a.txt", "alpha")
    cli.write("broken.docx", b"PK\x03\x04 no document")
    cli.init("--no-watch")
    told = [
        result
        for part in batches(CALLS, AT_ONCE)  # each in a process of its own, which may not take for ever
        for result in cli.run_each(*(call.split() for call in part), code=None)
    ]
    wrong = {
        f"{call}: {found[0]}"
        for call, result in zip(CALLS, told, strict=True)
        for found in ONE_OF_MANY.finditer(result.out + result.err)
        if found[1] not in NO_PLURALS
    }
    assert wrong == set()
    usage = [f"{call}: {result.err}" for call, result in zip(CALLS, told, strict=True) if result.code == 2]
    assert usage == [], "each of these is a call that can be"
