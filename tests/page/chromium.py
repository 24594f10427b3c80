"""A headless Chromium, spoken to by its DevTools protocol over a pipe: no port, no driver, no further package.

It waits for conditions in the page, and keeps what a page must not have: errors on its console, requests to others.
"""

from __future__ import annotations

import fcntl
import json
import os
import select
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self
from urllib.parse import urlsplit

from tests.waiting import wait_until

PROGRAM = shutil.which("chromium")
SECONDS = 60.0
"""How long anything may take before a test fails."""
_OPTIONS = (
    "--headless=new", "--remote-debugging-pipe", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
    "--no-first-run", "--no-default-browser-check", "--disable-extensions", "--disable-component-update",
    "--disable-background-networking", "--disable-sync", "--disable-breakpad", "--mute-audio", "--lang=en",
    "--window-size=1200,900", "about:blank",
)  # fmt: skip
_STARTER = (
    "import os, sys; os.dup2(int(sys.argv[1]), 3); os.dup2(int(sys.argv[2]), 4); os.execv(sys.argv[3], sys.argv[3:])"
)
_ABOVE_THE_PIPES = 10
_KEYS = {"Tab": 9, "Enter": 13, "Escape": 27, " ": 32, "ArrowDown": 40}
_TEXTS = {"Enter": "\r", " ": " "}


class Chromium:
    """A browser; each page has storage of its own."""

    def __init__(self, home: Path) -> None:
        assert PROGRAM is not None
        theirs_in, self._to = os.pipe()
        self._from, theirs_out = os.pipe()
        ends = [fcntl.fcntl(end, fcntl.F_DUPFD, _ABOVE_THE_PIPES) for end in (theirs_in, theirs_out)]
        log = (home / "chromium.log").open("wb")
        with log:
            self._process = subprocess.Popen(
                [sys.executable, "-c", _STARTER, *map(str, ends), PROGRAM, f"--user-data-dir={home}", *_OPTIONS],
                pass_fds=ends,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env={**os.environ, "HOME": str(home), "TZ": "UTC"},
                start_new_session=True,
            )
        for end in (theirs_in, theirs_out, *ends):
            os.close(end)
        self._number = 0
        self._rest = b""
        self._answers: dict[int, dict[str, Any]] = {}
        self._pages: dict[str, Page] = {}

    def close(self) -> None:
        """End it, with all its processes, and wait for that."""
        os.close(self._to)
        os.close(self._from)
        os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait(SECONDS)

    def call(self, method: str, session: str = "", **params: Any) -> dict[str, Any]:
        """Ask something of the browser, or with a ``session`` of a page, and return what it answers."""
        self._number += 1
        number = self._number
        message: dict[str, Any] = {"id": number, "method": method, "params": params}
        if session:
            message["sessionId"] = session
        left = json.dumps(message).encode() + b"\0"
        while left:
            left = left[os.write(self._to, left) :]
        deadline = time.monotonic() + SECONDS
        while number not in self._answers:
            self._read(deadline, method)
        answer = self._answers.pop(number)
        assert "error" not in answer, (method, answer["error"])
        return dict(answer["result"])

    def _read(self, deadline: float, what: str) -> None:
        ready, _, _ = select.select([self._from], [], [], max(0.0, deadline - time.monotonic()))
        assert ready, f"the browser did not answer {what}"
        part = os.read(self._from, 1 << 20)
        assert part, f"the browser has ended at {what}"
        *whole, self._rest = (self._rest + part).split(b"\0")
        for text in whole:
            message = json.loads(text)
            if "id" in message:
                self._answers[message["id"]] = message
            elif message.get("sessionId") in self._pages:
                self._pages[message["sessionId"]].note(message["method"], message["params"])

    @contextmanager
    def page(self) -> Iterator[Page]:
        """Give a new page, in a profile of its own."""
        context = self.call("Target.createBrowserContext")["browserContextId"]
        target = self.call("Target.createTarget", url="about:blank", browserContextId=context)["targetId"]
        session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        page = self._pages[session] = Page(self, session)
        try:
            for domain in ("Page", "Runtime", "Network", "Log", "Accessibility", "DOM"):
                page.call(f"{domain}.enable")
            yield page
        finally:
            self.call("Target.disposeBrowserContext", browserContextId=context)
            del self._pages[session]


