"""What a person can do with a workspace: make it, check it, rebuild its catalogue."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import humanize

from ingest_tui.extraction.intake.admission import known_types
from ingest_tui.model.argument_types import WrongTypeError
from ingest_tui.model.clock import rfc3339_now
from ingest_tui.model.counted import counted
from ingest_tui.model.errors import IngestError, NotFoundError
from ingest_tui.model.safe_text import safe_display
from ingest_tui.model.source import Source
from ingest_tui.services.damage import find_damage
from ingest_tui.store.catalogue import queries
from ingest_tui.store.catalogue.connection import MISSING
from ingest_tui.store.catalogue.contradictions import contradiction_in, contradiction_that_caused
from ingest_tui.store.catalogue.known_good import open_known_good_to_read, version_folders
from ingest_tui.store.catalogue.rebuild_progress import ProgressListener, no_listener
from ingest_tui.store.fs.filesystem import filesystem_type, is_network
from ingest_tui.store.records.settings import change_setting
from ingest_tui.store.users import requester, user_name
from ingest_tui.store.workspace import Workspace, init_workspace, open_workspace_at
from ingest_tui.worker.living_workers import living_workers

if TYPE_CHECKING:
    from ingest_tui.store.catalogue.rebuild import RebuildReport

__all__ = [
    "Check",
    "RebuildReport",
    "doctor",
    "failure_of_catalogue",
    "init",
    "open_at",
    "rebuild",
    "set_theme",
]

_LITTLE_SPACE = 500 * 10**6


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
    """Make a workspace, or open the one that is there; returns whether it is new.

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
    return contradiction_that_caused(error, workspace.layout, is_read_only=workspace.is_read_only)


def set_theme(workspace: Workspace, theme: str) -> None:
    """Put the theme of the TUI into workspace.json."""
    change_setting(workspace.layout, "theme", value=theme)


def rebuild(workspace: Workspace, on_progress: ProgressListener = no_listener) -> RebuildReport:
    """Make the catalogue again from the documents on disk, while others go on using it.

    Raises `BusyError` when it is being made again already.
    """
    from ingest_tui.store.catalogue.rebuild import rebuild_catalogue

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
    yield from _setting_checks(workspace)
    yield from _place_checks(workspace)
    yield from _workspace_checks(workspace)
    yield from _ocr_checks(workspace)
    yield from _worker_checks(workspace)
    yield from _credential_checks(workspace)
    yield from _embedder_checks(workspace)
    workspace.close()


def _setting_checks(workspace: Workspace) -> Iterator[Check]:
    from ingest_tui.services.settings import unknown_settings

    for written, meant in unknown_settings(workspace, os.environ).items():
        hint = f"{meant}'ingest-tui config list' shows the settings"
        yield Check("warning", "settings", f"{safe_display(written)} is no setting, and changes nothing", hint)


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
    yield from _optional_backend_checks()
    yield _tesseract_check()
    yield _rapidocr_check()


def _tesseract_check() -> Check:
    """What OCR can read here; missing data is a problem only to sources that are switched to it."""
    from ingest_tui.extraction.ocr.tessdata import how_to_install, installed_languages, tessdata_folder

    folder = tessdata_folder()
    if not folder:
        return Check("note", "ocr tesseract", "no language data (only --ocr needs it)", how_to_install(["eng", "deu"]))
    languages = "+".join(installed_languages(folder))
    return Check(
        "ok", "ocr tesseract", f"{languages} in {safe_display(folder)}; others: apt install tesseract-ocr-LANG"
    )


def _rapidocr_check() -> Check:
    from ingest_tui.extraction.ocr.rapid import HOW_TO_INSTALL, is_installed

    if is_installed():
        return Check("ok", "ocr rapidocr", "installed, with its models")
    return Check("note", "ocr rapidocr", "not installed (optional; chosen with --ocr-engine rapidocr)", HOW_TO_INSTALL)


