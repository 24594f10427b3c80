"""The vectors of a version, next to its text: one file for each generation, so that they move and go with the document.

A file is in the safetensors format: ``digests`` (chunks × 16 bytes: of the text that was embedded) and ``vectors``
(chunks × dimensions, 16-bit floats of length 1). Its metadata names the schema version, the space, and the SHA-256 of
both. A chunk whose text has another digest than any in the file has no vector there; so a text that was chunked in
another way, or a vector of another model, is never taken for the one that is asked for.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import orjson
import pydantic

from ingest_tui.model.embedder import DIGEST_BYTES, VectorSpace
from ingest_tui.model.errors import SchemaVersionError, StoreError
from ingest_tui.model.hashing import compute_content_hash
from ingest_tui.model.safe_text import safe_display
from ingest_tui.store.fs.atomic import TEMPORARY_PREFIX, write_new
from ingest_tui.store.layout import is_vectors_name, vectors_name

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Vectors = NDArray[np.float16]
    Digests = NDArray[np.uint8]

SCHEMA_VERSION = 1
_LARGEST_HEAD = 65_536
_TENSORS = 2


class StoredVectors(NamedTuple):
    """The vectors of a version in one space: row for row the digest of a text, and its vector."""

    digests: Digests
    vectors: Vectors

    def by_digest(self) -> dict[bytes, NDArray[np.float16]]:
        """Return the vectors by the digest of their text."""
        return {digest.tobytes(): vector for digest, vector in zip(self.digests, self.vectors, strict=True)}


def encode_vectors(space: VectorSpace, vectors: dict[bytes, Any], *, refused: int = 0) -> bytes:
    """Return the content of a file with the vectors of a version, by the digests of their texts.

    ``refused``: how many texts of it the model did not take.
    """
    import numpy as np
    from safetensors.numpy import save

    joined = b"".join(vectors)
    digests = np.frombuffer(joined, dtype=np.uint8).reshape(len(vectors), DIGEST_BYTES)
    rows = np.zeros((len(vectors), space.dimensions), dtype=np.float16)
    for place, vector in enumerate(vectors.values()):
        rows[place] = vector
    metadata = {
        "schema_version": str(SCHEMA_VERSION),
        "space": json.dumps(space.model_dump(), sort_keys=True),
        "sha256": _checksum(digests, rows),
        "refused": str(refused),
    }
    return bytes(save({"digests": digests, "vectors": rows}, metadata))


def write_vectors(files: Iterable[tuple[Path, bytes]], key: str, sync: Callable[[], None]) -> list[Path]:
    """Put files of vectors into version folders, durably; returns the folders, without those that are there no more.

    For many at once: all are durable under temporary names before the first is renamed. ``sync`` makes what was written
    so far durable. The caller holds the commit lock, so that no folder moves meanwhile.
    """
    renames: list[tuple[Path, Path]] = []
    try:
        for folder, data in files:
            target = folder / vectors_name(key)
            # The same name each time: what a kill leaves is replaced by the attempt that does it again.
            temporary = folder / f"{TEMPORARY_PREFIX}{target.name}"
            if folder.is_dir() and not folder.is_symlink():
                temporary.unlink(missing_ok=True)
                renames.append((temporary, target))
                write_new(temporary, data)
        if renames:
            sync()
        for temporary, target in renames:
            temporary.rename(target)
    except BaseException:
        for temporary, _target in renames:
            with suppress(OSError):
                temporary.unlink(missing_ok=True)
        raise
    if renames:
        sync()
    return [target.parent for _temporary, target in renames]


def read_vectors(folder: Path, space: VectorSpace, key: str = "") -> StoredVectors | None:
    """Return the vectors of a version in a space; None where it has none. ``key``: that of its generation.

    Raises `StoreError` for a file that is damaged or of another space, `SchemaVersionError`, and `OSError`.
    """
    path = folder / vectors_name(key or space.space_id)
    return _read(path, space) if path.exists() else None


def refused_in(folder: Path, key: str) -> int | None:
    """Return how many texts of a version have no vector in a generation because the model did not take them.

    None where it has not been embedded, or nobody can say. Reads the head of the file only, without a library.
    """
    try:
        with (folder / vectors_name(key)).open("rb") as opened:
            size = int.from_bytes(opened.read(8), "little")
            head = orjson.loads(opened.read(size)) if size <= _LARGEST_HEAD else {}
        return int(head["__metadata__"].get("refused", "0"))
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None


def fault_of_head(path: Path) -> str:
    """Return what is wrong with the head of a file of vectors, or with its size; empty where nothing is.

    Reads no vector, and needs no library.
    """
    try:
        with path.open("rb") as opened:
            size = int.from_bytes(opened.read(8), "little")
            head = orjson.loads(opened.read(size)) if size <= _LARGEST_HEAD else {}
        ends = [part["data_offsets"][1] for name, part in head.items() if name != "__metadata__"]
        if len(ends) == _TENSORS and path.stat().st_size == 8 + size + max(ends):
            return ""
    except OSError as error:
        return f"{safe_display(str(path))} cannot be read: {error.strerror}"
    except (ValueError, KeyError, TypeError, AttributeError, IndexError):
        pass
    return _damaged(path, "it is not whole").message


def fault_of_vectors(path: Path) -> str:
    """Return what is wrong with a file of vectors, whatever its space; empty where nothing is, or nobody can say."""
    try:
        import safetensors  # noqa: F401 - without it there is nothing that could read the file
    except ImportError:
        return ""
    try:
        _read(path, None)
    except SchemaVersionError:
        return ""
    except StoreError as error:
        return error.message
    return ""


def _read(path: Path, space: VectorSpace | None) -> StoredVectors:
    """Return the vectors in a file, which are of ``space``; None: of whatever space it names."""
    from safetensors import safe_open

    try:
        with safe_open(path, framework="numpy") as opened:
            metadata = dict(opened.metadata() or {})
            found = {name: opened.get_tensor(name) for name in opened.keys()}  # noqa: SIM118 - it is no dict
    except OSError:
        raise
    except Exception as error:  # noqa: BLE001 - whatever the library raises for what is no safetensors file
        raise _damaged(path, type(error).__name__) from None
    _check_version(path, metadata)
    return _checked(path, space or _named_space(path, metadata), metadata, found)


def _named_space(path: Path, metadata: dict[str, str]) -> VectorSpace:
    try:
        space = VectorSpace.model_validate_json(metadata.get("space", ""))
    except pydantic.ValidationError:
        raise _damaged(path, "it names no space") from None
    first = vectors_name(space.space_id)
    if path.name != first and not path.name.startswith(f"{Path(first).stem}-"):
        raise _damaged(path, "its name is that of another space")
    return space


def vector_files(folder: Path) -> list[Path]:
    """Return the files with vectors of a version, of whatever space."""
    return sorted(path for path in folder.iterdir() if is_vectors_name(path.name))


def _check_version(path: Path, metadata: dict[str, str]) -> None:
    version = metadata.get("schema_version", "")
    if version.isdecimal() and int(version) > SCHEMA_VERSION:
        raise SchemaVersionError(
            f"{safe_display(str(path))} was written by a newer ingest-tui (schema {version}); left untouched",
            hint="upgrade ingest-tui",
        )


def _checked(path: Path, space: VectorSpace, metadata: dict[str, str], found: dict[str, Any]) -> StoredVectors:
    digests, vectors = found.get("digests"), found.get("vectors")
    if digests is None or vectors is None or digests.ndim != 2 or vectors.ndim != 2:  # noqa: PLR2004 - rows, columns
        raise _damaged(path, "its parts are not there")
    if (str(digests.dtype), str(vectors.dtype)) != ("uint8", "float16"):
        raise _damaged(path, "its parts are of other types")
    if digests.shape != (len(vectors), DIGEST_BYTES) or vectors.shape[1] != space.dimensions:
        raise _damaged(path, "its parts have other sizes")
    if metadata.get("space") != json.dumps(space.model_dump(), sort_keys=True):
        raise _damaged(path, "it is of another space")
    if metadata.get("sha256") != _checksum(digests, vectors):
        raise _damaged(path, "its checksum is another one")
    return StoredVectors(digests, vectors)


def _checksum(digests: Digests, vectors: Vectors) -> str:
    return compute_content_hash(digests.tobytes() + vectors.tobytes())


def _damaged(path: Path, why: str) -> StoreError:
    return StoreError(
        f"{safe_display(str(path))} is damaged: {why}",
        hint="remove it: the vectors of the document are made again",
        code="vectors_damaged",
    )
