"""An embedder: what turns text into vectors, and the space in which its vectors may be compared."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, NamedTuple

from pydantic import BaseModel, ConfigDict, Field, field_validator

from ingest_tui.model.counted import counted
from ingest_tui.model.errors import UsageError
from ingest_tui.model.hashing import short_digest
from ingest_tui.model.identifiers import check_identifier
from ingest_tui.model.registered_model import RegisteredModel

DIGEST_BYTES = 16
_LARGEST_DIMENSIONS = 65_536


def embedding_text(heading_path: str, text: str) -> str:
    r"""Return what is embedded of a chunk: the path of its headings, then its text.

    >>> embedding_text("Handbook > Leave", "Ask a week ahead.")
    '[H] Handbook > Leave\nAsk a week ahead.'
    >>> embedding_text("", "Ask a week ahead.")
    'Ask a week ahead.'
    """
    return f"[H] {heading_path}\n{text}" if heading_path else text


class EmbeddingChoice(NamedTuple):
    """What a collection has chosen: an embedder, and whether its documents are embedded by themselves after a sync."""

    embedder_id: str
    is_automatic: bool = True


def text_digest(text: str) -> bytes:
    """Return the 16 bytes by which the vector of a text is found again: of another text it is never taken."""
    return bytes.fromhex(short_digest(text, length=2 * DIGEST_BYTES))


class VectorSpace(BaseModel):
    """What has to be the same for two vectors to be comparable.

    ``revision`` is a digest of all that the vectors depend on and the other fields do not say: the files of a model,
    its pooling, the address of an endpoint.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    backend: str
    model: str
    revision: str
    dimensions: int = Field(gt=0, le=_LARGEST_DIMENSIONS)
    normalisation: Literal["l2"] = "l2"
    document_prefix: str = ""

    @property
    def space_id(self) -> str:
        """A short name of the space, in file names and in the catalogue."""
        values = (self.backend, self.model, self.revision, str(self.dimensions), self.normalisation)
        return short_digest(*values, self.document_prefix, length=16)

    def differences(self, other: VectorSpace) -> list[str]:
        """Return the names of the fields in which two spaces differ."""
        return [name for name in type(self).model_fields if getattr(self, name) != getattr(other, name)]


class Embedder(RegisteredModel):
    """A registered embedder: the backend, its settings, and the space that its vectors were found to be in."""

    embedder_id: str
    space: VectorSpace

    @property
    def identifier(self) -> str:
        """The identifier under which it is stored."""
        return self.embedder_id

    @property
    def summary(self) -> str:
        """The name of the model and the size of its vectors."""
        return f"{self.space.model}, {counted(self.space.dimensions, 'dimension')}"

    @field_validator("embedder_id")
    @classmethod
    def _identifier_is_safe(cls, value: str) -> str:
        return check_identifier(value)


def no_embedder(collection_id: str | None, registered: Sequence[str]) -> UsageError:
    """Return the error for a collection that has no vectors and will have none; None: for all collections.

    ``registered`` are the embedders that there are.
    """
    use = f"'ingest-tui embedder use NAME --collection {collection_id or 'default'}' chooses one"
    add = "" if registered else "'ingest-tui embedder add TYPE NAME' adds one; "
    what = f"collection {collection_id!r} has no embedder" if collection_id else "no collection has an embedder"
    return UsageError(what, hint=add + use, code="no_embedder")
