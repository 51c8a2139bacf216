"""Uploading a folder to object storage, with a plan or a progress display, and a summary."""

import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.filesize import decimal
from rich.markup import escape
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

from ingestion.landing.s3 import StorageError
from ingestion.landing.upload import Step, Upload
from ingestion.landing.zone import LandingError
from lakehouse.errors import LakehouseError, UsageError


def upload(folder: Path, to: str, overwrite: bool, dry_run: bool, console: Console) -> None:
    """Upload the files below `folder`, or say what would be done.

    Raises:
        UsageError: folder, address, credentials, bucket or server cannot be used.
        LakehouseError: some files were not uploaded; the message names them.
    """
    if not to:
        raise UsageError(
            "Say where to: --to s3://bucket/prefix, or set LAKEHOUSE_LANDING to such an address."
        )
    started = time.monotonic()
    try:
        steps = _upload(folder, to, overwrite, dry_run, console)
    except (StorageError, LandingError, ValueError) as error:
        raise UsageError(str(error)) from None
    if dry_run:
        _print_plan(steps, console)
    else:
        console.print(_summary(steps, time.monotonic() - started), highlight=False)
    _raise_for_failed(steps)


def _upload(folder: Path, to: str, overwrite: bool, dry_run: bool, console: Console) -> list[Step]:
    bar = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn(),
        TimeRemainingColumn(),
        console=console,
        transient=True,
        disable=not console.is_terminal,
    )
    task = bar.add_task("upload")
    upload = Upload(folder, to, overwrite, lambda size: bar.advance(task, size))
    bar.update(task, total=sum(file.size for file in upload.files))
    with bar:
        steps = upload.plan()
        return steps if dry_run else upload.send(steps)


def _print_plan(steps: Sequence[Step], console: Console) -> None:
    for step in steps:
        line = f"{step.action:8}  {decimal(step.file.size):>12}  {step.uri}"
        console.print(escape(line), highlight=False, soft_wrap=True)
    counts = Counter(step.action for step in steps)
    size = sum(step.file.size for step in steps if step.action == "upload")
    console.print(
        f"{counts['upload']} to upload ({decimal(size)}), {counts['skip']} to skip, "
        f"{counts['conflict']} in conflict. Nothing was done.",
        highlight=False,
    )


def _summary(steps: Sequence[Step], seconds: float) -> str:
    counts = Counter(step.action for step in steps)
    sent = sum(step.sent for step in steps)
    return (
        f"{counts['upload']} uploaded, {counts['skip']} skipped, {counts['conflict']} in conflict, "
        f"{counts['error']} failed: {decimal(sent)} sent in {seconds:.1f} s "
        f"({decimal(int(sent / seconds))}/s)"
    )


def _raise_for_failed(steps: Sequence[Step]) -> None:
    failed = [step for step in steps if step.action in ("conflict", "error")]
    if not failed:
        return
    lines = [f"{step.uri}: {step.reason}" for step in failed]
    if any(step.action == "conflict" for step in failed):
        lines.append("What is there was left as it is; replace it with --overwrite.")
    raise LakehouseError("\n".join(["Not everything can be uploaded.", *lines]))
