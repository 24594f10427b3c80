"""What embedders and rerankers have in common for whoever registers, tries and removes them."""

from __future__ import annotations

import os
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import suppress
from typing import Any, TypeVar

from ingest_tui.credentials.steps import Step
from ingest_tui.embedding.base import BackendContext
from ingest_tui.embedding.registry import ModelKinds
from ingest_tui.model.clock import rfc3339_now
from ingest_tui.model.errors import IngestError, RefusedError, UsageError
from ingest_tui.model.identifiers import slug
from ingest_tui.model.registered_model import RegisteredModel
from ingest_tui.model.safe_text import safe_display
from ingest_tui.pipeline.connecting import registry_for
from ingest_tui.store.records.models import ModelStore, Registered
from ingest_tui.store.users import requester
from ingest_tui.store.workspace import Workspace

DoctorFinding = tuple[str, str, str, str]
"""What `doctor` says: level, name, message, hint."""


Opened = TypeVar("Opened")


def types_of(kinds: ModelKinds) -> list[tuple[str, str]]:
    """Return the types of models, each with what it is in one sentence."""
    return [(name, kind.summary) for name, kind in kinds.kinds.items()]


def context_for(workspace: Workspace, answer_seconds: float | None = None) -> BackendContext:
    """Return what a model is opened with while somebody waits for it."""
    return BackendContext.while_somebody_waits(registry_for(workspace), answer_seconds)


def new_identifier(store: ModelStore[Registered], name: str) -> str:
    """Return the identifier of a model that is to be named so; raises `UsageError` for a taken one."""
    identifier = slug(name)
    if store.exists(identifier):
        raise UsageError(
            f"{'an' if store.noun[0] in 'aeiou' else 'a'} {store.noun} named {identifier!r} is already there",
            hint=f"choose another name, or 'ingest-tui {store.noun} remove {identifier}' first",
        )
    return identifier


def given_settings(kinds: ModelKinds, backend: str, settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return the settings as they are stored: checked, and with the folder of the model as seen from anywhere.

    Raises what `ModelKinds.checked` raises.
    """
    given = dict(settings)
    if isinstance(given.get("path"), str) and given["path"]:
        given["path"] = os.path.abspath(os.path.expanduser(given["path"]))  # noqa: PTH100, PTH111 - links stay as named
    return kinds.checked(backend, given).model_dump(mode="json", exclude_unset=True)


def add_model(workspace: Workspace, store: ModelStore[Registered], model: Registered) -> Registered:
    """Write the record of a new model, and who added it."""
    model = store.add(model)
    workspace.audit.add(
        at=model.created_at,
        by=requester(),
        action=f"{store.noun}.add",
        target=model.identifier,
        backend=model.backend,
    )
    return model


def identifier_of(store: ModelStore[Registered], name: str) -> str:
    """Return the identifier of the model that ``name`` means; ``name`` itself where there is none."""
    if name in store.names():
        return name
    return next((one.identifier for one in store.all() if one.name == name), name)


def collections_with(workspace: Workspace, noun: str) -> dict[str, tuple[str, ...]]:
    """Return the collections whose preferences name a model of a kind, by the identifier of the model."""
    users: dict[str, tuple[str, ...]] = {}
    for collection in workspace.collections.all():
        identifier: str = getattr(collection.preferences, noun)
        if identifier:
            users[identifier] = (*users.get(identifier, ()), collection.collection_id)
    return users


def remove_model(
    workspace: Workspace,
    store: ModelStore[Registered],
    identifier: str,
    *,
    hint_for: Callable[[str], str] | None,
) -> None:
    """Forget a model; refused while collections use it, if there is a hint for the first of them."""
    users = collections_with(workspace, store.noun).get(identifier, ())
    if identifier not in store.names():
        store.get(identifier)
    if users and hint_for:
        raise RefusedError(
            f"{store.noun} {identifier!r} is used by {', '.join(users)}",
            hint=hint_for(users[0]),
            code=f"{store.noun}_in_use",
            collection_ids=list(users),
        )
    store.remove(identifier)
    workspace.audit.add(at=rfc3339_now(), by=requester(), action=f"{store.noun}.remove", target=identifier)


def opening_steps(
    kinds: ModelKinds, record: RegisteredModel, open_model: Callable[[], Opened]
) -> Generator[Step, None, Opened | None]:
    """Yield the steps until a model can be asked, and return it; None where it does not come to that."""
    try:
        missing: IngestError | None = kinds.missing_extra(record.backend)
    except UsageError as error:
        missing = error
    if missing is not None:
        yield Step("packages", False, missing.message, missing.hint)
        return None
    yield Step("packages", True, "installed")
    try:
        model = open_model()
    except IngestError as error:
        yield Step("model", False, error.message, error.hint)
        return None
    yield Step("model", True, "can be opened")
    return model


def model_problems(
    workspace: Workspace, store: ModelStore[Registered], kinds: ModelKinds, *, hint_for: Callable[[str], str]
) -> Iterator[DoctorFinding]:
    """Yield what `doctor` says about the models of a kind. No model is loaded, nothing is sent.

    ``hint_for`` returns the hint for a collection that names one which is not there.
    """
    for name in store.unreadable():
        try:
            store.get(name)
        except IngestError as error:
            yield "problem", f"{store.noun} {safe_display(name)}", error.message, error.hint
    for model in store.all():
        yield _state_of(model, kinds)
    known = set(store.names())
    with suppress(IngestError):  # that the records cannot be read is reported by a check of its own
        for identifier, collection_ids in collections_with(workspace, store.noun).items():
            for collection_id in collection_ids if identifier not in known else ():
                message = f"its {store.noun} {safe_display(identifier)} is not there"
                yield "problem", f"collection {safe_display(collection_id)}", message, hint_for(collection_id)


def _state_of(model: RegisteredModel, kinds: ModelKinds) -> DoctorFinding:
    name = f"{kinds.noun} {safe_display(model.identifier)}"
    try:
        missing = kinds.missing_extra(model.backend)
        kinds.checked(model.backend, model.settings)
    except IngestError as error:
        return "problem", name, error.message, error.hint
    if missing is not None:
        return "problem", name, missing.message, missing.hint
    folder = model.settings.get("path")
    if isinstance(folder, str) and not os.path.isdir(folder):  # noqa: PTH112 - says no where a name is too long
        return "problem", name, f"there is no folder {safe_display(folder)}", "bring the model back, or remove it"
    return "ok", name, f"{model.backend}, {safe_display(model.summary)}", ""
