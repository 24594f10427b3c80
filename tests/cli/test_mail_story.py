"""A mailbox of a real IMAP server as a source, from adding it to losing it, by the command line."""

from __future__ import annotations

from collections.abc import Iterator
from email.message import EmailMessage

import pytest

from tests.cli.running import Cli
from tests.servers.dovecot import PASSWORD, PROGRAM, USER, Dovecot

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(PROGRAM is None, reason="there is no IMAP server: apt-get install dovecot-imapd"),
]


@pytest.fixture
def dovecot() -> Iterator[Dovecot]:
    """A server with an empty mailbox."""
    with Dovecot() as server:
        yield server


def mail(subject: str, text: str, *, attached: str = "") -> bytes:
    """Return a message."""
    message = EmailMessage()
    message["Subject"], message["From"], message["To"] = subject, "a@example.org", "b@example.org"
    message["Message-ID"] = f"<{subject}@example.org>"
    message.set_content(text)
    if attached:
        message.add_attachment(attached.encode(), maintype="text", subtype="plain", filename="minutes.txt")
    return message.as_bytes()


def test_from_a_mailbox_to_its_text(cli: Cli, dovecot: Dovecot) -> None:
    """Add, test, browse, plan and sync; move, delete, renumber and cut; nothing in the mailbox is changed by it."""
    dovecot.append(mail("Barometer", "the pressure falls", attached="present: the whole crew"))
    dovecot.append(mail("Storm", "take in the sails"), "Archive/Stürme".encode("utf-7").decode().replace("+", "&"))
    dovecot.append(mail("Offer", "cheap rope"), "Junk")
    cli.environment["MAIL_PASSWORD"] = PASSWORD
    cli.run("init")
    cli.run(
        "credential",
        "add",
        "box",
        "--type",
        "basic",
        "--set",
        f"username={USER}",
        "--secret",
        "password=env:MAIL_PASSWORD",
    )
    place = ("--host", "localhost", "--port", str(dovecot.tls_port), "--credential", "box")
    cli.run("source", "add", "mail", "letters", *place, "--attachments", "documents", "--hold-always-share", "1")
    untrusted = cli.run("source", "test", "letters", code=None)
    assert "certificate" in untrusted.out + untrusted.err
    cli.run("source", "edit", "letters", "--ca-file", str(dovecot.certificate))
    assert all(step["ok"] for step in cli.run("source", "test", "letters", "--json").lines)
    assert {"INBOX", "Archive", "Junk"} <= {
        one["name"] for one in cli.run("source", "browse", "letters", "--json").lines
    }
    keys = {line["key"] for line in cli.run("plan", "letters", "--json").lines}
    assert {key.rpartition("/")[0] for key in keys} == {"INBOX", "Archive/Stürme"}, (
        "junk is not taken unless it is named"
    )
    cli.run("sync", "letters")
    assert "pressure" in cli.run("search", "falls").out
    assert "minutes.txt" in cli.run("search", "crew").out, "an attachment is a document"
    with dovecot.mailbox() as imap:
        imap.select("INBOX", readonly=True)
        assert b"Seen" not in imap.fetch("1", "(FLAGS)")[1][0]  # type: ignore[operator]
    assert cli.run("sync", "letters", "--json").json["counters"]["items_skipped_incremental"] == 2

    with dovecot.mailbox() as imap:  # moved to another folder, as a person does it
        imap.select("INBOX")
        imap.create("Kept")
        imap.copy("1", "Kept")
        imap.store("1", "+FLAGS", "\\Deleted")
        imap.expunge()
    moved = cli.run("sync", "letters", "--json").json["counters"]
    assert (moved["items_moved"], moved["items_retired"], moved["items_ingested"]) == (1, 0, 0)

    dovecot.renumber("Kept")
    renumbered = cli.run("sync", "letters", "--json").json["counters"]
    assert (renumbered["items_moved"], renumbered["items_retired"]) == (1, 0), "the same content, under another number"

    dovecot.stop()
    cut = cli.run("sync", "letters", code=None)
    assert "cannot be reached" in cut.out + cut.err
    dovecot.start()
    with dovecot.mailbox() as imap:
        imap.select("Kept")
        imap.store("1", "+FLAGS", "\\Deleted")
        imap.expunge()
    assert cli.run("sync", "letters", "--json").json["counters"]["items_retired"] >= 1
    assert cli.run("search", "falls", "--json", code=None).json == []
    assert "sails" in cli.run("search", "storm").out
    logged = b"".join(path.read_bytes() for path in cli.workspace.rglob("*.json*") if path.is_file())
    assert PASSWORD.encode() not in logged


def test_ways_to_connect(cli: Cli, dovecot: Dovecot) -> None:
    """STARTTLS; without TLS only to this machine; a wrong password; a port where TLS does not begin at once."""
    dovecot.append(mail("Barometer", "the pressure falls"))
    cli.environment |= {"MAIL_PASSWORD": PASSWORD, "WRONG": "something else"}
    cli.run("init")
    for name, secret in (("box", "MAIL_PASSWORD"), ("bad", "WRONG")):
        cli.run(
            "credential",
            "add",
            name,
            "--type",
            "basic",
            "--set",
            f"username={USER}",
            "--secret",
            f"password=env:{secret}",
        )
    ways = {
        "starttls": ("--security", "starttls", "--ca-file", str(dovecot.certificate), "--credential", "box"),
        "plain": ("--security", "plain", "--credential", "box"),
        "refused": ("--security", "plain", "--credential", "bad"),
        "tls": ("--ca-file", str(dovecot.certificate), "--credential", "box"),
    }
    for name, options in ways.items():
        cli.run("source", "add", "mail", name, "--host", "localhost", "--port", str(dovecot.port), *options)
    for name in ("starttls", "plain"):
        assert all(step["ok"] for step in cli.run("source", "test", name, "--json").lines)
    refused = cli.run("source", "test", "refused", code=None)
    assert "refuses the credential" in refused.out + refused.err
    assert "something else" not in refused.out + refused.err
    tls = cli.run("source", "test", "tls", code=None)
    assert "starttls" in tls.out + tls.err
    far = ("--host", "imap.example.org", "--credential", "box", "--security", "plain")
    assert "only for this machine" in cli.run("source", "add", "mail", "far", *far, code=2).err
