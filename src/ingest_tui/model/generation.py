"""The generations of a collection's vectors: which of them answers, which is being built, which can be gone back to.

A generation is made with one embedder, as that was when the generation was begun: so the vectors of a generation can be
asked whatever becomes of the registered embedder. Its ``key`` is in the names of its files. A collection without a
record has one generation: the vectors in the space of the embedder that it has chosen.
"""

from __future__ import annotations

from enum import StrEnum

from pydantic import BaseModel, ConfigDict, Field, model_validator

from ingest_tui.model.embedder import Embedder, VectorSpace
from ingest_tui.model.errors import RefusedError

SCHEMA_VERSION = 1


class GenerationState(StrEnum):
    """``building``: not complete. ``ready``: complete, not answering yet. ``kept``: has answered, can do so again.

    ``discarded``: its files are being removed.
    """

    BUILDING = "building"
    READY = "ready"
    ANSWERING = "answering"
    KEPT = "kept"
    DISCARDED = "discarded"


class Generation(BaseModel):
    """The vectors of a collection that were made with one embedder.

    ``documents`` and ``sources`` name what is embedded again; all other documents take over the vectors that they have
    under ``based_on``, the key of the generation that answered. All three are empty where everything is embedded.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    number: int = Field(ge=1)
    key: str
    embedder: Embedder
    state: GenerationState
    created_at: str
    job_id: str = ""
    documents: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()
    based_on: str = ""
    answered_until: str = ""

    @model_validator(mode="after")
    def _key_is_of_its_space(self) -> Generation:
        """Refuse a record that was damaged: under another key, or in another space, no vector would be found."""
        if self.key not in {self.space.space_id, f"{self.space.space_id}-{self.number}"}:
            raise ValueError("its key is that of another space")
        return self

    @property
    def space(self) -> VectorSpace:
        """The space of its vectors."""
        return self.embedder.space

    def embeds_again(self, document_id: str, source_id: str) -> bool:
        """Whether a document gets new vectors, rather than those of the generation that this one is based on."""
        return not self.based_on or document_id in self.documents or source_id in self.sources


class Generations(BaseModel):
    """All generations of a collection. At most one answers, and at most one is being built or ready."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    schema_version: int = SCHEMA_VERSION
    collection_id: str
    newest: int = Field(default=0, ge=0, description="the highest number ever given")
    generations: tuple[Generation, ...] = ()
    revision: int = Field(default=0, ge=0, description="counts the times it was saved")

    @property
    def listed(self) -> str:
        """Each generation with its state and its embedder, for a message."""
        states = (f"{one.number} ({one.state}, {one.embedder.embedder_id})" for one in self.generations)
        return ", ".join(states) or "none"

    @property
    def answering(self) -> Generation | None:
        """The generation that a search asks."""
        return self._first(GenerationState.ANSWERING)

    @property
    def pending(self) -> Generation | None:
        """The generation that is being built, or is ready to answer."""
        return self._first(GenerationState.BUILDING, GenerationState.READY)

    @property
    def kept(self) -> Generation | None:
        """The generation that answered before, to which one can go back."""
        return self._first(GenerationState.KEPT)

    @property
    def discarded(self) -> tuple[Generation, ...]:
        """The generations whose files are to be removed."""
        return tuple(one for one in self.generations if one.state is GenerationState.DISCARDED)

    def _first(self, *states: GenerationState) -> Generation | None:
        return next((one for one in reversed(self.generations) if one.state in states), None)

    def of_job(self, job_id: str) -> Generation | None:
        """Return the generation that a job builds, or has built."""
        return next((one for one in self.generations if one.job_id == job_id), None)

    def begun(
        self,
        embedder: Embedder,
        *,
        at: str,
        job_id: str = "",
        documents: tuple[str, ...] = (),
        sources: tuple[str, ...] = (),
    ) -> Generations:
        """Return them with a new one: it answers at once where none does, else it is being built.

        The first of a space has the files that a collection without a record has.
        """
        space_id, number = embedder.space.space_id, self.newest + 1
        taken = {one.key for one in self.generations}
        answering = self.answering
        new = Generation(
            number=number,
            key=space_id if space_id not in taken else f"{space_id}-{number}",
            embedder=embedder,
            state=GenerationState.ANSWERING if answering is None else GenerationState.BUILDING,
            created_at=at,
            job_id=job_id,
            documents=documents,
            sources=sources,
            based_on=answering.key if answering is not None and (documents or sources) else "",
        )
        return self.model_copy(update={"newest": number, "generations": (*self.generations, new)})

    def built_by(self, number: int, job_id: str) -> Generations:
        """Return them with another job that builds a generation: a retry, or one that only switches."""
        return self._with(number, job_id=job_id)

    def completed(self, number: int) -> Generations:
        """Return them with a generation that was being built ready to answer."""
        return self._with(number, state=GenerationState.READY)

    def reused(self, number: int, job_id: str) -> Generations:
        """Return them with a generation that was kept being brought up to date, to answer again."""
        return self._with(number, state=GenerationState.BUILDING, job_id=job_id)

    def switched_to(self, number: int, *, at: str) -> Generations:
        """Return them with another one answering; the one before is kept, what was kept until now is discarded."""
        changed = []
        for one in self.generations:
            if one.number == number:
                changed.append(one.model_copy(update={"state": GenerationState.ANSWERING, "answered_until": ""}))
            elif one.state is GenerationState.ANSWERING:
                changed.append(one.model_copy(update={"state": GenerationState.KEPT, "answered_until": at}))
            elif one.state is GenerationState.KEPT:
                changed.append(one.model_copy(update={"state": GenerationState.DISCARDED}))
            else:
                changed.append(one)
        return self.model_copy(update={"generations": tuple(changed)})

    def without(self, number: int) -> Generations:
        """Return them with a generation discarded. Raises `RefusedError` for the one that answers."""
        answering = self.answering
        if answering is not None and answering.number == number:
            raise RefusedError(f"generation {number} of collection {self.collection_id!r} answers, and stays")
        return self._with(number, state=GenerationState.DISCARDED)

    def cleared(self, number: int) -> Generations:
        """Return them without a generation whose files are gone."""
        return self.model_copy(update={"generations": tuple(one for one in self.generations if one.number != number)})

    def _with(self, number: int, **changes: object) -> Generations:
        return self.model_copy(
            update={
                "generations": tuple(
                    one.model_copy(update=changes) if one.number == number else one for one in self.generations
                )
            }
        )
