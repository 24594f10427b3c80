"""Secrets stay out of what people and logs get to read: by their shape, and by their exact value where it is known.

Every sink calls this: logs, manifests, the audit, the worker's lines, errors on stderr. A sink that writes many lines
asks `is_suspicious` of the whole line first, which costs about a microsecond; most lines end there.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from functools import cache
from typing import Any

REDACTED = "[redacted]"
SHORTEST_SECRET = 6

_NAMES = (
    r"(?:pass(?:word|wd|phrase)|secret)[a-z0-9_.-]{0,32}"
    r"|(?:api|access|account|shared|signing|storage|master)[_-]?(?:access[_-]?)?key"
    r"|sharedaccesssignature|x-amz-signature|x-amz-credential|x-amz-security-token"
    r"|token|(?<![a-z0-9])(?:pwd|sig|sas|signature|credential|auth)"
)
_VALUE = r"""(?:"[^"\r\n]*"|'[^'\r\n]*'|[^\s&;"'<>]+)"""
_SENSITIVE_KEY = r".*(?:password|passwd|passphrase|secret|token|api_?key|access_?key|private_?key|authorization)\Z"


@cache
def _shapes() -> tuple[tuple[re.Pattern[str], str], ...]:
    """Return what to look for and what to put there. Compiled when first needed: a command line that starts is not."""
    any_case = re.IGNORECASE
    kept_name = rf"\1{REDACTED}"
    key_block = r"(-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY-----).*?(?:-----END [A-Z0-9 ]{0,40}KEY-----|\Z)"
    # Authorization: Bearer abc · 'Authorization': 'Basic abc' · Authorization: AWS4-HMAC-SHA256 Credential=…, …
    authorization = (
        r"""(authorization["']?\s{0,4}[:=]\s{0,4}["']?"""
        r"(?:(?:bearer|basic|negotiate|token|digest|apikey|sharedkey|aws4-hmac-sha256)\s{1,4})?)[^\s\"']+"
    )
    # password=abc · 'token': 'abc' · secret: "abc" · ?sig=abc&…
    assigned = rf"""((?:{_NAMES})["']?\s{{0,4}}=\s{{0,4}})(?!REFERENCE\b){_VALUE}"""
    quoted_name = rf"""((?:{_NAMES})["']\s{{0,4}}:\s{{0,4}})(?!REFERENCE\b){_VALUE}"""
    plain_name = rf"""((?:pass(?:word|wd|phrase)|secret|api[_-]?key)\s{{0,4}}:\s{{0,4}})(?!REFERENCE\b){_VALUE}"""
    # scheme://user:password@host
    in_address = r"""(://[^/\s:@"'<>]{0,200}:)[^/\s"'<>]{1,500}@"""
    # An AWS key id, and the secret that is next to it.
    aws_key = (
        r"""\b(?:AKIA|ASIA)[A-Z0-9]{12,}(?:["'\s:=,;/|]{1,6}(?:[A-Za-z_]{1,24}["'\s:=]{1,6})?"""
        r"[A-Za-z0-9/+]{40}(?![A-Za-z0-9/+]))?"
    )
    jwt_shape = r"\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{4,}(?:\.[A-Za-z0-9_-]*)?"
    return (
        (re.compile(key_block, re.DOTALL), kept_name),
        (re.compile(authorization, any_case), kept_name),
        (re.compile(r"\b(bearer\s{1,4})[a-z0-9._~+/-]{16,}=*", any_case), kept_name),
        (re.compile(assigned, any_case), kept_name),
        (re.compile(quoted_name, any_case), kept_name),
        (re.compile(plain_name, any_case), kept_name),
        (re.compile(in_address), rf"{kept_name}@"),
        (re.compile(aws_key), REDACTED),
        (re.compile(jwt_shape), REDACTED),
    )


