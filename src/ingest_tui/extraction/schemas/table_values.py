"""Types of the columns of a Table Schema: each reads a text as a value, or raises ValueError."""

from __future__ import annotations

import base64
import binascii
import json
import re
import uuid
from collections.abc import Callable, Mapping
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any
from urllib.parse import urlsplit

ReadValue = Callable[[str], Any]

_NUMBER = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]{1,6})?")
_INTEGER = re.compile(r"[+-]?[0-9]{1,4000}")
_NOT_BARE = re.compile(r"^[^0-9+\-.]{0,20}|[^0-9.]{0,20}$")
_SPECIAL_NUMBERS = {"NAN": "NaN", "INF": "Infinity", "-INF": "-Infinity"}
_DURATION = re.compile(
    r"-?P(?=.)(?:\d+Y)?(?:\d+M)?(?:\d+W)?(?:\d+D)?(?:T(?=.)(?:\d+H)?(?:\d+M)?(?:\d+(?:\.\d+)?S)?)?", re.ASCII
)
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+")
_DATE = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_YEAR_AND_MONTH = re.compile(r"(\d{4})-(0[1-9]|1[0-2])", re.ASCII)
_TRUE = ("true", "True", "TRUE", "1")
_FALSE = ("false", "False", "FALSE", "0")

ORDERED_TYPES = frozenset(("number", "integer", "date", "time", "datetime", "year", "yearmonth"))


def kind_in_words(field: Mapping[str, Any]) -> str:
    """Return what a value of a column is called, such as ``an integer`` or ``an email``."""
    kind, form = str(field.get("type", "string")), str(field.get("format", "default"))
    name = form if kind == "string" and form in _TEXT_FORMATS else kind
    return f"{'an' if name[0] in 'aeio' else 'a'} {name}"


def reader_of(field: Mapping[str, Any], *, as_shown: bool) -> ReadValue:
    """Return what reads the texts of a column. Raises ValueError for a type that is not known.

    ``as_shown``: texts that a program made of typed values, such as 1,234.50 € for a number or a date for midnight.
    """
    kind = str(field.get("type", "string"))
    make = _TYPES.get(kind)
    if make is None:
        raise ValueError(f"no type is called {kind[:40]!r}; known: {', '.join(_TYPES)}")
    return make(field, as_shown)


def _text(field: Mapping[str, Any], _as_shown: bool) -> ReadValue:
    check = _TEXT_FORMATS.get(str(field.get("format", "default")))

    def read(text: str) -> str:
        if check is not None and not check(text):
            raise ValueError(text)
        return text

    return read


def _is_uri(text: str) -> bool:
    return bool(urlsplit(text).scheme)


def _is_base64(text: str) -> bool:
    try:
        base64.b64decode(text, validate=True)
    except binascii.Error:
        return False
    return True


def _number(field: Mapping[str, Any], as_shown: bool) -> ReadValue:
    point = str(field.get("decimalChar", "."))
    group = str(field.get("groupChar", "," if as_shown and point != "," else ""))
    is_bare = field.get("bareNumber", not as_shown)

    def read(text: str) -> Decimal | float:
        if text.upper() in _SPECIAL_NUMBERS:
            return float(_SPECIAL_NUMBERS[text.upper()])  # a Decimal of no number cannot be compared
        plain = _plain(text, group, is_bare=is_bare)
        plain = plain if point == "." else plain.replace(".", "x").replace(point, ".")
        if not _NUMBER.fullmatch(plain):
            raise ValueError(text)
        return Decimal(plain)

    return read


def _integer(field: Mapping[str, Any], as_shown: bool) -> ReadValue:
    group = str(field.get("groupChar", "," if as_shown else ""))
    is_bare = field.get("bareNumber", not as_shown)

    def read(text: str) -> int:
        plain = _plain(text, group, is_bare=is_bare)
        if not _INTEGER.fullmatch(plain):
            raise ValueError(text)
        return int(plain)

    return read


