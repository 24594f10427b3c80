"""Archives with headers that no packer writes: one member of that kind does not cost the others."""

from __future__ import annotations

import io
import tarfile
from pathlib import Path

import pytest

from ingest_tui.extraction.archives.tar import unpack_tar
from ingest_tui.extraction.archives.zip import unpack_zip
from ingest_tui.extraction.members import MemberReader, MemberWriter
from tests.made_files import zip_bytes


def tar_of(*entries: tarfile.TarInfo) -> bytes:
    """Return a tar archive with these entries, each of which has one byte."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for entry in entries:
            entry.size = 1
            archive.addfile(entry, io.BytesIO(b"x"))
    return packed.getvalue()


def entry(name: str, *, modified: str = "1") -> tarfile.TarInfo:
    """Return a tar entry with a time as an extended header writes it."""
    made = tarfile.TarInfo(name)
    made.pax_headers = {"mtime": modified}
    return made


def names_and_damage(written: Path) -> tuple[list[str], str]:
    """Return the names of the members that were written, and how the container ended."""
    reader = MemberReader(written)
    names = []
    for member, pieces in reader.members():
        assert len(b"".join(pieces)) == member.size
        names.append(member.name)
    return names, reader.damage


@pytest.mark.parametrize("modified", ["nan", "inf", "1e300", "-1e300", "99999999999999"])
def test_times_out_of_reach(tmp_path: Path, modified: str) -> None:
    """A time that is no number, or no number of nanoseconds, is not known; the member is taken."""
    with MemberWriter(str(tmp_path / "members"), 1000) as writer:
        unpack_tar(tar_of(entry("a.txt", modified=modified), entry("b.txt")), writer, lambda: None)
    assert names_and_damage(tmp_path / "members") == (["a.txt", "b.txt"], "")


def test_member_without_a_name(tmp_path: Path) -> None:
    """A member whose name is empty, or begins with NUL, is taken like the others."""
    content = zip_bytes({"QQQ": "one", "b.txt": "two"})
    with MemberWriter(str(tmp_path / "members"), 1000) as writer:
        unpack_zip(content.replace(b"QQQ", b"\0QQ"), writer, lambda: None)
    assert names_and_damage(tmp_path / "members") == (["", "b.txt"], "")
