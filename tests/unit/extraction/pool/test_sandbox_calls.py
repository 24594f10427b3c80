"""The filter of system calls, run instruction by instruction: also for the machine that the tests do not run on."""

from __future__ import annotations

import struct
from collections.abc import Sequence

import pytest

from ingest_tui.extraction.pool import system_calls as calls

OWN, OTHER = 4000, 4001
ALLOWED, EPERM, ENOSYS = 0x7FFF0000, 0x00050001, 0x00050026
READ_ONLY, WRITE, CREATE, TRUNCATE = 0, 1, 0o100, 0o1000


def verdict(
    machine: str, number: int, arguments: Sequence[int] = (), *, may_run_programs: bool = False, audit: int = 0
) -> int:
    """Return what the filter answers to a call, by interpreting it as the kernel does."""
    program = calls._filter(machine, OWN, may_run_programs=may_run_programs)
    padded = [*arguments, *[0] * (6 - len(arguments))]
    data = struct.pack("=IIQ6Q", number, audit or calls._MACHINES[machine][1], 0, *padded)
    value = at = 0
    while True:
        code, if_true, if_false, operand = struct.unpack("=HBBI", program[at])
        at += 1
        if code == 0x06:
            return int(operand)
        if code == 0x20:
            value = int.from_bytes(data[operand : operand + 4], "little")
        elif code == 0x54:
            value &= operand
        elif code == 0x05:
            at += operand
        else:
            at += if_true if (value == operand if code == 0x15 else value >= operand) else if_false


MACHINES = pytest.mark.parametrize("machine", ["x86_64", "aarch64"])


@MACHINES
def test_calls_that_no_parser_needs_are_refused(machine: str) -> None:
    """Each number of the tables ends with EPERM; starting programs only where that is not allowed."""
    always = calls.refused_numbers(machine, may_run_programs=True)
    mostly = calls.refused_numbers(machine, may_run_programs=False)
    assert {verdict(machine, number) for number in mostly} == {EPERM}
    assert {verdict(machine, number, may_run_programs=True) for number in always} == {EPERM}
    assert {verdict(machine, number, may_run_programs=True) for number in set(mostly) - set(always)} == {ALLOWED}


@MACHINES
def test_newer_calls_do_not_exist(machine: str) -> None:
    """Calls that the table does not know, and those that hide their flags, are answered as by an older kernel."""
    clone3, openat2, setxattrat, file_setattr = 435, 437, 463, 469
    for number in (clone3, openat2, setxattrat, file_setattr, 1000):
        assert verdict(machine, number) == ENOSYS


def test_other_machines_are_refused() -> None:
    """The calls of 32-bit x86, and those of the second table of x86-64, end with EPERM whatever they are."""
    assert verdict("x86_64", 0) == ALLOWED
    assert verdict("x86_64", 0, audit=0x40000003) == EPERM
    assert verdict("x86_64", 0x40000000) == EPERM
    assert verdict("aarch64", 63, audit=0x40000028) == EPERM


@pytest.mark.parametrize(
    ("name", "x86_64", "aarch64", "arguments", "expected"),
    [
        ("kill itself", 62, 129, [OWN, 6], ALLOWED),
        ("kill another", 62, 129, [OTHER, 9], EPERM),
        ("kill a group", 62, 129, [0, 9], EPERM),
        ("kill all", 62, 129, [2**64 - 1, 9], EPERM),
        ("signal a thread of its own", 234, 131, [OWN, OTHER, 6], ALLOWED),
        ("signal a thread of another", 234, 131, [OTHER, OTHER, 6], EPERM),
        ("limit itself", 302, 261, [0, 7], ALLOWED),
        ("limit another", 302, 261, [OTHER, 7], EPERM),
        ("move another", 203, 122, [OTHER], EPERM),
        ("move itself", 203, 122, [0], ALLOWED),
        ("start a thread", 56, 220, [0x3D0F00], ALLOWED),
        ("fork", 56, 220, [0x1200011], ALLOWED),
        ("make a namespace of users", 56, 220, [0x10000011], EPERM),
        ("read a file", 257, 56, [0, 0, READ_ONLY], ALLOWED),
        ("write a file", 257, 56, [0, 0, WRITE | CREATE | TRUNCATE], ALLOWED),
        ("empty a file that is read", 257, 56, [0, 0, READ_ONLY | TRUNCATE], EPERM),
        ("own the signals of a file", 72, 25, [3, 8, OTHER], EPERM),
        ("copy a descriptor", 72, 25, [3, 1030], ALLOWED),
        ("ask whether it is a terminal", 16, 29, [3, 0x5401], ALLOWED),
        ("type for others", 16, 29, [3, 0x5412], EPERM),
        ("set the flags of a file", 16, 29, [3, 0x40086602], EPERM),
        ("freeze a file system", 16, 29, [3, 0xC0045877], EPERM),
    ],
)
def test_arguments_decide(name: str, x86_64: int, aarch64: int, arguments: list[int], expected: int) -> None:
    """Calls that a parser needs for itself are refused towards others, and where they would change files."""
    assert verdict("x86_64", x86_64, arguments) == expected, name
    assert verdict("aarch64", aarch64, arguments) == expected, name


@MACHINES
def test_programs_may_signal_one_another(machine: str) -> None:
    """Where programs are started they are also ended: whom a signal reaches is up to Landlock and the namespace."""
    kill = {"x86_64": 62, "aarch64": 129}[machine]
    assert verdict(machine, kill, [OTHER, 15], may_run_programs=True) == ALLOWED
