"""Mail is read as mail programs show it: nothing that a person sees is lost, nothing is shown twice."""

from __future__ import annotations

from email.message import EmailMessage, MIMEPart
from email.mime.message import MIMEMessage
from email.mime.multipart import MIMEMultipart
from email.mime.text import MIMEText

import pytest

from ingest_tui.extraction.markup.markdown import shift_headings
from ingest_tui.extraction.parse import extract_text, parse_document_content
from tests.made_files import tnef

TEXT = MIMEText("the plain body", "plain")
HTML = MIMEText("<p>the <b>rich</b> body</p>", "html")


def mail(*parts: MIMEPart | MIMEText | MIMEMultipart | MIMEMessage, kind: str = "mixed") -> bytes:
    message = MIMEMultipart(kind, _subparts=list(parts))
    message["From"], message["To"], message["Subject"] = "a@example.org", "b@example.org", "Pumps"
    message["Date"] = "Mon, 2 Nov 2026 10:00:00 +0000"
    return message.as_bytes()


def attached(
    name: str, content: bytes, kind: str = "application/octet-stream", disposition: str = "attachment"
) -> MIMEPart:
    part = MIMEPart()
    main, _, sub = kind.partition("/")
    part.set_content(content, main, sub, filename=name, disposition=disposition)
    return part


def test_each_text_of_a_sequence_is_kept() -> None:
    """A footer in plain text does not hide an HTML body, nor the other way round."""
    footer = MIMEText("sent to the pumps list", "plain")
    for content in (mail(HTML, footer), mail(TEXT, MIMEText("<p>sent to the pumps list</p>", "html"))):
        text = extract_text(content, ".eml")
        assert "body" in text
        assert "sent to the pumps list" in text


def test_of_alternatives_the_one_that_is_shown_is_taken() -> None:
    """The same text in two forms is there once, in the form with more structure; a footer after it stays."""
    text = extract_text(mail(MIMEMultipart("alternative", _subparts=[TEXT, HTML]), MIMEText("a footer")), ".eml")
    assert "the **rich** body" in text
    assert "plain body" not in text
    assert "a footer" in text


@pytest.mark.parametrize("rich", ["<p> </p>", "<p>open in a browser</p>"])
def test_an_alternative_that_says_nothing_is_not_taken(rich: str) -> None:
    """Where the rich form is empty or a mere note, the plain one is read."""
    plain = MIMEText("the whole story of the pump, told in a dozen and more words of text, that are all here", "plain")
    text = extract_text(mail(plain, MIMEText(rich, "html"), kind="alternative"), ".eml")
    assert "the whole story of the pump" in text


def test_what_belongs_to_a_page_is_no_body() -> None:
    """In multipart/related the root is shown; styles are left out, other pages and pictures are named."""
    style = attached("s.css", b"p { color: red }", "text/css", "inline")
    frame = attached("frame.html", b"<p>the second frame</p>", "text/html", "inline")
    text = extract_text(mail(HTML, style, frame, attached("x.png", b"\x89PNG", "image/png"), kind="related"), ".eml")
    assert "the **rich** body" in text
    assert "the second frame" in text
    assert "color" not in text
    assert "x.png (image/png, 4 bytes)" in text


def test_a_forwarded_mail_is_a_mail() -> None:
    """It keeps its own subject and sender, one level below, also where it forwards another one."""
    inner = EmailMessage()
    inner["Subject"], inner["From"] = "Valves", "c@example.org"
    inner.set_content("the inner memo")
    outer = EmailMessage()
    outer["Subject"], outer["From"] = "Fwd: Valves", "d@example.org"
    outer.set_content("see below")
    outer.add_attachment(inner)
    text = extract_text(mail(TEXT, MIMEMessage(outer)), ".eml")
    assert (
        text.index("# Pumps") < text.index("## Fwd: Valves") < text.index("### Valves") < text.index("the inner memo")
    )
    assert "From: c@example.org" in text


