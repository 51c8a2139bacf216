"""What Structured Streaming keeps in the folder of a stream's checkpoint."""

from pathlib import Path


def has_unfinished_batch(checkpoint: Path) -> bool:
    """Whether the newest batch of a checkpoint was begun and its end not noted."""
    begun, ended = (
        {int(file.name) for file in (checkpoint / kind).glob("*") if file.name.isdigit()}
        for kind in ("offsets", "commits")
    )
    return bool(begun) and max(begun) not in ended
