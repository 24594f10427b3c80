"""PDF with opendataloader-pdf, a Java program: chosen by a user, for its tables. Needs Java 11 or later.

A file takes a second or more, most of it for starting Java.
"""

from __future__ import annotations

import importlib
import os
import re
import shutil
import subprocess
import tempfile
from functools import lru_cache
from pathlib import Path

from ingest_tui.extraction.backends.base import Parsed, ParseInput
from ingest_tui.extraction.backends.pdf import describe
from ingest_tui.model.errors import MissingDependencyError, ProcessingError
from ingest_tui.model.foreign_errors import described

LEAST_JAVA = 11
JAVA_HINT = (
    f"install Java {LEAST_JAVA} or later below /usr (Debian: apt install default-jre-headless), "
    "or choose the backend pdf"
)
_SEARCHED = "/usr/bin:/bin"
"""Where a parser process finds programs."""
_OPTIONS = {
    "JDK_JAVA_OPTIONS": "-Xmx768m -XX:CompressedClassSpaceSize=64m -XX:ReservedCodeCacheSize=64m -XX:+UseSerialGC "
    "-XX:-UsePerfData"
}
"""Small reservations, since a parser has a limit on its address space; nothing written outside of its folder."""
_PAGE = "\u241e\u241epage %page-number%\u241e\u241e"
_PAGE_MARK = re.compile("\u241e\u241epage (\\d{1,7})\u241e\u241e")
_VERSION = re.compile(r'version "(\d+)(?:\.(\d+))?')
_SECONDS_FOR_VERSION = 30


@lru_cache(maxsize=1)
def missing_java() -> str:
    """Return what is wrong with the Java that is here, or an empty string; for ``doctor``, too."""
    java = shutil.which("java", path=_SEARCHED)
    if java is None:
        return f"there is no Java in {_SEARCHED}"
    try:
        answer = subprocess.run(  # noqa: S603 the program is Java, the arguments are constants
            [java, "-version"],
            capture_output=True,
            text=True,
            check=False,
            timeout=_SECONDS_FOR_VERSION,
            env={**os.environ, **_OPTIONS},
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return f"Java cannot be started: {described(error)}"
    found = _VERSION.search(answer.stderr + answer.stdout)
    if found is None:
        return f"Java does not start: {(answer.stderr + answer.stdout).strip()[-200:] or 'it names no version'}"
    major = int(found[2] or 0) if found[1] == "1" else int(found[1])
    return "" if major >= LEAST_JAVA else f"Java is {major}, and {LEAST_JAVA} is needed"


def parse(parse_input: ParseInput) -> Parsed:
    """Return a PDF as opendataloader-pdf sees it, page by page.

    Raises as the backend pdf does for what cannot be opened, and `MissingDependencyError` without Java.
    """
    about = describe(parse_input.content)
    if missing := missing_java():
        raise MissingDependencyError(f"opendataloader-pdf needs Java: {missing}", hint=JAVA_HINT)
    parse_input.tick()
    return about.parsed(_pages(_convert(parse_input.content), about.pages), read_with="opendataloader-pdf")


def _convert(content: bytes) -> str:
    library = importlib.import_module("opendataloader_pdf")
    os.environ |= _OPTIONS
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder, "document.pdf")
        source.write_bytes(content)
        try:
            library.convert(
                str(source),
                output_dir=folder,
                format="markdown",
                quiet=True,
                image_output="off",
                table_method="cluster",
                include_header_footer=True,
                markdown_page_separator=f"\n\n{_PAGE}\n\n",
            )
            return Path(folder, "document.md").read_text("utf-8", "replace")
        except (subprocess.CalledProcessError, OSError) as error:
            said = getattr(error, "stderr", "") or described(error)
            raise ProcessingError(
                f"opendataloader-pdf cannot read it: {str(said).strip()[-200:]}",
                code="malformed",
                hint="leave the backend unset to read it with pypdfium2",
            ) from error


def _pages(markdown: str, count: int) -> list[str]:
    """Return the text of each page; what is before the first mark belongs to the first page."""
    pages = [""] * max(count, 1)
    before, *marked = _PAGE_MARK.split(markdown)
    pages[0] = before.strip()
    for number, text in zip(marked[::2], marked[1::2], strict=True):
        page = min(max(int(number), 1), len(pages)) - 1
        pages[page] = "\n\n".join(part for part in (pages[page], text.strip()) if part)
    return pages
