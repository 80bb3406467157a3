"""config.toml and the environment as one frozen Settings; every problem is reported at once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from types import MappingProxyType
from urllib.parse import unquote, urlsplit
from zoneinfo import ZoneInfo

from pydantic import SecretStr

from engine import checks, environment, tables
from engine.briefs import Reporting
from engine.channels import Channel
from engine.checks import PriceNow
from engine.domain import Interval, TierName
from engine.environment import Problem, Variables
from engine.files import Medium
from engine.models import ModelSpec
from engine.screening import Screen
from engine.settings import (
    Alerting,
    DatabaseSettings,
    DiscordSettings,
    MailSettings,
    MetricsSettings,
    PlaygroundSettings,
    ProviderRow,
    ReturnUrls,
    ServerSettings,
    Settings,
    SlackOAuth,
    SlackSettings,
    StripeSettings,
)
from engine.summaries import Summaries
from engine.tables import AlertsTable, DemoModels, ProviderKind, ReportTable, Tables

BUILT_IN = ("openai", "anthropic", "gemini")
SMTPS, SUBMISSION = 465, 587
SELLABLE = (TierName.PREMIUM, TierName.TEAM, TierName.PRO)


class ConfigurationError(Exception):
    """The configuration cannot be used; `problems` has every reason."""

    def __init__(self, problems: list[Problem]) -> None:
        super().__init__("\n".join(str(problem) for problem in problems))
        self.problems = problems


def load_settings(
    environ: Mapping[str, str],
    dotenv: Path | None = None,
    *,
    setting_up: bool = False,
    price_now: PriceNow | None = None,
) -> Settings:
    """Read everything. ConfigurationError lists all that is wrong, each with its mend.

    `setting_up`: Stripe's signing secret may be missing, since setting up Stripe is what brings it. Without
    `price_now` it is not looked at whether every model has a price.
    """
    values, problems = environment.read(environ, dotenv)
    variables, more = environment.typed(values)
    problems += more
    parsed, more = tables.load(variables.config)
    problems += more
    if not more:
        problems += checks.check_tables(parsed)
        problems += checks.check_moderation(parsed, variables)
        problems += checks.check_prices(parsed, price_now) if price_now else ()
    problems += checks.check_variables(variables, setting_up=setting_up)
    if problems:
        raise ConfigurationError(problems)
    settings = assemble(variables, parsed, values)
    told = checks.price_remarks(parsed, price_now) if price_now else ()
    return replace(settings, remarks=(*settings.remarks, *told))


def config_file(environ: Mapping[str, str], dotenv: Path | None = None) -> Path:
    """Where config.toml is, as these variables name it."""
    return environment.typed(environment.read(environ, dotenv)[0])[0].config


def problems_with(environ: Mapping[str, str]) -> list[Problem]:
    """What is wrong with these variables and the config.toml that they name, before Stripe is set up."""
    try:
        load_settings(environ, setting_up=True)
    except ConfigurationError as error:
        return error.problems
    return []


def assemble(variables: Variables, parsed: Tables, values: Mapping[str, str]) -> Settings:
    """Settings from what was found to be right."""
    server = server_settings(variables)
    providers = provider_rows(variables, parsed, values)
    tiers = {name: tables.tier(name, rank, table) for rank, (name, table) in enumerate(parsed.tiers.items())}
    return Settings(
        server=server,
        database=DatabaseSettings(variables.database_url, variables.pg_prepared_statements),
        discord=discord_settings(variables, parsed),
        slack=slack_settings(variables, parsed),
        stripe=stripe_settings(variables),
        returns=return_urls(variables, server.app_url),
        billing=replace(
            parsed.billing.policy(),
            shared=frozenset(n for n, each in tiers.items() if each.shared),
            order=tuple(tiers),
        ),
        attachments=parsed.attachments.limits(),
        ceilings=parsed.ceilings.ceilings(),
        screening=parsed.moderation.screening(),
        summaries=Summaries(parsed.summaries.on, parsed.summaries.model),
        retention=parsed.retention.retention(),
        announcement_pace=parsed.announcements.pace(),
        prompt_keys=listed(variables.prompt_key),
        admins=environment.admins(variables),
        alerts=alerting(parsed.alerts),
        report=reporting(parsed.report),
        mail=mail_settings(variables),
        providers=providers,
        tiers=MappingProxyType(tiers),
        models=offered(parsed, providers),
        shelf=tuple(tables.model(name, table) for name, table in parsed.models.items()),
        vendor_keys=MappingProxyType(vendor_keys(parsed)),
        system_prompt=parsed.system_prompt,
        welcome=parsed.welcome,
        playground=playground_settings(variables),
        metrics=MetricsSettings(variables.metrics_port, variables.metrics_token),
        log_format=variables.log_format,
        remarks=remarks(parsed, values),
    )


def return_urls(variables: Variables, site: str) -> ReturnUrls:
    """Where Stripe sends members back to."""
    success = f"{site}/billing/success?session_id={{CHECKOUT_SESSION_ID}}"
    return ReturnUrls(
        variables.stripe_success_url or success, variables.stripe_cancel_url or f"{site}/billing/cancel"
    )


def alerting(table: AlertsTable) -> Alerting:
    """Where and how the operator is told things."""
    channels = tuple(map(Channel.parse, table.channels))
    return Alerting(channels, table.language, timedelta(minutes=table.backlog_minutes))


def reporting(table: ReportTable) -> Reporting:
    """When and where the daily report comes."""
    return Reporting(table.hour, ZoneInfo(table.zone), tuple(map(Channel.parse, table.channels)))


def mail_settings(variables: Variables) -> MailSettings | None:
    """The mail server, if there is one; ValueError for an address that is none."""
    if not (variables.smtp_url and variables.mail_from and variables.mail_to):
        return None
    url = urlsplit(variables.smtp_url.get_secret_value())
    tls = url.scheme == "smtps"
    return MailSettings(
        url.hostname or "",
        url.port or (SMTPS if tls else SUBMISSION),
        tls,
        unquote(url.username) if url.username else None,
        SecretStr(unquote(url.password)) if url.password else None,
        variables.mail_from.strip(),
        tuple(each.strip() for each in variables.mail_to.split(",") if each.strip()),
    )


def server_settings(variables: Variables) -> ServerSettings:
    """Listening and public address."""
    host = f"[{variables.host}]" if ":" in variables.host else variables.host
    app_url = variables.app_url or f"http://{host}:{variables.port}"
    return ServerSettings(variables.host, variables.port, app_url.rstrip("/"))


def discord_settings(variables: Variables, parsed: Tables) -> DiscordSettings | None:
    """Discord, if there is a token."""
    if variables.discord_token is None:
        return None
    ids = variables.discord_shard_ids
    return DiscordSettings(
        variables.discord_token,
        variables.discord_api_base,
        variables.discord_gateway_url,
        tuple(int(part) for part in ids.split(",")) if ids else None,
        variables.discord_shard_count,
        parsed.discord.message_content,
    )


def slack_settings(variables: Variables, parsed: Tables) -> SlackSettings | None:
    """Slack, if there is a bot token or OAuth."""
    oauth = slack_oauth(variables)
    if not (variables.slack_bot_token or oauth):
        return None
    url = variables.slack_api_url
    return SlackSettings(
        variables.slack_bot_token,
        variables.slack_app_token,
        variables.slack_signing_secret,
        url if url.endswith("/") else f"{url}/",
        oauth,
        parsed.slack.follow_threads,
    )


def slack_oauth(variables: Variables) -> SlackOAuth | None:
    """Installation into many workspaces, if the app's id and secret are there."""
    client, secret = variables.slack_client_id, variables.slack_client_secret
    if not (client and secret):
        return None
    keys = listed(variables.slack_token_key)
    return SlackOAuth(client, secret, keys, server_settings(variables).app_url)


