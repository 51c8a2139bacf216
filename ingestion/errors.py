"""Errors of Python and Java in words."""


def root_cause(error: BaseException) -> str:
    """The innermost message of a chain of Python and Java errors, on one line."""
    java = getattr(error, "java_exception", None)
    if java is not None:
        while java.getCause() is not None:
            java = java.getCause()
        return str(java.getMessage() or java).strip().splitlines()[0]
    while error.__cause__ is not None:
        error = error.__cause__
    return (str(error).strip() or type(error).__name__).splitlines()[0]
