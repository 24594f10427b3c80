"""Topics of the help: pages of the documentation, or sections of them, in their own words."""

from __future__ import annotations

import re
from importlib import resources
from pathlib import Path
from typing import NamedTuple

_LINK = re.compile(r"!?\[([^\]]+)\]\([^)]*\)")


class Topic(NamedTuple):
    """A page of docs/, or one section of it by its heading, and what it is about in a few words."""

    page: str
    section: str
    about: str


TOPICS = {
    "agents": Topic("mcp.md", "", "what 'ingest-tui mcp' lets agents do"),
    "audit-chain": Topic("operations.md", "The audit", "who did what, and how it is checked"),
    "backups": Topic("operations.md", "Backup", "what a backup holds, and what it rests on"),
    "confluence": Topic("confluence.md", "", "Confluence as a source, Cloud and Data Center"),
    "credentials": Topic("credentials.md", "", "how sources sign in, and where secrets are"),
    "disaster-recovery": Topic("operations.md", "Disaster recovery", "what to do when something is lost"),
    "exit-codes": Topic("cli.md", "Exit codes", "what the exit code of a command means"),
    "git": Topic("git.md", "", "Git repositories as sources"),
    "http-server": Topic("server.md", "", "what 'ingest-tui serve' answers, and to whom"),
    "mail": Topic("mail.md", "", "mailboxes (IMAP) as sources"),
    "monitoring": Topic("operations.md", "Monitoring", "figures for Prometheus, and checks for monitors"),
    "on-job-end": Topic("operations.md", "When a job has ended", "commands and webhooks that are told of jobs"),
    "output": Topic("cli.md", "Output", "tables, JSON, YAML and CSV"),
    "rclone": Topic("rclone.md", "", "Drive, OneDrive, Dropbox, SFTP, SMB, WebDAV and other storages as sources"),
    "remote": Topic("server.md", "The command line against a server", "working with the workspace of a server"),
    "repair": Topic("operations.md", "Repairing", "what 'ingest-tui verify --repair' does"),
    "retention": Topic("retention.md", "", "what is kept for how long, and erasing"),
    "s3": Topic("s3.md", "", "buckets as sources"),
    "schedules": Topic("schedules.md", "", "syncs at set times"),
    "search-syntax": Topic("search.md", "", "what may be typed in a search"),
    "selecting": Topic("cli.md", "Selecting", "options in place of names"),
    "settings": Topic("settings.md", "", "workspace.json and variables"),
    "sharepoint": Topic("sharepoint.md", "", "SharePoint and OneDrive as sources"),
    "ssh": Topic("operations.md", "Over SSH", "on a server, and in tmux"),
    "systemd": Topic("operations.md", "Running as a service", "a worker under systemd"),
    "watching": Topic("operations.md", "Watched folders", "how changes in folders are noticed"),
    "web": Topic("web.md", "", "web sites as sources"),
    "workspace": Topic("format.md", "", "the files of a workspace"),
}
PAGES = "docs"
"""The folder of the pages, in the installed package and in a checkout."""


def topic_list() -> str:
    """Return the names of the topics with what they are about, one in each line."""
    return "\n".join(f"  {name:18} {topic.about}" for name, topic in TOPICS.items())


def topic_text(name: str) -> str:
    """Return the text of a topic, without the addresses of links; raises KeyError for one that there is not."""
    topic = TOPICS[name]
    text = (_folder() / topic.page).read_text("utf-8")
    return _LINK.sub(r"\1", _section(text, topic.section) if topic.section else text).strip()


def _section(page: str, heading: str) -> str:
    """Return a section from its heading up to the next one."""
    _, _, rest = page.partition(f"\n## {heading}\n")
    return f"## {heading}\n{rest.partition(chr(10) + '## ')[0]}"


def _folder() -> Path:
    installed = Path(str(resources.files("ingest_tui"))) / PAGES
    return installed if installed.is_dir() else Path(__file__).resolve().parents[3] / PAGES
