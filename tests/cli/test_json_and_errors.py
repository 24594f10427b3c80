"""What scripts rely on: JSON, exit codes, errors with hints, and never a traceback."""

from __future__ import annotations

import json
import re
import shutil
import subprocess

import pytest

from tests.cli.running import SAMPLES, Cli, checked

pytestmark = pytest.mark.slow


@pytest.fixture
def synced(cli: Cli) -> Cli:
    """A workspace with one document, one failure and one job."""
    cli.write("a.md", "# Café\n\nalpha beta")
    cli.write("broken.docx", (SAMPLES / "special-cases" / "broken.docx").read_bytes())
    cli.init()
    cli.sync(code=3)
    return cli


def test_every_command_that_prints_data_prints_json(synced: Cli) -> None:
    """With --json stdout is one JSON value, or JSON lines where the command streams, and nothing else."""
    one_value = [
        ("init",), ("doctor",), ("source", "list"), ("source", "show", "docs"),
        ("source", "edit", "docs", "--priority", "50"), ("source", "disable", "docs"), ("source", "enable", "docs"),
        ("job", "list"), ("job", "show", "last"), ("status", "last"), ("doc", "list"), ("doc", "show", "docs/a.md"),
        ("doc", "versions", "docs/a.md"), ("doc", "explain", "docs/a.md"), ("search", "alpha"), ("search", "nowhere"),
        ("collection", "list"), ("collection", "add", "More"), ("worker", "status"), ("worker", "stop"), ("rebuild",),
        ("sync", "docs", "--detach"), ("job", "cancel", "last"), ("doc", "remove", "docs/a.md", "--yes"),
        ("doc", "list", "--retired"),
    ]  # fmt: skip
    for result in synced.run_each(*((*arguments, "--json") for arguments in one_value)):
        json.loads(result.out)
    streams = [
        ("source", "test", "docs"), ("plan", "docs"), ("job", "items", "last"), ("job", "errors", "last"),
        ("job", "logs", "last"), ("audit",),
    ]  # fmt: skip
    results = synced.run_each(*((*arguments, "--json") for arguments in streams))
    for arguments, result in zip(streams, results, strict=True):
        assert all(isinstance(line, dict) for line in result.lines), arguments
    assert results[0].lines
    assert results[-1].lines[0].keys() >= {"at", "by", "action", "target", "outcome"}


def test_the_error_of_a_question_that_nobody_answers_begins_a_line(synced: Cli) -> None:
    """Scripts find `error:` where lines begin, after a question, too."""
    refused = synced.run("doc", "remove", "docs/a.md", code=6)
    assert [line.partition(":")[0] for line in refused.err.splitlines()[-2:]] == ["error", "hint"]


def test_doc_text_takes_json_too(synced: Cli) -> None:
    """`doc text --json` gives the text of a version with its document and number."""
    told = synced.run("doc", "text", "docs/a.md", "--json").json
    assert (told["version"], told["text"]) == (1, "# Café\n\nalpha beta")
    assert told["document_id"]


def test_status_is_an_ingestion_status_response(synced: Cli) -> None:
    """`status JOB --json` tells state, times, errors and counters, also of a job that waits."""
    ended = synced.run("status", "last", "--json").json
    assert ended["state"] == "partial"
    assert (ended["errors"][0]["code"], ended["errors_total"]) == ("malformed", 1)
    assert ended["errors"][0]["uri"].endswith("/broken.docx")
    queued = synced.run("sync", "docs", "--detach", "--json").json
    waiting = synced.run("status", queued["job_id"], "--json").json
    assert (waiting["state"], waiting["queue_position"], waiting["started_at"]) == ("queued", 1, None)


def test_a_partial_sync_ends_with_3_and_says_where_to_look(synced: Cli) -> None:
    """A failed file gives exit code 3, a summary, and a hint that names a command which works."""
    ended = synced.run("sync", "docs", "--force", code=3)
    assert "1 failed" in ended.out
    command = ended.err.partition("hint: 'ingest-tui ")[2].partition("'")[0]
    assert command
    assert "broken.docx" in synced.run(*command.split()).out


