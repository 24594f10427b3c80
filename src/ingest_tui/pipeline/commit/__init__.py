"""From what was read to what is known: documents, versions, places, and what leaves them."""
