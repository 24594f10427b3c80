"""Uploads, and what a person can do with jobs."""

from __future__ import annotations

import json

import pytest

from tests.cli.running import Cli, assert_counters_add_up

pytestmark = pytest.mark.slow


def test_uploads_of_one_name_are_versions(cli: Cli) -> None:
    """A second upload of a name becomes version 2 with its label; the same content under another name is a copy."""
    cli.run("init")
    first = cli.write("manual.txt", "first edition")
    uploaded = cli.run("upload", first, "--json").json
    assert_counters_add_up(uploaded)
    assert (uploaded["kind"], uploaded["counters"]["items_ingested"]) == ("upload", 1)
    assert cli.found("edition") == {"manual.txt"}
    first.unlink()
    assert cli.run("doc", "text", "manual.txt", code=None).out in {"", "first edition\n"}
    other = cli.write("elsewhere/manual.txt", "second edition")
    cli.run("upload", other)
    [document] = cli.run("doc", "list", "--json").json
    assert document["version"] == 2
    versions = cli.run("doc", "versions", document["document_id"], "--json").json
    assert [item["version_label"] for item in versions] == ["manual.txt (version 2)", "manual.txt (version 1)"]
    assert cli.run("doc", "text", document["document_id"], "--version", "1").out == "first edition\n"
    copy = cli.write("copy.txt", "second edition")
    assert "1 duplicate" in cli.run("upload", copy).out


def test_standard_input_is_uploaded_under_a_name(cli: Cli) -> None:
    """It needs a name and may have a label; the next of that name is the next version, and may replace those before."""
    cli.run("init")
    assert "--name" in cli.run("upload", "-", code=2, typed="no name").err
    cli.run("upload", "-", "--name", "report.csv", "--label", "as of June", typed="city,people\nBern,134")
    cli.run("upload", "-", "--name", "report.csv", typed="city,people\nBern,135")
    [document] = cli.run("doc", "list", "--json").json
    assert (document["file_name"], document["version"]) == ("report.csv", 2)
    assert (document["version_label"], document["columns"]) == ("report.csv (version 2)", ["city", "people"])
    assert document["status"] == "searchable"
    assert "city, people" in cli.run("doc", "list").out
    told = cli.run("doc", "versions", document["document_id"], "--json").json
    assert [one["version_label"] for one in told] == ["report.csv (version 2)", "as of June"]
    cli.run("upload", "-", "--name", "report.csv", "--replace", typed="city,people\nBern,136")
    [version] = cli.run("doc", "versions", document["document_id"], "--json").json
    assert version["version"] == 3


def test_uploads_go_to_their_collection_only(cli: Cli) -> None:
    """The same file uploaded to two collections is a document in each, and searches keep them apart."""
    cli.run("init")
    cli.run("collection", "add", "Archive")
    path = cli.write("a.txt", "twice here")
    cli.run("upload", path)
    cli.run("upload", path, "--collection", "archive")
    assert len(cli.run("search", "twice", "--json").json) == 2
    assert len(cli.run("search", "twice", "--collection", "archive", "--json").json) == 1
    counts = {item["collection_id"]: item["documents"] for item in cli.run("collection", "list", "--json").json}
    assert counts == {"archive": 1, "default": 1}


def test_a_refused_upload_leaves_nothing_behind(cli: Cli) -> None:
    """A missing file, a folder or two files of one name refuse the whole upload, and no job is left."""
    cli.init()
    good = cli.write("a.txt", "fine")
    twin = cli.write("sub/a.txt", "also fine")
    cli.run("upload", good, "no-such-file", code=4)
    assert "source add" in cli.run("upload", good, "docs", code=2).err
    assert "two of the files" in cli.run("upload", good, twin, code=2).err
    cli.run("upload", good, "--collection", "nope", code=4)
    assert cli.run("job", "list", "--json").json == []
    assert list((cli.workspace / "jobs").iterdir()) == []
    assert cli.found("fine") == set()
    cli.sync()
    assert cli.run("job", "show", "last", "--json").json["source_id"] == "docs"


def test_one_bad_file_refuses_the_upload(cli: Cli) -> None:
    """Of several files each that cannot be read is named with its reason before anything is stored."""
    cli.run("init")
    paths = [cli.write("a.txt", "alpha"), cli.write("blob.bin", bytes(range(256)) * 8), cli.write("e.txt", "")]
    told = cli.run("upload", *paths, code=2).err
    assert "of 3 files 2 cannot be uploaded: " in told
    assert "blob.bin cannot be taken in: cannot read an unknown binary format" in told
    assert "e.txt cannot be taken in: the file is empty" in told
    listed = json.loads(cli.run("upload", *paths, "--json", code=2).err)["error"]["details"]["files"]
    assert [one["code"] for one in listed] == ["unsupported_type", "empty"]
    assert list((cli.workspace / "jobs").iterdir()) == []


