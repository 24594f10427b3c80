"""What a collection is called, and what it is for, as a form."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ingest_tui.services.client import Client
from ingest_tui.tui.dialogs.entry_form import EntryForm
from ingest_tui.tui.widgets.fields import Field

if TYPE_CHECKING:
    from ingest_tui.model.collection import Collection

_FIELDS = [
    Field("name", "what it is called in lists; commands also take its identifier, which stays", required=True),
    Field("description", "what it is for, one line in the list of collections"),
]


class CollectionForm(EntryForm):
    """Asks for name and description; returns the collection as it was saved, or None."""

    def __init__(self, client: Client, collection_id: str) -> None:
        super().__init__(f"Collection {collection_id}")
        self._client = client
        self._collection_id = collection_id

    def begin(self) -> None:
        """Ask what is known of it."""
        client, collection_id = self._client, self._collection_id

        def show(known: Collection) -> None:
            self.show_form(_FIELDS, {"name": known.name, "description": known.description})

        self.ask(lambda: client.collections.get(collection_id), show, group="form", otherwise=self.say_error)

    def save(self) -> None:
        """Save what was changed."""
        client, collection_id = self._client, self._collection_id
        changed = {} if self.form is None else self.form.changed_values()
        if not changed:
            self.dismiss(None)
            return

        def saved(answer: Collection) -> None:
            self.dismiss(answer)

        self.ask(
            lambda: client.collections.edit(collection_id, **changed),
            saved,
            group="save",
            otherwise=self.say_error,
            opens_dialog=True,
        )
