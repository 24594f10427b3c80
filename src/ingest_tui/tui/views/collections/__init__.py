"""The view Collections, and the page of a collection."""
