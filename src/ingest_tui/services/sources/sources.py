"""What a person can do with sources."""

from __future__ import annotations

import contextlib
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any

import pydantic

from ingest_tui.connectors.base import ABOVE as ABOVE  # noqa: PLC0414 - part of this face
from ingest_tui.connectors.base import Place as Place  # noqa: PLC0414 - part of this face
from ingest_tui.connectors.base import TestStep as TestStep  # noqa: PLC0414 - part of this face
from ingest_tui.connectors.base import describe_invalid_settings
from ingest_tui.connectors.containment import of_one_source
from ingest_tui.connectors.registry import connector_class, get_connector
from ingest_tui.connectors.registry import source_types as source_types  # noqa: PLC0414 - part of this face
from ingest_tui.extraction.intake.admission import known_types
from ingest_tui.extraction.schemas.schema_file import absolute_schema_path, schema_of
from ingest_tui.model.clock import rfc3339_now
from ingest_tui.model.document import Document
from ingest_tui.model.errors import ConflictError, IngestError, UsageError, ValidationError
from ingest_tui.model.identifiers import check_name, is_identifier, slug
from ingest_tui.model.revision import changed_fields, conflict, differences, merged
from ingest_tui.model.similar_names import did_you_mean
from ingest_tui.model.source import RESERVED_SOURCES, Source, may_take_less
from ingest_tui.pipeline.connecting import connect, connection, looking, registry_for
from ingest_tui.pipeline.plan.deletions import chosen_by
from ingest_tui.services.collections.overrides import queue_rechunking, with_overrides
from ingest_tui.services.documents.retirement import keep_locations, retire_locations
from ingest_tui.services.jobs.source_claims import WaitPolicy, sources_to_oneself
from ingest_tui.services.name_lookup import source_id_of
from ingest_tui.services.sources.health import SourceSummary as SourceSummary  # noqa: PLC0414 - part of this face
from ingest_tui.services.sources.health import list_sources as list_sources  # noqa: PLC0414 - part of this face
from ingest_tui.store.catalogue import queries
from ingest_tui.store.users import requester
from ingest_tui.store.workspace import Workspace

_FIXED = ("schema_version", "source_id", "source_type", "created_at")


def connector_config_model(source_type: str) -> type[pydantic.BaseModel]:
    """Return the settings of a source type, with descriptions and defaults, for forms and options.

    Raises `UsageError` for an unknown type and `MissingDependencyError` for one whose packages are not installed.
    """
    _check_type(source_type)
    return connector_class(source_type).config_model


def has_sources(workspace: Workspace) -> bool:
    """Return whether there is any source, one that cannot be read too."""
    return bool(workspace.sources.names() or workspace.sources.unreadable())


def types_of_sources(workspace: Workspace, names: Iterable[str]) -> list[str]:
    """Return the types of the sources among ``names``, each once; names of no source are passed over."""
    found: dict[str, None] = {}
    for name in names:
        with contextlib.suppress(IngestError):
            found[workspace.sources.get(source_id_of(workspace, name)).source_type] = None
    return [source_type for source_type in found if source_type in source_types()]


def _check_type(source_type: str) -> None:
    types = source_types()
    if source_type not in types:
        raise UsageError(
            f"unknown source type {source_type!r}",
            hint=f"{did_you_mean(source_type, types)}known types: {', '.join(types)}",
        )


def backends_by_type(pairs: Iterable[str]) -> dict[str, str]:
    """Return the backends of single types from ``TYPE=BACKEND`` pairs; raises `UsageError` for what is no pair."""
    chosen = {}
    for pair in pairs:
        kind, separator, backend = pair.partition("=")
        if not separator:
            raise UsageError(f"not TYPE=BACKEND: {pair}", hint="e.g. --backend-for pdf=unstructured")
        chosen[kind.lower().lstrip(".")] = backend
    return chosen


def add_source(
    workspace: Workspace,
    /,
    *,
    source_type: str,
    name: str,
    config: dict[str, Any],
    collection_id: str = "default",
    preferences: Mapping[str, Any] | None = None,
    **settings: Any,
) -> Source:
    """Check and save a new source. ``settings`` are further fields of `Source`; None leaves one at its default.

    ``preferences`` are those that it chooses in place of its collection.
    Raises `ValidationError` with what is wrong, and `UsageError` for a taken name.
    """
    values = {field: value for field, value in settings.items() if value is not None}
    values |= {"name": name, "source_type": source_type, "source_config": config, "collection_id": collection_id}
    return save_new_source(workspace, with_overrides(workspace, new_source(workspace, values), preferences or {}))


