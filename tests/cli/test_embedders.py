"""`embedder` on the command line."""

from __future__ import annotations

import pytest

from tests.cli.running import Cli
from tests.made_models import make_static_model


def test_the_story_of_an_embedder(cli: Cli) -> None:
    """Add, list, test, doctor, remove: each in words and as JSON, with the exit codes of the contract."""
    make_static_model(cli.home / "tiny")
    cli.run("init")
    helped, added, again, listed, tested, checked, as_json = cli.run_each(
        ["embedder", "add", "--help"],
        ["embedder", "add", "static", "Tiny", "--path", str(cli.home / "tiny")],
        ["embedder", "add", "static", "Tiny", "--path", str(cli.home / "tiny")],
        ["embedder", "list"],
        ["embedder", "test", "Tiny"],
        ["doctor"],
        ["embedder", "list", "--json"],
        code=None,
    )
    assert "onnx" in helped.out
    assert "added embedder tiny: tiny, 16 dimensions" in added.out
    assert again.code == 2
    assert "static" in listed.out
    assert [line.split()[0] for line in tested.out.splitlines()] == ["ok"] * 4
    assert "embedder tiny" in checked.out
    assert as_json.json[0]["space"]["dimensions"] == 16
    (cli.home / "tiny" / "tokenizer.json").unlink()
    broken, steps, unknown, missing, gone, nothing = cli.run_each(
        ["embedder", "test", "tiny"],
        ["embedder", "test", "tiny", "--json"],
        ["embedder", "test", "none", "--json"],
        ["embedder", "add", "onnx", "x", "--json"],
        ["embedder", "remove", "tiny", "--yes", "--json"],
        ["embedder", "list"],
        code=None,
    )
    assert broken.code == 1
    assert "hint: looked for tokenizer.json" in broken.out
    assert [step["ok"] for step in steps.lines] == [True, False]
    assert (unknown.code, unknown.error["code"]) == (4, "not_found")
    assert (missing.code, missing.error["hint"]) == (2, "add --path")
    assert gone.json == {"name": "tiny", "removed": True, "lost": []}
    assert "no embedders" in nothing.out


@pytest.mark.slow
def test_the_story_of_vectors(cli: Cli) -> None:
    """Choose an embedder, embed, find what is similar; a sync queues the next job by itself."""
    make_static_model(cli.home / "tiny")
    cli.write("fox.md", "# Fox\n\nThe quick brown fox jumps over the lazy dog.\n")
    cli.write("dog.md", "# Dog\n\nThe lazy dog and the quick fox.\n")
    cli.write("rain.md", "# Rain\n\nRain gauge and water for plants.\n")
    cli.init()
    cli.sync()
    early, _added, chosen, partial, embedded, whole, by_text, by_document, as_json, job, reasons = cli.run_each(
        ["embed"],
        ["embedder", "add", "static", "tiny", "--path", str(cli.home / "tiny")],
        ["embedder", "use", "tiny", "--collection", "default"],
        ["search", "rain", "--json"],
        ["embed", "default"],
        ["search", "rain", "--json"],
        ["similar", "--text", "rain gauge"],
        ["similar", str(cli.docs / "fox.md"), "--limit", "1"],
        ["similar", "--text", "rain gauge", "--json"],
        ["job", "show", "last"],
        ["job", "items", "last"],
        code=None,
    )
    assert (early.code, "has no embedder" in early.err) == (2, True)
    assert "uses embedder tiny" in chosen.out
    assert "note: vectors of 3 chunks of collection 'default' are missing" in partial.err
    assert (len(partial.json), whole.err) == (1, "")
    assert "embed default: succeeded · 3 listed: 3 embedded" in embedded.out
    assert by_text.out.splitlines()[0].strip().startswith("1. Rain")
    assert by_document.out.splitlines()[0].strip().startswith("1. Dog")
    assert as_json.json[0]["title"] == "Rain"
    assert "embed" in job.out
    assert reasons.out.count("embedded") >= 3
    cli.write("pear.md", "# Pear\n\nApple and pear.\n")
    assert "'ingest-tui embed default' makes them now" in cli.run("sync", "docs").err
    queued = cli.run("job", "list", "--json").json[0]
    assert (queued["kind"], queued["state"], queued["trigger"]) == ("embed", "queued", "sync")
    again, refused, none, removed = cli.run_each(
        ["embed", "--json"],
        ["embedder", "remove", "tiny", "--yes"],
        ["embedder", "use", "--none", "--collection", "default"],
        ["embedder", "remove", "tiny", "--yes"],
        code=None,
    )
    assert again.json["counters"]["items_embedded"] in {0, 1}, "the one that waited goes first"
    assert (refused.code, "is used by default" in refused.err) == (6, True)
    assert (none.code, removed.code) == (0, 0)


