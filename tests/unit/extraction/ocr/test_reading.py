"""Images and scanned pages, read by OCR."""

from __future__ import annotations

from collections.abc import Callable
from email.message import EmailMessage

import pytest
from PIL import Image

from ingest_tui.extraction.intake.validation import EmptyDocumentError
from ingest_tui.extraction.ocr.page_image import picture_of_pdf_page
from ingest_tui.extraction.parse import extract
from ingest_tui.model.errors import ItemError, ItemRejectedError, ProcessingError
from ingest_tui.model.ocr import OcrMode, OcrRequest
from tests.made_files import pdf_of, pdf_pages
from tests.made_images import LINES, drawn, ocr_request, saved, scanned_pdf

TEXT = "\n".join(LINES)


def two_pages() -> bytes:
    """Return a fax: a TIFF of two pages."""
    second = drawn(["The second page of the fax"])
    return saved(drawn(), "TIFF", save_all=True, append_images=[second], compression="tiff_lzw")


def black_on_nothing() -> Image.Image:
    """Return letters on a transparent ground."""
    grey = drawn()
    letters = Image.new("LA", grey.size, (0, 0))
    letters.putalpha(grey.point(lambda value: 255 - value))
    return letters


def turned_by_its_camera() -> bytes:
    """Return a photo that lies on its side, with the note of which way is up."""
    exif = Image.Exif()
    exif[0x112] = 6
    return saved(drawn().rotate(90, expand=True), "JPEG", exif=exif)


IMAGES: dict[str, Callable[[], bytes]] = {
    "a.png": lambda: saved(drawn(), "PNG"),
    "a.jpg": lambda: saved(drawn(), "JPEG"),
    "a.webp": lambda: saved(drawn(), "WEBP"),
    "a.gif": lambda: saved(drawn(), "GIF"),
    "a.bmp": lambda: saved(drawn(), "BMP"),
    "deep.png": lambda: saved(drawn().convert("I").point(lambda value: value * 256).convert("I;16"), "PNG"),
    "ink.jpg": lambda: saved(drawn().convert("CMYK"), "JPEG"),
    "letters.png": lambda: saved(black_on_nothing(), "PNG"),
    "photo.jpg": turned_by_its_camera,
    "sideways.png": lambda: saved(drawn().rotate(90, expand=True), "PNG"),
    "small.png": lambda: saved(drawn().resize((450, 150)), "PNG"),
}


QUICK = {"a.png", "photo.jpg"}
"""Reading a picture takes half a second; the others are read in the slow run."""


@pytest.mark.parametrize(
    "name", [name if name in QUICK else pytest.param(name, marks=pytest.mark.slow) for name in IMAGES]
)
def test_images_of_every_kind_are_read(name: str) -> None:
    """Whatever holds the picture and however it lies, its lines are found, and how sure the engine is."""
    extraction = extract(IMAGES[name](), file_name=name, ocr=ocr_request())
    assert extraction.markdown.split() == TEXT.split()
    assert extraction.ocr is not None
    assert extraction.ocr["mean_confidence"] > 0.8
    assert [finding.code for finding in extraction.validation] == []


def test_all_pages_of_a_fax_are_read() -> None:
    """A TIFF may hold many pages."""
    extraction = extract(two_pages(), file_name="fax.tif", ocr=ocr_request())
    assert LINES[0] in extraction.markdown
    assert "second page" in extraction.markdown
    assert extraction.pages == 2


def test_switched_off_an_image_is_refused_with_the_switch_in_the_hint() -> None:
    """Without OCR nothing changes, but that the way to it is named."""
    with pytest.raises(ItemRejectedError, match="cannot read a PNG image") as caught:
        extract(saved(drawn(), "PNG"), file_name="a.png")
    assert caught.value.reason == "needs_ocr"
    assert "--ocr auto" in caught.value.hint


@pytest.mark.slow
@pytest.mark.parametrize(("mode", "read_pages"), [("never", 0), ("auto", 1), ("always", 2)])
def test_of_a_mixed_pdf_only_the_scanned_pages_are_read(mode: OcrMode, read_pages: int) -> None:
    """Text that a page has of its own stays as it is, unless everything is to be read."""
    pdf = scanned_pdf(["Typed words of the first page", drawn()])
    extraction = extract(pdf, file_name="a.pdf", ocr=ocr_request(mode))
    assert "Typed words of the first page" in extraction.markdown
    assert (LINES[0] in extraction.markdown) is (mode != "never")
    assert (extraction.ocr or {"pages": 0})["pages"] == read_pages


def test_a_scan_without_ocr_names_the_switch_and_with_it_is_a_document() -> None:
    """The reason of an empty scan says that OCR would read it."""
    pdf = scanned_pdf([drawn()])
    with pytest.raises(EmptyDocumentError) as caught:
        extract(pdf, file_name="a.pdf")
    assert caught.value.reason == "needs_ocr"
    assert "--ocr auto" in caught.value.hint
    assert extract(pdf, file_name="a.pdf", ocr=ocr_request()).markdown.split() == TEXT.split()