class _KnownSecrets:
    """The exact values known in this process, in every form in which they may turn up. Readers need no lock."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.forms: tuple[str, ...] = ()
        self.encoded_forms: tuple[bytes, ...] = ()

    def add(self, secret: str) -> None:
        with self._lock:
            forms = {*self.forms, *_forms_of(secret)}
            self._publish(tuple(sorted(forms, key=len, reverse=True)))

    def clear(self) -> None:
        with self._lock:
            self._publish(())

    def _publish(self, forms: tuple[str, ...]) -> None:
        encoded = {form.encode("utf-8", "backslashreplace") for form in forms}
        self.encoded_forms = tuple(sorted(encoded, key=len, reverse=True))
        self.forms = forms


_known = _KnownSecrets()


def remember_secret(secret: str) -> None:
    """Have a value replaced wherever it appears from now on, in this process. Shorter than six characters: ignored."""
    if len(secret) >= SHORTEST_SECRET:
        _known.add(secret)


def forget_secrets() -> None:
    """Forget every remembered value."""
    _known.clear()


def _forms_of(secret: str) -> Iterator[str]:
    """Yield the secret as it is, escaped as in JSON and Python, URL-encoded, and in base64."""
    import base64
    import json
    from urllib.parse import quote, quote_plus

    yield secret
    yield json.dumps(secret)[1:-1]
    yield json.dumps(secret, ensure_ascii=False)[1:-1]
    yield repr(secret)[1:-1]
    data = secret.encode("utf-8", "surrogateescape" if _has_surrogates(secret) else "strict")
    for encoded in (quote(data, safe=""), quote(data), quote_plus(data)):
        yield encoded
        yield re.sub("%[0-9A-F]{2}", lambda escape: escape[0].lower(), encoded)
    for encode in (base64.b64encode, base64.urlsafe_b64encode):
        yield encode(data).decode().rstrip("=")
        # As a part of something longer, as in "user:secret": the digits that its neighbours do not change.
        for before in range(3):
            digits = encode(b"\0" * before + data).decode().rstrip("=")
            first, last = -(-before * 8 // 6), (before + len(data)) * 8 // 6
            if last - first >= SHORTEST_SECRET:
                yield digits[first:last]


def _has_surrogates(text: str) -> bool:
    return any("\ud800" <= character <= "\udfff" for character in text)


def redact(text: str) -> str:
    """Return a text without the secrets that are known by their shape and those that were remembered."""
    for form in _known.forms:
        if form in text:
            text = text.replace(form, REDACTED)
    if not is_suspicious(text.encode("utf-8", "replace")):
        return text
    for shape, replacement in _shapes():
        text = shape.sub(replacement, text)
    return text


def redact_values(value: Any) -> Any:
    """Return a JSON-able value with every string in it redacted; what is called ``password`` or the like goes whole."""
    if isinstance(value, str):
        text = redact(value)
        return text if text.isascii() else text.encode("utf-8", "backslashreplace").decode()
    if isinstance(value, dict):
        return {
            str(name): REDACTED
            if isinstance(item, str) and item and re.match(_SENSITIVE_KEY, str(name), re.IGNORECASE)
            else redact_values(item)
            for name, item in value.items()
        }
    if isinstance(value, list | tuple | set | frozenset):
        return [redact_values(item) for item in value]
    if value is None or isinstance(value, bool | int | float):
        return value
    return redact_values(str(value))


def redacted_line(record: dict[str, Any]) -> bytes:
    """Return a record as one line of JSON without secrets; what JSON does not know is written as text."""
    import orjson

    try:
        line = orjson.dumps(record, default=str, option=orjson.OPT_APPEND_NEWLINE)
    except TypeError:  # a text that is not UTF-8, or a key that is no text
        return orjson.dumps(redact_values(record), option=orjson.OPT_APPEND_NEWLINE)
    if is_suspicious(line):
        return orjson.dumps(redact_values(record), option=orjson.OPT_APPEND_NEWLINE)
    return line


def is_suspicious(line: bytes) -> bool:
    """Tell whether a line of UTF-8, JSON for instance, may hold a secret; if not it can be written as it is."""
    for form in _known.encoded_forms:
        if form in line:
            return True
    text = line.lower()
    # Each of the shapes holds one of these. One after the other, because that is the quickest way to ask.
    return (
        b"=" in text
        or b"@" in text
        or b"key" in text
        or b"pass" in text
        or b"token" in text
        or b"secret" in text
        or b"auth" in text
        or b"bearer" in text
        or b"eyj" in text
        or b"akia" in text
        or b"asia" in text
    )
