"""What is shown of a mail, whichever format it came in, as markdown and as elements."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from ingest_tui.extraction.markup.literal_text import heading
from ingest_tui.extraction.markup.markdown import shift_headings
from ingest_tui.model.extraction import Element

SHOWN_HEADERS = ("From", "Reply-To", "To", "Cc", "Bcc", "Date")


@dataclass(slots=True)
class Attachment:
    """A file of a mail: its name, type, size in bytes, and the text of one that can be read.

    ``content`` is what is still to be read of it, by the name ``read_as``.
    """

    name: str
    media_type: str
    size: int
    text: str = ""
    content: bytes = b""
    read_as: str = ""

    def line(self) -> str:
        return f"- {self.name} ({self.media_type}, {self.size} bytes)"


def attached_parts(attachments: Sequence[Attachment], level: int) -> list[str]:
    """Return what is shown of attachments below a heading of ``level``: their names, then the texts there are."""
    if not attachments:
        return []
    parts = [f"{'#' * min(level + 1, 6)} Attachments", "\n".join(one.line() for one in attachments)]
    for one in attachments:
        if one.text:
            parts += [heading(min(level + 2, 6), one.name), shift_headings(one.text, level + 2)]
    return parts


@dataclass(slots=True)
class Mail:
    """What is shown of one mail. ``inner`` are the mails that it forwards."""

    headers: dict[str, str]
    bodies: list[str] = field(default_factory=list)
    attachments: list[Attachment] = field(default_factory=list)
    inner: list[Mail] = field(default_factory=list)

    @property
    def subject(self) -> str:
        return self.headers.get("Subject", "")

    def _shown_headers(self) -> str:
        return "\n".join(f"- {name}: {self.headers[name]}" for name in SHOWN_HEADERS if name in self.headers)

    def markdown(self, level: int) -> str:
        """Return the mail as markdown whose headings begin at ``level``."""
        parts = [heading(min(level, 6), self.subject)] if self.subject else []
        parts += [self._shown_headers(), *(shift_headings(body, level) for body in self.bodies)]
        parts += [one.markdown(level + 1) for one in self.inner]
        parts += attached_parts(self.attachments, level)
        return "\n\n".join(part.strip("\n") for part in parts if part.strip()) + "\n"

    def elements(self) -> list[Element]:
        """Return the mail in elements, with its headers as metadata of the first."""
        keys = {name.lower().replace("-", "_"): value for name, value in self.headers.items()}
        found = [Element(self._shown_headers(), {"category": "EmailHeaders", **keys})]
        found += [Element(body, {"category": "EmailBody"}) for body in self.bodies]
        for one in self.inner:
            found += one.elements()
        if self.attachments:
            rows = [{"name": one.name, "media_type": one.media_type, "bytes": one.size} for one in self.attachments]
            named = "\n".join(one.line() for one in self.attachments)
            found.append(Element(named, {"category": "EmailAttachments", "attachments": rows}))
            found += [Element(one.text, {"category": "EmailAttachment", "name": one.name}) for one in self.attachments]
        return found
