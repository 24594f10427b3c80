"""What a person can do with rerankers: register one, list, try and remove them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import Any

import orjson
import pydantic

from ingest_tui.credentials.steps import Step, timed
from ingest_tui.embedding.base import EmbedderError
from ingest_tui.embedding.registry import RERANKERS, open_reranker
from ingest_tui.embedding.reranking import Reranker
from ingest_tui.model.clock import rfc3339_now
from ingest_tui.model.errors import IngestError
from ingest_tui.model.reranker import RegisteredReranker
from ingest_tui.services import registered_models
from ingest_tui.services.open_models import LastModel
from ingest_tui.store.workspace import Workspace

_PROBE = "how long is the notice period"
_PROBE_TEXTS = ("The notice period is three months.", "Rain is expected in the north.")


@dataclass(frozen=True, slots=True)
class RerankerRow:
    """A reranker and the collections that it is chosen for."""

    reranker: RegisteredReranker
    used_by: tuple[str, ...]

    def as_dict(self) -> dict[str, Any]:
        """Return the JSON form."""
        found: dict[str, Any] = self.reranker.model_dump(mode="json")
        return found | {"used_by": list(self.used_by)}


def reranker_types() -> list[tuple[str, str]]:
    """Return the types of rerankers, each with what it is in one sentence."""
    return registered_models.types_of(RERANKERS)


def settings_model(backend: str) -> type[pydantic.BaseModel]:
    """Return the settings of a type, with descriptions and defaults; raises `UsageError` for an unknown one."""
    return RERANKERS.named(backend).settings


def add_reranker(workspace: Workspace, *, backend: str, name: str, settings: Mapping[str, Any]) -> RegisteredReranker:
    """Try a reranker and register it; nothing is written when it does not work.

    Raises `ValidationError` for wrong settings, `UsageError` for a taken name, `MissingDependencyError`, and what the
    model raises.
    """
    reranker_id = registered_models.new_identifier(workspace.rerankers, name)
    given = registered_models.given_settings(RERANKERS, backend, settings)
    with closing(open_model(workspace, backend, given)) as model:
        _try(model)
    at = rfc3339_now()
    reranker = RegisteredReranker(
        reranker_id=reranker_id, name=name, backend=backend, settings=given, created_at=at, updated_at=at
    )
    return registered_models.add_model(workspace, workspace.rerankers, reranker)


def list_rerankers(workspace: Workspace) -> list[RerankerRow]:
    """Return the rerankers that can be read."""
    used_by = registered_models.collections_with(workspace, "reranker")
    return [RerankerRow(one, used_by.get(one.reranker_id, ())) for one in workspace.rerankers.all()]


def reranker_id_of(workspace: Workspace, name: str) -> str:
    """Return the identifier of the reranker that ``name`` means; ``name`` itself where there is none."""
    return registered_models.identifier_of(workspace.rerankers, name)


def remove_reranker(workspace: Workspace, reranker_id: str, *, force: bool = False) -> None:
    """Forget a reranker; refused while a collection uses it, unless ``force``."""

    def hint_for(collection_id: str) -> str:
        return f"'ingest-tui collection prefs {collection_id} --unset reranker' first, or --force"

    hint = None if force else hint_for
    registered_models.remove_model(workspace, workspace.rerankers, reranker_id, hint_for=hint)


def test_reranker(workspace: Workspace, reranker_id: str) -> Iterator[Step]:
    """Yield the steps of trying a reranker: its packages, its model, an answer.

    Raises `NotFoundError`, and `StoreError` for one whose file is damaged.
    """
    reranker = workspace.rerankers.get(reranker_id)
    yield from timed(_steps(workspace, reranker))


test_reranker.__test__ = False  # type: ignore[attr-defined] # an action of ours, not a test


def _steps(workspace: Workspace, reranker: RegisteredReranker) -> Iterator[Step]:
    model = yield from registered_models.opening_steps(
        RERANKERS, reranker, lambda: open_model(workspace, reranker.backend, reranker.settings)
    )
    if model is None:
        return
    with closing(model):
        try:
            _try(model)
            yield Step("answer", True, "ranks a text that answers a question above another one")
        except IngestError as error:
            yield Step("answer", False, error.message, error.hint)


def reranker_problems(workspace: Workspace) -> Iterator[registered_models.DoctorFinding]:
    """Yield what `doctor` says about rerankers. No model is loaded, nothing is sent."""

    def hint_for(collection_id: str) -> str:
        return f"'ingest-tui collection prefs {collection_id} --unset reranker' chooses none"

    return registered_models.model_problems(workspace, workspace.rerankers, RERANKERS, hint_for=hint_for)


def open_model(
    workspace: Workspace, backend: str, settings: Mapping[str, Any], answer_seconds: float | None = None
) -> Reranker[Any]:
    """Return a model that is ready to be asked while somebody waits; raises what `open_reranker` raises."""
    return open_reranker(backend, settings, registered_models.context_for(workspace, answer_seconds))


_last: LastModel[Reranker[Any]] = LastModel()


def scores_of(
    workspace: Workspace, reranker: RegisteredReranker, text: str, texts: Sequence[str], answer_seconds: float
) -> list[float]:
    """Return how well each text answers a query. A model that takes long to open stays open for the next search."""

    def opened() -> Reranker[Any]:
        return open_model(workspace, reranker.backend, reranker.settings, answer_seconds)

    if RERANKERS.named(reranker.backend).stays_open:
        key = orjson.dumps([str(workspace.root), reranker.backend, reranker.settings])
        return _last.ask(key, opened, lambda model: model.scores(text, texts))
    with closing(opened()) as model:
        return model.scores(text, texts)


def _try(model: Reranker[Any]) -> None:
    """Raise `EmbedderError` for a model that gives an answer and something else the same score."""
    answer, other = model.scores(_PROBE, _PROBE_TEXTS)
    if answer == other:
        raise EmbedderError(
            "the reranker gives different texts the same score",
            hint="is it a model that ranks texts for a query?",
            code="bad_answer",
        )
