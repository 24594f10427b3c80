"""The whole story of a source, as a person lives it: add, plan, sync, change, move, delete, restore."""

from __future__ import annotations

import json
import os
import shutil
import stat
import subprocess
from pathlib import Path

import pytest

from tests.cli.running import SAMPLES, Cli, checked


def test_first_steps_lead_from_nothing_to_a_search(cli: Cli) -> None:
    """init, add, plan, sync and search work one after the other, and the plan fetches nothing."""
    cli.write("a.txt", "the anemometer turns")
    cli.write("sub/b.md", "# Rain\n\ntipping bucket")
    assert "source add" in cli.run("init").out
    assert "already there" in cli.run("init").out
    assert "sync docs" in cli.run("source", "add", "local", "docs", "--path", "docs").out
    planned = cli.run("plan", "docs", "--json").lines
    assert {(line["action"], line["reason"], line["key"]) for line in planned} == {
        ("ingest", "new", "a.txt"),
        ("ingest", "new", "sub/b.md"),
    }
    assert list(cli.workspace.glob("jobs/*")) == []
    assert list(cli.workspace.glob("documents/*")) == []
    manifest = cli.sync()
    assert manifest["state"] == "succeeded"
    assert manifest["counters"]["items_ingested"] == 2
    assert manifest["counters"]["bytes_fetched"] == sum(path.stat().st_size for path in cli.docs.rglob("*.*"))
    assert cli.outcomes() == {"a.txt": ("ingested", "new"), "sub/b.md": ("ingested", "new")}
    assert cli.found("tipping bucket") == {"b.md"}
    assert cli.run("plan", "docs").out.startswith("nothing to do")


@pytest.mark.slow
def test_an_unchanged_folder_is_not_read_again(cli: Cli) -> None:
    """The second sync opens no file of the source, which the kernel itself is asked to witness."""
    for number in range(5):
        cli.write(f"{number}.txt", f"text {number}")
    cli.init()
    cli.sync()
    strace = shutil.which("strace")
    if strace is None:
        pytest.skip("strace is not installed")
    trace = cli.home / "trace"
    call: list[str | bytes | Path] = [strace, "-f", "-qq", "-e", "trace=open,openat", "-o", trace]
    call += cli.command("sync", "docs", "--json")
    ended = subprocess.run(call, cwd=cli.home, env=cli.environment, capture_output=True, check=True)
    counters = checked(0, ended.stdout, ended.stderr).json["counters"]
    opened = [line for line in trace.read_text(errors="replace").splitlines() if f"{cli.docs}" in line]
    assert opened, "the folder itself must have been listed"
    assert [line for line in opened if ".txt" in line] == []
    assert (counters["items_fetched"], counters["bytes_fetched"], counters["items_skipped_incremental"]) == (0, 0, 5)


@pytest.mark.slow
def test_an_edit_makes_a_version_and_keeps_the_old_one(cli: Cli) -> None:
    """An edit within the same second that keeps the size makes version 2; version 1 stays readable."""
    path = cli.write("a.txt", "alpha words")
    cli.init()
    cli.sync()
    before = path.stat()
    path.write_text("gamma words")
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns // 10**9 * 10**9 + (before.st_mtime_ns + 1) % 10**9))
    assert int(path.stat().st_mtime) == int(before.st_mtime)
    manifest = cli.sync()
    assert manifest["counters"]["items_ingested"] == 1
    assert cli.outcomes() == {"a.txt": ("ingested", "changed")}
    assert cli.run("doc", "text", "docs/a.txt").out == "gamma words\n"
    assert cli.run("doc", "text", "docs/a.txt", "--version", "1").out == "alpha words\n"
    assert (cli.found("gamma"), cli.found("alpha")) == ({"a.txt"}, set())
    versions = cli.run("doc", "versions", "docs/a.txt", "--json").json
    assert [(item["version"], item["current"]) for item in versions] == [(2, True), (1, False)]
    assert versions[1]["version_label"] == "a.txt (version 1)"
    assert cli.run("doc", "text", "docs/a.txt", "--version", "9", code=4).err.startswith("error: ")


@pytest.mark.slow
def test_a_touched_file_with_the_same_content_makes_no_version(cli: Cli) -> None:
    """A new time on the same bytes is fetched once, found unchanged, and not fetched again."""
    path = cli.write("a.txt")
    cli.init()
    cli.sync()
    os.utime(path, (1, 1))
    touched = cli.sync()["counters"]
    assert (touched["items_fetched"], touched["items_skipped_incremental"], touched["items_ingested"]) == (1, 1, 0)
    assert cli.outcomes() == {"a.txt": ("unchanged", "same_content")}
    assert cli.sync()["counters"]["items_fetched"] == 0
    assert len(cli.run("doc", "versions", "docs/a.txt", "--json").json) == 1


