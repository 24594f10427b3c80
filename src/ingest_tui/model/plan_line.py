"""The lines of a plan: what is to be done with each item and why, and last how the listing went that it is made of."""

from __future__ import annotations

from collections.abc import Iterable
from types import NoneType
from typing import Any, Literal, NamedTuple, get_args

from ingest_tui.model.descriptor import Descriptor

ActionName = Literal["ingest", "skip", "move", "reject", "quarantine", "retire", "hold", "keep", "forget", "gap"]
ACTION_NAMES: frozenset[str] = frozenset(get_args(ActionName))

END = "end"
"""The action of the last line of a plan."""

_OF_DOCUMENTS = {"move", "retire", "hold"}
_IDENTITY = {"key", "uri", "from_key"}


class PlanLine(NamedTuple):
    """One line of the plan: an action on a key, its reason, and what is needed to carry it out.

    ``skip``: nothing to do. ``ingest``: fetch and extract. ``move``: same item under another key (``from_key``), or
    under its own key at another address. ``reject``: known from the listing alone. ``quarantine``: it kills parsers and
    is not given to one. ``retire``: gone for certain. ``hold``: gone, but it waits for a person (see `HoldRules`).
    ``gap``: not an item, but a place that the listing could not look into: only a look without a job names these.
    ``keep``: gone, and brought back by a person since it was last listed. ``forget``: gone, and no document ever came
    of it. A ``retire`` or ``hold`` with the reason ``excluded`` is of a listed item that the settings leave out now;
    ``refusal`` is the reason for that. ``container`` is the key of the listed item that a member is in.
    """

    action: ActionName
    reason: str
    key: str
    uri: str
    detail: str = ""
    fingerprint: str = ""
    size: int | None = None
    modified_ns: int | None = None
    document_id: str | None = None
    from_key: str | None = None
    metadata: dict[str, str] | None = None
    version: int | None = None
    refusal: str = ""
    container: str = ""

    def descriptor(self) -> Descriptor:
        """Return what was listed of the item, as far as the plan keeps it."""
        return Descriptor(
            self.key, self.uri, self.fingerprint, self.size, self.modified_ns, None, None, None, self.metadata
        )

    def as_dict(self) -> dict[str, Any]:
        """Return the JSON form: what is absent is left out, but a key may be empty."""
        pairs = zip(self._fields, self, strict=True)
        return {name: value for name, value in pairs if value is not None and (value != "" or name in _IDENTITY)}

    def as_short_dict(self) -> dict[str, Any]:
        """Return the JSON form of a ``skip`` without a detail, spelled out: nearly all lines of most plans."""
        return {
            "action": "skip",
            "reason": self.reason,
            "key": self.key,
            "uri": self.uri,
            "fingerprint": self.fingerprint,
            "size": self.size,
            "modified_ns": self.modified_ns,
            "document_id": self.document_id,
        }

    @classmethod
    def from_dict(cls, record: dict[str, Any]) -> PlanLine:
        """Return the line of a JSON form; members it does not know are passed over.

        Raises `ValueError` when a value is not what a line may hold: somebody has changed it.
        """
        get = record.get
        values = (
            get("action"),
            get("reason", ""),
            get("key"),
            get("uri"),
            get("detail", ""),
            get("fingerprint", ""),
            get("size"),
            get("modified_ns"),
            get("document_id"),
            get("from_key"),
            get("metadata"),
            get("version"),
            get("refusal", ""),
            get("container", ""),
        )
        (
            action, reason, key, uri, detail, fingerprint, size, modified_ns,
            document_id, from_key, metadata, version, refusal, container,
        ) = values  # fmt: skip
        if not (  # spelled out: a loop over the types takes three times as long, and large plans have many lines
            type(action) is type(reason) is type(key) is type(uri) is type(detail) is type(fingerprint) is str
            and type(refusal) is type(container) is str
            and (size is None or type(size) is int)
            and (modified_ns is None or type(modified_ns) is int)
            and (version is None or type(version) is int)
            and (document_id is None or type(document_id) is str)
            and (from_key is None or type(from_key) is str)
            and (metadata is None or type(metadata) is dict)
        ):
            raise ValueError(_first_wrong(cls._fields, tuple(map(type, values)), _TYPES_OF_LINE))
        if action not in ACTION_NAMES:
            raise ValueError("its action is none that there is")
        if metadata and not _ONLY_TEXT.issuperset(map(type, metadata.values())):
            raise ValueError("its metadata is not text by name")
        if document_id is None and action in _OF_DOCUMENTS:
            raise ValueError("it names no document")
        if from_key is None and action == "move":
            raise ValueError("it does not say from where")
        return tuple.__new__(cls, values)  # no default has to be filled in


