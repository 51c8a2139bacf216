"""Uploads to a real S3 server: what arrives, what is left alone, what is sent again and what is not."""

import hashlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from boto3.s3.transfer import TransferConfig

from ingestion.landing import s3
from ingestion.landing.upload import PART_BYTES, LocalFile, Step, Upload
from ingestion.landing.zone import LandingError

from ... import hear_ctrl_c
from ...object_storage import check_credentials, s3_server

LAKEHOUSE = Path(sys.executable).parent / "lakehouse"
# The server says of every upload in parts that it was begun in 2010; older files are not stale by that.
LONG_AGO = 1_200_000_000


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "files"
    write(folder / "crm/2026/customers.csv", b"id\n1\n")
    write(folder / "sales.csv", b"id\n1\n2\n")
    return folder


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a file of three parts, written long ago."""
    folder = tmp_path_factory.mktemp("large")
    write(folder / "large.bin", os.urandom(2 * PART_BYTES + 1000), LONG_AGO)
    return folder


def write(file: Path, content: bytes, modified: float | None = None) -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(content)
    if modified is not None:
        os.utime(file, (modified, modified))
    return file


def upload(folder: Path, to: str, overwrite: bool = False) -> dict[str, Step]:
    """Plan and send; returns what was done by name."""
    files = Upload(folder, to, overwrite)
    return {step.file.name: step for step in files.send(files.plan())}


def actions(steps: Mapping[str, Step]) -> dict[str, str]:
    return {name: step.action for name, step in steps.items()}


def cli(*arguments: object, exit_code: int = 0, **environment: str) -> str:
    """Run `lakehouse upload` in a process of its own; returns what it prints."""
    done = subprocess.run(
        [LAKEHOUSE, "upload", *map(str, arguments)],
        env=os.environ | environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=60,
    )
    assert done.returncode == exit_code, done.stdout
    assert "Traceback" not in done.stdout
    return done.stdout


def stored(address: str) -> dict[str, bytes]:
    """Contents below an address, by name."""
    bucket, prefix = s3.split(address)
    listed = s3.client().list_objects_v2(Bucket=bucket, Prefix=prefix)
    return {
        item["Key"].removeprefix(prefix).lstrip("/"): content(f"s3://{bucket}/{item['Key']}")
        for item in listed.get("Contents", [])
    }


def content(address: str) -> bytes:
    bucket, key = s3.split(address)
    return s3.client().get_object(Bucket=bucket, Key=key)["Body"].read()


def put(address: str, body: bytes) -> None:
    """Put an object as others do, without a checksum."""
    bucket, key = s3.split(address)
    s3.client().put_object(Bucket=bucket, Key=key, Body=body)


def begin(file: Path, address: str, numbers: tuple[int, ...], begun_with: bytes | None = None) -> None:
    """Begin an upload in parts and leave it, like one that was interrupted after some parts."""
    bucket, key = s3.split(address)
    body = begun_with or file.read_bytes()
    upload_id = s3.client().create_multipart_upload(
        Bucket=bucket,
        Key=key,
        ChecksumAlgorithm="CRC32",
        Metadata={"sha256": hashlib.sha256(body).hexdigest()},
    )["UploadId"]
    for number in numbers:
        part = body[(number - 1) * PART_BYTES : number * PART_BYTES]
        s3.client().upload_part(Bucket=bucket, Key=key, UploadId=upload_id, PartNumber=number, Body=part)


def parts_there(address: str) -> list[int]:
    """Numbers of the parts of all uploads below an address that are not complete."""
    bucket, prefix = s3.split(address)
    begun = s3.client().list_multipart_uploads(Bucket=bucket, Prefix=prefix).get("Uploads", [])
    return [
        part["PartNumber"]
        for each in begun
        for part in s3.client()
        .list_parts(Bucket=bucket, Key=each["Key"], UploadId=each["UploadId"])
        .get("Parts", [])
    ]


@pytest.fixture
def parts_sent(bucket: str) -> Iterator[list[int]]:
    """Numbers of the parts that are sent during the test."""
    numbers: list[int] = []
    events = s3.client().meta.events

    def count(params: dict[str, Any], **_: object) -> None:
        numbers.append(int(params["query_string"]["partNumber"]))

    events.register("before-call.s3.UploadPart", count)
    yield numbers
    events.unregister("before-call.s3.UploadPart", count)


def test_every_file_arrives_under_its_name(folder: Path, bucket: str) -> None:
    write(folder / "empty.csv", b"")
    write(folder / "Ünser Größtes [neu] 100%+&.csv", b"a b")
    steps = upload(folder, f"{bucket}/landing/")
    assert set(actions(steps).values()) == {"upload"}
    assert stored(f"{bucket}/landing") == {
        "crm/2026/customers.csv": b"id\n1\n",
        "sales.csv": b"id\n1\n2\n",
        "empty.csv": b"",
        "Ünser Größtes [neu] 100%+&.csv": b"a b",
    }
    assert steps["sales.csv"].sent == 7


def test_hidden_and_partial_files_are_passed_over(folder: Path, bucket: str) -> None:
    for name in (".hidden", "_SUCCESS", "sales.csv._COPYING_", "_temporary/a.csv", ".git/a.csv"):
        write(folder / name, b"x")
    (folder / "gone").symlink_to(folder / "nowhere")
    (folder / "circle").symlink_to(folder)
    (folder / "link.csv").symlink_to(folder / "sales.csv")
    upload(folder, bucket)
    assert set(stored(bucket)) == {"crm/2026/customers.csv", "sales.csv"}


def test_a_second_upload_sends_nothing(folder: Path, bucket: str) -> None:
    upload(folder, bucket)
    (folder / "sales.csv").touch()
    steps = upload(folder, bucket)
    assert set(actions(steps).values()) == {"skip"}
    assert sum(step.sent for step in steps.values()) == 0


@pytest.mark.parametrize("other", [b"id\n1\n3\n", b"longer than that"])
def test_another_object_is_left_alone_and_the_rest_is_uploaded(
    folder: Path, bucket: str, other: bytes
) -> None:
    put(f"{bucket}/sales.csv", other)
    output = cli(folder, "--to", bucket, exit_code=1)
    assert f"{bucket}/sales.csv: another object is there" in output
    assert "1 uploaded, 0 skipped, 1 in conflict" in output
    assert stored(bucket) == {"crm/2026/customers.csv": b"id\n1\n", "sales.csv": other}

    assert "1 uploaded, 1 skipped, 0 in conflict" in cli(folder, "--to", bucket, "--overwrite")
    assert content(f"{bucket}/sales.csv") == b"id\n1\n2\n"


def test_a_changed_file_is_another_one(folder: Path, bucket: str) -> None:
    upload(folder, bucket)
    write(folder / "sales.csv", b"id\n1\n9\n")
    assert actions(upload(folder, bucket))["sales.csv"] == "conflict"


def test_an_object_put_at_the_same_time_is_left_alone(folder: Path, large: Path, bucket: str) -> None:
    write(folder / "large.bin", (large / "large.bin").read_bytes())
    files = Upload(folder, bucket)
    steps = files.plan()
    put(f"{bucket}/sales.csv", b"other")
    put(f"{bucket}/large.bin", b"other")
    put(f"{bucket}/crm/2026/customers.csv", b"id\n1\n")
    outcome = {step.file.name: step.action for step in files.send(steps)}
    assert outcome == {"crm/2026/customers.csv": "upload", "large.bin": "conflict", "sales.csv": "conflict"}
    assert content(f"{bucket}/sales.csv") == content(f"{bucket}/large.bin") == b"other"
    assert parts_there(bucket) == []


def test_a_dry_run_says_what_would_be_done(folder: Path, bucket: str) -> None:
    upload(folder, bucket)
    write(folder / "new [1].csv", b"12")
    write(folder / "sales.csv", b"other")
    before = stored(bucket)
    output = cli(folder, "--dry-run", exit_code=1, LAKEHOUSE_LANDING=bucket)
    lines = [line.split(maxsplit=3) for line in output.splitlines()[:3]]
    assert lines == [
        ["skip", "5", "bytes", f"{bucket}/crm/2026/customers.csv"],
        ["upload", "2", "bytes", f"{bucket}/new [1].csv"],
        ["conflict", "5", "bytes", f"{bucket}/sales.csv"],
    ]
    assert stored(bucket) == before


def test_a_large_file_is_sent_in_parts(large: Path, bucket: str, parts_sent: list[int]) -> None:
    done = []
    files = Upload(large, bucket, report=done.append)
    (step,) = files.send(files.plan())
    assert sorted(parts_sent) == [1, 2, 3]
    assert content(f"{bucket}/large.bin") == (large / "large.bin").read_bytes()
    assert step.sent == sum(done) == step.file.size
    assert actions(upload(large, bucket)) == {"large.bin": "skip"}


def test_parts_that_are_there_are_not_sent_again(large: Path, bucket: str, parts_sent: list[int]) -> None:
    begin(large / "large.bin", f"{bucket}/large.bin", (1, 3))
    parts_sent.clear()
    steps = upload(large, bucket)
    assert parts_sent == [2]
    assert steps["large.bin"].sent == PART_BYTES
    assert content(f"{bucket}/large.bin") == (large / "large.bin").read_bytes()
    assert parts_there(bucket) == []
    assert actions(upload(large, bucket)) == {"large.bin": "skip"}


@pytest.mark.parametrize("case", ["written later", "other content", "other length"])
def test_an_interrupted_upload_of_something_else_is_begun_anew(
    large: Path, tmp_path: Path, bucket: str, parts_sent: list[int], case: str
) -> None:
    body = (large / "large.bin").read_bytes()
    file = write(tmp_path / "files/large.bin", body, time.time() if case == "written later" else LONG_AGO)
    begun_with = {"other content": body[::-1], "other length": body[:-1]}.get(case, body)
    begin(file, f"{bucket}/large.bin", (1, 3), begun_with)
    parts_sent.clear()
    assert actions(upload(file.parent, bucket)) == {"large.bin": "upload"}
    assert sorted(parts_sent) == [1, 2, 3]
    assert content(f"{bucket}/large.bin") == body
    assert parts_there(bucket) == []


def test_a_checksum_of_an_earlier_version_is_not_kept_quiet(large: Path, tmp_path: Path, bucket: str) -> None:
    body = (large / "large.bin").read_bytes()
    file = write(tmp_path / "files/large.bin", body, LONG_AGO)
    # All parts but the last, in which the versions differ.
    begin(file, f"{bucket}/large.bin", (1, 2), body[:-1] + bytes([body[-1] ^ 1]))
    (step,) = upload(file.parent, bucket).values()
    assert (step.action, "checksum of an earlier version" in step.reason) == ("error", True)
    assert actions(upload(file.parent, bucket, overwrite=True)) == {"large.bin": "upload"}
    assert actions(upload(file.parent, bucket)) == {"large.bin": "skip"}


@pytest.mark.parametrize(("sent", "exit_code"), [(signal.SIGKILL, -9), (signal.SIGINT, 130)])
def test_a_stopped_upload_goes_on(tmp_path: Path, bucket: str, sent: signal.Signals, exit_code: int) -> None:
    bodies = {f"small/{n}.csv": f"{n}\n".encode() for n in range(50)}
    # Far more parts than are sent at once, so that on a slow machine the signal is not too late.
    bodies["large.bin"] = os.urandom(60 * PART_BYTES)
    for name, body in bodies.items():
        write(tmp_path / "files" / name, body, LONG_AGO)
    process = subprocess.Popen(
        [LAKEHOUSE, "upload", tmp_path / "files", "--to", bucket], preexec_fn=hear_ctrl_c
    )
    while process.poll() is None and not parts_there(bucket):
        time.sleep(0.01)
    process.send_signal(sent)
    assert process.wait(timeout=30) == exit_code
    kept = len(parts_there(bucket))
    assert 1 <= kept < 60

    steps = upload(tmp_path / "files", bucket)
    # The server may still have been storing parts when they were counted.
    assert 0 < steps["large.bin"].sent <= (60 - kept) * PART_BYTES
    assert stored(bucket) == bodies
    assert parts_there(bucket) == []


def test_objects_that_others_put_are_known_by_their_etag(folder: Path, large: Path, bucket: str) -> None:
    write(folder / "large.bin", (large / "large.bin").read_bytes())
    write(folder / "other.bin", b"x" + (large / "large.bin").read_bytes()[1:])
    put(f"{bucket}/sales.csv", b"id\n1\n2\n")
    put(f"{bucket}/crm/2026/customers.csv", b"id\n2\n")
    name, _ = s3.split(bucket)
    in_parts = TransferConfig(multipart_threshold=5 << 20, multipart_chunksize=5 << 20)
    for key in ("large.bin", "other.bin"):
        s3.client().upload_file(str(large / "large.bin"), name, key, Config=in_parts)
    assert actions(upload(folder, bucket)) == {
        "crm/2026/customers.csv": "conflict",
        "large.bin": "skip",
        "other.bin": "conflict",
        "sales.csv": "skip",
    }


@pytest.mark.parametrize("name", ["sales.csv", "large.bin"])
def test_a_file_that_changes_is_not_uploaded(folder: Path, large: Path, bucket: str, name: str) -> None:
    write(folder / "large.bin", (large / "large.bin").read_bytes())

    def grow(_: int) -> None:
        with (folder / name).open("ab") as file:
            file.write(b"more")

    # Small files are read at once: they can change between the plan and that.
    files = Upload(folder, bucket, report=grow if name == "large.bin" else lambda _: None)
    plan = files.plan()
    if name == "sales.csv":
        grow(0)
    steps = {step.file.name: step for step in files.send(plan)}
    assert (steps[name].action, "changed while" in steps[name].reason) == ("error", True)
    assert set(stored(bucket)) == {"crm/2026/customers.csv", "large.bin", "sales.csv"} - {name}
    assert parts_there(bucket) == []


def test_a_file_that_is_gone_or_has_an_impossible_name_does_not_stop_the_others(
    folder: Path, bucket: str
) -> None:
    deep = folder.joinpath(*["x" * 250] * 5)
    write(deep / "long.csv", b"1")
    write(folder / os.fsdecode(b"latin-\xe4.csv"), b"1")
    gone = write(folder / "gone.csv", b"1")
    files = Upload(folder, bucket)
    plan = files.plan()
    gone.unlink()
    reasons = {step.file.name.rsplit("/", 1)[-1]: step.reason for step in files.send(plan)}
    assert "longer than 1024 bytes" in reasons["long.csv"]
    assert "not UTF-8" in reasons["latin-\udce4.csv"]
    assert reasons["gone.csv"] == "No such file or directory"
    assert set(stored(bucket)) == {"crm/2026/customers.csv", "sales.csv"}
    assert "latin-" in cli(folder, "--to", bucket, exit_code=1)


def test_parts_are_never_more_than_s3_takes() -> None:
    file = LocalFile(Path("x"), "x", 5 * 2**40, 0)
    parts = list(file.parts().values())
    assert len(parts) <= 10_000
    assert sum(length for _, length in parts) == file.size


def test_wrong_usage_is_said_in_one_message(folder: Path, bucket: str) -> None:
    unset = {"LAKEHOUSE_LANDING": ""}
    assert "--to s3://bucket/prefix" in cli(folder, exit_code=2, **unset)
    assert "--to s3://bucket/prefix" in cli(folder, exit_code=2, LAKEHOUSE_LANDING=str(folder))
    assert "write s3://bucket/prefix" in cli(folder, "--to", "bucket/prefix", exit_code=2)
    assert f"{folder}/nowhere is no folder" in cli(folder / "nowhere", "--to", bucket, exit_code=2)
    assert "the bucket does not exist" in cli(folder, "--to", "s3://no-such-bucket/in", exit_code=2)
    with pytest.raises(LandingError, match="is no folder"):
        Upload(folder / "sales.csv", bucket)


def test_nothing_to_upload_is_fine(tmp_path: Path, bucket: str) -> None:
    assert "0 uploaded" in cli(tmp_path, "--to", bucket)


def test_wrong_credentials_are_refused(folder: Path, tmp_path: Path) -> None:
    with s3_server(tmp_path) as endpoint:
        right = dict(check_credentials(endpoint))
        wrong_secret = right | {"AWS_SECRET_ACCESS_KEY": "wrong"}
        wrong_key = right | {"AWS_ACCESS_KEY_ID": "wrong"}
        for wrong in (wrong_secret, wrong_key):
            output = cli(folder, "--to", "s3://data/in", exit_code=2, **wrong)
            assert "s3://data/in/: access is denied" in output
            assert "AWS_ACCESS_KEY_ID" in output
        assert "the bucket does not exist" in cli(folder, "--to", "s3://data", exit_code=2, **right)


def test_a_server_that_is_down_is_said(folder: Path, bucket: str) -> None:
    output = cli(folder, "--to", bucket, exit_code=2, AWS_ENDPOINT_URL="http://127.0.0.1:9")
    assert "the server does not answer" in output


def test_a_server_that_goes_down_ends_the_upload(
    folder: Path, large: Path, tmp_path: Path, bucket: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(folder / "large.bin", (large / "large.bin").read_bytes())
    with s3_server(tmp_path) as endpoint:
        monkeypatch.setenv("AWS_ENDPOINT_URL", endpoint)
        s3.client.cache_clear()
        s3.client().create_bucket(Bucket="data")
        files = Upload(folder, "s3://data")
        plan = files.plan()
    with pytest.raises(s3.StorageError, match="the server does not answer"):
        files.send(plan)
