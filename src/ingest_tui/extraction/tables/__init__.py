"""Tables, whichever format they came in: their headers, their cells, and how they are written as markdown."""
