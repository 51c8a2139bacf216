"""Object storage, reached with the usual AWS settings (environment, profile, instance role)."""

import io
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import TYPE_CHECKING, BinaryIO, TypedDict, cast

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    EndpointConnectionError,
    HTTPClientError,
    NoCredentialsError,
)
from dbt.adapters.lakehouse.folders import repeat_cut_off

from ingestion.errors import without_passwords

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer
    from botocore.response import StreamingBody
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import ObjectIdentifierTypeDef

SCHEME = "s3://"

_CREDENTIALS = {"InvalidAccessKeyId", "SignatureDoesNotMatch", "AccessDenied", "ExpiredToken", "403"}

# What a server answers to a condition that does not hold, or no longer.
_REFUSED = {"PreconditionFailed", "ConditionalRequestConflict"}


class Condition(TypedDict, total=False):
    """What a request to write is bound to."""

    IfNoneMatch: str


class ObjectExists(Exception):
    """Another object has the address, which is the message."""


class StorageError(Exception):
    """Object storage cannot be used; the message names address and cause, and what to do."""


@dataclass(frozen=True)
class StoredObject:
    """An object: `s3://bucket/key`, when it was written (UTC), its size in bytes."""

    uri: str
    modified_at: datetime
    size: int


@cache
def client() -> "S3Client":
    """The client of this process; it may be used from several threads."""
    # Most commands never need it, and it takes a while to import.
    import boto3
    from botocore.config import Config

    config = Config(
        connect_timeout=5,
        read_timeout=60,
        retries={"mode": "standard", "max_attempts": 4},
        max_pool_connections=32,
    )
    made = boto3.client("s3", config=config)
    made.meta.events.register("needs-retry.s3", repeat_cut_off)  # type: ignore[arg-type]
    return made


def split(uri: str) -> tuple[str, str]:
    """Bucket and key of `s3://bucket/key`; the key may be empty.

    Raises:
        ValueError: there is no bucket.
    """
    bucket, _, key = uri.removeprefix(SCHEME).partition("/")
    if not uri.startswith(SCHEME) or not bucket:
        raise ValueError(f"'{uri}' is no address of object storage; write s3://bucket/prefix")
    return bucket, key


def list_objects(prefix: str) -> Iterator[StoredObject]:
    """Objects whose address begins with `prefix`.

    Raises:
        StorageError: the bucket cannot be listed.
        ValueError: the prefix is no address.
    """
    bucket, key = split(prefix)
    with explained(prefix):
        for page in client().get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=key):
            for found in page.get("Contents", []):
                if not found["Key"].endswith("/"):
                    yield StoredObject(
                        f"{SCHEME}{bucket}/{found['Key']}", found["LastModified"], found["Size"]
                    )


def head(uri: str) -> StoredObject:
    """The object as it is now.

    Raises:
        FileNotFoundError: there is none.
        StorageError: object storage cannot be used.
    """
    bucket, key = split(uri)
    with explained(uri):
        try:
            found = client().head_object(Bucket=bucket, Key=key)
        except ClientError as error:
            if error_code(error) in ("404", "NoSuchKey"):
                raise FileNotFoundError(uri) from None
            raise
    return StoredObject(uri, found["LastModified"], found["ContentLength"])


def put_object(
    uri: str, content: bytes, metadata: Mapping[str, str] | None = None, overwrite: bool = False
) -> None:
    """Write an object in one request, never over another unless told to.

    Raises:
        ObjectExists: there is an object already.
        StorageError: object storage cannot be used.
    """
    bucket, key = split(uri)
    with explained(uri), refusal(uri):
        client().put_object(
            Bucket=bucket, Key=key, Body=content, Metadata=metadata or {}, **condition(overwrite)
        )


def condition(overwrite: bool) -> Condition:
    """That there is no object yet, or none."""
    return {} if overwrite else {"IfNoneMatch": "*"}


@contextmanager
def refusal(uri: str) -> Iterator[None]:
    """Turn a server's answer that a condition does not hold into `ObjectExists`."""
    try:
        yield
    except ClientError as error:
        if error_code(error) in _REFUSED:
            raise ObjectExists(uri) from None
        raise


def error_code(error: ClientError) -> str:
    """What a server calls an error; empty where it does not say."""
    return error.response.get("Error", {}).get("Code", "")


def list_folders(uri: str) -> list[str]:
    """Addresses of what lies one level below, without a slash at the end."""
    bucket, key = split(f"{uri.rstrip('/')}/")
    with explained(uri):
        pages = client().get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=key, Delimiter="/")
        found = [folder["Prefix"] for page in pages for folder in page.get("CommonPrefixes", [])]
    return [f"{SCHEME}{bucket}/{prefix.rstrip('/')}" for prefix in found]


def delete_objects(prefix: str) -> None:
    """Delete the objects whose address begins with `prefix`."""
    bucket, _ = split(prefix)
    keys = [split(found.uri)[1] for found in list_objects(prefix)]
    with explained(prefix):
        for start in range(0, len(keys), 1000):
            objects: list[ObjectIdentifierTypeDef] = [{"Key": key} for key in keys[start : start + 1000]]
            client().delete_objects(Bucket=bucket, Delete={"Objects": objects})


def open_object(uri: str) -> BinaryIO:
    """An object's bytes, front to back, all of one version even if it is overwritten meanwhile.

    Raises:
        OSError: it cannot be read, also later, while reading.
    """
    bucket, key = split(uri)
    try:
        with explained(uri):
            body = client().get_object(Bucket=bucket, Key=key)["Body"]
    except StorageError as error:
        raise OSError(str(error)) from error
    return cast(BinaryIO, io.BufferedReader(_Download(uri, body), 1 << 20))


class _Download(io.RawIOBase):
    """A response's body as a file; a broken connection is an `OSError` as on a disk."""

    def __init__(self, uri: str, body: "StreamingBody") -> None:
        self._uri, self._body = uri, body

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: "WriteableBuffer") -> int:
        view = memoryview(buffer)
        try:
            data = self._body.read(len(view))
        except BotoCoreError as error:
            raise OSError(f"{self._uri}: {error}") from error
        view[: len(data)] = data
        return len(data)

    def close(self) -> None:
        self._body.close()
        super().close()


@contextmanager
def explained(uri: str) -> Iterator[None]:
    """Turn errors of the client into a `StorageError` that says what to do."""
    try:
        yield
    except (BotoCoreError, ClientError) as error:
        raise StorageError(without_passwords(f"{uri}: {_explanation(error)}")) from error


def _explanation(error: BotoCoreError | ClientError) -> str:
    if isinstance(error, ClientError):
        answer = error_code(error)
        if answer == "NoSuchBucket":
            return "the bucket does not exist; create it or correct the name"
        if answer in _CREDENTIALS:
            return (
                f"access is denied ({answer}); check AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY or AWS_PROFILE"
            )
    if isinstance(error, NoCredentialsError):
        return "there are no credentials; set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE"
    if isinstance(error, EndpointConnectionError | HTTPClientError):
        return f"the server does not answer ({error}); check AWS_ENDPOINT_URL and the network"
    return str(error)