def new_source(workspace: Workspace, values: Mapping[str, Any]) -> Source:
    """Return the new source that fields of `Source` make, checked and not saved; its name makes its identifier.

    One of ``values`` may be another identifier. Raises what `add_source` raises.
    """
    name = values["name"].strip()
    source_id = values.get("source_id") or slug(name)
    for meant in dict.fromkeys([name, source_id]):
        check_new_name(workspace, None, meant)
    at = rfc3339_now()
    made = {"source_id": source_id, "name": name, "created_at": at, "updated_at": at}
    return _checked(workspace, {"collection_id": "default", **values, **made})


def save_new_source(workspace: Workspace, source: Source) -> Source:
    """Save what `new_source` has made; raises `UsageError` where there is a source of that identifier meanwhile."""
    added = workspace.sources.add(source)
    at, by = added.created_at, requester()
    workspace.audit.add(at=at, by=by, action="source.add", target=added.source_id, type=added.source_type)
    return added


def edit_source(
    workspace: Workspace,
    /,
    source_id: str,
    *,
    config: dict[str, Any] | None = None,
    based_on: Source | None = None,
    keeps_others: bool = True,
    preferences: Mapping[str, Any] | None = None,
    unset: Sequence[str] = (),
    **changes: Any,
) -> Source:
    """Change settings of a source: ``config`` is merged into the connector's, the rest replaces fields of `Source`.

    ``preferences`` are chosen in place of those of its collection, which hold again for what is ``unset``.
    ``based_on``: what the changes were made from; without, the source as it is now. Where its documents are cut by
    other rules then, a job that does so is queued. Raises `ConflictError` when
    somebody else has changed the same fields since, or any field unless ``keeps_others``.
    """
    source = based_on or workspace.sources.get(source_id)
    chosen = with_overrides(workspace, source, preferences or {}, unset) if preferences or unset else source
    values = chosen.model_dump(mode="json") | changes
    values["source_config"] = source.source_config | (config or {})
    return save_edited(workspace, source, values, keeps_others=keeps_others)


def replace_source(
    workspace: Workspace, source_id: str, record: dict[str, Any], *, based_on: Source | None = None
) -> Source:
    """Replace the whole record of a source, as somebody has edited it; what is not valid leaves the old one in place.

    ``based_on``: the record that they began with. Raises `ConflictError` when it has changed since, `ValidationError`
    for unknown fields, and for another id or type: those belong to its documents.
    """
    source = based_on or workspace.sources.get(source_id)
    before = source.model_dump(mode="json")
    _refuse_unknown(record)
    for name in _FIXED:
        if name in record and record[name] != before[name]:
            raise ValidationError(f"{name} of a source cannot be changed", hint="add another source instead")
    kept = {name: before[name] for name in (*_FIXED, "revision")}
    return save_edited(workspace, source, record | kept, keeps_others=False)


def _refuse_unknown(values: Iterable[str]) -> None:
    unknown = [name for name in values if name not in Source.model_fields]
    if unknown:
        raise ValidationError(f"a source has no {unknown[0]!r}", hint=f"it has {', '.join(Source.model_fields)}")


def save_edited(workspace: Workspace, base: Source, values: dict[str, Any], *, keeps_others: bool) -> Source:
    """Save what was made from ``base``; what others have changed since is kept, or refuses it.

    Where it changes nothing there is nothing to save, and nothing to audit: the source is returned as it is.
    """
    now, edited = base, edited_source(workspace, base, values)
    before, yours = base.model_dump(mode="json"), edited.model_dump(mode="json")
    what = changed_fields(before, yours)
    if not what:
        now = workspace.sources.get(base.source_id)
        if not keeps_others:
            _refuse_when_changed(now, base)
        return now
    while True:
        try:
            saved = workspace.sources.save(edited, now)
        except ConflictError:
            if not keeps_others or not workspace.sources.exists(base.source_id):
                raise
            now = workspace.sources.get(base.source_id)
            theirs = now.model_dump(mode="json")
            if changed_fields(before, theirs) & what:
                raise
            edited = edited_source(workspace, now, merged(before, yours, theirs))
            continue
        at, fields = saved.updated_at, sorted(name.removeprefix("source_config.") for name in what)
        workspace.audit.add(at=at, by=requester(), action="source.edit", target=base.source_id, changed=fields)
        queue_rechunking(workspace, now, saved)
        return saved


