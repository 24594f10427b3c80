"""Many sources at once: those of a file checked against the workspace, then added or changed; and written as a file."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal, NamedTuple

import pydantic

from ingest_tui.connectors.registry import connector_class
from ingest_tui.model.errors import IngestError, UsageError
from ingest_tui.model.identifiers import slug
from ingest_tui.model.ocr import OCR_SETTINGS
from ingest_tui.model.preference_overrides import OVERRIDABLE
from ingest_tui.model.revision import changed_fields
from ingest_tui.model.similar_names import did_you_mean
from ingest_tui.model.source import Source
from ingest_tui.services.name_lookup import source_id_of
from ingest_tui.services.sources.source_file import (
    BadSourcesError,
    SourceEntry,
    SourceProblem,
    problem_of,
    read_entries,
)
from ingest_tui.services.sources.sources import edited_source, new_source, save_edited, save_new_source
from ingest_tui.store.workspace import Workspace

_KEPT = frozenset({"schema_version", "created_at", "updated_at", "revision"})
"""What the program keeps of a source itself."""
_REPORTED = frozenset({"next_run_at", "outcomes"})
"""What `source show` reports next to the settings of a source."""
_FIRST = ("name", "source_id", "source_type", "source_config", "collection_id")
_OWN_OVERRIDES = frozenset(OVERRIDABLE) - frozenset(OCR_SETTINGS)


class SourceStep(NamedTuple):
    """What becomes of one source of a file. ``changed``: the fields that are not as they were; ``before``: the source.

    ``source`` is as it is to be, and as it is once the step is done.
    """

    action: Literal["add", "change", "leave"]
    source: Source
    before: Source | None = None
    changed: tuple[str, ...] = ()


def check_many(workspace: Workspace, text: str, *, replaces: bool = False) -> list[SourceStep]:
    """Return what adding the sources of a file would do, in its order; changes nothing, asks no network.

    What a source of the file leaves out is as usual, not as it was. ``replaces``: one that is there with other settings
    is changed. Raises `BadSourcesError` with all that is wrong, `ValidationError` for what is no file of sources.
    """
    entries, steps, problems = read_entries(text), list[SourceStep](), list[SourceProblem]()
    for entry in entries:
        if wrong := [*_wrong_keys(entry)]:
            problems += wrong
            continue
        try:
            step = _step_of(workspace, entry, replaces=replaces)
            _refuse_same(step.source, steps)
        except IngestError as error:
            problems.append(problem_of(entry, error.message))
        else:
            steps.append(step)
    if problems:
        raise BadSourcesError.of(problems, len(entries))
    return steps


def add_many(workspace: Workspace, text: str, *, replaces: bool = False) -> Iterator[SourceStep]:
    """Add the sources of a file, and yield each step once it is done. All are checked first: see `check_many`.

    A step that fails then, since somebody else changes the workspace meanwhile, leaves those before it done.
    """
    for step in check_many(workspace, text, replaces=replaces):
        if step.action == "add":
            yield step._replace(source=save_new_source(workspace, step.source))
        elif step.before is not None and step.action == "change":
            values = step.source.model_dump(mode="json")
            yield step._replace(source=save_edited(workspace, step.before, values, keeps_others=False))
        else:
            yield step


def export_sources(workspace: Workspace, names: Sequence[str] = ()) -> list[dict[str, Any]]:
    """Return sources as a file of them has them, without what is as usual; all that can be read without ``names``.

    Raises `NotFoundError` for a name that is none.
    """
    ids = dict.fromkeys(source_id_of(workspace, name) for name in names)
    found = [workspace.sources.get(one) for one in ids] if names else workspace.sources.all()
    return [_exported(source) for source in found]


def _exported(source: Source) -> dict[str, Any]:
    chosen = source.model_dump(mode="json", exclude_defaults=True, exclude=set(_KEPT))
    first = {name: getattr(source, name) for name in _FIRST}
    return first | {name: value for name, value in chosen.items() if name not in first}


def _wrong_keys(entry: SourceEntry) -> Iterator[SourceProblem]:
    allowed = [name for name in Source.model_fields if name not in _KEPT]
    for name, value in entry.values.items():
        if name == "preferences" and not isinstance(value, list):  # a list is what `source show` reports
            yield problem_of(entry, "preferences: what a source chooses itself is written as overrides: {KEY: VALUE}")
        elif name not in {*allowed, *_KEPT, *_REPORTED, "preferences"}:
            yield problem_of(entry, f"{name}: a source has no such setting; {did_you_mean(name, allowed)}".rstrip("; "))
    if not entry.name.strip():
        yield problem_of(entry, "name: this is needed, as a text" if "name" in entry.values else "name: this is needed")
    if not isinstance(entry.values.get("source_type"), str):
        yield problem_of(entry, "source_type: this is needed, e.g. local")
    if not isinstance(entry.values.get("source_config", {}), dict):
        yield problem_of(entry, "source_config: must be an object with keys and values")
    overrides = entry.values.get("overrides") or {}
    for name in overrides if isinstance(overrides, dict) else ():
        if name in OCR_SETTINGS:
            yield problem_of(entry, f"overrides.{name}: this is a setting of the source itself")
        elif name not in _OWN_OVERRIDES:
            yield problem_of(entry, f"overrides.{name}: there is no such preference")


def _step_of(workspace: Workspace, entry: SourceEntry, *, replaces: bool) -> SourceStep:
    given = {name: value for name, value in entry.values.items() if name in Source.model_fields and name not in _KEPT}
    values = {"collection_id": "default", "source_config": {}} | given
    before = _existing(workspace, values)
    if before is None:
        return SourceStep("add", new_source(workspace, values))
    _refuse_other_type(before, values["source_type"])
    usual = Source(source_id=before.source_id, name=before.name, source_type=before.source_type)
    kept = before.model_dump(mode="json", include={*_KEPT, "source_id", "source_type"})
    after = edited_source(workspace, before, usual.model_dump(mode="json") | values | kept)
    changed = tuple(sorted(changed_fields(_comparable(before), _comparable(after))))
    if not changed:
        return SourceStep("leave", before, before)
    if not replaces:
        raise UsageError(f"{', '.join(changed)}: it is there already with other settings; --replace changes it")
    return SourceStep("change", after, before, changed)


def _existing(workspace: Workspace, values: Mapping[str, Any]) -> Source | None:
    """Return the source that an entry is about: by its identifier, or the one that its name makes, or by its name."""
    meant = values.get("source_id") or slug(values["name"].strip())
    if not isinstance(meant, str):
        raise UsageError("source_id: must be a text")
    if workspace.sources.exists(meant):
        return workspace.sources.get(meant)
    if values.get("source_id"):
        return None
    return next((one for one in workspace.sources.all() if one.name == values["name"].strip()), None)


def _refuse_other_type(before: Source, source_type: str) -> None:
    if before.source_type == source_type:
        return
    try:
        is_same = connector_class(before.source_type) is connector_class(source_type)
    except (IngestError, ValueError):
        is_same = False
    if not is_same:
        raise UsageError(f"source_type: it is there already as a {before.source_type} source, which cannot be changed")


def _comparable(source: Source) -> dict[str, Any]:
    """Return the fields of a source, settings of its connector that are as usual left out."""
    fields = source.model_dump(mode="json", exclude=set(_KEPT))
    try:
        config = connector_class(source.source_type).config_model.model_validate(source.source_config)
    except (pydantic.ValidationError, IngestError, ValueError):
        return fields
    return fields | {"source_config": config.model_dump(mode="json", exclude_defaults=True)}


def _refuse_same(source: Source, steps: Sequence[SourceStep]) -> None:
    for number, step in enumerate(steps):
        if {source.source_id, source.name} & {step.source.source_id, step.source.name}:
            raise UsageError(f"name: sources[{number}] of this file is called so, too")
