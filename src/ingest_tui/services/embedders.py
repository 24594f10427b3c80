"""What a person can do with embedders: register one, list, try and remove them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import Any

import pydantic

from ingest_tui.credentials.steps import Step, timed
from ingest_tui.embedding.base import PROBE_TEXT, EmbedderError, EmbeddingBackend
from ingest_tui.embedding.registry import EMBEDDERS, open_backend
from ingest_tui.model.clock import rfc3339_now
from ingest_tui.model.counted import counted
from ingest_tui.model.embedder import Embedder
from ingest_tui.model.errors import IngestError
from ingest_tui.model.generation import Generation, GenerationState
from ingest_tui.model.safe_text import safe_display
from ingest_tui.pipeline.embed.generations import record_generations
from ingest_tui.services import registered_models
from ingest_tui.store.users import requester
from ingest_tui.store.workspace import Workspace


@dataclass(frozen=True, slots=True)
class EmbedderRow:
    """An embedder and the collections that it is chosen for."""

    embedder: Embedder
    used_by: tuple[str, ...]

    def as_dict(self) -> dict[str, Any]:
        """Return the JSON form."""
        found: dict[str, Any] = self.embedder.model_dump(mode="json")
        return found | {"space_id": self.embedder.space.space_id, "used_by": list(self.used_by)}


def backend_types() -> list[tuple[str, str]]:
    """Return the types of embedders, each with what it is in one sentence."""
    return registered_models.types_of(EMBEDDERS)


def settings_model(backend: str) -> type[pydantic.BaseModel]:
    """Return the settings of a type, with descriptions and defaults; raises `UsageError` for an unknown one."""
    return EMBEDDERS.named(backend).settings


def add_embedder(workspace: Workspace, *, backend: str, name: str, settings: Mapping[str, Any]) -> Embedder:
    """Try a model and register it with the space that its vectors are in; nothing is written when it does not work.

    Raises `ValidationError` for wrong settings, `UsageError` for a taken name, `MissingDependencyError`, and what the
    model raises.
    """
    embedder_id = registered_models.new_identifier(workspace.embedders, name)
    given = registered_models.given_settings(EMBEDDERS, backend, settings)
    with closing(_opened(workspace, backend, given)) as model:
        _refuse_without_meaning(model)
        space = model.space
    at = rfc3339_now()
    embedder = Embedder(
        embedder_id=embedder_id,
        name=name,
        backend=backend,
        settings=given,
        space=space,
        created_at=at,
        updated_at=at,
    )
    return registered_models.add_model(workspace, workspace.embedders, embedder)


def registered_as_it_is(workspace: Workspace, embedder_id: str) -> Embedder:
    """Return an embedder, registered again where its model is another one by now; it is tried first.

    The vectors that collections have of the model of before are theirs until they are embedded again. Raises
    `NotFoundError`, and what the model raises.
    """
    embedder = workspace.embedders.get(embedder_id)
    with closing(_opened(workspace, embedder.backend, embedder.settings)) as model:
        if not embedder.space.differences(model.space):
            return embedder
        _refuse_without_meaning(model)
        space = model.space
    for collection_id in registered_models.collections_with(workspace, "embedder").get(embedder_id, ()):
        record_generations(workspace, collection_id)
    at = rfc3339_now()
    saved = workspace.embedders.save(embedder.model_copy(update={"space": space, "updated_at": at}), embedder)
    workspace.audit.add(at=at, by=requester(), action="embedder.update", target=embedder_id)
    return saved


def list_embedders(workspace: Workspace) -> list[EmbedderRow]:
    """Return the embedders that can be read."""
    used_by = registered_models.collections_with(workspace, "embedder")
    return [EmbedderRow(one, used_by.get(one.embedder_id, ())) for one in workspace.embedders.all()]


def unreadable_embedders(workspace: Workspace) -> list[str]:
    """Return the names of the records of embedders that cannot be read."""
    return workspace.embedders.unreadable()


def embedder_id_of(workspace: Workspace, name: str) -> str:
    """Return the identifier of the embedder that ``name`` means; ``name`` itself where there is none."""
    return registered_models.identifier_of(workspace.embedders, name)


def generations_made_by(workspace: Workspace, embedder_id: str) -> list[tuple[str, Generation]]:
    """Return the generations of vectors that an embedder has made, each with its collection.

    Those of collections that have chosen it are among them.
    """
    return [
        (collection_id, one)
        for collection_id in workspace.generations.collection_ids()
        for one in workspace.generations.get(collection_id).generations
        if one.embedder.embedder_id == embedder_id and one.state is not GenerationState.DISCARDED
    ]


def removal_in_words(workspace: Workspace, embedder_id: str) -> list[str]:
    """Return what is lost when an embedder is removed, one sentence for each generation of vectors that it has made."""
    return [
        f"generation {one.number} of collection {safe_display(collection_id)} ({one.state}) is of it: its vectors stay"
        " and are still searched, but nothing new can be embedded in it"
        for collection_id, one in generations_made_by(workspace, embedder_id)
    ]


def remove_embedder(workspace: Workspace, embedder_id: str, *, force: bool = False) -> None:
    """Forget an embedder; refused while a collection uses it, unless ``force``. The vectors that it made stay."""

    def hint_for(_collection_id: str) -> str:
        return "choose another one for these collections first; --force removes it all the same"

    hint = None if force else hint_for
    registered_models.remove_model(workspace, workspace.embedders, embedder_id, hint_for=hint)


def test_embedder(workspace: Workspace, embedder_id: str) -> Iterator[Step]:
    """Yield the steps of trying an embedder: its packages, its model, a vector, whether it is the same model still.

    Raises `NotFoundError`, and `StoreError` for one whose file is damaged.
    """
    embedder = workspace.embedders.get(embedder_id)
    yield from timed(_steps(workspace, embedder))


test_embedder.__test__ = False  # type: ignore[attr-defined] # an action of ours, not a test


def _steps(workspace: Workspace, embedder: Embedder) -> Iterator[Step]:
    model = yield from registered_models.opening_steps(
        EMBEDDERS, embedder, lambda: _opened(workspace, embedder.backend, embedder.settings)
    )
    if model is None:
        return
    with closing(model):
        try:
            _refuse_without_meaning(model)
            yield Step("vector", True, counted(model.dimensions(), "dimension"))
            yield _same_model(embedder, model)
        except IngestError as error:
            yield Step("vector", False, error.message, error.hint)


def _same_model(embedder: Embedder, model: EmbeddingBackend[Any]) -> Step:
    changed = embedder.space.differences(model.space)
    if not changed:
        return Step("same model", True, f"space {embedder.space.space_id}")
    return Step(
        "same model",
        False,
        f"another model than the one that was registered: {', '.join(changed)} differ",
        "put the model back, or 'ingest-tui reembed COLLECTION' makes vectors with it as it is now",
    )


def embedder_problems(workspace: Workspace) -> Iterator[registered_models.DoctorFinding]:
    """Yield what `doctor` says about embedders. No model is loaded, nothing is sent."""

    def hint_for(collection_id: str) -> str:
        return f"'ingest-tui embedder use NAME --collection {collection_id}' chooses another one"

    return registered_models.model_problems(workspace, workspace.embedders, EMBEDDERS, hint_for=hint_for)


def _opened(workspace: Workspace, backend: str, settings: Mapping[str, Any]) -> EmbeddingBackend[Any]:
    return open_backend(backend, settings, registered_models.context_for(workspace))


def _refuse_without_meaning(model: EmbeddingBackend[Any]) -> None:
    """Raise `EmbedderError` for a model that gives zeros for an ordinary sentence, or one vector for different ones."""
    probes: Sequence[str] = (PROBE_TEXT, "Zahlungsziel 30 Tage netto, invoice 4711")
    first, second = model.embed_documents(probes)
    if not first.any():
        raise EmbedderError(
            "the model knows nothing of an ordinary sentence", hint="do tokenizer.json and the model belong together?"
        )
    if abs(float(first @ second)) > 1 - 1e-9:
        raise EmbedderError(
            "the model gives different sentences the same vector", hint="is it the right file, or the right pooling?"
        )
