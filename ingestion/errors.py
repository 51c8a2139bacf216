"""Errors of Python and Java in words."""

import re

# User and password before the host of an address.
_LOGIN = re.compile(r"(?<=://)[^/\s'\"@]*:[^\s'\"]*(?=@)")


def root_cause(error: BaseException) -> str:
    """The innermost message of a chain of Python and Java errors, on one line."""
    java = getattr(error, "java_exception", None)
    if java is not None:
        while java.getCause() is not None:
            java = java.getCause()
        return _first_line(str(java.getMessage() or java))
    while error.__cause__ is not None:
        error = error.__cause__
    return _first_line(str(error)) or type(error).__name__


def without_passwords(text: str) -> str:
    """A text whose addresses have no user and password."""
    return _LOGIN.sub("***", text)


def _first_line(message: str) -> str:
    message = without_passwords(message)
    # Of an error in a Python process of Spark, the first lines only say that there was one.
    raised = re.search(r"^\w+(Error|Exception|Refused): .*$", message, re.MULTILINE)
    lines = [raised[0]] if raised else message.strip().splitlines()
    return lines[0] if lines else ""
