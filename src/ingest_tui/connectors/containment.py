"""A bug in a connector is a failure of what it was asked for, with message and place, never of everything around it."""

from __future__ import annotations

import traceback
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import PurePath

from ingest_tui.model.descriptor import Descriptor, ListingEnd, ListingPage
from ingest_tui.model.errors import (
    IngestError,
    ItemError,
    SourceAccessError,
    TransientItemError,
    TransientSourceError,
)
from ingest_tui.model.foreign_errors import described, text_of
from ingest_tui.model.interrupts import is_ctrl_c
from ingest_tui.model.safe_text import safe_display

CONNECTOR_ERROR = "connector_error"
_MOST_PLACES = 5
_LARGEST_INTEGER = 2**63 - 1
_HINT = "'ingest-tui job logs' shows where; report it to whoever maintains the connector"
_CONNECTION_HINT = "'ingest-tui source test SOURCE' checks the connection; what is done stays done"


def item_failure(error: BaseException, descriptor: Descriptor) -> ItemError:
    """Return the failure of one item for what a connector raised while it was read, its own errors unchanged.

    Raises a Ctrl-C. Anything else is contained, also what is no `Exception` (`SystemExit`, a panic of a library).
    """
    if is_ctrl_c(error):
        raise error
    if isinstance(error, ItemError):
        return error
    if isinstance(error, IngestError):
        return ItemError(error.message, hint=error.hint, code=error.reason, uri=descriptor.uri)
    if isinstance(error, (ConnectionError, TimeoutError)):
        return TransientItemError(described(error), hint=_CONNECTION_HINT, code="network", uri=descriptor.uri)
    return ItemError(
        f"the connector failed: {described(error)}",
        hint=_HINT,
        code=CONNECTOR_ERROR,
        uri=descriptor.uri,
        places=places_of(error),
    )


def source_failure(error: BaseException, doing: str) -> IngestError:
    """Return the failure of a source for what a connector raised while ``doing`` something, its own unchanged.

    Raises a Ctrl-C, as `item_failure` does.
    """
    if is_ctrl_c(error):
        raise error
    if isinstance(error, IngestError):
        return error
    if isinstance(error, (ConnectionError, TimeoutError)):
        return TransientSourceError(described(error), hint=_CONNECTION_HINT, code="network")
    return SourceAccessError(
        f"the connector failed while {doing}: {described(error)}",
        hint=_HINT,
        code=CONNECTOR_ERROR,
        places=places_of(error),
    )


@contextmanager
def of_one_source(name: str) -> Iterator[None]:
    """Let a bug of a connector, also what is no `Exception`, be a failure that names the source.

    A `SystemExit` or `KeyboardInterrupt` of a plug-in must not end the command; a Ctrl-C does.
    """
    try:
        yield
    except GeneratorExit:
        raise
    except Exception as error:
        if not isinstance(error, IngestError) or error.reason != CONNECTOR_ERROR or "source_id" in error.context:
            raise
        raise _named(error, name) from None
    except BaseException as error:  # noqa: BLE001 - the code of others may raise anything
        raise _named(source_failure(error, "it was asked"), name) from None


def _named(failure: IngestError, name: str) -> SourceAccessError:
    shown = safe_display(name)
    return SourceAccessError(
        f"source '{shown}': {failure.message}",
        hint=f"'ingest-tui source test {shown}' tries it; report it to whoever maintains the connector",
        code=failure.reason,
        source_id=name,
        places=failure.context.get("places"),
    )


@contextmanager
def tolerated() -> Iterator[None]:
    """Let anything that a connector raises pass for no answer, but a Ctrl-C: for questions that need none."""
    try:
        yield
    except GeneratorExit:
        raise
    except BaseException as error:
        if is_ctrl_c(error):
            raise


def places_of(error: BaseException) -> list[str]:
    """Return where an error comes from, innermost last, as ``file:line function``: no data, which tracebacks quote."""
    frames = traceback.extract_tb(error.__traceback__)[-_MOST_PLACES:]
    return [f"{PurePath(frame.filename).name}:{frame.lineno} {frame.name}" for frame in frames]