@pytest.mark.parametrize("content", [saved(drawn([]), "PNG"), scanned_pdf([drawn([])])])
def test_where_nothing_is_written_nothing_is_found(content: bytes) -> None:
    """A blank picture is an empty document, not one that needs OCR."""
    with pytest.raises(EmptyDocumentError) as caught:
        extract(content, file_name="a", ocr=ocr_request())
    assert caught.value.reason == "ocr_found_nothing"


def rendered(text: str) -> bytes:
    """Return the picture of a page with a line in Helvetica."""
    import pypdfium2

    pdf = pdf_of(pdf_pages(text)).replace(b"/BaseFont /Helvetica", b"/BaseFont /Helvetica /Encoding /WinAnsiEncoding")
    page = picture_of_pdf_page(pypdfium2.PdfDocument(pdf)[0])
    return saved(Image.frombytes("L", (page.width, page.height), page.pixels), "PNG")


@pytest.mark.slow
def test_umlauts_need_their_language() -> None:
    """Several languages are read at once."""
    image = rendered("Gr\\374\\337e aus M\\374nchen und K\\366ln")  # the font of the other pictures has no umlauts
    markdown = extract(image, file_name="a.png", ocr=ocr_request(languages=("eng", "deu"))).markdown
    assert markdown.startswith("Grüße aus München und K")


@pytest.mark.slow
def test_little_confidence_is_a_finding() -> None:
    """What the engine is not sure of is named with its page."""
    dirt = Image.effect_noise((900, 300), 120)
    dirty = Image.blend(drawn(shade=90), dirt, 0.62)
    try:
        extraction = extract(saved(dirty, "PNG"), file_name="a.png", ocr=ocr_request())
    except EmptyDocumentError:
        pytest.fail("too dirty to show anything")
    assert [finding.code for finding in extraction.validation] == ["ocr_low_confidence"]
    assert "page 1 (" in extraction.validation[0].message


def test_missing_language_data_is_named_and_never_fetched(tmp_path: object) -> None:
    """Before anything is read the data of each language is looked for; what brings it is in the hint."""
    request = ocr_request(languages=("eng", "fra", "chi_sim"))
    with pytest.raises(ProcessingError, match="for fra, chi_sim") as caught:
        extract(saved(drawn(), "PNG"), file_name="a.png", ocr=request)
    assert caught.value.reason == "missing_ocr_data"
    assert "apt install tesseract-ocr-fra tesseract-ocr-chi-sim" in caught.value.hint


def test_text_is_read_without_any_data() -> None:
    """A PDF that has text of its own needs no language data although OCR is switched on."""
    extraction = extract(scanned_pdf(["Typed words"]), file_name="a.pdf", ocr=OcrRequest("auto", ("eng",)))
    assert "Typed words" in extraction.markdown


@pytest.mark.parametrize(
    "content",
    [
        saved(drawn(), "PNG")[:-400],
        saved(drawn(), "JPEG")[:300],
        b"\x89PNG\r\n\x1a\n" + bytes(60),
        b"II*\x00" + bytes(60),
    ],
)
def test_damaged_images_have_a_reason(content: bytes) -> None:
    """A picture that is cut short is an outcome with a reason."""
    with pytest.raises(ItemError) as caught:
        extract(content, file_name="a", ocr=ocr_request())
    assert caught.value.reason == "malformed"


def test_an_oversized_image_has_its_reason() -> None:
    """A picture that unpacks to more than is read is refused before it is unpacked."""
    with pytest.raises(ItemError) as caught:
        extract(saved(Image.new("1", (20_000, 20_000)), "PNG"), file_name="a", ocr=ocr_request())
    assert caught.value.reason == "image_too_large"


def mail_with_a_scan() -> bytes:
    """Return a mail with a picture of text."""
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = "a@example.org", "b@example.org", "The report"
    mail.set_content("It is attached.")
    mail.add_attachment(saved(drawn(), "PNG"), maintype="image", subtype="png", filename="scan.png")
    return mail.as_bytes()


def test_scans_in_a_mail_are_read() -> None:
    """An attached scan is read like one by itself."""
    assert LINES[0] in extract(mail_with_a_scan(), file_name="a.eml", ocr=ocr_request()).markdown
    assert LINES[0] not in extract(mail_with_a_scan(), file_name="a.eml").markdown


def test_a_mail_whose_scan_cannot_be_read_says_why() -> None:
    """What is missing to read an attachment is a finding of the mail."""
    extraction = extract(mail_with_a_scan(), file_name="a.eml", ocr=ocr_request(languages=("fra",)))
    assert [finding.code for finding in extraction.validation] == ["ocr_unavailable"]