@pytest.mark.slow
def test_the_story_of_embedding_again(cli: Cli) -> None:
    """Build next to what answers, list, switch, go back, drop: each in words and as JSON, and what is refused."""
    make_static_model(cli.home / "tiny")
    make_static_model(cli.home / "other", seed=3)
    cli.write("fox.md", "# Fox\n\nThe quick brown fox jumps over the lazy dog.\n")
    cli.init()
    cli.sync()
    (cli.home / "queries.txt").write_text("quick fox\n\n§§\n")
    (cli.home / "judged.jsonl").write_text('{"query": "quick fox", "relevant": ["fox.md"]}\n')
    (
        early,
        *_added,
        built,
        listed,
        compared,
        compared_json,
        measured,
        both,
        switched,
        reverted,
        as_json,
        planned,
        planned_json,
        refused,
        dropped,
        nothing,
    ) = cli.run_each(
        ["reembed", "default"],
        ["embedder", "add", "static", "tiny", "--path", str(cli.home / "tiny")],
        ["embedder", "add", "static", "other", "--path", str(cli.home / "other")],
        ["embedder", "use", "tiny", "--collection", "default"],
        ["embed", "default"],
        ["reembed", "Default", "--embedder", "other", "--no-switch"],
        ["reembed", "default", "--list"],
        ["reembed", "default", "--compare", str(cli.home / "queries.txt")],
        ["reembed", "default", "--compare", str(cli.home / "queries.txt"), "--json"],
        ["eval", str(cli.home / "judged.jsonl"), "--collection", "default", "--generation", "1", "--generation", "2"],
        ["reembed", "default", "--switch", "--revert"],
        ["reembed", "default", "--switch"],
        ["reembed", "default", "--revert"],
        ["reembed", "default", "--list", "--json"],
        ["reembed", "default", "--discard", "-n"],
        ["--read-only", "reembed", "default", "--discard", "-n", "--json"],
        ["reembed", "default", "--switch", "-n"],
        ["reembed", "default", "--discard", "--yes", "--json"],
        ["reembed", "default", "--discard"],
        code=None,
    )
    assert (early.code, "has no embedder" in early.err) == (2, True)
    assert "embed default: succeeded · 1 listed: 1 embedded" in built.out
    assert [line.split()[:3] for line in listed.out.splitlines()[1:]] == [
        ["1", "answering", "tiny"],
        ["2", "ready", "other"],
    ]
    assert "quick fox   [1 of 1 in both]" in compared.out
    assert "1 · tiny (answering)" in compared.out
    assert "nothing found by either" in compared.out
    sides = compared_json.json["queries"][0]
    assert [sides["before"][0]["title"], sides["after"][0]["title"]] == ["Fox", "Fox"]
    assert (compared_json.json["before"]["number"], compared_json.json["after"]["number"]) == (1, 2)
    assert "default · vector · generation 2" in measured.out
    assert (both.code, "one at a time: --switch, --revert" in both.err) == (2, True)
    assert switched.code == 0
    assert "generation 1 of collection default answers again" in reverted.out
    assert [(one["number"], one["state"]) for one in as_json.json] == [(1, "answering"), (2, "kept")]
    assert planned.out == "would drop generation 2 of collection default (kept, other)\n"
    assert (planned_json.json["number"], planned_json.json["dry_run"]) == (2, True)
    assert (refused.code, "-n goes with --discard" in refused.err) == (2, True)
    assert (dropped.json["number"], dropped.json["embedder"]) == (2, "other")
    assert (nothing.code, "no other generation" in nothing.err) == (2, True)
