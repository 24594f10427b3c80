"""Contacts (vCard 2.1, 3.0 and 4.0): each with its fields, one line for each."""

from __future__ import annotations

from ingest_tui.extraction.backends.base import Parsed, ParseInput
from ingest_tui.extraction.markup.content_lines import Component, Property, plain_line, read_components
from ingest_tui.extraction.markup.literal_text import heading, literal
from ingest_tui.model.errors import ProcessingError
from ingest_tui.model.extraction import Element

_LABELS = {
    "N": "Name",
    "NICKNAME": "Nickname",
    "ORG": "Organization",
    "TITLE": "Title",
    "ROLE": "Role",
    "EMAIL": "E-mail",
    "TEL": "Telephone",
    "ADR": "Address",
    "LABEL": "Address",
    "URL": "Link",
    "IMPP": "Messenger",
    "BDAY": "Birthday",
    "TZ": "Time zone",
    "GEO": "Position",
    "LANG": "Language",
}
_NOT_SHOWN = frozenset(
    (
        "VERSION",
        "FN",
        "NOTE",
        "PHOTO",
        "LOGO",
        "SOUND",
        "KEY",
        "REV",
        "UID",
        "PRODID",
        "MAILER",
        "CLASS",
        "SORT-STRING",
        "SOURCE",
        "PROFILE",
        "KIND",
        "CLIENTPIDMAP",
        "XML",
        "X-ABLABEL",
        "X-ABADR",
        "X-ABUID",
        "X-ABSHOWAS",
    )
)
_STRUCTURED = frozenset(("N", "ORG", "ADR", "GEO", "GENDER"))
_LISTS = frozenset(("CATEGORIES", "NICKNAME"))
_NO_KINDS = frozenset(("pref", "internet", "voice", "x-internet"))
_ADDRESS_SCHEMES = ("tel:", "mailto:", "geo:")


def parse(parse_input: ParseInput) -> Parsed:
    """Return contacts, each under its name. Raises `ProcessingError` (``malformed``) where there is none."""
    components, findings = read_components(parse_input.content)
    contacts = [one for one in components if one.name == "VCARD"]
    if not contacts:
        raise ProcessingError("there is no contact in it", code="malformed", hint="the file may be cut short")
    parts: list[str] = []
    elements: list[Element] = []
    for number, contact in enumerate(contacts, 1):
        name = _name(contact)
        body = _fields(contact)
        parts += [heading(2, name), body]
        elements.append(Element(f"{name}\n\n{body}".strip(), {"category": "Contact", "entry": number}))
        parse_input.tick()
    title = _name(contacts[0])[:300] if len(contacts) == 1 else None
    markdown = "\n\n".join(part for part in parts if part.strip()) + "\n"
    return Parsed(markdown, elements, title=title, findings=findings)


def _name(contact: Component) -> str:
    parts = contact.first("N")
    family, given, more, before, after = ([*_parts(parts), "", "", "", "", ""] if parts else [""] * 5)[:5]
    built = " ".join(part for part in (before, given, more, family, after) if part)
    named = contact.text("FN") or built or contact.text("ORG") or contact.text("EMAIL")
    return plain_line(named) or "Contact"


def _parts(one: Property) -> list[str]:
    return [plain_line(part) for part in one.fields(";", keep_empty=True)]


def _fields(contact: Component) -> str:
    labels = {one.group: one.text for one in contact.properties if one.name == "X-ABLABEL" and one.group}
    words = set(_name(contact).replace(",", " ").split())
    lines: list[str] = []
    for one in contact.properties:
        value = "" if one.name in _NOT_SHOWN or _is_binary(one) else _value(one)
        if value and not (one.name == "N" and words.issuperset(value.replace(",", " ").split())):
            lines.append(f"- {_label(one, labels)}: {value}")
    notes = [literal(one.text) for one in contact.properties if one.name == "NOTE"]
    return "\n\n".join(part for part in ("\n".join(dict.fromkeys(lines)), *notes) if part)


def _is_binary(one: Property) -> bool:
    return one.parameters.get("ENCODING", "").lower() in ("b", "base64") or one.raw.startswith("data:")


def _value(one: Property) -> str:
    if one.name in _STRUCTURED:
        return plain_line(", ".join(one.fields(";")))
    if one.name in _LISTS:
        return plain_line(", ".join(one.fields(",")))
    value = plain_line(one.text)
    scheme = next((scheme for scheme in _ADDRESS_SCHEMES if value.lower().startswith(scheme)), "")
    return value[len(scheme) :]


def _label(one: Property, labels: dict[str, str]) -> str:
    own = labels.get(one.group, "").removeprefix("_$!<").removesuffix(">!$_")
    label = _LABELS.get(one.name) or one.name.removeprefix("X-").replace("-", " ").capitalize()
    kinds = [kind.strip().lower() for kind in one.parameters.get("TYPE", "").split(",")]
    shown = [kind for kind in dict.fromkeys((*kinds, plain_line(own))) if kind and kind not in _NO_KINDS]
    return f"{label} ({', '.join(shown)})" if shown else label
