"""`lakehouse upload` beside a plain boto3 loop: 1,000 small files, one large file, and both killed half-way.

`python -m benchmarks.upload [--endpoint URL] [--versitygw PROGRAM] [--folder DIR]`. Without an endpoint, the
server is versitygw where it is installed, else that of the tests. All times include the start of Python.
After each upload all objects are read back and compared by checksum; that is not in the times.
"""

import argparse
import hashlib
import os
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.measure import machine, run
from ingestion.landing import s3
from tests.python.object_storage import s3_environment, s3_server, s3_variables

RESULTS = Path(__file__).parent / "UPLOAD.md"

_HEADING = (
    "| files | upload | seconds | MB/s | files/s | times as fast as the loop |\n"
    "| --- | --- | ---: | ---: | ---: | ---: |"
)
_LAKEHOUSE = str(Path(sys.executable).parent / "lakehouse")
_LOOP = """
import pathlib, sys, boto3
folder, bucket, prefix = sys.argv[1:]
client = boto3.client("s3")
for file in sorted(path for path in pathlib.Path(folder).rglob("*") if path.is_file()):
    client.upload_file(str(file), bucket, f"{prefix}/{file.relative_to(folder).as_posix()}")
"""
# More arrives before the kill does.
_KILLED_FROM = 0.4
# Earlier than any upload begins, also by the clock of a server that has none of its own.
_LONG_AGO = 1_200_000_000


@dataclass(frozen=True)
class Case:
    """A folder to upload: what it is, how many files, bytes."""

    name: str
    folder: Path
    files: int
    size: int

    def row(self, step: str, seconds: float, loop_seconds: float) -> str:
        """A row of the table of results."""
        return (
            f"| {self.name} | {step} | {seconds:.1f} | {self.size / 1e6 / seconds:.1f} "
            f"| {self.files / seconds:,.1f} | {loop_seconds / seconds:.2f} |"
        )


def main() -> None:
    """Measure, print each row as it comes, and write `UPLOAD.md`."""
    arguments = _arguments()
    load = os.getloadavg()[0]
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(dir=arguments.folder)))
        server = stack.enter_context(_server(arguments, folder))
        rows = [_HEADING]
        print(f"{server}\n\n{_HEADING}", flush=True)
        with _bucket() as bucket:
            for case in (_small_files(folder), _large_file(folder)):
                for row in measure(case, bucket, arguments.repeats):
                    rows.append(row)
                    print(row, flush=True)
    RESULTS.write_text(_report(server, arguments.repeats, load, rows))


def measure(case: Case, bucket: str, repeats: int) -> Iterator[str]:
    """Rows for one folder: medians of `repeats` uploads of each kind, in turns."""
    rounds = [_measure_once(case, bucket, f"{case.folder.name}-{repeat}") for repeat in range(repeats)]
    loop, upload, killed, again, share = map(statistics.median, zip(*rounds, strict=True))
    yield case.row("boto3 `upload_file`, one after another", loop, loop)
    yield case.row("`lakehouse upload`", upload, loop)
    yield case.row(f"`lakehouse upload`, killed with {share:.0%} there, and run again", killed, loop)
    yield case.row("`lakehouse upload` of what is there", again, loop)


def _measure_once(case: Case, bucket: str, prefix: str) -> tuple[float, ...]:
    """Seconds of each kind of upload, and the share that was there when one was killed."""
    with _checked(case, bucket, f"{prefix}-loop") as place:
        loop = _loop(case, bucket, place)
    with _checked(case, bucket, f"{prefix}-whole") as place:
        upload = _upload(case, bucket, place)
        again = _upload(case, bucket, place)
    with _checked(case, bucket, f"{prefix}-killed") as place:
        before = _kill(case, bucket, place)
        share = _stored(bucket, place) / case.size
        killed = before + _upload(case, bucket, place)
    return loop, upload, killed, again, share


@contextmanager
def _checked(case: Case, bucket: str, prefix: str) -> Iterator[str]:
    """A place to upload to: what is there at the end has to be right, and is removed."""
    yield prefix
    _verify(case, bucket, prefix)
    for key, _ in _objects(bucket, prefix):
        s3.client().delete_object(Bucket=bucket, Key=key)


def _loop(case: Case, bucket: str, prefix: str) -> float:
    command = [sys.executable, "-c", _LOOP, str(case.folder), bucket, prefix]
    return run(command, dict(os.environ)).seconds


def _upload(case: Case, bucket: str, prefix: str) -> float:
    return run(_command(case, bucket, prefix), dict(os.environ)).seconds


def _kill(case: Case, bucket: str, prefix: str) -> float:
    """Begin an upload and kill it when about half is there; returns the seconds it ran."""
    started = time.monotonic()
    process = subprocess.Popen(_command(case, bucket, prefix), stdout=subprocess.DEVNULL)
    share = 0.0
    while process.poll() is None and share < _KILLED_FROM:
        looked = time.monotonic()
        share = _stored(bucket, prefix) / case.size
        # To look takes the server's time too.
        time.sleep(0.02 + time.monotonic() - looked)
    process.send_signal(signal.SIGKILL)
    process.wait()
    return time.monotonic() - started


