"""Names of what cannot be read, so that a refusal says what the file is."""

from __future__ import annotations

_HEAD_BYTES = 4096
_ISO_MEDIA = {
    b"heic": "a HEIC image",
    b"heix": "a HEIC image",
    b"hevc": "a HEIC image",
    b"hevx": "a HEIC image",
    b"mif1": "a HEIC image",
    b"msf1": "a HEIC image",
    b"avif": "an AVIF image",
    b"avis": "an AVIF image",
    b"crx ": "a Canon raw image",
    b"qt  ": "a QuickTime video",
    b"M4A ": "an MPEG-4 audio file",
}
_IN_CHUNKS = {
    b"RIFF": {b"WEBP": "a WebP image", b"WAVE": "a WAV audio file", b"AVI ": "an AVI video"},
    b"FORM": {b"AIFF": "an AIFF audio file", b"AIFC": "an AIFF audio file"},
}

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
    (0, b"\x01\x00\x00\x00\x6c\x00\x00\x00", "a Windows metafile"),
    (0, b"\x01\x00\x09\x00\x00\x03", "a Windows metafile"),
    (0, b"\x00\x00\x00\x0cjP  \r\n\x87\n", "a JPEG 2000 image"),
    (0, b"\x00\x00\x00\x0cJXL \r\n\x87\n", "a JPEG XL image"),
    (0, b"gimp xcf", "a GIMP image"),
    (0, b"icns\x00", "a macOS icon"),
    (0, b"\x06\x06\xed\xf5\xd8\x1d\x46\xe5", "an InDesign document"),
    (128, b"DICM", "a medical image (DICOM)"),
    (0, b"AT&TFORM", "a DjVu document"),
    (0, b"\xe4\x52\x5c\x7b\x8c\xd8\xa7\x4d\xae\xb1\x53\x78\xd0\x29\x96\xd3", "a OneNote section"),
    (0, b"\xa1\x2f\xff\x43\xd9\xef\x76\x4c\x9e\xe2\x10\xea\x57\x22\x76\x5f", "a OneNote table of contents"),
    (0, b"ITSF", "a compiled help file (CHM)"),
    (0, b"ITOLITLS", "a Microsoft Reader book"),
    (0, b"TPZ", "a Kindle book in Amazon's Topaz form"),
    (0, b"\xeaDRMION\xee", "a protected Kindle book (KFX)"),
    (0, b"CONT\x02\x00", "a Kindle book in Amazon's KFX form"),
    (4, b"Standard Jet DB", "a Microsoft Access database"),
    (4, b"Standard ACE DB", "a Microsoft Access database"),
    (0, b"!BDN", "an Outlook data file (PST)"),
    (0, b"\xffWPC", "a WordPerfect document"),
    (0, b"HWP Document File", "a Hangul document"),
    (0, b"\x31\xbe\x00\x00\x00\xab", "a Windows Write document"),
    (0, b"\x32\xbe\x00\x00\x00\xab", "a Windows Write document"),
    (0, b"\x9b\xa5\x21\x00", "a document of Word for Windows 1"),
    (0, b"\xdb\xa5\x2d\x00", "a document of Word for Windows 2"),
    (0, b"\xfe\x32\x00", "a document of Word for Macintosh before 6.0"),
    (0, b"\xfe\x34\x00", "a document of Word for Macintosh before 6.0"),
    (0, b"\xfe\x37\x00", "a document of Word for Macintosh before 6.0"),
    (0, b"\x00\x00\x02\x00\x06\x04", "a Lotus 1-2-3 workbook"),
    (0, b"\x00\x00\x1a\x00", "a Lotus 1-2-3 workbook"),
    (0, b"$FL2@(#)", "an SPSS data file"),
    (12, b"\xc2\xea\x81\x60", "a SAS data set"),
    (0, b"<stata_dta>", "a Stata data set"),
    (0, b"MATLAB 5.0 MAT", "a MATLAB data file"),
    (0, b"ElfFile\x00", "a Windows event log"),
    (0, b"regf", "a Windows registry"),
    (0, b"L\x00\x00\x00\x01\x14\x02\x00", "a Windows shortcut"),
    (0, b"\x00\x00\x00\x01Bud1", "a macOS folder view (.DS_Store)"),
    (0, b"\xd4\xc3\xb2\xa1", "a network capture"),
    (0, b"GGUF", "a language model (GGUF)"),
    (0, b"AC10", "an AutoCAD drawing"),
    (0, b"%!PS-Adobe", "a PostScript document"),
    (0, b"\xc5\xd0\xd3\xc6", "a PostScript image"),
    (0, b"\x93NUMPY", "a NumPy array"),
    (0, b"\x89HDF\r\n\x1a\n", "an HDF5 file"),
    (0, b"\x1f\x8b", "a gzip archive"),
    (0, b"BZh", "a bzip2 archive"),
    (0, b"\xfd7zXZ\x00", "an xz archive"),
    (0, b"\x04\x22\x4d\x18", "an LZ4 archive"),
    (0, b"\x1f\x9d", "a file of compress (.Z)"),
    (2, b"-lh5-", "an LHA archive"),
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
    (0, b"MThd", "a MIDI file"),
    (0, b"FLV\x01", "a Flash video"),
    (0, b"\x30\x26\xb2\x75\x8e\x66\xcf\x11", "a Windows Media file"),
    (0, b"#!AMR", "an AMR audio file"),
    (0, b"\x00\x00\x01\xba", "an MPEG video"),
    (0, b"\x00\x00\x01\xb3", "an MPEG video"),
    (0, b"\x1aE\xdf\xa3", "a Matroska or WebM video"),
    (0, b"\x00\x01\x00\x00\x00", "a TrueType font"),
    (0, b"ttcf\x00", "a TrueType font"),
    (0, b"OTTO", "an OpenType font"),
    (0, b"wOFF", "a web font"),
    (0, b"wOF2", "a web font"),
    (0, b"\x80\x02", "a Python pickle"),
    (0, b"bplist", "a binary property list"),
)
# So short that a text may begin with them, too: they only name what is no text for other reasons.
_SHORT_MAGIC = (
    (0, b"BM", "a Windows bitmap image"),
    (0, b"\xff\xfb", "an MP3 audio file"),
    (0, b"\xff\xf3", "an MP3 audio file"),
    (0, b"\xff\xf1", "an AAC audio file"),
    (0, b"\xff\x0a", "a JPEG XL image"),
    (0, b"]\x00\x00", "an LZMA archive"),
)
_NEVER_TEXT = tuple(
    magic for offset, magic, _name in _MAGIC if offset == 0 and (not magic.isascii() or b"\x00" in magic)
)
_ALWAYS = (*_NEVER_TEXT, b"GIF87a", b"GIF89a", b"8BPS", b"AT&TFORM", b"Rar!", b"MZ\x90")


def is_refused(head: bytes) -> bool:
    """Say whether a file begins as no text and no document that is read does."""
    return head.startswith(_ALWAYS)


def name_of(content: bytes) -> str:
    """Return what a file is, with its article, as far as its first bytes show."""
    head = content[:_HEAD_BYTES]
    if head[4:8] == b"ftyp":
        return _ISO_MEDIA.get(head[8:12], "an MPEG-4 video or audio file")
    if in_chunks := _IN_CHUNKS.get(head[:4], {}).get(head[8:12]):
        return in_chunks
    for offset, magic, name in (*_MAGIC, *_SHORT_MAGIC):
        if content.startswith(magic, offset):
            return name
    if content.count(0) == len(content):
        return "a file that holds only zero bytes"
    import puremagic

    try:
        matches = puremagic.magic_string(head)
    except (puremagic.PureError, ValueError):
        return "an unknown binary format"
    best = matches[0]
    return f"an unknown binary format, perhaps {best.name or best.mime_type or best.extension}"
