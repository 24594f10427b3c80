"""The one durable writer, and durability for many files at once.

Crash assumptions: after `write_durably` returned, the new content survives a power cut; before that, the old content
does, whole. Readers see one or the other, never a mixture. The recipe is that of LWN "A way to do atomic writes" and
the SQLite atomic-commit notes: temporary file in the same folder, fsync, rename, fsync of the folder.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import os
import re
import stat
import uuid
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, BinaryIO

from ingest_tui.model.errors import RefusedError
from ingest_tui.model.safe_text import safe_display

FILE_MODE = 0o600
FOLDER_MODE = 0o700
TEMPORARY_PREFIX = ".tmp."

_NEW_FILE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC


def write_durably(path: Path, data: bytes) -> None:
    """Replace ``path`` by ``data``. The temporary name never derives from the target's, which may be 255 bytes long."""
    temporary = temporary_path_for(path)
    try:
        write_new(temporary, data, sync=True)
        os.rename(temporary, path)  # noqa: PTH104 - the system call is the point
    except BaseException as error:
        # A failed fsync is never retried on the same file: the kernel may have dropped the dirty pages.
        with contextlib.suppress(OSError):
            temporary.unlink()
        _name_target(error, temporary, path)
        raise
    sync_folder(path.parent)


def write_pieces_durably(path: Path, pieces: Iterable[bytes]) -> int:
    """Replace ``path`` by what ``pieces`` yields, as `write_durably` does; returns the number of bytes.

    What the pieces raise leaves ``path`` as it was.
    """
    size = 0
    with replaced_durably(path) as descriptor:
        for piece in pieces:
            write_all(descriptor, piece)
            size += len(piece)
    return size


@contextlib.contextmanager
def replaced_durably(path: Path) -> Iterator[int]:
    """Give the descriptor of a new file, which takes the place of ``path`` at the end, as by `write_durably`.

    What is raised meanwhile leaves ``path`` as it was.
    """
    with _replaced(path, sync=True) as descriptor:
        yield descriptor
    sync_folder(path.parent)


def write_until_power_cut(path: Path, data: bytes) -> None:
    """Replace ``path`` by ``data``: readers see one or the other, also after a kill. A power cut may lose both.

    For what says of a process that it lives.
    """
    with _replaced(path, sync=False) as descriptor:
        write_all(descriptor, data)


@contextlib.contextmanager
def _replaced(path: Path, *, sync: bool) -> Iterator[int]:
    temporary = temporary_path_for(path)
    try:
        descriptor = os.open(temporary, _NEW_FILE, FILE_MODE)
        try:
            os.fchmod(descriptor, FILE_MODE)
            yield descriptor
            if sync:
                os.fsync(descriptor)
            os.rename(temporary, path)  # noqa: PTH104 - before the file is closed, which ends a lock on it
        finally:
            os.close(descriptor)
    except BaseException as error:
        with contextlib.suppress(OSError):
            temporary.unlink()
        _name_target(error, temporary, path)
        raise


def _name_target(error: BaseException, temporary: Path, path: Path) -> None:
    """Let an error name the file that could not be written: nobody knows the temporary one, which is gone."""
    if isinstance(error, OSError) and error.filename == str(temporary):
        error.filename, error.filename2 = str(path), None


@contextlib.contextmanager
def filled_folder(target: Path) -> Iterator[Path]:
    """Give a new folder to fill; afterwards it is made durable and takes the place of ``target``, old or missing.

    What is raised meanwhile leaves ``target`` as it was. A crash between the two renames at the end leaves the old
    folder next to it under a temporary name, and never a half-filled one under the name of ``target``.
    """
    folder = temporary_path_for(target)
    make_one_folder(str(folder), fix_mode=True)
    try:
        yield folder
        sync_filesystem(folder)
        replaced = _swap(folder, target)
    except BaseException:
        remove_tree(folder)
        raise
    sync_folder(target.parent)
    remove_tree(replaced)


def _swap(folder: Path, target: Path) -> Path:
    """Put ``folder`` in the place of ``target``; returns where the old one is now, if there was one."""
    replaced = temporary_path_for(target)
    with contextlib.suppress(FileNotFoundError):
        os.rename(target, replaced)  # noqa: PTH104
    try:
        os.rename(folder, target)  # noqa: PTH104
    except OSError:
        with contextlib.suppress(FileNotFoundError):
            os.rename(replaced, target)  # noqa: PTH104
        raise
    return replaced


def temporary_path_for(path: Path) -> Path:
    """Return a fresh temporary path in the folder of ``path``."""
    return path.parent / f"{TEMPORARY_PREFIX}{uuid.uuid4().hex}"


def write_new(path: Path | str, data: bytes, *, sync: bool = False) -> None:
    """Create ``path`` with ``data``; the file must not exist. Durable only with ``sync`` (and a synced folder)."""
    descriptor = os.open(path, _NEW_FILE, FILE_MODE)
    try:
        write_all(descriptor, data)
        if sync:
            os.fchmod(descriptor, FILE_MODE)
            os.fsync(descriptor)
    finally:
        os.close(descriptor)


def open_new(path: Path) -> BinaryIO:
    """Create a file to write to, 0600 from its first moment whatever the umask says; it must not exist."""
    descriptor = os.open(path, _NEW_FILE, FILE_MODE)
    os.fchmod(descriptor, FILE_MODE)
    return os.fdopen(descriptor, "wb")


def make_private(path: Path) -> None:
    """Create an empty file of mode 0600 for a library that would create it with another one, unless it is there."""
    with contextlib.suppress(FileExistsError):
        write_new(path, b"")