@pytest.mark.slow
def test_rename_copy_and_return(cli: Cli) -> None:
    """A rename is moved once its bytes are confirmed, a copy is a duplicate, and takes its place once that goes."""
    path = cli.write("a.txt", "barometer")
    cli.init()
    cli.sync()
    document_id = cli.run("doc", "show", "docs/a.txt", "--json").json["document"]["document_id"]
    path.rename(cli.docs / "b.txt")
    moved = cli.sync()["counters"]
    assert (moved["items_moved"], moved["items_fetched"], moved["items_retired"]) == (1, 1, 0)
    assert cli.run("doc", "show", "docs/b.txt", "--json").json["document"]["document_id"] == document_id
    assert cli.found("barometer") == {"b.txt"}

    shutil.copy(cli.docs / "b.txt", cli.docs / "c.txt")
    assert cli.sync()["counters"]["items_duplicate"] == 1
    assert cli.outcomes()["c.txt"] == ("duplicate", "same_content")
    assert cli.found("barometer") == {"b.txt"}

    (cli.docs / "b.txt").unlink()
    assert cli.sync()["counters"]["items_retired"] == 1
    shown = cli.run("doc", "show", "docs/c.txt", "--json").json["document"]
    assert (shown["document_id"], shown["state"], shown["key"]) == (document_id, "active", "c.txt")
    assert cli.found("barometer") == {"c.txt"}


@pytest.mark.slow
def test_editing_one_of_two_equal_files_leaves_the_other_as_it_is(cli: Cli) -> None:
    """When the first of two equal files changes, each path answers with its own text and its own address."""
    cli.write("a.txt", "equal text")
    cli.init()
    cli.sync()
    cli.write("z.txt", "equal text")
    cli.sync()
    cli.write("a.txt", "different now")
    cli.sync()
    assert cli.run("doc", "text", "docs/a.txt").out == "different now\n"
    assert cli.run("doc", "text", "docs/z.txt").out == "equal text\n"
    assert (cli.found("equal"), cli.found("different")) == ({"z.txt"}, {"a.txt"})
    assert sorted(item["key"] for item in cli.run("doc", "list", "--json").json) == ["a.txt", "z.txt"]


@pytest.mark.slow
def test_a_deleted_file_goes_to_the_trash_and_comes_back(cli: Cli) -> None:
    """A deleted file is not searchable but restorable, and a file that returns takes up its document again."""
    for name in ("keep", "other", "third"):
        cli.write(f"{name}.txt", name)
    gone = cli.write("gone.txt", "hygrometer")
    cli.init()
    cli.sync()
    gone.unlink()
    manifest = cli.sync()
    assert manifest["counters"]["items_retired"] == 1
    assert cli.outcomes()["gone.txt"] == ("retired", "not_listed")
    assert cli.found("hygrometer") == set()
    [retired] = cli.run("doc", "list", "--retired", "--json").json
    assert retired["key"] == "gone.txt"
    assert len(list((cli.workspace / "trash").rglob("normalized.md"))) == 1
    assert "trash" in cli.run("doc", "explain", "docs/gone.txt").out
    assert cli.run("doc", "text", retired["document_id"]).out == "hygrometer\n"

    cli.run("doc", "restore", retired["document_id"])
    assert cli.found("hygrometer") == {"gone.txt"}
    assert cli.run("doc", "list", "--retired").out == "the trash is empty\n"
    cli.run("doc", "restore", retired["document_id"], code=2)

    cli.sync()
    cli.write("gone.txt", "hygrometer again")
    cli.sync()
    assert cli.found("hygrometer") == {"gone.txt"}
    assert cli.run("doc", "text", "docs/gone.txt").out == "hygrometer again\n"


@pytest.mark.slow
def test_a_removed_document_stays_away_until_it_changes(cli: Cli) -> None:
    """What a person removed is not brought back by a sync, but an edit brings the new text in."""
    path = cli.write("a.txt", "unwanted")
    cli.write("b.txt", "wanted")
    cli.init()
    cli.sync()
    refused = cli.run("doc", "remove", "docs/a.txt", typed="n\n", code=130)
    assert (refused.out, "Retire 1 document to the trash?" in refused.err) == ("", True)
    assert cli.found("unwanted") == {"a.txt"}
    assert "restore" in cli.run("doc", "remove", "docs/a.txt", typed="y\n").out
    assert cli.sync()["counters"]["items_skipped_incremental"] == 2
    assert cli.found("unwanted") == set()
    assert "removed" in cli.run("doc", "explain", path).out
    path.write_text("unwanted, but edited")
    cli.sync()
    assert cli.found("unwanted") == {"a.txt"}


