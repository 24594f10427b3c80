"""What is done with the vectors of a collection: what makes them, making them again, and which of them answer."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from ingest_tui.model.counted import counted
from ingest_tui.tui.client.conflicts import Conflict, saved_or_conflict
from ingest_tui.tui.views.collections.collection_words import comparison_lines
from ingest_tui.tui.views.collections.managing import ManagedCollections

if TYPE_CHECKING:
    from ingest_tui.model.collection import Collection
    from ingest_tui.model.generation import Generation
    from ingest_tui.model.job import Manifest
    from ingest_tui.services.collections.preferences import SavedPreferences
    from ingest_tui.services.comparison import Comparison
    from ingest_tui.services.embedders import EmbedderRow
    from ingest_tui.services.rerankers import RerankerRow

_NONE = ""
_HITS = 10
_BY_ITSELF, _WHEN_ASKED = "auto", "manual"


def _embedder_words(row: EmbedderRow, used: str) -> str:
    one = row.embedder
    in_use = "  (in use)" if one.embedder_id == used else ""
    return f"{one.embedder_id}  {one.space.model}, {counted(one.space.dimensions, 'dimension')}{in_use}"


class VectorActions(ManagedCollections):
    """Actions on the vectors of the collection that is chosen."""

    def parts_to_embed(self) -> list[tuple[str, str]]:
        """What may be embedded again besides the whole collection: each as a target of `scope_of`, and its words."""
        return []

    # What makes them

    def choose_embedder(self) -> None:
        """Choose what the collection is embedded with, and when."""
        chosen, client = self.chosen_collection(), self.ingest.client

        def look() -> tuple[list[EmbedderRow], Collection]:
            return client.embedders.list(), client.collections.get(chosen)

        if chosen:
            self.ask(look, self._offer_embedders, group="models", opens_dialog=True)

    def _offer_embedders(self, found: tuple[list[EmbedderRow], Collection]) -> None:
        from ingest_tui.tui.dialogs.dialogs import Choose

        rows, collection = found
        used = collection.preferences.embedder
        if not rows and not used:
            self.show_notice("there is no embedder yet", "'ingest-tui embedder add --help' lists the types")
            return
        offered = [(row.embedder.embedder_id, _embedder_words(row, used)) for row in rows]
        offered.append((_NONE, "none: embed nothing from now on; vectors that are there stay"))

        def chosen(embedder_id: str | None) -> None:
            if embedder_id:
                self._ask_when(collection.collection_id, embedder_id)
            elif embedder_id is not None:
                self._use_embedder(collection.collection_id, None, is_automatic=True)

        self.app.push_screen(Choose(f"Embed collection {collection.collection_id} with", offered), chosen)

    def _ask_when(self, collection_id: str, embedder_id: str) -> None:
        from ingest_tui.tui.dialogs.dialogs import Choose

        ways = [(_BY_ITSELF, "after each sync"), (_WHEN_ASKED, "only when asked to, by E or 'ingest-tui embed'")]

        def chosen(way: str | None) -> None:
            if way is not None:
                self._use_embedder(collection_id, embedder_id, is_automatic=way == _BY_ITSELF)

        self.app.push_screen(Choose(f"Embed with {embedder_id}", ways), chosen)

    def _use_embedder(self, collection_id: str, embedder_id: str | None, *, is_automatic: bool) -> None:
        client = self.ingest.client

        def saved(_collection: Collection) -> None:
            if embedder_id is None:
                self.show_notice(f"collection {collection_id} has no embedder from now on")
            else:
                self.show_notice(f"collection {collection_id} is embedded with {embedder_id}", "E embeds it now")
            self.collections_changed()

        self.ask(
            lambda: client.vectors.choose_embedder(collection_id, embedder_id, is_automatic=is_automatic),
            saved,
            group=None,
        )

    def choose_reranker(self) -> None:
        """Choose what reads the best hits of a search again."""
        from ingest_tui.tui.dialogs.dialogs import Choose

        chosen, client = self.chosen_collection(), self.ingest.client
        if not chosen:
            return

        def offer(rows: list[RerankerRow]) -> None:
            if not rows:
                self.show_notice("there is no reranker yet", "'ingest-tui reranker add --help' lists the types")
                return
            offered = [
                (row.reranker.reranker_id,
                 f"{row.reranker.reranker_id}  {row.reranker.backend}{'  (in use)' if chosen in row.used_by else ''}")
                for row in rows
            ]  # fmt: skip
            offered.append((_NONE, "none: searches are ranked as they are found"))
            self.app.push_screen(Choose(f"Rerank searches in collection {chosen} with", offered), picked)

        def picked(reranker_id: str | None) -> None:
            if reranker_id is not None:
                self._use_reranker(chosen, reranker_id)

        self.ask(client.rerankers.list, offer, group="models", opens_dialog=True)

    def _use_reranker(self, collection_id: str, reranker_id: str) -> None:
        client = self.ingest.client

        def save() -> SavedPreferences:
            return client.collections.save_preferences(
                client.collections.plan_preferences(collection_id, {"reranker": reranker_id})
            )

        def saved(answer: SavedPreferences | Conflict) -> None:
            if isinstance(answer, Conflict):
                self.show_notice("not saved: somebody else has changed the collection meanwhile", bad=True)
            else:
                words = f"reranked with {reranker_id}" if reranker_id else "not reranked"
                self.show_notice(f"searches in collection {collection_id} are {words}")
            self.collections_changed()

        self.ask(lambda: saved_or_conflict(save), saved, group=None)

    # Making them

    def embed_collection(self) -> None:
        """Queue a job that makes the vectors that documents lack."""
        chosen, client = self.chosen_collection(), self.ingest.client
        if chosen:
            self.ask(lambda: client.vectors.embed(chosen), self._queued, group=None)

    def reembed(self) -> None:
        """Build another generation of vectors, of the whole collection or a part of it; asks how."""
        from ingest_tui.tui.dialogs.dialogs import Choose

        chosen = self.chosen_collection()
        if not chosen:
            return
        whole = f"collection:{chosen}"
        offered = [(whole, f"all of collection {chosen}, with the model as it is now"), *self.parts_to_embed()]

        def picked(target: str | None) -> None:
            if target == whole:
                self._ask_for_model(chosen)
            elif target is not None:
                self._ask_to_switch([target], None)

        if len(offered) == 1:
            picked(whole)
        else:
            self.app.push_screen(Choose("Embed what again?", offered), picked)

    def _ask_for_model(self, collection_id: str) -> None:
        from ingest_tui.tui.dialogs.dialogs import Choose

        client = self.ingest.client

        def look() -> tuple[list[EmbedderRow], str]:
            return client.embedders.list(), client.vectors.chosen_embedder(collection_id).embedder_id

        def offer(found: tuple[list[EmbedderRow], str]) -> None:
            rows, used = found
            names = sorted((row.embedder.embedder_id for row in rows), key=lambda name: name != used)
            offered = [(name, f"{name}{'  (in use)' if name == used else ''}") for name in names]
            self.app.push_screen(Choose(f"Embed collection {collection_id} again with", offered), picked)

        def picked(embedder_id: str | None) -> None:
            if embedder_id is not None:
                self._ask_to_switch([f"collection:{collection_id}"], embedder_id)

        self.ask(look, offer, group="models", opens_dialog=True)

    def _ask_to_switch(self, targets: list[str], embedder_id: str | None) -> None:
        from ingest_tui.tui.dialogs.dialogs import Choose

        ways = [
            ("switch", "let the new vectors answer once they are complete"),
            ("build", "only build them: b compares, n lets them answer"),
        ]
        client = self.ingest.client

        def queue(*, switches: bool) -> Manifest:
            scope = client.vectors.scope_of(targets)
            return client.vectors.reembed(scope, embedder_id=embedder_id, switches=switches)

        def chosen(way: str | None) -> None:
            if way is not None:
                self.ask(lambda: queue(switches=way == "switch"), self._queued, group=None)

        self.app.push_screen(Choose("The vectors of before answer until then", ways), chosen)

    def _queued(self, job: Manifest) -> None:
        self.show_notice(f"queued as {job.job_id}", "1 shows the jobs")
        self.ensure_worker()
        self.ingest.feed.look_now()
        self.collections_changed()

    # Which of them answer

    def compare_generations(self) -> None:
        """Show what two generations answer to queries, next to each other."""
        from ingest_tui.tui.dialogs.ask import Ask

        chosen, client = self.chosen_collection(), self.ingest.client

        def ask(_pair: tuple[Generation, Generation]) -> None:
            note = "words to search for; several queries with a ; between them"
            self.app.push_screen(Ask("Compare what both answer to", note=note), typed)

        def typed(text: str | None) -> None:
            queries = [one.strip() for one in (text or "").split(";") if one.strip()]
            if queries:
                self.ask(lambda: compare(queries), show, group="compare", opens_dialog=True)

        def compare(queries: list[str]) -> tuple[tuple[Generation, Generation], list[Comparison]]:
            pair = client.vectors.compared(chosen)
            return pair, client.vectors.compare(pair, chosen, queries, limit=_HITS)

        def show(found: tuple[tuple[Generation, Generation], list[Comparison]]) -> None:
            from ingest_tui.tui.dialogs.report import LinesReport

            lines = comparison_lines(*found, width=self.size.width)
            self.app.push_screen(LinesReport(f"Two generations of collection {chosen}", lines))

        if chosen:
            self.ask(lambda: client.vectors.compared(chosen), ask, group="compare", opens_dialog=True)

    def switch_generation(self) -> None:
        """Complete the generation that is built, and let it answer."""
        chosen, client = self.chosen_collection(), self.ingest.client
        if chosen:
            self._agree(
                f"Let the next vectors of collection {chosen} answer?",
                "What lacks a vector in them is embedded first. B goes back to those of before.",
                "Switch",
                lambda: self.ask(lambda: client.vectors.switch(chosen), self._queued, group=None),
            )

    def revert_generation(self) -> None:
        """Let the generation of before answer again."""
        chosen, client = self.chosen_collection(), self.ingest.client

        def reverted(answering: Generation) -> None:
            self.show_notice(
                f"generation {answering.number} of collection {chosen} answers again", "E embeds what has changed since"
            )
            self.collections_changed()

        if chosen:
            self._agree(
                f"Let the vectors of before answer in collection {chosen}?",
                "Those that answer now are kept; B goes back to them.",
                "Go back",
                lambda: self.ask(lambda: client.vectors.revert(chosen), reverted, group=None),
            )

    def discard_generation(self) -> None:
        """Drop the generation that does not answer."""
        from ingest_tui.tui.dialogs.dialogs import Confirm

        chosen, client = self.chosen_collection(), self.ingest.client

        def look() -> list[Generation]:
            return [one for one in client.vectors.generations(chosen) if one.state not in {"answering", "discarded"}]

        def ask(found: list[Generation]) -> None:
            if not found:
                self.show_notice("there is nothing to drop", "only the vectors that answer are there, and they stay")
                return
            goes = next((one for one in reversed(found) if one.state != "kept"), found[-1])
            names = [f"generation {goes.number}, {goes.state}, made with {goes.embedder.embedder_id}"]
            question = f"Drop vectors of collection {chosen}?"
            consequence = "They do not answer now. Only embedding everything again brings them back."
            self.app.push_screen(Confirm(question, names, "Drop", consequence=consequence), answered)

        def answered(agreed: bool | None) -> None:
            if agreed:
                self.ask(lambda: client.vectors.discard(chosen), dropped, group=None)

        def dropped(one: Generation) -> None:
            self.show_notice(f"generation {one.number} of collection {chosen} is dropped")
            self.collections_changed()

        if chosen:
            self.ask(look, ask, group="generations", opens_dialog=True)

    def _agree(self, question: str, consequence: str, verb: str, act: Callable[[], None]) -> None:
        from ingest_tui.tui.dialogs.dialogs import Confirm

        def answered(agreed: bool | None) -> None:
            if agreed:
                act()

        self.app.push_screen(Confirm(question, [], verb, consequence=consequence, is_destructive=False), answered)