class Page:
    """A page of the browser. ``complaints``: what its console has said, but for ``refused``, requests that failed;

    ``asked``: the addresses it has asked for; ``given_up``: those whose answer it did not want to the end.
    """

    def __init__(self, browser: Chromium, session: str) -> None:
        self._browser = browser
        self._session = session
        self.complaints: list[str] = []
        self.refused: list[str] = []
        self.asked: list[str] = []
        self.given_up: list[str] = []
        self._addresses: dict[str, str] = {}

    def note(self, method: str, params: dict[str, Any]) -> None:
        """Keep what an event of the browser says."""
        if method == "Network.requestWillBeSent":
            self._addresses[params["requestId"]] = params["request"]["url"]
            self.asked.append(params["request"]["url"])
        elif method == "Network.loadingFailed" and params.get("canceled"):
            self.given_up.append(self._addresses[params["requestId"]])
        elif method == "Runtime.exceptionThrown":
            self.complaints.append(json.dumps(params["exceptionDetails"]))
        elif method == "Runtime.consoleAPICalled" and params["type"] in {"error", "warning", "assert"}:
            self.complaints.append(json.dumps(params["args"]))
        elif method == "Log.entryAdded" and params["entry"]["level"] in {"error", "warning"}:
            entry = params["entry"]
            kept = self.refused if entry["source"] == "network" else self.complaints
            kept.append(f"{entry['text']} {entry.get('url', '')}")
        elif method == "Page.javascriptDialogOpening":
            self.complaints.append(f"a dialog: {params['message']}")
            self.call("Page.handleJavaScriptDialog", accept=False)

    def call(self, method: str, **params: Any) -> dict[str, Any]:
        """Ask something of the page by the protocol."""
        return self._browser.call(method, self._session, **params)

    def open(self, address: str) -> Self:
        """Go to an address and wait until the page has run."""
        self.call("Page.navigate", url=address)
        self.wait("document.readyState === 'complete' && document.body.dataset.ready === 'yes'")
        return self

    def value(self, expression: str) -> Any:
        """Return what an expression of JavaScript gives, once it is there."""
        answer = self.call("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in answer, answer["exceptionDetails"]
        return answer["result"].get("value")

    def wait(self, expression: str) -> None:
        """Wait until an expression is true."""
        self.until(lambda: self.value(f"Boolean({expression})"), expression)

    def until(self, condition: Callable[[], Any], what: str) -> Any:
        """Wait for a condition; when it does not come true the test says what the page shows."""
        try:
            return wait_until(condition, seconds=SECONDS, what=what)
        except AssertionError as error:
            shown = self.value("document.body.innerText.slice(0, 2000)")
            raise AssertionError(f"{error}; console: {self.complaints}; the page shows:\n{shown}") from None

    def text(self, selector: str) -> str:
        """Return the text of an element, as it is shown."""
        return str(self.value(f"document.querySelector({json.dumps(selector)}).innerText"))

    def wait_for_text(self, selector: str, part: str) -> str:
        """Wait until an element shows a text, and return all that it shows."""
        self.wait(f"document.querySelector({json.dumps(selector)})?.innerText.includes({json.dumps(part)})")
        return self.text(selector)

    def press(self, key: str, *, shift: bool = False) -> None:
        """Press a key, as a person does."""
        code = _KEYS[key]
        more: dict[str, Any] = {"key": key, "windowsVirtualKeyCode": code, "modifiers": 8 if shift else 0}
        text = {"text": _TEXTS[key]} if key in _TEXTS else {}
        self.call("Input.dispatchKeyEvent", type="keyDown", code=key if key != " " else "Space", **more, **text)
        self.call("Input.dispatchKeyEvent", type="keyUp", code=key if key != " " else "Space", **more)

    def type(self, text: str) -> None:
        """Type into what has the focus."""
        self.call("Input.insertText", text=text)

    def focused(self) -> str:
        """Return the id of what has the focus, or else how it begins."""
        return str(self.value("document.activeElement.id || document.activeElement.outerHTML.slice(0, 80)"))

    def tab_to(self, wanted: str, *, most: int = 40) -> list[str]:
        """Press Tab until an element whose id or text is this has the focus; returns what had it on the way."""
        passed: list[str] = []
        for _ in range(most):
            self.press("Tab")
            name = str(self.value("document.activeElement.id || document.activeElement.textContent.trim()"))
            passed.append(name)
            if name == wanted:
                return passed
        raise AssertionError(f"Tab does not lead to {wanted}: {passed}")

    def drop(self, selector: str, *files: Path) -> None:
        """Drag files over an element and drop them there."""
        box = self.value(
            f"(() => {{ const box = document.querySelector({json.dumps(selector)}).getBoundingClientRect();"
            " return [box.x + box.width / 2, box.y + box.height / 2]; })()"
        )
        data = {"items": [], "files": [str(file) for file in files], "dragOperationsMask": 1}
        for kind in ("dragEnter", "dragOver", "drop"):
            self.call("Input.dispatchDragEvent", type=kind, x=box[0], y=box[1], data=data)

    def look(self, scheme: str = "light", width: int = 1200, height: int = 900) -> None:
        """Show the page as the system of a person asks for it: light or dark, wide or narrow."""
        self.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)

    def hosts(self) -> set[str]:
        """Return the hosts that were asked for something, with their ports."""
        return {urlsplit(asked).netloc for asked in self.asked if urlsplit(asked).scheme not in {"data", "blob"}}

    def wait_for_request(self, ending: str) -> None:
        """Wait until the page has asked for an address that ends so."""
        self.until(lambda: self.value("1") and any(one.endswith(ending) for one in self.asked), f"asks for {ending}")

    def forget_refused(self, status: str) -> None:
        """Wait until the console says that a request was refused, and let those of this status be."""
        self.until(
            lambda: self.value("true") and any(status in one for one in self.refused), f"{status} on the console"
        )
        self.refused = [one for one in self.refused if status not in one]

    def check(self, address: str) -> None:
        """Fail where the console has said something, or another host than this one was asked for something."""
        assert self.complaints == []
        assert self.refused == []
        assert self.hosts() == {urlsplit(address).netloc}

    def accessible(self) -> list[tuple[str, str]]:
        """Return role and name of everything that a screen reader is told of."""
        nodes = self.call("Accessibility.getFullAXTree")["nodes"]
        return [(node["role"]["value"], node.get("name", {}).get("value", "")) for node in nodes if not node["ignored"]]
