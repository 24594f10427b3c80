"""The types of sources that can be chosen: what each is, what it needs, and whether that is here."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from importlib.util import find_spec
from typing import Any, Literal, NamedTuple

from ingest_tui.connectors.base import BaseConnector
from ingest_tui.connectors.registry import EXTRAS, connector_class, source_types
from ingest_tui.model.errors import IngestError


class Requirement(NamedTuple):
    """What a type of source needs besides its settings. ``is_here``: on this machine; None where nobody can know.

    ``kind`` and ``name``: an extra of this package, a program of the system, or a credential of a type, which is
    optional where some sources of the type do without.
    """

    kind: Literal["extra", "program", "credential"]
    name: str
    is_here: bool | None = None
    is_optional: bool = False

    @property
    def in_words(self) -> str:
        """The requirement for people: ``program git (missing)``."""
        if self.is_optional:
            return f"{self.kind} {self.name} (optional)"
        return f"{self.kind} {self.name}{' (missing)' if self.is_here is False else ''}"


class SourceKind(NamedTuple):
    """A type of source that can be chosen, in one sentence.

    ``needs``: the settings that it cannot do without. ``problem``: why it cannot be used, where that is known.
    ``aliases``: its other names.
    """

    name: str
    summary: str
    needs: tuple[str, ...] = ()
    problem: str = ""
    aliases: tuple[str, ...] = ()
    requires: tuple[Requirement, ...] = ()

    @property
    def in_words(self) -> str:
        """What it is, and what of its requirements is missing here; or why it cannot be used."""
        missing = [f"{one.kind} {one.name}" for one in self.requires if one.is_here is False]
        lacks = f" Missing: {', '.join(missing)}." if missing else ""
        return self.problem or f"{self.summary}{lacks}"

    def as_dict(self) -> dict[str, Any]:
        """Return the JSON form."""
        return {**self._asdict(), "requires": [one._asdict() for one in self.requires]}


def describe_source_type(source_type: str) -> str:
    """Return what a type of source is, in one sentence."""
    try:
        found = connector_class(source_type)
    except (IngestError, ValueError) as error:
        return str(error)
    if _is_alias(source_type, found):
        return f"Another name of {found.source_type}."
    return _summary_of(found)


def source_kinds() -> list[SourceKind]:
    """Return the types of sources, those of other packages too, each once."""
    kinds: dict[str, SourceKind] = {}
    aliases: dict[str, list[str]] = {}
    for name in source_types():
        try:
            found = connector_class(name)
        except Exception as error:  # noqa: BLE001 - a package of somebody else may raise anything when it is imported
            problem = error.message if isinstance(error, IngestError) else f"cannot be loaded ({type(error).__name__})"
            kinds[name] = SourceKind(name, "", problem=problem)
            continue
        if _is_alias(name, found):
            aliases.setdefault(found.source_type, []).append(name)
        else:
            needs = tuple(name for name, field in found.config_model.model_fields.items() if field.is_required())
            kinds[name] = SourceKind(name, _summary_of(found), needs, requires=tuple(_requirements_of(name, found)))
    return [kind._replace(aliases=tuple(aliases.get(name, ()))) for name, kind in kinds.items()]


def _is_alias(name: str, found: type[BaseConnector]) -> bool:
    return found.source_type != name and found.source_type in source_types()


def _summary_of(found: type[BaseConnector]) -> str:
    return " ".join((found.__doc__ or "").partition("\n\n")[0].split())


def _requirements_of(name: str, found: type[BaseConnector]) -> Iterator[Requirement]:
    if name in EXTRAS:
        yield Requirement("extra", name, all(find_spec(module) is not None for module in EXTRAS[name]))
    for program in found.programs:
        yield Requirement("program", program, shutil.which(program) is not None)
    for field in found.config_model.model_fields.values():
        extra = field.json_schema_extra if isinstance(field.json_schema_extra, dict) else {}
        named = extra.get("credential_types") or [extra.get("credential_type")]
        types = [kind for kind in named if isinstance(kind, str)] if isinstance(named, list) else []
        for kind in types:
            yield Requirement("credential", kind, is_optional=not field.is_required() or len(types) > 1)
