"""A Kafka broker of one's own, for trying the streams and for tests: a single node, on this machine only."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
import uuid
from base64 import urlsafe_b64encode
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import FrameType, TracebackType
from typing import Self

from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import AdminClient, NewTopic

from lakehouse.errors import LakehouseError, UsageError
from lakehouse.settings import load_settings

JARS = Path(__file__).parents[1] / ".cache" / "kafka"
PORT = 9092

_START_SECONDS = 60
_STOP_SECONDS = 30

# One node is enough for everything. Recorded messages are older than any retention, and may be newer than
# this machine's clock.
_PROPERTIES = """\
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:{controller_port}
controller.listener.names=CONTROLLER
listeners=CLIENTS://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller_port}
listener.security.protocol.map=CLIENTS:{protocol},CONTROLLER:PLAINTEXT
inter.broker.listener.name=CLIENTS
log.dirs={folder}/data
log.retention.ms=-1
log.cleaner.dedupe.buffer.size=4194304
num.network.threads=1
num.io.threads=2
# How long a broker that crashed counts as running, and has to wait to come back.
broker.session.timeout.ms=1500
broker.heartbeat.interval.ms=300
log.message.timestamp.after.max.ms=9223372036854775807
group.initial.rebalance.delay.ms=0
offsets.topic.num.partitions=1
offsets.topic.replication.factor=1
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
transaction.state.log.num.partitions=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
"""

_JAVA_OPTIONS = [
    "-Xmx512m",
    "-XX:+UseSerialGC",
    "-XX:TieredStopAtLevel=1",
    "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn",
    "-Dorg.slf4j.simpleLogger.showDateTime=true",
    "-Dorg.slf4j.simpleLogger.dateTimeFormat=yyyy-MM-dd HH:mm:ss",
]


class Broker:
    """A broker whose messages and offsets stay in `folder`, so that it can be stopped and started again.

    It listens on 127.0.0.1 at `port`; 0 takes a free one, which it keeps when it is started again. Topics
    are created when somebody first writes to them, or by `create_topics`. `security` says how clients get in,
    by librdkafka's names, and `properties` are the broker's own for that. As a context manager it is started
    and stopped.
    """

    def __init__(
        self, folder: Path, port: int = 0, security: Mapping[str, str] | None = None, properties: str = ""
    ) -> None:
        self.folder = folder.absolute()
        self._port = port
        self._security: dict[str, str | int | float | bool] = {**(security or {})}
        self._properties = properties
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def address(self) -> str:
        """Host and port, as `LAKEHOUSE_KAFKA` takes them."""
        return f"127.0.0.1:{self._port}"

    @property
    def log(self) -> Path:
        """What the broker has to say, warnings and errors."""
        return self.folder / "broker.log"

    def start(self) -> None:
        """Start the broker and wait until it answers, some seconds; does nothing when it runs.

        Raises:
            UsageError: the port is taken, or the broker's jars or a Java are missing.
            LakehouseError: the broker did not start; the message has the end of its log.
        """
        if self.is_running:
            return
        self._port = self._port or _free_port()
        self._check_possible()
        self.folder.mkdir(parents=True, exist_ok=True)
        properties = self.folder / "server.properties"
        protocol = self._security.get("security.protocol", "PLAINTEXT")
        own = _PROPERTIES.format(
            port=self._port, controller_port=_free_port(), folder=self.folder, protocol=protocol
        )
        properties.write_text(own + self._properties)
        # The last file of the format, so that a start that was killed meanwhile is done again.
        if not (self.folder / "data" / "meta.properties").exists():
            self._format(properties)
        self._process = self._java("kafka.Kafka", str(properties))
        try:
            self._wait_until_ready()
        except BaseException:
            self.kill()
            raise

    def create_topics(self, names: Iterable[str], partitions: int = 1) -> None:
        """Create the topics that do not exist.

        Raises:
            LakehouseError: a topic could not be created.
        """
        # Held in a name: what a client was asked for ends with the client.
        admin = self._admin()
        topics = [NewTopic(name, partitions, 1) for name in names]
        for name, created in admin.create_topics(topics).items():
            try:
                created.result(_START_SECONDS)
            except KafkaException as error:
                if error.args[0].code() != KafkaError.TOPIC_ALREADY_EXISTS:
                    raise LakehouseError(f"Topic {name} could not be created: {error}") from None

    def stop(self) -> None:
        """Stop the broker in good order; one that does not answer within half a minute is killed."""
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """Stop the broker at once, as a crash would; what it acknowledged is there at the next start."""
        self._end(signal.SIGKILL)

    @property
    def is_running(self) -> bool:
        """Whether the process lives."""
        return self._process is not None and self._process.poll() is None

    def _end(self, how: signal.Signals) -> None:
        if self._process is None:
            return
        self._process.send_signal(how)
        try:
            self._process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process = None

    def _check_possible(self) -> None:
        if not JARS.is_dir():
            raise UsageError(
                "The jars of the Kafka broker are missing: run `make kafka`, which fetches them."
            )
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", self._port)) == 0:
                raise UsageError(f"Port {self._port} is taken: is another broker running? Stop it first.")

    def _format(self, properties: Path) -> None:
        cluster = urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
        # An id that begins with a dash would be taken for an option.
        arguments = ["format", "--ignore-formatted", f"--cluster-id={cluster}", f"--config={properties}"]
        if self._java("kafka.tools.StorageTool", *arguments).wait(_START_SECONDS) != 0:
            raise LakehouseError(f"The storage of the broker could not be formatted: {self._log_end()}")

    def _java(self, main: str, *arguments: str) -> "subprocess.Popen[bytes]":
        home = os.environ.get("JAVA_HOME")
        # A Java that `make setup` brought lies beside the Python interpreter.
        path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        java = f"{home}/bin/java" if home else "java"
        with self.log.open("ab") as log:
            try:
                return subprocess.Popen(
                    [java, *_JAVA_OPTIONS, "-cp", f"{JARS}/*", main, *arguments],
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    env=os.environ | {"PATH": path},
                    # Ctrl-C is for the command that runs the broker; it then stops the broker in good order.
                    start_new_session=True,
                )
            except FileNotFoundError:
                raise UsageError(f"There is no Java to run the broker ({java}): run `make setup`.") from None

    def _wait_until_ready(self) -> None:
        admin = self._admin()
        deadline = time.monotonic() + _START_SECONDS
        while self.is_running and time.monotonic() < deadline:
            with contextlib.suppress(KafkaException):
                if admin.list_topics(timeout=1).brokers:
                    return
        raise LakehouseError(f"The Kafka broker did not start: {self._log_end()}")

    def _log_end(self) -> str:
        return f"{self.log} ends with\n{self.log.read_text(errors='replace')[-1500:]}"

    def _admin(self) -> AdminClient:
        return AdminClient(
            self._security
            | {
                "bootstrap.servers": self.address,
                "reconnect.backoff.ms": 50,
                "reconnect.backoff.max.ms": 200,
                "log_level": 0,
            }
        )


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def main() -> None:
    """Run a broker with the topics of the contracts until Ctrl-C; `make kafka`."""
    # A wish to stop ends the wait below.
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        with Broker(load_settings().home / "kafka", PORT) as broker:
            broker.create_topics(_contract_topics())
            print(
                f"A Kafka broker runs on {broker.address}, its data is in {broker.folder}. Ctrl-C stops it.\n"
                "In another shell:\n"
                f"  export LAKEHOUSE_KAFKA={broker.address}\n"
                "  lakehouse replay DIR --to kafka    # sends the recorded messages in DIR, see --help",
                flush=True,
            )
            while broker.is_running:
                time.sleep(0.5)
            raise LakehouseError(f"The Kafka broker ended by itself, see {broker.log}.")
    except KeyboardInterrupt:
        print("\nThe broker has stopped.")
    except LakehouseError as error:
        print(f"Error: {error}", file=sys.stderr)
        sys.exit(error.exit_code)


def _contract_topics() -> list[str]:
    from ingestion.contracts import read_contracts

    return [topic for table in read_contracts(load_settings().models) for topic in table.arrives.topics]


def _interrupt(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    main()
