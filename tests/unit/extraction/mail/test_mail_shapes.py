"""Shapes of mail that no standard asks for, or few programs write: each word that a person sees is there once."""

from __future__ import annotations

import time
from base64 import encodebytes

import pytest

from ingest_tui.extraction.parse import extract_text

HEAD = "From: a@example.org\nTo: b@example.org\nSubject: Pumps\nMIME-Version: 1.0\n"
PLAIN = "Content-Type: text/plain\n\n"
INVITATION = "BEGIN:VCALENDAR\nVERSION:2.0\nBEGIN:VEVENT\nUID:1\nSUMMARY:Kickoff\nEND:VEVENT\nEND:VCALENDAR\n"


def multipart(kind: str, *parts: str) -> str:
    body = "".join(f"--BB\n{part}\n" for part in parts)
    return f"Content-Type: multipart/{kind}; boundary=BB\n\n{body}--BB--\n"


def read(rest: str | bytes) -> str:
    return extract_text(HEAD.encode() + (rest.encode() if isinstance(rest, str) else rest), ".eml")


def in_base64(text: str) -> str:
    return encodebytes(text.encode()).decode()


@pytest.mark.parametrize(
    ("kind", "content"),
    [
        ("text/x-unheard-of", "a valve"),
        ("text/rtf", r"{\rtf1 a valve}"),
        ("text/richtext", "<bold>a</bold> <param>x</param>valve"),
        ("text/csv", "part,count\na valve,2"),
        ("text/x-patch", "+a valve"),
        ("application/json", '{"part": "a valve"}'),
        ("application/xhtml+xml", '<html xmlns="http://www.w3.org/1999/xhtml"><body><p>a valve</p></body></html>'),
        ("message/disposition-notification", "Original-Recipient: a valve"),
        ("multipart/mixed", "a valve, in a mail whose boundary is not named"),
        ("multipart/mixed; boundary=another", "--one\n\na valve"),
    ],
)
@pytest.mark.parametrize("alone", [True, False])
def test_a_part_without_a_name_is_read_as_what_it_says_that_it_is(kind: str, content: str, *, alone: bool) -> None:
    """A kind that no mail program shows by itself is no reason to leave its text out."""
    part = f"Content-Type: {kind}\n\n{content}\n"
    text = read(part if alone else multipart("mixed", PLAIN + "see below", part))
    assert "a valve" in text
    assert "<" not in text


def test_what_repeats_the_body_for_few_programs_is_left_out() -> None:
    """The forms of a body for watches and carousels are alternatives of it; so is RTF."""
    other = "Content-Type: text/{}\n\nthe body"
    text = read(multipart("alternative", PLAIN + "the body", other.format("x-amp-html"), other.format("watch-html")))
    assert text.count("the body") == 1


def test_an_invitation_that_comes_twice_is_read_once() -> None:
    """Calendars send it as an alternative and as a file."""
    alternative = f"Content-Type: text/calendar; method=REQUEST\n\n{INVITATION}"
    text = read(
        multipart("mixed", PLAIN + "come", alternative, f"Content-Type: application/ics; name=a.ics\n\n{INVITATION}")
    )
    assert text.count("Kickoff") == 1
    assert "a.ics" in text


@pytest.mark.parametrize("kind", ["message/rfc822", "message/global"])
def test_a_mail_that_is_encoded_as_a_whole_is_a_mail(kind: str) -> None:
    """MIME allows no base64 there; some servers use it."""
    inner = in_base64("From: c@example.org\nSubject: Valves\n\nthe inner body\n")
    text = read(
        multipart("mixed", PLAIN + "see", f"Content-Type: {kind}\nContent-Transfer-Encoding: base64\n\n{inner}")
    )
    assert "the inner body" in text
    assert "## Valves" in text


@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
def test_a_footer_behind_base64_is_kept_and_does_no_harm(line_end: str) -> None:
    """Lists put their footer below a body without asking how that is encoded."""
    head = "Content-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: base64\n\n"
    body = in_base64("Grüße an alle, in einem Text, der mehr als eine Zeile von Base64 lang ist.")
    text = read((head + body + "____\nsent to the list\n").replace("\n", line_end))
    assert "mehr als eine Zeile von Base64 lang ist." in text
    assert "sent to the list" in text
    assert "not encoded at all!" in read(head + "not encoded at all!\n")


