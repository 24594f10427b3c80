"""Forms of text with marks: Markdown, XHTML, light markup, and lines of name and value (calendars, contacts)."""