class NewLook(NamedTuple):
    """What a plan adds to the record of the looks at its source (see `model.look.Look`).

    ``sequence`` is its number among the plans of the source, ``after`` names the job of the plan before it.
    """

    sequence: int
    after: str
    chosen_by: str
    volumes: dict[str, str]
    documents: int
    held: int


class PlanEnd(NamedTuple):
    """The last line of a plan: how the listing went, and how many lines there are before it.

    ``work`` is the number of lines that need work. ``gaps`` are the first of ``gaps_total`` places that the listing
    could not look into, as ``(key, message)``. ``look`` is None of a job that has listed nothing. Plans of older
    programs lack ``work``, ``lines`` and ``look``.
    """

    listed: int
    complete: bool
    lines: int | None = None
    work: int | None = None
    gaps: tuple[tuple[str, str], ...] = ()
    gaps_total: int = 0
    look: NewLook | None = None

    def as_dict(self) -> dict[str, Any]:
        """Return the JSON form."""
        record: dict[str, Any] = {"action": END, "listed": self.listed, "complete": self.complete}
        if self.work is not None:
            record["work"] = self.work
        if self.lines is not None:
            record["lines"] = self.lines
        if self.look is None:
            return record
        gaps = [list(gap) for gap in self.gaps]
        return record | {"gaps": gaps, "gaps_total": self.gaps_total} | self.look._asdict()

    @classmethod
    def from_dict(cls, record: dict[str, Any]) -> PlanEnd:
        """Return the end of a JSON form; raises `ValueError` when a value is not what it may hold."""
        get = record.get
        gaps = _gaps_of(get("gaps", []))
        numbers = (get("listed", 0), get("complete"), get("lines"), get("work"), get("gaps_total", len(gaps)))
        listed, complete, lines, work, gaps_total = _checked(_NAMES_OF_END, numbers, _TYPES_OF_END)
        look = None
        if "sequence" in record:
            look = NewLook._make(_checked(NewLook._fields, map(get, NewLook._fields), _TYPES_OF_LOOK))
            if not _ONLY_TEXT.issuperset(map(type, look.volumes.values())):
                raise ValueError("'volumes' is not text by name")
        return cls(listed, complete, lines, work, gaps, gaps_total, look)


def _gaps_of(value: Any) -> tuple[tuple[str, str], ...]:
    if type(value) is not list:
        raise ValueError("'gaps' is not a list")
    for gap in value:
        if type(gap) is not list or [type(part) for part in gap] != [str, str]:
            raise ValueError("'gaps' holds what is not a place and a message")
    return tuple((key, message) for key, message in value)


def _checked(names: Iterable[str], values: Iterable[Any], allowed: tuple[tuple[type, ...], ...]) -> tuple[Any, ...]:
    values = tuple(values)
    types = tuple(map(type, values))
    if any(one not in each for one, each in zip(types, allowed, strict=True)):
        raise ValueError(_first_wrong(names, types, allowed))
    return values


def _first_wrong(names: Iterable[str], types: tuple[type, ...], allowed: tuple[tuple[type, ...], ...]) -> str:
    wrong = next(name for name, one, each in zip(names, types, allowed, strict=True) if one not in each)
    return f"{wrong!r} is missing or not of its type"


_ONLY_TEXT = frozenset({str})
_TEXT, _TEXT_OR_NONE, _NUMBER, _NUMBER_OR_NONE = (str,), (str, NoneType), (int,), (int, NoneType)
_TYPES_OF_LINE: tuple[tuple[type, ...], ...] = (
    *(_TEXT,) * 6,
    _NUMBER_OR_NONE,
    _NUMBER_OR_NONE,
    _TEXT_OR_NONE,
    _TEXT_OR_NONE,
    (dict, NoneType),
    _NUMBER_OR_NONE,
    _TEXT,
    _TEXT,
)
_NAMES_OF_END = ("listed", "complete", "lines", "work", "gaps_total")
_TYPES_OF_END: tuple[tuple[type, ...], ...] = (_NUMBER, (bool,), _NUMBER_OR_NONE, _NUMBER_OR_NONE, _NUMBER)
_TYPES_OF_LOOK: tuple[tuple[type, ...], ...] = (_NUMBER, _TEXT, _TEXT, (dict,), _NUMBER, _NUMBER)
