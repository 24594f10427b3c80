"""The settings of a workspace: what each is, what it takes, and where its value comes from."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from ingest_tui.model.clock import rfc3339_now
from ingest_tui.model.errors import UsageError, ValidationError
from ingest_tui.model.safe_text import safe_display
from ingest_tui.model.similar_names import did_you_mean
from ingest_tui.model.theme_names import AUTO, OWN_THEMES, THEME_NAMES
from ingest_tui.store.records.settings import (
    ENVIRONMENT_PREFIX,
    SETTING_NAMES,
    Settings,
    change_setting,
    checked_settings,
    remove_setting,
    setting_of,
    settings_written,
    value_of_text,
    variable_of,
)
from ingest_tui.store.users import requester
from ingest_tui.store.workspace import Workspace

__all__ = [
    "CONFIGURABLE",
    "SettingRow",
    "environment_example",
    "get_setting",
    "list_settings",
    "set_setting",
    "settings_schema",
    "unknown_settings",
    "unset_setting",
]

THEME = "theme"
CONFIGURABLE = (*SETTING_NAMES, THEME)
"""What `config` knows."""
VARIABLES_OF_OPTIONS = {
    "INGEST_TUI_WORKSPACE": "./workspace",
    "INGEST_TUI_SERVER": "https://ingest.example.org",
    "INGEST_TUI_TOKEN_REF": "file:~/.config/ingest-tui/token",
    "INGEST_TUI_CA_CERT": "./ca.pem",
    "INGEST_TUI_CREDENTIALS": "./credentials.json",
    "INGEST_TUI_METRICS": "9464",
}
"""Variables that stand for options of the command line, with an example of each."""
_OF_THE_TUI = {THEME, "keymap", "collection"}
_OF_CHILDREN = {"INGEST_TUI_JOB", "INGEST_TUI_JOB_STATE", "INGEST_TUI_JOB_SOURCE", "INGEST_TUI_JOB_TEXT"}
"""Variables that this program gives to programs that it starts, and which these may hand on."""
SettingOrigin = Literal["default", "workspace.json", "environment"]


@dataclass(frozen=True, slots=True)
class SettingRow:
    """A setting: its value as JSON has it, where that comes from, and what it takes, in words."""

    name: str
    value: Any
    default: Any
    origin: SettingOrigin
    takes: str
    variable: str

    def as_dict(self) -> dict[str, Any]:
        """Return the JSON form."""
        return {name: getattr(self, name) for name in ("name", "value", "default", "origin", "takes", "variable")}


def list_settings(workspace: Workspace) -> list[SettingRow]:
    """Return all settings, last the theme: it is no field of `Settings`, so that it keeps no worker from starting."""
    return [*_settings_of_workers(workspace), _theme_row(workspace)]


def _settings_of_workers(workspace: Workspace) -> list[SettingRow]:
    settings = workspace.read_settings()
    now, defaults = (one.model_dump(mode="json") for one in (settings, Settings()))
    now["on_job_end"] = [hook.shown() for hook in settings.on_job_end]
    schema = settings_schema()["properties"]
    return [
        SettingRow(
            name,
            now[name],
            defaults[name],
            _origin(name, now[name], defaults[name], os.environ),
            _takes(name, schema[name]),
            variable_of(name),
        )
        for name in SETTING_NAMES
    ]


def unknown_settings(workspace: Workspace, environment: Mapping[str, str]) -> dict[str, str]:
    """Return what is written as a setting and is none, each with a hint: members of workspace.json, and variables."""
    members = settings_written(workspace.layout) - Settings.model_fields.keys() - _OF_THE_TUI
    variables = {*map(variable_of, SETTING_NAMES), *VARIABLES_OF_OPTIONS}
    given = {name for name in environment if name.startswith(ENVIRONMENT_PREFIX)} - variables - _OF_CHILDREN
    return {
        **{f"{name} in workspace.json": did_you_mean(name, SETTING_NAMES) for name in sorted(members)},
        **{f"the variable {name}": did_you_mean(name, variables) for name in sorted(given)},
    }


def get_setting(workspace: Workspace, name: str) -> SettingRow:
    """Return one setting; raises `UsageError` for one that there is not, with those that are like it."""
    known = _known(name)
    return next(row for row in list_settings(workspace) if row.name == known)


def set_setting(workspace: Workspace, name: str, text: str) -> SettingRow:
    """Write a setting into workspace.json; raises `ValidationError` for a value that cannot be.

    ``text`` is as a person writes it: ``5``, ``2 GiB``, ``true``, ``null`` for none, JSON for lists and objects.
    """
    known = _known(name)
    if known == THEME:
        return _set_theme(workspace, text.strip())
    checked = checked_settings(workspace.read_settings(), {known: value_of_text(known, text)})
    before, value = get_setting(workspace, known).value, checked.model_dump(mode="json")[known]
    change_setting(workspace.layout, known, value=value)
    _note(workspace, "settings.set", known, before=before, value=value)
    return get_setting(workspace, known)


def unset_setting(workspace: Workspace, name: str) -> SettingRow:
    """Leave a setting as it is by default."""
    known = _known(name)
    before = get_setting(workspace, known).value
    remove_setting(workspace.layout, known)
    _note(workspace, "settings.unset", known, before=before)
    return get_setting(workspace, known)


def settings_schema() -> dict[str, Any]:
    """Return the JSON Schema of workspace.json; what it does not name is left alone."""
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **Settings.model_json_schema()}


def environment_example() -> str:
    """Return the text of `.env.example`: each setting as a variable, with its default, and what it takes."""
    defaults, schema = Settings().model_dump(mode="json"), settings_schema()["properties"]
    lines = [
        "# Settings as environment variables; each takes precedence over workspace.json.",
        "",
        *(f"# {name}={value}" for name, value in VARIABLES_OF_OPTIONS.items()),
    ]
    for name in SETTING_NAMES:
        lines += ["", f"# {_takes(name, schema[name])}", f"# {variable_of(name)}={_as_text(defaults[name])}"]
    return "\n".join(lines) + "\n"


def _theme_row(workspace: Workspace) -> SettingRow:
    found = setting_of(workspace.layout, THEME)
    origin: SettingOrigin = "default" if found is None else "workspace.json"
    takes = f"one of {', '.join(OWN_THEMES)}, or a theme of Textual, as nord: the colours of the TUI"
    return SettingRow(THEME, AUTO if found is None else found, AUTO, origin, takes, "")


def _set_theme(workspace: Workspace, theme: str) -> SettingRow:
    if theme not in THEME_NAMES:
        hint = f"{did_you_mean(theme, THEME_NAMES)}there are {', '.join(THEME_NAMES)}"
        raise ValidationError(f"{THEME}: there is no '{safe_display(theme)}'", hint=hint)
    before = get_setting(workspace, THEME).value
    change_setting(workspace.layout, THEME, value=theme)
    _note(workspace, "settings.set", THEME, before=before, value=theme)
    return get_setting(workspace, THEME)


def _known(name: str) -> str:
    known = name.replace("-", "_").casefold()
    if known not in CONFIGURABLE:
        raise UsageError(
            f"there is no setting '{safe_display(name)}'",
            hint=f"{did_you_mean(known, CONFIGURABLE)}'ingest-tui config list' shows them",
        )
    return known


def _note(workspace: Workspace, action: str, name: str, **details: Any) -> None:
    plain = {key: value for key, value in details.items() if not isinstance(value, dict | list)}
    workspace.audit.add(at=rfc3339_now(), by=requester(), action=action, target=name, **plain)


def _origin(name: str, value: Any, default: Any, environment: Mapping[str, str]) -> SettingOrigin:
    if variable_of(name) in environment:
        return "environment"
    return "default" if value == default else "workspace.json"


def _takes(name: str, schema: Mapping[str, Any]) -> str:
    """Return what a setting takes: its type and bounds, and the description that it has."""
    is_size = "ByteSize" in str(Settings.model_fields[name].annotation)
    if is_size:  # a text such as 2GiB, or a number of bytes
        schema = {**schema, "anyOf": [one for one in schema["anyOf"] if one.get("type") != "string"]}
    kinds = [one for one in schema.get("anyOf", [schema]) if one.get("type") != "null"]
    words = " or ".join(_kind(one, is_size=is_size) for one in kinds)
    if len(kinds) < len(schema.get("anyOf", [schema])):
        words += ", or null"
    return f"{words}: {schema['description']}" if "description" in schema else words


def _kind(schema: Mapping[str, Any], *, is_size: bool) -> str:
    if "enum" in schema:
        return f"one of {', '.join(map(str, schema['enum']))}"
    kind = {
        "integer": "a size, as 500MB" if is_size else "a whole number",
        "number": "a number",
        "boolean": "true or false",
        "string": "text",
        "array": "a list, as JSON",
        "object": "an object, as JSON",
    }.get(str(schema.get("type")), "JSON")
    return kind + _bounds(schema)


def _bounds(schema: Mapping[str, Any]) -> str:
    if "minimum" in schema and "maximum" in schema:
        return f" from {schema['minimum']:g} to {schema['maximum']:g}"
    if "minimum" in schema:
        return f" of at least {schema['minimum']:g}" if schema["minimum"] else ""
    return " above 0" if schema.get("exclusiveMinimum") == 0 else ""


def _as_text(value: Any) -> str:
    import json

    return value if isinstance(value, str) else json.dumps(value)
