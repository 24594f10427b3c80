"""What is done with whole collections: renaming, using, removing and restoring them, and deleting earlier versions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ingest_tui.model.collection import DEFAULT_COLLECTION
from ingest_tui.tui import wording
from ingest_tui.tui.views.collections.collection_actions import CollectionActions

if TYPE_CHECKING:
    from ingest_tui.model.collection import Collection
    from ingest_tui.services.collections.page import CollectionPage
    from ingest_tui.services.collections.removal import RemovalReport
    from ingest_tui.services.workspace_prune import Prunable, PruneReport
    from ingest_tui.store.records.removed_collections import RemovedCollection


class ManagedCollections(CollectionActions):
    """Actions on the collection that is chosen, in the list of collections and on the page of one."""

    def collection_removed(self, collection_id: str) -> None:
        """A collection is gone."""
        del collection_id
        self.collections_changed()

    def show_documents(self) -> None:
        """Show the documents of the collection."""
        chosen = self.chosen_collection()
        if chosen:
            self.ingest.show_documents_in(chosen)

    def edit_collection(self) -> None:
        """Change what the collection is called and what it is for."""
        from ingest_tui.tui.views.collections.collection_form import CollectionForm

        chosen = self.chosen_collection()
        if not chosen:
            return

        def saved(changed: Collection | None) -> None:
            if changed is not None:
                self.show_notice(f"changed collection {chosen}: {changed.name}")
                self.collections_changed()

        self.app.push_screen(CollectionForm(self.ingest.client, chosen), saved)

    def use_collection(self) -> None:
        """Remember the collection as the one in use."""
        chosen, client = self.chosen_collection(), self.ingest.client

        def used(collection: Collection) -> None:
            self.show_notice(f"collection {collection.collection_id} is in use", "Documents opens with it")
            self.collections_changed()

        if chosen:
            self.ask(lambda: client.collections.use(chosen), used, group=None)

    # Removing and restoring

    def remove_collection(self) -> None:
        """Remove the collection after a question that says what goes with it."""
        chosen, client = self.chosen_collection(), self.ingest.client
        if chosen == DEFAULT_COLLECTION:
            self.show_notice(f"collection {chosen} is always there", "d shows its documents, where they can be removed")
            return

        def look() -> tuple[Collection, RemovalReport]:
            return client.collections.get(chosen), client.collections.what_would_go(chosen)

        if chosen:
            self.ask(look, self._ask_to_remove, group="collection", opens_dialog=True)

    def _ask_to_remove(self, found: tuple[Collection, RemovalReport]) -> None:
        from ingest_tui.tui.dialogs.dialogs import Confirm

        seen, goes = found
        collection_id, client = seen.collection_id, self.ingest.client
        names = [wording.plural(goes.documents, "document"), *(f"source {one}" for one in goes.source_ids)]

        def removed(report: RemovalReport) -> None:
            documents = wording.plural(report.documents, "document")
            self.show_notice(
                f"removed collection {collection_id}; {documents} in the trash", "T in Collections brings it back"
            )
            self.collection_removed(collection_id)

        def answered(agreed: bool | None) -> None:
            if agreed:
                self.ask(lambda: client.collections.remove(collection_id, based_on=seen), removed, group=None)

        consequence = "Documents go to the trash with all their versions; those of other collections stay."
        question = f"Remove collection {collection_id}?"
        self.app.push_screen(Confirm(question, names, "Remove", consequence=consequence), answered)

    def restore_collection(self) -> None:
        """Bring back a removed collection that a person chooses."""
        from ingest_tui.tui.dialogs.dialogs import Choose

        client = self.ingest.client

        def restored(report: RemovalReport) -> None:
            documents = wording.plural(report.documents, "document")
            sources = "".join(f", source {one}" for one in report.source_ids)
            self.show_notice(f"restored collection {report.collection_id} with {documents}{sources}")
            self.collection_added(report.collection_id)
            self.collections_changed()

        def chosen(collection_id: str | None) -> None:
            if collection_id is not None:
                self.ask(lambda: client.collections.restore(collection_id), restored, group=None)

        def choose(removed: list[RemovedCollection]) -> None:
            if not removed:
                self.show_notice("no collection was removed, or its time in the trash is over")
                return
            now = self.ingest.now()
            offered = [
                (one.collection.collection_id,
                 f"{one.collection.collection_id}  removed {wording.age(one.removed_at, now)} ago by {one.by}")
                for one in removed
            ]  # fmt: skip
            self.app.push_screen(Choose("Restore which collection?", offered), chosen)

        self.ask(client.collections.in_trash, choose, group="choices", opens_dialog=True)

    # Earlier versions

    def prune_versions(self) -> None:
        """Delete the earlier versions that the preferences of the collection let go, after a question."""
        chosen, client = self.chosen_collection(), self.ingest.client
        if chosen:
            self.ask(
                lambda: client.maintenance.prunable(("versions",), collection_id=chosen),
                lambda found: self._ask_to_prune(chosen, found),
                group="prune",
                opens_dialog=True,
            )

    def _ask_to_prune(self, collection_id: str, found: list[Prunable]) -> None:
        from ingest_tui.tui.dialogs.dialogs import Confirm

        client = self.ingest.client
        if not found:
            hint = "P sets how many versions are kept, and for how long; those of the last rollback stay"
            self.show_notice(f"no earlier version of collection {collection_id} is to be deleted", hint)
            return

        def pruned(report: PruneReport) -> None:
            size = wording.size(report.total_bytes)
            self.show_notice(f"deleted {wording.plural(report.total_items, 'version')}, {size} freed")
            self.collections_changed()

        def answered(agreed: bool | None) -> None:
            if agreed:
                self.ask(lambda: client.maintenance.prune(found), pruned, group=None, in_background=True)

        size = wording.size(sum(one.bytes for one in found))
        question = f"Delete earlier versions of collection {collection_id}?"
        names = [one.name for one in found]
        consequence = (
            f"They are gone for good, {size}. The current version of each document stays, and so do those that its "
            "last rollback went from and to."
        )
        self.app.push_screen(Confirm(question, names, "Delete", consequence=consequence), answered)

    # What is copied, and what the menu is called by

    def menu_name(self, key: str) -> str:
        """What people call the collection."""
        page = self.collection_page(key)
        return page.summary.collection.name if page is not None else key

    def collection_page(self, collection_id: str) -> CollectionPage | None:
        """What is known of a collection, once it is read."""
        del collection_id
        return None

    def command_values(self) -> dict[str, str]:
        """The collection."""
        return {"collection": self.chosen_collection()}
