"""What the layout of printed pages says: lines, tables, headings, and what is repeated on every page."""
