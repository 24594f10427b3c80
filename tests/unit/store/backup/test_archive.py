"""The stream of a backup: other programs read it, and what is hostile in one is refused."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Callable

import pyarrow as pa
import pytest

from ingest_tui.model.errors import ValidationError
from ingest_tui.store.backup.archive import ArchiveReader, ArchiveWriter, checked_name

FILES = {"workspace/a": b"", "workspace/b/" + "long" * 80: b"x" * 511, "workspace/c": bytes(range(256)) * 9000}


def written(files: dict[str, bytes]) -> bytes:
    """Return a stream with these files."""
    stream = io.BytesIO()
    archive = ArchiveWriter(stream)
    for name, data in files.items():
        archive.add(name, io.BytesIO(data), size=len(data))
    archive.close()
    return stream.getvalue()


def read(stream: bytes) -> dict[str, bytes]:
    """Return the files of a stream."""
    reader = ArchiveReader(io.BytesIO(stream))
    return {member.name: b"".join(reader.pieces()) for member in reader.members()}


def compressed(data: bytes) -> bytes:
    """Return bytes as a stream of zstd."""
    return bytes(pa.compress(data, codec="zstd", asbytes=True))


def made(*members: tuple[str, bytes, int]) -> bytes:
    """Return a tar file with members of a name, a type and a size; they link to what lies outside."""
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w", format=tarfile.GNU_FORMAT) as tar:
        for name, kind, size in members:
            info = tarfile.TarInfo(name)
            info.type, info.size, info.linkname = kind, size, "../../outside"
            tar.addfile(info, io.BytesIO(bytes(size)))
    return compressed(archive.getvalue())


def test_what_is_written_is_read() -> None:
    """Files of all sizes come back in their order; names may be longer than a header of tar has room for."""
    assert read(written(FILES)) == FILES
    assert list(read(written(FILES))) == list(FILES)


def test_tar_reads_it() -> None:
    """Without this program a backup is a tar file."""
    plain = pa.CompressedInputStream(pa.BufferReader(written(FILES)), "zstd").read()
    with tarfile.open(fileobj=io.BytesIO(plain)) as tar:
        assert {member.name: tar.extractfile(member).read() for member in tar} == FILES  # type: ignore[union-attr]


def test_what_is_not_read_of_a_member_is_skipped() -> None:
    """Names can be listed alone."""
    reader = ArchiveReader(io.BytesIO(written(FILES)))
    assert [member.name for member in reader.members()] == list(FILES)


@pytest.mark.parametrize(
    "kind",
    [
        *(tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.DIRTYPE, tarfile.CHRTYPE, tarfile.BLKTYPE, tarfile.FIFOTYPE),
        *(tarfile.GNUTYPE_SPARSE, tarfile.GNUTYPE_LONGLINK, tarfile.XHDTYPE, tarfile.XGLTYPE, b"Z"),
    ],
    ids=lambda kind: f"type-{kind.decode()}",
)
def test_only_regular_files_are_taken(kind: bytes) -> None:
    """A link, a device, a folder or a header of another format ends the reading."""
    with pytest.raises(ValidationError, match="no whole backup"):
        read(made(("workspace/a", kind, 0)))


@pytest.mark.parametrize(
    "name",
    [
        "../a",
        "workspace/../../a",
        "/etc/passwd",
        "a//b",
        "./a",
        "a/.",
        "a\nb",
        "a\x1bb",
        "",
        "a/",
        "..",
        "workspace/..",
    ],
)
def test_a_name_leads_only_below(name: str) -> None:
    """What would be written elsewhere, or acts on a terminal, is no name."""
    with pytest.raises(ValidationError, match="leads elsewhere"):
        checked_name(name)
    if name and not name.endswith("/"):
        with pytest.raises(ValidationError, match="leads elsewhere"):
            read(made((name, tarfile.REGTYPE, 0)))


def _with_negative_size(stream: bytes) -> bytes:
    plain = bytearray(pa.CompressedInputStream(pa.BufferReader(stream), "zstd").read())
    header = tarfile.TarInfo("workspace/a")
    header.size = 0
    block = bytearray(header.tobuf(tarfile.GNU_FORMAT))
    block[124:136] = b"\xff" * 12
    block[148:156] = b"        "
    block[148:156] = b"%06o\0 " % sum(block)
    return compressed(bytes(block) + bytes(plain))


@pytest.mark.parametrize(
    "harm",
    [
        lambda stream: stream[:-1],
        lambda stream: stream[: len(stream) // 2],
        lambda stream: stream[:3],
        lambda stream: b"",
        lambda stream: b"no archive at all" * 100,
        lambda stream: stream + b"more",
        lambda stream: stream + stream,
        lambda stream: compressed(bytes(700)),
        lambda stream: compressed(b"\1" * 512),
        _with_negative_size,
    ],
)
def test_what_was_cut_or_harmed_is_refused(harm: Callable[[bytes], bytes]) -> None:
    """Nothing but a whole stream is read to its end."""
    with pytest.raises(ValidationError):
        read(harm(written(FILES)))


def test_a_file_that_became_shorter_is_an_error() -> None:
    """A stream never says that it has bytes which it has not."""
    with pytest.raises(OSError, match="shorter"):
        ArchiveWriter(io.BytesIO()).add("a", io.BytesIO(b"12"), size=3)
