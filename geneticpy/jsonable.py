"""JSON of anything: plain data as it is, objects by name."""

from __future__ import annotations

import contextlib
import functools
import hashlib
import importlib
import json
import math
import re
from typing import Any

import numpy as np

LONGEST_NAME = 1000  # characters of an object's name
LONGEST_ARRAY = 1000  # elements of an array that is written out
ADDRESS = re.compile(r" at 0x[0-9A-Fa-f]+")
LARGEST_INTEGER = 2**63  # beyond it, not every reader of JSON keeps the digits


def is_plain(value: Any) -> bool:
    """Whether JSON holds a value as it is; tuples become lists."""
    if value is None or type(value) is bool:
        return True
    if type(value) is int:
        return -LARGEST_INTEGER <= value < LARGEST_INTEGER
    if type(value) is float:
        return math.isfinite(value)
    if type(value) is str:
        return _is_text(value)
    if type(value) is dict:
        return all(type(key) is str and _is_text(key) for key in value) and all(
            map(is_plain, value.values())
        )
    return type(value) in (list, tuple) and all(map(is_plain, value))


def as_plain(value: Any) -> Any:
    """Replace what JSON does not hold by text: objects by their names, numbers by their digits."""
    if isinstance(value, np.generic):
        return as_plain(value.item())
    if isinstance(value, dict):
        return {text_of(key): as_plain(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [as_plain(part) for part in value]
    if isinstance(value, np.ndarray) and value.size <= LONGEST_ARRAY:
        return as_plain(value.tolist())
    return value if is_plain(value) else text_of(value)


def name_of(value: Any) -> str:
    """Name of a function, a class or another object, the same in every process."""
    where, name = getattr(value, "__module__", None), getattr(value, "__qualname__", None)
    if isinstance(name, str):
        return f"{where}:{name}"
    text = repr(value)
    if text == object.__repr__(value):
        return name_of(type(value))
    return ADDRESS.sub("", text)[:LONGEST_NAME]


def text_of(value: Any) -> str:
    """Text of a str, and the name of anything else; UTF-8 holds it."""
    text = value if isinstance(value, str) else name_of(value)
    return text.encode(errors="backslashreplace").decode()


def _is_text(value: str) -> bool:
    """Whether a str can be written as UTF-8."""
    return value.isascii() or not any("\ud800" <= letter <= "\udfff" for letter in value)


def dumps(value: Any) -> str:
    """JSON text of plain data."""
    orjson = _orjson()
    if orjson is not None:
        with contextlib.suppress(TypeError):  # an integer of more than 64 bits
            return orjson.dumps(value).decode()
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def loads(text: str) -> Any:
    """Plain data of JSON text.

    Raises
    ------
    ValueError
        For text that is no JSON.
    """
    orjson = _orjson()
    return json.loads(text) if orjson is None else orjson.loads(text)


def digest_of(value: Any) -> bytes:
    """Hash of plain data: 32 bytes, whatever library is installed."""
    return hashlib.sha256(json.dumps(value).encode()).digest()


@functools.cache
def _orjson() -> Any:
    """Find the library that is 5 to 20 times faster than json, if it is installed."""
    try:
        return importlib.import_module("orjson")
    except ImportError:
        return None
