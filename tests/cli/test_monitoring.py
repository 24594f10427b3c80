"""What monitors see of a workspace: figures, metrics of Prometheus, and health with its exit codes."""

from __future__ import annotations

import os
import socket
import stat
import urllib.request
from datetime import datetime
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.cli.running import Cli
from tests.waiting import wait_until

pytestmark = pytest.mark.slow


def metrics_in(text: str) -> dict[tuple[str, ...], float]:
    """Return the samples of a text of Prometheus by name and values of labels, in the order of their names."""
    families = text_string_to_metric_families(text)
    return {(one.name, *one.labels.values()): one.value for family in families for one in family.samples}


@pytest.fixture
def synced(cli: Cli) -> Cli:
    """A source with two documents and one that cannot be read, not watched."""
    cli.write("a.txt", "alpha")
    cli.write("b.txt", "beta and more")
    cli.write("broken.docx", b"PK\x03\x04 no document")
    cli.init("--no-watch")
    cli.sync(code=None)
    return cli


def test_stats_are_for_people_and_programs(synced: Cli) -> None:
    """Documents, jobs, the last good sync and what it took; the same as JSON."""
    shown = synced.run("stats").out
    assert "2 in default" in shown
    assert "1 partial" in shown
    [source] = synced.run("stats", "--json").json["sources"]
    assert (source["source_id"], source["documents"], source["enabled"]) == ("docs", 2, True)
    assert source["last_job"]["items"]["ingested"] == 2
    assert set(source["last_job"]["phase_seconds"]) == {"list", "stage", "extract", "commit"}
    assert source["success_age_seconds"] >= 0
    job = synced.run("job", "show", "last", "--json").json
    started, finished = (datetime.fromisoformat(job[name]) for name in ("started_at", "finished_at"))
    taken = (finished - started).total_seconds()
    assert source["last_job"]["seconds"] == pytest.approx(taken)
    assert f" {taken:.1f} " in shown.splitlines()[-1]


def test_metrics_are_written_whole_and_readable_by_others(synced: Cli, tmp_path: Path) -> None:
    """`stats --metrics` replaces the file, which another user's exporter may read; names are as documented."""
    target = tmp_path / "ingest.prom"
    target.write_text("old")
    synced.run("--read-only", "stats", "--metrics", target)
    samples = metrics_in(target.read_text())
    assert samples["ingest_tui_documents", "default"] == 2
    assert samples["ingest_tui_jobs", "partial"] == 1
    assert samples["ingest_tui_source_last_job_items", "ingested", "docs"] == 2
    assert samples["ingest_tui_source_last_job_failed", "docs"] == 0
    assert samples["ingest_tui_source_last_success_age_seconds", "docs"] < 3600
    assert samples["ingest_tui_disk_free_bytes",] > 0
    assert samples["ingest_tui_queue_length",] == 0
    assert stat.S_IMODE(target.stat().st_mode) == 0o644
    assert list(tmp_path.glob(".ingest.prom*")) == []
    assert metrics_in(synced.run("stats", "--metrics", "-").out).keys() == samples.keys()
    assert "folder that is there" in synced.run("stats", "--metrics", tmp_path / "no" / "file", code=2).err


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def scraped(port: int) -> dict[tuple[str, ...], float]:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=20) as answer:
            return metrics_in(answer.read().decode())
    except OSError:
        return {}


def test_a_worker_counts_what_ends_while_it_runs(synced: Cli) -> None:
    """Counters begin with the worker and count jobs of all processes; who stands by takes over the port as well."""
    port = free_port()
    first = synced.start("--metrics", str(port), "--watch")
    wait_until(lambda: scraped(port).get(("ingest_tui_workers", "watch")) == 1)
    assert not any(name == "ingest_tui_jobs_ended_total" for name, *_labels in scraped(port))
    synced.write("c.txt", "gamma")
    ended = ("ingest_tui_jobs_ended_total", "sync", synced.sync(code=None)["state"])
    wait_until(lambda: scraped(port).get(ended) == 1)
    samples = scraped(port)
    assert samples["ingest_tui_items_total", "ingested", "docs"] == 1
    assert samples["ingest_tui_fetched_bytes_total", "docs"] >= len("gamma")
    assert samples["ingest_tui_phase_seconds_count", "extract"] == 1
    second = synced.start("--metrics", str(port), "--watch")
    wait_until(lambda: scraped(port).get(("ingest_tui_workers", "standby")) == 1)
    assert synced.end(first) == 0
    wait_until(lambda: scraped(port).get(("ingest_tui_workers", "watch")) == 1, what="the second gives metrics")
    assert synced.end(second) == 0
    assert "metrics cannot be given" in synced.output_of(second)


