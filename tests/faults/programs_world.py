"""What a soak of whole programs happens to: folders that change, a disk that fills, and what must hold in the end.

Where the system lets us mount, the workspace is on a small file system that is filled to its last byte, and one of the
folders is unmounted now and then. Elsewhere a folder vanishes by its name, and a reserve that no disk has stands for a
full one.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import random
import shutil
import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from ingest_tui import open_workspace
from ingest_tui.store.workspace import Workspace
from tests.cli.running import Cli
from tests.faults.programs_hooks import Listeners
from tests.mounts import MountedFolder, mounts, unmount
from tests.waiting import wait_until

SOURCES = ("watched", "mounted", "called")
_SUFFIXES = (".md", ".txt", ".csv", ".html")
_DISK_SIZE = "256m"
_NO_LIMITS = {"hold_items": 100_000, "hold_share": 1, "hold_always_share": 1}
_QUICK = {"rescan_seconds": 2.0, "stable_seconds": 0.2}


@dataclass
class Notes:
    """What was done how often, and what was met that must not be. Threads share it."""

    deeds: Counter[str] = field(default_factory=Counter)
    findings: list[str] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def did(self, what: str) -> None:
        """Count a deed."""
        with self._lock:
            self.deeds[what] += 1

    def found(self, what: str) -> None:
        """Keep what is wrong."""
        with self._lock:
            self.findings.append(what)


class Folders:
    """The folders of the sources, and the one that comes and goes."""

    def __init__(self, home: Path, *, with_mounts: bool) -> None:
        self._home = home
        self.lock = threading.Lock()
        self._paths = {name: home / "docs" / name for name in SOURCES}
        for path in self._paths.values():
            path.mkdir(parents=True)
        self._mounted = MountedFolder(self._paths["mounted"], home / "kept") if with_mounts else None

    def path(self, source: str) -> Path:
        """Return the folder of a source."""
        return self._paths[source]

    def vanish(self) -> None:
        """Let the folder of ``mounted`` be gone, as when its file system is unmounted."""
        with self.lock:
            if self._mounted:
                self._mounted.detach()
            else:
                self.path("mounted").rename(self._home / "away")

    def come_back(self) -> None:
        """Undo ``vanish``."""
        with self.lock:
            if self._mounted:
                self._mounted.attach()
            else:
                (self._home / "away").rename(self.path("mounted"))

    def change(self, chance: random.Random) -> str:
        """Change something as people do; returns what."""
        deeds: list[Callable[[random.Random], None]] = [self._write, self._copy, self._move, self._delete, self._burst]
        (deed,) = chance.choices(deeds, (8, 2, 4, 3, 1))
        with self.lock, contextlib.suppress(FileNotFoundError, shutil.SameFileError):
            deed(chance)
        return f"files: {deed.__name__.strip('_')}"

    def _present(self) -> list[str]:
        # The empty folder below a file system that is not mounted is nobody's to write to.
        return [name for name in SOURCES if name != "mounted" or not self._is_away]

    @property
    def _is_away(self) -> bool:
        path = self.path("mounted")
        return not path.is_dir() or (self._mounted is not None and not os.path.ismount(path))

    def _files(self, chance: random.Random) -> tuple[Path, Path]:
        """Return two paths of one kind of file, perhaps the same."""
        suffix = chance.choice(_SUFFIXES)
        first, second = (
            self.path(chance.choice(self._present()))
            / chance.choice(("", "a", "a/b"))
            / f"{chance.randrange(8)}{suffix}"
            for _ in range(2)
        )
        return first, second

    def _write(self, chance: random.Random) -> None:
        path, _ = self._files(chance)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(_text(chance, path.suffix))

    def _copy(self, chance: random.Random) -> None:
        first, second = self._files(chance)
        second.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(first, second)

    def _move(self, chance: random.Random) -> None:
        first, second = self._files(chance)
        second.parent.mkdir(parents=True, exist_ok=True)
        shutil.move(first, second)

    def _delete(self, chance: random.Random) -> None:
        first, _ = self._files(chance)
        if chance.random() < 0.1:
            shutil.rmtree(self.path(chance.choice(self._present())) / "a", ignore_errors=True)
        else:
            first.unlink()

    def _burst(self, chance: random.Random) -> None:
        for _ in range(20):
            self._write(chance)

    def close(self) -> None:
        """Unmount what is mounted."""
        if self._mounted:
            self._mounted.close()


def _text(chance: random.Random, suffix: str) -> str:
    """Return a text; some are those of other files of the same kind."""
    number = chance.randrange(10) if chance.random() < 0.1 else chance.randrange(10**9)
    words = f"number{number} of kind {suffix.strip('.')} in {chance.choice(('rain', 'snow', 'wind'))}"
    match suffix:
        case ".csv":
            return "name,words\n" + "".join(f"{row},{words}\n" for row in range(30))
        case ".html":
            return f"<html><body><h1>{words}</h1><p>{'Words of a page. ' * 40}</p></body></html>"
        case _:
            return f"# {words}\n\n" + f"A line about {words}.\n" * 40


class Disk:
    """The disk of the workspace, which others fill."""

    def __init__(self, home: Path, cli: Cli, *, with_mounts: bool) -> None:
        self._cli, self._point, self._is_real = cli, home / "disk", with_mounts
        self._point.mkdir()
        if with_mounts and not mounts("-t", "tmpfs", "-o", f"size={_DISK_SIZE}", "tmpfs", str(self._point)):
            raise PermissionError("nothing may be mounted here")
        cli.workspace = self._point / "workspace"

    def fill(self) -> None:
        """Leave no byte of room."""
        if not self._is_real:
            self._reserve(10**15)
            return
        with (self._point / "filler").open("wb", buffering=0) as filler, contextlib.suppress(OSError):
            for size in (1 << 20, 4096):
                with contextlib.suppress(OSError):
                    while filler.write(b"x" * size):
                        pass

    def free(self) -> None:
        """Give the room back."""
        if self._is_real:
            (self._point / "filler").unlink(missing_ok=True)
        else:
            self._reserve(8_000_000)

    def _reserve(self, size: int) -> None:
        self._cli.run("config", "set", "disk_reserve", str(size))

    def close(self) -> None:
        """Unmount it."""
        if self._is_real:
            unmount(self._point)


class World:
    """All of it. ``stormy``: processes are killed and disks fill; afterwards it is calm until ``ended``."""

    def __init__(self, home: Path, *, with_mounts: bool) -> None:
        self.notes = Notes()
        self.cli = Cli(home)
        self.folders = Folders(home, with_mounts=with_mounts)
        self.disk = Disk(home, self.cli, with_mounts=with_mounts)
        self.listeners = Listeners(home)
        self.is_calm = threading.Event()
        self.is_over = threading.Event()

    def begin(self) -> None:
        """Make the workspace: one source is watched and scheduled, one scheduled, one synced by command."""
        cli, docs = self.cli, self.folders.path
        cli.run("init")
        cli.change_settings(**_NO_LIMITS, **_QUICK, on_job_end=self.listeners.on_job_end)
        cli.run("source", "add", "local", "watched", "--path", docs("watched"), "--watch", "--every", "1m")
        cli.run("source", "add", "local", "mounted", "--path", docs("mounted"), "--watch", "--cron", "* * * * *")
        cli.run("source", "add", "local", "called", "--path", docs("called"))

    def resume_paused(self, *, also_for_room: bool = False) -> None:
        """Resume what a person has paused, and if need be what waits for room, which a worker does by itself."""
        for manifest in self.cli.manifests():
            by_a_person = manifest["transitions"][-1]["reason"] == "asked for"
            if manifest["state"] == "paused" and (by_a_person or also_for_room):
                self.cli.run("job", "resume", manifest["job_id"], code=None)

    def unfinished_jobs(self) -> list[str]:
        """Return what each job that has not ended is doing, and since when: whether it hangs or is slow."""
        queued = {path.name for path in (self.cli.workspace / "queue").iterdir()}
        unfinished = [manifest for manifest in self.cli.manifests() if manifest["job_id"] in queued]
        return [
            f"{one['job_id']} is {one['state']} since {one['transitions'][-1]['at']}, last written {one['updated_at']}"
            for one in unfinished
        ]

    def settle(self) -> None:
        """Let what waits come to its end, and sync all sources once more; all must succeed."""
        self.resume_paused(also_for_room=True)
        self.cli.run("source", "enable", "mounted")
        for source in SOURCES:
            self.cli.run("sync", source, timeout=240)
        self._tell_the_rest()

    def _tell_the_rest(self) -> None:
        """Have somebody there until all is told: what failed a while ago is due within minutes."""
        notices = self.cli.workspace / "notices"

        def is_told() -> bool:
            if not list(notices.glob("*.json")):
                return True
            self.cli.run("sync", "called", timeout=240)
            return False

        wait_until(is_told, seconds=240, what="every listener is told of every job that has ended")

    def judge(self) -> None:
        """Note everything that is wrong in the end."""
        ended = self.cli.run("verify", "--deep", "--json", code=None, timeout=240)
        if ended.code:
            self.notes.found(f"verify --deep ends with {ended.code}: {(ended.out + ended.err)[:5000]}")
        with open_workspace(self.cli.workspace) as handle:
            for queued in handle.workspace.jobs.queued_ids():
                self.notes.found(f"left in the queue: {queued}")
            jobs = handle.workspace.jobs
            ended_jobs = [job_id for job_id in jobs.ids() if jobs.load(job_id).ended]
            self.notes.deeds["jobs ended"] += len(ended_jobs)
            for missed in self.listeners.not_told(ended_jobs):
                self.notes.found(missed)
            for source in SOURCES:
                self._compare(handle.workspace, source)

    def _compare(self, workspace: Workspace, source: str) -> None:
        """Compare the bytes of each file with those of its document, and look for documents without a file."""
        catalogue, folder = workspace.catalogue, self.folders.path(source)
        files = {path.relative_to(folder).as_posix(): path for path in folder.rglob("*") if path.is_file()}
        places = catalogue.locations(source, files)
        documents = catalogue.documents(row.document_id or "" for row in places.values())
        for key, path in files.items():
            document = documents.get((places[key].document_id or "") if key in places else "")
            is_right = document and document.state == "active" and document.raw_sha256 == _sha256(path)
            if not is_right:
                self.notes.found(f"{source}: {key} is not what its document is: {places.get(key)} {document}")
        known = catalogue.execute(
            "SELECT key FROM locations WHERE source_id = ? AND document_id IS NOT NULL", (source,)
        )
        for (key,) in known:
            if key not in files:
                self.notes.found(f"{source}: {key} is known and not there")

    def close(self) -> None:
        """End what lives and unmount what is mounted."""
        self.cli.close()
        self.listeners.close()
        self.folders.close()
        self.disk.close()


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