def test_what_does_not_exist_is_4_with_a_hint(synced: Cli) -> None:
    """An unknown source, job, document or collection gives exit code 4, a message that names it, and a hint."""
    calls = [
        ("source", "show", "nope"), ("source", "remove", "nope", "--yes"), ("sync", "nope"), ("plan", "nope"),
        ("job", "show", "nope"), ("job", "items", "nope"), ("job", "cancel", "nope"), ("status", "nope"),
        ("doc", "show", "nope"), ("doc", "remove", "nope", "--yes"),
        ("doc", "restore", "nope"),
        ("search", "word", "--collection", "nope"), ("doc", "list", "--source", "nope"),
        ("source", "add", "local", "x", "--path", "docs", "--collection", "nope"), ("upload", "nope"),
    ]  # fmt: skip
    told = synced.run_each(*calls, code=4)
    as_json = synced.run_each(*((*arguments, "--json") for arguments in calls), code=4)
    for arguments, text, record in zip(calls, told, as_json, strict=True):
        assert text.err.startswith("error: "), arguments
        assert "hint: " in text.err, arguments
        assert text.out == record.out == "", arguments
        assert record.error["code"] == "not_found", arguments
        assert "nope" in record.error["message"], arguments
        assert record.error["hint"], arguments


def test_wrong_use_is_2(synced: Cli) -> None:
    """Wrong options, names, patterns and queries give exit code 2 and an error with a hint, as text and as JSON."""
    calls: list[tuple[str, ...]] = [
        ("source", "list", "--nope"), ("nope",), ("search", "x", "--limit", "0"), ("search", "?!"), ("source", "show"),
        ("source", "add", "local", "docs", "--path", "docs"), ("source", "add", "ftp", "x", "--path", "docs"),
        ("source", "add", "local", "y"), ("source", "add", "local", "../x", "--path", "docs", "--max-size", "big"),
        ("source", "add", "local", "y", "--path", "docs", "--backend", "nope"), ("source", "edit", "docs"),
        ("source", "add", "local", "///", "--path", "docs"), ("sync", "docs", "--all"),
        ("collection", "add", "default"), ("doc", "versions"), ("job", "cancel", "last"), ("job", "approve", "last"),
        ("source", "add", "local", "y", "--path", "docs", "--backend-for", "pdf"), ("sync", "../workspace"),
    ]  # fmt: skip
    told = synced.run_each(*calls, code=2)
    as_json = synced.run_each(*((*arguments, "--json") for arguments in calls), code=2)
    for arguments, text, record in zip(calls, told, as_json, strict=True):
        assert text.err.startswith("error: "), (arguments, text)
        assert "hint: " in text.err, (arguments, text)
        assert record.error["message"], arguments
        assert record.error["hint"], arguments


def test_a_missing_folder_is_reported_when_the_source_is_added(cli: Cli) -> None:
    """Adding a folder that is not there, or a file, fails at once with what to do, and saves nothing."""
    cli.init()
    assert "does not exist" in cli.run("source", "add", "local", "x", "--path", "no/such", code=1).err
    cli.write("a.txt")
    assert "upload" in cli.run("source", "add", "local", "x", "--path", "docs/a.txt", code=1).err
    assert [item["source_id"] for item in cli.run("source", "list", "--json").json] == ["docs"]


def test_without_a_workspace_every_command_says_so(cli: Cli) -> None:
    """Where there is no workspace the error names `init`, and nothing is made."""
    for arguments in (("source", "list"), ("sync",), ("search", "x"), ("job", "list"), ("audit",), ("--watch",)):
        assert "'ingest-tui init'" in cli.run(*arguments, code=4).err
    assert cli.run("source", "list", "--json", code=4).error["code"] == "workspace_missing"
    assert not cli.workspace.exists()
    assert "init" in cli.run("doctor").out


def test_without_a_terminal_the_tui_says_what_to_do(cli: Cli) -> None:
    """`ingest-tui` alone in a pipe ends with 2 and names the headless commands."""
    cli.run("init")
    assert "--watch" in cli.run(code=2).err