class DescriptorChecks:
    """Checks the descriptors of a foreign connector, page by page.

    What has no usable key cannot be planned with and is left out: the listing then counts as incomplete, since a
    document may be behind it. A listing in which nothing is usable has failed.
    """

    def __init__(self) -> None:
        self._usable = 0
        self._unusable = 0
        self._first_error: BaseException | None = None

    def page(self, page: ListingPage) -> ListingPage:
        """Return the page with what can be planned with; raises `SourceAccessError` when it is no page."""
        usable: list[Descriptor] = []
        try:
            for descriptor in page.descriptors:
                try:
                    usable.append(checked(descriptor))
                except Exception as error:  # noqa: BLE001 - the values of others may be anything
                    self._unusable += 1
                    self._first_error = self._first_error or error
        except BaseException as error:  # noqa: BLE001 - as above
            raise source_failure(error, "listing") from None
        self._usable += len(usable)
        cursor = page.cursor if isinstance(page.cursor, str) else None
        return ListingPage(usable, cursor, restarts=bool(page.restarts))

    def end(self, end: ListingEnd) -> ListingEnd:
        """Return how the listing ended; raises `SourceAccessError` when nothing of it could be used."""
        end = _checked_end(end)
        if self._first_error is None:
            return end
        if not self._usable:
            raise source_failure(self._first_error, "listing") from None
        what = f"{self._unusable} of its items are" if self._unusable > 1 else "one of its items is"
        gap = ("", f"{what} left out, the connector is at fault: {text_of(self._first_error)}")
        return end._replace(complete=False, gaps=(*end.gaps, gap))


def _checked_end(end: ListingEnd) -> ListingEnd:
    """Return the end of a foreign listing; one whose values are not what the contract says proves nothing."""
    complete, gaps, volumes, doubts, bounded = end
    rules = (
        ("complete", "True or False", isinstance(complete, bool)),
        ("gaps", "pairs of texts", _are_pairs_of_texts(gaps)),
        ("volumes", "text by name", isinstance(volumes, Mapping) and is_text_by_name(dict(volumes))),
        ("doubts", "pairs of texts", _are_pairs_of_texts(doubts)),
        ("bounded", "True or False", isinstance(bounded, bool)),
    )
    wrong = next((f"{name} must be {needed}" for name, needed, holds in rules if not holds), "")
    if not wrong:
        return end
    gap = ("", f"the end of the listing proves nothing, the connector is at fault: {wrong}")
    return ListingEnd(complete=False, gaps=(*(gaps if _are_pairs_of_texts(gaps) else ()), gap))


def checked(descriptor: Descriptor) -> Descriptor:
    """Return a descriptor of a foreign connector as it may be planned with.

    One whose values are not what the contract says is refused, which costs that item and no other. Raises `TypeError`
    for one without a key: nothing can be said of it.
    """
    if not isinstance(descriptor, Descriptor) or not isinstance(descriptor.key, str):
        raise TypeError(f"a listing must yield Descriptors whose key is text, not {type(descriptor).__name__}")
    problem = _problem_of(descriptor)
    if not problem:
        return descriptor
    uri = descriptor.uri if isinstance(descriptor.uri, str) else descriptor.key
    return Descriptor(descriptor.key, uri, "", None, None, (CONNECTOR_ERROR, f"the connector lists it with {problem}"))


def _problem_of(descriptor: Descriptor) -> str:
    """Return what is wrong with the values of a descriptor, empty when nothing is."""
    refusal = descriptor.refusal
    rules = (
        ("an address that is not text", isinstance(descriptor.uri, str)),
        ("a fingerprint that is not text", isinstance(descriptor.fingerprint, str)),
        ("a size that is not a count of bytes", _is_count(descriptor.size)),
        ("a time that is not in nanoseconds", _is_time(descriptor.modified_ns)),
        ("a refusal that is not a reason and a detail", refusal is None or _is_pair_of_texts(refusal)),
        ("an identity that is not text", descriptor.identity is None or isinstance(descriptor.identity, str)),
        ("a media type that is not text", descriptor.media_type is None or isinstance(descriptor.media_type, str)),
        ("metadata that is not text by name", descriptor.metadata is None or is_text_by_name(descriptor.metadata)),
    )
    return next((problem for problem, holds in rules if not holds), "")


def _is_integer(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_count(value: object) -> bool:
    return value is None or (isinstance(value, int) and _is_integer(value) and 0 <= value <= _LARGEST_INTEGER)


def _is_time(value: object) -> bool:
    return value is None or (isinstance(value, int) and _is_integer(value) and abs(value) <= _LARGEST_INTEGER)


def _are_pairs_of_texts(value: object) -> bool:
    return isinstance(value, tuple) and all(map(_is_pair_of_texts, value))


def _is_pair_of_texts(value: object) -> bool:
    return isinstance(value, tuple) and len(value) == 2 and all(isinstance(part, str) for part in value)  # noqa: PLR2004


def is_text_by_name(value: object) -> bool:
    """Tell whether a value is a dict of texts."""
    return isinstance(value, dict) and all(isinstance(part, str) for pair in value.items() for part in pair)
