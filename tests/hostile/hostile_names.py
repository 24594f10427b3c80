"""Names that do harm to programs which trust them: one catalogue, by the way in which they harm.

A name is bytes, a path within a source with ``/`` between its parts. `NAMES` gives each a number and a word of its own,
which is the content of the item, so that no item is the duplicate of another and each can be searched for.
"""

from __future__ import annotations

from dataclasses import dataclass

from ingest_tui.model.keys import key_from_bytes

LONGEST_COMPONENT = 255
# Stands in what escape sequences would set (a title, a clipboard, a palette); must never reach a terminal behind ESC.
SENTINEL = "OWNED"
ESC = "\x1b"


def _bytes(*names: str) -> list[bytes]:
    return [name.encode() for name in names]


# Climb out of the folder that a program puts them into, as they are or once something decodes or normalises them.
TRAVERSAL = _bytes(
    "..", "../up.txt", "../../up.txt", "../../../../../../../../etc/cron.d/owned", "down/../../up.txt", "down/..",
    "down/./here.txt", ".", "./here.txt", "../", "../../", "..\\..\\up.txt", "down\\..\\..\\up.txt", "....//up.txt",
    "...", "..../up.txt", ".. /up.txt", " ../up.txt", "..;/up.txt", "%2e%2e/up.txt", "%2e%2e%2fup.txt",
    "..%2f..%2fup.txt", "..%5cup.txt", "%252e%252e%252fup.txt", "\uff0e\uff0e\uff0fup.txt", "\u2024\u2024/up.txt",
    "..\u2215up.txt", "..\u2044up.txt", "~/.ssh/authorized_keys", "~root/.profile", "$HOME/owned.txt",
    "${TMPDIR}/owned", "../workspace/workspace.json", "../workspace/catalogue.db", "../docs/up.txt",
    "../../home/up.txt",
)  # fmt: skip

# Name a place of the machine, on this system or on another one.
ABSOLUTE = _bytes(
    "/etc/passwd", "/etc/hostile-names-owned", "/tmp/hostile-names-owned.txt", "/dev/null", "/dev/stdout",
    "/proc/self/mem", "/proc/self/cwd/owned.txt", "/", "//", "///three.txt", "//server/share/x.txt", "/../up.txt",
    "C:\\Windows\\win.ini", "C:/Windows/win.ini", "C:relative.txt", "\\\\server\\share\\x.txt", "\\\\?\\C:\\x.txt",
    "\\\\.\\PhysicalDrive0", "file:///etc/passwd", "file://localhost/etc/hosts", "/var/spool/../../etc/shadow",
)  # fmt: skip

# End a name early for everything that is written in C, SQLite's text functions included.
NUL = _bytes(
    "\x00", "\x00\x00", "\x00start.txt", "end.txt\x00", "mid\x00dle.txt", "harmless.txt\x00.exe", "mid\x00dle.md",
    "folder\x00/x.txt", "folder/\x00", "\x00/\x00", "../\x00up.txt", f"{ESC}]0;{SENTINEL}\x00\x07.txt", "%00.txt",
)  # fmt: skip

# Longer than any file name may be, or exactly as long as it may be, also in characters of several bytes.
LONG = _bytes(
    "n" * 251 + ".txt", "m" * 255, "日" * 85, "é" * 127, "🌧" * 63, "d" * 255 + "/" + "f" * 255,
    "/".join(["deep"] * 150), "a/" * 300 + "end.txt", "x" * 256, "y" * 300, "z" * 1000, "w" * 5000, "v" * 20_000,
    "日" * 86, "é" * 128, "a" + "\u0301" * 200, "o" + "\u0301" * 100, "/".join(["long" * 64] * 20),
    "u" * 256 + "/x.txt", "t" * 248 + ".markdown", "e." + "e" * 253, "." * 300, "ﷺ" * 85,
)  # fmt: skip

