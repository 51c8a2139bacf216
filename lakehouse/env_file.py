"""The file `.env`, and settings whose names are wrong there or in the environment."""

import io
from collections.abc import Iterable, Mapping, Sequence
from difflib import get_close_matches
from pathlib import Path

from dotenv import dotenv_values
from dotenv.parser import parse_stream

from lakehouse.errors import UsageError

# UTF-8, also with the mark that Windows writes before it.
ENCODING = "utf-8-sig"
_OURS = "LAKEHOUSE_"
# How alike two names are, of 1, where a letter is wrong or missing.
_NEARLY_THE_SAME = 0.92


def read_env_file(file: Path) -> Mapping[str, str | None]:
    """Values by name; none where there is no such file.

    Raises:
        UsageError: it cannot be read, decoded or parsed; the message has file and line.
    """
    try:
        content = file.read_bytes()
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise UsageError(f"{file} cannot be read: {error.strerror}.") from None
    try:
        text = content.decode(ENCODING)
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise UsageError(f"{file}, line {line}: this is not UTF-8. Save the file as UTF-8.") from None
    if "\0" in text:
        raise UsageError(f"{file}, line 1: this is UTF-16 or no text. Save the file as UTF-8.")
    for binding in parse_stream(io.StringIO(text)):
        if binding.error or (binding.key is not None and binding.value is None):
            blank = binding.original.string[: -len(binding.original.string.lstrip())].count("\n")
            raise UsageError(
                f"{file}, line {binding.original.line + blank}: this is no NAME=value, or a quote is open."
            )
    return dotenv_values(stream=io.StringIO(text))


def wrong_names(names: Iterable[str], known: Sequence[str]) -> list[str]:
    """What is wrong with names of settings that are none of those `known`, a sentence each.

    They begin like ours, or are nearly one. Other programs have other names, such as DATABRICKS_CLUSTER_ID.
    """
    # What all of ours begin with would make any two of them alike.
    ours = {key.removeprefix(_OURS): key for key in known if key.startswith(_OURS)}
    wrong = []
    for name in names:
        upper = name.upper()
        if upper in known:
            continue
        is_ours = upper.startswith(_OURS)
        near = get_close_matches(upper, known, 1, _NEARLY_THE_SAME)
        near = near or [ours[end] for end in get_close_matches(upper.removeprefix(_OURS), ours, 1) if is_ours]
        if near:
            wrong.append(f"{name} is no setting; did you mean {near[0]}?")
        elif is_ours:
            wrong.append(f"{name} is no setting; see .env.example.")
    return wrong
