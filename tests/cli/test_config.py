"""``config``: settings are seen, changed and refused by name and by value, and the environment takes precedence."""

from __future__ import annotations

import ast
import dataclasses
import json
from contextlib import closing
from pathlib import Path

import pytest

from ingest_tui.cli.main import cli, run
from ingest_tui.services import settings
from ingest_tui.services.settings import VARIABLES_OF_OPTIONS, unknown_settings
from ingest_tui.services.workspaces import doctor
from ingest_tui.store.records.settings import SETTING_NAMES
from ingest_tui.store.workspace import init_workspace, open_workspace_at
from ingest_tui.tui.terminal.preferences import Preferences, read_preferences

SOURCES = Path(settings.__file__).parents[1]


class Calls:
    """Calls on one workspace, within this process."""

    def __init__(self, root: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.root, self._capsys = root, capsys

    def __call__(self, *words: str, code: int = 0) -> str:
        """Return what a call prints, of both streams."""
        assert run(["-w", str(self.root), *words]) == code
        written = self._capsys.readouterr()
        return written.out + written.err

    @property
    def saved(self) -> dict[str, object]:
        """What workspace.json has."""
        return dict(json.loads((self.root / "workspace.json").read_text()))


@pytest.fixture
def call(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Calls:
    """A new workspace, with no setting in the environment."""
    monkeypatch.delenv("COLUMNS", raising=False)
    for name in SETTING_NAMES:
        monkeypatch.delenv(f"INGEST_TUI_{name.upper()}", raising=False)
    init_workspace(tmp_path / "ws")[0].close()
    return Calls(tmp_path / "ws", capsys)


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("max_running_jobs", "5", 5),
        ("max-running-jobs", "5", 5),
        ("parser_memory", "3 GiB", 3 * 2**30),
        ("ocr", "auto", "auto"),
        ("job_days", "null", None),
        ("allow_network_filesystem", "true", True),
        ("parser_limits_by_type", '{"pdf": {"total_seconds": 9}}', {"pdf": {"total_seconds": 9.0}}),
    ],
)
def test_a_setting_is_set_and_unset(call: Calls, name: str, text: str, value: object) -> None:
    """The value goes into workspace.json in its own type, is what a worker reads, is audited, and goes again."""
    key = name.replace("-", "_")
    default = json.loads(call("config", "get", name, "--json"))
    assert default["origin"] == "default"
    call("config", "set", name, text)
    saved = call.saved[key]
    assert saved == value or {key: saved["pdf"]["total_seconds"]} == {key: 9.0}  # type: ignore[index]
    row = json.loads(call("config", "get", name, "--json"))
    assert (row["value"], row["origin"]) == (saved, "workspace.json")
    assert f"settings.set  {key}" in call("audit")
    call("config", "unset", name)
    assert key not in call.saved
    assert json.loads(call("config", "get", name, "--json")) == default


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["set", "max_runing_jobs", "5"], "did you mean 'max_running_jobs'"),
        (["get", "nothing"], "there is no setting 'nothing'"),
        (["set", "max_running_jobs", "many"], "max_running_jobs: must be a whole number"),
        (["set", "max_running_jobs", "65"], "max_running_jobs: must be at most 64"),
        (["set", "ocr", "sometimes"], "'never', 'auto' or 'always'"),
        (["set", "on_job_end", "[{"], "on_job_end: must be JSON"),
        (["set", "ocr_languages", "english!"], "ocr_languages: "),
        (["set", "revision", "5"], "there is no setting 'revision'"),
    ],
)
def test_what_cannot_be_is_refused_and_nothing_is_written(call: Calls, words: list[str], said: str) -> None:
    """A misspelt name or value is refused with what there is, and workspace.json stays as it is."""
    before = call.saved
    assert said in call("config", *words, code=2)
    assert call.saved == before


def test_the_environment_takes_precedence(call: Calls, monkeypatch: pytest.MonkeyPatch) -> None:
    """Environment before workspace.json before default, in lists and for who opens the workspace; never written."""
    call("config", "set", "max_running_jobs", "5")
    monkeypatch.setenv("INGEST_TUI_MAX_RUNNING_JOBS", "7")
    monkeypatch.setenv("INGEST_TUI_PARSER_MEMORY", "3 GiB")
    rows = {row["name"]: row for row in json.loads(call("config", "list", "--json"))}
    assert set(rows) == {*SETTING_NAMES, "theme"}
    assert (rows["max_running_jobs"]["value"], rows["max_running_jobs"]["origin"]) == (7, "environment")
    with closing(open_workspace_at(call.root)) as workspace:
        assert (workspace.settings.max_running_jobs, workspace.settings.parser_memory) == (7, 3 * 2**30)
    assert "takes precedence" in call("config", "set", "max_running_jobs", "6")
    assert call.saved["max_running_jobs"] == 6
    call("config", "set", "hold_items", "1")
    assert call.saved["max_running_jobs"] == 6


def test_the_address_of_a_chat_is_not_shown(call: Calls) -> None:
    """What makes the url of a webhook a secret is in workspace.json alone; its server, and references, are shown."""
    hooks = [
        {"name": "chat", "url": "https://me:pass@chat.example.org/services/T0/hidden?key=hidden"},
        {"name": "plain", "url": "http://127.0.0.1:8080"},
        {"name": "kept", "url": "env:CHAT_URL"},
    ]
    shown = call("config", "set", "on_job_end", json.dumps(hooks))
    shown += call("config", "list") + call("config", "list", "--json") + call("config", "get", "on_job_end")
    shown += call("audit", "--json")
    assert "hidden" not in shown
    assert "pass@" not in shown
    urls = [hook["url"] for hook in json.loads(call("config", "get", "on_job_end"))]
    assert urls == ["https://chat.example.org/…", "http://127.0.0.1:8080", "env:CHAT_URL"]
    assert call.saved["on_job_end"][0]["url"] == hooks[0]["url"]  # type: ignore[index]


