"""Calendars (RFC 5545): each event, task and note with its times, place, people and description."""

from __future__ import annotations

import re
from datetime import date, timedelta
from typing import NamedTuple

from ingest_tui.extraction.backends.base import Parsed, ParseInput
from ingest_tui.extraction.markup.content_lines import Component, Property, plain_line, read_components
from ingest_tui.extraction.markup.literal_text import heading, literal
from ingest_tui.extraction.markup.markdown import shift_headings
from ingest_tui.model.errors import ProcessingError
from ingest_tui.model.extraction import Element

_KINDS = {"VEVENT": "Event", "VTODO": "Task", "VJOURNAL": "Journal entry", "VFREEBUSY": "Busy times"}
_LINES = (
    ("DUE", "Due"),
    ("COMPLETED", "Completed"),
    ("LOCATION", "Where"),
    ("ORGANIZER", "Organizer"),
    ("ATTENDEE", "Attendee"),
    ("CONTACT", "Contact"),
    ("STATUS", "Status"),
    ("RRULE", "Repeats"),
    ("RDATE", "Also on"),
    ("EXDATE", "Not on"),
    ("CATEGORIES", "Categories"),
    ("RESOURCES", "Resources"),
    ("FREEBUSY", "Busy"),
    ("URL", "Link"),
    ("CONFERENCE", "Conference"),
    ("X-GOOGLE-CONFERENCE", "Conference"),
    ("ATTACH", "Attachment"),
)
_TIMES = frozenset(("DUE", "COMPLETED", "RDATE", "EXDATE", "FREEBUSY"))
_PEOPLE = frozenset(("ORGANIZER", "ATTENDEE"))
_TEXTS = ("DESCRIPTION", "COMMENT")
_TIME = re.compile(r"(\d{4})(\d\d)(\d\d)(?:T(\d\d)(\d\d)(\d\d)?(Z)?)?")
_DURATION = re.compile(r"P(?:(\d+)W)?(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)S)?)?")
_UNITS = ("weeks", "days", "h", "min", "s")


def parse(parse_input: ParseInput) -> Parsed:
    """Return a calendar: its name as title, each entry under its summary. Raises `ProcessingError` (``malformed``)."""
    components, findings = read_components(parse_input.content)
    calendar = next((one for one in components if one.name == "VCALENDAR"), None)
    if calendar is None:
        raise ProcessingError("there is no calendar in it", code="malformed", hint="the file may be cut short")
    title = plain_line(calendar.text("X-WR-CALNAME") or calendar.text("NAME"))
    about = calendar.text("X-WR-CALDESC") or calendar.text("DESCRIPTION")
    parts = [heading(1, title) if title else "", literal(about)]
    elements = [Element(text, {"category": "Title"}) for text in (title,) if text]
    for number, one in enumerate((one for one in components if one.name in _KINDS), 1):
        name = plain_line(one.text("SUMMARY")) or _KINDS[one.name]
        body = _entry(one, parse_input)
        parts += [heading(2, name), body]
        elements.append(Element(f"{name}\n\n{body}".strip(), {"category": _KINDS[one.name], "entry": number}))
        parse_input.tick()
    markdown = "\n\n".join(part for part in parts if part.strip()) + "\n"
    return Parsed(markdown, elements, title=title[:300] or None, findings=findings)


def _entry(component: Component, parse_input: ParseInput) -> str:
    lines = [f"- When: {when}"] if (when := _when(component)) else []
    for name, label in _LINES:
        values = (_shown(one) for one in component.properties if one.name == name)
        lines += [f"- {label}: {value}" for value in values if value]
    texts = [literal(one.text) for one in component.properties if one.name in _TEXTS]
    if not any(texts) and (html := component.text("X-ALT-DESC")):
        texts = [shift_headings(parse_input.read_part(html.encode("utf-8", "replace"), "description.html"), 2)]
    return "\n\n".join(part for part in ("\n".join(lines), *texts) if part)


def _shown(one: Property) -> str:
    if one.name in _TIMES:
        return _time(one)
    if one.name in _PEOPLE:
        return _person(one)
    if one.name == "ATTACH" and one.parameters.get("VALUE", "").upper() == "BINARY":
        return plain_line(one.parameters.get("FILENAME") or one.parameters.get("X-FILENAME") or "")
    return plain_line(", ".join(one.fields(",")) if one.name in ("CATEGORIES", "RESOURCES") else one.text)


def _person(one: Property) -> str:
    address = re.sub(r"\Amailto:", "", one.text, flags=re.IGNORECASE)
    name = plain_line(one.parameters.get("CN", ""))
    return plain_line(f"{name} <{address}>" if name and address and name != address else name or address)


def _when(component: Component) -> str:
    start, end = component.first("DTSTART"), component.first("DTEND")
    if start is None:
        return _time(end) if end else ""
    lasts = component.text("DURATION")
    if end is None:
        return f"{_time(start)}, {_duration(lasts)}" if lasts else _time(start)
    first, last = _moment(start, start.text), _moment(end, end.text)
    if not last.time:  # the end of whole days is the day after the last (RFC 5545, 3.6.1)
        last = _Moment(max(_day_before(last.day), first.day), "", last.zone)
    until = last.time if last.day == first.day else f"{last.day} {last.time}".strip()
    if not until or last == first:
        return str(first)
    if last.zone != first.zone:
        return f"{first} – {last}"
    return " ".join(part for part in (first.day, first.time, "–", until, first.zone) if part)


class _Moment(NamedTuple):
    """A time as people write it; ``time`` is empty for a whole day."""

    day: str
    time: str = ""
    zone: str = ""

    def __str__(self) -> str:
        return " ".join(part for part in self if part)


def _time(one: Property) -> str:
    """Return the times of a property, and its periods with their ends (RFC 5545, 3.3.9)."""
    periods = (value.split("/") for value in one.text.split(","))
    return ", ".join(" – ".join(_duration(str(_moment(one, time))) for time in period) for period in periods)


def _moment(one: Property, value: str) -> _Moment:
    match = _TIME.fullmatch(value.strip())
    if match is None:
        return _Moment(plain_line(value))
    year, month, day, hour, minute, second, is_utc = match.groups()
    if hour is None:
        return _Moment(f"{year}-{month}-{day}")
    seconds = f":{second}" if second not in (None, "00") else ""
    zone = "UTC" if is_utc else plain_line(one.parameters.get("TZID", ""))
    return _Moment(f"{year}-{month}-{day}", f"{hour}:{minute}{seconds}", zone)


def _day_before(day: str) -> str:
    try:
        return (date.fromisoformat(day) - timedelta(days=1)).isoformat()
    except (ValueError, OverflowError):
        return day


def _duration(value: str) -> str:
    match = _DURATION.fullmatch(value)
    counts = match.groups() if match else ()
    return " ".join(f"{count} {unit}" for count, unit in zip(counts, _UNITS, strict=False) if count) or value