@pytest.mark.slow
def test_a_mass_deletion_waits_for_a_person(cli: Cli) -> None:
    """When most documents vanish they are kept, the exit code is 6, and `job approve` retires those still gone."""
    for number in range(20):
        cli.write(f"{number:02}.txt", f"instrument number{number:02}")
    cli.init()
    cli.sync()
    for number in range(12):
        (cli.docs / f"{number:02}.txt").unlink()
    held = cli.run("sync", "docs", code=6)
    assert "12 of 20" in held.err
    assert "job approve" in held.err
    manifest = cli.manifests()[-1]
    assert (manifest["state"], manifest["held"]["documents"], manifest["held"]["known"]) == ("partial", 12, 20)
    assert len(cli.run("job", "items", "last", "--held", "--json").lines) == 12
    assert len(cli.found("instrument")) == 20

    cli.write("00.txt", "instrument number00 is back")
    approved = cli.run("job", "approve", manifest["job_id"], "--json").json
    assert approved["state"] == "succeeded"
    assert approved["counters"]["items_retired"] == 11
    assert len(cli.found("instrument")) == 9
    assert "already" in cli.run("job", "approve", manifest["job_id"], code=2).err


@pytest.mark.slow
def test_an_empty_or_missing_folder_deletes_nothing(cli: Cli) -> None:
    """A folder that became empty holds everything; one that is gone fails the job; both keep every document."""
    for number in range(3):
        cli.write(f"{number}.txt", f"precious {number}")
    cli.init()
    cli.sync()
    for path in cli.docs.iterdir():
        path.unlink()
    assert cli.sync(code=6)["held"]["reason"] == "empty_listing"
    assert len(cli.found("precious")) == 3
    cli.docs.rmdir()
    failed = cli.run("sync", "docs", code=1)
    assert "does not exist" in failed.err
    assert "hint: " in failed.err
    assert cli.manifests()[-1]["state"] == "failed"
    assert len(cli.found("precious")) == 3
    assert "does not exist" in cli.run("plan", "docs", code=1).err


@pytest.mark.slow
def test_an_unreadable_part_retires_nothing(cli: Cli) -> None:
    """A folder that cannot be looked into makes the listing incomplete: nothing is retired, and the end says why."""
    cli.write("open/a.txt", "alpha")
    cli.write("closed/b.txt", "beta")
    gone = cli.write("open/c.txt", "gamma")
    cli.init()
    cli.sync()
    gone.unlink()
    (cli.docs / "closed").chmod(0)
    try:
        manifest = cli.sync(code=3, as_ordinary_user=True)
    finally:
        (cli.docs / "closed").chmod(0o755)
    assert manifest["state"] == "partial"
    assert manifest["errors"][0]["code"] == "listing_incomplete"
    assert manifest["counters"]["items_retired"] == 0
    assert (cli.found("beta"), cli.found("gamma")) == ({"b.txt"}, {"c.txt"})
    assert cli.sync()["counters"]["items_retired"] == 1


@pytest.mark.slow
def test_what_failed_is_tried_again(cli: Cli) -> None:
    """A file that cannot be read fails with a hint and is tried again by the next sync and by a retry."""
    path = cli.write("a.txt", "locked away")
    cli.write("b.txt", "readable")
    cli.init()
    path.chmod(0)
    manifest = cli.sync(code=3, as_ordinary_user=True)
    assert manifest["errors"][0]["code"] == "forbidden"
    assert cli.outcomes()["a.txt"] == ("failed", "forbidden")
    assert "hint: " in cli.run("job", "errors", "last").out
    assert cli.sync(code=3, as_ordinary_user=True)["counters"]["items_failed"] == 1
    path.chmod(0o644)
    retried = cli.run("job", "retry", "last", "--failed-only", "--json").json
    assert (retried["counters"]["descriptors_listed"], retried["counters"]["items_ingested"]) == (1, 1)
    assert retried["trigger"] == "retry"
    assert cli.found("locked") == {"a.txt"}
    assert "nothing failed" in cli.run("job", "retry", "last", "--failed-only", code=2).err


