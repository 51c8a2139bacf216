"""JSON as it was sent: numbers keep their digits, objects their names in order and twice."""

import json
import re
from typing import Any

# Numbers are bytes, their digits, and so are told from strings; an object is a tuple of names and values.
_decode = json.JSONDecoder(
    object_pairs_hook=tuple, parse_int=str.encode, parse_float=str.encode, parse_constant=str.encode
).raw_decode
_quoted = json.JSONEncoder(ensure_ascii=False).encode
_TEXT = re.compile(r'"(?:[^"\\]++|\\.)*+"', re.DOTALL)
# Escaped characters and names such as `-Infinity` are read as a whole.
_LONGEST_WORD = len("\\ud83d\\ude00")
_BRACKET = re.compile(r"[\[\]{}]")


def decode(text: str, position: int = 0) -> tuple[Any, int]:
    """The value that begins at `position`, and where it ends.

    An object is a tuple of pairs, an array a list, a number the bytes of its digits.

    Raises:
        ValueError: there is no JSON.
    """
    try:
        return _decode(text, position)
    except RecursionError:
        raise ValueError("the value is nested too deeply") from None


def is_at_end(error: ValueError, text: str) -> bool:
    """Whether `decode` failed where the text ends, so that more of it may be JSON."""
    if not isinstance(error, json.JSONDecodeError):
        return False
    # A text, whose beginning is named, ends at a line feed or another quote, if at any.
    return error.msg.startswith("Unterminated string") or error.pos >= len(text) - _LONGEST_WORD


def is_deeper(text: str, levels: int) -> bool:
    """Whether arrays and objects in a JSON text are nested in more levels."""
    if text.count("{") + text.count("[") <= levels:
        return False
    level = 0
    for bracket in _BRACKET.finditer(_TEXT.sub("", text)):
        level += 1 if bracket[0] in "{[" else -1
        if level > levels:
            return True
    return False


def text_of(value: Any) -> str | None:
    """A decoded value as a text of a column: nested ones as compact JSON, null as null."""
    return value if value is None or isinstance(value, str) else _encode(value)


def _encode(value: Any) -> str:
    match value:
        case str():
            return _quoted(value)
        case bytes():
            return value.decode()
        case tuple():
            return "{" + ",".join([f"{_quoted(name)}:{_encode(part)}" for name, part in value]) + "}"
        case list():
            return "[" + ",".join([_encode(part) for part in value]) + "]"
        case None:
            return "null"
        case _:
            return "true" if value else "false"
