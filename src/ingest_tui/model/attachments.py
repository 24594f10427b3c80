"""What becomes of files that are attached to a document: to a mail, or embedded in a PDF."""

from __future__ import annotations

from typing import Literal

AttachmentsSetting = Literal["inline", "documents", "names"]
"""``inline``: their text is part of the document, under their names. ``documents``: they are documents of their own,
members of what they are attached to. ``names``: the document has their names alone."""

INLINE: AttachmentsSetting = "inline"
MAX_ATTACHMENTS = 1_000
"""Of one mail or PDF; what is beyond is left out, which is a finding."""
_MARK = "@"


def mark_of(setting: AttachmentsSetting) -> str:
    """Return what a ruleset begins with under a setting; nothing under the usual one, which others do not name."""
    return "" if setting == INLINE else f"{setting}{_MARK}"


def mark_in(ruleset: str) -> str:
    """Return the part of a ruleset that `mark_of` has put before it."""
    return ruleset[: ruleset.index(_MARK) + 1] if _MARK in ruleset else ""
