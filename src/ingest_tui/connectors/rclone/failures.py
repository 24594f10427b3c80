"""What rclone says when it fails, and what kind of failure that is.

rclone has few codes for what went wrong: mostly it passes on what a storage said, so that words have to be looked at.
"""

from __future__ import annotations

import json
import re
from typing import Literal, NamedTuple

from ingest_tui.model.redaction import redact
from ingest_tui.model.safe_text import safe_display

FailureKind = Literal[
    "throttled", "credential", "config", "remote_missing", "forbidden", "not_found", "network", "other"
]
_MOST_SAID = 300
_WORDS: dict[FailureKind, tuple[str, ...]] = {
    "config": ("decrypt config", "configuration password", "failed to load config"),
    "remote_missing": ("didn't find section in config",),
    "throttled": (
        *(r"\b429\b", r"\b503\b", "too many requests", "rate.?limit", "slow ?down", "quota exceeded", "throttl"),
        "try again later",
    ),
    "credential": (
        *(r"\b401\b", r"\b530\b", "unauthori[sz]ed", "unable to authenticate", "authentication ?failed"),
        *("invalid_grant", "invalid_client", "token (has )?expired", "expired_token", "fetch token", "empty token"),
        *(
            "login (incorrect|failed)",
            "logon failure",
            "bad credentials",
            "InvalidAccessKeyId",
            "SignatureDoesNotMatch",
        ),
    ),
    "forbidden": (
        *(r"\b403\b", "forbidden", "permission denied", "access ?denied", "insufficient ?permission", "not permitted"),
    ),
    "not_found": (
        *(r"\b404\b", "(directory|object|file|bucket|item|share) not found", "no such file", "does not exist"),
        *("NoSuchBucket", "is a directory not a file", "is a file not a directory"),
    ),
    "network": (
        *(r"\b50[024]\b", "internal server error", "bad gateway", "dial ", "connection", "no such host", "network"),
        *("timeout", "deadline exceeded", r"\bEOF\b", "broken pipe", "reset by", "handshake", "tls:", "temporar"),
        *("too many open files", "cannot allocate", "input/output error", "XML syntax", "invalid character"),
    ),
}
_SIGNS = {kind: re.compile("|".join(words), re.IGNORECASE) for kind, words in _WORDS.items()}
_RETRY_AFTER = re.compile(r"(?:retry[- ]after|trying again after|try again in)\D{0,12}(\d+(?:\.\d+)?)", re.IGNORECASE)
_LEVELS_OF_FAULTS = {"error", "critical", "fatal", "emergency", "alert"}
_TIME = r"(?:\d{4}/\d\d/\d\d \d\d:\d\d:\d\d )?"
_PLAIN_START = re.compile(_TIME + r"(?P<level>ERROR|CRITICAL|NOTICE)? ?:? ?(?P<summary>Failed to [^:]*: )?")


class RcloneFailedError(Exception):
    """A process of rclone, or a question to one, that failed: ``said`` is why, in its words."""

    def __init__(self, said: str, *, kind: FailureKind | None = None) -> None:
        super().__init__(said)
        self.said = safe_display(redact(said))[:_MOST_SAID] or "it ended without a word"
        self.kind: FailureKind = kind or kind_of(said)
        found = _RETRY_AFTER.search(said)
        self.retry_after = float(found[1]) if found and self.kind == "throttled" else None


class Fault(NamedTuple):
    """An error that rclone logged: of what (a folder or file of the source; empty: of all of it), and its words."""

    place: str
    said: str


def kind_of(said: str) -> FailureKind:
    """Return what kind of failure the words of rclone, or of a storage, are about."""
    return next((kind for kind, sign in _SIGNS.items() if sign.search(said)), "other")


def fault_in(line: bytes) -> Fault | None:
    """Return the error in a line of rclone's log; None for what is only a notice."""
    try:
        entry = json.loads(line)
        level, said = str(entry["level"]), str(entry["msg"])
    except (ValueError, KeyError, TypeError):
        return _plain_fault(line.decode(errors="replace").strip())
    if level.lower() in _LEVELS_OF_FAULTS:
        place = entry.get("object") if entry.get("objectType") == "string" else None
        return Fault(str(place or ""), said)
    return _plain_fault(said)


def _plain_fault(said: str) -> Fault | None:
    """Return the error of a line that is no JSON, or of the summary that rclone logs as a notice at its end."""
    found = _PLAIN_START.match(said)
    if found is None or not (found["summary"] or found["level"] in {"ERROR", "CRITICAL"}):
        return None
    return Fault("", said[found.end() :])
