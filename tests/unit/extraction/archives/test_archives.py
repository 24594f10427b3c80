"""What is in archives: members as they are, those that cannot be had, limits, and damage."""

from __future__ import annotations

import io
import random
import stat
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Mapping
from pathlib import Path

import py7zr
import pytest

from ingest_tui.extraction import members as members_module
from ingest_tui.extraction.archives import unpack
from ingest_tui.extraction.intake.containers import ContainerError
from ingest_tui.extraction.members import MemberReader, MemberWriter
from ingest_tui.extraction.parse import extract
from ingest_tui.extraction.pool.pool import ParserPool
from ingest_tui.model.errors import ItemError, ItemRejectedError
from ingest_tui.model.extraction import ParseResult, ParseTask
from ingest_tui.model.parse_limits import ParseLimits
from tests.made_files import word_file, zip_bytes

LARGEST = 100_000
FILES = {"a.txt": b"first", "in/b.md": b"# second\n", "empty": b""}


def tar_bytes(files: Mapping[str, bytes], mode: str = "w", *more: tarfile.TarInfo) -> bytes:
    """Return a tar archive of files, and entries without bytes."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode=mode) as archive:  # type: ignore[call-overload]
        for name, content in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
        for entry in more:
            archive.addfile(entry)
    return buffer.getvalue()


def seven_zip_bytes(files: Mapping[str, bytes], password: str | None = None) -> bytes:
    """Return a 7-Zip archive."""
    buffer = io.BytesIO()
    with py7zr.SevenZipFile(buffer, "w", password=password) as archive:
        for name, content in files.items():
            archive.writestr(content, name)
    return buffer.getvalue()


def seven_zip_named(name: str) -> bytes:
    """Return a 7-Zip archive with a member that its maker would not let be called so, next to one of another name."""
    buffer = io.BytesIO()
    stand_in = "A" * len(name)
    with py7zr.SevenZipFile(buffer, "w") as archive:
        archive.set_encoded_header_mode(False)
        archive.writestr(b"one", stand_in)
        archive.writestr(b"two", "b.md")
    content = buffer.getvalue().replace(stand_in.encode("utf-16-le"), name.encode("utf-16-le"))
    start, size = struct.unpack_from("<QQ", content, 12)
    header = content[12:28] + struct.pack("<I", zlib.crc32(content[32 + start : 32 + start + size]))
    return content[:8] + struct.pack("<I", zlib.crc32(header)) + header + content[32:]


@pytest.fixture
def taken(tmp_path: Path) -> Callable[[bytes, str], tuple[dict[str, bytes | str], str]]:
    """Return what unpacks an archive: to the bytes of each member, or why there are none, and what is damaged."""

    def take(content: bytes, name: str = "a.bin") -> tuple[dict[str, bytes | str], str]:
        with pytest.raises(ContainerError) as found:
            extract(content, file_name=name, takes_containers=True)
        path = tmp_path / "members"
        path.unlink(missing_ok=True)
        with MemberWriter(str(path), LARGEST) as writer:
            unpack(found.value, writer, lambda: None)
        reader = MemberReader(path)
        members: dict[str, bytes | str] = {}
        for member, pieces in reader.members():
            content = b"".join(pieces)
            members[member.name] = member.reason or content
        assert writer.count == len(members)
        return members, reader.damage

    return take


Taken = Callable[..., tuple[dict[str, bytes | str], str]]


@pytest.mark.parametrize(
    ("name", "packed"),
    [
        ("a.zip", lambda: zip_bytes(FILES)),
        ("a.tar", lambda: tar_bytes(FILES)),
        ("a.tar.gz", lambda: tar_bytes(FILES, "w:gz")),
        ("a.tgz", lambda: tar_bytes(FILES, "w:gz")),
        ("a.tar.bz2", lambda: tar_bytes(FILES, "w:bz2")),
        ("a.tar.xz", lambda: tar_bytes(FILES, "w:xz")),
        ("a.7z", lambda: seven_zip_bytes(FILES)),
        ("no-ending", lambda: zip_bytes(FILES)),
        ("wrong.zip", lambda: tar_bytes(FILES)),
    ],
)
def test_members_are_what_was_packed(taken: Taken, name: str, packed: Callable[[], bytes]) -> None:
    """Each kind of archive is told by its bytes, and gives the files that are in it."""
    assert taken(packed(), name) == (FILES, "")


@pytest.mark.parametrize("name", ["a.docx", "a.pdf", "a.xls"])
def test_archive_that_is_named_like_a_document_is_refused(name: str) -> None:
    """What should be a document and is an archive is a broken document, not many."""
    with pytest.raises(ItemRejectedError) as refused:
        extract(zip_bytes(FILES), file_name=name, takes_containers=True)
    assert not isinstance(refused.value, ContainerError)


@pytest.mark.parametrize("part", ["META-INF/MANIFEST.MF", "[Content_Types].xml", "mimetype", "AndroidManifest.xml"])
def test_files_of_programs_are_no_archives(part: str) -> None:
    """A zip that some program has made for itself is not taken apart."""
    with pytest.raises(ItemRejectedError) as refused:
        extract(zip_bytes({part: "x", **FILES}), file_name="a.bin", takes_containers=True)
    assert not isinstance(refused.value, ContainerError)


def test_office_documents_are_documents() -> None:
    """A Word file is a zip, and no archive."""
    with pytest.raises(ItemError) as broken:
        extract(zip_bytes(word_file()), file_name="a.zip", takes_containers=True)
    assert not isinstance(broken.value, ContainerError)


def test_names_of_zip_members(taken: Taken) -> None:
    """Names in UTF-8 are read as that whether the archive says so or not, and Windows' separators are separators."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("größe.txt", "a")
        archive.writestr("in\\side.txt", "b")
    unflagged = buffer.getvalue().replace(b"\x00\x08\x00\x00", b"\x00\x00\x00\x00")
    assert set(taken(buffer.getvalue())[0]) == set(taken(unflagged)[0]) == {"größe.txt", "in/side.txt"}


