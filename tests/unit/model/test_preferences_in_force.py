"""What is in force where a source or an upload chooses in place of its collection."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest_tui.model.chunk_limits import CHUNK_SIZES
from ingest_tui.model.collection import CollectionPreferences
from ingest_tui.model.errors import ValidationError
from ingest_tui.model.languages import language_among, ocr_languages_of
from ingest_tui.model.preference_overrides import OVERRIDABLE, Overriding, PreferenceOverrides
from ingest_tui.model.preference_values import changed_overrides, rows_in_force
from ingest_tui.model.preferences_in_force import preferences_in_force, source_in_force
from ingest_tui.model.source import Source

USUAL = CollectionPreferences()
SOURCE = Source(source_id="docs", name="docs", source_type="local")


def chosen(**values: Any) -> Overriding:
    return Overriding("source", PreferenceOverrides.model_validate(values))


def test_what_is_chosen_takes_precedence_and_the_rest_is_inherited() -> None:
    """One key that a source chooses changes no other; an empty list is a choice as well."""
    collection = CollectionPreferences(chunk_size=900, text_columns=("a",), context_columns=("b",), keep_versions=3)
    own = preferences_in_force(collection, chosen(text_columns=[], keep_versions=1))

    assert own == collection.model_copy(update={"text_columns": (), "keep_versions": 1, "chunk_size": 900})
    assert preferences_in_force(collection, Overriding()) is collection


def test_where_each_value_comes_from_is_known() -> None:
    """The source, its collection, or what is usual; what a source can choose is all there."""
    rows = {
        row.key: (row.value, row.origin)
        for row in rows_in_force(CollectionPreferences(chunk_size=900, trash_days=9), chosen(chunk_overlap=50))
    }

    assert tuple(rows) == OVERRIDABLE
    assert rows["chunk_size"] == ("900", "collection")
    assert rows["chunk_overlap"] == ("50", "source")
    assert rows["languages"] == ("", "usual")


sizes = st.none() | st.integers(1, 100_001)
overlaps = st.none() | st.integers(0, 60_000)
units = st.sampled_from([None, "characters", "tokens"])


@given(st.tuples(sizes, overlaps, units, sizes, overlaps, units))
def test_chunks_are_possible_whatever_the_collection_is_changed_to(values: tuple[Any, ...]) -> None:
    """A collection that is changed after a source has chosen never leaves it with chunks that cannot be."""
    names = ("chunk_size", "chunk_overlap", "chunk_unit")
    own = {name: value for name, value in zip(names, values[:3], strict=True) if value is not None}
    theirs = {name: value for name, value in zip(names, values[3:], strict=True) if value is not None}
    tokenizer = {"tokenizer": "/t.json"}
    try:
        overriding = chosen(**own, **tokenizer)
        collection = CollectionPreferences.model_validate(theirs | tokenizer)
    except ValueError:
        return
    rules = preferences_in_force(collection, overriding).chunk_rules()

    least, most = CHUNK_SIZES[rules.unit]
    assert least <= rules.size <= most
    assert 0 <= rules.overlap * 2 <= rules.size
    assert rules.unit == own.get("chunk_unit", collection.chunk_unit)


def test_a_size_is_not_inherited_in_another_unit() -> None:
    """3,000 characters of a collection are not 3,000 tokens of a source."""
    collection = CollectionPreferences(chunk_size=3000, chunk_overlap=300)
    rules = preferences_in_force(collection, chosen(chunk_unit="tokens", tokenizer="/t.json")).chunk_rules()

    assert (rules.size, rules.overlap, rules.unit) == (384, 0, "tokens")


@pytest.mark.parametrize(
    ("given_values", "message"),
    [
        ({"chunk_sise": "1"}, "there is no preference"),
        ({"embedder": "x"}, "of a whole collection"),
        ({"chunk_overlap": "800"}, "at most half of chunk_size"),
        ({"chunk_size": "20"}, "from 200"),
        ({"chunk_unit": "tokens"}, "needs tokenizer"),
        ({"languages": "klingon"}, "languages: 'klingon' is no language"),
        ({"keep_versions": "0"}, "keep_versions"),
        ({"ocr": "perhaps"}, "ocr"),
    ],
)
def test_what_cannot_be_chosen_is_refused(given_values: dict[str, str], message: str) -> None:
    """The error names the key and what it may be, together with what the collection says."""
    with pytest.raises(ValidationError, match=message):
        changed_overrides(PreferenceOverrides(), given_values, collection=USUAL)


def test_choices_are_taken_back() -> None:
    """What is unset, or set to nothing, is as the collection says again."""
    before = PreferenceOverrides(chunk_size=500, languages=("de",), keep_versions=2)
    after = changed_overrides(before, {"chunk_size": ""}, ["languages"], collection=USUAL)

    assert after == PreferenceOverrides(keep_versions=2)


def test_ocr_reads_the_languages_of_the_texts_unless_it_has_its_own() -> None:
    """German texts are read in German by OCR, too; languages of OCR that were chosen take precedence."""
    german = CollectionPreferences(languages=("de", "en"))

    assert source_in_force(SOURCE, german).ocr_languages == "deu+eng"
    assert source_in_force(SOURCE.model_copy(update={"ocr_languages": "fra"}), german).ocr_languages == "fra"
    other = SOURCE.model_copy(update={"overrides": PreferenceOverrides(languages=("it",))})
    assert source_in_force(other, german).ocr_languages == "ita"
    assert ocr_languages_of(()) == ""


@pytest.mark.parametrize(
    ("detected", "languages", "taken"),
    [
        ("de", (), "de"),
        (None, (), None),
        ("de-AT", ("en", "de"), "de-AT"),
        ("nl", ("de",), "de"),
        (None, ("de",), "de"),
    ],
)
def test_a_text_is_in_one_of_the_languages(detected: str | None, languages: tuple[str, ...], taken: str | None) -> None:
    """What was detected is taken where it can be, else the first language."""
    assert language_among(detected, languages) == taken


def test_a_record_that_cannot_be_read_chooses_nothing() -> None:
    """A damaged ingestion.json of an upload leaves what its collection says."""
    assert Overriding.of({"overrides": {"chunk_size": "huge"}}).overrides == PreferenceOverrides()
    assert Overriding.of({"overrides": {"chunk_size": 500}}).overrides.chunk_size == 500
