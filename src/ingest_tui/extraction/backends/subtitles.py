"""Subtitles (SubRip, WebVTT): what is said, each sentence with the time at which it begins."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from html import unescape

from ingest_tui.extraction.backends.base import Parsed, ParseInput
from ingest_tui.extraction.intake.decoding import decode_text
from ingest_tui.extraction.markup.literal_text import literal
from ingest_tui.model.extraction import Element

_STAMP = r"(?:(\d{1,4}):)?(\d{1,2}):(\d{2})(?:[.,](\d{1,3}))?"
_TIMING = re.compile(rf"\s*{_STAMP}[ \t]*-->[ \t]*{_STAMP}(?:[ \t].*)?")
_SPEAKER = re.compile(r"<v(?:\.[^\s>]*)?[ \t]+([^>]{1,200})>")
_TAG = re.compile(r"</?[A-Za-z][^<>]{0,200}>|<\d[\d:.]{3,14}>|\{\\[^{}]{0,200}\}")
_NO_CUE = re.compile(r"(?:NOTE|STYLE|REGION)(?:[ \t].*)?")
_SENTENCE_ENDS = (".", "!", "?", "…", "。", "！", "？", '"', "”", "»", "♪", ")", "]", ":")
_MAX_PAUSE_SECONDS = 3
_MAX_PARAGRAPH_CHARACTERS = 500


@dataclass(slots=True)
class _Cue:
    start: float
    end: float
    lines: list[str] = field(default_factory=list)


def parse(parse_input: ParseInput) -> Parsed:
    """Return what is said, a sentence that runs over several cues as one paragraph, each with its time.

    A file without any cue is given as it is. Raises `ItemRejectedError` for bytes that are no text.
    """
    text, _encoding, findings = decode_text(parse_input.content)
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    is_vtt = parse_input.format.name == "vtt"
    cues = _cues(lines, is_vtt=is_vtt)
    if not cues:
        return Parsed(text, findings=findings)
    before = [literal(said) for line in lines[: _first_cue(lines)] if not is_vtt and (said := _said(line))]
    elements = [Element(" ".join(before), {"category": "NarrativeText"})] if before else []
    elements += [
        Element(f"{_clock(one.start)} {' '.join(one.lines)}", {"category": "NarrativeText", "start": one.start})
        for one in _paragraphs(cues)
    ]
    return Parsed("\n\n".join(one.text for one in elements) + "\n", elements, findings=findings)


def _cues(lines: list[str], *, is_vtt: bool) -> list[_Cue]:
    """Return the cues with their lines of text. What is between cues belongs to the one before it."""
    cues: list[_Cue] = []
    is_comment = False
    for number, line in enumerate(lines):
        timing = _TIMING.fullmatch(line)
        if timing is not None:
            cues.append(_Cue(_seconds(timing.groups()[:4]), _seconds(timing.groups()[4:])))
            is_comment = False
        elif is_vtt and _NO_CUE.fullmatch(line) and (number == 0 or not lines[number - 1].strip()):
            is_comment = True
        elif not line.strip():
            is_comment = False
        elif cues and not is_comment and not _is_identifier(lines, number, is_vtt=is_vtt):
            said = _said(line)
            if said:
                cues[-1].lines.append(said)
    return cues


def _first_cue(lines: list[str]) -> int:
    """Return the number of lines before the first cue, of which the last may be its number."""
    times = next(number for number, line in enumerate(lines) if _TIMING.fullmatch(line))
    return times - 1 if times and lines[times - 1].strip().isdigit() else times


def _is_identifier(lines: list[str], number: int, *, is_vtt: bool) -> bool:
    """Say whether a line is the number or the name of the cue whose times follow."""
    is_before_times = number + 1 < len(lines) and _TIMING.fullmatch(lines[number + 1]) is not None
    return is_before_times and (lines[number].strip().isdigit() or (is_vtt and not lines[number - 1].strip()))


def _said(line: str) -> str:
    named = _SPEAKER.sub(r"\1: ", line)
    return " ".join(unescape(_TAG.sub("", named)).split())


def _seconds(stamp: tuple[str | None, ...]) -> float:
    hours, minutes, seconds, fraction = (part or "0" for part in stamp)
    return int(hours) * 3600 + int(minutes) * 60 + int(seconds) + float(f"0.{fraction}")


def _clock(seconds: float) -> str:
    minutes, rest = divmod(int(seconds), 60)
    return f"{minutes // 60:02}:{minutes % 60:02}:{rest:02}"


def _paragraphs(cues: list[_Cue]) -> list[_Cue]:
    paragraphs: list[_Cue] = []
    last_line = ""
    for cue in cues:
        # Captions that roll up show the last line of the cue before once more.
        rolls = bool(paragraphs) and cue.start <= paragraphs[-1].end and cue.lines[:1] == [last_line]
        lines = cue.lines[1:] if rolls else cue.lines
        if not lines:
            continue
        last_line = lines[-1]
        if paragraphs and _continues(paragraphs[-1], cue, lines[0]):
            paragraphs[-1].lines += lines
            paragraphs[-1].end = cue.end
        else:
            paragraphs.append(_Cue(cue.start, cue.end, list(lines)))
    return paragraphs


def _continues(paragraph: _Cue, cue: _Cue, line: str) -> bool:
    return (
        not paragraph.lines[-1].endswith(_SENTENCE_ENDS)
        and not line.startswith(("-", "–", "♪", "["))
        and cue.start - paragraph.end <= _MAX_PAUSE_SECONDS
        and sum(map(len, paragraph.lines)) < _MAX_PARAGRAPH_CHARACTERS
        and not re.match(r"[^:]{1,40}: ", line)
    )
