"""Kafka that asks who one is: TLS and a password, and what is said when they are wrong."""

import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest
from dbt.adapters.lakehouse.folders import Folders

from ingestion.bronze.topics import TopicLoader
from ingestion.contracts import SourceTable
from ingestion.kafka import Kafka, KafkaDenied, KafkaUnavailable
from ingestion.tables.local import LocalTables
from lakehouse.errors import UsageError
from lakehouse.settings import Settings, load_settings
from sampledata.replay import replay_to_kafka
from tools.broker import Broker

_PASSWORD = "s3cret-of-anna"
_LOGIN = "org.apache.kafka.common.security.plain.PlainLoginModule required"
_PROPERTIES = """\
sasl.enabled.mechanisms=PLAIN
sasl.mechanism.inter.broker.protocol=PLAIN
ssl.keystore.type=PEM
ssl.keystore.location={folder}/server.pem
ssl.truststore.type=PEM
ssl.truststore.location={folder}/ca.pem
listener.name.clients.plain.sasl.jaas.config={login} \\
    username="anna" password="{password}" user_anna="{password}";
"""


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the server's key and certificate, and the certificate alone."""
    folder = tmp_path_factory.mktemp("tls")
    names = ["-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1"]
    files = ["-keyout", str(folder / "key.pem"), "-out", str(folder / "ca.pem")]
    request = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"]
    subprocess.run([*request, *names, *files], check=True, capture_output=True)
    key, certificate = (folder.joinpath(name).read_text() for name in ("key.pem", "ca.pem"))
    folder.joinpath("server.pem").write_text(key + certificate)
    return folder


@pytest.fixture(scope="module")
def guarded(certificates: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    """A broker that wants TLS and a password."""
    security = {
        "security.protocol": "SASL_SSL",
        "sasl.mechanism": "PLAIN",
        "sasl.username": "anna",
        "sasl.password": _PASSWORD,
        "ssl.ca.location": str(certificates / "ca.pem"),
    }
    properties = _PROPERTIES.format(folder=certificates, login=_LOGIN, password=_PASSWORD)
    with Broker(tmp_path_factory.mktemp("kafka"), security=security, properties=properties) as broker:
        yield broker


def _settings(broker: str, certificates: Path, **others: str | None) -> Settings:
    given: Mapping[str, str | None] = {
        "LAKEHOUSE_KAFKA": broker,
        "LAKEHOUSE_KAFKA_SECURITY_PROTOCOL": "SASL_SSL",
        "LAKEHOUSE_KAFKA_SASL_USERNAME": "anna",
        "LAKEHOUSE_KAFKA_SASL_PASSWORD": _PASSWORD,
        "LAKEHOUSE_KAFKA_SSL_CA_LOCATION": str(certificates / "ca.pem"),
    }
    return load_settings(**{**given, **others})


def _loader(kafka: Kafka, contract: Callable[..., SourceTable], folder: Path) -> TopicLoader:
    table = contract(columns="value string", keys=("value",), format="json", path="files/*.json")
    table.arrives.topics = ["letters"]
    return TopicLoader(LocalTables(Folders(folder)), table, kafka)


@pytest.mark.spark
def test_messages_pass_with_tls_and_a_password(
    guarded: Broker, certificates: Path, contract: Callable[..., SourceTable], tmp_path: Path
) -> None:
    guarded.create_topics(["letters"])
    kafka = _settings(guarded.address, certificates).kafka_access
    messages = tmp_path / "recorded" / "kafka_multiplex"
    messages.mkdir(parents=True)
    messages.joinpath("1.json").write_text('{"topic": "letters", "value": "a", "timestamp": 1}')
    assert replay_to_kafka(messages.parent, kafka, tmp_path / "landing", 0).messages == {"letters": 1}
    assert _loader(kafka, contract, tmp_path).load() == 1


@pytest.mark.spark
@pytest.mark.parametrize(
    ("setting", "value", "error", "reason"),
    [
        ("SASL_PASSWORD", "wr0ng", KafkaDenied, "Invalid username or password"),
        ("SSL_CA_LOCATION", None, KafkaDenied, "certificate verify failed"),
        ("SSL_CA_LOCATION", "/nowhere.pem", KafkaDenied, "ssl.ca.location"),
        ("SECURITY_PROTOCOL", "PLAINTEXT", KafkaUnavailable, "does not answer"),
    ],
)
def test_what_keeps_one_out_is_said_within_seconds(
    guarded: Broker,
    certificates: Path,
    contract: Callable[..., SourceTable],
    tmp_path: Path,
    setting: str,
    value: str | None,
    error: type[Exception],
    reason: str,
) -> None:
    settings = _settings(guarded.address, certificates, **{f"LAKEHOUSE_KAFKA_{setting}": value})
    recorded = tmp_path / "recorded" / "gym_logins"
    recorded.mkdir(parents=True)
    recorded.joinpath("1.csv").write_text("mac_address,gym,login,logout\na,5,1,2\n")
    for use in (
        lambda: _loader(settings.kafka_access, contract, tmp_path),
        lambda: replay_to_kafka(recorded.parent, settings.kafka_access, tmp_path / "landing", 0),
    ):
        started = time.monotonic()
        with pytest.raises(error, match=reason) as raised:
            use()
        assert time.monotonic() - started < 10
        assert _PASSWORD not in str(raised.value)
        assert "wr0ng" not in str(raised.value)


def test_the_password_is_never_shown(tmp_path: Path) -> None:
    settings = _settings("127.0.0.1:9092", tmp_path)
    assert settings.kafka_access.security["sasl.password"] == _PASSWORD
    assert _PASSWORD not in f"{settings!r} {settings.kafka_access!r} {settings.model_dump()}"


def test_settings_that_do_not_go_together_are_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="SASL_SSL needs LAKEHOUSE_KAFKA_SASL_PASSWORD"):
        _settings("127.0.0.1:9092", tmp_path, LAKEHOUSE_KAFKA_SASL_PASSWORD=None)
    with pytest.raises(UsageError, match="LAKEHOUSE_KAFKA_SECURITY_PROTOCOL: Input should be 'PLAINTEXT'"):
        _settings("127.0.0.1:9092", tmp_path, LAKEHOUSE_KAFKA_SECURITY_PROTOCOL="TLS")
    with pytest.raises(UsageError) as raised:
        _settings(f"anna:{_PASSWORD}@kafka", tmp_path)
    assert _PASSWORD not in str(raised.value)
