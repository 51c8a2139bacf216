"""JSON as it was sent: numbers keep their digits, objects their names in order and twice."""

import json
from typing import Any

# Numbers are bytes, their digits, and so are told from strings; an object is a tuple of names and values.
_decode = json.JSONDecoder(
    object_pairs_hook=tuple, parse_int=str.encode, parse_float=str.encode, parse_constant=str.encode
).raw_decode
_quoted = json.JSONEncoder(ensure_ascii=False).encode


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