@pytest.mark.parametrize(("charset", "encoding"), [("koi8-r", "koi8-r"), ("", "utf-8"), ("windows-1251", "cp1251")])
def test_headers_that_are_not_encoded_are_read_as_the_body_is(charset: str, encoding: str) -> None:
    """A subject in bare bytes is a subject."""
    mail = f"From: a\nTo: b\nSubject: Насосы и клапаны\nContent-Type: text/plain; charset={charset}\n\nтекст\n"
    assert extract_text(mail.encode(encoding), ".eml").startswith("# Насосы и клапаны\n")


def test_all_who_got_a_mail_are_named() -> None:
    """Blind copies and the address for answers are what the sender of a mail sees."""
    text = extract_text("From: a\nTo: b\nBcc: quiet@x.example\nReply-To: desk@x.example\nSubject: S\n\nbody\n", ".eml")
    assert "quiet@x.example" in text
    assert "desk@x.example" in text


def test_the_mark_of_a_signature_makes_no_heading() -> None:
    """Two dashes below a line would underline it."""
    text = read(PLAIN + "Best regards\nJoe\n-- \nJoe Smith\n")
    assert "Best regards\nJoe\n\n--\nJoe Smith" in text


def test_lines_that_flow_are_joined_where_their_space_is_no_text() -> None:
    """With DelSp=yes (RFC 3676) the space at a line end is none of the text: a word may be cut there."""
    text = read("Content-Type: text/plain; format=flowed; delsp=yes\n\nthe impel \nler is worn\n> a quote \n> too\n")
    assert "the impeller is worn\n> a quote\n> too" in text


def test_a_picture_is_no_word_of_an_alternative() -> None:
    """A rich form that only shows a picture does not hide the plain one."""
    html = 'Content-Type: text/html\n\n<img src="http://x.example/pixel.gif" alt="">'
    assert "two words" in read(multipart("alternative", PLAIN + "two words", html))


@pytest.mark.parametrize("before", [b"\xef\xbb\xbf", b"\n\r\n"])
def test_what_is_before_the_first_header_does_not_hide_it(before: bytes) -> None:
    """A byte order mark or blank lines are no reason to refuse a mail, or to lose the first one of a mailbox."""
    mail = (HEAD + "\nthe body\n").encode()
    assert "# Pumps" in extract_text(before + mail, ".eml")
    mailbox = b"From a@b Thu Jan  1 00:00:00 2026\n" + mail + b"\nFrom c@d Thu Jan  1 00:00:00 2026\n" + mail
    assert extract_text(before + mailbox, ".mbox").count("# Pumps") == 2
    assert extract_text(mailbox.partition(b"\n")[2], ".mbox").count("# Pumps") == 2


def test_what_is_in_a_mail_takes_linear_time() -> None:
    """Neither headers of a megabyte nor bodies of marks stop the clock; the beginning of the header is read."""
    started = time.process_time()
    for header in (
        "Subject: " + "=?utf-8?q?pump?= " * 60_000,
        "To: " + "a@b.example, " * 50_000,
        "Bcc: " + "(" * 500_000,
    ):
        assert "the body" in extract_text(f"From: a\nDate: b\n{header}\n\nthe body\n", ".eml")
    for body in ("![" * 300_000, "-" * 500_000, " \n" * 200_000):
        read(multipart("alternative", PLAIN + "the body", PLAIN + body))
    extract_text("From " + "2026" * 200_000, ".mbox")
    assert time.process_time() - started < 20


def test_a_mail_that_mentions_how_a_pdf_begins_is_a_mail() -> None:
    """The mark of a PDF may come late in the file, but not in a mail, a page or a text without a name."""
    assert "%PDF-1.7" in read(PLAIN + "it begins with\n%PDF-1.7\n1 0 obj\n")
    assert "%PDF-1.7" in extract_text("A file that begins with %PDF-1.7 is one.\n", "notes")
