"""What a person can do with a workspace: make it, check it, rebuild its catalogue."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from ingest_tui.extraction.intake.admission import known_types
from ingest_tui.model.argument_types import WrongTypeError
from ingest_tui.model.clock import rfc3339_now
from ingest_tui.model.collection import Collection
from ingest_tui.model.errors import IngestError, NotFoundError, UsageError
from ingest_tui.model.identifiers import slug
from ingest_tui.model.safe_text import safe_display
from ingest_tui.services.damage import find_damage
from ingest_tui.store.catalogue import queries
from ingest_tui.store.catalogue.connection import MISSING
from ingest_tui.store.catalogue.contradictions import contradiction_behind, contradiction_in
from ingest_tui.store.catalogue.known_good import open_known_good_to_read, version_folders
from ingest_tui.store.catalogue.rebuild import RebuildReport, rebuild_catalogue
from ingest_tui.store.catalogue.rebuild_progress import ProgressListener, unheard
from ingest_tui.store.fs.filesystem import filesystem_type, is_network
from ingest_tui.store.records.settings import change_setting
from ingest_tui.store.users import requester, user_name
from ingest_tui.store.workspace import Workspace, init_workspace, open_workspace_at
from ingest_tui.worker.living_workers import living_workers

__all__ = [
    "Check",
    "RebuildReport",
    "add_collection",
    "doctor",
    "failure_of_catalogue",
    "init",
    "list_collections",
    "open_at",
    "rebuild",
    "set_theme",
]

_LITTLE_SPACE = 500 * 2**20


@dataclass(slots=True)
class Check:
    """One thing that `doctor` looked at. ``level``: ``ok``, ``note``, ``warning`` or ``problem``."""

    level: str
    name: str
    message: str
    hint: str = ""

    def as_dict(self) -> dict[str, str]:
        """Return the JSON form."""
        return {"level": self.level, "name": self.name, "message": self.message, "hint": self.hint}


def open_at(root: Path, credentials_path: Path | None = None) -> Workspace:
    """Open a workspace; raises `NotFoundError` with what to do when there is none."""
    return open_workspace_at(root, credentials_path)


def init(
    root: Path, credentials_path: Path | None = None, *, allow_network_filesystem: bool = False
) -> tuple[Workspace, bool]:
    """Make a workspace, or open the one that is there; tells whether it is new.

    Refused with `RefusedError` on a network file system unless that is allowed, which the workspace then remembers.
    """
    workspace, is_new = init_workspace(root, credentials_path, allow_network_filesystem=allow_network_filesystem)
    if is_new:
        workspace.audit.add(at=rfc3339_now(), by=requester(), action="workspace.init", target=str(workspace.root))
    return workspace, is_new


def failure_of_catalogue(workspace: Workspace, error: Exception) -> IngestError | None:
    """Return that the catalogue contradicts itself, where that may be why something failed; else None.

    To find out, all of it is read, so what nobody can have read in it is no reason to: values that a caller gave, and
    whatever fails before the catalogue was opened.
    """
    if not workspace.has_opened_catalogue or isinstance(error, WrongTypeError):
        return None
    return contradiction_behind(error, workspace.layout, is_read_only=workspace.is_read_only)


def list_collections(workspace: Workspace) -> list[tuple[Collection, int]]:
    """Return the collections with their numbers of documents."""
    counts = queries.documents_by_collection(workspace.reading)
    return [(item, int(counts.get(item.collection_id, 0))) for item in workspace.collections.all()]


def collection_names(workspace: Workspace) -> list[str]:
    """Return the names of the collections."""
    return [collection.collection_id for collection in workspace.collections.all()]


def set_theme(workspace: Workspace, theme: str) -> None:
    """Put the theme of the TUI into workspace.json."""
    change_setting(workspace.layout, "theme", value=theme)


def add_collection(workspace: Workspace, name: str, *, description: str = "") -> Collection:
    """Make a collection; raises `UsageError` when its name is taken."""
    collection_id = slug(name)
    if workspace.collections.exists(collection_id):
        raise UsageError(f"a collection named {collection_id!r} is already there", hint="choose another name")
    at = rfc3339_now()
    collection = Collection(
        collection_id=collection_id, name=name, description=description, created_at=at, updated_at=at
    )
    collection = workspace.collections.add(collection)
    workspace.audit.add(at=at, by=requester(), action="collection.add", target=collection_id)
    return collection


def rebuild(workspace: Workspace, on_progress: ProgressListener = unheard) -> RebuildReport:
    """Make the catalogue again from the documents on disk, while others go on using it.

    Raises `BusyError` when it is being made again already.
    """
    report = rebuild_catalogue(workspace.layout, on_progress)
    workspace.audit.add(
        at=rfc3339_now(),
        by=requester(),
        action="catalogue.rebuild",
        target=str(workspace.root),
        documents=report.documents,
        problems=len(report.problems),
    )
    return report


def doctor(root: Path, credentials_path: Path | None = None) -> Iterator[Check]:
    """Yield what is installed, which formats can be read, and whether workspace and credentials are consistent."""
    yield from _program_checks()
    yield from _format_checks()
    yield from _wall_checks()
    try:
        workspace = open_workspace_at(root, credentials_path)
    except NotFoundError as error:
        yield Check("note", "workspace", error.message, error.hint)
        return
    except IngestError as error:
        yield Check("problem", "workspace", error.message, error.hint)
        return
    yield from _place_checks(workspace)
    yield from _workspace_checks(workspace)
    yield from _worker_checks(workspace)
    yield from _credential_checks(workspace)
    workspace.close()


def _program_checks() -> Iterator[Check]:
    import platform

    import apsw

    from ingest_tui.version import __version__

    yield Check("ok", "ingest-tui", f"{__version__} on Python {platform.python_version()}")
    yield Check("ok", "sqlite", f"{apsw.sqlite_lib_version()}, with FTS5")


def _format_checks() -> Iterator[Check]:
    from ingest_tui.extraction.parse import supported_formats

    formats: dict[str, list[str]] = {}
    missing: dict[str, str] = {}
    for entry in supported_formats():
        if entry.get("available", True):
            formats.setdefault(str(entry["backend"]), []).append(str(entry["name"]))
        else:
            missing[str(entry["backend"])] = str(entry.get("hint", ""))
    for backend, names in sorted(formats.items()):
        yield Check("ok", f"backend {backend}", ", ".join(sorted(names)))
    for backend, hint in sorted(missing.items()):
        yield Check("problem", f"backend {backend}", "not available", hint)
    yield from _unstructured_check()


def _wall_checks() -> Iterator[Check]:
    from ingest_tui.services.walls import walls_here

    for wall in walls_here():
        yield Check("ok" if wall.holds else "warning", f"wall {wall.name}", wall.message, wall.hint)


def _unstructured_check() -> Iterator[Check]:
    from ingest_tui.extraction.backends import BACKENDS

    if not BACKENDS["unstructured"].is_available():
        yield Check(
            "note",
            "backend unstructured",
            "not installed (optional; chosen with --backend unstructured)",
            'pip install "ingest-tui[unstructured]"',
        )
        return
    from ingest_tui.extraction.backends.unstructured import missing_model_hint

    hint = missing_model_hint()
    if hint:
        yield Check("problem", "backend unstructured", "installed, but its language model is missing", hint)
    else:
        yield Check("ok", "backend unstructured", "installed, with its language model")


def _place_checks(workspace: Workspace) -> Iterator[Check]:
    """Where the workspace lies: file system, free space, owner."""
    name = safe_display(str(workspace.root))
    try:
        known_types(workspace.settings.parser_limits_by_type)
    except IngestError as error:
        yield Check("problem", "settings", f"parser_limits_by_type: {error.message}", error.hint)
    kind = filesystem_type(workspace.root)
    free = shutil.disk_usage(workspace.root).free
    yield Check("ok", "workspace", f"{name} on {kind or 'an unknown file system'}, {free // 2**20} MiB free")
    if free < _LITTLE_SPACE:
        yield Check("problem", "disk", "less than 500 MiB free", "free some space before the next sync")
    if not os.access(workspace.root, os.W_OK):
        yield Check(
            "note",
            "disk",
            "nothing can be written to the workspace: everything that only reads works",
            "check the mount options and the permissions, if it should be",
        )
    if workspace.settings.allow_network_filesystem:
        where = f"and this is one ({kind})" if is_network(kind) else f"although this is none ({kind or 'unknown'})"
        yield Check(
            "note",
            "file system",
            f"network file systems are allowed, {where}; locks and databases are not safe there",
            "use it from one machine at a time, or move it to a local disk and set "
            '"allow_network_filesystem": false in workspace.json',
        )
    owner = workspace.root.stat().st_uid
    if owner != os.geteuid():
        yield Check(
            "note",
            "owner",
            f"the workspace belongs to {user_name(owner)}, not to you; what you write there may shut them out",
            f"run ingest-tui as {user_name(owner)}",
        )


def _workspace_checks(workspace: Workspace) -> Iterator[Check]:
    yield _catalogue_check(workspace)
    for found in find_damage(workspace):
        yield Check(found.level, found.name, found.message, found.hint)


def _catalogue_check(workspace: Workspace) -> Check:
    """Look at the catalogue as it is: one that was lost is reported, not made again."""
    try:
        with closing(open_known_good_to_read(workspace.layout)) as catalogue:
            fault = queries.damage_seen_by_sqlite(catalogue) or contradiction_in(catalogue)
            documents = queries.count_documents(catalogue)
    except IngestError as error:
        if error.reason == MISSING and not any(version_folders(workspace.layout)):
            return Check("ok", "catalogue", "not made yet: there are no documents")
        return Check("problem", "catalogue", error.message, error.hint)
    if fault:
        return Check("problem", "catalogue", fault, "'ingest-tui rebuild' makes it again")
    return Check("ok", "catalogue", f"consistent, {documents} documents")


def _worker_checks(workspace: Workspace) -> Iterator[Check]:
    for worker in living_workers(workspace):
        for issue in worker.issues:
            level = "problem" if issue.level == "error" else "warning"
            told = f"{issue.task} fails since {issue.since}: {issue.message}"
            yield Check(level, f"worker {worker.pid}", told, "it is tried again; its log says more")


def _credential_checks(workspace: Workspace) -> Iterator[Check]:
    from ingest_tui.services.credentials.credentials import credential_problems

    try:
        for found in credential_problems(workspace):
            yield Check(found.level, found.name, found.message, found.hint)
    except IngestError as error:  # which sources use them cannot be read
        yield Check("problem", "credentials", error.message, error.hint)
