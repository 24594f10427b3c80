"""Look inside zip containers without unpacking them: what they hold, how large they would become."""

from __future__ import annotations

import re
import zipfile
import zlib
from io import BytesIO
from typing import Any

from ingest_tui.extraction.intake.formats import BY_NAME, Format
from ingest_tui.model.counted import counted
from ingest_tui.model.errors import ItemRejectedError, ProcessingError
from ingest_tui.model.extraction import Finding

MAX_ENTRIES = 10_000
MAX_RATIO = 100
RATIO_FLOOR_BYTES = 32 * 1024**2
"""Below this unpacked size the ratio says nothing: empty sheets and slide masters compress 1,000:1."""
MAX_UNPACKED_BYTES = 1024**3
MAX_DEPTH = 3
_MAX_NESTED_BYTES = 64 * 1024**2
_NESTED_ENDINGS = (".zip", ".jar", ".docx", ".xlsx", ".xlsm", ".pptx", ".odt", ".ods", ".odp", ".odg", ".epub")
_ENCRYPTED_FLAG = 0x1

_MACRO_PART = "vbaProject.bin"

ENCRYPTED_HINT = "remove the password and put the file in place again"
_ZIP_PARTS: tuple[tuple[str, str], ...] = (
    ("word/document", "docx"),
    ("ppt/presentation", "pptx"),
    ("xl/workbook.bin", "xlsb"),
    ("xl/workbook", "xlsx"),
    ("visio/document", "vsdx"),
)
_MAIN_TYPES = {
    "wordprocessingml.document.main+xml": "docx",
    "wordprocessingml.template.main+xml": "docx",
    "ms-word.document.macroEnabled.main+xml": "docx",
    "ms-word.template.macroEnabledTemplate.main+xml": "docx",
    "presentationml.presentation.main+xml": "pptx",
    "presentationml.slideshow.main+xml": "pptx",
    "presentationml.template.main+xml": "pptx",
    "ms-powerpoint.presentation.macroEnabled.main+xml": "pptx",
    "ms-powerpoint.slideshow.macroEnabled.main+xml": "pptx",
    "spreadsheetml.sheet.main+xml": "xlsx",
    "spreadsheetml.template.main+xml": "xlsx",
    "ms-excel.sheet.macroEnabled.main+xml": "xlsx",
    "ms-visio.drawing.main+xml": "vsdx",
    "ms-visio.drawing.macroEnabled.main+xml": "vsdx",
    "ms-visio.template.main+xml": "vsdx",
    "ms-visio.stencil.main+xml": "vsdx",
    "xps-fixeddocumentsequence+xml": "xps",
}
_ODF_TYPES = {
    "application/vnd.oasis.opendocument.text": "odt",
    "application/vnd.oasis.opendocument.text-template": "odt",
    "application/vnd.oasis.opendocument.text-master": "odt",
    "application/vnd.oasis.opendocument.text-web": "odt",
    "application/vnd.oasis.opendocument.graphics": "odg",
    "application/vnd.oasis.opendocument.graphics-template": "odg",
    "application/vnd.oasis.opendocument.spreadsheet": "ods",
    "application/vnd.oasis.opendocument.spreadsheet-template": "ods",
    "application/vnd.oasis.opendocument.presentation": "odp",
    "application/vnd.oasis.opendocument.presentation-template": "odp",
    "application/epub+zip": "epub",
    "application/hwp+zip": "hwpx",
}
_IWORK_PART = re.compile(
    r"Index/Document\.iwa|Index\.zip|index\.apxl|buildVersionHistory\.plist|QuickLook/Preview\.pdf"
)
_XPS_PART = "fixeddocumentsequence.fdseq"
_IWORK_PASSWORD = (".iwph", ".iwpv2")
_MANIFEST_ROOT = re.compile(r"""<[^<>]{0,200}full-path=["']/["'][^<>]{0,500}""")
_MEDIA_TYPE = re.compile(r"""media-type=["']([^"']+)["']""")


