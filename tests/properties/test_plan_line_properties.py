"""What plans promise for any line: it is read as it was written, and nothing else than a line comes of a record."""

from __future__ import annotations

import contextlib
import tempfile
from pathlib import Path
from typing import Any, get_args

from hypothesis import given
from hypothesis import strategies as st

from ingest_tui.model.errors import PlanDamagedError
from ingest_tui.model.plan_line import ActionName, PlanLine
from ingest_tui.store.records.journal import encode_line
from ingest_tui.store.records.plan_file import read_plan, work_lines, write_known_plan

text = st.text(max_size=8)
numbers = st.integers(-(2**63), 2**63 - 1)
lines = st.builds(
    PlanLine,
    action=st.sampled_from(get_args(ActionName)),
    reason=text,
    key=text,
    uri=text,
    detail=text,
    fingerprint=text,
    size=st.none() | numbers,
    modified_ns=st.none() | numbers,
    document_id=text.filter(bool),
    from_key=text,
    metadata=st.none() | st.dictionaries(text, text, max_size=2),
    version=st.none() | numbers,
    refusal=text,
)
scalars = st.none() | st.booleans() | numbers | st.floats(allow_nan=False, allow_infinity=False) | text
values = scalars | st.lists(scalars, max_size=2) | st.dictionaries(text, scalars, max_size=2)


@given(plan=st.lists(lines, max_size=4))
def test_a_plan_is_read_as_it_was_written(plan: list[PlanLine]) -> None:
    """Each line comes back as it was, and of the work each line that needs any."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "plan.jsonl")
        write_known_plan(path, plan)
        assert list(read_plan(path)) == plan
        settled = {"skip", "reject", "quarantine"}
        assert list(work_lines(path)) == [line for line in plan if line.action not in settled]


@given(record=st.dictionaries(st.sampled_from(PlanLine._fields), values), line=lines)
def test_whatever_a_record_holds_it_is_a_line_or_damage(record: dict[str, Any], line: PlanLine) -> None:
    """A plan that somebody has changed raises the error of a damaged plan, or each value is of its type."""
    changed = line.as_dict() | record
    end = {"action": "end", "listed": 1, "complete": True}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "plan.jsonl")
        path.write_bytes(encode_line(changed) + encode_line(end))
        with contextlib.suppress(PlanDamagedError):
            for read in read_plan(path):
                assert read.as_dict().items() <= changed.items()
                assert read.action in get_args(ActionName)
                assert type(read.key) is type(read.uri) is str
