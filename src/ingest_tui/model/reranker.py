"""A reranker: what reads the best hits of a search again, and says how well each answers the query."""

from __future__ import annotations

from pydantic import field_validator

from ingest_tui.model.identifiers import check_identifier
from ingest_tui.model.registered_model import RegisteredModel


class RegisteredReranker(RegisteredModel):
    """A registered reranker: its type and its settings."""

    reranker_id: str

    @property
    def identifier(self) -> str:
        """The identifier under which it is stored."""
        return self.reranker_id

    @property
    def summary(self) -> str:
        """The folder of the model, or the address that is asked."""
        return str(self.settings.get("path") or self.settings.get("endpoint", ""))

    @field_validator("reranker_id")
    @classmethod
    def _identifier_is_safe(cls, value: str) -> str:
        return check_identifier(value)
