"""The formats that can be read: declared data, one line each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Family = Literal["text", "markup", "zip", "ole", "binary", "image"]


@dataclass(frozen=True, slots=True)
class Format:
    """One format. ``extensions`` are lower case without the dot; ``backend`` is the one used unless told otherwise.

    ``family`` says what its bytes are: text that only its name tells apart, markup that its bytes tell,
    a zip or OLE container, an image, or another binary form.
    """

    name: str
    media_type: str
    extensions: tuple[str, ...]
    backend: str
    family: Family
    fence: str | None = None
    """Language of the code fence that the text is put in; a ``#`` comment must not become a heading."""


_OOXML = "application/vnd.openxmlformats-officedocument."
_VISIO = ("vsdx", "vsdm", "vstx", "vstm", "vssx", "vssm")
_ODF = "application/vnd.oasis.opendocument."

JSON_SEQUENCE_MARK = b"\x1e"
"""Before each text of a JSON text sequence (RFC 7464)."""

FORMATS: tuple[Format, ...] = (
    Format("text", "text/plain", ("txt", "text", "log", "asc"), "plain", "text"),
    Format("markdown", "text/markdown", ("md", "markdown", "mdown", "mkd", "mdx", "qmd", "rmd"), "plain", "text"),
    Format("rst", "text/x-rst", ("rst", "rest"), "plain", "text"),
    Format("org", "text/org", ("org",), "plain", "text"),
    Format("asciidoc", "text/asciidoc", ("adoc", "asciidoc"), "plain", "text"),
    Format("latex", "application/x-latex", ("tex", "latex", "bib", "sty"), "plain", "text", fence="latex"),
    Format("csv", "text/csv", ("csv",), "plain", "text"),
    Format("tsv", "text/tab-separated-values", ("tsv", "tab"), "plain", "text"),
    Format("json", "application/json", ("json", "geojson", "webmanifest"), "plain", "text", fence="json"),
    Format("ndjson", "application/x-ndjson", ("ndjson", "jsonl"), "plain", "text", fence="json"),
    Format("json-seq", "application/json-seq", ("json-seq", "jsonseq"), "plain", "text", fence="json"),
    Format("notebook", "application/x-ipynb+json", ("ipynb",), "plain", "text"),
    Format("yaml", "application/yaml", ("yaml", "yml"), "plain", "text", fence="yaml"),
    Format("toml", "application/toml", ("toml",), "plain", "text", fence="toml"),
    Format("properties", "text/x-java-properties", ("properties",), "plain", "text", fence="properties"),
    Format("strings", "text/x-apple-strings", ("strings",), "plain", "text", fence="strings"),
    Format("ini", "text/x-ini", ("ini", "cfg", "conf", "env", "editorconfig"), "plain", "text", fence="ini"),
    Format("diff", "text/x-diff", ("diff", "patch"), "plain", "text", fence="diff"),
    Format("python", "text/x-python", ("py", "pyi"), "plain", "text", fence="python"),
    Format("shell", "text/x-shellscript", ("sh", "bash", "zsh", "fish", "ps1", "bat"), "plain", "text", fence="sh"),
    Format("javascript", "text/javascript", ("js", "mjs", "cjs", "jsx"), "plain", "text", fence="js"),
    Format("typescript", "text/x-typescript", ("ts", "tsx"), "plain", "text", fence="ts"),
    Format("c", "text/x-c", ("c", "h"), "plain", "text", fence="c"),
    Format("c++", "text/x-c++", ("cc", "cpp", "cxx", "hpp", "hh"), "plain", "text", fence="cpp"),
    Format("java", "text/x-java", ("java",), "plain", "text", fence="java"),
    Format("go", "text/x-go", ("go",), "plain", "text", fence="go"),
    Format("rust", "text/x-rust", ("rs",), "plain", "text", fence="rust"),
    Format("ruby", "text/x-ruby", ("rb",), "plain", "text", fence="ruby"),
    Format("php", "text/x-php", ("php",), "plain", "text", fence="php"),
    Format("sql", "application/sql", ("sql",), "plain", "text", fence="sql"),
    Format("css", "text/css", ("css", "scss", "less"), "plain", "text", fence="css"),
    Format(
        "source",
        "text/x-source",
        ("cs", "kt", "kts", "swift", "scala", "lua", "pl", "r", "jl", "dart", "ex", "exs", "hs", "clj", "tf", "proto"),
        "plain",
        "text",
        fence="",
    ),
    Format("srt", "application/x-subrip", ("srt",), "subtitles", "text"),
    Format("vtt", "text/vtt", ("vtt",), "subtitles", "text"),
    Format("html", "text/html", ("html", "htm", "xhtml", "xht"), "html", "markup"),
    Format("xml", "application/xml", ("xml", "svg", "rss", "atom", "xsd", "xsl", "plist"), "plain", "markup"),
    Format("rtf", "application/rtf", ("rtf",), "rtf", "markup"),
    Format("eml", "message/rfc822", ("eml", "mht", "mhtml"), "mail", "markup"),
    Format("mbox", "application/mbox", ("mbox",), "mail", "markup"),
    Format("icalendar", "text/calendar", ("ics", "ical", "ifb"), "icalendar", "markup"),
    Format("vcard", "text/vcard", ("vcf", "vcard"), "vcard", "markup"),
    Format("tnef", "application/vnd.ms-tnef", ("tnef",), "tnef", "binary"),
    Format("webarchive", "application/x-webarchive", ("webarchive",), "webarchive", "binary"),
    Format("pdf", "application/pdf", ("pdf",), "pdf", "binary"),
    Format("png", "image/png", ("png",), "image", "image"),
    Format("jpeg", "image/jpeg", ("jpg", "jpeg", "jpe"), "image", "image"),
    Format("tiff", "image/tiff", ("tif", "tiff"), "image", "image"),
    Format("webp", "image/webp", ("webp",), "image", "image"),
    Format("gif", "image/gif", ("gif",), "image", "image"),
    Format("bmp", "image/bmp", ("bmp",), "image", "image"),
    Format("heic", "image/heic", ("heic", "heif"), "image", "image"),
    Format("arrow", "application/vnd.apache.arrow.file", ("arrow", "feather"), "columnar", "binary"),
    Format("orc", "application/vnd.apache.orc", ("orc",), "columnar", "binary"),
    Format("dbf", "application/vnd.dbf", ("dbf",), "dbf", "binary"),
    Format("sqlite", "application/vnd.sqlite3", ("sqlite", "sqlite3", "db3", "gpkg"), "sqlite", "binary"),
    Format("avro", "application/vnd.apache.avro", ("avro",), "avro", "binary"),
    Format("mobi", "application/x-mobipocket-ebook", ("mobi", "azw", "azw3", "prc", "pdb"), "mobi", "binary"),
    Format("parquet", "application/vnd.apache.parquet", ("parquet", "pq"), "parquet", "binary"),
    Format("docx", _OOXML + "wordprocessingml.document", ("docx", "docm", "dotx", "dotm"), "word", "zip"),
    Format(
        "pptx",
        _OOXML + "presentationml.presentation",
        ("pptx", "pptm", "ppsx", "ppsm", "potx", "potm"),
        "slides",
        "zip",
    ),
    Format("xlsx", _OOXML + "spreadsheetml.sheet", ("xlsx", "xlsm", "xltx", "xltm"), "spreadsheet", "zip"),
    Format("xlsb", "application/vnd.ms-excel.sheet.binary.macroenabled.12", ("xlsb",), "spreadsheet", "zip"),
    Format("odt", _ODF + "text", ("odt", "ott", "odm", "oth"), "opendocument", "zip"),
    Format("odp", _ODF + "presentation", ("odp", "otp"), "opendocument", "zip"),
    Format("odg", _ODF + "graphics", ("odg", "otg"), "opendocument", "zip"),
    Format("ods", _ODF + "spreadsheet", ("ods", "ots"), "spreadsheet", "zip"),
    Format("fods", _ODF + "spreadsheet-flat-xml", ("fods",), "spreadsheet", "markup"),
    Format("fodt", _ODF + "text-flat-xml", ("fodt",), "flat", "markup"),
    Format("fodp", _ODF + "presentation-flat-xml", ("fodp",), "flat", "markup"),
    Format("fodg", _ODF + "graphics-flat-xml", ("fodg",), "flat", "markup"),
    Format("spreadsheetml", "application/vnd.ms-excel.xml", (), "spreadsheet", "markup"),
    Format("confluence", "application/x-confluence+xml", ("confluence",), "confluence", "markup"),
    Format("fb2", "application/x-fictionbook+xml", ("fb2",), "fictionbook", "markup"),
    Format("epub", "application/epub+zip", ("epub",), "epub", "zip"),
    Format("hwpx", "application/hwp+zip", ("hwpx",), "hwpx", "zip"),
    Format("vsdx", "application/vnd.ms-visio.drawing.main+xml", _VISIO, "visio", "zip"),
    Format("xps", "application/vnd.ms-xpsdocument", ("xps", "oxps"), "xps", "zip"),
    Format("iwork", "application/vnd.apple.iwork", ("pages", "numbers", "key"), "iwork", "zip"),
    Format("doc", "application/msword", ("doc", "dot"), "word97", "ole"),
    Format("ppt", "application/vnd.ms-powerpoint", ("ppt", "pps", "pot"), "powerpoint", "ole"),
    Format("xls", "application/vnd.ms-excel", ("xls", "xlt"), "spreadsheet", "ole"),
    Format("hwp", "application/x-hwp", ("hwp",), "hwp", "ole"),
    Format("msg", "application/vnd.ms-outlook", ("msg",), "outlook", "ole"),
)

BY_NAME: dict[str, Format] = {one.name: one for one in FORMATS}
BY_EXTENSION: dict[str, Format] = {extension: one for one in FORMATS for extension in one.extensions}
BY_MEDIA_TYPE: dict[str, Format] = {one.media_type: one for one in FORMATS}


SHARED_EXTENSIONS = frozenset(("dot", "pot", "msg", "vcf", "key", "pages", "numbers", "pdb", "prc"))
"""Also those of text formats: graphs, translations, message catalogues, variants of genes, keys, lists, proteins."""


def extension_of(file_name: str) -> str:
    """Return the extension of a name, lower case, without the dot; empty for a name without one.

    ``"Report.PDF"`` and ``".pdf"`` give ``"pdf"``; ``"Makefile"``, ``"a.d/go"`` and ``"c"`` have none.
    """
    _, dot, extension = file_name[file_name.rfind("/") + 1 :].rpartition(".")
    return extension.lower() if dot else ""


def media_type_of(file_name: str) -> str:
    """Return the media type that a name promises; that of any bytes for one without a known extension."""
    kind = BY_EXTENSION.get(extension_of(file_name))
    return kind.media_type if kind is not None else "application/octet-stream"
