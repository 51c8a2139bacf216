"""Files of a folder to object storage: in parallel, each once, never over something else.

What is there already is known by its checksum. Large files are sent in parts, and the parts that an
interrupted upload has sent are not sent again.
"""

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, cast

from botocore.exceptions import ClientError

from ingestion.landing import s3
from ingestion.landing.local_file import PART_BYTES, FileError, LocalFile, files_below
from ingestion.threads import threads

if TYPE_CHECKING:
    from mypy_boto3_s3.type_defs import CompletedPartTypeDef, MultipartUploadTypeDef

_LONGEST_KEY = 1024
# Files and parts have threads of their own, as a file waits for its parts. Together they are no
# more than the client's connections.
_FILES_AT_ONCE, _PARTS_AT_ONCE = 16, 8
# Parts of one upload are all checked with the same, which a server may not list.
_CHECKSUM: Literal["CRC32"] = "CRC32"

Report = Callable[[int], None]


class Conflict(FileError):
    """Something else is there already."""


@dataclass(frozen=True)
class Step:
    """What is done with a file: `action` is upload, skip, conflict or error; the last two have a `reason`.

    `sent` is in bytes, without those that an earlier, interrupted upload sent.
    """

    file: LocalFile
    uri: str
    action: str = "upload"
    reason: str = ""
    sent: int = 0

    def failed(self, error: FileError | OSError) -> "Step":
        """The same step, with what went wrong."""
        reason = (error.strerror if isinstance(error, OSError) else None) or str(error)
        return replace(self, action="conflict" if isinstance(error, Conflict) else "error", reason=reason)


@dataclass(frozen=True)
class _Multipart:
    """An upload in parts: where to, and the parts that are there, by number."""

    key: str
    id: str
    parts: dict[int, "CompletedPartTypeDef"] = field(default_factory=dict)