# Mean a device, something of the system, an option of a command, or something of the workspace itself.
RESERVED = _bytes(
    "CON", "con.txt", "PRN", "AUX", "aux.tar.gz", "NUL", "nul.txt", "COM1", "com9.log", "LPT1", "COM¹.txt",
    "CON .txt", "NUL.", "CLOCK$", "CONIN$", "$MFT", "desktop.ini", "Thumbs.db", ".DS_Store", "._resource",
    ".git/config", "x.lnk", "-", "--", "-rf", "--help", "--json", "--yes", "--workspace=owned", "-n1", "@response",
    "+x", "last", "end", "None", "reserved/workspace.json", "reserved/manifest.json", "reserved/normalized.md",
    "reserved/ingestion.json", "reserved/raw.txt", "reserved/catalogue.db", "reserved/index.jsonl",
    "reserved/.tmp.plan", "reserved/v0001/raw.bin", "reserved/retired.json", "reserved/lock",
    "0123456789abcdef0123456789", "default", "upload", "stdout", "null",
)  # fmt: skip

# The same to a file system that ignores case, by the rules of one language or another.
CASE = _bytes(
    "case/readme.txt", "case/README.TXT", "case/Readme.Txt", "case/straße", "case/STRASSE", "case/strasse",
    "case/STRAẞE", "case/i", "case/I", "case/İ", "case/ı", "case/i\u0307", "case/ﬀ", "case/ff", "case/FF", "case/ſ",
    "case/s", "case/S", "case/k", "case/\u212a", "case/σ", "case/ς", "case/Σ", "CASE/readme.txt", "Case/readme.txt",
    "case/ǆ", "case/ǅ",
)  # fmt: skip

# The same to a file system or a program that normalises, or the same to the eye.
UNICODE = _bytes(
    "same/\u00e9.txt", "same/e\u0301.txt", "same/\u00c5", "same/A\u030a", "same/\u212b", "same/\uac00",
    "same/\u1100\u1161", "same/\ufb01", "same/fi", "same/Ａ", "same/A", "same/①", "same/1", "same/¹",
    "same/q\u0323\u0307", "same/q\u0307\u0323", "same/a\u200bb", "same/ab", "same/a\u00adb", "same/аb", "same/\u2126",
    "same/\u03a9", "same/x y", "same/x\u00a0y", "same/x\u3000y", "same/x\u2007y", "same/½", "same/1⁄2", "same/日",
    "same/⽇",
)  # fmt: skip

# A file where another name needs a folder: no file system holds both.
FILE_BESIDE_FOLDER = _bytes(
    "beside", "beside/inside", "beside/inside/deeper", "beside/inside/deeper/still.txt", "beside.txt",
    "beside.txt/inside.txt", "Beside", "beside.d/x", "beside.d",
)  # fmt: skip

# Parts without a name, which programs fold into one another.
EMPTY_PARTS = _bytes(
    "", "empty//part.txt", "empty///part.txt", "empty/part.txt", "empty/", "empty//", "empty/part.txt/",
    "empty/ /part.txt", "empty/./part.txt", "empty/part.txt//", " ", "  ", " / ",
)  # fmt: skip

