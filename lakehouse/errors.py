"""What can go wrong, in words a user can act on."""


class LakehouseError(Exception):
    """A failure to be shown as one message, without a traceback. `exit_code` 1: data or tests failed."""

    exit_code = 1


class UsageError(LakehouseError):
    """Wrong usage or settings; exit code 2."""

    exit_code = 2


def raise_for(*problems: str) -> None:
    """Raise one `LakehouseError` of all problems; an empty text is none."""
    if any(problems):
        raise LakehouseError("\n".join(filter(None, problems)))
