"""What services warn of reaches whoever asked."""

from __future__ import annotations

import threading
import warnings

from ingest_tui.server.warning_headers import warning_headers
from ingest_tui.services.noted_warnings import note_warnings, noting


def test_each_request_gets_its_own_warnings() -> None:
    """The same warning again too, and none of another thread; outside of a request they are shown as usual."""
    shown: list[str] = []
    with warnings.catch_warnings():
        warnings.showwarning = lambda message, *_where, **_options: shown.append(str(message))
        note_warnings()
        found: dict[str, list[str]] = {}

        def ask(name: str) -> None:
            with noting() as noted:
                warnings.warn(f"of {name}", stacklevel=1)
                found[name] = noted

        threads = [threading.Thread(target=ask, args=(name,)) for name in "abab"]
        for thread in threads:
            thread.start()
            thread.join()
        warnings.warn("of nobody", stacklevel=1)
    assert found == {"a": ["of a"], "b": ["of b"]}
    assert shown == ["of nobody"]


def test_what_a_header_cannot_hold_is_replaced() -> None:
    """Line ends, quotes and other scripts cannot end the header or the text in it."""
    (header,) = warning_headers(['a "b"\r\nSet-Cookie: x', "é", "é"]).values()
    assert header == '199 ingest-tui "a \'b\'/x0d/x0aSet-Cookie: x", 199 ingest-tui "?"'
    assert header.isascii()
    assert warning_headers([]) == {}
