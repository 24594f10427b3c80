"""Validators of others: registered in this process, or brought by an installed package for the parser processes."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import lru_cache, reduce
from importlib import import_module
from itertools import islice
from typing import Any, cast

from ingest_tui.extraction.intake.formats import BY_NAME, Format
from ingest_tui.model.errors import ItemError, ValidationError
from ingest_tui.model.extraction import MAX_FINDING_CHARACTERS, MAX_FINDINGS, Finding
from ingest_tui.model.foreign_errors import described
from ingest_tui.model.interrupts import is_ctrl_c

ENTRY_POINT_GROUP = "ingest_tui.validators"
EVERY_FORMAT = "*"
_MAX_CODE_CHARACTERS = 60

Validator = Callable[[bytes, Format], Iterable[Finding | str] | None]
"""Called once per document of its format, before parsing. Returns findings; a plain string is a warning.

Raises `ItemError` to refuse the document. Whatever else it raises costs a finding ``validator_failed``.
"""

_validators: dict[str, list[Validator]] = {}


def register_validator(format_name: str, validator: Validator) -> None:
    """Add a check for documents of one format (``"pdf"``, ``"docx"``, … or ``"*"`` for all), after those there are.

    It holds for this process. Parser processes take the entry points of the group `ENTRY_POINT_GROUP`, whose names are
    format names or ``"*"``. Raises `ValidationError` for a format that is not known.
    """
    if not _is_known(format_name):
        raise ValidationError(
            f"no format is called {format_name!r}", hint=f"known: {', '.join(sorted(BY_NAME))}, or {EVERY_FORMAT!r}"
        )
    _validators.setdefault(format_name, []).append(validator)


def _is_known(format_name: str) -> bool:
    return format_name == EVERY_FORMAT or format_name in BY_NAME


@lru_cache(maxsize=1)
def installed_validators() -> tuple[tuple[str, str], ...]:
    """Return ``(format name, "module:attribute")`` of all that installed packages bring. Imports none of them."""
    import logging
    from importlib.metadata import entry_points

    found: list[tuple[str, str]] = []
    for entry in entry_points(group=ENTRY_POINT_GROUP):
        if _is_known(entry.name):
            found.append((entry.name, f"{entry.module}:{entry.attr}"))
        else:
            log = logging.getLogger(__name__)
            log.warning("the validator %s is for %r, which is no format: left out", entry.value, entry.name)
    return tuple(sorted(found))


def register_by_reference(references: Iterable[tuple[str, str]]) -> None:
    """Add validators as `installed_validators` names them; each is imported when it is needed first."""
    for format_name, reference in references:
        _validators.setdefault(format_name, []).append(_Referenced(reference))


class _Referenced:
    """A validator named ``module:attribute``. A failed import is not tried again: its error is raised each time."""

    def __init__(self, reference: str) -> None:
        self.__qualname__ = reference
        self._validator: Validator | None = None
        self._failure: BaseException | None = None

    def __call__(self, content: bytes, kind: Format) -> Iterable[Finding | str] | None:
        if self._failure is not None:
            raise self._failure
        if self._validator is None:
            module, _, attribute = self.__qualname__.partition(":")
            try:
                self._validator = cast("Validator", reduce(getattr, attribute.split("."), import_module(module)))
            except BaseException as error:
                self._failure = error
                raise
        return self._validator(content, kind)


def run_registered(content: bytes, kind: Format) -> list[Finding]:
    """Return what the registered validators find. Raises what they raise to refuse: `ItemError`."""
    if not _validators:
        return []
    found: list[Finding] = []
    for name in (kind.name, EVERY_FORMAT):
        for validator in _validators.get(name, ()):
            found += _ask(validator, content, kind)
    return found


def _ask(validator: Validator, content: bytes, kind: Format) -> list[Finding]:
    try:
        answer = validator(content, kind) or ()
        several = [answer] if isinstance(answer, str) else islice(answer, MAX_FINDINGS)
        return [_as_finding(one) for one in several]
    except ItemError:
        raise
    except BaseException as error:  # the code of others may raise anything; that is not the document's fault
        if is_ctrl_c(error):
            raise
        name = getattr(validator, "__qualname__", type(validator).__name__)
        message = f"the validator {name} failed: {described(error)}"
        return [Finding("warning", "validator_failed", message[:MAX_FINDING_CHARACTERS])]


def _as_finding(value: Any) -> Finding:
    if isinstance(value, str):
        return Finding("warning", "noted", value[:MAX_FINDING_CHARACTERS])
    if not isinstance(value, Finding) or value.severity not in ("error", "warning"):
        raise TypeError(f"it gave {type(value).__name__} where a Finding is due")
    return Finding(value.severity, str(value.code)[:_MAX_CODE_CHARACTERS], str(value.message)[:MAX_FINDING_CHARACTERS])