def open_to_append(path: Path, *, read: bool = False) -> int:
    """Open a file of the workspace to append to it, made 0600 where it is missing; returns the descriptor.

    Raises `RefusedError` for what another user could have planted so that we write elsewhere: a symbolic link, a
    second name of another file, anything but a regular file.
    """
    how = (os.O_RDWR if read else os.O_WRONLY) | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK
    try:
        descriptor = os.open(path, how, FILE_MODE)
    except OSError as error:
        if error.errno not in {errno.ELOOP, errno.ENXIO}:  # a link; a pipe that nobody reads
            raise
        raise _planted(path) from None
    status = os.fstat(descriptor)
    if not stat.S_ISREG(status.st_mode) or status.st_nlink > 1:
        os.close(descriptor)
        raise _planted(path)
    os.fchmod(descriptor, FILE_MODE)
    return descriptor


def _planted(path: Path) -> RefusedError:
    return RefusedError(
        f"{safe_display(str(path))} is a link or no regular file; nothing was written",
        hint="remove it if it is not yours; the program makes it again",
        code="planted_file",
    )


def write_all(descriptor: int, data: bytes) -> None:
    """Write every byte: `os.write` may write less than it was given."""
    written = os.write(descriptor, data)
    if written < len(data):
        view = memoryview(data)[written:]
        while view:
            view = view[os.write(descriptor, view) :]


def sync_folder(folder: Path) -> None:
    """Make renames, creations and deletions in ``folder`` durable."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sync_filesystem(folder: Path) -> None:
    """Make everything written so far on the file system of ``folder`` durable: one call for a batch of many files.

    `syncfs(2)` reports write errors since Linux 5.8. Where it is missing, `os.sync` waits for all file systems.
    """
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        if _syncfs is None:
            os.sync()
        elif _syncfs(descriptor) != 0:
            error = ctypes.get_errno()
            raise OSError(error, os.strerror(error), str(folder))
    finally:
        os.close(descriptor)


def make_folder(folder: Path, *, durable: bool = False) -> None:
    """Create ``folder`` and its missing parents, 0700 whatever the umask says."""
    missing = []
    current = folder
    while not current.is_dir():
        missing.append(current)
        current = current.parent
    for path in reversed(missing):
        with contextlib.suppress(FileExistsError):
            path.mkdir(mode=FOLDER_MODE)
            path.chmod(FOLDER_MODE)
        if durable:
            sync_folder(path.parent)


def make_inner_folder(folder: Path) -> None:
    """Create a folder of the workspace as `make_folder` does; raises `RefusedError` for a link in its place."""
    refuse_linked_folder(folder)
    make_folder(folder)


def refuse_linked_folder(folder: Path | str) -> None:
    """Raise `RefusedError` where a symbolic link is in the place of a folder that is about to be written in."""
    if os.path.islink(folder):  # noqa: PTH114 - called for every document
        raise RefusedError(
            f"in the workspace, {safe_display(str(folder))} is a symbolic link, so writes would land elsewhere",
            hint="replace it by what it points to; the whole workspace may be a link, its folders may not",
            code="planted_file",
        )


def umask_is_odd() -> bool:
    """Whether the umask takes rights from the owner, so that modes have to be fixed after each creation.

    Asked once by whoever creates many files: fixing each of them costs a tenth of a first sync.
    """
    try:
        status = Path("/proc/self/status").read_text(encoding="ascii", errors="replace")
    except OSError:
        return True
    found = re.search(r"^Umask:\s*([0-7]+)$", status, re.MULTILINE)
    return found is None or bool(int(found[1], 8) & 0o700)


def make_one_folder(path: str, *, fix_mode: bool) -> None:
    """Create one folder, 0700; FileExistsError when it is there. ``fix_mode`` is the answer of `umask_is_odd`."""
    os.mkdir(path, FOLDER_MODE)  # noqa: PTH102
    if fix_mode:
        os.chmod(path, FOLDER_MODE)  # noqa: PTH101


def remove_tree(folder: Path) -> None:
    """Remove a folder of ours with all it holds; nothing happens when it is not there."""
    import shutil

    with contextlib.suppress(FileNotFoundError):
        shutil.rmtree(folder)


def empty_folder(folder: Path) -> None:
    """Remove all that a folder of ours holds, but not the folder itself, which is made where it is missing.

    Whoever removes the same things at the same time is no obstacle.
    """
    import shutil

    def unless_gone(_function: object, _path: str, failure: tuple[type[BaseException], BaseException, Any]) -> None:
        if not isinstance(failure[1], FileNotFoundError):
            raise failure[1]

    make_folder(folder)
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                shutil.rmtree(entry.path, onerror=unless_gone)
            else:
                Path(entry.path).unlink(missing_ok=True)


def sweep_temporaries(folder: Path) -> Iterator[Path]:
    """Remove and yield what interrupted writers left in ``folder``. Only for the owner of the folder."""
    with os.scandir(folder) as entries:
        leftovers = [Path(entry.path) for entry in entries if entry.name.startswith(TEMPORARY_PREFIX)]
    for path in leftovers:
        path.unlink(missing_ok=True)
        yield path


def _find_syncfs() -> ctypes._NamedFuncPointer | None:
    try:
        function = ctypes.CDLL(None, use_errno=True).syncfs
    except (OSError, AttributeError):
        return None
    function.argtypes = [ctypes.c_int]
    function.restype = ctypes.c_int
    return function


_syncfs = _find_syncfs()