@pytest.mark.slow
def test_a_broken_edit_keeps_the_last_good_version(cli: Cli) -> None:
    """When a document becomes unreadable its last good version stays searchable, and `doc explain` says so."""
    cli.write("a.docx", (SAMPLES / "manual" / "maintenance.docx").read_bytes())
    cli.init()
    cli.sync()
    before = cli.run("search", "rain gauge", "--json").json
    assert before
    cli.write("a.docx", (SAMPLES / "special-cases" / "broken.docx").read_bytes())
    cli.sync(code=3)
    assert cli.run("search", "rain gauge", "--json").json == before
    story = cli.run("doc", "explain", "docs/a.docx").out
    assert "here: " in story
    assert "malformed" in story


@pytest.mark.slow
def test_refused_and_empty_files_are_read_once_until_settings_change(cli: Cli) -> None:
    """What was rejected or empty is not fetched again, unless the source's settings change."""
    cli.write("empty.txt", "")
    cli.write("blob.bin", bytes(range(256)) * 8)
    cli.write("large.txt", "word " * 1000)
    cli.init("--max-size", "4000")
    first = cli.sync()["counters"]
    assert (first["items_rejected"], first["items_empty"]) == (2, 1)
    outcomes = cli.outcomes()
    assert outcomes["large.txt"] == ("rejected", "too_large")
    assert outcomes["blob.bin"] == ("rejected", "unsupported_type")
    again = cli.sync()["counters"]
    assert (again["items_fetched"], again["items_skipped_incremental"], again["items_rejected"]) == (0, 2, 1)
    assert "4.0 kB" in cli.run("job", "errors", "last").out
    cli.run("source", "edit", "docs", "--max-size", "1MB")
    changed = cli.sync()["counters"]
    assert (changed["items_ingested"], changed["items_empty"], changed["items_rejected"]) == (1, 1, 1)
    assert cli.sync()["counters"]["items_fetched"] == 0


@pytest.mark.slow
def test_what_a_listing_meets(cli: Cli) -> None:
    """Hidden files, links, pipes and excluded files are left out or refused, and include and exclude are obeyed."""
    cli.write("a.txt")
    cli.write(".hidden.txt", "secret")
    cli.write("drafts/d.txt", "draft")
    os.mkfifo(cli.docs / "pipe")
    (cli.docs / "link.txt").symlink_to(cli.docs / "a.txt")
    (cli.docs / "out").symlink_to("/etc")
    cli.init("--exclude", "drafts/")
    cli.sync()
    assert cli.outcomes() == {"a.txt": ("ingested", "new"), "pipe": ("rejected", "special_file")}
    cli.run("source", "edit", "docs", "--hidden", "--follow-symlinks", "--exclude", "nothing")
    cli.sync()
    outcomes = cli.outcomes()
    assert outcomes[".hidden.txt"] == outcomes["drafts/d.txt"] == ("ingested", "new")
    assert outcomes["link.txt"] == ("duplicate", "same_content")
    assert not any(key.startswith("out/") for key in outcomes)
    cli.run("source", "edit", "docs", "--include", "*.md")
    cli.sync(code=None)
    assert {name for name, _ in cli.outcomes().items()} <= {"pipe", *outcomes}


@pytest.mark.slow
def test_disabled_sources_are_left_alone(cli: Cli) -> None:
    """A disabled source is passed over by --all and refused by name, until it is enabled."""
    cli.write("a.txt")
    cli.init()
    cli.run("source", "disable", "docs")
    assert "disabled" in cli.run("source", "list").out
    refused = cli.run("sync", "docs", code=2)
    assert "source enable docs" in refused.err
    cli.run("sync", "--all", code=2)
    cli.run("source", "enable", "docs")
    cli.run("sync", "--all")
    assert cli.found("importance") == {"a.txt"}


@pytest.mark.slow
def test_removing_a_source_retires_its_documents(cli: Cli) -> None:
    """`source remove` asks, then retires the documents; with --keep-documents they stay searchable."""
    cli.write("a.txt", "windmill")
    cli.init()
    cli.sync()
    cli.run("source", "remove", "docs", typed="n\n", code=130)
    assert "--yes" in cli.run("source", "remove", "docs", code=6).err
    assert cli.run("source", "remove", "docs", "--json", code=6).error["code"] == "refused"
    assert cli.found("windmill") == {"a.txt"}
    cli.run("source", "remove", "docs", "--keep-documents", "--yes")
    assert cli.found("windmill") == {"a.txt"}
    cli.run("source", "add", "local", "docs", "--path", "docs")
    cli.sync()
    cli.run("source", "remove", "docs", "--yes")
    assert cli.found("windmill") == set()
    assert cli.run("source", "list").out.startswith("no sources yet")