def edited_source(workspace: Workspace, source: Source, values: dict[str, Any]) -> Source:
    """Return a source with other values, checked."""
    source_id = source.source_id
    name = values.get("name")
    if isinstance(name, str) and name != source.name:
        values = values | {"name": name.strip()}
        check_new_name(workspace, source_id, values["name"])
    edited = _checked(workspace, {"collection_id": source.collection_id, **values, "updated_at": rfc3339_now()}, source)
    if edited.collection_id != source.collection_id and _has_documents(workspace, source_id):
        raise UsageError(
            f"source {source_id!r} has documents in collection {source.collection_id!r} and cannot leave it",
            hint="add the folder under another name with --collection, then remove this source",
            source_id=source_id,
        )
    return edited


def check_new_name(workspace: Workspace, source_id: str | None, name: str) -> None:
    """Raise `UsageError` where a source, None for a new one, cannot be called ``name``.

    It is empty or reserved, or another source is meant by it, or would be by the identifier that it makes. Raises
    `ValidationError` for one that `check_name` refuses, unless it is what the source is called already.
    """
    if source_id is None or workspace.sources.get(source_id).name != name:
        check_name(name)
    if not name:
        stays = f"its identifier stays {source_id!r} whatever its name is" if source_id else "e.g. handbook"
        raise UsageError("a source has a name", hint=stays)
    meant = {name}
    with contextlib.suppress(ValidationError):  # a name that makes no identifier
        meant.add(slug(name))
    if reserved := meant & RESERVED_SOURCES:
        raise UsageError(
            f"the name {name!r} is reserved for documents without a source",
            hint="choose another name",
            source_id=reserved.pop(),
        )
    taken = next((one for one in meant if _is_of_another(workspace, one, source_id)), None)
    if taken is None:
        called = (one.source_id for one in workspace.sources.all() if one.name == name and one.source_id != source_id)
        taken = next(called, None)
    if taken is not None:
        raise UsageError(
            f"a source named {name!r} is already there",
            hint=f"choose another name, or change it: 'ingest-tui source edit {taken} --help'",
            source_id=taken,
        )


def _is_of_another(workspace: Workspace, identifier: str, source_id: str | None) -> bool:
    return identifier != source_id and is_identifier(identifier) and workspace.sources.exists(identifier)


def _has_documents(workspace: Workspace, source_id: str) -> bool:
    return queries.source_has_documents(workspace.reading, source_id)


def _checked(workspace: Workspace, values: dict[str, Any], before: Source | None = None) -> Source:
    """Return the source that the values make. What it was ``before`` can be disabled though its credential is gone."""
    _refuse_unknown(values)
    workspace.collections.get(values["collection_id"])
    _check_type(values["source_type"])
    for field in ("allow_types", "deny_types"):
        values[field] = known_types(values.get(field, ()))
    values["schema_file"] = absolute_schema_path(values.get("schema_file") or "")
    try:
        source = Source.model_validate(values)
    except pydantic.ValidationError as error:
        call = f"add {values['source_type']}" if before is None else f"edit {before.source_id}"
        raise ValidationError(describe_invalid_settings(error), hint=f"see 'ingest-tui source {call} --help'") from None
    connector = connect(workspace, source)
    if before is None or source.source_config != before.source_config:
        with of_one_source(source.source_id):
            connector.validate_config()
    check_backends(source)
    if before is None or source.overriding != before.overriding:
        with_overrides(workspace, source)
    if before is None or source.schema_file != before.schema_file:
        schema_of(source)
    config = connector.config.model_dump(mode="json", exclude_unset=True)
    return source.model_copy(update={"source_config": config})


def takes_otherwise(workspace: Workspace, before: Source, after: Source) -> bool:
    """Whether an edit may exclude documents of a source that has some: they are held.

    One rule for patterns, types, sizes and dates: see `HoldRules`.
    """
    if not _has_documents(workspace, after.source_id):
        return False
    if not may_take_less(before, after):
        return False
    settings = workspace.settings
    earlier = chosen_by(before, connect(workspace, before), settings)
    return earlier != chosen_by(after, connect(workspace, after), settings)


