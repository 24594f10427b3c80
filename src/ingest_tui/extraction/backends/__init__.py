"""The backends: declared data, resolved when first used. A new one is one file here and one line below."""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from importlib import import_module
from typing import TYPE_CHECKING, cast

from ingest_tui.extraction.intake.formats import FORMATS
from ingest_tui.model.errors import MissingDependencyError, ValidationError
from ingest_tui.version import __version__

if TYPE_CHECKING:
    from ingest_tui.extraction.backends.base import ParseFunction


@dataclass(frozen=True, slots=True)
class Backend:
    """One way to read documents.

    ``module`` has a function ``parse(ParseInput) -> Parsed``. ``formats`` are the names of those it reads.
    ``distribution`` is the package whose version decides the result (None: this program's own), ``imports`` the
    module that must be there, ``extra`` the optional dependency that brings it. ``runs_programs``: it works through
    other programs (pandoc, LibreOffice, Java), which the walls around a parser refuse to the others. ``models`` is the
    environment variable that names the folder of its models.
    """

    name: str
    module: str
    formats: frozenset[str]
    distribution: str | None = None
    imports: str | None = None
    extra: str | None = None
    runs_programs: bool = False
    models: str | None = None

    def is_available(self) -> bool:
        """Say whether its library is installed; imports nothing."""
        return self.imports is None or importlib.util.find_spec(self.imports) is not None

    def version(self) -> str:
        """Return the version of its library, or of this program where it needs none; empty when not installed."""
        return _version_of(self.distribution) if self.distribution else __version__

    def how_to_install(self) -> str:
        """Return the command that installs its library."""
        return f'pip install "ingest-tui[{self.extra}]"' if self.extra else f"pip install {self.distribution}"

    def load(self) -> ParseFunction:
        """Return its parse function. Raises `MissingDependencyError` naming the extra that brings its library."""
        return _load(self.name)


_HERE = "ingest_tui.extraction.backends"
_PLAIN = frozenset(one.name for one in FORMATS if one.backend == "plain")
_IMAGES = frozenset(one.name for one in FORMATS if one.family == "image")
_UNSTRUCTURED = frozenset(
    (
        "text",
        "markdown",
        "csv",
        "tsv",
        "json",
        "ndjson",
        "html",
        "xml",
        "eml",
        "rtf",
        "docx",
        "odt",
        "pptx",
        "xlsx",
        "xls",
        "msg",
        "pdf",
        "png",
        "jpeg",
        "tiff",
        "bmp",
        "heic",
    )
)