TAR_HEADER_BYTES = 512
SEVEN_ZIP_MAGIC = b"7z\xbc\xaf\x27\x1c"
_ARTICLES = {"zip": "a zip archive", "tar": "a tar archive", "7z": "a 7-Zip archive"}
_PACKAGE_PARTS = (
    *("[Content_Types].xml", "mimetype", "META-INF/manifest.xml", "META-INF/container.xml"),
    *("META-INF/MANIFEST.MF", "AndroidManifest.xml"),
)
"""What makes a zip a file of some program, and not an archive that somebody packed."""


class ContainerError(ItemRejectedError):
    """What is asked for is no document but holds some: an archive. ``content`` are its bytes, ``kind`` what it is."""

    def __init__(self, message: str, *, kind: str = "", content: bytes = b"", **more: Any) -> None:
        super().__init__(message, **more)
        self.kind = kind
        self.content = content


def found_container(kind: str, content: bytes) -> ContainerError:
    """Return that there is an archive."""
    hint = "unpack it and ingest the folder instead"
    return ContainerError(f"cannot read {_ARTICLES[kind]}", kind=kind, content=content, hint=hint)


def is_tar(head: bytes) -> bool:
    """Whether a tar archive begins with these `TAR_HEADER_BYTES`: the sum of a header's bytes is in it."""
    if len(head) < TAR_HEADER_BYTES or not any(head):
        return False
    try:
        checksum = int(head[148:156].split(b"\0", 1)[0].strip() or b"x", 8)
    except ValueError:
        return False
    return checksum == sum(head[:148]) + 8 * ord(" ") + sum(head[156:TAR_HEADER_BYTES])


def identify_zip(content: bytes) -> tuple[Format, list[Finding]]:
    """Return the format of a zip container after checking its limits, and what is odd about it.

    Raises `ContainerError` for an archive, `ItemRejectedError` (``archive_bomb``, ``encrypted``, ``unsupported_type``)
    or `ProcessingError` (``malformed``).
    """
    try:
        with zipfile.ZipFile(BytesIO(content)) as archive:
            if _is_archive(archive):
                raise found_container("zip", content)
            check_archive(archive, len(content))
            return _format_of_zip(archive), find_macros(any(name.endswith(_MACRO_PART) for name in archive.namelist()))
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, EOFError, ValueError, OSError, RuntimeError) as error:
        raise ProcessingError(
            f"the zip container cannot be read: {error}",
            code="malformed",
            hint="the file may be cut short; fetch or save it again",
        ) from error


def _format_of_zip(archive: zipfile.ZipFile) -> Format:
    names = {name.replace("\\", "/") for name in archive.namelist()}
    kind = _ODF_TYPES.get(_read_small(archive, "mimetype").strip()) or _kind_in_manifest(archive)
    if kind is None and "[Content_Types].xml" in names:
        kind = next(
            (name for start, name in _ZIP_PARTS if any(entry.lower().startswith(start) for entry in names)), None
        )
        kind = kind or _kind_in_content_types(_read_small(archive, "[Content_Types].xml"))
    kind = kind or _kind_by_parts(names)
    if kind in ("odt", "ods", "odp", "odg", "hwpx") and "encryption-data" in _read_small(
        archive, "META-INF/manifest.xml"
    ):
        raise ItemRejectedError("the document is encrypted", code="encrypted", hint=ENCRYPTED_HINT)
    if kind == "epub" and names & {"META-INF/rights.xml", "META-INF/sinf.xml"}:
        raise ItemRejectedError("the book is protected (DRM)", code="encrypted", hint="get a copy without protection")
    if kind is None:
        what = "a Java archive" if "META-INF/MANIFEST.MF" in names else "a zip archive"
        raise ItemRejectedError(
            f"cannot read {what}", code="unsupported_type", hint="unpack it and ingest the folder instead"
        )
    return BY_NAME[kind]


def refused(container: ContainerError) -> ItemRejectedError:
    """Return why an archive is not read: that it is one, or what makes it harmful or of no use, with what is in it."""
    if container.kind == "zip":
        try:
            with zipfile.ZipFile(BytesIO(container.content)) as archive:
                check_archive(archive, len(container.content))
        except ItemRejectedError as refusal:
            return refusal
        except Exception:  # noqa: BLE001 damage within it is of no interest
            return container
    return container


