"""Settings from the environment or `.env`, listed in `.env.example`."""

import os
import re
from collections.abc import Iterable
from dataclasses import asdict
from functools import cached_property
from pathlib import Path
from typing import Any, Literal, Self

from dbt.adapters.lakehouse.folders import problem_of
from pydantic import ByteSize, Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from ingestion.kafka import Kafka
from ingestion.limits import Limits
from lakehouse import places
from lakehouse.env_file import ENCODING, read_env_file, wrong_names
from lakehouse.errors import UsageError
from lakehouse.project import find_project
from lakehouse.warehouse import Warehouse


class Settings(BaseSettings):
    """Typed settings; paths are absolute, whatever folder the command was started in."""

    model_config = SettingsConfigDict(env_ignore_empty=True, env_file_encoding=ENCODING, extra="ignore")

    project: Path = Field(validation_alias="LAKEHOUSE_PROJECT")
    home: Path = Field(
        default_factory=lambda given: given["project"] / ".lakehouse",
        validate_default=True,
        validation_alias="LAKEHOUSE_HOME",
    )
    landing_setting: str | None = Field(None, validation_alias="LAKEHOUSE_LANDING")
    bronze_setting: str | None = Field(None, validation_alias="LAKEHOUSE_BRONZE")
    kafka: str | None = Field(None, validation_alias="LAKEHOUSE_KAFKA")
    kafka_security_protocol: Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"] = Field(
        "PLAINTEXT", validation_alias="LAKEHOUSE_KAFKA_SECURITY_PROTOCOL"
    )
    kafka_sasl_mechanism: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] = Field(
        "PLAIN", validation_alias="LAKEHOUSE_KAFKA_SASL_MECHANISM"
    )
    kafka_sasl_username: str | None = Field(None, validation_alias="LAKEHOUSE_KAFKA_SASL_USERNAME")
    kafka_sasl_password: SecretStr | None = Field(None, validation_alias="LAKEHOUSE_KAFKA_SASL_PASSWORD")
    kafka_ssl_ca_location: Path | None = Field(None, validation_alias="LAKEHOUSE_KAFKA_SSL_CA_LOCATION")
    notify: SecretStr | None = Field(None, validation_alias="LAKEHOUSE_NOTIFY")
    watermark: str = Field("30 seconds", validation_alias="LAKEHOUSE_WATERMARK")
    max_file_bytes: ByteSize = Field(
        ByteSize(Limits.file_bytes), gt=0, validation_alias="LAKEHOUSE_MAX_FILE_BYTES"
    )
    # Arrow counts the bytes of a batch's texts in 32 bits.
    max_record_bytes: ByteSize = Field(
        ByteSize(Limits.record_bytes), gt=0, le=1 << 28, validation_alias="LAKEHOUSE_MAX_RECORD_BYTES"
    )
    max_broken_records: int = Field(
        Limits.broken_records, ge=0, validation_alias="LAKEHOUSE_MAX_BROKEN_RECORDS"
    )
    max_columns: int = Field(Limits.columns, gt=0, validation_alias="LAKEHOUSE_MAX_COLUMNS")
    # Python follows a few hundred levels.
    max_json_depth: int = Field(Limits.json_depth, gt=0, le=300, validation_alias="LAKEHOUSE_MAX_JSON_DEPTH")
    max_sheet_cells: int = Field(Limits.sheet_cells, gt=0, validation_alias="LAKEHOUSE_MAX_SHEET_CELLS")
    max_workbook_bytes: ByteSize = Field(
        ByteSize(Limits.workbook_bytes), gt=0, validation_alias="LAKEHOUSE_MAX_WORKBOOK_BYTES"
    )
    dashboard_password: SecretStr | None = Field(
        None, min_length=8, validation_alias="LAKEHOUSE_DASHBOARD_PASSWORD"
    )
    serve_password: SecretStr | None = Field(None, min_length=8, validation_alias="LAKEHOUSE_SERVE_PASSWORD")
    driver_memory: str = Field("2g", validation_alias="LAKEHOUSE_DRIVER_MEMORY")
    jars: str = Field(".cache/jars", validation_alias="LAKEHOUSE_JARS")
    debug: str | None = Field(None, validation_alias="LAKEHOUSE_DEBUG")
    databricks_host: str | None = Field(None, validation_alias="DATABRICKS_HOST")
    databricks_http_path: str | None = Field(None, validation_alias="DATABRICKS_HTTP_PATH")
    databricks_token: str | None = Field(None, validation_alias="DATABRICKS_TOKEN", repr=False)
    databricks_catalog: str = Field("lakehouse", validation_alias="DATABRICKS_CATALOG")
    databricks_schema: str = Field("gold", validation_alias="DATABRICKS_SCHEMA")

    @field_validator("home", mode="before")
    @classmethod
    def _home(cls, home: str | Path) -> Path:
        return Path(_for_tables(str(places.folder(str(home)))))

    @field_validator("landing_setting", mode="before")
    @classmethod
    def _landing(cls, landing: str | None) -> str | None:
        return landing and places.folder_or_s3(landing)

    @field_validator("bronze_setting", mode="before")
    @classmethod
    def _bronze(cls, bronze: str | None) -> str | None:
        return bronze and _for_tables(places.folder_or_s3(bronze))

    @field_validator("databricks_host")
    @classmethod
    def _host(cls, host: str | None) -> str | None:
        name = (host or "").strip().removeprefix("https://").rstrip("/")
        if host and not re.fullmatch(r"[\w.-]+(:\d{1,5})?", name):
            raise ValueError(f"'{host}' is no host; give one such as dbc-1234.cloud.databricks.com")
        return name or None

    @field_validator("watermark")
    @classmethod
    def _duration(cls, duration: str) -> str:
        if not re.fullmatch(r"\d+ (second|minute|hour)s?", duration):
            raise ValueError(f"'{duration}' is no duration; give one such as '30 seconds' or '2 minutes'")
        return duration

    @field_validator("kafka")
    @classmethod
    def _addresses(cls, servers: str | None) -> str | None:
        addresses = [address.strip() for address in (servers or "").split(",")]
        if servers and not all(_is_address(address) for address in addresses):
            # What stands before an @ may be a password.
            shown = ",".join(address.rpartition("@")[2] for address in addresses)
            raise ValueError(f"'{shown}' is not host:port, or several of them with commas between")
        return servers and ",".join(addresses)

    @model_validator(mode="after")
    def _login(self) -> Self:
        wanted = ("kafka_sasl_username", "kafka_sasl_password")
        missing = [f"LAKEHOUSE_{name.upper()}" for name in wanted if not getattr(self, name)]
        if self.kafka_security_protocol.startswith("SASL") and missing:
            raise ValueError(
                f"LAKEHOUSE_KAFKA_SECURITY_PROTOCOL {self.kafka_security_protocol} needs {', '.join(missing)}"
            )
        return self

    @cached_property
    def kafka_access(self) -> Kafka:
        """How Kafka is reached."""
        security: dict[str, str] = {"security.protocol": self.kafka_security_protocol}
        if self.kafka_security_protocol.startswith("SASL"):
            password = self.kafka_sasl_password or SecretStr("")
            security |= {
                "sasl.mechanism": self.kafka_sasl_mechanism,
                "sasl.username": self.kafka_sasl_username or "",
                "sasl.password": password.get_secret_value(),
            }
        if self.kafka_security_protocol.endswith("SSL") and self.kafka_ssl_ca_location:
            security["ssl.ca.location"] = str(self.kafka_ssl_ca_location.expanduser().absolute())
        return Kafka(self.kafka or "", security)

    @cached_property
    def landing(self) -> str:
        """The landing zone, a folder or `s3://...`; `<home>/landing` when `LAKEHOUSE_LANDING` is not set."""
        return self.landing_setting or str(self.home / "landing")

    @cached_property
    def bronze(self) -> str:
        """Where the bronze tables lie, a folder or `s3://...`; in the warehouse by default."""
        return (self.bronze_setting or str(self.home / "warehouse" / "bronze.db")).rstrip("/")

    @property
    def limits(self) -> Limits:
        """How much a landed file may hold."""
        return Limits(**{name: int(getattr(self, f"max_{name}")) for name in asdict(Limits())})

    @property
    def checkpoints(self) -> Path:
        """Where streams on Spark, and Auto Loader, keep what they have read."""
        return self.home / "checkpoints"

    @property
    def warehouse(self) -> Warehouse:
        """Where the tables are."""
        return Warehouse(self.home / "warehouse", self.bronze)

    @property
    def models(self) -> Path:
        """The folder of the models, and of the contracts beside them."""
        return self.project / "models"

    def named(self, names: Iterable[str]) -> dict[str, SecretStr]:
        """Settings of connectors, whose names the sources declare; only those that are there."""
        values = {**read_env_file(self.project / ".env"), **os.environ}
        return {name: SecretStr(value) for name in names if (value := values.get(name))}