def test_broken_workspace_files_are_reported(cli: Cli) -> None:
    """A workspace.json that is no JSON, invalid or newer is refused with its path and is left untouched."""
    cli.init()
    path = cli.workspace / "workspace.json"
    good = json.loads(path.read_text())
    broken = {
        "{": "not JSON",
        "[]": "schema_version",
        json.dumps(good | {"schema_version": 99}): "newer",
        json.dumps(good | {"max_running_jobs": "many"}): "max_running_jobs",
    }
    for text, told in broken.items():
        path.write_text(text)
        error = cli.run("source", "list", "--json", code=1).error
        assert told in error["message"]
        assert error["hint"]
        assert path.read_text() == text
        doctor = cli.run("doctor", code=None)
        assert told in doctor.out, "doctor must tell of it too"
    path.write_text(json.dumps(good))
    source = cli.workspace / "sources" / "docs.json"
    source.write_text(json.dumps(json.loads(source.read_text()) | {"schema_version": 99}))
    assert "newer" in cli.run("source", "show", "docs", code=1).err
    assert "newer" in cli.run("sync", "docs", code=1).err


def test_one_broken_source_does_not_hide_the_others(cli: Cli) -> None:
    """A source file that cannot be read is reported, and the other sources still sync."""
    cli.write("a.txt", "alpha")
    cli.init()
    (cli.workspace / "sources" / "broken.json").write_text("{")
    assert "broken" in cli.run("doctor", code=1).out
    cli.sync()
    assert cli.found("alpha") == {"a.txt"}


def test_a_lost_catalogue_is_made_again(cli: Cli) -> None:
    """A catalogue of garbage is made again by whoever opens it; it gives the same answers and skips the same."""
    for number in range(8):
        cli.write(f"{number}.md", f"# Title {number}\n\ncommon words and word{number}")
    shutil.copy(cli.write("a.txt", "moved later"), cli.docs / "b.txt")
    cli.init()
    cli.sync()
    cli.write("3.md", "# Title 3\n\ncommon words in a second version")
    (cli.docs / "a.txt").rename(cli.docs / "c.txt")
    (cli.docs / "7.md").unlink()
    cli.sync()
    questions = ("common words", "word3", "second", "title", "moved")
    before = [cli.run("search", question, "--json").json for question in questions]
    listed = cli.run("doc", "list", "--json").json

    for path in cli.workspace.glob("catalogue.db*"):
        path.unlink() if path.name != "catalogue.db" else path.write_bytes(b"garbage " * 4096)
    assert "rebuild" in cli.run("doctor", code=1).out
    assert "rebuilding the catalogue" in cli.run("source", "list").err
    cli.run("rebuild")
    assert [cli.run("search", question, "--json").json for question in questions] == before
    assert cli.run("doc", "list", "--json").json == listed
    assert len(cli.run("doc", "list", "--retired", "--json").json) == 1
    counters = cli.sync()["counters"]
    assert (counters["items_ingested"], counters["items_retired"], counters["items_fetched"]) == (0, 0, 0)


def test_a_lost_catalogue_is_left_as_it_is_by_read_only_calls(cli: Cli) -> None:
    """With --read-only nothing is rebuilt: the answer is the command that does it, never that there is nothing."""
    cli.write("a.md", "a kept word")
    cli.init()
    cli.sync()
    for path in cli.workspace.glob("catalogue.db*"):
        path.unlink()
    before = sorted(path.name for path in cli.workspace.iterdir())
    for arguments in (("search", "kept"), ("doc", "list"), ("plan", "docs"), ("collection", "list")):
        assert "rebuild" in cli.run("--read-only", *arguments, code=1).err
    assert sorted(path.name for path in cli.workspace.iterdir()) == before
    assert cli.found("kept") == {"a.md"}


def test_a_rebuild_names_what_is_damaged(cli: Cli) -> None:
    """A folder whose bytes are not those that were committed is named, as text and as JSON, and the exit code is 3."""
    cli.write("a.md", "a kept word")
    cli.write("b.md", "another word")
    cli.init()
    cli.sync()
    raw = next(path for path in cli.workspace.rglob("raw.md") if b"kept" in path.read_bytes())
    raw.write_text("rotten")
    folder = str(raw.parent.relative_to(cli.workspace))
    assert folder in cli.run("rebuild", code=3).out
    report = cli.run("rebuild", "--json", code=3).json
    assert (report["documents"], [problem["folder"] for problem in report["problems"]]) == (2, [folder])
    assert "raw.md" in report["problems"][0]["reason"]
    assert cli.found("kept") == {"a.md"}
    cli.sync()
    assert raw.parent.with_name("v0002").is_dir()
    assert cli.run("rebuild", code=3).out.count("damaged:") == 1


