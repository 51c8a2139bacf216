"""References of a bundle, such as `${var.catalog}`, and their values."""

import re
from collections.abc import Mapping
from typing import Any

from lakehouse.errors import UsageError

_REFERENCE = re.compile(r"\$\{([^}]*)\}")


class Text(str):
    """A text of a file; `place` is the file with the line."""

    place: str

    def __new__(cls, value: str, place: str) -> "Text":
        """Make a text at a place."""
        text = super().__new__(cls, value)
        text.place = place
        return text


def resolve(value: Any, tree: Mapping[str, Any], hints: Mapping[str, str]) -> Any:
    """A value in which references have become what `tree` has at their paths.

    `hints` say what to do where it has nothing, by path.

    Raises:
        UsageError: nothing is there, or a reference leads back to itself; the message has file and line.
    """
    return _Resolver(tree, hints).resolve(value)


class _Resolver:
    def __init__(self, tree: Mapping[str, Any], hints: Mapping[str, str]) -> None:
        self._tree = tree
        self._hints = hints
        # The paths that lead to where it is.
        self._open: list[str] = []

    def resolve(self, value: Any) -> Any:
        match value:
            case dict():
                return {str(key): self.resolve(inner) for key, inner in value.items()}
            case list():
                return [self.resolve(inner) for inner in value]
            case str():
                return self._text(value)
        return value

    def _text(self, text: str) -> Any:
        if whole := _REFERENCE.fullmatch(text):
            return self._look_up(whole[1], text)
        return _REFERENCE.sub(lambda found: self._part(found[1], text), str(text))

    def _part(self, path: str, text: str) -> str:
        value = self._look_up(path, text)
        if isinstance(value, dict | list):
            raise UsageError(f"{_place(text)}: ${{{path}}} is no text, and cannot be a part of one.")
        return str(value).lower() if isinstance(value, bool) else str(value)

    def _look_up(self, path: str, text: str) -> Any:
        if path in self._open:
            raise UsageError(f"{_place(text)}: ${{{path}}} leads back to itself.")
        value: Any = self._tree
        for name in path.split("."):
            if not isinstance(value, Mapping) or name not in value:
                hint = self._hints.get(path, "correct it, or declare what it names")
                raise UsageError(f"{_place(text)}: ${{{path}}} has no value: {hint}.")
            value = value[name]
        self._open.append(path)
        resolved = self.resolve(value)
        self._open.pop()
        return resolved


def _place(text: str) -> str:
    return text.place if isinstance(text, Text) else "The environment"
