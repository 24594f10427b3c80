"""Content lines: the form that calendars (RFC 5545, 3.1) and contacts (RFC 6350, 3.2) share, and that of vCard 2.1."""

from __future__ import annotations

import quopri
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from ingest_tui.extraction.intake.decoding import decode_declared, decode_text
from ingest_tui.extraction.intake.labels import codec_of
from ingest_tui.model.extraction import Finding

_LINE = re.compile(r"""(?:([\w-]+)\.)?([\w-]+)((?>(?:;(?>(?:[^":;]++|"[^"]*"|")*))*)):(.*)""", re.DOTALL)
_PARAMETER = re.compile(r""";([^;="]*)(?:=((?>(?:[^";]++|"[^"]*"|")*)))?""")
_ESCAPE = re.compile(r"\\([\\,;:nN])")
_CARET = re.compile(r"\^([n^'])")
_CARETS = {"n": "\n", "^": "^", "'": '"'}
_LABEL = re.compile(rb"[^:]{0,1000};[ \t]*CHARSET=\"?([A-Za-z0-9_.:-]{2,40})\"?[;:]", re.IGNORECASE)
_QUOTED_PRINTABLE = re.compile(rb"[^:]*QUOTED-PRINTABLE", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Property:
    """One property. ``name`` is upper case, ``raw`` its value with the escapes in it, ``group`` its prefix."""

    name: str
    raw: str
    parameters: dict[str, str] = field(default_factory=dict)
    group: str = ""

    @property
    def text(self) -> str:
        """The value with its escapes decoded."""
        return unescape(self.raw).strip()

    def fields(self, separator: str, *, keep_empty: bool = False) -> list[str]:
        """Return the parts of a structured value, decoded; those that are empty only where their places count."""
        found = (unescape(part).strip() for part in _split(self.raw, separator))
        return [part for part in found if part or keep_empty]


@dataclass(slots=True)
class Component:
    """What is between BEGIN and END, such as ``VEVENT``, without the components within it."""

    name: str
    properties: list[Property] = field(default_factory=list)

    def first(self, name: str) -> Property | None:
        """Return the first property of a name that has a value."""
        return next((one for one in self.properties if one.name == name and one.raw.strip()), None)

    def text(self, name: str) -> str:
        """Return the decoded value of the first property of a name; empty where there is none."""
        found = self.first(name)
        return found.text if found else ""


def read_components(content: bytes) -> tuple[list[Component], list[Finding]]:
    """Return all components in the order of their beginnings, and what is wrong with the text.

    A line that is no property belongs to the one before it: some programs write the lines of a text as they are.
    A component that is cut off ends with the file.
    Raises `ItemRejectedError` as `decode_text` does.
    """
    if b"\x00" in content[:64]:
        content = decode_text(content)[0].encode("utf-8", "replace")
    text, findings = _decoded(_unfolded(content))
    components: list[Component] = []
    open_ones: list[Component] = []
    for one in _properties(text):
        if one.name == "BEGIN":
            open_ones.append(Component(one.raw.strip().upper()))
            components.append(open_ones[-1])
        elif one.name == "END":
            del open_ones[-1:]
        elif open_ones:
            open_ones[-1].properties.append(one)
    return components, findings


def _unfolded(content: bytes) -> list[bytes]:
    """Join what was folded, as bytes: programs fold within a character, too (RFC 5545, 3.1)."""
    lines: list[list[bytes]] = []
    continues = False
    for line in content.splitlines():
        if continues:
            lines[-1][-1] = lines[-1][-1][:-1]
            lines[-1].append(line)
        elif lines and line[:1] in (b" ", b"\t"):
            lines[-1].append(line[1:])
        else:
            lines.append([line])
        continues = line.endswith(b"=") and _QUOTED_PRINTABLE.match(lines[-1][0]) is not None
    return [b"".join(pieces) for pieces in lines]


def _decoded(lines: list[bytes]) -> tuple[str, list[Finding]]:
    """Return lines as one text: those that name their encoding (vCard 2.1, 2.1.3) by it, the others all alike."""
    labels = {at: match[1] for at, line in enumerate(lines) if not line.isascii() and (match := _LABEL.match(line))}
    if not labels:
        text, _encoding, findings = decode_text(b"\n".join(lines))
        return text, findings
    text, _encoding, findings = decode_text(b"\n".join(b"" if at in labels else line for at, line in enumerate(lines)))
    decoded = text.split("\n")
    for at, label in labels.items():
        decoded[at], _encoding, more = decode_declared(lines[at], label.decode("ascii", "replace"))
        findings += more
    return "\n".join(decoded), findings


def _properties(text: str) -> Iterator[Property]:
    match: re.Match[str] | None = None
    more: list[str] = []
    for line in text.split("\n"):
        begun = _LINE.fullmatch(line)
        if begun is None:
            more += [line] if line.strip() else []
            continue
        if match is not None:
            yield _property(match, more)
        match, more = begun, []
    if match is not None:
        yield _property(match, more)


def _property(match: re.Match[str], more: list[str]) -> Property:
    parameters: dict[str, str] = {}
    for key, value in _PARAMETER.findall(match[3]):
        # vCard 2.1 writes the value of a TYPE or ENCODING alone: TEL;WORK;VOICE
        name = key.strip().upper() if value else ("ENCODING" if _is_encoding(key) else "TYPE")
        clean = _CARET.sub(lambda found: _CARETS[found[1]], value.replace('"', "") if value else key).strip()
        parameters[name] = f"{parameters[name]},{clean}" if name in parameters else clean
    raw = match[4] if match[2].upper() in ("BEGIN", "END") else "\\n".join((match[4], *more))
    if parameters.get("ENCODING", "").upper() == "QUOTED-PRINTABLE":
        raw = _from_quoted_printable(raw, parameters.get("CHARSET", "utf-8"))
    return Property(match[2].upper(), raw, parameters, match[1] or "")


def _is_encoding(value: str) -> bool:
    return value.strip().upper() in ("QUOTED-PRINTABLE", "BASE64", "8BIT", "7BIT")


def _from_quoted_printable(raw: str, charset: str) -> str:
    content = quopri.decodestring(raw.encode("utf-8", "replace"))
    return content.decode(codec_of(charset) or "utf-8", "replace").replace("\r\n", "\n")


def unescape(raw: str) -> str:
    """Return a value with its escapes decoded (RFC 5545, 3.3.11; RFC 6350, 3.4)."""
    if "\\" not in raw:
        return raw
    return _ESCAPE.sub(lambda found: "\n" if found[1] in "nN" else found[1], raw)


def _split(raw: str, separator: str) -> list[str]:
    """Split at a separator that is not escaped."""
    ends = [found.start() for found in re.finditer(r"\\.|[;,]", raw, flags=re.DOTALL) if found[0] == separator]
    return [raw[start:end] for start, end in zip([0, *(end + 1 for end in ends)], [*ends, len(raw)], strict=True)]


def plain_line(text: str) -> str:
    """Return a text as one line."""
    return " ".join(text.split())
