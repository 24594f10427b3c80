"""Options whose value is text: each refuses what cannot be and names what can, or takes any text on purpose."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from ingest_tui import open_workspace
from ingest_tui.cli.main import cli, run

ADD = ("source", "add", "local", "more", "--path", "docs")
BASIC = ("credential", "add", "c", "--type", "basic")
S3 = ("source", "add", "s3", "store", "--bucket", "handbook")
WEB = ("source", "add", "web", "w", "--url", "https://example.org/")
WRONG: dict[str, tuple[tuple[str, ...], str]] = {
    "--allow-type": ((*ADD, "--allow-type", "pfd"), "no type is called 'pfd'"),
    "--deny-type": ((*ADD, "--deny-type", "pfd"), "no type is called 'pfd'"),
    "--backend": ((*ADD, "--backend", "nope"), "no extraction backend is called 'nope'"),
    "--backend-for": ((*ADD, "--backend-for", "pdf=nope"), "no extraction backend is called 'nope'"),
    "--schema": ((*ADD, "--schema", "nope.json"), "schema nope.json cannot be used"),
    "--ocr-languages": ((*ADD, "--ocr-languages", "english!"), "eng+deu"),
    "--set": ((*ADD, "--set", "nope=1"), "there is no preference 'nope'"),
    "--unset": (("source", "edit", "docs", "--unset", "nope"), "there is no preference 'nope'"),
    "--max-size": ((*ADD, "--max-size", "much"), "written as 50MB"),
    "--since": ((*ADD, "--since", "yesterday"), "2026-01-31"),
    "--until": (("audit", "export", "a.jsonl", "--until", "soon"), "2026-11-21"),
    "--hold-items": ((*ADD, "--hold-items", "many"), "--hold-items"),
    "--hold-share": ((*ADD, "--hold-share", "7"), "at most 1"),
    "--hold-always-share": ((*ADD, "--hold-always-share", "7"), "at most 1"),
    "--every": ((*ADD, "--every", "often"), "15m"),
    "--cron": ((*ADD, "--cron", "daily at six"), "five fields"),
    "--tz": ((*ADD, "--every", "5m", "--tz", "Mars"), "Mars"),
    "--jitter": ((*ADD, "--every", "5m", "--jitter", "some"), "15m"),
    "--quiet-hours": ((*ADD, "--every", "5m", "--quiet-hours", "night"), "22:00-06:00"),
    "--path": (("source", "add", "local", "more", "--path", ""), "--path: this is needed"),
    "--bucket": (("source", "add", "s3", "store", "--bucket", "x"), "not the name of a bucket"),
    "--endpoint-url": ((*S3, "--endpoint-url", "nope"), "not an http or https address"),
    "--region": ((*S3, "--region", "no pe"), "not the name of a region"),
    "--sqs": ((*S3, "--sqs", "nope"), "--sqs"),
    "--take": (("source", "add", "confluence", "c", "--url", "https://h/wiki", "--take", "labels"), "blogposts"),
    "--space": (("source", "add", "confluence", "c", "--url", "https://h/wiki", "--space", "a/b"), "named by its key"),
    "--repository": (("source", "add", "git", "code", "--repository", ""), "--repository: this is needed"),
    "--ref": (("source", "add", "git", "code", "--repository", "docs", "--ref", "a..b"), "no name of a branch"),
    "--url": (("source", "add", "web", "w", "--url", "nope"), "https://example.org"),
    "--host": (("source", "add", "mail", "m", "--host", "no host", "--credential", "c"), "--host"),
    "--port": (("source", "add", "mail", "m", "--host", "h", "--credential", "c", "--port", "imaps"), "--port"),
    "--user": (("source", "add", "mail", "m", "--host", "h", "--credential", "c", "--user", "a\tb"), "--user"),
    "--ca-file": (("source", "add", "mail", "m", "--host", "h", "--credential", "c", "--ca-file", "a\0b"), "--ca-file"),
    "--sitemap": ((*WEB, "--sitemap", "nope"), "https://example.org"),
    "--remote": (
        ("source", "add", "rclone", "r", "--remote", "/srv", "--credential", "c"),
        "it is no remote: NAME:PATH is needed",
    ),
    "--site": (("source", "add", "sharepoint", "s", "--site", "nope", "--credential", "c"), "--site"),
    "--name": (("upload", "docs/a.md", "--name", "a/b"), "no name of a file"),
    "--type": (("search", "rain", "--type", "pfd"), "did you mean 'pdf'"),
    "--reason": (("errors", "list", "--reason", "encrypte"), "did you mean 'encrypted'"),
    "--after": (("search", "rain", "--after", "soon"), "2026-11"),
    "--before": (("search", "rain", "--before", "soon"), "2026-11"),
    "--document": (("export", "--document", "nope"), "there is no document 'nope'"),
    "--secret": ((*BASIC, "--secret", "nope=env:X"), "secret fields: password"),
    "--secret-stdin": ((*BASIC, "--set", "username=me", "--secret-stdin", "nope"), "nope"),
    "--ask": (("credential", "set", "keys", "--ask", "nope"), "nope"),
    "--preview": (("collection", "prefs", "default", "--preview", "nope"), "no document and no file 'nope'"),
    "--metrics": (("stats", "--metrics", "nope/x/y"), "metrics cannot be written to"),
    "--endpoint": (("embedder", "add", "openai", "e", "--endpoint", "nope", "--model", "m"), "--endpoint"),
    "--requests-per-minute": (
        ("embedder", "add", "openai", "e", "--endpoint", "http://h", "--model", "m", "--requests-per-minute", "x"),
        "--requests-per-minute",
    ),
    "--dimensions": (
        ("embedder", "add", "openai", "e", "--endpoint", "http://h", "--model", "m", "--dimensions", "x"),
        "--dimensions",
    ),
    "--server": (("--server", "nope", "status"), "write https://HOST"),
    "--token-ref": (("--server", "http://127.0.0.1:1", "--token-ref", "nope", "status"), "write env:NAME or file:PATH"),
    "--max-tokens": (("embedder", "add", "onnx", "e", "--path", "docs", "--max-tokens", "x"), "--max-tokens"),
}
"""By option: a call with a value that cannot be, and what is said."""
ANY_TEXT = frozenset(
    {
        # patterns and words, of which any may be meant
        "--include", "--exclude", "--contains", "--title", "--text", "--prefix",
        # what people call things
        "--description", "--label", "--library", "--folder", "--profile",
        # what a model wants, or calls itself
        "--document-prefix", "--query-prefix", "--model", "--model-revision", "--file",
    }
)  # fmt: skip


def commands(command: click.Command, context: click.Context) -> Iterator[click.Command]:
    """Yield all commands that are no groups."""
    if isinstance(command, click.Group):
        for name in command.list_commands(context):
            found = command.get_command(context, name)
            assert found is not None
            yield from commands(found, click.Context(found, parent=context, info_name=name))
    else:
        yield command


def test_each_option_of_text_is_known_here() -> None:
    """A new one is either shown to refuse what cannot be, or said to take any text."""
    options = {
        param.opts[0]
        for command in commands(cli, click.Context(cli, info_name="ingest-tui"))
        for param in command.params
        if isinstance(param, click.Option)
        and (type(param.type).__name__ in {"StringParamType", "TypeName"})
        and not param.is_flag
    }
    assert options - WRONG.keys() - ANY_TEXT == set()
    assert (WRONG.keys() | ANY_TEXT) - options == set()


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace with a source, a document and a credential."""
    home = tmp_path_factory.mktemp("home")
    (home / "docs").mkdir()
    (home / "docs" / "a.md").write_text("rain")
    with open_workspace(home / "workspace") as handle:
        handle.add_source("docs", path=str(home / "docs"))
        handle.upload(home / "docs" / "a.md")
    at = ["-w", str(home / "workspace")]
    assert run([*at, *BASIC[:2], "keys", *BASIC[3:], "--set", "username=me", "--secret", "password=env:X"]) == 0
    return home


@pytest.mark.slow
@pytest.mark.parametrize("option", WRONG)
def test_what_cannot_be_is_refused_by_name(
    home: Path, option: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """With what can be, and nothing is done; one that names a thing which is not there may end with 4."""
    call, said = WRONG[option]
    assert option in call
    monkeypatch.chdir(home)
    at = () if "--server" in call else ("-w", "workspace")
    assert run([*at, *call]) in {2, 4}, capsys.readouterr().err
    assert said in capsys.readouterr().err


@pytest.mark.slow
def test_types_and_reasons_that_are_here_are_known(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Endings and media types of formats, with or without what has them, and endings of files that are here."""
    at = ["-w", str(home / "workspace")]
    for name in ("pdf", ".PDF", "text/", "markdown", "application/pdf", "md", "py"):
        assert run([*at, "doc", "list", "--type", name]) == 0, capsys.readouterr().err
    assert run([*at, "errors", "list", "--reason", "encrypted"]) == 0
    assert run([*at, "job", "list", "--source", "docs"]) == 0
    assert run([*at, "job", "list", "--source", "uploads"]) in {0, 4}
    assert run([*at, "job", "list", "--source", "nope"]) == 4