def check_backends(source: Source) -> None:
    """Raise `UsageError` for a backend that is not there."""
    from ingest_tui.extraction.backends import get_backend

    for name in filter(None, [source.extraction.backend, *source.extraction.by_type.values()]):
        get_backend(name)


def unreadable_sources(workspace: Workspace) -> list[str]:
    """Return the names of the records of sources that cannot be read."""
    return workspace.sources.unreadable()


def get_source(workspace: Workspace, source_id: str) -> Source:
    """Return a source; raises `NotFoundError`."""
    return workspace.sources.get(source_id)


def set_enabled(workspace: Workspace, source_id: str, enabled: bool) -> Source:
    """Let a source take part in ``sync --all`` and in watching, or not."""
    return edit_source(workspace, source_id, enabled=enabled)


def set_watched(workspace: Workspace, source_id: str, watched: bool) -> Source:
    """Let a source be synced when something in it changes, or not."""
    return edit_source(workspace, source_id, watch=watched)


def test_source(workspace: Workspace, source_id: str) -> Iterator[TestStep]:
    """Yield the steps of trying a source, each with its result and time."""
    source = workspace.sources.get(source_id)
    with of_one_source(source_id), connection(workspace, source) as connector:
        yield from connector.test_steps()


test_source.__test__ = False  # type: ignore[attr-defined] # an action of ours, not a test


def browse_source(
    workspace: Workspace, source_id: str, path: str = "", config: dict[str, Any] | None = None
) -> Iterator[Place]:
    """Yield what is directly in a place of a source, lazily; ``config`` overrides its settings for this look."""
    source = workspace.sources.get(source_id)
    return browse_settings(workspace, source.source_type, source.source_config | (config or {}), path)


def browse_settings(workspace: Workspace, source_type: str, config: dict[str, Any], path: str = "") -> Iterator[Place]:
    """Yield what is directly in a place that is no source yet; ``path`` is that of a `Place` that was yielded before.

    Raises `ValidationError` for settings that cannot work, `SourceAccessError` when the place cannot be reached.
    """
    _check_type(source_type)
    return _browsed(workspace, source_type, config, path)


def _browsed(workspace: Workspace, source_type: str, config: dict[str, Any], path: str) -> Iterator[Place]:
    with of_one_source(source_type):
        made = get_connector(source_type, config, credentials=registry_for(workspace))
        with looking(workspace, made) as connector:
            yield from connector.browse(path)


def count_documents_to_retire(workspace: Workspace, source_ids: Collection[str]) -> int:
    """Return how many documents go to the trash when these sources are removed: those without a place in another."""
    return queries.count_documents_only_at(workspace.reading, source_ids)


def remove_source(
    workspace: Workspace,
    source_id: str,
    *,
    keep_documents: bool = False,
    wait_policy: WaitPolicy | None = None,
    based_on: Source | None = None,
) -> int:
    """Forget a source and retire its documents to the trash, unless they are kept; returns how many were retired.

    Refused with `BusyError` while a job of it is queued or works on it, or a document that would go is being embedded;
    with ``wait_policy`` that is waited for.
    ``based_on``: the source as somebody saw it who wants it removed; raises `ConflictError` when it has changed since.
    """
    workspace.sources.get(source_id)

    def going() -> Iterator[Document]:
        return iter(()) if keep_documents else queries.stream_documents(workspace.reading, source_id=source_id)

    with sources_to_oneself(workspace, {source_id}, wait_policy=wait_policy, queued_too=True, documents=going):
        source = workspace.sources.get(source_id)  # somebody else may have removed it meanwhile
        _refuse_when_changed(source, based_on)
        retired = 0
        keys = queries.keys_of_source(workspace.catalogue, source_id)
        if keep_documents:
            keep_locations(workspace, source_id, keys)
        else:
            retired = len(retire_locations(workspace, source_id, keys, reason="source_removed"))
        workspace.sources.remove(source_id)
    workspace.audit.add(
        at=rfc3339_now(), by=requester(), action="source.remove", target=source_id, retired=retired, kept=keep_documents
    )
    return retired


def _refuse_when_changed(source: Source, seen: Source | None) -> None:
    now = source.model_dump(mode="json")
    before = now if seen is None else seen.model_dump(mode="json")
    if changed_fields(before, now):
        raise conflict(f"source {source.source_id!r}", differences(before, now), source)
