"""The command upload: a folder to object storage, with a plan or a progress display, and a summary."""

import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer
from rich.filesize import decimal
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

from ingestion.landing.s3 import SCHEME, StorageError
from ingestion.landing.upload import Step, Upload
from ingestion.landing.zone import LandingError
from lakehouse.cli.app import app, console, read_settings
from lakehouse.errors import LakehouseError, UsageError
from lakehouse.terminal import plain


@app.command()
def upload(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Folder whose files to upload.")],
    to: Annotated[str | None, typer.Option(help="s3://bucket/prefix, instead of LAKEHOUSE_LANDING.")] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace objects that differ.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would be done.")] = False,
) -> None:
    """Upload the files of a folder to object storage; goes on where it was stopped."""
    landing = read_settings().landing_setting or ""
    address = to or (landing if landing.startswith(SCHEME) else "")
    if not address:
        raise UsageError(
            "Say where to: --to s3://bucket/prefix, or set LAKEHOUSE_LANDING to such an address."
        )
    started = time.monotonic()
    try:
        steps = _upload(folder, address, overwrite, dry_run)
    except (StorageError, LandingError, ValueError) as error:
        raise UsageError(str(error)) from None
    if dry_run:
        _print_plan(steps)
    else:
        console.print(_summary(steps, time.monotonic() - started))
    _raise_for_failed(steps)


def _upload(folder: Path, to: str, overwrite: bool, dry_run: bool) -> list[Step]:
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


def _print_plan(steps: Sequence[Step]) -> None:
    for step in steps:
        line = f"{step.action:8}  {decimal(step.file.size):>12}  {step.uri}"
        console.print(plain(line), soft_wrap=True)
    counts = Counter(step.action for step in steps)
    size = sum(step.file.size for step in steps if step.action == "upload")
    console.print(
        f"{counts['upload']} to upload ({decimal(size)}), {counts['skip']} to skip, "
        f"{counts['conflict']} in conflict. Nothing was done."
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
