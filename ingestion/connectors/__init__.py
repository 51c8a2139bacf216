"""Connectors: what changed in APIs and databases goes to the landing zone, from where it is loaded.

A connector is added by a module with a `Connector`, a line in `KINDS` and in `open_connector`, and the names
of its options in `ingestion.contracts`.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

from pydantic import SecretStr

from ingestion.connectors.stream import Connector, ExtractError
from ingestion.contracts import Extract


@dataclass(frozen=True)
class Kind:
    """Settings of a connector: one of several sets that it needs, what it also takes, what is public."""

    needs: tuple[tuple[str, ...], ...]
    takes: tuple[str, ...] = ()
    public: frozenset[str] = frozenset()


KINDS = {
    "postgres": Kind((("DATABASE_URL",),)),
    "rest": Kind((("API_URL", "API_KEY"),), public=frozenset({"API_URL"})),
    "stripe": Kind((("STRIPE_API_KEY",),), ("STRIPE_API_URL",), frozenset({"STRIPE_API_URL"})),
}


def settings_read(declared: Iterable[Extract]) -> set[str]:
    """Names of all settings that the connectors of some streams read."""
    return {
        each.settings.get(name, name)
        for each in declared
        for names in (*KINDS[each.connector].needs, KINDS[each.connector].takes)
        for name in names
    }


def missing_settings(declared: Extract, settings: Mapping[str, SecretStr]) -> str:
    """Settings that the connector of a stream lacks, alternatives with `or` between; empty where none is."""
    sets = [
        [name for name in (declared.settings.get(need, need) for need in needs) if name not in settings]
        for needs in KINDS[declared.connector].needs
    ]
    return "" if not all(sets) else " or ".join(" and ".join(names) for names in sets)


def settings_of(declared: Extract, settings: Mapping[str, SecretStr]) -> dict[str, SecretStr]:
    """The settings of a stream's connector, by the names that it knows them by.

    Raises:
        ExtractError: one is missing.
    """
    if missing := missing_settings(declared, settings):
        raise ExtractError(f"the connector {declared.connector} needs {missing}: see .env.example")
    kind = KINDS[declared.connector]
    names = {name for names in (*kind.needs, kind.takes) for name in names}
    renamed = {name: settings.get(declared.settings.get(name, name)) for name in names}
    return {name: value for name, value in renamed.items() if value is not None}


def open_connector(name: str, settings: Mapping[str, SecretStr]) -> Connector:
    """A connector by its name, with its settings."""
    # Their clients take a while to import, and most commands need none.
    match name:
        case "postgres":
            from ingestion.connectors.postgres import Postgres

            return Postgres(settings)
        case "rest":
            from ingestion.connectors.rest import Rest

            return Rest(settings)
        case "stripe":
            from ingestion.connectors.stripe import Stripe

            return Stripe(settings)
        case _:
            raise ExtractError(f"there is no connector '{name}'")


def redacted(text: str, declared: Extract, settings: Mapping[str, SecretStr]) -> str:
    """A text without the secrets among a connector's settings, nor passwords in its URLs."""
    for name, setting in settings.items():
        secret = setting.get_secret_value()
        password = urlsplit(secret).password or ""
        hidden = [password, unquote(password)]
        if name not in KINDS[declared.connector].public:
            hidden.insert(0, secret)
        for part in filter(None, hidden):
            text = text.replace(part, "***")
    return text
