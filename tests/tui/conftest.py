"""Fixtures of the TUI tests."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from ingest_tui.model.job import ParsingItem
from ingest_tui.store.fs.locks import FileLock
from ingest_tui.tui.app import IngestApp
from tests.tui.stories import NOW_TEXT, add_folder, add_job, add_outcomes, new_workspace, outcome, sync_by_hand

PARSING = [
    ParsingItem(key="reports/2026/\x1b]0;x\x07b[/]-survey.pdf", pid=4419, since="2026-11-21T11:59:18.000Z"),
    ParsingItem(key="chapter-25.md", pid=4420, since="2026-11-21T11:59:59.000Z"),
]


@pytest.fixture(autouse=True)
def jobs_first(monkeypatch: pytest.MonkeyPatch) -> None:
    """Stories begin at the list of jobs; those of the first screen take `overview_first`."""
    monkeypatch.setattr(IngestApp, "DEFAULT_MODE", "jobs")


@pytest.fixture
def overview_first(jobs_first: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """The program as people start it: at the overview."""
    del jobs_first
    monkeypatch.setattr(IngestApp, "DEFAULT_MODE", "overview")


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty workspace, and no colours or terminals of whoever runs the tests."""
    for name in ("NO_COLOR", "TMUX", "TEXTUAL_DRIVER"):
        monkeypatch.delenv(name, raising=False)
    # A worker that a test starts by the way would outlive it; the tests that are about this put the real thing back.
    monkeypatch.setattr("ingest_tui.services.workers.ensure_worker", lambda _workspace: None)
    return new_workspace(tmp_path / "ws")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with two documents."""
    folder = tmp_path / "handbook"
    folder.mkdir()
    (folder / "welcome.md").write_text("# Welcome\n\nThe kettle is in the kitchen.\n")
    (folder / "rules.txt").write_text("No shoes in the barometer room.\n")
    return folder


@pytest.fixture
def filled(root: Path, folder: Path) -> Path:
    """A workspace that has the folder's two documents."""
    add_folder(root, folder)
    sync_by_hand(root, "handbook")
    return root


@pytest.fixture
def busy(root: Path) -> Iterator[Path]:
    """A workspace with jobs in several states, and the running one's lock held."""
    add_job(
        root,
        "20261120-063105-archive-8h2m",
        "succeeded",
        listed=4500,
        at="2026-11-20T06:31:05.000Z",
        source_id="archive",
    )
    add_job(root, "20261121-090000-scans-4k7d", "failed", listed=120, failed=30, source_id="scans",
            at="2026-11-21T09:00:00.000Z", errors=["PDF encrypted", "the file is cut short"])  # fmt: skip
    add_job(root, "20261121-101500-mail-2w9x", "partial", listed=80, failed=2, at="2026-11-21T10:15:00.000Z",
            source_id="mail", errors=["[bold]markup[/]\x1b[31m.eml"])  # fmt: skip
    add_job(
        root, "20261121-113000-legal-6c5v", "cancelled", listed=12, at="2026-11-21T11:30:00.000Z", source_id="legal"
    )
    running = "20261121-115800-handbook-7k3q"
    add_job(root, running, "running", listed=500, ingested=410, failed=2, percent=82.4, eta=6.0, source_id="handbook",
            at="2026-11-21T11:58:00.000Z", errors=["it is protected by a password"], parsing=PARSING)  # fmt: skip
    add_job(root, "20261121-115930-wiki-3n8p", "queued", at="2026-11-21T11:59:30.000Z", source_id="wiki", percent=0.0)
    add_outcomes(root, running, [outcome(f"chapter-{n:02d}.md", milliseconds=n, bytes=900 * n) for n in range(1, 25)])
    add_outcomes(root, running, [
        outcome("contract.pdf", "failed", "encrypted", detail="it is protected by a password", bytes=81_000),
        outcome("copy.md", "duplicate", "same_content", detail="chapter-01.md", bytes=900),
        outcome("\x1b]0;x\x07日本語.txt", "rejected", "unsupported_type", detail="b[/].pdf", bytes=12),
    ])  # fmt: skip
    (root / "jobs" / running / "log.jsonl").write_text(
        f'{{"at":"{NOW_TEXT}","level":"info","message":"job started","attempt":1}}\n'
        f'{{"at":"{NOW_TEXT}","level":"warning","message":"it is protected by a password","document":"contract.pdf"}}\n'
    )
    lock = FileLock(root / "jobs" / running / "lock")
    assert lock.try_acquire()
    yield root
    lock.release()