def _plain(text: str, group: str, *, is_bare: bool) -> str:
    text = text.replace(group, "") if group else text
    return text if is_bare else _NOT_BARE.sub("", text)


def _boolean(field: Mapping[str, Any], _as_shown: bool) -> ReadValue:
    values = {str(one): True for one in field.get("trueValues", _TRUE)}
    values |= {str(one): False for one in field.get("falseValues", _FALSE)}

    def read(text: str) -> bool:
        if text not in values:
            raise ValueError(text)
        return values[text]

    return read


def _moment(kind: type[date | time | datetime]) -> Callable[[Mapping[str, Any], bool], ReadValue]:
    def make(field: Mapping[str, Any], as_shown: bool) -> ReadValue:
        form = str(field.get("format", "default"))
        if form == "any":
            return str
        if form != "default" and not as_shown:
            return lambda text: _of_kind(datetime.strptime(text, form), kind)  # noqa: DTZ007 - compared as they are
        return lambda text: _iso(text, kind, as_shown=as_shown)

    return make


def _iso(text: str, kind: type[date | time | datetime], *, as_shown: bool) -> Any:
    if kind is time:
        return time.fromisoformat(text).replace(tzinfo=None)
    is_day = _DATE.fullmatch(text) is not None
    if (kind is date and not is_day) or (kind is datetime and is_day and not as_shown):
        raise ValueError(text)
    return _of_kind(datetime.fromisoformat(text), kind)


def _of_kind(moment: datetime, kind: type[date | time | datetime]) -> Any:
    moment = moment.replace(tzinfo=None)
    return moment.date() if kind is date else moment.time() if kind is time else moment


def _pattern(pattern: re.Pattern[str]) -> Callable[[Mapping[str, Any], bool], ReadValue]:
    def read(text: str) -> str:
        if not pattern.fullmatch(text):
            raise ValueError(text)
        return text

    return lambda _field, _as_shown: read


def _json(*kinds: type) -> Callable[[Mapping[str, Any], bool], ReadValue]:
    def make(_field: Mapping[str, Any], as_shown: bool) -> ReadValue:
        def read(text: str) -> Any:
            if isinstance(json.loads(text), kinds):
                return text
            raise ValueError(text)

        return str if as_shown else read  # nested values are shown in another form than JSON

    return make


def _list(field: Mapping[str, Any], as_shown: bool) -> ReadValue:
    delimiter = str(field.get("delimiter", ",")) or ","
    read_one = reader_of({"type": field.get("itemType", "string")}, as_shown=as_shown)
    return lambda text: [read_one(one.strip()) for one in text.split(delimiter)]


def _point(field: Mapping[str, Any], as_shown: bool) -> ReadValue:
    if field.get("format", "default") != "default":
        return _json(list, dict)(field, as_shown)

    def read(text: str) -> tuple[float, float]:
        east, north = text.split(",")
        if not (abs(float(east)) <= 180 and abs(float(north)) <= 90):  # noqa: PLR2004 degrees
            raise ValueError(text)
        return float(east), float(north)

    return read


def _year(_field: Mapping[str, Any], _as_shown: bool) -> ReadValue:
    return lambda text: int(_pattern(re.compile(r"-?[0-9]{4,6}"))({}, False)(text))


_TEXT_FORMATS: dict[str, Callable[[str], Any]] = {
    "email": _EMAIL.fullmatch,
    "uri": _is_uri,
    "uuid": uuid.UUID,
    "binary": _is_base64,
}
_TYPES: dict[str, Callable[[Mapping[str, Any], bool], ReadValue]] = {
    "string": _text,
    "number": _number,
    "integer": _integer,
    "boolean": _boolean,
    "date": _moment(date),
    "time": _moment(time),
    "datetime": _moment(datetime),
    "year": _year,
    "yearmonth": _pattern(_YEAR_AND_MONTH),
    "duration": _pattern(_DURATION),
    "object": _json(dict),
    "array": _json(list),
    "list": _list,
    "geopoint": _point,
    "geojson": _json(dict),
    "any": lambda _field, _as_shown: str,
}
