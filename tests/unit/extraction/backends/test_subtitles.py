"""Subtitles become sentences with their times."""

from __future__ import annotations

import pytest

from ingest_tui.extraction.parse import extract, extract_text


def srt(*cues: tuple[str, str, str]) -> bytes:
    numbered = enumerate(cues, 1)
    return "\n".join(f"{number}\n{start} --> {end}\n{text}\n" for number, (start, end, text) in numbered).encode()


def test_a_sentence_over_several_cues_is_one_paragraph() -> None:
    """Phrases can be found across cues; a new sentence, speaker or a pause begins a paragraph with its time."""
    content = srt(
        ("00:00:01,000", "00:00:02,000", "all the\napples"),
        ("00:00:02,000", "00:00:03,000", "fall down."),
        ("00:00:03,000", "00:00:04,000", "- Why"),
        ("00:00:04,000", "00:00:05,000", "ANN: because"),
        ("01:00:04,000", "01:00:05,000", '{\\an8}<font color="red">later</font>'),
    )
    said = ["00:00:01 all the apples fall down.", "00:00:03 - Why", "00:00:04 ANN: because", "01:00:04 later"]
    assert extract_text(content, ".srt") == "\n\n".join(said) + "\n"
    assert [element.metadata["start"] for element in extract(content, file_name="a.srt").elements][-1] == 3604


def test_numbers_that_are_said_stay() -> None:
    """Only a number before a line of times is a number of a cue."""
    content = srt(("00:00:01,000", "00:00:02,000", "42"), ("00:00:02,000", "00:00:03,000", "1984\n\nand more"))
    assert extract_text(content, ".srt") == "00:00:01 42 1984 and more\n"


def test_lines_before_the_first_cue_are_kept() -> None:
    """A title or a name on top of SubRip is a text of its own, the number of the first cue is none."""
    content = b"The film\n\n" + srt(("00:00:01,000", "00:00:02,000", "words"))
    assert extract_text(content, ".srt") == "The film\n\n00:00:01 words\n"


def test_webvtt_without_what_nobody_sees() -> None:
    """Styles, regions, comments, names of cues, settings and times within a cue are not said."""
    content = (
        "\ufeffWEBVTT - secret\nKind: secret\n\nSTYLE\n::cue { color: secret }\n\nNOTE\nsecret\n\nsecret name\n"
        "00:01.000 --> 00:02.000 position:10%\n<v.loud Ann Bee>a &lt; b<00:01.500><c.x> c</c></v>\n\n"
        "NOTEBOOK secret\n00:03.000 --> 00:04.000\nNOTEs are said\n"
    )
    assert extract_text(content.encode(), ".vtt") == "00:00:01 Ann Bee: a < b c NOTEs are said\n"


def test_captions_that_roll_up_are_said_once() -> None:
    """The line that moves up is shown twice and said once."""
    cues = ("00:01.000 --> 00:02.000\none", "00:02.000 --> 00:03.000\none\ntwo", "00:03.000 --> 00:04.000\ntwo\nthree")
    assert extract_text(("WEBVTT\n\n" + "\n\n".join(cues)).encode(), ".vtt") == "00:00:01 one two three\n"


@pytest.mark.parametrize("name", ["a.srt", "a.vtt"])
def test_no_subtitles_are_still_text(name: str) -> None:
    """A file that is called so and holds no cue is given as it is, in any encoding."""
    assert extract_text("Grüße\r\n1\r\n".encode("cp1252"), name) == "Grüße\n1\n"
