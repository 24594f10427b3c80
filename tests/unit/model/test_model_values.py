"""Values at the borders: sources, documents, outcomes, errors, times."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from pydantic import ValidationError as InvalidModel

from ingest_tui.model import errors
from ingest_tui.model.clock import rfc3339, rfc3339_from_ns, seconds_since_epoch
from ingest_tui.model.document import IngestedDocument, SearchHit
from ingest_tui.model.errors import IngestError, TransientSourceError, ValidationError
from ingest_tui.model.hashing import compute_content_hash
from ingest_tui.model.identifiers import slug
from ingest_tui.model.outcome import Outcome, short_warnings
from ingest_tui.model.plan_line import PlanLine
from ingest_tui.model.source import Source


def test_bare_path_is_a_directory_source() -> None:
    """The old form of a source, a path alone, is read as a directory source with that path."""
    source = Source.model_validate({"source_id": "docs", "name": "Docs", "source_path": "/srv/docs"})
    assert (source.source_type, source.source_config) == ("directory", {"path": "/srv/docs"})


def test_settings_win_over_a_bare_path_with_a_warning() -> None:
    """Given both, the settings are used and a warning says so."""
    with pytest.warns(UserWarning, match="source_config is used"):
        source = Source(
            source_id="docs", name="Docs", source_type="local", source_path="/old", source_config={"path": "/new"}
        )
    assert (source.source_type, source.source_config) == ("local", {"path": "/new"})


def test_reading_the_old_form_leaves_its_mapping_alone() -> None:
    """The caller's mapping is not changed by being read."""
    given = {"source_id": "docs", "name": "Docs", "source_path": "/srv"}
    Source.model_validate(given)
    assert given == {"source_id": "docs", "name": "Docs", "source_path": "/srv"}


@pytest.mark.parametrize(
    "values",
    [
        {"source_id": "../docs"},
        {"collection_id": "Default"},
        {"max_size": 0},
        {"max_size": "many"},
        {"priority": -1},
        {"priority": 1001},
        {"extraction": {"backend": "x", "novelty": 1}},
    ],
    ids=str,
)
def test_source_that_cannot_work_is_refused(values: dict[str, object]) -> None:
    """Identifiers, sizes and priorities are checked when a source is made."""
    given = {"source_id": "docs", "name": "Docs", "source_type": "local"}
    with pytest.raises((InvalidModel, ValidationError)):
        Source.model_validate(given | values)


def test_sizes_are_read_as_people_write_them() -> None:
    """A limit may be given in bytes or with a unit; the default is 50 MB."""
    assert int(Source(source_id="a", name="a", source_type="local", max_size="2 MB").max_size) == 2_000_000
    assert int(Source(source_id="a", name="a", source_type="local").max_size) == 50_000_000


def test_document_hashes_its_content() -> None:
    """A document without a hash gets that of its content, one with a hash keeps it, and a wrong one is refused."""
    assert IngestedDocument("a\r\nb", "id", "local").content_hash == compute_content_hash("a\nb")
    assert IngestedDocument("a", "id", "local", content_hash="0" * 64).content_hash == "0" * 64
    with pytest.raises(ValidationError, match="64"):
        IngestedDocument("a", "id", "local", content_hash="ABC")


def test_documents_do_not_share_metadata() -> None:
    """Each document has metadata of its own."""
    first, second = IngestedDocument("a", "1", "local"), IngestedDocument("b", "2", "local")
    first.metadata["x"] = 1
    assert second.metadata == {}


def test_outcome_comes_back_and_ignores_later_fields() -> None:
    """An outcome is read from its line as it was written, also from a line of a later program."""
    outcome = Outcome("file:///a", "a", "ingested", "new", "2026", bytes=0, document_id="d", version=1)
    assert Outcome.from_dict(outcome.as_dict() | {"novelty": 1}) == outcome
    assert set(outcome.as_dict()) >= {
        "uri", "key", "outcome", "reason", "detail", "document_id", "version", "raw_sha256", "content_hash", "bytes",
        "media_type", "backend", "milliseconds", "at",
    }  # fmt: skip


def test_outcome_of_an_earlier_program_has_no_warnings() -> None:
    """A line that was written before there were findings is read as one without any."""
    line = Outcome("file:///a", "a", "ingested", "new", "2026", warnings=("odd",)).as_dict()
    assert Outcome.from_dict(dict(line)).warnings == ("odd",)
    del line["warnings"]
    assert Outcome.from_dict(line).warnings == ()


def test_an_outcome_keeps_few_and_short_warnings() -> None:
    """Three messages at most, none longer than a line, and the number of those left out."""
    assert short_warnings([]) == ()
    assert short_warnings(["a", "b", "c"]) == ("a", "b", "c")
    assert short_warnings(["a", "b", "c", "d", "e"]) == ("a", "b", "and 3 more")
    [clipped] = short_warnings(["x" * 5000])
    assert (len(clipped), clipped[-1]) == (160, "…")