def _ocr_checks(workspace: Workspace) -> Iterator[Check]:
    """Sources that are switched to OCR and lack what it needs."""
    from ingest_tui.pipeline.connecting import with_preferences
    from ingest_tui.pipeline.job.ocr import what_ocr_lacks

    sources: list[Source] = []
    with suppress(IngestError):  # that the records cannot be read is reported by a check of its own
        sources = workspace.sources.all()
    for source in sources:
        lack = None
        with suppress(IngestError):  # its collection cannot be read
            lack = what_ocr_lacks(with_preferences(workspace, source), workspace.settings)
        if lack is not None:
            yield Check("problem", f"source {source.source_id}", *lack)


def _wall_checks() -> Iterator[Check]:
    from ingest_tui.services.walls import walls_here

    for wall in walls_here():
        yield Check("ok" if wall.holds else "warning", f"wall {wall.name}", wall.message, wall.hint)


def _optional_backend_checks() -> Iterator[Check]:
    """Report the backends that a user chooses: whether they are here, and with all that they need."""
    from ingest_tui.extraction.backends import docling, opendataloader, unstructured

    chosen_for_pdf = "--backend-for pdf="
    yield _optional_backend(
        "unstructured",
        "--backend unstructured",
        unstructured.missing_model,
        unstructured.MODEL_COMMAND,
        level_if_lacking="note",
    )
    yield _optional_backend(
        "opendataloader", f"{chosen_for_pdf}opendataloader", opendataloader.missing_java, opendataloader.JAVA_HINT
    )
    yield _optional_backend("docling", f"{chosen_for_pdf}docling", docling.missing_models, docling.MODELS_HINT)


def _optional_backend(
    name: str,
    chosen_with: str,
    missing: Callable[[], str],
    hint: str,
    *,
    level_if_lacking: Literal["problem", "note"] = "problem",
) -> Check:
    from ingest_tui.extraction.backends import BACKENDS

    backend = BACKENDS[name]
    if not backend.is_available():
        message = f"not installed (optional; chosen with {chosen_with})"
        return Check("note", f"backend {name}", message, backend.how_to_install())
    if lacks := missing():
        return Check(level_if_lacking, f"backend {name}", f"installed, but {safe_display(lacks)}", hint)
    return Check("ok", f"backend {name}", "installed, with all that it needs")


def _place_checks(workspace: Workspace) -> Iterator[Check]:
    """Where the workspace lies: file system, free space, owner."""
    name = safe_display(str(workspace.root))
    try:
        known_types(workspace.settings.parser_limits_by_type)
    except IngestError as error:
        yield Check("problem", "settings", f"parser_limits_by_type: {error.message}", error.hint)
    kind = filesystem_type(workspace.root)
    free = shutil.disk_usage(workspace.root).free
    yield Check("ok", "workspace", f"{name} on {kind or 'an unknown file system'}, {humanize.naturalsize(free)} free")
    if free < _LITTLE_SPACE:
        yield Check("problem", "disk", "less than 500 MB free", "free some space before the next sync")
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
    return Check("ok", "catalogue", f"consistent, {counted(documents, 'document')}")


def _worker_checks(workspace: Workspace) -> Iterator[Check]:
    for worker in living_workers(workspace):
        for issue in worker.issues:
            level = "problem" if issue.level == "error" else "warning"
            failure = f"{issue.task} fails since {issue.since}: {issue.message}"
            yield Check(level, f"worker {worker.pid}", failure, "it is tried again; its log shows more")


def _credential_checks(workspace: Workspace) -> Iterator[Check]:
    from ingest_tui.services.credentials.credentials import credential_problems

    try:
        for found in credential_problems(workspace):
            yield Check(found.level, found.name, found.message, found.hint)
    except IngestError as error:  # which sources use them cannot be read
        yield Check("problem", "credentials", error.message, error.hint)


def _embedder_checks(workspace: Workspace) -> Iterator[Check]:
    from ingest_tui.services.embedders import embedder_problems
    from ingest_tui.services.rerankers import reranker_problems

    try:
        for level, name, message, hint in (*embedder_problems(workspace), *reranker_problems(workspace)):
            yield Check(level, name, message, hint)
    except IngestError:
        return  # the folder of collections is missing, which is reported as such