def test_the_theme_of_the_tui_is_set(call: Calls) -> None:
    """A theme of ours or of Textual, by its name; any other is refused with what was meant, and none is the default."""
    assert "nord" in call("config", "set", "theme", "nord")
    assert call.saved["theme"] == "nord"
    assert read_preferences(call.root).theme == "nord"
    assert "did you mean 'dracula'" in call("config", "set", "theme", "dracul", code=2)
    assert call("config", "get", "theme").strip() == "nord"
    call("config", "unset", "theme")
    assert "theme" not in call.saved
    assert call("config", "get", "theme").strip() == "auto"
    audited = [line for line in (call.root / "audit.jsonl").read_text().splitlines() if '"theme"' in line]
    assert len(audited) == 2


def test_a_variable_that_cannot_be_is_named(call: Calls, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who opens the workspace is told which variable is wrong, and what it takes."""
    monkeypatch.setenv("INGEST_TUI_OCR", "sometimes")
    said = call("source", "list", code=2)
    assert "INGEST_TUI_OCR: must be 'never', 'auto' or 'always'" in said


def test_the_list_says_what_each_setting_takes(call: Calls) -> None:
    """Names, types, bounds and choices are in the table and in JSON."""
    table = call("config", "list")
    assert "a whole number from 1 to 64" in table
    assert "one of never, auto, always" in table
    assert "a size, as 500MB" in table
    assert '"max_running_jobs"' in call("config", "schema")


@pytest.mark.parametrize(
    ("languages", "said"),
    [
        ("eng+xyz", "Tesseract for xyz: apt install tesseract-ocr-xyz; 'ingest-tui doctor' lists what is here"),
        ("de", "Tesseract for de: Tesseract calls de deu; 'ingest-tui doctor' lists what is here"),
        ("eng", ""),
    ],
)
def test_languages_that_are_not_installed_are_said(
    call: Calls, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, languages: str, said: str
) -> None:
    """Wherever they are chosen, while OCR is still off too: of the workspace, a collection, or a source."""
    (tmp_path / "tessdata").mkdir()
    (tmp_path / "tessdata" / "eng.traineddata").write_bytes(b"data")
    monkeypatch.setenv("TESSDATA_PREFIX", str(tmp_path / "tessdata"))
    call("source", "add", "local", "docs", "--path", str(tmp_path), "--exclude", "*")
    for words in (
        ("config", "set", "ocr_languages", languages),
        ("collection", "prefs", "default", "--set", f"ocr_languages={languages}"),
        ("source", "edit", "docs", "--ocr-languages", languages),
    ):
        written = call(*words)
        assert (said in written) if said else ("note: " not in written), words


def test_doctor_names_what_is_written_as_a_setting_and_is_none(call: Calls, monkeypatch: pytest.MonkeyPatch) -> None:
    """A misspelt member of workspace.json and a misspelt variable change nothing; what may be meant is in the hints."""
    call("config", "set", "theme", "nord")
    workspace = open_workspace_at(call.root)
    right = {"INGEST_TUI_MAX_RUNNING_JOBS": "2", "INGEST_TUI_METRICS": "9464", "INGEST_TUI_JOB": "from a hook"}
    assert unknown_settings(workspace, right) == {}
    workspace.layout.settings.write_text(json.dumps(call.saved | {"trash_day": 3}))
    monkeypatch.setenv("INGEST_TUI_MAX_RUNNING_JOB", "5")
    hints = {check.message: check.hint for check in doctor(call.root) if check.name == "settings"}
    assert "did you mean 'trash_days'" in hints["trash_day in workspace.json is no setting, and changes nothing"]
    variable = "the variable INGEST_TUI_MAX_RUNNING_JOB is no setting, and changes nothing"
    assert "'INGEST_TUI_MAX_RUNNING_JOBS'" in hints[variable]


def test_every_variable_of_an_option_is_known() -> None:
    """What stands for an option of the command line is in `.env.example`, and no misspelt setting."""
    assert {str(param.envvar) for param in cli.params if param.envvar} == set(VARIABLES_OF_OPTIONS)


def test_what_the_tui_keeps_in_workspace_json_is_no_misspelt_setting(call: Calls) -> None:
    """All that it reads of it, and all that the program writes into it, wherever that is."""
    read = {one.name for one in dataclasses.fields(Preferences)} - {"problems"}
    written = {name for path in SOURCES.rglob("*.py") for name in _settings_changed_in(path)}
    assert written >= {"theme", "collection"}
    call("config", "set", "theme", "nord")
    workspace = open_workspace_at(call.root)
    workspace.layout.settings.write_text(json.dumps(dict.fromkeys(read | written) | call.saved))
    assert unknown_settings(workspace, {}) == {}


def _settings_changed_in(path: Path) -> set[str]:
    """Return the names that a file gives to `change_setting`, itself or by a constant of its own."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    constants = {
        target.id: node.value.value
        for node in tree.body
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant)
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    given = [
        node.args[1]
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "change_setting"
    ]
    literal = {str(one.value) for one in given if isinstance(one, ast.Constant)}
    return literal | {str(constants[one.id]) for one in given if isinstance(one, ast.Name) and one.id in constants}