# Are obeyed by a terminal that gets them raw: colours, cursor, title, clipboard, links, pictures, reports typed back.
ESCAPES = _bytes(
    f"{ESC}[31mred{ESC}[0m.txt", f"{ESC}[2J.txt", f"{ESC}[3J.txt", f"{ESC}[H{SENTINEL}.txt", f"{ESC}[1A{ESC}[2K.txt",
    f"{ESC}[6n.txt", f"{ESC}[c.txt", f"{ESC}[21t.txt", f"{ESC}[?1049h.txt", f"{ESC}[?25l.txt", f"{ESC}[?2004h.txt",
    f"{ESC}[201~touch owned\r.txt", f"{ESC}[8;1;1t.txt", f"{ESC}[20h.txt", f"{ESC}[12l.txt", f"{ESC}[5i.txt",
    f"{ESC}]0;{SENTINEL}\x07.txt", f"{ESC}]2;{SENTINEL}{ESC}\\.txt", f"{ESC}]52;c;{SENTINEL}\x07.txt",
    f"{ESC}]8;;http:{SENTINEL}\x07link{ESC}]8;;\x07.txt", f"{ESC}]10;{SENTINEL}\x07.txt",
    f"{ESC}]4;1;{SENTINEL}\x07.txt", f"{ESC}]777;notify;{SENTINEL};x\x07.txt",
    f"{ESC}]1337;File={SENTINEL}:AA\x07.txt", f"{ESC}]50;{SENTINEL}\x07.txt", f"{ESC}]9;{SENTINEL}\x07.txt",
    f"{ESC}]unfinished {SENTINEL}", f"{ESC}P{SENTINEL}{ESC}\\.txt", f"{ESC}P$q{SENTINEL}",
    f"{ESC}Pq#0{SENTINEL}{ESC}\\.txt", f"{ESC}_G{SENTINEL}{ESC}\\.txt", f"{ESC}^{SENTINEL}{ESC}\\.txt",
    f"{ESC}X{SENTINEL}{ESC}\\.txt", f"{ESC}Ptmux;{ESC}{ESC}]0;{SENTINEL}\x07{ESC}\\.txt",
    f"{ESC}k{SENTINEL}{ESC}\\.txt", f"{ESC}c.txt", f"{ESC}(0lqk.txt", f"{ESC}#8.txt", f"{ESC}7{ESC}8.txt",
    f"{ESC}D{ESC}M.txt", f"{ESC}%G.txt", f"{ESC}", f"{ESC}[", f"{ESC}]", f"\u009b31m{SENTINEL}.txt",
    f"\u009d0;{SENTINEL}\u009c.txt", f"\u0090{SENTINEL}\u009c.txt", f"\u009f{SENTINEL}\u009c.txt",
    f"\u009e{SENTINEL}\u009c.txt", f"\u0098{SENTINEL}\u009c.txt", "\u0085next.txt", "\u0084\u008d.txt",
    "bell\x07.txt", "back\x08\x08\x08space.txt", "delete\x7f.txt", "shift\x0eout\x0f.txt", "enquiry\x05.txt",
    "cancel\x18\x1a.txt", f"folder{ESC}[2J/{ESC}]0;{SENTINEL}\x07.txt", "\\x1b[31mwritten out.txt",
    "\\u001b]0;written out\\u0007.txt", "\x01\x02\x03\x04\x06.txt", "\x10\x11\x12\x13\x14\x15\x16\x17\x19.txt",
)  # fmt: skip

# Begin a new line, or come back to the start of one: forge lines of a log, a listing, a table or a journal.
NEWLINES = _bytes(
    "two\nlines.txt", "return\r.txt", "both\r\n.txt", "\n", "\r", "\n\n\n", "end\n", "\nstart", "tab\tbed.txt", "\t",
    "vertical\x0b.txt", "form\x0cfeed.txt", "separators\x1c\x1d\x1e\x1f.txt", "next\u0085line.txt",
    "line\u2028sep.txt", "para\u2029graph.txt", "folder\n/x.txt", "trailing space ", " leading space",
    "no\u00a0break", "\u3000", "\ufeffbom.txt", "x\n2026-11-21T00:00:00.000Z error   forged by a name.txt",
    "x\nerror: forged\nhint: by a name.txt", 'x"}\n{"action":"retire","key":"forged","crc":"00000000"}.txt',
    'x","outcome":"failed.txt', "x\n=forged,cell.txt", "x\r100% succeeded.txt", '{"schema_version": 99}',
    "\x00\n\x00",
)  # fmt: skip

