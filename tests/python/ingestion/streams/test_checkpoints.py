"""Checkpoints of streams on Spark, without Spark."""

from pathlib import Path

import pytest

from ingestion.streams.micro_batches import forget_cut_off


@pytest.mark.parametrize(
    "name", ["metadata", "offsets/1", "commits/1", "state/0/1/2.delta", "state/0/1/2.snapshot"]
)
def test_a_checkpoint_with_an_empty_file_is_forgotten(tmp_path: Path, name: str) -> None:
    checkpoint = tmp_path / "silver/gym_logins"
    for file in ("metadata", "offsets/0", "offsets/1", "commits/0", "commits/.0.crc", name):
        (checkpoint / file).parent.mkdir(parents=True, exist_ok=True)
        (checkpoint / file).write_text("" if file.endswith(".crc") else "v1")
    forget_cut_off(checkpoint)
    assert checkpoint.exists()
    (checkpoint / name).write_bytes(b"")
    forget_cut_off(checkpoint)
    assert not checkpoint.exists()
    forget_cut_off(checkpoint)
