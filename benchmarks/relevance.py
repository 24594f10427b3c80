"""How good the answers are: a public judged collection, and questions over our own documentation and examples.

    python benchmarks/relevance.py [--half tune|final] [--judged FOLDER] [--static MODEL]

``questions.jsonl`` was written before anything was tuned to it, in the words of people who do not know ours; its half
``final`` is kept aside: tune by the other one. FOLDER holds a collection in the form of SMART (``cisi.all``,
``cisi.qry``, ``cisi.rel``): documents, queries, judgements. MODEL is the folder of a static model, with which the modes
vector and hybrid are measured too: it fails where hybrid has less nDCG@10 than full text. Each set is ingested into a
workspace of its own, searched in this process, and measured as `ingest-tui eval` does.
"""

from __future__ import annotations

import argparse
import json
import re
import shutil
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

from ingest_tui import open_workspace
from ingest_tui.model.errors import UsageError
from ingest_tui.model.relevance import CUT, JudgedQuery
from ingest_tui.services.api import WorkspaceHandle
from ingest_tui.services.documents.evaluation import MODES, Variant, VariantResult, evaluate, read_queries
from ingest_tui.services.embedders import add_embedder
from ingest_tui.services.embedding import choose_embedder, enqueue_embedding
from ingest_tui.services.workers import follow_job

HERE = Path(__file__).resolve().parent
REPOSITORY = HERE.parent
QUESTIONS = HERE / "questions.jsonl"


def main() -> None:
    """Measure both sets and print a line for each mode."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--half", choices=("tune", "final"), help="only this half of our own questions")
    options.add_argument("--judged", type=Path, help="a folder with a judged collection")
    options.add_argument("--static", type=Path, help="the folder of a static model")
    chosen = options.parse_args()
    header = f"{'set':34} {'queries':>7} {'nDCG@10':>8} {'recall@10':>9} {'hit@10':>7} {'MRR':>6} {'no hit':>7}"
    print(f"{header} {'p50':>9} {'p95':>9} {'CPU/query':>10}")
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        copy_documentation(root / "ours")
        ours = our_questions(chosen.half)
        found = measure("our documents", root / "ours", root / "ws-ours", ours, chosen.static)
        if chosen.judged is not None:
            name = next(chosen.judged.glob("*.qry")).stem
            write_judged(chosen.judged, name, root / "judged")
            judged = judged_questions(chosen.judged, name)
            found |= measure(name, root / "judged", root / "ws-judged", judged, chosen.static)
    worse = [name for name in found if found[name].get("hybrid", 1.0) < found[name]["text"]]
    if worse:
        sys.exit(f"hybrid finds less than full text: {', '.join(worse)}")


def our_questions(half: str | None) -> list[JudgedQuery]:
    """Return our own questions, or one half of them."""
    halves = [json.loads(line)["half"] for line in QUESTIONS.read_text(encoding="utf-8").splitlines()]
    return [one for one in read_queries(QUESTIONS) if half in (None, halves[one.line - 1])]


def copy_documentation(target: Path) -> None:
    """Copy what the questions are about: the documentation and the example documents."""
    shutil.copytree(REPOSITORY / "docs", target / "docs", ignore=shutil.ignore_patterns("pictures", "*.py"))
    shutil.copytree(REPOSITORY / "examples" / "documents", target / "documents")
    for name in ("README.md", "CONTRIBUTING.md"):
        shutil.copy(REPOSITORY / name, target / name)


def measure(
    name: str, documents: Path, workspace: Path, questions: list[JudgedQuery], model: Path | None
) -> dict[str, dict[str, float]]:
    """Ingest a folder, ask the questions in each mode, and print what came of it; returns nDCG@10 by mode."""
    found: dict[str, float] = {}
    with open_workspace(workspace) as handle:
        handle.add_source("set", path=str(documents))
        handle.sync("set")
        if model is not None:
            embed(handle, model)
        for mode in MODES:
            began = time.process_time()
            try:
                [result] = evaluate(handle.workspace, questions, [Variant(None, mode)])
            except UsageError as error:
                print(f"{name}, {mode}: {error.message}")
                continue
            show(f"{name}, {mode}", result, (time.process_time() - began) / len(questions))
            found[mode] = result.evaluation.ndcg
    return {name: found}


def embed(handle: WorkspaceHandle, model: Path) -> None:
    """Embed all documents with a static model."""
    workspace = handle.workspace
    add_embedder(workspace, backend="static", name="static", settings={"path": str(model)})
    choose_embedder(workspace, "default", "static")
    job = enqueue_embedding(workspace, "default")
    follow_job(workspace, job.job_id, lambda _manifest: None, run_here=True)


def show(name: str, result: VariantResult, worked: float) -> None:
    """Print one line. ``worked``: seconds of processor time a query."""
    found = result.evaluation
    hits = sum(not answer.relevant.isdisjoint(answer.found[:CUT]) for answer in result.answers) / found.queries
    print(
        f"{name:34} {found.queries:7,} {found.ndcg:8.3f} {found.recall:9.3f} {hits:7.3f} {found.mrr:6.3f}"
        f" {found.no_hit:7.1%} {found.p50_ms:6.1f} ms {found.p95_ms:6.1f} ms {worked * 1000:7.1f} ms",
        flush=True,
    )


# Collections in the form of SMART


def records(path: Path) -> Iterator[tuple[str, dict[str, str]]]:
    """Yield the records of a file: number, and fields by their letter."""
    for record in re.split(r"(?m)^\.I ", path.read_text(errors="replace"))[1:]:
        number, _, rest = record.partition("\n")
        parts = re.split(r"(?m)^\.([A-Z])\s*$", rest)
        fields = {letter: " ".join(text.split()) for letter, text in zip(parts[1::2], parts[2::2], strict=True)}
        yield number.strip(), fields


def write_judged(folder: Path, name: str, target: Path) -> None:
    """Write each document as a file of markdown with its title."""
    target.mkdir()
    for number, fields in records(folder / f"{name}.all"):
        (target / f"{number}.md").write_text(f"# {fields.get('T', '')}\n\n{fields.get('W', '')}\n")


def judged_questions(folder: Path, name: str) -> list[JudgedQuery]:
    """Return the queries that have judgements."""
    relevant: dict[str, dict[str, None]] = defaultdict(dict)
    for line in (folder / f"{name}.rel").read_text().splitlines():
        if line.strip():
            query, document = line.split()[:2]
            relevant[query][f"{document}.md"] = None
    texts = {number: fields.get("W", "") for number, fields in records(folder / f"{name}.qry")}
    return [JudgedQuery(at, texts[query], tuple(right)) for at, (query, right) in enumerate(relevant.items(), 1)]


if __name__ == "__main__":
    main()
