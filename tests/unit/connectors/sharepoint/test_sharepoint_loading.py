"""What the connector loads and when, and what is said when its package is not installed."""

from __future__ import annotations

import asyncio
import re
import subprocess
import sys
from pathlib import Path

import pytest

from ingest_tui.connectors.registry import get_connector, source_types
from ingest_tui.credentials.providers import entra
from ingest_tui.model.errors import MissingDependencyError
from tests.graph_server.running import GraphServer
from tests.unit.connectors.sharepoint.sharepoint_lab import SITE, connector_to

SETTINGS = {"site": SITE, "credential": "intranet"}


def test_registry_knows_the_type() -> None:
    """A sharepoint source is made like any other."""
    assert "sharepoint" in source_types()
    assert get_connector("sharepoint", SETTINGS).source_type == "sharepoint"


@pytest.mark.parametrize(
    ("module", "package"), [("office365", "office365-rest-python-client"), ("msal", "msal"), ("requests", "requests")]
)
def test_missing_package_names_the_extra(
    server: GraphServer, monkeypatch: pytest.MonkeyPatch, module: str, package: str
) -> None:
    """Without one of the packages, adding a source and reaching one say what to install; nothing is called."""
    monkeypatch.setattr(entra, "find_spec", lambda name: None if name == module else object())
    connector = connector_to(server)
    for attempt in (
        connector.validate_config,
        lambda: asyncio.run(connector.authenticate()),
        lambda: next(connector.list()),
    ):
        with pytest.raises(MissingDependencyError, match=repr(package)) as caught:
            attempt()
        assert caught.value.hint == 'pip install "ingest-tui[sharepoint]"'
    assert server.state.asked == []


def test_settings_are_checked_without_loading_the_library() -> None:
    """Making and checking a connector loads none of the libraries that cost half a second."""
    program = (
        "import sys\n"
        "from ingest_tui.connectors.registry import get_connector\n"
        f"get_connector('sharepoint', {SETTINGS!r}).validate_config()\n"
        "print(sorted({'office365', 'msal', 'requests', 'cryptography'} & set(sys.modules)))"
    )
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True, text=True)
    assert ended.stdout.strip() == "[]"


def test_every_hint_leads_somewhere() -> None:
    """Each place of docs/sharepoint.md that a hint names is there."""
    repository = Path(__file__).resolve().parents[4]
    anchors = set(re.findall(r'<a id="([^"]+)">', (repository / "docs" / "sharepoint.md").read_text()))
    named: set[str] = set()
    package = repository / "src" / "ingest_tui"
    for module in (*package.glob("connectors/**/*.py"), *package.glob("credentials/providers/*.py")):
        named |= set(re.findall(r"(?:sharepoint\.md|\{GUIDE\}|\{guide\})#([a-z]+)", module.read_text()))
    assert named
    assert named <= anchors
