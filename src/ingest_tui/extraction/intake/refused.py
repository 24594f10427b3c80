"""Names of what cannot be read, so that a refusal says what the file is."""

from __future__ import annotations

_HEAD_BYTES = 4096
_ISO_MEDIA = {
    b"heic": "a HEIC image",
    b"heix": "a HEIC image",
    b"avif": "an AVIF image",
    b"M4A ": "an MPEG-4 audio file",
}
_RIFF = {b"WEBP": "a WebP image", b"WAVE": "a WAV audio file", b"AVI ": "an AVI video"}

# Offset, first bytes, and what they are. The short ones come last: a longer match is the better one.
_MAGIC: tuple[tuple[int, bytes, str], ...] = (
    (0, b"\x89PNG\r\n\x1a\n", "a PNG image"),
    (0, b"\xff\xd8\xff", "a JPEG image"),
    (0, b"GIF87a", "a GIF image"),
    (0, b"GIF89a", "a GIF image"),
    (0, b"II*\x00", "a TIFF image"),
    (0, b"MM\x00*", "a TIFF image"),
    (0, b"8BPS", "a Photoshop image"),
    (0, b"\x00\x00\x01\x00", "a Windows icon"),
    (0, b"\x01\x00\x00\x00\x58\x00\x00\x00", "a Windows metafile"),
    (0, b"\xd7\xcd\xc6\x9a", "a Windows metafile"),
    (0, b"AT&TFORM", "a DjVu document"),
    (0, b"\xe4\x52\x5c\x7b\x8c\xd8\xa7\x4d\xae\xb1\x53\x78\xd0\x29\x96\xd3", "a OneNote section"),
    (0, b"\xa1\x2f\xff\x43\xd9\xef\x76\x4c\x9e\xe2\x10\xea\x57\x22\x76\x5f", "a OneNote table of contents"),
    (0, b"ITSF", "a compiled help file (CHM)"),
    (0, b"ITOLITLS", "a Microsoft Reader book"),
    (60, b"BOOKMOBI", "a Mobipocket or Kindle book"),
    (60, b"TEXtREAd", "a PalmDOC book"),
    (4, b"Standard Jet DB", "a Microsoft Access database"),
    (4, b"Standard ACE DB", "a Microsoft Access database"),
    (0, b"!BDN", "an Outlook data file (PST)"),
    (0, b"\xffWPC", "a WordPerfect document"),
    (0, b"HWP Document File", "a Hangul document"),
    (0, b"AC10", "an AutoCAD drawing"),
    (0, b"%!PS-Adobe", "a PostScript document"),
    (0, b"\xc5\xd0\xd3\xc6", "a PostScript image"),
    (0, b"\x93NUMPY", "a NumPy array"),
    (0, b"\x89HDF\r\n\x1a\n", "an HDF5 file"),
    (0, b"Obj\x01", "an Avro file"),
    (0, b"\x1f\x8b", "a gzip archive"),
    (0, b"BZh", "a bzip2 archive"),
    (0, b"\xfd7zXZ\x00", "an xz archive"),
    (0, b"7z\xbc\xaf\x27\x1c", "a 7-Zip archive"),
    (0, b"Rar!\x1a\x07", "a RAR archive"),
    (0, b"(\xb5/\xfd", "a Zstandard archive"),
    (0, b"MSCF\x00\x00\x00\x00", "a Windows cabinet"),
    (0, b"!<arch>\n", "a Debian package or library"),
    (0, b"\xed\xab\xee\xdb", "an RPM package"),
    (257, b"ustar", "a tar archive"),
    (32769, b"CD001", "a disk image"),
    (0, b"\x7fELF", "an ELF program"),
    (0, b"MZ", "a Windows program"),
    (0, b"\xcf\xfa\xed\xfe", "a macOS program"),
    (0, b"\xca\xfe\xba\xbe", "a Java class or a macOS program"),
    (0, b"\x00asm", "a WebAssembly program"),
    (0, b"ID3", "an MP3 audio file"),
    (0, b"OggS", "an Ogg audio or video file"),
    (0, b"fLaC", "a FLAC audio file"),
    (0, b"\x1aE\xdf\xa3", "a Matroska or WebM video"),
    (0, b"\x00\x01\x00\x00\x00", "a TrueType font"),
    (0, b"OTTO", "an OpenType font"),
    (0, b"wOFF", "a web font"),
    (0, b"wOF2", "a web font"),
    (0, b"\x80\x02", "a Python pickle"),
    (0, b"bplist", "a binary property list"),
)
_NEVER_TEXT = tuple(
    magic for offset, magic, _name in _MAGIC if offset == 0 and (not magic.isascii() or b"\x00" in magic)
)
_ALWAYS = (*_NEVER_TEXT, b"GIF87a", b"GIF89a", b"BZh", b"8BPS", b"AT&TFORM", b"Rar!", b"MZ\x90")


def is_refused(head: bytes) -> bool:
    """Say whether a file begins as no text and no document that is read does."""
    return head.startswith(_ALWAYS)


def name_of(content: bytes) -> str:
    """Return what a file is, with its article, as well as its first bytes tell."""
    head = content[:_HEAD_BYTES]
    if head[4:8] == b"ftyp":
        return _ISO_MEDIA.get(head[8:12], "an MPEG-4 video or audio file")
    if head.startswith(b"RIFF") and head[8:12] in _RIFF:
        return _RIFF[head[8:12]]
    for offset, magic, name in _MAGIC:
        if content.startswith(magic, offset):
            return name
    import puremagic

    try:
        matches = puremagic.magic_string(head)
    except (puremagic.PureError, ValueError):
        return "an unknown binary format"
    best = matches[0]
    return f"an unknown binary format, perhaps {best.name or best.mime_type or best.extension}"
