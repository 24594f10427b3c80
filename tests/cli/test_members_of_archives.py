"""Documents within archives and mails, named, taken out and removed as others are."""

from __future__ import annotations

import json
from email.message import EmailMessage

import pytest

from tests.cli.running import Cli
from tests.made_files import zip_bytes

pytestmark = pytest.mark.slow

MEMBERS = {"a.zip!one.md", "a.zip!in/two.csv", "m.eml!fruit.txt"}


@pytest.fixture
def filled(cli: Cli) -> Cli:
    """A workspace with an archive of two documents and a mail with an attachment."""
    mail = EmailMessage()
    mail["Subject"] = "Report"
    mail.set_content("See the attachment.")
    mail.add_attachment(b"figs and dates\n", maintype="text", subtype="plain", filename="fruit.txt")
    cli.write("a.zip", zip_bytes({"one.md": "# One\n\napples\n", "in/two.csv": "a,b\n1,2\n"}))
    cli.write("m.eml", bytes(mail))
    cli.init()
    cli.run("source", "edit", "docs", "--attachments", "documents")
    cli.sync()
    return cli


def test_members_are_exported_with_their_own_text_and_file(filled: Cli) -> None:
    """Each is a document of the export: in JSON lines with its text, in a folder as a file of its own."""
    texts = {line["document"]["key"]: line["text"] for line in filled.run("export").lines}
    assert texts.keys() == {*MEMBERS, "m.eml"}
    assert texts["m.eml!fruit.txt"].strip() == "figs and dates"
    filled.run("export", "--format", "folder", "--to", "out")
    index = [json.loads(line) for line in (filled.home / "out" / "index.jsonl").read_text().splitlines()]
    assert {line["document"]["key"] for line in index} == texts.keys()
    assert {path.read_text().strip() for path in (filled.home / "out").glob("fruit.txt*")} == {"figs and dates"}
    raw = filled.run("doc", "export", "docs/m.eml!fruit.txt", "--what", "raw", "--to", "fruit.txt")
    assert raw.code == 0
    assert (filled.home / "fruit.txt").read_bytes() == b"figs and dates\n"


@pytest.mark.parametrize("named", ["docs/a.zip", "a.zip"])
def test_an_archive_is_no_document_and_its_members_are_named(filled: Cli, named: str) -> None:
    """Removing the archive by any of its names is refused with where its documents are listed, and nothing goes."""
    refused = filled.run("doc", "remove", named, "--yes", "--json", code=4)
    assert refused.error["message"].endswith("is no document itself; documents in it: 2")
    assert "ingest-tui doc list --contains NAME!" in refused.error["hint"]
    assert len(filled.run("doc", "list", "--contains", "a.zip!", "--json").json) == 2


def test_a_member_is_removed_by_its_name_and_a_sync_leaves_it_there(filled: Cli) -> None:
    """The other member stays, also when the archive is looked at again."""
    filled.run("doc", "remove", "docs/a.zip!one.md", "--yes")
    filled.sync()
    keys = {document["key"] for document in filled.run("doc", "list", "--json").json}
    assert keys == {*MEMBERS, "m.eml"} - {"a.zip!one.md"}