BACKENDS: dict[str, Backend] = {
    one.name: one
    for one in (
        Backend("plain", f"{_HERE}.plain", _PLAIN),
        Backend("html", f"{_HERE}.html", frozenset(("html",)), "html-to-markdown", "html_to_markdown"),
        Backend("pdf", f"{_HERE}.pdf", frozenset(("pdf",)), "pypdfium2", "pypdfium2"),
        Backend("image", f"{_HERE}.image", _IMAGES, "pillow", "PIL"),
        Backend(
            "spreadsheet",
            f"{_HERE}.spreadsheet",
            frozenset(("xlsx", "xls", "xlsb", "ods", "fods", "spreadsheetml")),
            "python-calamine",
            "python_calamine",
        ),
        Backend(
            "office",
            f"{_HERE}.office",
            frozenset(("docx", "pptx", "odt", "odp", "rtf", "msg", "doc", "ppt")),
            "xberg",
            "xberg",
        ),
        Backend("word", f"{_HERE}.word", frozenset(("docx",)), "xberg", "xberg"),
        Backend("slides", f"{_HERE}.slides", frozenset(("pptx",))),
        Backend("opendocument", f"{_HERE}.opendocument", frozenset(("odt", "odp", "odg"))),
        Backend("flat", f"{_HERE}.flat", frozenset(("fodt", "fodp", "fodg"))),
        Backend("rtf", f"{_HERE}.rtf", frozenset(("rtf",))),
        Backend("epub", f"{_HERE}.epub", frozenset(("epub",)), "html-to-markdown", "html_to_markdown"),
        Backend("mail", f"{_HERE}.mail", frozenset(("eml", "mbox"))),
        Backend("icalendar", f"{_HERE}.icalendar", frozenset(("icalendar",))),
        Backend("vcard", f"{_HERE}.vcard", frozenset(("vcard",))),
        Backend("subtitles", f"{_HERE}.subtitles", frozenset(("srt", "vtt"))),
        Backend("webarchive", f"{_HERE}.webarchive", frozenset(("webarchive",))),
        Backend("hwpx", f"{_HERE}.hwpx", frozenset(("hwpx",))),
        Backend("visio", f"{_HERE}.visio", frozenset(("vsdx",))),
        Backend("xps", f"{_HERE}.xps", frozenset(("xps",))),
        Backend(
            "confluence", f"{_HERE}.confluence", frozenset(("confluence",)), "html-to-markdown", "html_to_markdown"
        ),
        Backend("fictionbook", f"{_HERE}.fictionbook", frozenset(("fb2",))),
        Backend("mobi", f"{_HERE}.mobi", frozenset(("mobi",)), "html-to-markdown", "html_to_markdown"),
        Backend("hwp", f"{_HERE}.hwp", frozenset(("hwp",))),
        Backend("avro", f"{_HERE}.avro", frozenset(("avro",)), "fastavro", "fastavro", extra="avro"),
        Backend("iwork", f"{_HERE}.iwork", frozenset(("iwork",))),
        Backend("outlook", f"{_HERE}.outlook", frozenset(("msg",))),
        Backend("word97", f"{_HERE}.word97", frozenset(("doc",)), "xberg", "xberg"),
        Backend("powerpoint", f"{_HERE}.powerpoint", frozenset(("ppt",))),
        Backend("tnef", f"{_HERE}.tnef", frozenset(("tnef",)), "tnefparse", "tnefparse"),
        Backend("columnar", f"{_HERE}.columnar", frozenset(("arrow", "orc")), "pyarrow", "pyarrow"),
        Backend("dbf", f"{_HERE}.dbf", frozenset(("dbf",))),
        Backend("sqlite", f"{_HERE}.sqlite", frozenset(("sqlite",)), "apsw", "apsw"),
        Backend("parquet", f"{_HERE}.parquet", frozenset(("parquet",)), "pyarrow", "pyarrow"),
        Backend(
            "unstructured",
            f"{_HERE}.unstructured",
            _UNSTRUCTURED,
            "unstructured",
            "unstructured",
            extra="unstructured",
            runs_programs=True,
        ),
        Backend(
            "opendataloader",
            f"{_HERE}.opendataloader",
            frozenset(("pdf",)),
            "opendataloader-pdf",
            "opendataloader_pdf",
            extra="opendataloader",
            runs_programs=True,
        ),
        Backend(
            "docling",
            f"{_HERE}.docling",
            frozenset(("pdf",)),
            "docling",
            "docling",
            extra="docling",
            models="DOCLING_ARTIFACTS_PATH",
        ),
    )
}


def runs_programs(names: Iterable[str | None]) -> bool:
    """Tell whether one of these backends works through other programs; names of none are passed over."""
    return any(BACKENDS[name].runs_programs for name in names if name in BACKENDS)


def have_costs_of_their_own(names: Iterable[str | None]) -> bool:
    """Tell whether what one of these backends needs does not follow from the size of a file: programs or models."""
    return any(BACKENDS[name].runs_programs or BACKENDS[name].models for name in names if name in BACKENDS)


def model_folders() -> dict[str, str]:
    """Return the folders of models that the environment names for a backend, by the variables that name them."""
    named = {one.models: os.environ.get(one.models, "") for one in BACKENDS.values() if one.models}
    return {variable: folder for variable, folder in named.items() if folder.startswith("/")}


def versions() -> str:
    """Return the names and versions of all installed backends; imports none of them."""
    return " ".join(f"{name}-{one.version()}" for name, one in BACKENDS.items() if one.is_available())


def get_backend(name: str) -> Backend:
    """Return a backend by name. Raises `ValidationError` naming the known ones."""
    try:
        return BACKENDS[name]
    except KeyError:
        raise ValidationError(
            f"no extraction backend is called {name!r}", hint=f"known: {', '.join(sorted(BACKENDS))}"
        ) from None


@lru_cache(maxsize=64)
def _load(name: str) -> ParseFunction:
    backend = BACKENDS[name]
    if not backend.is_available():
        raise MissingDependencyError(
            f"the {name} backend needs {backend.distribution}, which is not installed",
            hint=backend.how_to_install(),
        )
    return cast("ParseFunction", import_module(backend.module).parse)


@lru_cache(maxsize=64)
def _version_of(distribution: str) -> str:
    from importlib import metadata

    try:
        return metadata.version(distribution)
    except metadata.PackageNotFoundError:
        return ""