def test_plan_line_leaves_out_what_is_absent() -> None:
    """A plan line is short: no empty members, but a size of zero is a size."""
    assert PlanLine("ingest", "new", "a", "file:///a", size=0).as_dict() == {
        "action": "ingest", "reason": "new", "key": "a", "uri": "file:///a", "size": 0,
    }  # fmt: skip


def test_plan_line_always_says_what_it_is_about() -> None:
    """A key may be empty, as a source that is remote may name an item so; then the line says that."""
    line = PlanLine("ingest", "new", "", "memory://", from_key="").as_dict()
    assert line == {"action": "ingest", "reason": "new", "key": "", "uri": "memory://", "from_key": ""}


def test_errors_are_unicode_whatever_they_quote() -> None:
    """An error that quotes a name which is not UTF-8 can be written to any file."""
    error = IngestError("no \udce9", hint="see \ud800", uri="file:///\udcff", number=1)
    assert error.as_dict() == {
        "code": "error", "message": "no \\udce9", "hint": "see \\ud800",
        "details": {"uri": "file:///\\udcff", "number": 1},
    }  # fmt: skip
    assert str(error) == error.message


def test_snippet_is_marked_for_json() -> None:
    """The marks around found words are control characters within, and asterisks outside."""
    hit = SearchHit("d", "d:0", "t", "u", "c", 1, "", "the \x02rain\x03 falls", "the rain falls", 1.0)
    assert hit.as_dict()["snippet"] == "the **rain** falls"


def _family(kind: type[IngestError]) -> list[type[IngestError]]:
    return [kind, *(member for child in kind.__subclasses__() for member in _family(child))]


@pytest.mark.parametrize("kind", _family(errors.IngestError), ids=lambda kind: kind.__name__)
def test_errors_have_the_form_that_scripts_read(kind: type[IngestError]) -> None:
    """Every error has a code, an exit code of the contract, a hint, and only known details in its JSON form."""
    error = kind("what happened", hint="what to do", uri="file:///a", nothing=None)
    assert error.as_dict() == {
        "code": kind.code, "message": "what happened", "hint": "what to do", "details": {"uri": "file:///a"},
    }  # fmt: skip
    assert kind.exit_code in {1, 2, 4, 5, 6}
    assert str(error) == "what happened"
    assert kind("x", code="special").reason == "special"


def test_transient_error_says_when_to_come_back() -> None:
    """What a source asked for in waiting time is kept, and only such errors and busy ones may be tried again."""
    assert TransientSourceError("x", retry_after=3.5).retry_after == 3.5
    assert {kind for kind in _family(IngestError) if kind.retryable} == {
        TransientSourceError,
        errors.TransientItemError,
        errors.DiskFullError,
        errors.BusyError,
    }


def test_times_are_utc_with_milliseconds() -> None:
    """A moment of any zone is written in UTC, and read back to the same second."""
    moment = datetime(2026, 11, 21, 8, 31, 5, 123_999, tzinfo=timezone(timedelta(hours=2)))
    assert rfc3339(moment) == "2026-11-21T06:31:05.123Z"
    assert seconds_since_epoch(rfc3339(moment)) == pytest.approx(moment.timestamp(), abs=0.001)
    assert rfc3339(datetime(2026, 1, 1, tzinfo=UTC)) == "2026-01-01T00:00:00.000Z"


@pytest.mark.parametrize(
    ("nanoseconds", "text"),
    [
        (None, None),
        (0, "1970-01-01T00:00:00.000Z"),
        (-1, "1969-12-31T23:59:59.999Z"),
        (10**21, None),
        (-(10**21), None),
    ],
)
def test_file_times_are_written_or_left_out(nanoseconds: int | None, text: str | None) -> None:
    """A file time that no calendar has is none."""
    assert rfc3339_from_ns(nanoseconds) == text


@pytest.mark.parametrize("text", [None, "", "yesterday", "2026-13-01"])
def test_what_is_no_time_is_none(text: str | None) -> None:
    """Reading a time that is none gives none, not an error."""
    assert seconds_since_epoch(text) is None


@pytest.mark.parametrize(
    ("name", "identifier"),
    [
        ("Team Handbook (2026)", "team-handbook-2026"),
        ("  Crème brûlée  ", "creme-brulee"),
        ("a/b\\c", "a-b-c"),
        ("-.x.-", "x"),
        ("x" * 100, "x" * 64),
    ],
)
def test_slug_of_a_name(name: str, identifier: str) -> None:
    """People's names for things become identifiers they recognise."""
    assert slug(name) == identifier


@pytest.mark.parametrize("name", ["", "…", "***", "con", "\x1b"])
def test_name_without_anything_usable_is_refused(name: str) -> None:
    """A name of which nothing is left is refused, shown in a form that cannot act on the terminal."""
    with pytest.raises(ValidationError) as caught:
        slug(name)
    assert "\x1b" not in caught.value.message
    assert caught.value.hint


def test_what_may_pass_says_when_to_try_again() -> None:
    """An error that may pass by itself has a hint, with the time that the source asked for."""
    assert TransientSourceError("slow down", retry_after=17.4).hint == "try again in 17 s"
    assert "try again" in TransientSourceError("cut").hint
    assert TransientSourceError("cut", hint="check the proxy").hint == "check the proxy"
