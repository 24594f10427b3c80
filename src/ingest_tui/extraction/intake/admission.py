"""Which types a source takes: decided by the name before a byte is fetched, by the bytes before they are parsed."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

from ingest_tui.extraction.intake.formats import (
    BY_EXTENSION,
    BY_MEDIA_TYPE,
    BY_NAME,
    SHARED_EXTENSIONS,
    Format,
    extension_of,
)
from ingest_tui.model.errors import ItemRejectedError, ValidationError

NOT_ALLOWED = "type_not_allowed"
HINT = "'ingest-tui source edit SOURCE --any-type' takes all types; --allow-type and --deny-type choose"


@dataclass(frozen=True, slots=True)
class TypeFilter:
    """What is let in. Empty ``allowed``: everything; ``denied`` takes precedence.

    A format name (``pdf``) or a media type stands for all documents whose bytes are of that format. A mere extension
    (``docm``, ``log``) stands for files of that name whose bytes are of its format.
    """

    allowed: tuple[str, ...] = ()
    denied: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.allowed or self.denied)

    def refusal_of_name(self, file_name: str) -> str:
        """Return why a file of that name is not let in; empty when it is, or when only its bytes can tell."""
        return _refusal_of_extension(self, extension_of(file_name)) if self else ""

    def refusal_of_content(self, media_type: str, file_name: str) -> str:
        """Return why a document whose bytes are of a media type is not let in; empty when it is, or nobody knows."""
        kind = BY_MEDIA_TYPE.get(media_type)
        return _refusal(self, kind, extension_of(file_name)) if self and kind is not None else ""

    def check(self, kind: Format, file_name: str) -> None:
        """Raise `ItemRejectedError` (``type_not_allowed``) for a document that is not let in."""
        refusal = _refusal(self, kind, extension_of(file_name))
        if refusal:
            raise ItemRejectedError(refusal, code=NOT_ALLOWED, hint=HINT)


@lru_cache(maxsize=4096)
def _refusal_of_extension(types: TypeFilter, extension: str) -> str:
    kind = BY_EXTENSION.get(extension)
    return "" if kind is None or extension in SHARED_EXTENSIONS else _refusal(types, kind, extension)


def _refusal(types: TypeFilter, kind: Format, extension: str) -> str:
    denied = next((name for name in types.denied if _names_format(name, kind, extension)), None)
    if denied is not None:
        return f"it is {kind.name}, and the source takes no {denied}"
    if types.allowed and not any(_names_format(name, kind, extension) for name in types.allowed):
        return f"it is {kind.name}, and the source takes only {', '.join(types.allowed)}"
    return ""


def _names_format(name: str, kind: Format, extension: str) -> bool:
    if name in BY_NAME or name in BY_MEDIA_TYPE:
        return name in (kind.name, kind.media_type)
    return name == extension and BY_EXTENSION.get(name) is kind


def known_types(names: Iterable[str]) -> list[str]:
    """Return names of types as they are kept: lower case, without a leading dot, each once; blank ones left out.

    Raises `ValidationError` for one that is neither a format name, nor an extension, nor a media type, naming those
    that are.
    """
    wanted = dict.fromkeys(name.strip().lower().removeprefix(".") for name in names)
    unknown = [
        name for name in wanted if name and not (name in BY_NAME or name in BY_EXTENSION or name in BY_MEDIA_TYPE)
    ]
    if unknown:
        raise ValidationError(
            f"no type is called {unknown[0][:60]!r}",
            hint=f"known: {', '.join(sorted(BY_NAME))}; or one of their extensions or media types",
        )
    return [name for name in wanted if name]
