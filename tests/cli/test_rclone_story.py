"""An rclone remote as a source, from adding it to losing it, by the command line."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.cli.running import Cli
from tests.conformance.connectors.rclone_site import credentials_for
from tests.servers.processes import rclone_process

pytestmark = pytest.mark.slow

KEY, SECRET = "AKIARCLONE", "canary-of-the-story"


@pytest.fixture
def bucket(cli: Cli, tmp_path: Path) -> Path:
    """A folder that becomes a bucket, beside a workspace."""
    folder = tmp_path / "served" / "shelf"
    folder.mkdir(parents=True)
    (folder / "travel.md").write_text("# Travel\n\ntrains before planes")
    (folder / "pay.md").write_text("# Pay\n\nnot yet decided")
    cli.run("init")
    return folder


def test_from_a_remote_to_its_text(cli: Cli, bucket: Path, tmp_path: Path) -> None:
    """Add, test, browse, plan and sync; edit, rename and delete files; lose the server, then the folder."""
    arguments = ["--auth-key", f"{KEY},{SECRET}", "--dir-cache-time", "0s", str(bucket.parent)]
    with rclone_process(arguments) as port:
        remote = {"type": "s3", "provider": "Rclone", "endpoint": f"http://127.0.0.1:{port}"}
        credentials_for(tmp_path / "made", {"store": remote | {"access_key_id": KEY, "secret_access_key": SECRET}})
        config = tmp_path / "made" / "rclone.conf"
        cli.run("credential", "add", "drives", "--type", "rclone", "--set", f"config_file={config}")
        cli.run("source", "add", "rclone", "handbook", "--remote", "store:shelf", "--credential", "drives")
        assert all(step["ok"] for step in cli.run("source", "test", "handbook", "--json").lines)
        assert "pay.md" in cli.run("source", "browse", "handbook").out
        assert {line["key"] for line in cli.run("plan", "handbook", "--json").lines} == {"travel.md", "pay.md"}
        cli.run("sync", "handbook")
        assert "planes" in cli.run("search", "trains").out
        shown = cli.run("source", "show", "handbook", "--json").out + cli.run("job", "logs", "last", code=None).out
        assert SECRET not in shown

        (bucket / "travel.md").rename(bucket / "journeys.md")
        (bucket / "pay.md").write_text("# Pay\n\ndecided by lottery")
        changed = cli.run("sync", "handbook", "--json").json["counters"]
        assert (changed["items_ingested"], changed["items_moved"], changed["items_retired"]) == (1, 1, 0)
        assert "lottery" in cli.run("search", "decided").out

        (bucket / "pay.md").unlink()
        assert cli.run("sync", "handbook", "--json").json["counters"]["items_retired"] == 1
        shutil.rmtree(bucket)
        gone = cli.run("sync", "handbook", code=None)
        assert "there is no folder store:shelf" in gone.out + gone.err
    assert [one["key"] for one in cli.run("doc", "list", "--json").json] == ["journeys.md"], "nothing is proven gone"
