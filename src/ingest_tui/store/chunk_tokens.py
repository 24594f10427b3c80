"""The limits of a collection's chunks, with the tokenizer that it names read from its file.

``tokenizers`` is the library that models were trained with; it is imported when a collection counts tokens.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ingest_tui.model.chunk_limits import ChunkLimits, ChunkRules, Measure
from ingest_tui.model.errors import MissingDependencyError, ValidationError
from ingest_tui.model.safe_text import safe_display

if TYPE_CHECKING:
    from tokenizers import Tokenizer

_LARGEST_FILE = 256 * 1024**2
_WINDOW = 8
"""Characters that are read for each token at first, when it is asked how far some tokens reach."""


def limits_of(rules: ChunkRules) -> ChunkLimits:
    """Return rules with what measures by them.

    Raises `MissingDependencyError`, and `ValidationError` (``tokenizer_unusable``) for a file that is missing or no
    tokenizer.
    """
    if rules.unit == "characters":
        return ChunkLimits(rules)
    path = Path(rules.tokenizer)
    try:
        status = path.stat()
        if not path.is_file():
            raise _refusal(rules, "it is no file")
        if status.st_size > _LARGEST_FILE:
            raise _refusal(rules, f"it is larger than {_LARGEST_FILE // 1024**2} MiB")
        return ChunkLimits(rules, _tokens_of(path, (status.st_mtime_ns, status.st_size, status.st_ino)))
    except OSError as error:
        raise _refusal(rules, error.strerror or type(error).__name__) from None
    except ValueError as error:  # a NUL in the path, or what the library says of the file
        raise _refusal(rules, str(error)) from None


def _refusal(rules: ChunkRules, why: str) -> ValidationError:
    return ValidationError(
        f"the tokenizer {safe_display(rules.tokenizer)} cannot be used: {safe_display(why)}"[:500],
        code="tokenizer_unusable",
        hint="set preferences.tokenizer in the file of the collection to a tokenizer.json, or chunk_unit to characters",
        setting="tokenizer",
    )


@lru_cache(maxsize=4)
def _tokens_of(path: Path, _state: tuple[int, ...]) -> Measure:
    try:
        from tokenizers import Tokenizer
    except ImportError as error:
        raise MissingDependencyError(
            "counting tokens needs the library tokenizers", hint='pip install "ingest-tui[tokens]"'
        ) from error
    try:
        tokenizer = Tokenizer.from_file(str(path))
    except Exception as error:
        raise ValueError(str(error)) from error
    tokenizer.no_truncation()  # the file may say that a model sees only its first tokens
    tokenizer.no_padding()
    return Tokens(tokenizer)


class Tokens(Measure):
    """Counts the tokens of a tokenizer, without those that it puts around a text for its model."""

    def __init__(self, tokenizer: Tokenizer) -> None:
        self._tokenizer = tokenizer

    def _encode(self, text: str) -> Any:
        return self._tokenizer.encode(text, add_special_tokens=False)

    def size(self, text: str) -> int:
        """Return how many tokens a text has."""
        return len(self._encode(text))

    def reach(self, text: str, start: int, limit: int) -> int:
        """Return the offset up to which the text from ``start`` has at most ``limit`` tokens; beyond ``start``."""
        width = limit * _WINDOW
        while True:
            window = text[start : start + width]
            found = self._encode(window)
            if len(found) > limit:
                # A character may have several tokens: one that would be cut belongs to the rest.
                return start + max(min(int(found.offsets[limit - 1][1]), int(found.offsets[limit][0])), 1)
            if start + width >= len(text):
                return len(text)
            width *= 2

    def tail(self, text: str, limit: int) -> int:
        """Return the offset from which the rest of the text has at most ``limit`` tokens."""
        found = self._encode(text)
        if len(found) <= limit:
            return 0
        first = len(found) - limit
        return max(int(found.offsets[first][0]), int(found.offsets[first - 1][1]))
