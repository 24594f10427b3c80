"""One text of an RTF document while it is gathered: paragraphs, list items, tables."""

from __future__ import annotations

from dataclasses import dataclass, field

from ingest_tui.extraction.markup.literal_text import heading, literal
from ingest_tui.extraction.tables.table import pipe_table


@dataclass(slots=True)
class RtfStory:
    """A text of its own: the body, a header, a note."""

    blocks: list[str] = field(default_factory=list)
    parts: list[str] = field(default_factory=list)
    cells: list[str] = field(default_factory=list)
    rows: list[list[str]] = field(default_factory=list)
    is_head: bool = False
    """Whether the row that is being read is repeated on each page."""
    head_rows: int = 0
    marker: str = ""
    _list_at: int = -1
    """Which of the blocks is a list that the next item belongs to; it is the last one then."""

    def end_paragraph(self, level: int, *, in_table: bool) -> None:
        if in_table:
            self.parts.append(" ")
            return
        text = "".join(self.parts).strip()
        self.parts.clear()
        self.end_table()
        marker, self.marker = self.marker.strip(), ""
        if not text:
            return
        if level:
            text = heading(level, f"{marker} {text}")
        elif marker:
            text = f"{marker if marker[:1].isdigit() and marker[-1:] in '.)' else '-'} {literal(text)}"
        else:
            text = literal(text)
        is_item = bool(marker) and not level
        if is_item and self._list_at == len(self.blocks) - 1 >= 0:
            self.blocks[-1] += f"\n{text}"
            return
        if is_item:
            self._list_at = len(self.blocks)
        self.blocks.append(text)

    def end_cell(self) -> None:
        self.cells.append(" ".join("".join(self.parts).split()))
        self.parts.clear()
        self.marker = ""

    def end_row(self) -> None:
        if self.cells:
            self.head_rows += self.is_head and self.head_rows == len(self.rows)
            self.rows.append(self.cells)
            self.cells = []
        self.is_head = False

    def end_table(self) -> None:
        self.end_row()
        if self.rows:
            table = pipe_table(self.rows, self.head_rows)
            self.rows, self.head_rows = [], 0
            self.blocks += [table] if table else []

    def finished(self) -> list[str]:
        if self.cells:
            self.end_cell()
        self.end_paragraph(0, in_table=False)
        return self.blocks
