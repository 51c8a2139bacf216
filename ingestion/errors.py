"""Errors of Python and Java in words."""

import re

from dbt.adapters.lakehouse.errors import TableError, meaning_of

# User and password before the host of an address.
_LOGIN = re.compile(r"(?<=://)[^/\s'\"@]*:[^\s'\"]*(?=@)")
_LETTER, _DIGIT = re.compile(r"[^\W\d_]"), re.compile(r"\d")
_CONTACT = re.compile(r"[\w.+-]+@[\w.-]+\w|(?<![\w.])\+?\d[\d ()/-]{6,}\d(?!\w)")


def root_cause(error: BaseException) -> str:
    """What a chain of Python and Java errors means, else its innermost message, on one line."""
    if known := explanation(error):
        return known
    innermost = _innermost(error)
    return _first_line(str(innermost)) or type(innermost).__name__


def explanation(error: BaseException) -> str | None:
    """What a chain of errors means and what to do; null where it is not known."""
    innermost = _innermost(error)
    return str(innermost) if isinstance(innermost, TableError) else meaning_of(str(innermost))


def _innermost(error: BaseException) -> BaseException | str:
    java = getattr(error, "java_exception", None)
    if java is not None:
        while java.getCause() is not None:
            java = java.getCause()
        return str(java.getMessage() or java)
    while error.__cause__ is not None and not isinstance(error, TableError):
        error = error.__cause__
    return error


def without_passwords(text: str) -> str:
    """A text whose addresses have no user and password."""
    return _LOGIN.sub("***", text)


def shape_of(text: str) -> str:
    """How a record looks, without what it says: `Jane;+49 30` is `xxxx;+99 99`."""
    return _DIGIT.sub("9", _LETTER.sub("x", text))


def without_contacts(text: str) -> str:
    """What a server says, without e-mail addresses and phone numbers."""
    return _CONTACT.sub("***", text)


def _first_line(message: str) -> str:
    message = without_passwords(message)
    # Of an error in a Python process of Spark, the first lines only say that there was one.
    raised = re.search(r"^\w+(Error|Exception|Refused): .*$", message, re.MULTILINE)
    lines = [raised[0]] if raised else message.strip().splitlines()
    return lines[0] if lines else ""
