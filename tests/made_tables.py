"""Small files of tables: dBase, SQLite, Arrow, ORC."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from io import BytesIO

import apsw


def dbf_of(
    fields: Sequence[tuple[str, str, int]], records: Sequence[bytes], *, driver: int = 0, stated: int | None = None
) -> bytes:
    """Return a dBase III table. ``fields``: name, kind and length of each; a record begins with its deletion mark."""
    described = b"".join(
        name.encode().ljust(11, b"\x00") + kind.encode() + bytes(4) + bytes((length, 0)) + bytes(14)
        for name, kind, length in fields
    )
    length = 1 + sum(length for _name, _kind, length in fields)
    count = len(records) if stated is None else stated
    head = struct.pack("<BBBBIHH", 3, 126, 11, 29, count, 32 + len(described) + 1, length)
    return head + bytes(17) + bytes((driver, 0, 0)) + described + b"\x0d" + b"".join(records) + b"\x1a"


def sqlite_of(*statements: str) -> bytes:
    """Return the database that these statements make."""
    connection = apsw.Connection(":memory:")
    for statement in statements:
        connection.execute(statement)
    return connection.serialize("main")


def arrow_of() -> bytes:
    """Return an Arrow file of two rows."""
    from pyarrow import feather

    buffer = BytesIO()
    feather.write_feather(_table(), buffer)
    return buffer.getvalue()


def orc_of() -> bytes:
    """Return an ORC file of two rows."""
    from pyarrow import orc

    buffer = BytesIO()
    orc.write_table(_table(), buffer)
    return buffer.getvalue()


def _table() -> object:
    import pyarrow as pa

    return pa.table({"Name": ["apples", "pears"], "Amount": [12, 3]})
