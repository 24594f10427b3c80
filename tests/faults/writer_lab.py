"""Ways to fail inside the durable writer, and what a reader may see then."""

from __future__ import annotations

import os
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ingest_tui.store.fs import atomic

OLD = b"the old content\n" * 3
NEW = b"the new content, which is longer\n" * 5
RECIPE = ["open", "write", "fsync", "close", "rename", "open", "fsync", "close"]
DIED = 77

Writer = Callable[[Path, bytes], None]


class SteppingOs:
    """The `os` module as the writer sees it.

    ``on_step(number, name)`` is called before each call that matters, ``after_step(name, arguments, result)`` after it.
    """

    STEPS = frozenset(RECIPE) | {"unlink", "truncate", "ftruncate", "replace", "fdatasync"}

    def __init__(
        self,
        on_step: Callable[[int, str], None] = lambda _number, _name: None,
        after_step: Callable[[str, tuple[Any, ...], Any], None] = lambda _name, _arguments, _result: None,
    ) -> None:
        self.on_step = on_step
        self.after_step = after_step
        self.names: list[str] = []

    def __getattr__(self, name: str) -> Any:
        real = getattr(os, name)
        if name not in self.STEPS:
            return real

        def stepping(*arguments: Any, **options: Any) -> Any:
            self.on_step(len(self.names), name)
            self.names.append(name)
            result = real(*arguments, **options)
            self.after_step(name, arguments, result)
            return result

        return stepping


class PowerCut:
    """Which files and folders a power cut may still undo: content is safe by `fsync`, a name by that of its folder."""

    def __init__(self) -> None:
        self.paths: dict[int, Path] = {}
        self.unsafe: set[Path] = set()
        self.losses: list[str] = []

    def after_step(self, name: str, arguments: tuple[Any, ...], result: Any) -> None:
        """Follow a call."""
        if name == "open":
            self.paths[result] = Path(arguments[0])
        elif name == "write":
            self.unsafe.add(self.paths[arguments[0]])
        elif name in {"fsync", "fdatasync"}:
            self.unsafe.discard(self.paths[arguments[0]])
        elif name in {"rename", "replace"}:
            source, target = map(Path, arguments)
            if source in self.unsafe:
                self.losses.append(f"{target.name} may come to stand for content that is lost")
                self.unsafe.add(target)
            self.unsafe.add(target.parent)

    def losses_at(self, target: Path) -> list[str]:
        """Return what may be lost of a target whose writer has returned."""
        unsafe = [f"{path.name} was not made durable" for path in (target, target.parent) if path in self.unsafe]
        return self.losses + unsafe


def steps_of(writer: Writer, folder: Path) -> list[str]:
    """Return the names of the steps of an undisturbed write."""
    stepping = SteppingOs(lambda _number, _name: None)
    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setattr(atomic, "os", stepping)
        writer(_target(folder), NEW)
    return stepping.names


def fail_at(writer: Writer, folder: Path, step: int, error: OSError) -> Path:
    """Let the writer meet an error at a step; returns the path of the target."""
    target = _target(folder)

    def on_step(number: int, _name: str) -> None:
        if number == step:
            raise error

    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setattr(atomic, "os", SteppingOs(on_step))
        with pytest.raises(OSError, match=error.strerror):
            writer(target, NEW)
    return target


def die_at(writer: Writer, folder: Path, step: int) -> Path:
    """Let the process of the writer end at a step, as `kill -9` would; returns the path of the target."""
    target = _target(folder)
    child = os.fork()
    if child == 0:
        try:
            stepping = SteppingOs(lambda number, _name: os._exit(DIED) if number == step else None)
            pytest.MonkeyPatch().setattr(atomic, "os", stepping)
            writer(target, NEW)
        except BaseException:  # noqa: BLE001 - the child must not return into the test run
            traceback.print_exc()
        os._exit(1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == DIED
    return target


def check_every_death(writer: Writer, folder: Path) -> None:
    """Fail unless a reader sees the old or the new content, whole, wherever the writer's process ends."""
    for step, name in enumerate(steps_of(writer, folder)):
        target = die_at(writer, folder, step)
        assert target.exists(), f"nothing is there after a death before step {step}, {name}"
        assert target.read_bytes() in {OLD, NEW}, f"a mixture after a death before step {step}, {name}"


def check_every_moment(writer: Writer, folder: Path) -> None:
    """Fail unless a reader that looks between any two steps sees the old or the new content, whole."""
    target = _target(folder)
    seen = []
    with pytest.MonkeyPatch.context() as monkeypatch:
        look = SteppingOs(lambda _number, _name: seen.append(target.read_bytes() if target.exists() else None))
        monkeypatch.setattr(atomic, "os", look)
        writer(target, NEW)
    assert set(seen) == {OLD, NEW}


def check_every_power_cut(writer: Writer, folder: Path) -> None:
    """Fail unless the old or the new content survives a power cut at any time, and the new one once this returned."""
    target = _target(folder)
    power = PowerCut()
    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setattr(atomic, "os", SteppingOs(after_step=power.after_step))
        writer(target, NEW)
    assert power.losses_at(target) == []


def _target(folder: Path) -> Path:
    target = folder / "record.json"
    target.write_bytes(OLD)
    return target
