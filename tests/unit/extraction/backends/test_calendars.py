"""Calendars and contacts are read as people read them."""

from __future__ import annotations

import time
from typing import Any

import pytest

from ingest_tui.extraction.parse import extract, extract_text
from ingest_tui.model.errors import ItemError


def calendar(*lines: str, kind: str = "VEVENT") -> bytes:
    return "\r\n".join(["BEGIN:VCALENDAR", f"BEGIN:{kind}", *lines, f"END:{kind}", "END:VCALENDAR", ""]).encode()


def contact(*lines: str, version: str = "3.0") -> bytes:
    return "\r\n".join(["BEGIN:VCARD", f"VERSION:{version}", *lines, "END:VCARD", ""]).encode()


@pytest.mark.parametrize(
    ("lines", "when"),
    [
        (("DTSTART:20261129T100000Z", "DTEND:20261129T101530Z"), "2026-11-29 10:00 – 10:15:30 UTC"),
        (("DTSTART;VALUE=DATE:20261129", "DTEND;VALUE=DATE:20261130"), "2026-11-29"),
        (("DTSTART;VALUE=DATE:20261129", "DTEND;VALUE=DATE:20261201"), "2026-11-29 – 2026-11-30"),
        (("DTSTART;VALUE=DATE:20261129", "DTEND;VALUE=DATE:20261129"), "2026-11-29"),
        (("DTSTART:20261129T230000", "DTEND:20261130T010000"), "2026-11-29 23:00 – 2026-11-30 01:00"),
        (
            ("DTSTART;TZID=Asia/Tokyo:20261129T100000", "DTEND:20261129T030000Z"),
            "2026-11-29 10:00 Asia/Tokyo – 2026-11-29 03:00 UTC",
        ),
        (("DTSTART:20261129T100000Z", "DURATION:PT1H30M"), "2026-11-29 10:00 UTC, 1 h 30 min"),
        (("DTSTART:next monday", "DURATION:long"), "next monday, long"),
        (("DTSTART:99999999", "DTEND:00000000"), "9999-99-99"),
    ],
)
def test_times_are_readable(lines: tuple[str, ...], when: str) -> None:
    """A time has its zone once, whole days have no end after them, and what is no time stays as it is."""
    text = extract_text(calendar("SUMMARY:x", *lines), ".ics").splitlines()
    assert [line for line in text if "When" in line] == [f"- When: {when}"]


def test_folds_within_a_character_and_escapes_are_undone() -> None:
    """A line is put together before its bytes are decoded, and every escape of RFC 5545 is a character."""
    folded = "DESCRIPTION:Grüße\\, all\\; of\\Nyou \\\\o/".encode().replace(b"\xc3\xbc", b"\xc3\r\n \xbc")
    text = extract_text(calendar("SUMMARY:a", "@").replace(b"@", folded), ".ics")
    assert "Grüße, all; of\nyou \\o/" in text


def test_tasks_notes_and_what_people_need_are_there() -> None:
    """Tasks and journal entries are read like events; alarms and time zones are not shown."""
    alarm = ("BEGIN:VALARM", "DESCRIPTION:alarm text", "END:VALARM")
    task = calendar("SUMMARY:Pick", "DUE;VALUE=DATE:20261201", "CATEGORIES:a\\,b,c", *alarm, kind="VTODO")
    text = extract_text(task, ".ics")
    assert "- Due: 2026-12-01\n- Categories: a,b, c" in text
    assert "alarm text" not in text
    assert "## Journal entry\n\nwords" in extract_text(calendar("DESCRIPTION:words", kind="VJOURNAL"), ".ics")


def test_busy_times_are_read() -> None:
    """A list of periods has ends or durations."""
    busy = ("DTSTART:20261129T000000Z", "FREEBUSY:20261129T100000Z/20261129T110000Z,20261129T130000Z/PT1H")
    text = extract_text(calendar(*busy, kind="VFREEBUSY"), ".ics")
    assert "- Busy: 2026-11-29 10:00 UTC – 2026-11-29 11:00 UTC, 2026-11-29 13:00 UTC – 1 h" in text


@pytest.mark.parametrize(("make", "name"), [(calendar, "a.ics"), (contact, "a.vcf")])
def test_lines_of_a_text_that_is_not_folded_are_kept(make: Any, name: str) -> None:
    """A program that writes the lines of a text as they are loses none of them, and blank lines end nothing."""
    field = "DESCRIPTION" if name == "a.ics" else "NOTE"
    content = make("", f"{field}:first", "second line", "", "third", "SUMMARY:head", "")
    assert "first\nsecond line\nthird" in extract_text(content, name)


def test_a_contact_in_a_mail_without_a_file_name_is_read() -> None:
    """A part of that type is read like a calendar is."""
    card = contact("FN:Ann", "NOTE:some words").decode()
    mail = f"Subject: x\r\nMIME-Version: 1.0\r\nContent-Type: text/vcard\r\n\r\n{card}"
    assert "some words" in extract_text(mail, ".eml")