def test_metrics_are_for_this_machine_unless_asked_otherwise(synced: Cli) -> None:
    """A bare port is one of the loopback address; what is no target is refused with what is."""
    port = free_port()
    worker = synced.start("--metrics", str(port), "--watch")
    wait_until(lambda: scraped(port))
    listening = Path("/proc/net/tcp").read_text()
    assert f"0100007F:{port:04X}" in listening
    assert f"00000000:{port:04X}" not in listening
    synced.end(worker)
    assert "is no port" in synced.run("--watch", "--metrics", "99999", code=2).err
    assert "--watch" in synced.run("--metrics", str(port), "job", "list", code=2).err


def test_a_worker_writes_metrics_to_a_file(synced: Cli, tmp_path: Path) -> None:
    """A path in place of a port is written by the worker itself."""
    target = tmp_path / "worker.prom"
    worker = synced.start("--metrics", str(target), "--watch")
    wait_until(target.exists)
    assert metrics_in(target.read_text())["ingest_tui_documents", "default"] == 2
    synced.end(worker)


def test_health_says_whether_somebody_has_to_look(synced: Cli) -> None:
    """0, 1 or 2 as monitoring plugins end, one line for people, and every finding as JSON."""
    told = synced.run("health", code=1)
    assert told.out == "WARNING: docs: 1 document failed\n"
    synced.sync()
    assert synced.run("health", code=1).out == told.out, "a later sync that leaves it alone forgets nothing"
    assert synced.run("status").out.startswith("warning: docs: 1 document failed\n  look at them: ")
    (synced.docs / "broken.docx").unlink()
    synced.sync(code=None)
    told = synced.run("health", code=0)
    assert told.out.startswith("OK: 2 documents of 1 source, ")
    assert synced.run("--read-only", "health", "--json").json["status"] == "ok"
    assert "CRITICAL" in synced.run("health", "--max-age", "0m", code=2).out
    synced.run("source", "edit", "docs", "--watch")
    found = synced.run("health", "--json", code=2).json
    assert found["status"] == "critical"
    assert [(one["level"], one["subject"]) for one in found["findings"]] == [("problem", "worker")]
    worker = synced.start("--watch")
    wait_until(lambda: synced.run("health", code=None).code == 0, what="a worker is enough")
    synced.end(worker)


def test_wrong_usage_of_health_is_not_critical(cli: Cli) -> None:
    """A monitor takes 2 for a finding: a call that cannot be has 3, here alone."""
    cli.init("--no-watch")
    for wrong in (["--max-age", "soon"], ["--bogus"], ["more"]):
        assert cli.run("health", *wrong, code=3).err.startswith("error: ")
    cli.run("stats", "--bogus", code=2)


def test_health_names_what_is_about_to_fail(synced: Cli) -> None:
    """A disk below its reserve, a source that fails, one that cannot be read, and credentials that cannot be."""
    free = os.statvfs(synced.home).f_bavail * os.statvfs(synced.home).f_frsize
    synced.change_settings(disk_reserve=free * 2)
    credentials = synced.home / "credentials.json"
    credentials.write_text("{")
    credentials.chmod(0o600)
    synced.docs.rename(synced.home / "gone")
    (synced.workspace / "sources" / "lost.json").write_text("{")
    synced.change_settings(disk_reserve=0)
    synced.run("sync", "docs", code=1)
    synced.change_settings(disk_reserve=free * 2)
    found = {one["subject"]: one for one in synced.run("health", "--json", code=2).json["findings"]}
    assert {"disk", "docs", "lost", "credentials"} <= found.keys()
    assert "jobs wait for room" in found["disk"]["message"]


def test_no_workspace_is_neither_well_nor_critical(cli: Cli) -> None:
    """What could not be looked at has an exit code of its own."""
    cli.run("health", code=4)


@pytest.mark.parametrize("settings", ["no JSON", '{"schema_version": 99}'])
def test_a_workspace_that_cannot_be_read_is_no_warning(cli: Cli, settings: str) -> None:
    """Exit code 1 is an answer: a damaged workspace, or one of a newer program, gives none."""
    cli.init("--no-watch")
    (cli.workspace / "workspace.json").write_text(settings)
    told = cli.run("health", code=3)
    assert "error: " in told.err
    assert told.out == ""
    assert cli.run("health", "--json", code=3).err.startswith('{"error"')


def test_metrics_replace_nothing_of_the_workspace(synced: Cli, tmp_path: Path) -> None:
    """With a wrong path no settings, catalogue or credentials are lost; nothing is written through a planted link."""
    credentials = synced.workspace.parent / "credentials.json"
    credentials.write_text("{}")
    (tmp_path / "link.prom").symlink_to(synced.workspace / "catalogue.db")
    kept = (synced.workspace / "workspace.json", synced.workspace / "new.prom", tmp_path / "link.prom")
    os.mkfifo(tmp_path / "pipe")
    for target in (*kept, credentials, tmp_path / "pipe"):
        assert "hint: name" in synced.run("stats", "--metrics", target, code=2).err
        assert "hint: name" in synced.run("--metrics", str(target), "--watch", code=2).err
    assert credentials.read_text() == "{}"
    assert (tmp_path / "pipe").is_fifo()
    assert "2 in default" in synced.run("stats").out
    assert not (synced.workspace / "new.prom").exists()
