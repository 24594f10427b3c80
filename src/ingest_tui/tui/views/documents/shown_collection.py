"""The collection that a list of documents is narrowed down to, as what actions on collections are for."""

from __future__ import annotations

from ingest_tui.tui.actions.actions import Action
from ingest_tui.tui.views.collections.collection_actions import CollectionActions
from ingest_tui.tui.views.documents.document_actions import DocumentActions
from ingest_tui.tui.views.documents.filters import Narrowing


class ShownCollection(Narrowing, DocumentActions, CollectionActions):
    """Actions on documents, and on ``narrowed.collection_id``."""

    def chosen_collection(self) -> str:
        """The collection that is shown."""
        return self.narrowed.collection_id or ""

    def collection_added(self, collection_id: str) -> None:
        """Show it."""
        self.switch_collection(collection_id)

    def menu_name(self, key: str) -> str:
        """The name of the document, not its id."""
        return dict(self.target_documents()).get(key, key)

    def offers(self, action: Action) -> bool:
        """What is done with documents: what is in the trash can be restored, what is not can be removed."""
        in_trash = self.narrowed.state == "retired"
        left_out = "document.remove" if in_trash else "document.restore"
        return action.id not in {left_out, "document.upload", "collection.preferences"}

    def sample_document(self, collection_id: str) -> str:
        """The document under the cursor where that is one of the collection that is shown."""
        is_shown = collection_id == self.narrowed.collection_id and self.narrowed.state == "active"
        targets = self.target_documents() if is_shown else []
        return targets[0][0] if targets else ""