def test_the_text_of_attachments_follows_under_their_names() -> None:
    """What can be read is read, with its headings below that of its name; what cannot is named with its size."""
    table = attached("stock.csv", b"part,count\npump,12\n", "text/csv")
    notes = attached("notes.md", "# Grüße\n\nread me".encode("cp1252"), "text/markdown; charset=cp1252", "inline")
    picture = attached("x.png", b"\x89PNG\r\n\x1a\n", "image/png")
    text = extract_text(mail(TEXT, table, notes, picture), ".eml")
    assert "- stock.csv (text/csv, 19 bytes)" in text
    assert "- x.png (image/png, 8 bytes)" in text
    assert "### stock.csv\n\n| part | count |" in text
    assert "### notes.md\n\n#### Grüße" in text
    assert "### x.png" not in text


def test_mails_in_attachments_in_mails_end_somewhere() -> None:
    """A mail that is attached to itself many times is read to a depth and not for ever."""
    content = mail(TEXT)
    for _ in range(12):
        content = mail(TEXT, attached("inner.eml", content))
    text = extract_text(content, ".eml")
    assert 2 <= text.count("the plain body") <= 6


def test_a_mail_in_utf16_is_read() -> None:
    """A mail that an editor has saved as UTF-16 is the same mail."""
    content = mail(TEXT).decode("ascii").encode("utf-16")
    assert extract_text(content, ".eml") == extract_text(mail(TEXT), ".eml")


def test_the_report_of_a_failed_delivery_is_read() -> None:
    """What the machine says of a delivery is text, too."""
    status = "Content-Type: message/delivery-status\n\nReporting-MTA: dns; mx.example.org\n\nStatus: 5.1.1\n"
    content = (
        b'From: a@b\nTo: c@d\nSubject: failed\nMIME-Version: 1.0\nContent-Type: multipart/report; boundary="x"\n\n'
        b"--x\nContent-Type: text/plain\n\nnot delivered\n--x\n" + status.encode() + b"\n--x--\n"
    )
    text = extract_text(content, ".eml")
    assert "not delivered" in text
    assert "Status: 5.1.1" in text


def test_a_mailbox_holds_each_of_its_mails() -> None:
    """The mails of an mbox file follow one another, a quoted From at the start of a line is text."""
    box = b"".join(
        b"From a@example.org Mon Nov  2 10:00:00 2026\nFrom: a@example.org\nTo: b@c\nSubject: Mail %d\n\n"
        b"body %d\n>From here on\n\n" % (number, number)
        for number in range(3)
    )
    for name in (".mbox", "archive"):
        text = extract_text(box, name)
        assert [f"# Mail {number}" in text and f"body {number}" in text for number in range(3)] == [True] * 3
        assert "\nFrom here on" in text
    assert [m["mail"] for _, m in parse_document_content(box, ".mbox") if m["category"] == "EmailBody"] == [1, 2, 3]


def test_headings_are_shifted_outside_of_code() -> None:
    """Underlined and marked headings go down together, a comment in code stays."""
    text = "Top\n===\n\n## Sub `x`\n\n```\n# comment\n```\n\n###### deep"
    assert shift_headings(text, 2) == "### Top\n\n#### Sub `x`\n\n```\n# comment\n```\n\n###### deep"


def test_a_mail_that_outlook_wrapped_is_unwrapped() -> None:
    """winmail.dat gives its body and its attachments, by itself and as an attachment of a mail."""
    wrapped = tnef(b"the wrapped body", ("plan.csv", b"part,count\npump,12\n"))
    text = extract_text(wrapped, "winmail.dat")
    assert "the wrapped body" in text
    assert "### plan.csv\n\n| part | count |" in text
    sent = extract_text(mail(TEXT, attached("winmail.dat", wrapped, "application/ms-tnef")), ".eml")
    assert "the wrapped body" in sent
    assert "| pump | 12 |" in sent


@pytest.mark.parametrize("cut", [5, 20, 60])
def test_a_wrapped_mail_that_is_cut_is_an_outcome(cut: int) -> None:
    """A damaged winmail.dat fails or gives what is left, never another exception."""
    wrapped = tnef(b"the wrapped body", ("plan.csv", b"part,count\npump,12\n"))
    assert isinstance(extract_text(mail(TEXT, attached("winmail.dat", wrapped[:cut])), ".eml"), str)
