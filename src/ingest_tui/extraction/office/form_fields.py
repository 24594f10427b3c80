"""Fields of forms in OpenDocument: what a person reads in them."""

from __future__ import annotations

from xml.etree import ElementTree as ET

from ingest_tui.extraction.office.ooxml import attribute, local

_TICKED = ("checked", "true")


def shown_by_field(field: ET.Element) -> str:
    """Return what a field shows: its label, what is typed or chosen, a tick as ``[x]``; nothing of a password."""
    kind = local(field)
    label = attribute(field, "label")
    if kind in ("checkbox", "radio"):
        state = attribute(field, "current-state" if kind == "checkbox" else "current-selected")
        state = state or attribute(field, "state" if kind == "checkbox" else "selected")
        return f"- [{'x' if state in _TICKED else ' '}] {label}".rstrip()
    if kind == "password":
        return ""
    typed = attribute(field, "current-value") or attribute(field, "value")
    if kind == "textarea":
        typed = typed or "\n".join("".join(one.itertext()) for one in field if local(one) == "p")
    chosen = [attribute(one, "label") for one in field if local(one) == "option" and _is_chosen(one)]
    return " ".join(part for part in (label, typed.strip(), *chosen) if part)


def _is_chosen(option: ET.Element) -> bool:
    return (attribute(option, "current-selected") or attribute(option, "selected")) in _TICKED
