"""How Kafka is reached: its servers, how one gets in, and what it says when one does not."""

from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from confluent_kafka import KafkaError, KafkaException

C = TypeVar("C")

# How long servers may take to answer.
ANSWER_SECONDS = 5

# librdkafka's codes for a login or a certificate that is refused.
_DENIED = ("_AUTHENTICATION", "_SSL", "SASL_AUTHENTICATION_FAILED")


class KafkaUnavailable(Exception):
    """The servers do not answer or lack a topic; the message names `LAKEHOUSE_KAFKA` and the address."""


class KafkaDenied(KafkaUnavailable):
    """The servers refuse the login, or their certificate is not trusted; waiting does not help."""


@dataclass(frozen=True)
class Kafka:
    """Servers, host:port with commas between, and how one gets in, by librdkafka's names."""

    servers: str
    security: Mapping[str, str] = field(default_factory=dict, repr=False)
    _said: "deque[KafkaError]" = field(default_factory=lambda: deque(maxlen=20), repr=False, compare=False)

    def client(self, make: Callable[[dict[str, Any]], C], **options: Any) -> C:
        """A client of confluent_kafka; options are written with underscores for dots.

        Raises:
            KafkaDenied: a setting cannot be used, such as a file of certificates that does not exist.
        """
        from confluent_kafka import KafkaException

        named = {name.replace("_", "."): value for name, value in options.items()}
        # What goes wrong is raised.
        common = {"bootstrap.servers": self.servers, "log_level": 0, "error_cb": self._said.append}
        try:
            return make(common | dict(self.security) | named)
        except KafkaException as error:
            raise KafkaDenied(f"Kafka cannot be used: {error.args[0].str()}. See .env.example.") from None

    def topics(self) -> set[str]:
        """The names of the topics that there are.

        Raises:
            KafkaUnavailable: the servers cannot be reached, within some seconds.
        """
        from confluent_kafka import KafkaException
        from confluent_kafka.admin import AdminClient

        admin = self.client(AdminClient)
        try:
            return set(admin.list_topics(timeout=ANSWER_SECONDS).topics)
        except KafkaException as error:
            raise self.failure(error, admin) from None

    def failure(self, error: "KafkaException", client: Any) -> KafkaUnavailable:
        """What a request that failed is raised as; `client` made it."""
        # What the client noticed meanwhile is told when it is asked.
        client.poll(0)
        said = [*self._said, error.args[0]]
        self._said.clear()
        denied = [reason for reason in said if reason.name() in _DENIED]
        if denied:
            return KafkaDenied(
                f"Kafka at {self.servers} (LAKEHOUSE_KAFKA) does not let the lakehouse in: "
                f"{denied[-1].str()}. Correct the settings LAKEHOUSE_KAFKA_SASL_... and _SSL_..."
            )
        # Of the servers' doors each is named, with what was found there.
        reason = next((reason for reason in said if reason.name() == "_TRANSPORT"), said[-1])
        return KafkaUnavailable(
            f"Kafka at {self.servers} (LAKEHOUSE_KAFKA) does not answer: {reason.str()}. "
            "Is it running, and the address right? `make kafka` starts a broker."
        )
