"""The environment as typed variables: process, `.env` file and `NAME_FILE` secrets."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, DotEnvSettingsSource

from engine.domain import Person

FILE_SUFFIX = "_FILE"


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong with the configuration, and how to mend it."""

    where: str
    what: str
    mend: str

    def __str__(self) -> str:
        return f"{self.where}: {self.what}. {self.mend}"


class Variables(BaseModel):
    """The variables with fixed names; an empty one is as good as unset."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    host: str = "127.0.0.1"
    port: int = Field(default=8080, ge=0, le=65535)
    app_url: str | None = None
    config: Path = Path("config.toml")
    database_url: str = "sqlite:///data/chat.db"
    pg_prepared_statements: bool = True
    discord_token: SecretStr | None = None
    discord_shard_ids: str | None = None
    discord_shard_count: int | None = Field(default=None, ge=1)
    discord_api_base: str | None = None
    discord_gateway_url: str | None = None
    slack_bot_token: SecretStr | None = None
    slack_app_token: SecretStr | None = None
    slack_signing_secret: SecretStr | None = None
    slack_api_url: str = "https://slack.com/api/"
    slack_client_id: str | None = None
    slack_client_secret: SecretStr | None = None
    slack_token_key: SecretStr | None = None
    openai_api_key: SecretStr | None = None
    openai_base_url: str | None = None
    anthropic_api_key: SecretStr | None = None
    anthropic_base_url: str | None = None
    gemini_api_key: SecretStr | None = None
    gemini_base_url: str | None = None
    gemini_api_version: str = "v1beta"
    stripe_secret_key: SecretStr | None = None
    stripe_api_base: str | None = None
    stripe_webhook_secret: SecretStr | None = None
    stripe_price_premium: str | None = None
    stripe_price_premium_yearly: str | None = None
    stripe_price_team: str | None = None
    stripe_price_team_yearly: str | None = None
    stripe_price_pro: str | None = None
    stripe_price_pro_yearly: str | None = None
    stripe_success_url: str | None = None
    stripe_cancel_url: str | None = None
    prompt_key: SecretStr | None = None
    admin_ids: str | None = None
    smtp_url: SecretStr | None = None
    mail_from: str | None = None
    mail_to: str | None = None
    playground: bool | None = None
    playground_key: SecretStr | None = None
    metrics_port: int | None = Field(default=None, ge=0, le=65535)
    metrics_token: SecretStr | None = None
    log_format: str | None = Field(default=None, pattern="^(console|json)$")


SECRETS = frozenset(
    name for name, field in Variables.model_fields.items() if "SecretStr" in str(field.annotation)
)


def read(environ: Mapping[str, str], dotenv: Path | None) -> tuple[Mapping[str, str], list[Problem]]:
    """All variables by upper-case name: the process before `.env`, a value before its `NAME_FILE`."""
    problems = []
    try:
        written = from_dotenv(dotenv)
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        written = {}
        problems.append(Problem(str(dotenv), f"cannot be read ({why})", "Let this user read it, as UTF-8."))
    merged = {**written, **{name.upper(): value for name, value in environ.items()}}
    values = {name: value for name, value in merged.items() if value.strip()}
    for name, path in list(values.items()):
        plain = name.removesuffix(FILE_SUFFIX)
        if plain == name or plain in values or not secret(plain):
            continue
        try:
            values[plain] = Path(path).read_text().strip()
        except OSError as error:
            problems.append(
                Problem(name, f"{path} cannot be read ({error.strerror})", "Check path and permissions.")
            )
    return values, problems


def secret(name: str) -> bool:
    """Whether a variable may be given as a file: our own secrets and the keys that config.toml names."""
    return name.lower() in SECRETS or name == "DATABASE_URL" or name.endswith("_API_KEY")


def from_dotenv(path: Path | None) -> Mapping[str, str]:
    """The variables of a `.env` file, none if there is no such file."""
    if path is None or not path.is_file():
        return {}
    source = DotEnvSettingsSource(_Nothing, env_file=path, case_sensitive=True)
    return {name.upper(): value for name, value in source.env_vars.items() if value}


class _Nothing(BaseSettings):
    """DotEnvSettingsSource wants a settings class to read for."""


def typed(values: Mapping[str, str]) -> tuple[Variables, list[Problem]]:
    """The fixed variables; those that do not parse are reported and left at their defaults."""
    lowered = {name.lower(): value.strip() for name, value in values.items()}
    try:
        return Variables.model_validate(lowered), []
    except ValidationError as error:
        problems = [problem(each["loc"], each["msg"]) for each in error.errors()]
        bad = {str(each["loc"][0]) for each in error.errors()}
        return Variables.model_validate({k: v for k, v in lowered.items() if k not in bad}), problems


def admins(variables: Variables) -> tuple[Person, ...]:
    """The operators; ValueError if one of them is no person."""
    return tuple(Person.parse(each) for each in (variables.admin_ids or "").split(",") if each.strip())


def problem(loc: tuple[int | str, ...], message: str) -> Problem:
    """A variable that does not parse."""
    return Problem(str(loc[0]).upper(), message, "See .env.example for what it takes.")
