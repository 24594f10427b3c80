"""What every format must hold, whichever backend reads it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from ingest_tui.extraction.backends import BACKENDS
from ingest_tui.extraction.intake.formats import BY_NAME, FORMATS
from ingest_tui.extraction.intake.validation import EmptyDocumentError
from ingest_tui.extraction.parse import extract, extract_text, parse_document_content, supported_formats
from ingest_tui.extraction.pool.pool import ParserPool
from ingest_tui.model.errors import IngestError, ItemError, ItemRejectedError, MissingDependencyError
from ingest_tui.model.extraction import ParseResult, ParseTask
from ingest_tui.model.hashing import compute_content_hash

CUT_IS_STILL_TEXT = {
    "text",
    "markdown",
    "rst",
    "csv",
    "tsv",
    "json",
    "ndjson",
    "json-seq",
    "properties",
    "strings",
    "notebook",
    "yaml",
    "python",
    "html",
    "xml",
    "rtf",
    "eml",
    "mbox",
    "icalendar",
    "vcard",
    "srt",
    "vtt",
    "tnef",
}


HAVE_PAGES = {".vsdx", ".xps", ".pdf", ".pptx", ".ppt", ".odp", ".fodp", ".odg", ".fodg"}


def outcome_of(content: bytes, file_name: str, backend: str | None = None) -> tuple[str, ItemError | None]:
    """Return ``parsed``, or the reason and the error; any other exception goes through."""
    try:
        extract(content, file_name=file_name, backend=backend)
    except ItemError as error:
        return error.reason, error
    return "parsed", None


def test_words_are_found(sample: Any) -> None:
    """Every word of the document is in its markdown."""
    markdown = extract(sample.content, file_name=sample.file_name).markdown
    assert [word for word in sample.words if word not in markdown] == []


@pytest.mark.parametrize("name", ["docx", "odt", "rtf"])
def test_the_office_backend_reads_what_others_read_by_default(name: str, samples: dict[str, Any]) -> None:
    """A chosen backend finds the words that the default one finds."""
    sample = samples[name]
    markdown = extract(sample.content, file_name=sample.file_name, backend="office").markdown
    assert [word for word in sample.words if word not in markdown] == []


def test_structure_is_kept(sample: Any) -> None:
    """Headings, list items and table rows are in the markdown as lines of their own."""
    lines = extract(sample.content, file_name=sample.file_name).markdown.splitlines()
    assert [line for line in sample.markdown if line not in lines] == []


def test_links_are_kept(sample: Any) -> None:
    """Every link target is listed."""
    links = [one.target for one in extract(sample.content, file_name=sample.file_name).links]
    assert [link for link in sample.links if link not in links] == []


def test_columns_are_named(sample: Any) -> None:
    """Tables have their columns, with unnamed and repeated ones made usable."""
    columns = extract(sample.content, file_name=sample.file_name).columns
    assert tuple(columns[0]["columns"] if columns else ()) == sample.columns


def test_type_comes_from_bytes(sample: Any, request: pytest.FixtureRequest) -> None:
    """The media type is the one of the format, and the backend the declared one."""
    declared = BY_NAME[request.node.callspec.id]
    extraction = extract(sample.content, file_name=sample.file_name)
    assert (extraction.media_type, extraction.backend) == (declared.media_type, declared.backend)
    assert extraction.backend_version


def test_result_is_deterministic(sample: Any) -> None:
    """The same bytes give the same extraction twice."""
    assert extract(sample.content, file_name=sample.file_name) == extract(sample.content, file_name=sample.file_name)


def test_text_is_normalised(sample: Any) -> None:
    """No carriage return, no control character and no trailing space survives."""
    markdown = extract(sample.content, file_name=sample.file_name).markdown
    assert not [character for character in markdown if character < " " and character not in "\n\t"]
    assert markdown == "\n".join(line.rstrip(" \t") for line in markdown.split("\n"))


def test_metadata_of_caller_is_merged(sample: Any) -> None:
    """Every element carries the caller's metadata next to its own."""
    elements = parse_document_content(sample.content, sample.file_name, {"team": "fruit", "category": "mine"})
    assert elements
    assert all(metadata["team"] == "fruit" and metadata["category"] == "mine" for _text, metadata in elements)
    assert all("media_type" in metadata for _text, metadata in elements)


def test_elements_cover_the_words(sample: Any) -> None:
    """The elements together hold the words of the document."""
    text = "\n".join(text for text, _metadata in parse_document_content(sample.content, sample.file_name))
    assert [word for word in sample.words if word.split()[0] not in text] == []


