"""Numbers of things in words, in every message: no `1 documents`."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from ingest_tui.model.counted import counted, noun
from tests import REPOSITORY

SOURCES = REPOSITORY / "src" / "ingest_tui"
# A number in braces, and a noun in the plural after it, perhaps with a word in between.
NUMBER_AND_NOUN = re.compile(r"\{(?P<number>[^{}]+)\} (?:(?!of )[a-z]+ )?(?P<noun>[a-z]+s)\b")
COUNTED = re.compile(r"""(?:counted|plural)\([^\n]*?, f?["']([a-z ]+)["']""")
CONSTANT = re.compile(r"(?:^|\.)_?[A-Z][A-Z_]+\b")
MORE_NOUNS = {"document", "file", "item", "job", "finding", "byte", "second", "page", "place", "error"}
VERBS = {"is", "has", "was", "its", "spans"}
EXCEPTIONS = {
    # Limits, which are never one, and names.
    ("cli/progress.py", "program"),
    ("cli/sync.py", "program"),
    ("connectors/git/git_process.py", "seconds:.0f"),
    ("credentials/commands.py", "timeout:g"),
    ("credentials/providers/oauth.py", "token.expires_in:.0f"),
    ("embedding/endpoint.py", "seconds:g"),
    ("model/parse_limits.py", "self.cpu_seconds:.1f"),
    ("model/parse_limits.py", "self.silence_seconds:g"),
    ("model/parse_limits.py", "self.total_seconds:g"),
    ("services/sources/sources.py", "source_id!r"),
    # The texts of documents, which stay as they are, and what is said where there are very many.
    ("extraction/backends/tnef.py", "len(data)"),
    ("extraction/mail/mail_content.py", "self.size"),
    ("extraction/tables/table.py", "len(value)"),
    ("extraction/tables/table.py", "width"),
    ("extraction/tables/table.py", "rows:,"),
    ("extraction/tables/table.py", "self.profile.rows:,"),
    ("extraction/tables/table.py", "self._cut"),
}


@pytest.mark.parametrize(
    ("number", "words"), [(0, "0 documents"), (1, "1 document"), (2, "2 documents"), (2310, "2,310 documents")]
)
def test_a_number_has_its_noun(number: int, words: str) -> None:
    """One of a thing is no plural; large numbers have their commas."""
    assert counted(number, "document") == words


def test_other_plurals_and_verbs() -> None:
    """A plural of its own is given whole, with its verb where it has one."""
    assert counted(1, "query", "queries") == "1 query"
    assert counted(2, "query is", "queries are") == "2 queries are"
    assert [noun(number, "waits", "wait") for number in (1, 2)] == ["waits", "wait"]


def literals() -> Iterator[tuple[str, str, str]]:
    """Yield file, what is in the braces, and the noun of each number that a message has without `counted`."""
    texts = {path.relative_to(SOURCES).as_posix(): path.read_text() for path in sorted(SOURCES.rglob("*.py"))}
    known = MORE_NOUNS | {words.split()[-1] for text in texts.values() for words in COUNTED.findall(text)}
    for name, text in texts.items():
        for line in text.splitlines():
            if 'f"' in line or line.lstrip().startswith('"'):
                for found in NUMBER_AND_NOUN.finditer(line):
                    if found["noun"][:-1] in known and found["noun"] not in VERBS:
                        yield name, found["number"], found["noun"]


def test_no_message_counts_by_hand() -> None:
    """What is counted goes through `counted`, so that one of it is right; limits are no counts."""
    by_hand = {
        (name, number)
        for name, number, _noun in literals()
        if not (CONSTANT.search(number) or number.startswith(("counted(", "wording.plural(")))
    }
    assert by_hand - EXCEPTIONS == set()
    assert EXCEPTIONS - by_hand == set(), "an exception that is none any more"
