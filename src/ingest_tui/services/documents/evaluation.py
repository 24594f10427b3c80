"""How well the search answers judged queries, for one collection or several, by one mode or several."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ingest_tui.model.counted import counted
from ingest_tui.model.errors import NotFoundError, UsageError
from ingest_tui.model.generation import Generation
from ingest_tui.model.relevance import CUT, Evaluation, JudgedQuery, QueryAnswer, evaluation_of, read_judged
from ingest_tui.model.safe_text import safe_display
from ingest_tui.services.documents.documents import check_choice
from ingest_tui.services.documents.search import search
from ingest_tui.services.documents.search_modes import MODES as MODES  # noqa: PLC0414 - part of this face
from ingest_tui.services.documents.search_modes import SearchMode
from ingest_tui.services.generations import generation_numbered
from ingest_tui.store.catalogue.queries import addresses_of_documents
from ingest_tui.store.workspace import Workspace

_LARGEST_FILE = 256 * 1024**2
_MOST_NAMED = 3


@dataclass(frozen=True, slots=True)
class Variant:
    """What is compared: a collection (None for all documents), searched in one mode, by one generation of its vectors.

    ``generation``: its number, None for the one that answers. ``rerank``: the reranker that ranks the best hits again,
    False for none, None for that of the collection.
    """

    collection_id: str | None
    mode: SearchMode
    generation: int | None = None
    rerank: str | bool | None = None

    @property
    def name(self) -> str:
        """What to call it in a table."""
        generation = f" · generation {self.generation}" if self.generation is not None else ""
        reranker = f" · reranker {self.rerank}" if isinstance(self.rerank, str) else ""
        return f"{self.collection_id or 'all'} · {self.mode}{generation}{reranker}"


@dataclass(frozen=True, slots=True)
class VariantResult:
    """How well one variant answers, and what it answered to each query."""

    variant: Variant
    evaluation: Evaluation
    answers: Sequence[QueryAnswer]

    def as_dict(self) -> dict[str, Any]:
        """Return the JSON form."""
        names: dict[str, Any] = {"collection": self.variant.collection_id, "mode": self.variant.mode}
        if self.variant.generation is not None:
            names["generation"] = self.variant.generation
        if isinstance(self.variant.rerank, str):
            names["reranker"] = self.variant.rerank
        return {**names, **self.evaluation.as_dict()}


def read_queries(path: Path) -> list[JudgedQuery]:
    """Return the judged queries of a file; raises `UsageError` for one that cannot be read, or the line that is wrong.

    A byte order mark is allowed.
    """
    text = text_of_file(path)
    try:
        return read_judged(text.split("\n"))
    except UsageError as error:
        raise UsageError(f"{safe_display(str(path))}: {error.message}", hint=error.hint, code=error.reason) from None


def text_of_file(path: Path) -> str:
    """Return the text of a file of queries; raises `UsageError` for one that cannot be read."""
    try:
        if path.stat().st_size > _LARGEST_FILE:
            raise UsageError(f"{safe_display(str(path))} is larger than {_LARGEST_FILE // 1024**2} MiB")
        return path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise UsageError(f"{safe_display(str(path))} cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise UsageError(f"{safe_display(str(path))} is not UTF-8") from None


def evaluate(
    workspace: Workspace,
    queries: Sequence[JudgedQuery],
    variants: Iterable[Variant],
    *,
    progress: Callable[[int, int], None] | None = None,
) -> list[VariantResult]:
    """Return how well each variant answers, in their order.

    All names of documents are resolved before the first query is asked: raises `UsageError` with the line of a name
    that no document has in a collection, or more than one.
    """
    variants = list(variants)
    judged = [(variant, _resolved(workspace, queries, variant.collection_id)) for variant in variants]
    results = []
    _read_the_catalogue(workspace, queries, variants)
    for done, (variant, relevant) in enumerate(judged):
        answers = []
        generation = _generation(workspace, variant)
        for query in queries[:1]:  # not counted: it opens the model
            _answer(workspace, query, frozenset(), variant, generation)
        for number, (query, right) in enumerate(zip(queries, relevant, strict=True)):
            answers.append(_answer(workspace, query, right, variant, generation))
            if progress is not None:
                progress(done * len(queries) + number + 1, len(variants) * len(queries))
        results.append(VariantResult(variant, evaluation_of(answers), answers))
    return results


def _read_the_catalogue(workspace: Workspace, queries: Sequence[JudgedQuery], variants: Sequence[Variant]) -> None:
    """Ask each query by its words once: else the first variant alone would wait for the disk."""
    for collection_id in dict.fromkeys(variant.collection_id for variant in variants):
        by_words = Variant(mode="text", collection_id=collection_id, rerank=False)
        for query in queries:
            _answer(workspace, query, frozenset(), by_words, None)


def _generation(workspace: Workspace, variant: Variant) -> Generation | None:
    if variant.generation is None:
        return None
    if variant.collection_id is None:
        raise UsageError("a generation is one of a collection", hint="name the collection: --collection")
    return generation_numbered(workspace, variant.collection_id, variant.generation)


def _answer(
    workspace: Workspace,
    query: JudgedQuery,
    relevant: frozenset[str],
    variant: Variant,
    generation: Generation | None,
) -> QueryAnswer:
    began = time.perf_counter()
    asked: dict[str, Any] = {
        "mode": variant.mode,
        "collection_id": variant.collection_id,
        "generation": generation,
        "rerank": variant.rerank,
    }
    try:
        hits = search(workspace, query.query, limit=CUT, **asked)
    except UsageError as error:
        if error.reason != UsageError.code:  # the mode cannot be used at all
            raise
        hits = []  # there is no word in it: nothing is found
    seconds = time.perf_counter() - began
    return QueryAnswer(query.query, tuple(dict.fromkeys(hit.document_id for hit in hits)), relevant, seconds)


def _resolved(workspace: Workspace, queries: Sequence[JudgedQuery], collection_id: str | None) -> list[frozenset[str]]:
    names = _Names(workspace, collection_id)
    return [frozenset(names.document(name, query.line) for name in query.relevant) for query in queries]


class _Names:
    """What the documents of a collection can be called: their id, their address, or whole parts at its end.

    A document that is at several places has the names of all of them.
    """

    def __init__(self, workspace: Workspace, collection_id: str | None) -> None:
        self._where = f"in collection {collection_id!r}" if collection_id else "in the workspace"
        self._exact: dict[str, dict[str, None]] = defaultdict(dict)
        self._by_file_name: dict[str, list[tuple[str, str]]] = defaultdict(list)
        check_choice(workspace, {"collection_id": collection_id})
        for document_id, uri, key in addresses_of_documents(workspace.reading, collection_id):
            for name in {document_id, uri}:
                self._exact[name][document_id] = None
            for address in {uri, key}:  # addresses may be percent-encoded, keys are not
                self._by_file_name[_last_part(address)].append((f"/{address}", document_id))

    def document(self, name: str, line: int) -> str:
        """Return the document that is called so."""
        found = list(self._exact.get(name, ())) or self._ending_with(name)
        if len(found) == 1:
            return found[0]
        shown = safe_display(name)
        if not found:
            raise NotFoundError(
                f"line {line}: there is no document '{shown}' {self._where}",
                hint="'ingest-tui doc list' shows the addresses; the end of one is enough: manual/setup.md",
            )
        first = ", ".join(found[:_MOST_NAMED])
        raise UsageError(
            f"line {line}: {counted(len(found), 'document')} {self._where} are called '{shown}': {first}",
            hint="give more of the address, or the id of the document",
        )

    def _ending_with(self, name: str) -> list[str]:
        """Return the documents whose address ends with the parts of ``name``."""
        wanted = "/" + name.removeprefix("./").lstrip("/")
        ending = [one for address, one in self._by_file_name.get(_last_part(name), ()) if address.endswith(wanted)]
        return list(dict.fromkeys(ending))


def _last_part(address: str) -> str:
    return address.rpartition("/")[2]


def ranks_of(result: VariantResult) -> list[dict[str, Any]]:
    """Return the rank of the first right document for each query; None where none was found."""
    return [
        {
            "query": answer.query,
            "rank": next((rank for rank, one in enumerate(answer.found, 1) if one in answer.relevant), None),
        }
        for answer in result.answers
    ]
