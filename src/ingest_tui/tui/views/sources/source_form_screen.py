"""The form of a source, made from the settings of its type and those that every source has."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar

from ingest_tui.model.source import Source
from ingest_tui.services.client import Client
from ingest_tui.tui.client.conflicts import Conflict, saved_or_conflict
from ingest_tui.tui.dialogs.entry_form import EntryForm
from ingest_tui.tui.views.sources.source_fields import (
    AS_THE_WORKSPACE,
    HOLD,
    HOW,
    LEFT_TO_THE_WORKSPACE,
    NAME,
    OURS,
    PREFERENCES,
    TAKES,
    WATCH,
    WHEN,
    shown_size,
)
from ingest_tui.tui.widgets.fields import Field, as_list, fields_of

if TYPE_CHECKING:
    import pydantic

    from ingest_tui.services.sources.trials import SourceDraft

ADD_NEW = "\0new"
_PREFIX = "config_"  # of a connector's field whose name is that of one of ours
_FILTERS = ("include", "exclude")
_PLACES = ("path", "repository", "remote", "prefix", "folder", "bucket", "site", "host", "url", "uri")


class SourceForm(EntryForm):
    """Asks for the settings of a source and saves it; returns the source, or None.

    ``draft`` is the source to be changed; None for a new one of ``source_type``.
    """

    buttons: ClassVar[tuple[tuple[str, str], ...]] = (
        ("save", "Save and test"),
        ("test", "Test"),
        ("preview", "Preview"),
    )
    note: ClassVar[str] = "enter saves  tab moves  ^o browse  ^t test  ^r preview  esc cancels"

    def __init__(self, client: Client, source_type: str, *, draft: SourceDraft | None = None, guide: str = "") -> None:
        super().__init__(f"{guide}Change {draft.source_id}" if draft else f"{guide}Add a source of type {source_type}")
        self._client = client
        self._type = source_type
        self._original = draft
        self._config_names: dict[str, str] = {}

    # The fields

    def begin(self) -> None:
        """Ask which settings this type of source has, and which collections there are."""
        source_type, client = self._type, self._client

        def ask() -> tuple[type[pydantic.BaseModel], list[str], str]:
            return client.sources.config_model(source_type), client.collections.names(), client.collections.in_use()

        self.ask(ask, self._build, group="form", otherwise=self.say_error)

    def _build(self, answer: tuple[type[pydantic.BaseModel], list[str], str]) -> None:
        model, collections, in_use = answer
        fields = [self._own_name(field) for field in fields_of(model)]
        required = [field for field in fields if field.required]
        filters = [field for field in fields if field.name in _FILTERS]
        others = [field for field in fields if field not in required and field not in filters]
        # What stays as it is most of the time is further below.
        rest = [field for field in others if field.kind in {"switch", "choice"} or field.default]
        place = [field for field in others if field not in rest]
        takes = [*filters, *TAKES]
        takes[0] = replace(takes[0], group="Filters")
        if rest:
            rest[0] = replace(rest[0], group=f"More of {self._type}")
        choices = tuple(collections) or (in_use,)
        how = [replace(HOW[0], kind="choice", choices=choices), *HOW[1:]]
        stays = f"what you call it; its identifier stays {self._original.source_id}" if self._original else ""
        name = replace(NAME, description=stays) if stays else NAME
        values = self._values() if self._original else {"collection_id": in_use}
        self.show_form([*required, name, *place, WATCH, *WHEN, *takes, *rest, *how, *PREFERENCES], values)

    def _own_name(self, field: Field) -> Field:
        own = f"{_PREFIX}{field.name}" if field.name in OURS else field.name
        self._config_names[own] = field.name
        return replace(field, name=own, label=field.name.replace("_", " "))

    def _values(self) -> dict[str, Any]:
        if self._original is None:
            return {}
        config = {
            own: self._original.config[name]
            for own, name in self._config_names.items()
            if name in self._original.config
        }
        common = dict(self._original.common)
        common["max_size"] = shown_size(int(common["max_size"]))
        common |= {name: common.get(name) or AS_THE_WORKSPACE for name in LEFT_TO_THE_WORKSPACE}
        common |= common.pop("preferences", {})
        common["by_type"] = [f"{kind}={backend}" for kind, backend in (common.get("by_type") or {}).items()]
        return config | common | {"name": self._original.name}

    # What was entered

    def draft(self) -> SourceDraft:
        """Return what was entered, whole."""
        from ingest_tui.services.sources.trials import SourceDraft

        entered = dict(self.form.values()) if self.form is not None else {}
        config = {name: entered.pop(own) for own, name in self._config_names.items() if own in entered}
        name = str(entered.pop("name", "")) or self._name_when_empty(config)
        source_id = self._original.source_id if self._original else None
        based_on = self._original.based_on if self._original else None
        return SourceDraft(self._type, name, config, _common(entered), source_id, based_on)

    def _name_when_empty(self, config: dict[str, Any]) -> str:
        return _name_of(config, self._type) if self._original is None else self._original.name

    def _changes(self) -> SourceDraft:
        """Return what is to be saved: of a source that is changed only the fields that are."""
        draft = self.draft()
        if self._original is None or self.form is None:
            return draft
        changed = self.form.changed_values()
        changed.pop("name", None)
        config = {name: changed.pop(own) for own, name in self._config_names.items() if own in changed}
        if changed.keys() & {"backend", "by_type"}:  # they are saved as one setting
            entered = self.form.values()
            changed |= {"backend": entered.get("backend", ""), "by_type": entered.get("by_type", [])}
        return replace(draft, config=config, common=_common(changed, emptied=True))

    def form_shown(self) -> None:
        """Say what the name will be."""
        self.check()

    def check(self, *, everywhere: bool = False) -> None:
        """Ask what is wrong with it; a name that follows from the place is shown as such."""
        try:
            draft = self.draft()
        except ValueError as error:
            self.take_problems({"by_type": str(error)}, everywhere=everywhere)
            return
        if self.form is not None:
            self.form.suggest("name", self._name_when_empty(draft.config))
        client = self._client

        def take(problems: dict[str, str]) -> None:
            names = {name: own for own, name in self._config_names.items()}
            problems_by_field = {names.get(name, name): text for name, text in problems.items()}
            if self.take_problems(problems_by_field, everywhere=everywhere) and everywhere:
                self._save_now()
            elif everywhere and self.form is not None:
                self.form.focus_problem()

        self.ask(
            lambda: client.sources.problems(draft),
            take,
            group="check",
            otherwise=self.say_error,
            opens_dialog=everywhere,
        )

    def save(self) -> None:
        """Check everything, then save."""
        self.check(everywhere=True)

    def _save_now(self) -> None:
        self._saving = True
        client, changes = self._client, self._changes()
        if self._original is not None and not (changes.config or changes.common or changes.is_renamed):
            self.dismiss(None)
            return
        self.ask(
            lambda: saved_or_conflict(lambda: client.sources.save(changes)),
            self._saved,
            group="save",
            otherwise=self.say_error,
            opens_dialog=True,
        )

    def _saved(self, answer: Source | Conflict) -> None:
        if not isinstance(answer, Conflict):
            self.dismiss(answer)
            return
        theirs = self._client.sources.draft_from(answer.theirs)

        def keep() -> None:
            if self._original is not None:
                self._original = replace(self._original, based_on=theirs.based_on)
            self._save_now()

        def reload() -> None:
            self._original = theirs
            self.start_over()

        self.ask_who_wins(answer, keep, reload)

    # Test, preview, browse, choose

    def press(self, name: str) -> None:
        """Test or preview what was entered, without saving it."""
        from ingest_tui.tui.dialogs.report import TestReport
        from ingest_tui.tui.views.sources.preview_screen import Preview

        try:
            draft = self.draft()
        except ValueError as error:
            self.take_problems({"by_type": str(error)}, everywhere=True)
            return
        client = self._client
        if name == "preview":
            self.app.push_screen(Preview(client, draft))
        else:
            what = f"{draft.name or self._type} as entered"
            self.app.push_screen(TestReport(client, what, steps=lambda: client.sources.test_draft(draft)))

    def pick(self, field: Field) -> None:
        """Browse for the place, or choose a credential."""
        if field.picks == "credential":
            self._choose_credential(field)
            return
        from ingest_tui.tui.views.sources.places_screen import Places

        config = self.draft().config
        if field.name in {"bucket", "path"} and self._type != "local":
            config.pop(field.name, None)
        client, source_type = self._client, self._type

        def chosen(path: str | None) -> None:
            if path is not None:
                self.ask(
                    lambda: client.sources.settings_of_place(source_type, config, path),
                    self._fill,
                    group="fill",
                    opens_dialog=True,
                )

        self.app.push_screen(Places(client, source_type, config), chosen)

    def _fill(self, settings: dict[str, Any]) -> None:
        if not settings:
            self.show_notice("this type of source has no settings for a place", "type them into the fields")
        names = {name: own for own, name in self._config_names.items()}
        for name, value in settings.items():
            if self.form is not None:
                self.form.fill(names.get(name, name), value)

    def _choose_credential(self, field: Field) -> None:
        client = self._client

        def offer(names: list[str]) -> None:
            from ingest_tui.tui.dialogs.dialogs import Choose

            kind = f" of type {field.credential_type}" if field.credential_type else ""
            options = [*((name, name) for name in names), (ADD_NEW, f"add a new credential{kind} …")]
            if not field.required:
                options.append(("", "none"))
            self.app.push_screen(Choose(f"Credential{kind}", options), picked)

        def picked(name: str | None) -> None:
            if name == ADD_NEW:
                from ingest_tui.tui.views.credentials.credential_form_screen import add_credential

                add_credential(self, client, field.credential_type, lambda made: self._take_credential(field, made))
            elif name is not None:
                self._take_credential(field, name)

        self.ask(lambda: client.credentials.names(field.credential_type), offer, group="names", opens_dialog=True)

    def _take_credential(self, field: Field, name: str) -> None:
        if self.form is not None:
            self.form.fill(field.name, name)


def _common(entered: dict[str, Any], *, emptied: bool = False) -> dict[str, Any]:
    """Return the settings that every source has, as the services take them; raises ValueError for a wrong pair."""
    common = dict(entered)
    if "by_type" in common:
        common["by_type"] = dict(_pairs(common["by_type"]))
    chosen = {field.name: str(common.pop(field.name)) for field in PREFERENCES if field.name in common}
    if chosen:
        common["preferences"] = chosen
    for name in LEFT_TO_THE_WORKSPACE:
        if common.get(name) == AS_THE_WORKSPACE:
            common[name] = None
    for name in ("since", "backend", *HOLD):
        if name in common and (emptied or name in HOLD):
            common[name] = None if common[name] in {"", None} else common[name]
    return common


def _pairs(parts: Any) -> Iterator[tuple[str, str]]:
    for part in as_list(parts) if isinstance(parts, str) else parts:
        kind, separator, backend = str(part).partition("=")
        if not separator:
            raise ValueError(f"not TYPE=BACKEND: {part}")
        yield kind.strip().lower().lstrip("."), backend.strip()


def _name_of(config: dict[str, Any], source_type: str) -> str:
    """Return the name that follows from the place: the last part of its folder, repository, remote, bucket or site."""
    for place in _PLACES:
        where = str(config.get(place) or "")
        parts = [part for part in (where.replace(":", "/") if place == "remote" else where).split("/") if part]
        if parts:
            return parts[-1].removesuffix(".git") or parts[-1]
    return source_type if config else ""