def test_pages_begin_where_their_text_is(sample: Any) -> None:
    """Documents with pages or slides name the offset of each; the elements of a page are found there."""
    extraction = extract(sample.content, file_name=sample.file_name)
    starts = extraction.page_starts
    assert bool(starts) == (Path(sample.file_name).suffix in HAVE_PAGES)
    assert starts == sorted(starts)
    if starts:
        assert len(starts) == extraction.pages
    for element in extraction.elements if starts else ():
        number = element.metadata["page_number"]
        page = extraction.markdown[starts[number - 1] : (*starts, None)[number]]
        assert element.text.strip().split("\n")[0] in page


def test_truncated_is_an_outcome(sample: Any, request: pytest.FixtureRequest) -> None:
    """Half a document is text with what is left, or an error with a reason; never another exception."""
    reason, _error = outcome_of(sample.content[: len(sample.content) // 2], sample.file_name)
    if reason == "parsed":
        assert request.node.callspec.id in CUT_IS_STILL_TEXT | {"pdf"}
    else:
        assert reason in ("malformed", "wrong_type", "empty")


def test_scrambled_is_an_outcome(sample: Any) -> None:
    """Bytes overwritten in the middle are survived or refused with a reason."""
    middle = len(sample.content) // 2
    scrambled = sample.content[:middle] + b"\xde\xad\xbe\xef" * 8 + sample.content[middle + 32 :]
    assert outcome_of(scrambled, sample.file_name)[0] in (
        "parsed",
        "malformed",
        "wrong_type",
        "unsupported_type",
        "empty",
        "encrypted",
    )


@pytest.mark.parametrize("content", [b"", b" \n\t \r\n"])
def test_empty_has_no_elements(sample: Any, content: bytes) -> None:
    """Nothing but white space is empty under every name."""
    with pytest.raises(EmptyDocumentError):
        extract(content, file_name=sample.file_name)
    assert parse_document_content(content, sample.file_name) == []
    assert extract_text(content, sample.file_name) == ""


def test_wrong_name_does_not_matter(sample: Any, request: pytest.FixtureRequest) -> None:
    """What the bytes tell apart is read under a wrong name, with a warning."""
    declared = BY_NAME[request.node.callspec.id]
    if declared.family == "text" or declared.name == "eml":
        pytest.skip("only its name tells this kind of text from another")
    wrong = "a.docx" if declared.name != "docx" else "a.pdf"
    extraction = extract(sample.content, file_name=wrong)
    assert extraction.media_type == declared.media_type
    assert any(declared.name in warning for warning in extraction.warnings)


def test_unknown_bytes_are_wrong_type(sample: Any, request: pytest.FixtureRequest) -> None:
    """Bytes of no known kind are refused under every name that promises one."""
    noise = bytes(range(256)) * 8
    with pytest.raises(ItemRejectedError) as caught:
        extract(noise, file_name=sample.file_name)
    is_text = BY_NAME[request.node.callspec.id].family in ("text", "markup")
    assert caught.value.reason == ("unsupported_type" if is_text else "wrong_type")


def test_scanned_pdf_is_empty_and_needs_ocr(scan: bytes) -> None:
    """A PDF without text is an empty document whose hint says what would help."""
    with pytest.raises(EmptyDocumentError) as caught:
        extract(scan, file_name="scan.pdf")
    assert "OCR" in caught.value.hint


def test_repetitive_document_is_no_bomb(repetitive_docx: bytes) -> None:
    """A small document that packs better than 100:1 is read: only its unpacked size makes a bomb."""
    assert "apples" in extract(repetitive_docx, file_name="a.docx").markdown


def test_every_format_has_a_sample(samples: dict[str, Any]) -> None:
    """No backend is left out of this suite: each reads at least one sample."""
    covered = {name for name, one in BACKENDS.items() if one.formats & samples.keys()}
    documents = [one for one in FORMATS if one.family != "image"]  # images: tests/unit/extraction/ocr
    assert {one.backend for one in documents} <= covered
    distinct = {one.name for one in documents if one.backend != "plain"}
    assert distinct <= set(samples)


def test_supported_formats_lists_all() -> None:
    """What `doctor` shows names every format and every backend but the tests' own."""
    rows = supported_formats()
    assert {row["name"] for row in rows} == set(BY_NAME)
    assert all(row["available"] for row in rows)


def test_pool_gives_the_same(samples: dict[str, Any], tmp_path: Path) -> None:
    """Parsed in a sandbox every sample gives what it gives in this process, and its file has the hash it names."""
    results: dict[str, ParseResult] = {}
    with ParserPool(2) as pool:
        for name, sample in samples.items():
            source = tmp_path / f"{name}.in"
            source.write_bytes(sample.content)
            task = ParseTask(name, str(source), str(tmp_path / f"{name}.md"), sample.file_name, len(sample.content))
            pool.submit(task, lambda result: results.__setitem__(result.task_id, result))
        pool.drain()
    for name, sample in samples.items():
        here = extract(sample.content, file_name=sample.file_name)
        there = results[name]
        assert there.status == "parsed", there
        written = (tmp_path / f"{name}.md").read_bytes().decode()
        assert written == here.markdown
        assert there.content_hash == compute_content_hash(here.markdown)
        assert (there.media_type, there.title, there.links, there.columns) == (
            here.media_type,
            here.title,
            here.links,
            here.columns,
        )
        assert there.chunks


# --- no network -------------------------------------------------------------------------------------------------------

_EXTRACT_ALL = """
import sys
sys.path[:] = {path!r}
from pathlib import Path
from ingest_tui.extraction.parse import extract
for file in sorted(Path({folder!r}).iterdir()):
    extract(file.read_bytes(), file_name=file.name)
print("all read")
"""


def test_no_network_is_touched(samples: dict[str, Any], tmp_path: Path) -> None:
    """Reading every format opens no internet socket, as the system calls show."""
    folder = tmp_path / "samples"
    folder.mkdir()
    for name, sample in samples.items():
        (folder / f"{name}-{sample.file_name}").write_bytes(sample.content)
    trace = tmp_path / "trace"
    program = _EXTRACT_ALL.format(path=[entry for entry in sys.path if entry], folder=str(folder))
    command = [sys.executable, "-I", "-c", program]
    tracer = ["strace", "-f", "-qq", "-e", "trace=socket,connect,sendto", "-o", str(trace)]
    if not _can_trace():
        pytest.skip("strace cannot be used here")
    done = subprocess.run([*tracer, *command], capture_output=True, text=True, timeout=60, check=False)
    assert "all read" in done.stdout, done.stderr
    calls = trace.read_text()
    assert "AF_INET" not in calls


def _can_trace() -> bool:
    try:
        return (
            subprocess.run(["strace", "-qq", "-e", "trace=none", "true"], capture_output=True, check=False).returncode
            == 0
        )
    except FileNotFoundError:
        return False


# --- unstructured, the optional backend -------------------------------------------------------------------------------

HAS_UNSTRUCTURED = BACKENDS["unstructured"].is_available()
needs_unstructured = pytest.mark.skipif(not HAS_UNSTRUCTURED, reason="the extra 'unstructured' is not installed")


@pytest.mark.skipif(HAS_UNSTRUCTURED, reason="the extra 'unstructured' is installed")
def test_missing_unstructured_names_its_extra() -> None:
    """Without the extra the error says how to get it."""
    with pytest.raises(MissingDependencyError) as caught:
        extract(b"a,b\n1,2\n", file_name="a.csv", backend="unstructured")
    assert caught.value.hint == 'pip install "ingest-tui[unstructured]"'


@needs_unstructured
@pytest.mark.parametrize("name", ["csv", "tsv", "xlsx", "html", "docx", "pptx", "markdown", "text", "eml"])
def test_unstructured_reads_or_names_its_model(samples: dict[str, Any], name: str) -> None:
    """Chosen by a user, it reads the sample with its categories, or says within seconds that its model is missing."""
    from ingest_tui.extraction.backends.unstructured import MODEL_COMMAND, model_is_installed

    sample = samples[name]
    reason, error = outcome_of(sample.content, sample.file_name, backend="unstructured")
    if reason != "parsed":
        assert (reason, model_is_installed()) == ("missing_model", False)
        assert error is not None
        assert MODEL_COMMAND in error.hint
    else:
        extraction = extract(sample.content, file_name=sample.file_name, backend="unstructured")
        assert extraction.backend == "unstructured"
        assert "apples" in extraction.markdown
        assert all(element.metadata["category"] for element in extraction.elements)


@needs_unstructured
def test_unstructured_is_quiet_before_its_import(samples: dict[str, Any]) -> None:
    """Its telemetry is switched off by the time it is imported."""
    extract(samples["csv"].content, file_name="a.csv", backend="unstructured")
    assert os.environ["DO_NOT_TRACK"] == "1"
    assert os.environ["SCARF_NO_ANALYTICS"] == "true"


def test_unread_format_falls_back_with_warning(samples: dict[str, Any]) -> None:
    """A backend chosen for a whole source leaves what it does not read to the default one and says so."""
    extraction = extract(samples["xml"].content, file_name="a.xml", backend="pdf")
    assert extraction.backend == "plain"
    assert extraction.warnings == ["pdf does not read xml: read with plain"]


def test_backend_named_for_a_type_must_read_it(samples: dict[str, Any]) -> None:
    """A backend named for one type that cannot read it is refused."""
    with pytest.raises(ItemRejectedError, match="does not read xml"):
        extract(samples["xml"].content, file_name="a.xml", backends_by_type={"application/xml": "pdf"})


def test_unknown_backend_names_the_known_ones() -> None:
    """The error for a misspelt backend names those there are."""
    with pytest.raises(IngestError) as caught:
        extract(b"x", file_name="a.txt", backend="plian")
    assert "plain" in caught.value.hint
