"""All that the operator decided, as values: what config.toml and the environment come to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from pydantic import SecretStr

from engine.briefs import Reporting
from engine.budget import Ceilings
from engine.channels import Channel
from engine.domain import Interval, Person, Platform, Tier, TierName
from engine.files import FileLimits
from engine.models import ModelSpec
from engine.retention import Retention
from engine.screening import Screening
from engine.summaries import Summaries
from engine.tables import ProviderKind
from engine.terms import Policy

LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})


@dataclass(frozen=True, slots=True)
class ServerSettings:
    """Where the web server listens, and its public address without a slash at the end."""

    host: str
    port: int
    app_url: str

    @property
    def loopback(self) -> bool:
        """Whether only this machine can reach it."""
        return self.host in LOOPBACK


@dataclass(frozen=True, slots=True)
class DatabaseSettings:
    """`sqlite:///path` or `postgresql://...`."""

    url: str
    prepared_statements: bool
    forced: bool = True
    """Whether SQLite has each commit written to the disk; not where all can be made anew."""


@dataclass(frozen=True, slots=True)
class DiscordSettings:
    """The bot's token and, for proxies and tests, other addresses; shards for several processes."""

    token: SecretStr
    api_base: str | None = None
    gateway_url: str | None = None
    shard_ids: tuple[int, ...] | None = None
    shard_count: int | None = None
    message_content: bool = False
    """Whether to ask for the Message Content intent and follow the bot's own threads without mention."""


@dataclass(frozen=True, slots=True)
class SlackOAuth:
    """What the app is installed into other workspaces with; the first of `token_keys` seals their tokens."""

    client_id: str
    client_secret: SecretStr
    token_keys: tuple[SecretStr, ...]
    app_url: str

    @property
    def install_url(self) -> str:
        """Where an installation begins."""
        return f"{self.app_url}/slack/install"

    @property
    def redirect_url(self) -> str:
        """Where Slack sends the browser back to."""
        return f"{self.app_url}/slack/oauth_redirect"


@dataclass(frozen=True, slots=True)
class SlackSettings:
    """Socket Mode with an app token, HTTP with a signing secret; one of them is set.

    So is one of the bot token, for the operator's own workspace, and `oauth`, for any that installs the app.
    """

    bot_token: SecretStr | None
    app_token: SecretStr | None
    signing_secret: SecretStr | None
    api_url: str
    oauth: SlackOAuth | None = None
    follow_threads: bool = True
    """Whether a member is answered without mention in a thread where they have a conversation."""


@dataclass(frozen=True, slots=True)
class StripeSettings:
    """Keys, signing secrets (several during a rotation) and prices by tier and interval."""

    secret_key: SecretStr
    api_base: str | None
    webhook_secrets: tuple[SecretStr, ...]
    prices: Mapping[tuple[TierName, Interval], str]


@dataclass(frozen=True, slots=True)
class ProviderRow:
    """A vendor that is switched on."""

    name: str
    kind: ProviderKind
    base_url: str | None = None
    api_key: SecretStr | None = None
    api_version: str | None = None


@dataclass(frozen=True, slots=True)
class PlaygroundSettings:
    """Whether the playground is served, and the key that visitors beyond loopback have to give."""

    on: bool
    key: SecretStr | None


@dataclass(frozen=True, slots=True)
class MetricsSettings:
    """Where Prometheus finds us: at a port of its own, with the token on the main one, or not at all."""

    port: int | None
    token: SecretStr | None

    @property
    def on(self) -> bool:
        """Whether anything is counted."""
        return self.port is not None or self.token is not None


@dataclass(frozen=True, slots=True)
class ReturnUrls:
    """Where Stripe sends members back to."""

    success: str
    cancel: str


@dataclass(frozen=True, slots=True)
class Alerting:
    """The channels that are told things, and in what language; how long customers may wait to be read."""

    channels: tuple[Channel, ...] = ()
    language: str = "en"
    backlog: timedelta = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class MailSettings:
    """The server that takes our mail, from whom it is, and to whom.

    `tls`: from the first byte on (smtps); else STARTTLS, which has to be there where there is a password.
    """

    host: str
    port: int
    tls: bool
    username: str | None
    password: SecretStr | None
    sender: str
    receivers: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Settings:
    """All that the operator decided. `remarks` are sentences worth telling that stop nothing."""

    server: ServerSettings
    database: DatabaseSettings
    discord: DiscordSettings | None
    slack: SlackSettings | None
    stripe: StripeSettings | None
    returns: ReturnUrls
    billing: Policy
    attachments: FileLimits
    ceilings: Ceilings
    screening: Screening
    summaries: Summaries
    retention: Retention
    announcement_pace: Mapping[Platform, int]
    """Direct messages a minute of each process."""
    prompt_keys: tuple[SecretStr, ...]
    """The first one seals prompts that are kept, each can open them; none: no prompt is kept."""
    admins: tuple[Person, ...]
    alerts: Alerting
    report: Reporting
    mail: MailSettings | None
    providers: tuple[ProviderRow, ...]
    tiers: Mapping[TierName, Tier]
    models: tuple[ModelSpec, ...]
    """Those whose vendor is switched on."""
    shelf: tuple[ModelSpec, ...]
    """All models of config.toml."""
    vendor_keys: Mapping[str, str]
    """The variable with each provider's key, empty if it needs none; for the demo the key of config.toml."""
    system_prompt: str
    welcome: bool
    playground: PlaygroundSettings
    metrics: MetricsSettings
    log_format: str | None
    remarks: tuple[str, ...]

    @property
    def prompt_secrets(self) -> tuple[str, ...]:
        """`prompt_keys` in the clear."""
        return clear(self.prompt_keys)

    @property
    def slack_secrets(self) -> tuple[str, ...]:
        """What seals the tokens of Slack workspaces, in the clear; none without OAuth."""
        return clear(self.slack.oauth.token_keys) if self.slack and self.slack.oauth else ()


def clear(keys: tuple[SecretStr, ...]) -> tuple[str, ...]:
    """Keys as they are."""
    return tuple(key.get_secret_value() for key in keys)