def test_name_of_a_tar_member_that_is_not_utf8(taken: Taken) -> None:
    """Any bytes may be a name."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", encoding="latin-1", format=tarfile.GNU_FORMAT) as archive:
        entry = tarfile.TarInfo("größe.txt")
        entry.size = 1
        archive.addfile(entry, io.BytesIO(b"x"))
    assert taken(buffer.getvalue())[0] == {"größe.txt": b"x"}


def test_links_and_devices_are_not_followed(taken: Taken) -> None:
    """What is no plain file is named, and nothing outside is read."""
    link = tarfile.TarInfo("link")
    link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
    second = tarfile.TarInfo("second")
    second.type, second.linkname = tarfile.LNKTYPE, "a.txt"
    device = tarfile.TarInfo("device")
    device.type = tarfile.CHRTYPE
    members, damage = taken(tar_bytes({"a.txt": b"x"}, "w", link, second, device))
    assert (members, damage) == ({"a.txt": b"x"} | dict.fromkeys(["link", "second", "device"], "special_file"), "")
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        entry = zipfile.ZipInfo("link")
        entry.external_attr = (stat.S_IFLNK | 0o777) << 16
        archive.writestr(entry, "/etc/passwd")
        archive.writestr("__MACOSX/._a.txt", b"\x00\x05\x16\x07")
        archive.writestr("folder/", b"")
    assert taken(buffer.getvalue())[0] == {"link": "special_file"}


def test_encrypted_members(taken: Taken) -> None:
    """Encrypted members are named; an archive of nothing else is refused as encrypted."""
    content = bytearray(zip_bytes({"a.txt": b"first", "b.txt": b"second"}))
    for mark, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        content[content.index(mark) + offset] |= 1
    assert taken(bytes(content))[0] == {"a.txt": "encrypted", "b.txt": b"second"}
    for mark, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        content[content.rindex(mark) + offset] |= 1
    for encrypted in (bytes(content), seven_zip_bytes(FILES, password="secret")):
        with pytest.raises(ItemRejectedError) as refused:
            taken(encrypted)
        assert refused.value.reason == "encrypted"


def test_damaged_member_costs_itself(taken: Taken) -> None:
    """A zip member that fails its checksum is damaged, and the others are taken."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        archive.writestr("a.txt", b"first")
        archive.writestr("b.txt", b"second")
    assert taken(buffer.getvalue().replace(b"first", b"worst"))[0] == {"a.txt": "malformed", "b.txt": b"second"}


def test_too_large_member_is_named(taken: Taken) -> None:
    """A member beyond the limit of its source is not taken."""
    large = {"large.txt": bytes(LARGEST + 1), "b.txt": b"x"}
    for content in (zip_bytes(large), tar_bytes(large), seven_zip_bytes(large)):
        assert taken(content) == ({"large.txt": "too_large", "b.txt": b"x"}, "")


