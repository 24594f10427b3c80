"""The schema that a source gives its documents: how it is read, and what in a document does not follow it."""
