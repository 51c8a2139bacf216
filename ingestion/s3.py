"""Object storage, reached with the usual AWS settings (environment, profile, instance role)."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import TYPE_CHECKING

import boto3
from botocore.config import Config
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    EndpointConnectionError,
    HTTPClientError,
    NoCredentialsError,
)

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

SCHEME = "s3://"

_CONFIG = Config(
    connect_timeout=5,
    read_timeout=60,
    retries={"mode": "standard", "max_attempts": 4},
    max_pool_connections=32,
)
_CREDENTIALS = {"InvalidAccessKeyId", "SignatureDoesNotMatch", "AccessDenied", "ExpiredToken", "403"}


class StorageError(Exception):
    """Object storage cannot be used; the message names address and cause, and what to do."""


@cache
def client() -> "S3Client":
    """The client of this process; it may be used from several threads."""
    return boto3.client("s3", config=_CONFIG)


def split(uri: str) -> tuple[str, str]:
    """Bucket and key of `s3://bucket/key`; the key may be empty.

    Raises:
        ValueError: there is no bucket.
    """
    bucket, _, key = uri.removeprefix(SCHEME).partition("/")
    if not uri.startswith(SCHEME) or not bucket:
        raise ValueError(f"'{uri}' is no address of object storage; write s3://bucket/prefix")
    return bucket, key


@contextmanager
def explained(uri: str) -> Iterator[None]:
    """Turn errors of the client into a `StorageError` that says what to do."""
    try:
        yield
    except (BotoCoreError, ClientError) as error:
        raise StorageError(f"{uri}: {_explanation(error)}") from error


def _explanation(error: BotoCoreError | ClientError) -> str:
    if isinstance(error, ClientError):
        code = error.response.get("Error", {}).get("Code", "")
        if code == "NoSuchBucket":
            return "the bucket does not exist; create it or correct the name"
        if code in _CREDENTIALS:
            return f"access is denied ({code}); check AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY or AWS_PROFILE"
    if isinstance(error, NoCredentialsError):
        return "there are no credentials; set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE"
    if isinstance(error, EndpointConnectionError | HTTPClientError):
        return f"the server does not answer ({error}); check AWS_ENDPOINT_URL and the network"
    return str(error)