def test_debug_shows_the_traceback_only_when_asked(cli: Cli) -> None:
    """--debug lets the traceback through; without it there is none."""
    assert "Traceback" in cli.run("--debug", "source", "list", code=1).err


@pytest.mark.parametrize("arguments", [("job", "logs", "last"), ("doc", "text", "docs/long.md")], ids=["short", "long"])
def test_a_reader_that_goes_away_is_no_error(cli: Cli, arguments: tuple[str, ...]) -> None:
    """`ingest-tui … | head -1` ends quietly, whether the reader leaves before the first line or in the middle."""
    cli.write("long.md", "a line of many words\n" * 50_000)
    cli.init()
    cli.sync()
    command = b" ".join([b"exec", *(b"'" + part + b"'" for part in cli.command(*arguments))])
    script = b"set -o pipefail; (" + command + b") | true"
    ended = subprocess.run(["bash", "-c", script], cwd=cli.home, env=cli.environment, capture_output=True, check=False)
    checked(ended.returncode, ended.stdout, ended.stderr)
    assert ended.stderr == b""
    assert ended.returncode == 0


def test_an_unreadable_or_full_place_is_reported(cli: Cli) -> None:
    """A workspace that cannot be made, or is a file, gives an error with a hint and no traceback."""
    cli.home.joinpath("workspace").write_text("a file")
    assert cli.run("init", code=None).code in {1, 2}
    cli.home.joinpath("workspace").unlink()
    cli.home.joinpath("closed").mkdir(mode=0o500)
    cli.workspace = cli.home / "closed" / "workspace"
    told = cli.run("init", code=None, as_ordinary_user=True)
    assert told.code == 1
    assert "hint: " in told.err


def test_a_full_disk_output_is_reported(synced: Cli) -> None:
    """Writing to a full device ends with 1 and says so."""
    with open("/dev/full", "wb") as full:  # noqa: PTH123
        ended = subprocess.run(
            synced.command("doc", "list"), cwd=synced.home, env=synced.environment, stdout=full, stderr=subprocess.PIPE,
            check=False,
        )  # fmt: skip
    assert ended.returncode == 1
    assert b"Traceback" not in ended.stderr
    assert b"error: " in ended.stderr
    assert b"no room left" in ended.stderr


def test_a_network_file_system_is_refused_unless_it_is_allowed(
    cli: Cli, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """`init` refuses with 6, names both ways out, and takes the one that is chosen; `doctor` warns from then on."""
    from ingest_tui.cli.main import run

    monkeypatch.setattr("ingest_tui.store.access.filesystem_type", lambda _path: "nfs4")
    on_it = ["--workspace", str(cli.workspace)]
    assert run([*on_it, "init", "--json"]) == 6
    error = json.loads(capsys.readouterr().err)["error"]
    assert error["code"] == "network_filesystem"
    assert "(nfs4)" in error["message"]
    assert {"--workspace DIR", "--allow-network-filesystem"} <= set(re.findall(r"--[a-z-]+(?: DIR)?", error["hint"]))
    assert not cli.workspace.exists()
    assert run([*on_it, "init", "--allow-network-filesystem"]) == 0
    assert run([*on_it, "source", "list"]) == 0
    assert json.loads((cli.workspace / "workspace.json").read_text())["allow_network_filesystem"] is True
    capsys.readouterr()
    assert run([*on_it, "doctor"]) == 0
    assert "network file systems are allowed" in capsys.readouterr().out


def test_warning_of_a_legacy_source_is_one_line_for_people(cli: Cli) -> None:
    """Both forms of the path in a source's file: said as a warning, without a line of code."""
    cli.init()
    path = cli.workspace / "sources" / "docs.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"source_path": "/old"}))
    told = cli.run("source", "show", "docs").err
    assert "warning: both source_path and source_config are given; source_config is used" in told
    assert "UserWarning" not in told
