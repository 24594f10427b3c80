"""What becomes of a file does not depend on which files its process has parsed before.

More damage and more orders, other ones in each run:

    INGEST_TUI_WHOLE=1 pytest -n 0 -s tests/conformance/extraction/test_order.py
"""

from __future__ import annotations

import csv
import json
import os
import pickle
import random
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from ingest_tui.extraction.backends import pdf
from ingest_tui.extraction.parse import extract
from tests import REPOSITORY
from tests.conformance.extraction.bad_files import bad_files
from tests.made_files import locked_pdf, pdf_of, pdf_pages, restricted_pdf

pytestmark = pytest.mark.slow

IS_WHOLE = os.environ.get("INGEST_TUI_WHOLE") == "1"
SEED = random.SystemRandom().randrange(1_000_000) if IS_WHOLE else 7
DAMAGED_COPIES, ORDERS = (25, 6) if IS_WHOLE else (1, 2)
LARGEST_BYTES = 100_000


def damaged(content: bytes, choose: random.Random) -> bytes:
    """Return a copy that is cut, has some bits changed, or has a stretch of zeros."""
    kind = choose.choice(("cut", "bits", "bits", "zeros"))
    if kind == "cut":
        return content[: choose.randrange(1, len(content))]
    copy = bytearray(content)
    if kind == "zeros":
        start = choose.randrange(len(copy))
        copy[start : start + 64] = bytes(len(copy[start : start + 64]))
        return bytes(copy)
    for _ in range(choose.choice((1, 5, 30))):
        copy[choose.randrange(len(copy))] ^= 1 << choose.randrange(8)
    return bytes(copy)


def corpus(samples: Mapping[str, Any], choose: random.Random) -> Iterator[tuple[str, bytes]]:
    """Yield file names and contents: valid, hostile, damaged, with wrong extensions, encrypted, empty."""
    names = [sample.file_name for sample in samples.values()]
    for sample in samples.values():
        yield sample.file_name, sample.content
        yield choose.choice(names), sample.content
        for _ in range(DAMAGED_COPIES):
            yield sample.file_name, damaged(sample.content, choose)
    for bad in bad_files(samples).values():
        if len(bad.content) <= LARGEST_BYTES and "timeout" not in bad.reasons:
            yield bad.file_name, bad.content
    # A table of objects and a dictionary of encryption that PDFium takes, but no page: nothing has failed then.
    hollow = [b"<< /Type /Catalog /Pages 2 0 R >>", b"<< /Type /Pages /Kids [] /Count 0 >>"]
    for content in (pdf_of(hollow), pdf_of(hollow, b"/Note (/Encrypt)"), restricted_pdf("words", -60), locked_pdf()):
        yield "a.pdf", content


@pytest.mark.xdist_group("bad-files")
def test_outcomes_do_not_depend_on_the_order(samples: Mapping[str, Any]) -> None:
    """Parsed alone and together in random orders, each file has the same outcome, reason, message and text."""
    choose = random.Random(SEED)
    files = list(corpus(samples, choose))
    orders = [choose.sample(range(len(files)), len(files)) for _ in range(ORDERS)]
    answer = subprocess.run(
        [sys.executable, "-m", "tests.conformance.extraction.order_lab"],
        cwd=REPOSITORY,
        input=pickle.dumps((files, orders)),
        capture_output=True,
        check=True,
        timeout=3000,
    )
    alone, *together = json.loads(answer.stdout)
    differing = [
        (files[index][0], alone[index], found[str(index)])
        for found in together
        for index in range(len(files))
        if found[str(index)] != alone[index]
    ]
    assert differing == [], f"seed {SEED}"
    assert {outcome[0] for outcome in alone} >= {"parsed", "ProcessingError", "ItemRejectedError", "EmptyDocumentError"}


def test_pdf_without_pages_is_malformed_after_a_locked_one() -> None:
    """An error that PDFium remembers of an earlier file is not given as the reason of one that opens without pages."""
    hollow = [b"<< /Type /Catalog /Pages 2 0 R >>", b"<< /Type /Pages /Kids [] /Count 0 >>"]
    reasons = []
    for content in (pdf_of(hollow, b"/Note (/Encrypt)"), locked_pdf(), pdf_of(hollow, b"/Note (/Encrypt)")):
        with pytest.raises(Exception, match="PDF") as caught:
            extract(content, file_name="a.pdf")
        reasons.append((caught.value.reason, str(caught.value)))  # type: ignore[attr-defined]
    assert reasons[1][0] == "encrypted"
    assert reasons[0] == reasons[2]
    assert reasons[0][0] == "malformed"


def test_limit_of_the_callers_tables_is_left_alone() -> None:
    """Reading a table does not lower the limit that a program has set for its own CSV files."""
    before = csv.field_size_limit(50_000_000)
    try:
        extract(b"a,b\n1,2\n", file_name="a.csv")
        assert csv.field_size_limit() == 50_000_000
    finally:
        csv.field_size_limit(before)


def test_pdfs_are_read_by_one_thread_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """A program may parse PDFs in several threads, although PDFium works on one document at a time."""
    read, inside, most = pdf._read, [0], [0]

    def counting(document: Any, parse_input: Any) -> Any:
        inside[0] += 1
        most[0] = max(most[0], inside[0])
        try:
            time.sleep(0.005)  # in which another thread would come in
            return read(document, parse_input)
        finally:
            inside[0] -= 1

    monkeypatch.setattr(pdf, "_read", counting)
    content = pdf_of(pdf_pages("words"))
    with ThreadPoolExecutor(4) as threads:
        found = list(threads.map(lambda _: extract(content, file_name="a.pdf").markdown, range(12)))
    assert (set(found), most) == ({"words\n"}, [1])
