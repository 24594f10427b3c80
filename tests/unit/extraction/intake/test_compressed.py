"""A document in a compressed file is read as the document."""

from __future__ import annotations

import bz2
import gzip
import lzma
from collections.abc import Callable

import pytest

from ingest_tui.extraction.parse import extract
from ingest_tui.model.errors import ItemRejectedError, ProcessingError
from tests.made_files import pdf_of, pdf_pages

COMPRESSORS = (gzip.compress, bz2.compress, lzma.compress)


@pytest.mark.parametrize("compress", COMPRESSORS)
@pytest.mark.parametrize("ending", ["gz", "bz2", "xz"])
def test_it_is_what_it_is_without_its_cover(compress: Callable[[bytes], bytes], ending: str) -> None:
    """Table, page and log are read by the name within, or by their bytes, whatever the ending says."""
    assert extract(compress(b"name,count\npump,12\n"), file_name=f"stock.csv.{ending}").columns[0]["rows"] == 1
    assert extract(compress(b"a plain log\n"), file_name=f"server.log.{ending}").markdown == "a plain log\n"
    found = extract(compress(pdf_of(pdf_pages("apples"))), file_name=f"report.{ending}")
    assert (found.media_type, found.markdown) == ("application/pdf", "apples\n")


@pytest.mark.parametrize("compress", COMPRESSORS)
def test_what_is_damaged_or_cut_fails(compress: Callable[[bytes], bytes]) -> None:
    """A compressed file without its end is not taken for a whole one."""
    packed = compress(bytes(range(256)) * 400)
    with pytest.raises(ProcessingError, match="cannot be read"):
        extract(packed[: len(packed) // 2], file_name="a.txt.gz")


@pytest.mark.slow
@pytest.mark.parametrize("compress", COMPRESSORS)
def test_what_grows_beyond_all_bounds_is_refused(compress: Callable[[bytes], bytes]) -> None:
    """A bomb is refused while it is unpacked, and so is a cover in a cover in a cover."""
    for bomb in (compress(bytes(33 * 1024**2)), gzip.compress(gzip.compress(compress(b"text")))):
        with pytest.raises(ItemRejectedError) as caught:
            extract(bomb, file_name="a.txt.gz")
        assert caught.value.reason == "archive_bomb"


def test_an_archive_of_many_is_refused_by_name() -> None:
    """What unpacks to a tar archive is none of one document."""
    header = b"a.txt".ljust(257, b"\x00") + b"ustar\x0000"
    with pytest.raises(ItemRejectedError) as caught:
        extract(gzip.compress(header.ljust(1024, b"\x00")), file_name="a.tgz")
    assert caught.value.reason == "unsupported_type"


def test_other_endings_and_what_is_behind_the_end_do_no_harm() -> None:
    """The old form of xz is read by its name; bytes behind the end of a gzip file are no part of it."""
    assert extract(lzma.compress(b"a log\n", format=lzma.FORMAT_ALONE), file_name="a.log.lzma").markdown == "a log\n"
    assert extract(gzip.compress(b"a,b\n1,2\n") + b"left over", file_name="a.csv.gz").columns[0]["rows"] == 1


def test_a_text_may_begin_as_bzip2_does() -> None:
    """Three letters are no compressed file."""
    assert extract(b"BZh is how they begin.\n", file_name="notes.txt").markdown == "BZh is how they begin.\n"