class Upload:
    """The files below `folder`, to be uploaded to `to`, an address like `s3://bucket/prefix`.

    With `overwrite`, objects that differ are replaced. `report` is told the bytes that are done with,
    whether sent or not: they sum up to the size of all files.

    Raises:
        ValueError: `to` is no such address.
        LandingError: the folder does not exist or cannot be read.
    """

    def __init__(
        self, folder: Path, to: str, overwrite: bool = False, report: Report = lambda size: None
    ) -> None:
        self._bucket, prefix = s3.split(to)
        self._prefix = f"{prefix.strip('/')}/" if prefix.strip("/") else ""
        self._overwrite, self._report = overwrite, report
        self._interrupted: dict[str, list[MultipartUploadTypeDef]] = {}
        self.files = sorted(files_below(folder), key=lambda file: file.name)

    def plan(self) -> list[Step]:
        """What is to be done with each file.

        Raises:
            s3.StorageError: object storage cannot be used.
        """
        there = self._sizes()
        with threads(_FILES_AT_ONCE) as files:
            return list(files.map(lambda file: self._compare(file, there), self.files))

    def send(self, steps: Sequence[Step]) -> list[Step]:
        """Upload what the plan says; returns what was done with each file.

        Raises:
            s3.StorageError: object storage cannot be used any more; the same upload goes on from here.
        """
        if any(step.action == "upload" and step.file.size > PART_BYTES for step in steps):
            self._interrupted = self._uploads()
        # The parts are given up first when something fails: files wait for them.
        with threads(_FILES_AT_ONCE) as files, threads(_PARTS_AT_ONCE) as parts:
            return list(files.map(lambda step: self._send(step, parts), steps))

    def _sizes(self) -> dict[str, int]:
        return {s3.split(found.uri)[1]: found.size for found in s3.list_objects(self._uri(""))}

    def _compare(self, file: LocalFile, there: Mapping[str, int]) -> Step:
        step = Step(file, self._uri(file.name))
        try:
            size = there.get(self._key(file))
            with s3.explained(step.uri):
                same = size is not None and size == file.size and self._holds(file)
            if same:
                step = replace(step, action="skip")
            elif size is not None and not self._overwrite:
                raise Conflict(f"another object is there ({size:,} bytes)")
        except (FileError, OSError) as error:
            step = step.failed(error)
        if step.action != "upload":
            self._report(file.size)
        return step

    def _send(self, step: Step, parts: ThreadPoolExecutor) -> Step:
        if step.action != "upload":
            return step
        try:
            with s3.explained(step.uri):
                large = step.file.size > PART_BYTES
                sent = self._put_parts(step.file, parts) if large else self._put(step.file)
            return replace(step, sent=sent)
        except (FileError, OSError) as error:
            return step.failed(error)

    def _holds(self, file: LocalFile) -> bool:
        """Whether the object of a file has its content."""
        key = self._key(file)
        try:
            head = s3.client().head_object(Bucket=self._bucket, Key=key)
            if recorded := head["Metadata"].get("sha256"):
                return recorded == file.sha256
            # Put by something else: the ETag is made of MD5 sums, for which the size of the parts is needed.
            etag, part_bytes = _unquoted(head["ETag"]), None
            if "-" in etag:
                first = s3.client().head_object(Bucket=self._bucket, Key=key, PartNumber=1)
                part_bytes = first["ContentLength"]
        except ClientError as error:
            if s3.error_code(error) == "404":
                return False
            raise
        return etag == file.etag(part_bytes)

    def _put(self, file: LocalFile) -> int:
        content = file.content(0, file.size)
        metadata = {"sha256": hashlib.sha256(content).hexdigest()}
        with self._not_over_another(file):
            s3.put_object(self._uri(file.name), content, metadata, self._overwrite)
        self._report(file.size)
        return file.size

    def _put_parts(self, file: LocalFile, pool: ThreadPoolExecutor) -> int:
        continued = self._continued(file)
        upload = continued or self._begun(file)
        missing = {n: part for n, part in file.parts().items() if n not in upload.parts}
        sent = sum(length for _, length in missing.values())
        self._report(file.size - sent)
        try:
            futures = [pool.submit(self._put_part, file, upload, n, *part) for n, part in missing.items()]
            upload.parts.update(zip(missing, _results(futures), strict=True))
            file.check()
            with self._not_over_another(file):
                self._complete(upload)
        except (FileError, OSError):
            self._abort(upload.key, upload.id)
            raise
        if continued and not self._holds(file):
            raise FileError(
                "is there, but with the checksum of an earlier version; upload it with --overwrite"
            )
        return sent

    def _begun(self, file: LocalFile) -> _Multipart:
        key = self._key(file)
        begun = s3.client().create_multipart_upload(
            Bucket=self._bucket, Key=key, ChecksumAlgorithm=_CHECKSUM, Metadata={"sha256": file.sha256}
        )
        return _Multipart(key, begun["UploadId"])

    def _put_part(
        self, file: LocalFile, upload: _Multipart, number: int, offset: int, length: int
    ) -> "CompletedPartTypeDef":
        content = file.content(offset, length)
        answer = s3.client().upload_part(
            Bucket=self._bucket, Key=upload.key, UploadId=upload.id, PartNumber=number, Body=content
        )
        self._report(length)
        return _completed(number, answer)

    def _complete(self, upload: _Multipart) -> None:
        parts = [upload.parts[number] for number in sorted(upload.parts)]
        try:
            s3.client().complete_multipart_upload(
                Bucket=self._bucket,
                Key=upload.key,
                UploadId=upload.id,
                MultipartUpload={"Parts": parts},
                **s3.condition(self._overwrite),
            )
        except ClientError as error:
            # Refused once is refused for ever; the next run would go on with it.
            if error.response["ResponseMetadata"]["HTTPStatusCode"] < 500:
                self._abort(upload.key, upload.id)
            raise

    def _abort(self, key: str, upload_id: str) -> None:
        try:
            s3.client().abort_multipart_upload(Bucket=self._bucket, Key=key, UploadId=upload_id)
        except ClientError as error:
            if s3.error_code(error) != "NoSuchUpload":
                raise

    def _uploads(self) -> "dict[str, list[MultipartUploadTypeDef]]":
        """Interrupted uploads by key, the latest first."""
        by_key: dict[str, list[MultipartUploadTypeDef]] = {}
        with s3.explained(self._uri("")):
            pages = s3.client().get_paginator("list_multipart_uploads")
            for page in pages.paginate(Bucket=self._bucket, Prefix=self._prefix):
                for upload in page.get("Uploads", []):
                    by_key.setdefault(upload["Key"], []).append(upload)
        for uploads in by_key.values():
            uploads.sort(key=lambda upload: upload["Initiated"], reverse=True)
        return by_key

    def _continued(self, file: LocalFile) -> _Multipart | None:
        """An interrupted upload of this very file; others to the same place are given up."""
        key = self._key(file)
        for upload in self._interrupted.get(key, []):
            parts = self._parts_there(file, upload)
            if parts is not None:
                return _Multipart(key, upload["UploadId"], parts)
            self._abort(key, upload["UploadId"])
        return None

    def _parts_there(
        self, file: LocalFile, upload: "MultipartUploadTypeDef"
    ) -> "dict[int, CompletedPartTypeDef] | None":
        """Parts of an interrupted upload, by number; None when they are not those of the file."""
        # What was begun before the file was written has the checksum of another content.
        if upload["Initiated"].timestamp() * 1e9 < file.modified_ns:
            return None
        if upload.get("ChecksumAlgorithm", _CHECKSUM) != _CHECKSUM:
            return None
        expected, parts = file.parts(), {}
        pages = s3.client().get_paginator("list_parts")
        for page in pages.paginate(Bucket=self._bucket, Key=upload["Key"], UploadId=upload["UploadId"]):
            for part in page.get("Parts", []):
                offset, length = expected.get(part["PartNumber"], (0, -1))
                if part["Size"] != length or _unquoted(part["ETag"]) != file.md5(offset, length):
                    return None
                parts[part["PartNumber"]] = _completed(part["PartNumber"], part)
        return parts

    @contextmanager
    def _not_over_another(self, file: LocalFile) -> Iterator[None]:
        try:
            with s3.refusal(self._uri(file.name)):
                yield
        except s3.ObjectExists:
            # A request that was repeated because its answer got lost meets its own object.
            if not self._holds(file):
                raise Conflict("another object was put there at the same time") from None

    def _key(self, file: LocalFile) -> str:
        key = self._prefix + file.name
        try:
            if len(key.encode()) > _LONGEST_KEY:
                raise FileError(f"its name is longer than {_LONGEST_KEY} bytes, the most that S3 takes")
        except UnicodeEncodeError:
            raise FileError("its name is not UTF-8; rename it") from None
        return key

    def _uri(self, name: str) -> str:
        return f"{s3.SCHEME}{self._bucket}/{self._prefix}{name}".encode(errors="backslashreplace").decode()


def _results(futures: "Sequence[Future[CompletedPartTypeDef]]") -> "list[CompletedPartTypeDef]":
    """Results in order; after an error only when nothing is running any more."""
    try:
        return [future.result() for future in futures]
    finally:
        for future in futures:
            future.cancel()
        for future in futures:
            with suppress(CancelledError):
                future.exception()


def _completed(number: int, part: Mapping[str, Any]) -> "CompletedPartTypeDef":
    """A part as S3 wants it named at the end: with the checksum that it has answered."""
    named = {k: v for k, v in part.items() if k == "ETag" or k.startswith("Checksum")}
    return cast("CompletedPartTypeDef", named | {"PartNumber": number})


def _unquoted(etag: str) -> str:
    return etag.strip('"')
