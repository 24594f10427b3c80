"""A place that is kept becomes one of the source that lists its address, whatever else is kept there."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from itertools import permutations
from pathlib import Path

import pytest

from ingest_tui.model.place import KnownPlace
from ingest_tui.model.source import KEPT_SOURCE
from ingest_tui.store.catalogue.catalogue import Catalogue
from ingest_tui.store.change import StoreChange
from ingest_tui.store.kept_places import Adoption, adopt_places, as_kept
from tests.unit.store.catalogue_rows import document, location, put

KEY, URI = "rain.md", "file:///rain.md"


@pytest.fixture
def catalogue(tmp_path: Path) -> Iterator[Catalogue]:
    with closing(Catalogue(tmp_path / "catalogue.db", create=True)) as catalogue:
        yield catalogue


def keep(catalogue: Catalogue, *rows: KnownPlace) -> list[Adoption]:
    """Put kept places; returns what a source that lists their address may take over."""
    kept = [as_kept(row) for row in rows]
    with catalogue.transaction():
        catalogue.put_locations(kept)
    return [Adoption(row.key, KEY, URI) for row in kept]


def adopt(catalogue: Catalogue, adoptions: list[Adoption]) -> list[tuple[str, str, str | None]]:
    """Have the source take places over; returns all places."""
    change = StoreChange(at="2026-01-02", by="job")
    adopt_places(change, catalogue, "docs", adoptions)
    with catalogue.transaction():
        for source_id, key in change.forgotten:
            catalogue.forget_locations(source_id, [key])
        catalogue.put_locations(change.locations.values())
    return sorted(
        (row[0], row[1], row[2]) for row in catalogue.execute("SELECT source_id, key, document_id FROM locations")
    )


def removed(digest: str) -> KnownPlace:
    return location(KEY, None, outcome="retired", reason="removed", removed_sha256=digest, removed_content_hash=digest)


@pytest.mark.parametrize("order", permutations(range(3)))
def test_document_that_is_kept_comes_before_what_was_removed_at_its_address(
    catalogue: Catalogue, order: tuple[int, ...]
) -> None:
    """It keeps its place in any order of taking over; the removals stay known, so that nothing comes back."""
    put(catalogue, document("aa1", key=KEY, uri=URI, source_id=KEPT_SOURCE))
    with catalogue.transaction():
        catalogue.forget_locations(KEPT_SOURCE, [KEY])
    adoptions = keep(catalogue, location(KEY, "aa1"), removed("a" * 64), removed("b" * 64))
    for number in order:  # as batches of one
        places = adopt(catalogue, [adoptions[number]])
    assert [document_id for source_id, _, document_id in places if source_id == "docs"] == ["aa1"]
    digests = catalogue.execute("SELECT removed_sha256 FROM locations WHERE document_id IS NULL ORDER BY 1")
    assert digests == [("a" * 64,), ("b" * 64,)]


def test_places_of_one_document_at_one_address_become_one_place(catalogue: Catalogue) -> None:
    """Two sources over one folder were removed: the folder added again takes over what both have left."""
    put(catalogue, document("aa1", key=KEY, uri=URI))
    with catalogue.transaction():
        catalogue.forget_locations("docs", [KEY])
    adoptions = keep(catalogue, location(KEY, "aa1", source_id="north"), location(KEY, "aa1", source_id="south"))
    assert adopt(catalogue, adoptions) == [("docs", KEY, "aa1")]


def test_second_document_at_an_address_stays_kept(catalogue: Catalogue) -> None:
    """No document loses its last place because another one was kept there too."""
    for name in ("aa1", "bb1"):
        put(catalogue, document(name))
    with catalogue.transaction():
        catalogue.forget_locations("docs", ["aa1.md", "bb1.md"])
    adoptions = keep(catalogue, location(KEY, "aa1"), location(KEY, "bb1"))
    places = adopt(catalogue, adoptions)
    assert places == [("docs", KEY, "aa1"), (KEPT_SOURCE, f"bb1/docs/{KEY}", "bb1")]