@pytest.mark.slow
def test_a_source_with_documents_stays_in_its_collection(cli: Cli) -> None:
    """A source that has documents cannot change its collection, which would tear versions apart; an empty one can."""
    cli.write("a.txt", "first form")
    cli.init()
    cli.run("collection", "add", "Archive")
    cli.run("source", "edit", "docs", "--collection", "archive")
    cli.sync()
    assert cli.run("doc", "show", "docs/a.txt", "--json").json["document"]["collection_id"] == "archive"
    assert "cannot leave" in cli.run("source", "edit", "docs", "--collection", "default", code=2).err


@pytest.mark.slow
def test_force_reads_everything_again_without_doubling(cli: Cli) -> None:
    """`sync --force` fetches every file, and equal text makes no new version."""
    cli.write("a.txt", "alpha")
    cli.write("b.txt", "beta")
    cli.init()
    cli.sync()
    forced = cli.sync("--force")["counters"]
    assert (forced["items_fetched"], forced["items_ingested"], forced["items_skipped_incremental"]) == (2, 0, 2)
    assert len(cli.run("doc", "versions", "docs/a.txt", "--json").json) == 1


@pytest.mark.slow
def test_the_files_on_disk_are_what_the_contract_says(cli: Cli) -> None:
    """Plan, outcomes, manifest and ingestion record hold the fields that scripts rely on."""
    cli.write("a.txt", "alpha")
    cli.init()
    job_id = cli.sync()["job_id"]
    folder = cli.workspace / "jobs" / job_id
    manifest = json.loads((folder / "manifest.json").read_text())
    assert manifest["schema_version"] == 1
    assert manifest["transitions"][0].keys() >= {"from", "to", "at", "by", "reason"}
    assert [step["to"] for step in manifest["transitions"]] == ["queued", "running", "succeeded"]
    [outcome] = cli.run("job", "items", job_id, "--json").lines
    assert outcome.keys() >= {
        "uri", "key", "outcome", "reason", "detail", "document_id", "version", "raw_sha256", "content_hash",
        "bytes", "media_type", "backend", "milliseconds", "at",
    }  # fmt: skip
    [record_path] = cli.workspace.glob("documents/default/*/*/v0001/ingestion.json")
    assert {path.name for path in record_path.parent.iterdir()} == {"raw.txt", "normalized.md", "ingestion.json"}
    record = json.loads(record_path.read_text())
    assert record.keys() >= {
        "schema_version", "document_id", "collection_id", "source_id", "source_type", "uri", "version",
        "version_label", "job_id", "origin", "file_name", "file_size", "mime_type", "raw_sha256", "content_hash",
        "language", "backend", "backend_version", "pages", "columns", "links", "warnings", "ingested_at",
    }  # fmt: skip
    assert not (folder / "staging").exists() or list((folder / "staging").iterdir()) == []


@pytest.mark.slow
def test_a_workspace_is_private_whatever_the_umask(cli: Cli) -> None:
    """Under umask 0 every folder of the workspace is 0700 and every file 0600, also after uploads and a worker."""
    for number in range(3):
        cli.write(f"{number}.txt", f"text {number}")
    gone = cli.write("gone.txt", "gone")
    cli.run("init", umask=0)
    cli.run("source", "add", "local", "docs", "--path", "docs", umask=0)
    cli.sync(umask=0)
    gone.unlink()
    cli.sync(umask=0)
    cli.run("upload", "docs/0.txt", umask=0)
    cli.run("worker", "start", umask=0)
    cli.run("worker", "stop", umask=0)
    cli.run("doc", "remove", "docs/1.txt", "--yes", umask=0)
    cli.run("rebuild", umask=0)
    wrong = []
    for path in [cli.workspace, *cli.workspace.rglob("*")]:
        mode = stat.S_IMODE(path.lstat().st_mode)
        if mode != (0o700 if path.is_dir() else 0o600):
            wrong.append((str(path.relative_to(cli.home)), oct(mode)))
    assert wrong == []


@pytest.mark.slow
def test_a_workspace_that_others_can_write_is_refused(cli: Cli) -> None:
    """A world-writable workspace is not used; the hint says how to fix it."""
    cli.init()
    cli.workspace.chmod(0o777)
    refused = cli.run("source", "list", code=6)
    assert "chmod 700" in refused.err
    cli.workspace.chmod(0o700)
    cli.run("source", "list")