def listed(secret: SecretStr | None) -> tuple[SecretStr, ...]:
    """The secrets of a variable that may hold several, divided by commas."""
    parts = secret.get_secret_value().split(",") if secret else []
    return tuple(SecretStr(each.strip()) for each in parts if each.strip())


def stripe_settings(variables: Variables) -> StripeSettings | None:
    """Stripe, if there is a secret key."""
    if variables.stripe_secret_key is None:
        return None
    return StripeSettings(
        variables.stripe_secret_key,
        variables.stripe_api_base,
        listed(variables.stripe_webhook_secret),
        MappingProxyType(price_overrides(variables)),
    )


def price_overrides(variables: Variables) -> dict[tuple[TierName, Interval], str]:
    """`STRIPE_PRICE_PREMIUM`, `STRIPE_PRICE_PREMIUM_YEARLY` and their like."""
    suffixes = {Interval.MONTH: "", Interval.YEAR: "_yearly"}
    named = {
        (tier, interval): getattr(variables, f"stripe_price_{tier}{suffix}")
        for tier in SELLABLE
        for interval, suffix in suffixes.items()
    }
    return {key: price for key, price in named.items() if price}


def playground_settings(variables: Variables) -> PlaygroundSettings:
    """On without a chat token, or when asked for."""
    chat = variables.discord_token or variables.slack_bot_token or variables.slack_client_id
    on = variables.playground if variables.playground is not None else not chat
    return PlaygroundSettings(on, variables.playground_key)