def _command(case: Case, bucket: str, prefix: str) -> list[str]:
    return [_LAKEHOUSE, "upload", str(case.folder), "--to", f"s3://{bucket}/{prefix}"]


def _stored(bucket: str, prefix: str) -> int:
    """Bytes on the server, in objects and in parts."""
    objects = sum(size for _, size in _objects(bucket, prefix))
    uploads = s3.client().list_multipart_uploads(Bucket=bucket, Prefix=prefix).get("Uploads", [])
    return objects + sum(_part_bytes(bucket, upload["Key"], upload["UploadId"]) for upload in uploads)


def _part_bytes(bucket: str, key: str, upload_id: str) -> int:
    parts = s3.client().list_parts(Bucket=bucket, Key=key, UploadId=upload_id).get("Parts", [])
    return sum(part["Size"] for part in parts)


def _verify(case: Case, bucket: str, prefix: str) -> None:
    """Raise when the server does not return exactly the files."""
    names = {path.relative_to(case.folder).as_posix() for path in case.folder.rglob("*") if path.is_file()}
    stored = {key.removeprefix(f"{prefix}/") for key, _ in _objects(bucket, prefix)}
    if names != stored:
        raise RuntimeError(f"{len(names ^ stored)} files are missing or too many")
    for name in names:
        if _stored_checksum(bucket, f"{prefix}/{name}") != _checksum(case.folder / name):
            raise RuntimeError(f"{name} differs")


def _stored_checksum(bucket: str, key: str) -> str:
    digest = hashlib.sha256()
    for chunk in s3.client().get_object(Bucket=bucket, Key=key)["Body"].iter_chunks(1 << 20):
        digest.update(chunk)
    return digest.hexdigest()


def _checksum(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _objects(bucket: str, prefix: str) -> Iterator[tuple[str, int]]:
    for page in s3.client().get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=f"{prefix}/"):
        for found in page.get("Contents", []):
            yield found["Key"], found["Size"]


def _small_files(folder: Path) -> Case:
    sizes = [1_000 + 7 * number for number in range(1_000)]
    return _case("1,000 small files", folder / "small", sizes)


def _large_file(folder: Path) -> Case:
    return _case("one file of 500 MB", folder / "large", [500_000_000])


def _case(name: str, folder: Path, sizes: list[int]) -> Case:
    for number, size in enumerate(sizes):
        file = folder / f"{number % 10}/{number}.bin"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(os.urandom(size))
        os.utime(file, (_LONG_AGO, _LONG_AGO))
    return Case(name, folder, len(sizes), sum(sizes))


@contextmanager
def _server(arguments: argparse.Namespace, folder: Path) -> Iterator[str]:
    """A server that boto3 reaches by the environment; yields what it is."""
    if arguments.endpoint:
        os.environ["AWS_ENDPOINT_URL"] = arguments.endpoint
        yield f"a server at {arguments.endpoint}"
    elif arguments.versitygw:
        with _versitygw(arguments.versitygw, folder) as endpoint, s3_environment(endpoint):
            yield "versitygw (Go, files on the same disk) on the same machine"
    else:
        with s3_server(folder) as endpoint, s3_environment(endpoint):
            yield "moto on the same machine, a Python process that is probably what limits the speed"


@contextmanager
def _versitygw(program: str, folder: Path) -> Iterator[str]:
    (folder / "stored").mkdir()
    port = _free_port()
    keys = s3_variables("")
    command = [program, "--port", f"127.0.0.1:{port}", "--quiet"]
    command += ["--access", keys["AWS_ACCESS_KEY_ID"], "--secret", keys["AWS_SECRET_ACCESS_KEY"]]
    process = subprocess.Popen([*command, "posix", str(folder / "stored")], stdout=subprocess.DEVNULL)
    try:
        _wait_for(port)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.kill()
        process.wait()


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def _wait_for(port: int) -> None:
    for _ in range(100):
        try:
            socket.create_connection(("127.0.0.1", port)).close()
            return
        except ConnectionRefusedError:
            time.sleep(0.1)
    raise RuntimeError("The server did not start")


@contextmanager
def _bucket() -> Iterator[str]:
    """A bucket of its own, removed at the end."""
    name = f"lakehouse-benchmark-{os.getpid()}"
    s3.client().create_bucket(Bucket=name)
    yield name
    s3.client().delete_bucket(Bucket=name)


def _report(server: str, repeats: int, load: float, rows: list[str]) -> str:
    return "\n".join(
        [
            "# Uploads",
            "",
            "Written by `python -m benchmarks.upload`; what the steps are is said in `benchmarks/upload.py`.",
            f"Medians of {repeats} uploads of each kind, in turns; the start of Python included. Everything",
            "that was uploaded was read back and had the right checksum.",
            "",
            f"{machine()}, load of other work at the start {load:.1f}.",
            f"Server: {server}.",
            "",
            *rows,
            "",
        ]
    )


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--endpoint", help="of a server to use, with the AWS_ variables for it")
    parser.add_argument(
        "--versitygw", default=shutil.which("versitygw"), help="program to start as the server; '' for moto"
    )
    parser.add_argument("--folder", type=Path, help="where files and objects go while measuring")
    parser.add_argument("--repeats", type=int, default=3)
    return parser.parse_args()


if __name__ == "__main__":
    main()
