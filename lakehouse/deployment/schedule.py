"""Schedules: Quartz cron expressions and time zones."""

import re
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

_MONTHS = ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"]
_DAYS = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"]
# Name, lowest and highest number, names of the numbers from the lowest on, and what else it may be.
_FIELDS: list[tuple[str, int, int, list[str], str]] = [
    ("second", 0, 59, [], ""),
    ("minute", 0, 59, [], ""),
    ("hour", 0, 23, [], ""),
    ("day of month", 1, 31, [], r"\?|L(-\d+)?|LW|\d+W"),
    ("month", 1, 12, _MONTHS, ""),
    ("day of week", 1, 7, _DAYS, r"\?|L|\w+L|\w+#[1-5]"),
    ("year", 1970, 2099, [], ""),
]
_SPAN = re.compile(r"(?P<any>\*)?(?P<first>\w+)?(-(?P<last>\w+))?(/(?P<step>\d+))?")


def problem_of_cron(expression: str) -> str:
    """What is wrong with a Quartz expression; empty when nothing is."""
    fields = expression.upper().split()
    if not 6 <= len(fields) <= 7:
        return (
            f"the cron expression '{expression}' has {len(fields)} fields; "
            "Quartz has second, minute, hour, day of month, month, day of week and perhaps year"
        )
    if [fields[3], fields[5]].count("?") != 1:
        return f"the cron expression '{expression}' needs one ?, for the day of month or of week"
    for text, field in zip(fields, _FIELDS, strict=False):
        if not all(_fits(part, field) for part in text.split(",")):
            return f"the cron expression '{expression}' has the {field[0]} '{text}'"
    return ""


def _fits(part: str, field: tuple[str, int, int, list[str], str]) -> bool:
    _, lowest, highest, names, special = field
    if special and re.fullmatch(special, part):
        return True
    span = _SPAN.fullmatch(part)
    if span is None or bool(span["any"]) == bool(span["first"]) or (span["any"] and span["last"]):
        return False
    ends = [_number(end, lowest, names) for end in (span["first"], span["last"]) if end]
    return all(lowest <= end <= highest for end in ends) and span["step"] != "0"


def _number(text: str, lowest: int, names: list[str]) -> int:
    if text in names:
        return names.index(text) + lowest
    return int(text) if text.isdigit() else -1


def problem_of_zone(zone: str) -> str:
    """What is wrong with a time zone; empty when nothing is."""
    try:
        ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return f"there is no time zone '{zone}'; give one such as UTC or Europe/Berlin"
    return ""