def provider_rows(variables: Variables, parsed: Tables, values: Mapping[str, str]) -> tuple[ProviderRow, ...]:
    """The vendors that have what they need: a key, or an address that takes none."""
    version = variables.gemini_api_version
    rows = [
        ProviderRow("openai", ProviderKind.OPENAI, variables.openai_base_url, variables.openai_api_key),
        ProviderRow(
            "anthropic", ProviderKind.ANTHROPIC, variables.anthropic_base_url, variables.anthropic_api_key
        ),
        ProviderRow(
            "gemini", ProviderKind.GEMINI, variables.gemini_base_url, variables.gemini_api_key, version
        ),
    ]
    rows = [row for row in rows if row.api_key]
    for name, table in parsed.providers.items():
        key = values.get(table.api_key_env) if table.api_key_env else None
        if key or not table.api_key_env:
            secret = SecretStr(key) if key else None
            rows.append(ProviderRow(name, table.kind, table.base_url, secret))
    demo = ProviderRow("demo", ProviderKind.DEMO)
    return (*rows, demo) if wants_demo(parsed, rows) else tuple(rows)


def vendor_keys(parsed: Tables) -> dict[str, str]:
    """What switches each provider on."""
    own = {name: table.api_key_env or "" for name, table in parsed.providers.items()}
    return {**own, **{name: f"{name.upper()}_API_KEY" for name in BUILT_IN}, "demo": "demo_models"}


def wants_demo(parsed: Tables, rows: list[ProviderRow]) -> bool:
    """Whether the demo models are offered: unless told otherwise, while no real model is."""
    real = {row.name for row in rows}
    usable = any(table.provider in real for table in parsed.models.values())
    return parsed.demo_models is DemoModels.ALWAYS or (parsed.demo_models is DemoModels.AUTO and not usable)


def offered(parsed: Tables, providers: tuple[ProviderRow, ...]) -> tuple[ModelSpec, ...]:
    """The models whose vendor is switched on."""
    on = {row.name for row in providers}
    return tuple(tables.model(name, table) for name, table in parsed.models.items() if table.provider in on)


def remarks(parsed: Tables, values: Mapping[str, str]) -> tuple[str, ...]:
    """What is worth knowing and stops nothing."""
    told = []
    if parsed.discord.message_content and "DISCORD_TOKEN" in values:
        told.append(
            "config.toml: `message_content` is on. Switch on Message Content Intent on the page Bot of your "
            "application, too, or Discord will not let the bot connect."
        )
    if "PLAYGROUND_KEY" in values and "local:" in values.get("ADMIN_IDS", ""):
        told.append(
            "ADMIN_IDS names somebody of the playground: whoever has PLAYGROUND_KEY can be them, "
            "and is an operator then."
        )
    chat = values.keys() & {"DISCORD_TOKEN", "SLACK_BOT_TOKEN", "SLACK_CLIENT_ID"}
    if chat and "STRIPE_SECRET_KEY" not in values:
        told.append(
            "Payments are SIMULATED: whoever opens a checkout page on this machine gets a tier for nothing. "
            "Configure Stripe before members come, and set PLAYGROUND_KEY if a proxy leads here."
        )
    seen = [name for name, each in parsed.models.items() if Medium.PDF in each.accepts]
    if parsed.moderation.check is Screen.OPENAI and seen:
        told.append(
            "config.toml: [moderation] looks at the text of PDFs, not at what their pages show to "
            f'{", ".join(seen)}. Take "pdf" out of their `accepts` if pictures have to be looked at.'
        )
    return tuple(told)
