"""The filter of lists: words that must be there, and words after a ``!`` that must not."""

from __future__ import annotations


def matches(searchable: str, words: str) -> bool:
    """Tell whether ``searchable``, in lower case, has every word, and none of those after a ``!``."""
    for word in words.lower().split():
        if word.startswith("!"):
            if len(word) > 1 and word[1:] in searchable:
                return False
        elif word not in searchable:
            return False
    return True