def test_queued_jobs_can_be_cancelled_and_done_again(cli: Cli) -> None:
    """A queued job is cancelled at once and never runs; retry does it again."""
    cli.write("a.txt", "alpha")
    cli.init()
    assert "worker start" in cli.run("sync", "docs", "--detach").err
    queued = cli.run("job", "list", "--json").json[0]
    assert queued["state"] == "queued"
    assert cli.run("job", "cancel", queued["job_id"], "--json").json["state"] == "cancelled"
    assert "has ended" in cli.run("job", "cancel", queued["job_id"], code=2).err
    assert cli.found("alpha") == set()
    retried = cli.run("job", "retry", queued["job_id"], "--json").json
    assert (retried["state"], retried["trigger"]) == ("succeeded", "retry")
    assert cli.found("alpha") == {"a.txt"}


def test_waiting_jobs_show_their_place_in_the_queue(cli: Cli) -> None:
    """`job list`, `job show` and `status` tell which job is next, and follow a change of priority."""
    cli.write("a.txt", "alpha")
    cli.init()
    ended = cli.sync()["job_id"]
    cli.run("source", "add", "local", "again", "--path", "docs")
    first, second = (cli.run("sync", name, "--detach", "--json").json["job_id"] for name in ("docs", "again"))
    cli.run("job", "priority", second, "1")
    places = {job["job_id"]: job["queue_position"] for job in cli.run("job", "list", "--json").json}
    assert places == {ended: None, first: 2, second: 1}
    assert cli.run("job", "show", first, "--json").json["queue_position"] == 2
    assert cli.run("status", first, "--json").json["queue_position"] == 2
    assert "number 2 in the queue" in cli.run("job", "show", first).out
    listed = {line.split()[0]: line.split()[1:3] for line in cli.run("job", "list").out.splitlines()}
    assert listed[first] == ["queued", "2"]
    assert listed["JOB"] == ["STATE", "QUEUE"]


def test_job_names_can_be_short(cli: Cli) -> None:
    """A job is found by the end of its id, which is what a person types, and by 'last'."""
    cli.write("a.txt")
    cli.init()
    job_id = cli.sync()["job_id"]
    for name in (job_id, job_id[-4:], "last"):
        assert cli.run("job", "show", name, "--json").json["job_id"] == job_id
    assert cli.run("job", "list", "--state", "failed").out.startswith("nothing is like that; 'ingest-tui job list'")
    assert job_id in cli.run("job", "list", "--state", "succeeded", "--source", "docs").out
    day = cli.run("job", "show", job_id, "--json").json["created_at"][:10]
    assert job_id in cli.run("job", "list", "--since", day).out
    assert cli.run("job", "list", "--since", "9999-01-01").out.startswith("nothing is like that; 'ingest-tui job list'")


def test_job_ids_sort_by_time(cli: Cli) -> None:
    """Job ids made within the same second sort in the order in which they were made, so that 'last' is the newest."""
    from datetime import UTC, datetime, timedelta

    from ingest_tui.store.jobs import new_job_id

    moment = datetime(2026, 11, 21, 6, 31, 5, tzinfo=UTC)
    ids = [new_job_id("docs", moment + timedelta(milliseconds=5 * step)) for step in range(190)]
    assert ids == sorted(ids)


def test_a_retry_of_a_removed_source_is_reported(cli: Cli) -> None:
    """A queued job whose source was removed, or a retry of one, ends with words instead of a crash."""
    cli.write("a.txt")
    cli.init()
    job_id = cli.sync()["job_id"]
    cli.run("sync", "docs", "--detach")
    assert "works on source" in cli.run("source", "remove", "docs", "--yes", code=5).err
    cli.run("job", "cancel", "last")
    cli.run("source", "remove", "docs", "--yes")
    assert "no source 'docs'" in cli.run("job", "retry", job_id, code=4).err
    assert job_id in cli.run("job", "list").out


def test_the_audit_shows_who_did_what(cli: Cli) -> None:
    """Adding, syncing, uploading, removing and restoring each leave a line with who, when, what and outcome."""
    path = cli.write("a.txt", "alpha")
    cli.init()
    cli.sync()
    cli.run("upload", path, code=None)
    cli.run("doc", "remove", "docs/a.txt", "--yes")
    document_id = cli.run("doc", "list", "--retired", "--json").json[0]["document_id"]
    cli.run("doc", "restore", document_id)
    entries = cli.run("audit", "--json").lines
    assert [entry["action"] for entry in entries] == [
        "workspace.init", "source.add", "job.sync", "upload", "job.end", "document.remove", "document.restore",
    ]  # fmt: skip
    assert all("@" in entry["by"] and entry["at"].endswith("Z") and entry["outcome"] == "done" for entry in entries)


def test_the_audit_is_filtered_and_exported(cli: Cli) -> None:
    """By words and by time, to JSON lines and CSV; what is there is replaced only by force."""
    cli.init()
    assert [line["action"] for line in cli.run("audit", "--contains", "source !remove", "--json").lines] == [
        "source.add"
    ]
    assert cli.run("audit", "--since", "2999", "--json").lines == []
    target = cli.home / "audit.csv"
    assert cli.run("audit", "export", str(target), "--contains", "source.add", "--json").json["entries"] == 1
    assert target.read_text().splitlines()[0] == "at,by,action,target,outcome,details"
    cli.run("audit", "export", str(target), code=6)
    cli.run("audit", "export", str(target), "--force", "--format", "jsonl")
    assert json.loads(target.read_text().splitlines()[0])["action"] == "workspace.init"
