"""Settings from the environment or `.env`, listed in `.env.example`."""

import os
import re
from collections.abc import Iterable
from functools import cached_property
from pathlib import Path
from typing import Any

from dotenv import dotenv_values
from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from ingestion.landing import s3
from lakehouse.errors import UsageError
from lakehouse.project import find_project
from lakehouse.warehouse import Warehouse


class Settings(BaseSettings):
    """Typed settings; paths are absolute, whatever folder the command was started in."""

    model_config = SettingsConfigDict(env_ignore_empty=True, extra="ignore")

    project: Path = Field(validation_alias="LAKEHOUSE_PROJECT")
    home: Path = Field(
        default_factory=lambda given: given["project"] / ".lakehouse", validation_alias="LAKEHOUSE_HOME"
    )
    landing_setting: str | None = Field(None, validation_alias="LAKEHOUSE_LANDING")
    bronze_setting: str | None = Field(None, validation_alias="LAKEHOUSE_BRONZE")
    kafka: str | None = Field(None, validation_alias="LAKEHOUSE_KAFKA")
    watermark: str = Field("30 seconds", validation_alias="LAKEHOUSE_WATERMARK")
    databricks_host: str | None = Field(None, validation_alias="DATABRICKS_HOST")
    databricks_http_path: str | None = Field(None, validation_alias="DATABRICKS_HTTP_PATH")
    databricks_token: str | None = Field(None, validation_alias="DATABRICKS_TOKEN", repr=False)
    databricks_catalog: str = Field("lakehouse", validation_alias="DATABRICKS_CATALOG")
    databricks_schema: str = Field("gold", validation_alias="DATABRICKS_SCHEMA")

    @field_validator("home")
    @classmethod
    def _absolute_home(cls, home: Path) -> Path:
        if home.exists() and not home.is_dir():
            raise ValueError(f"{home} is a file; give a folder")
        return _absolute(home)

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
            raise ValueError(f"'{servers}' is not host:port, or several of them with commas between")
        return servers and ",".join(addresses)

    @cached_property
    def landing(self) -> str:
        """The landing zone, a folder or `s3://...`; `<home>/landing` when `LAKEHOUSE_LANDING` is not set."""
        return _place(self.landing_setting or str(self.home / "landing"))

    @cached_property
    def bronze(self) -> str:
        """Where the bronze tables lie, a folder or `s3://...`; in the warehouse by default."""
        return _place(self.bronze_setting or str(self.home / "warehouse" / "bronze.db")).rstrip("/")

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
        values = dotenv_values(self.project / ".env") | os.environ
        return {name: SecretStr(value) for name in names if (value := values.get(name))}


def load_settings(**overrides: str | None) -> Settings:
    """Read the settings; `overrides` (by environment name) win over environment and `.env`.

    Raises:
        UsageError: a setting is malformed, which the message names, or there is no dbt project.
    """
    project = find_project(overrides.get("LAKEHOUSE_PROJECT"))
    given: dict[str, Any] = {name: value for name, value in overrides.items() if value is not None}
    given |= {"_env_file": project / ".env", "LAKEHOUSE_PROJECT": project}
    try:
        return Settings(**given)
    except ValidationError as error:
        problems = "; ".join(
            f"{e['loc'][0]}: {e['msg'].removeprefix('Value error, ')}" for e in error.errors()
        )
        raise UsageError(f"{problems}. See .env.example.") from None


def _is_address(text: str) -> bool:
    address = re.fullmatch(r"(?:[\w.-]+|\[[0-9a-fA-F:]+\]):(\d{1,5})", text)
    return address is not None and 0 < int(address[1]) < 65536


def _place(setting: str) -> str:
    return setting if setting.startswith(s3.SCHEME) else str(_absolute(Path(setting)))


def _absolute(path: Path) -> Path:
    path = path.expanduser().absolute()
    # Spark names files without `..`, and a file with two names would be loaded twice. Links stay as they are.
    return path.resolve() if ".." in path.parts else path