@pytest.mark.parametrize("mode", ["w", "w:gz", "w:xz"])
def test_cut_tar_is_damaged(taken: Taken, mode: str) -> None:
    """A tar archive that ends too early is never taken for a whole one, wherever it is cut."""
    noise = random.Random(1).randbytes(60_000)
    whole = tar_bytes({"a.txt": noise, "b.txt": noise[::-1]}, mode)
    plain_end = 2 * (512 + 60_416)
    for cut in (plain_end, plain_end - 30_000, plain_end - 60_416) if mode == "w" else (len(whole) - 4, 100_000):
        members, damage = taken(whole[:cut])
        assert damage
        assert members["a.txt"] == noise


@pytest.mark.slow
def test_limits_hold_for_every_kind(taken: Taken, monkeypatch: pytest.MonkeyPatch) -> None:
    """Too many members, too many bytes and too good a ratio are bombs, before they are unpacked where that is known."""
    many = {f"{number}.txt": b"x" for number in range(20)}
    zeros = {f"{number}.bin": bytes(90_000) for number in range(400)}  # 36 MB
    archives = [(make(many), make(zeros)) for make in (zip_bytes, tar_bytes, seven_zip_bytes)]
    monkeypatch.setattr(members_module, "MAX_MEMBERS", 10)
    for too_many, _zeros in archives:
        with pytest.raises(ItemRejectedError, match="members"):
            taken(too_many)
    monkeypatch.setattr(members_module, "MAX_MEMBERS", 1000)
    for content in (zip_bytes(zeros), tar_bytes(zeros, "w:gz"), seven_zip_bytes(zeros)):
        with pytest.raises(ItemRejectedError) as refused:
            taken(content)
        assert refused.value.reason == "archive_bomb"
    monkeypatch.setattr(members_module, "MAX_MEMBER_BYTES", 1_000_000)
    with pytest.raises(ItemRejectedError, match="bytes"):
        taken(archives[1][1])


def test_parser_processes_unpack(tmp_path: Path) -> None:
    """A parser process writes members where its task says, and refuses archives where it is not asked for them."""
    results: dict[str, ParseResult] = {}
    contents = {"a.zip": zip_bytes(FILES), "a.tgz": tar_bytes(FILES, "w:gz"), "a.7z": seven_zip_bytes(FILES)}
    with ParserPool(1, ParseLimits()) as pool:
        for name, content in contents.items():
            (tmp_path / name).write_bytes(content)
            for largest in (LARGEST, None):
                output = f"{tmp_path}/{name}-{largest}"
                task = ParseTask(f"{name}-{largest}", f"{tmp_path}/{name}", output, name, 1, member_bytes=largest)
                pool.submit(task, lambda result: results.update({result.task_id: result}))
        pool.drain()
    for name in contents:
        assert (results[f"{name}-{LARGEST}"].status, results[f"{name}-{LARGEST}"].members) == ("container", 3)
        reader = MemberReader(tmp_path / f"{name}-{LARGEST}.members")
        assert {member.name: b"".join(pieces) for member, pieces in reader.members()} == FILES
        assert (results[f"{name}-None"].status, results[f"{name}-None"].reason) == ("rejected", "unsupported_type")
        assert not (tmp_path / f"{name}-None.members").exists()


@pytest.mark.parametrize("name", ["../../x.md", "/etc/x.md", "..", "c\x1b[31m.md"])
def test_hostile_names_of_a_7z_archive_cost_nothing(taken: Taken, name: str) -> None:
    """A name that leads out is a name like any other: the archive is read to its end."""
    members, damage = taken(seven_zip_named(name))
    assert (list(members.values()), damage) == ([b"one", b"two"], "")


def test_name_that_a_7z_archive_has_twice(tmp_path: Path) -> None:
    """Both members keep the name, and so their type."""
    with pytest.raises(ContainerError) as found:
        extract(seven_zip_named("b.md"), file_name="a.7z", takes_containers=True)
    with MemberWriter(str(tmp_path / "members"), LARGEST) as writer:
        unpack(found.value, writer, lambda: None)
    members = MemberReader(tmp_path / "members").members()
    assert [(member.name, b"".join(pieces)) for member, pieces in members] == [("b.md", b"one"), ("b.md", b"two")]