def test_a_description_in_html_only_is_read() -> None:
    """Outlook writes some descriptions as HTML alone."""
    html = "X-ALT-DESC;FMTTYPE=text/html:<html><body><p>some <b>words</b></p></body></html>"
    assert "some **words**" in extract_text(calendar("SUMMARY:x", html), ".ics")


def test_a_person_without_a_name_or_an_address_is_shown() -> None:
    """Names may be quoted or escaped by RFC 6868; a colon in a quoted name does not end it."""
    lines = ('ATTENDEE;CN="Doe: Ann";ROLE=CHAIR:mailto:ann@example.org', "ATTENDEE:MAILTO:bob@example.org")
    text = extract_text(calendar("SUMMARY:x", *lines, "ATTENDEE;CN=^'Al^':"), ".ics")
    assert '- Attendee: Doe: Ann <ann@example.org>\n- Attendee: bob@example.org\n- Attendee: "Al"' in text


def test_vcard_2_1_is_decoded() -> None:
    """Quoted-printable in a charset, soft line breaks, types without a key, and no picture."""
    lines = (
        "N;CHARSET=ISO-8859-1;ENCODING=QUOTED-PRINTABLE:M=FCller;J=F6rg",
        "TEL;CELL;VOICE:0171",
        "NOTE;ENCODING=QUOTED-PRINTABLE:first=0D=0A=",
        "second =C3=A4=",
        "=C3=B6",
        "PHOTO;ENCODING=BASE64;TYPE=JPEG:/9j/4AAQSkZJRg",
        " AAAA",
    )
    text = extract_text(contact(*lines, version="2.1"), ".vcf")
    assert text == "## Jörg Müller\n\n- Telephone (cell): 0171\n\nfirst\nsecond äö\n"


def test_vcard_4_and_labels_of_apple_are_shown() -> None:
    """Groups carry a label of the person's own, a URI has no scheme, and fields of programs keep their values."""
    lines = (
        "FN:Ann",
        "item1.EMAIL;TYPE=INTERNET:a@example.org",
        "item1.X-ABLabel:_$!<Club>!$_",
        'TEL;VALUE=uri;TYPE="work,voice":tel:+49-30',
        "X-PHONETIC-FIRST-NAME:An",
        "PHOTO:data:image/png;base64,AAAA",
    )
    text = extract_text(contact(*lines, version="4.0"), ".vcf")
    assert text == "## Ann\n\n- E-mail (Club): a@example.org\n- Telephone (work): +49-30\n- Phonetic first name: An\n"


def test_many_contacts_are_one_element_each() -> None:
    """A book of contacts can be cut between them."""
    found = extract(
        contact("FN:Ann", "NOTE:a") + contact("ORG:Fruit Ltd") + contact("EMAIL:x@example.org"), file_name="a.vcf"
    )
    assert [element.text.split("\n")[0] for element in found.elements] == ["Ann", "Fruit Ltd", "x@example.org"]


def test_variants_of_genes_are_text() -> None:
    """Another format of the same ending is read as the text that it is."""
    content = b"##fileformat=VCFv4.3\n#CHROM\tPOS\n20\t14370\n"
    assert "14370" in extract_text(content, "a.vcf")


@pytest.mark.parametrize("name", ["a.ics", "a.vcf"])
def test_hostile_lines_take_no_time(name: str) -> None:
    """Quotes without an end and endless parameters are read in one pass."""
    begin = b"BEGIN:VCALENDAR\nBEGIN:VEVENT\n" if name == "a.ics" else b"BEGIN:VCARD\n"
    for line in (
        b"X;" + b'"' * 200_001,
        b"X;a=" + b'"a' * 100_001,
        b"X" + b";" * 200_000,
        b"A." * 100_000,
        b"N:" + b"\\," * 300_000,
    ):
        started = time.process_time()
        try:
            extract(begin + b"SUMMARY:x\n" + line + b"\n", file_name=name)
        except ItemError as error:
            assert error.reason in ("empty", "malformed")  # noqa: PT017 either is an outcome
        assert time.process_time() - started < 5


def test_values_are_in_the_encoding_that_they_name() -> None:
    """Each line of an old contact or calendar may name its own, without quoted-printable; the others are guessed."""
    card = (
        b"BEGIN:VCARD\r\nVERSION:2.1\r\nFN;CHARSET=windows-1251:" + "Иван Щукин".encode("cp1251")
        + b'\r\nORG;X=1;CHARSET="ISO-8859-2":' + "Świętosław".encode("iso8859-2")
        + b"\r\nTITLE;CHARSET=ISO-8859-1:" + "Lööf".encode() + "\r\nNOTE:Zürich\r\nEND:VCARD\r\n".encode("cp1252")
    )  # fmt: skip
    assert extract_text(card, ".vcf") == "## Иван Щукин\n\n- Organization: Świętosław\n- Title: Lööf\n\nZürich\n"
    event = b"SUMMARY;CHARSET=Shift_JIS:" + "会議".encode("shift_jis")
    old = b"BEGIN:VCALENDAR\r\nVERSION:1.0\r\nBEGIN:VEVENT\r\n" + event + b"\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
    assert extract_text(old, ".ics").strip() == "## 会議"
