"""How many words, headings and table cells come out of documents: python benchmarks/fidelity.py [FOLDER…]

Ours next to markitdown, unstructured and pandoc where they are installed. Without a folder: on files that it builds
itself (fidelity_files.py), of which every word is known. In a folder: what is expected of a file is what is in its XML
or HTML, read here without any of the four; for other formats it is what two of the programs found, so that a format
that one program alone reads is not counted. A word counts once a file. A heading counts when it is one in the
markdown, a cell when it is a cell of a table there. Of a file that a program refuses it has found nothing.

The language model of unstructured is replaced by a blank one where it is not installed: it decides what is prose, and
leaves out no words.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import logging
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import warnings
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser
from importlib.util import find_spec
from pathlib import Path

from fidelity_expected import Expected, expected_of
from fidelity_files import made_files

SECONDS_A_FILE = 60
_WORD = re.compile(r"\w+")
_HEADING = re.compile(r"^ {0,3}#{1,6}[ \t]+(.+?)[ \t#]*$", re.MULTILINE)
_UNDERLINED = re.compile(r"^([^\n|#].*)\n(?:=+|-+)[ \t]*$", re.MULTILINE)
_ROW = re.compile(r"^\s*\|(.*)\|\s*$", re.MULTILINE)
_ESCAPE = re.compile(r"\\([!-/:-@\[-`{-~])")
_METADATA = re.compile(r"\A---\ntitle: (.*)\n---\n")  # where pandoc puts the title of a document
_PANDOC = {"md": "gfm", "tex": "latex", "xml": "docbook", "htm": "html", "xhtml": "html", "mediawiki": "mediawiki"}
_PANDOC_AS_IT_IS = (
    "docx odt epub html rst org ipynb csv tsv rtf pptx xlsx opml fb2 bib ris textile typst".split()  # noqa: SIM905
)

Reader = Callable[[bytes, str], str]
Scores = tuple[float | None, float | None, float | None]


def plain(text: str) -> str:
    """Return a text without marks of markdown, as its words in lower case."""
    return " ".join(_WORD.findall(_ESCAPE.sub(r"\1", text).replace("<br>", " ").replace("_", " ").lower()))


class _Tables(HTMLParser):
    """Gathers headings and cells of HTML in markdown: pandoc and unstructured write tables so."""

    def __init__(self) -> None:
        super().__init__()
        self.cells: set[str] = set()
        self._cell: list[str] | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        del attrs
        if tag in ("td", "th"):
            self._cell = []

    def handle_data(self, data: str) -> None:
        if self._cell is not None:
            self._cell.append(data)

    def handle_endtag(self, tag: str) -> None:
        if tag in ("td", "th") and self._cell is not None:
            self.cells.add(plain("".join(self._cell)))
            self._cell = None


def found_in(markdown: str) -> Expected:
    """Return the words, headings and cells of markdown."""
    headings = {plain(text) for text in (*_HEADING.findall(markdown), *_UNDERLINED.findall(markdown))}
    cells = {plain(cell) for row in _ROW.findall(markdown) for cell in re.split(r"(?<!\\)\|", row)}
    if "<t" in markdown:
        reader = _Tables()
        reader.feed(markdown)
        cells |= reader.cells
    return Expected(set(plain(markdown).split()), headings - {""}, cells - {""})


# --- The programs -----------------------------------------------------------------------------------------------------


def by_ours(content: bytes, name: str) -> str:
    """Read as the program does."""
    from ingest_tui.extraction.parse import extract

    return extract(content, file_name=name).markdown


def markitdown_reader() -> Reader:
    """Return markitdown as it comes."""
    from markitdown import MarkItDown, StreamInfo

    converter = MarkItDown(enable_plugins=False)

    def read(content: bytes, name: str) -> str:
        ending = Path(name).suffix.lower()
        return converter.convert_stream(io.BytesIO(content), stream_info=StreamInfo(extension=ending)).markdown

    return read


def unstructured_reader() -> Reader:
    """Return unstructured, its titles as headings and its tables as the HTML that it makes of them."""
    os.environ |= {"DO_NOT_TRACK": "1", "SCARF_NO_ANALYTICS": "true"}
    from unstructured.nlp import tokenize
    from unstructured.partition.auto import partition

    if find_spec("en_core_web_sm") is None:
        import spacy

        blank = spacy.blank("en")
        blank.add_pipe("sentencizer")
        tokenize._load_spacy_model = lambda: blank  # noqa: SLF001

    def read(content: bytes, name: str) -> str:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, Path(name).name)
            path.write_bytes(content)
            elements = partition(str(path))
        parts = []
        for one in elements:
            table = getattr(one.metadata, "text_as_html", None)
            parts.append(f"# {' '.join(one.text.split())}" if one.category == "Title" else table or one.text)
        return "\n\n".join(parts)

    return read


def pandoc_reader(program: str) -> Reader:
    """Return pandoc, writing markdown as GitHub has it."""

    def read(content: bytes, name: str) -> str:
        ending = Path(name).suffix.lower().removeprefix(".")
        form = _PANDOC.get(ending) or (ending if ending in _PANDOC_AS_IT_IS else None)
        if form is None:
            raise ValueError(f"no reader for {ending}")
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, "file")
            path.write_bytes(content)
            command = [program, "--sandbox", "-s", "-f", form, "-t", "gfm", "--wrap=none", str(path)]
            written = subprocess.run(command, capture_output=True, text=True, check=True).stdout
        return _METADATA.sub(r"# \1\n", written)

    return read


def readers() -> dict[str, Reader]:
    """Return the programs that are installed, and print a line for each other one."""
    found: dict[str, Reader] = {"ours": by_ours}
    for name, make in (("markitdown", markitdown_reader), ("unstructured", unstructured_reader)):
        if find_spec(name) is None:
            print(f"{name} is not installed: left out")
        else:
            found[name] = make()
    pandoc = shutil.which("pandoc")
    if pandoc is None and find_spec("pypandoc"):
        import pypandoc

        with contextlib.suppress(OSError):
            pandoc = pypandoc.get_pandoc_path()
    if pandoc is None:
        print("pandoc is not installed: left out")
    else:
        found["pandoc"] = pandoc_reader(pandoc)
    return found


def _give_up(*_signal: object) -> None:
    raise TimeoutError


def read_with(reader: Reader, content: bytes, name: str) -> Expected | None:
    """Return what a program finds in a file; None where it refuses it, fails or takes too long."""
    signal.signal(signal.SIGALRM, _give_up)
    signal.alarm(SECONDS_A_FILE)
    try:
        with contextlib.redirect_stderr(io.StringIO()), warnings.catch_warnings(action="ignore"):
            return found_in(reader(content, name))
    except BaseException as error:  # libraries in Rust raise their own kind for a bug
        if isinstance(error, KeyboardInterrupt | SystemExit):
            raise
        return None
    finally:
        signal.alarm(0)


# --- Scores -----------------------------------------------------------------------------------------------------------


@dataclass
class Tally:
    """What was expected and found of a format by one program."""

    files: int = 0
    read: int = 0
    expected: list[int] = field(default_factory=lambda: [0, 0, 0])
    found: list[int] = field(default_factory=lambda: [0, 0, 0])

    def add(self, expected: Expected, found: Expected | None) -> None:
        """Count one file."""
        self.files += 1
        self.read += found is not None
        for at, (wanted, got) in enumerate(zip(expected, found or Expected(set(), set(), set()), strict=True)):
            self.expected[at] += len(wanted)
            self.found[at] += len(wanted & got)

    def shown(self) -> str:
        """Return the shares in percent, rounded down: words / headings / cells."""
        if not self.read:
            return "not read"
        shares = [
            f"{found * 100 // wanted}" if wanted else "–"
            for found, wanted in zip(self.found, self.expected, strict=True)
        ]
        unread = f" ({self.read} of {self.files} read)" if self.read < self.files else ""
        return " / ".join(shares) + unread


def measure(files: Iterator[tuple[str, bytes, Expected | None]], programs: dict[str, Reader]) -> None:
    """Print a table of formats and programs."""
    tallies: dict[str, dict[str, Tally]] = defaultdict(lambda: {name: Tally() for name in programs})
    counts: dict[str, int] = defaultdict(int)
    left_out = 0
    for name, content, known in files:
        found = {program: read_with(reader, content, name) for program, reader in programs.items()}
        expected = known or agreed([one for one in found.values() if one is not None])
        if not expected.words:
            left_out += 1
            continue
        kind = Path(name).suffix.lower().removeprefix(".") or "no ending"
        counts[kind] += 1
        for program in programs:
            tallies[kind][program].add(expected, found[program])
    print(f"\n| format | files | {' | '.join(programs)} |\n|---|---:|{'---|' * len(programs)}")
    for kind, row in tallies.items():
        print(f"| {kind} | {counts[kind]} | {' | '.join(row[program].shown() for program in programs)} |")
    print("\nWords / headings / table cells in percent of those expected; –: there are none.")
    if left_out:
        print(f"{left_out} files are not counted: nothing is known of them that two programs agree on.")


def agreed(found: list[Expected]) -> Expected:
    """Return what at least two programs found."""
    both = [
        {one for at in found for one in at[part] if sum(one in other[part] for other in found) > 1} for part in range(3)
    ]
    return Expected(*both)


def files_of(folders: list[Path]) -> Iterator[tuple[str, bytes, Expected | None]]:
    """Yield the files of folders with what is expected of them, as far as it is known."""
    for folder in folders:
        for path in sorted(one for one in folder.rglob("*") if one.is_file()):
            content = path.read_bytes()
            yield path.name, content, normalised(expected_of(content, path.suffix.lower()))


def normalised(raw: Expected | None) -> Expected | None:
    """Return what is in a file in the form in which it is compared."""
    if raw is None:
        return None
    headings, cells = ({plain(text) for text in texts} - {""} for texts in (raw.headings, raw.cells))
    return Expected(set(plain(" ".join(raw.words)).split()), headings, cells)


def main() -> None:
    """Measure the files built here, or those of the folders given."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", nargs="*", type=Path, metavar="FOLDER")
    folders = parser.parse_args().folders
    logging.disable(logging.CRITICAL)
    if folders:
        measure(files_of(folders), readers())
    else:
        made = ((name, data, Expected(set(s.words), set(s.headings), set(s.cells))) for name, data, s in made_files())
        measure(made, readers())
    sys.stdout.flush()


if __name__ == "__main__":
    main()