def load_settings(**overrides: str | None) -> Settings:
    """Read the settings; `overrides` (by environment name) win over environment and `.env`.

    Raises:
        UsageError: a setting is malformed, which the message names, or there is no dbt project.
    """
    project = find_project(overrides.get("LAKEHOUSE_PROJECT"))
    _check_env_file(project / ".env")
    given: dict[str, Any] = {name: value for name, value in overrides.items() if value}
    given |= {"_env_file": project / ".env", "LAKEHOUSE_PROJECT": project}
    try:
        return Settings(**given)
    except ValidationError as error:
        problems = "; ".join(
            ": ".join([*map(_alias, e["loc"][:1]), e["msg"].removeprefix("Value error, ")])
            for e in error.errors()
        )
        raise UsageError(f"{problems}. See .env.example.") from None
    except UnicodeEncodeError as error:
        raise UsageError(f"A setting is not UTF-8: {error.object!a}. Give another name.") from None


def wrong_in_environment() -> list[str]:
    """What is wrong with names in the environment that look like settings, a sentence each."""
    return wrong_names(sorted(os.environ), _NAMES)


def _check_env_file(file: Path) -> None:
    values = read_env_file(file)
    if "LAKEHOUSE_PROJECT" in values:
        raise UsageError(f"{file}: LAKEHOUSE_PROJECT says where this file is; set it in the environment.")
    if wrong := wrong_names(values, _NAMES):
        raise UsageError(f"{file}: {' '.join(wrong)}")


def _alias(name: int | str) -> str:
    """How a setting is called in the environment; one whose default is wrong comes as its field."""
    field = Settings.model_fields.get(str(name))
    return str(field.validation_alias if field else name)


# How settings are called in the environment.
_NAMES = [str(field.validation_alias) for field in Settings.model_fields.values()]


def _is_address(text: str) -> bool:
    address = re.fullmatch(r"(?:[\w.-]+|\[[0-9a-fA-F:]+\]):(\d{1,5})", text)
    return address is not None and 0 < int(address[1]) < 65536


def _for_tables(place: str) -> str:
    if not place.startswith("s3://") and (problem := problem_of(place)):
        raise ValueError(f"{place} cannot hold tables: {problem}")
    return place
