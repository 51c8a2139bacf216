"""A real S3 server (moto) as a process of its own, for tests and benchmarks.

    with s3_server(folder) as endpoint, s3_environment(endpoint):
        ...  # boto3, Spark and child processes reach it by the usual AWS_ variables

It takes any credentials until `check_credentials(endpoint)` is called. `folder` gets `server.log`, with a
line for each request. What is stored is gone when the server ends.
"""

import json
import os
import re
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from unittest import mock

import boto3

_PATIENCE_SECONDS = 30
_RUNNING = re.compile(r"Running on (http://127\.0\.0\.1:\d+)")
_EVERYTHING = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}],
}


@contextmanager
def s3_server(folder: Path) -> Iterator[str]:
    """Start a server on a free port of 127.0.0.1; yields its URL, without a slash at the end.

    Raises:
        RuntimeError: it did not start; with its output.
    """
    log = folder / "server.log"
    # The log is a file: a pipe that nobody reads would stop the server.
    with log.open("w") as output:
        process = subprocess.Popen(
            [Path(sys.executable).parent / "moto_server", "--host", "127.0.0.1", "--port", "0"],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        yield _endpoint(process, log)
    finally:
        process.kill()
        process.wait()


def s3_variables(endpoint: str, key: str = "test", secret: str = "test") -> dict[str, str]:
    """The environment variables with which AWS clients reach a server."""
    return {
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_ACCESS_KEY_ID": key,
        "AWS_SECRET_ACCESS_KEY": secret,
        "AWS_REGION": "us-east-1",
        "AWS_DEFAULT_REGION": "us-east-1",
    }


@contextmanager
def s3_environment(endpoint: str) -> Iterator[None]:
    """Set `s3_variables` in this process for a while; in tests, use the fixture `bucket` instead."""
    with mock.patch.dict(os.environ, s3_variables(endpoint)):
        yield


def check_credentials(endpoint: str) -> Mapping[str, str]:
    """From now on the server refuses all credentials but those returned, as `s3_variables`."""
    iam = boto3.client(
        "iam",
        region_name="us-east-1",
        endpoint_url=endpoint,
        aws_access_key_id="test",
        aws_secret_access_key="test",
    )
    iam.create_user(UserName="tester")
    iam.put_user_policy(UserName="tester", PolicyName="everything", PolicyDocument=json.dumps(_EVERYTHING))
    key = iam.create_access_key(UserName="tester")["AccessKey"]
    # The body is the number of requests that are still not checked.
    request = urllib.request.Request(f"{endpoint}/moto-api/reset-auth", b"0", {"Content-Type": "text/plain"})
    urllib.request.urlopen(request).close()
    return s3_variables(endpoint, key["AccessKeyId"], key["SecretAccessKey"])


def _endpoint(process: "subprocess.Popen[bytes]", log: Path) -> str:
    # The server chooses the port, so that no other process can take it in between.
    given_up = time.monotonic() + _PATIENCE_SECONDS
    while time.monotonic() < given_up and process.poll() is None:
        if running := _RUNNING.search(log.read_text()):
            return running[1]
        time.sleep(0.05)
    raise RuntimeError(f"The S3 server did not start:\n{log.read_text()}")
