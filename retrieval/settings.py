"""Where things are on this machine. Read once, at a door."""

import os
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from retrieval.errors import UnknownSetting

PREFIX = "CINESEEK_"


def _default_home() -> Path:
    return Path.home() / ".cineseek"


def _default_key_file() -> Path:
    config = os.environ.get("XDG_CONFIG_HOME") or str(Path.home() / ".config")
    return Path(config) / "cineseek" / "key"


class Settings(BaseSettings):
    """Deployment settings. Command line beats environment beats cineseek.toml beats defaults.

    `cineseek.toml` lies in the current folder. Everything that CineSeek keeps
    lies under `home`; the key file must not. `precision` is what the published
    encoder's video tower computes in; bf16 is meant for GPUs. With `research` a
    study is shown with its machine estimates and findings, and `cineseek
    classify` makes such findings; no one has shown them to be fit for care.
    """

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, toml_file="cineseek.toml", frozen=True, extra="forbid"
    )

    home: Path = Field(default_factory=_default_home)
    key_file: Path = Field(default_factory=_default_key_file)
    database_url: str = ""
    device: Annotated[str, Field(pattern=r"^(auto|cpu|cuda(:\d+)?)$")] = "auto"
    precision: Literal["fp32", "bf16"] = "fp32"
    site: Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,16}$")] = "local"
    workers: Annotated[int, Field(ge=0)] = 0
    research: bool = False

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Put the TOML file below the environment."""
        return init_settings, env_settings, TomlConfigSettingsSource(settings_cls)

    @property
    def catalog_url(self) -> str:
        """The catalog's database: `database_url`, or SQLite inside the home."""
        return self.database_url or f"sqlite:///{self.home.absolute() / 'catalog.db'}"

    @property
    def worker_count(self) -> int:
        """`workers`, or one per usable core when that is 0."""
        return self.workers or len(os.sched_getaffinity(0))


def load(**given: object) -> Settings:
    """Read the settings; None values in `given` count as not given.

    Raises
    ------
    UnknownSetting
        An environment variable begins with CINESEEK_ and names no setting.
    """
    known = [PREFIX + name.upper() for name in Settings.model_fields]
    unknown = sorted(v for v in os.environ if v.startswith(PREFIX) and v not in known)
    if unknown:
        raise UnknownSetting(unknown, known=known)
    return Settings(**{k: v for k, v in given.items() if v is not None})  # pyright: ignore[reportArgumentType]