def _is_archive(archive: zipfile.ZipFile) -> bool:
    """Whether a zip is what somebody packed; documents and files of other programs have parts that say so."""
    names = {entry.filename.replace("\\", "/") for entry in archive.infolist()}
    return names.isdisjoint(_PACKAGE_PARTS) and _kind_by_parts(names) is None


def _kind_in_content_types(types: str) -> str | None:
    """Return the kind that the list of content types names: the main part may have any name."""
    return next((kind for content_type, kind in _MAIN_TYPES.items() if content_type in types), None)


def _kind_by_parts(names: set[str]) -> str | None:
    if names & set(_IWORK_PASSWORD):
        raise ItemRejectedError("the document is encrypted", code="encrypted", hint=ENCRYPTED_HINT)
    if any(name.lower().startswith(_XPS_PART) for name in names):
        return "xps"
    if any(_IWORK_PART.fullmatch(name) for name in names):
        return "iwork"
    return "hwpx" if "Contents/content.hpf" in names else None


def _kind_in_manifest(archive: zipfile.ZipFile) -> str | None:
    """Return the kind that the manifest of an OpenDocument names: some programs leave the part ``mimetype`` out."""
    root = _MANIFEST_ROOT.search(_read_small(archive, "META-INF/manifest.xml"))
    media_type = _MEDIA_TYPE.search(root[0]) if root else None
    return _ODF_TYPES.get(media_type[1]) if media_type else None


def find_macros(are_there: bool) -> list[Finding]:
    """Return the finding of a document with macros."""
    return [Finding("warning", "macros_present", "holds macros, which are never run")] if are_there else []


def _read_small(archive: zipfile.ZipFile, name: str) -> str:
    try:
        with archive.open(name) as entry:
            return entry.read(1024**2).decode("utf-8", "replace")
    except KeyError:
        return ""


def check_archive(archive: zipfile.ZipFile, packed_bytes: int, depth: int = 1) -> None:
    """Raise `ItemRejectedError` if the archive is encrypted or unpacks beyond the limits, with those inside it."""
    entries = archive.infolist()
    if len(entries) > MAX_ENTRIES:
        raise _bomb(f"{counted(len(entries), 'entry', 'entries')}, more than {MAX_ENTRIES:,}")
    unpacked = sum(entry.file_size for entry in entries)
    if unpacked > MAX_UNPACKED_BYTES:
        raise _bomb(f"would unpack to {counted(unpacked, 'byte')}")
    if unpacked > RATIO_FLOOR_BYTES and unpacked > MAX_RATIO * max(packed_bytes, 1):
        raise _bomb(f"would unpack to {counted(unpacked // max(packed_bytes, 1), 'time')} its size")
    for entry in entries:
        if entry.file_size > RATIO_FLOOR_BYTES and entry.file_size > MAX_RATIO * max(entry.compress_size, 1):
            raise _bomb(
                f"one entry would unpack to {counted(entry.file_size // max(entry.compress_size, 1), 'time')} its size"
            )
        if entry.flag_bits & _ENCRYPTED_FLAG:
            raise ItemRejectedError("the archive is encrypted", code="encrypted", hint=ENCRYPTED_HINT)
    for entry in entries:
        if entry.filename.lower().endswith(_NESTED_ENDINGS):
            _check_nested(archive, entry, depth + 1)


def _check_nested(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, depth: int) -> None:
    if depth > MAX_DEPTH:
        raise _bomb(f"archives nested more than {MAX_DEPTH} deep")
    if entry.file_size > _MAX_NESTED_BYTES:
        return  # not unpacked by anything here, and too large to look into
    with archive.open(entry) as packed:
        content = packed.read(_MAX_NESTED_BYTES)
    if not zipfile.is_zipfile(BytesIO(content)):
        return
    with zipfile.ZipFile(BytesIO(content)) as nested:
        check_archive(nested, len(content), depth)


def _bomb(detail: str) -> ItemRejectedError:
    return ItemRejectedError(
        f"refused to unpack: {detail}",
        code="archive_bomb",
        hint="if the file is genuine, unpack it and ingest the folder instead",
    )