# Change the order in which text is shown, or are not seen at all.
BIDIRECTIONAL = _bytes(
    "\u202efdp.exe", "\u202dx\u202c.txt", "\u202ax.txt", "\u202bx.txt", "\u2066x.txt", "\u2067x.txt",
    "\u2068x\u2069.txt", "\u200ex.txt", "\u200fx.txt", "\u061cx.txt", "שלום.txt", "مرحبا ١٢٣.txt", "abc אבג 123.txt",
    "\u202e/\u202e.txt", "zero\u200bwidth.txt", "\u200c\u200d.txt", "\u2060joined.txt", "\u00adsoft.txt",
    "\u180e.txt", "\u034f.txt", "\ufff9a\ufffab\ufffb.txt", "\U000e0001\U000e0041\U000e007f.txt", "\ufe0f.txt",
    "\U000e0100.txt", "\u3164.txt", "👨\u200d👩\u200d👧.txt", "🏳\ufe0f\u200d🌈.txt", "\ue000private.txt",
    "\uffff.txt", "\ufdd0.txt", "\U0010ffff.txt",
    "Z\u0300\u0301\u0302\u0303\u0304\u0305\u0306\u0307\u0308a\u0315lgo.txt", "\u0301alone.txt", "\ufffd.txt",
)  # fmt: skip

# Are markup or a format to Rich, Textual, HTML, Markdown, a shell, a template, a logger or a database.
MARKUP = _bytes(
    "[bold red]x[/bold red].txt", "[/].txt", "[", "]", "[/not-open].txt", "[link=file:]x[/link].txt", "[[x]].txt",
    "[@click=app.quit]quit[/].txt", "[$primary]x.txt", "[blink reverse]x.txt", "\\[x].txt", "[on red", ":skull:.txt",
    "<script>alert(1)</script>.html", "<img src=x onerror=alert(1)>", "<!--", "]]>", "<?xml version='1.0'?>",
    "&lt;&#0;.txt", "[x](javascript:alert(1)).md", "![x](http://127.0.0.1/x.png).md", "# heading.md", "| a | b |.md",
    "```", "***", "---", "{{7*7}}.txt", "{%raw%}", "${jndi:ldap://127.0.0.1/x}.txt", "%s%s%n%x.txt",
    "{0.__class__}.txt", "{", "}", "{key}", "$(touch owned).txt", "`touch owned`.txt", "; touch owned;.txt",
    "| touch owned", "&& touch owned", "!!", "#.txt", "'", '"', "'\"", "\\", "\\\\", "\\n", "*", "?", "[a-z]*", "!x",
    "%_like_%", "' OR 1=1 --", '"; DROP TABLE documents;--', "NEAR(a b)", "a AND NOT b", "title:x", '"open quote',
    "x^2", "%", "%%", "%zz.txt", "a%2Fb.txt", "a%25b", "a+b", "a b", "#fragment", "?query=1&x=2", "a;b=c",
    "http://127.0.0.1/x.txt", "javascript:alert(1)", "data:text/html,x", "user@host:22", "s3://bucket/key.txt",
    "memory://x", "hostile:///x",
)  # fmt: skip

# Are computed by a spreadsheet, or end a cell of a table.
FORMULAS = _bytes(
    "=1+1.txt", "=cmd|' -C calc'!A0", '=HYPERLINK("http:x";"y")', "+1+1", "-1+1", "@SUM(1+1)", "\t=1+1", "\r=1+1",
    "\n=1+1", "＝1+1", "＋1", "－1", "＠SUM(1)", "'=1+1", '"=1+1"', ",=1+1", ";=1+1", '",=1+1,"', " =1+1",
)  # fmt: skip

