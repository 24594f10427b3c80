"""Settings of a draft that are one field of a source together: its schedule, and the preferences it chooses itself."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pydantic

from ingest_tui.model.errors import IngestError
from ingest_tui.model.invalid_values import invalid_fields
from ingest_tui.model.ocr import OCR_SETTINGS
from ingest_tui.model.preference_overrides import OVERRIDABLE, PreferenceOverrides
from ingest_tui.model.preference_values import as_text, changed_overrides
from ingest_tui.model.schedule import Schedule, changed_schedule
from ingest_tui.model.source import Source
from ingest_tui.store.workspace import Workspace

SCHEDULE_FIELDS = tuple(Schedule.model_fields)
PREFERENCE_FIELDS = tuple(key for key in OVERRIDABLE if key not in OCR_SETTINGS)
"""What a source chooses in place of its collection, besides what fields of its own say."""


def settings_in_parts(source: Source) -> dict[str, Any]:
    """Return the schedule of a source by its fields, and its ``preferences``, as texts; those that are set alone."""
    schedule = source.schedule.model_dump(exclude_defaults=True) if source.schedule else {}
    return schedule | {"preferences": {key: as_text(value) for key, value in source.overrides.chosen().items()}}


def without_parts(common: Mapping[str, Any]) -> dict[str, Any]:
    """Return the settings of a draft that are fields of a source as they are."""
    return {name: value for name, value in common.items() if name not in (*SCHEDULE_FIELDS, "preferences")}


def joined_settings(common: Mapping[str, Any], before: Source | None) -> dict[str, Any]:
    """Return ``schedule`` and ``preferences`` as `add_source` and `edit_source` take them; raises ValueError.

    ``before`` is the source that is edited: what ``common`` leaves out stays as it is there.
    """
    given = {name: str(common[name]) for name in SCHEDULE_FIELDS if name in common}
    joined: dict[str, Any] = {"preferences": dict(common.get("preferences") or {})}
    if any(given.values()) or (given and before is not None and before.schedule is not None):
        joined["schedule"] = changed_schedule(before.schedule if before else None, **given)
    return joined


def problems_of_parts(workspace: Workspace, common: Mapping[str, Any]) -> dict[str, str]:
    """Return what is wrong with the schedule and the preferences of a whole draft, by field."""
    return _problems_of_schedule(common) | _problems_of_preferences(workspace, common)


def _problems_of_schedule(common: Mapping[str, Any]) -> dict[str, str]:
    given = {name: common[name] for name in SCHEDULE_FIELDS if common.get(name)}
    if not given:
        return {}
    about = "cron" if "cron" in given and "every" not in given else "every"
    if not given.keys() & {"every", "cron"}:
        return {about: "without every or cron there is no schedule"}
    try:
        Schedule.model_validate(given)
    except pydantic.ValidationError as error:
        return invalid_fields(error, general=about)
    return {}


def _problems_of_preferences(workspace: Workspace, common: Mapping[str, Any]) -> dict[str, str]:
    """Return why the preferences cannot be, under the key that the reason begins with."""
    chosen: Mapping[str, Any] = common.get("preferences") or {}
    try:
        collection = workspace.collections.get(common.get("collection_id", "default")).preferences
    except IngestError:  # reported as a problem of its own
        return {}
    try:
        changed_overrides(PreferenceOverrides(), chosen, collection=collection)
    except IngestError as error:
        named = {key: error.message.find(key) for key in chosen if key in error.message}
        about = min(named, key=named.__getitem__) if named else next(iter(chosen))
        return {about: error.message.removeprefix(f"{about}: ")}
    return {}
