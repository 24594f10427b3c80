"""Vectors next to a version: read back as they were written, and never taken for others."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import save

from ingest_tui.model.embedder import VectorSpace, text_digest
from ingest_tui.model.errors import SchemaVersionError, StoreError
from ingest_tui.store import vector_files as files_module
from ingest_tui.store.layout import vectors_name
from ingest_tui.store.vector_files import encode_vectors, fault_of_vectors, read_vectors, vector_files

SPACE = VectorSpace(backend="static", model="tiny", revision="1", dimensions=4)
OTHER = SPACE.model_copy(update={"revision": "2"})


def write_vectors(folder: Path, space: VectorSpace, vectors: dict[bytes, Any]) -> None:
    """Write the vectors of one version."""
    files = [(folder, encode_vectors(space, vectors))]
    assert files_module.write_vectors(files, space.space_id, lambda: None) == [folder]


VECTORS = {text_digest(word): np.eye(4, dtype=np.float32)[place] for place, word in enumerate(("a", "b", "c"))}


def test_vectors_are_found_by_the_digest_of_their_text(tmp_path: Path) -> None:
    """What was written is read; of another space there is nothing, and nobody else may read the file."""
    write_vectors(tmp_path, SPACE, VECTORS)
    found = read_vectors(tmp_path, SPACE)
    assert found is not None
    assert {digest: vector.tolist() for digest, vector in found.by_digest().items()} == {
        digest: vector.tolist() for digest, vector in VECTORS.items()
    }
    assert read_vectors(tmp_path, OTHER) is None
    path = tmp_path / vectors_name(SPACE.space_id)
    assert path.stat().st_mode & 0o077 == 0
    assert vector_files(tmp_path) == [path]
    assert fault_of_vectors(path) == ""


def test_a_version_may_have_no_vectors_at_all(tmp_path: Path) -> None:
    """A file without rows says that nothing of it could be embedded."""
    write_vectors(tmp_path, SPACE, {})
    found = read_vectors(tmp_path, SPACE)
    assert found is not None
    assert found.by_digest() == {}


def test_every_flipped_byte_is_seen(tmp_path: Path) -> None:
    """No byte of the file can change without the whole of it being refused."""
    write_vectors(tmp_path, SPACE, VECTORS)
    path = tmp_path / vectors_name(SPACE.space_id)
    whole = path.read_bytes()
    for place in range(len(whole)):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 0x20]) + whole[place + 1 :])
        try:
            found = read_vectors(tmp_path, SPACE)
        except StoreError:
            continue
        assert found is not None
        assert (found.digests.tobytes(), found.vectors.tobytes()) == (
            b"".join(VECTORS),
            np.stack([*VECTORS.values()]).astype(np.float16).tobytes(),
        ), f"byte {place}: other vectors were read"
    for size in range(len(whole)):
        path.write_bytes(whole[:size])
        with pytest.raises(StoreError):
            read_vectors(tmp_path, SPACE)


def test_a_file_of_another_space_is_refused(tmp_path: Path) -> None:
    """One that was copied under the name of another space is damaged, for search and for verify."""
    write_vectors(tmp_path, OTHER, VECTORS)
    path = tmp_path / vectors_name(OTHER.space_id)
    copied = path.rename(tmp_path / vectors_name(SPACE.space_id))
    with pytest.raises(StoreError, match="of another space"):
        read_vectors(tmp_path, SPACE)
    assert "another space" in fault_of_vectors(copied)


def test_files_of_many_versions_are_durable_before_the_first_is_seen(tmp_path: Path) -> None:
    """A folder that is gone is left out; what fails leaves neither a file nor a temporary one."""
    folders = [tmp_path / name for name in ("a", "b", "gone")]
    for folder in folders[:2]:
        folder.mkdir()
    seen: list[list[Path]] = []
    data = encode_vectors(SPACE, VECTORS)
    written = files_module.write_vectors(
        [(folder, data) for folder in folders], SPACE.space_id, lambda: seen.append(vector_files(folders[0]))
    )
    assert written == folders[:2]
    assert seen == [[], vector_files(folders[0])]
    assert read_vectors(folders[1], SPACE) is not None

    def fail() -> None:
        raise OSError(28, "no room")

    with pytest.raises(OSError, match="no room"):
        files_module.write_vectors([(folders[0], data)], OTHER.space_id, fail)
    assert [path.name for path in folders[0].iterdir()] == [vectors_name(SPACE.space_id)]


@pytest.mark.parametrize(
    "tensors",
    [
        {"digests": np.zeros((1, 16), np.uint8)},
        {"digests": np.zeros((2, 16), np.uint8), "vectors": np.zeros((1, 4), np.float16)},
        {"digests": np.zeros((1, 8), np.uint8), "vectors": np.zeros((1, 4), np.float16)},
        {"digests": np.zeros((1, 16), np.uint8), "vectors": np.zeros((1, 5), np.float16)},
        {"digests": np.zeros((1, 16), np.uint8), "vectors": np.zeros((1, 4), np.float32)},
        {"digests": np.zeros(16, np.uint8), "vectors": np.zeros(4, np.float16)},
    ],
)
def test_parts_that_do_not_fit_are_refused(tmp_path: Path, tensors: dict[str, np.ndarray]) -> None:
    """Missing parts, other sizes and other types raise `StoreError` with a hint, nothing else."""
    metadata = {"schema_version": "1", "space": json.dumps(SPACE.model_dump(), sort_keys=True), "sha256": ""}
    (tmp_path / vectors_name(SPACE.space_id)).write_bytes(save(tensors, metadata))
    with pytest.raises(StoreError) as found:
        read_vectors(tmp_path, SPACE)
    assert found.value.hint


def test_a_file_of_a_newer_program_is_left_alone(tmp_path: Path) -> None:
    """It is refused as such, and is no damage."""
    write_vectors(tmp_path, SPACE, VECTORS)
    path = tmp_path / vectors_name(SPACE.space_id)
    path.write_bytes(path.read_bytes().replace(b'"schema_version":"1"', b'"schema_version":"7"'))
    with pytest.raises(SchemaVersionError):
        read_vectors(tmp_path, SPACE)
    assert fault_of_vectors(path) == ""