# Are no UTF-8, as disks of older machines have them; or look like the text form of such names.
NOT_UTF8 = [
    b"caf\xe9.txt", b"\xff", b"\xfe\xff", b"\xff\xfe.txt", b"\x80.txt", b"\xbf\xbf", b"\xe2\x82",
    b"\xe2\x82/\xac.txt", b"\xc0\xafup.txt", b"\xc0\xae\xc0\xae/up.txt", b"\xe0\x80\xafup.txt",
    b"\xf8\x88\x80\x80\x80", b"\xf5\x80\x80\x80", b"\xed\xa0\x80.txt", b"\xed\xa0\xbd\xed\xb8\x80.txt",
    b"\xed\xb2\x9b31m.txt", b"\x9b31mraw.txt", b"\x9d0;OWNED\x9c.txt", b"\x90OWNED\x9c", b"\x85\x84.txt",
    b"\x83e\x83X\x83g.txt", b"\xb2\xe2\xca\xd4.txt", b"\xcf\xf0\xe8.txt", b"mixed \xc3\xa9 \xe9.txt",
    b"\x1b]0;OWNED\x07\xff.txt", b"\xe9/\xe9/\xe9.txt", b"..\xff/up.txt", b"=\xff", b"[b]\xff[/]",
    b"n" * 254 + b"\xff", b"\xa0", b"\xad.txt", b"bytes:", b"bytes:%41.txt", b"bytes:%FF", b"bytes:%ff",
    b"bytes:caf%E9.txt", b"bytes:bytes%3A%2541.txt", b"BYTES:%41", b"bytes:%", b"bytes:\xff", b"sub/bytes:%41",
]  # fmt: skip

CATEGORIES: dict[str, list[bytes]] = {
    "traversal": TRAVERSAL,
    "absolute": ABSOLUTE,
    "nul": NUL,
    "long": LONG,
    "reserved": RESERVED,
    "case": CASE,
    "unicode": UNICODE,
    "file beside folder": FILE_BESIDE_FOLDER,
    "empty parts": EMPTY_PARTS,
    "escapes": ESCAPES,
    "newlines": NEWLINES,
    "bidirectional": BIDIRECTIONAL,
    "markup": MARKUP,
    "formulas": FORMULAS,
    "not utf-8": NOT_UTF8,
}


@dataclass(frozen=True, slots=True)
class HostileName:
    """A name of the catalogue. ``word`` occurs in the content of its item and nowhere else."""

    number: int
    category: str
    raw: bytes
    is_file: bool

    @property
    def key(self) -> str:
        """The key under which a source lists it."""
        return key_from_bytes(self.raw)

    @property
    def word(self) -> str:
        """A word that only the content of this item has."""
        return f"hostilenumber{self.number:04d}"

    @property
    def content(self) -> bytes:
        """What is in the item."""
        return f"payload {self.word}\n".encode()

    @property
    def fits_a_command_line(self) -> bool:
        """Whether an argument of a program can be this name."""
        return b"\0" not in self.raw


def _can_be_a_file(raw: bytes, folders: set[bytes], files: set[bytes]) -> bool:
    """Tell whether a file system can hold a name next to those it holds already."""
    parts = raw.split(b"/")
    above = {b"/".join(parts[:depth]) for depth in range(1, len(parts))}
    return (
        b"\0" not in raw
        and all(part not in {b"", b".", b".."} and len(part) <= LONGEST_COMPONENT for part in parts)
        and len(raw) < 3000
        and raw not in folders
        and not above & files
    )


def _numbered() -> list[HostileName]:
    names: list[HostileName] = []
    folders: set[bytes] = set()
    files: set[bytes] = set()
    for category, raws in CATEGORIES.items():
        for raw in raws:
            is_file = _can_be_a_file(raw, folders, files)
            if is_file:
                parts = raw.split(b"/")
                folders |= {b"/".join(parts[:depth]) for depth in range(1, len(parts))}
                files.add(raw)
            names.append(HostileName(len(names), category, raw, is_file))
    return names


NAMES = _numbered()
FILES = [name for name in NAMES if name.is_file]
"""Those that a file system can hold: they are real files of a local source."""
OTHERS = [name for name in NAMES if not name.is_file]
"""Those that only a remote source can name: they come from a connector to this list."""
