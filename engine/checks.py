"""Checks of the configuration that no single value can make, each with its mend."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from engine import environment, tables
from engine.channels import Channel
from engine.domain import Platform, TierName
from engine.environment import Problem, Variables
from engine.models import ModelSpec, Price
from engine.screening import Screen
from engine.settings import LOOPBACK
from engine.tables import UNKNOWN, ModelTable, ProviderKind, Tables, TierTable

SIGNING_VARIABLE = "STRIPE_WEBHOOK_SECRET"
WAYS_TO_HEAR = "Set SLACK_APP_TOKEN (Socket Mode) or SLACK_SIGNING_SECRET (HTTP)."
SHORTEST_KEY = 32
SHORTEST_TOKEN = 20


def check_variables(variables: Variables, *, setting_up: bool = False) -> list[Problem]:
    """All checks of the environment; while Stripe is being set up, its signing secret may be missing."""
    groups = (
        check_address,
        check_admins,
        check_database,
        check_slack,
        check_stripe,
        check_playground,
        check_metrics,
        check_shards,
        check_prompt_key,
        check_mail,
    )
    problems = [problem for check in groups for problem in check(variables)]
    return [problem for problem in problems if not (setting_up and problem.where == SIGNING_VARIABLE)]


def check_moderation(parsed: Tables, variables: Variables) -> list[Problem]:
    """Who is to look at questions can be asked."""
    if parsed.moderation.check is not Screen.OPENAI or variables.openai_api_key:
        return []
    mend = 'Set OPENAI_API_KEY, or set check to "words" or "off".'
    return [Problem("config.toml moderation.check", "asks OpenAI, for which there is no key", mend)]


def check_address(variables: Variables) -> list[Problem]:
    """Links need a whole address."""
    url = variables.app_url
    if url is None or (url.startswith(("http://", "https://")) and urlsplit(url).hostname):
        return []
    return [Problem("APP_URL", f"{url!r} is no address", "Write it whole, as in https://chat.example.com.")]


def check_admins(variables: Variables) -> list[Problem]:
    """Each operator is a person of a platform, by the number where that gives its people numbers."""
    try:
        people = environment.admins(variables)
    except ValueError as error:
        return [Problem("ADMIN_IDS", str(error), "Divide several by commas.")]
    named = [each for each in people if each.platform is Platform.DISCORD and not each.user.isdecimal()]
    mend = "Use the number that `Copy User ID` gives; Developer Mode in Discord's settings shows it."
    return [Problem("ADMIN_IDS", f"{each} is no id of Discord's", mend) for each in named]


def check_prompt_key(variables: Variables) -> list[Problem]:
    """What seals members' words is no short password."""
    key = variables.prompt_key
    return check_key("PROMPT_KEY", key.get_secret_value() if key else "")


def check_key(name: str, keys: str) -> list[Problem]:
    """A variable that may hold several keys, divided by commas, holds no short one."""
    if keys and any(len(each.strip()) < SHORTEST_KEY for each in keys.split(",")):
        mend = "Make one with `openssl rand -base64 32`."
        return [Problem(name, f"is shorter than {SHORTEST_KEY} characters", mend)]
    return []


def check_database(variables: Variables) -> list[Problem]:
    """The database's address names a kind that we know; it is not repeated, since it may hold a password."""
    if variables.database_url.startswith(("sqlite:///", "postgresql://", "postgres://")):
        return []
    mend = "Write sqlite:///data/chat.db or postgresql://user@host:port/name."
    return [Problem("DATABASE_URL", "names no database that is known here", mend)]


def check_tables(parsed: Tables) -> list[Problem]:
    """What no single table can see."""
    problems: list[Problem] = []
    if TierName.FREE not in parsed.tiers:
        problems.append(
            Problem("config.toml tiers.free", "missing", "Every member without a subscription needs it.")
        )
    builtin = {kind.value for kind in ProviderKind if kind is not ProviderKind.COMPATIBLE}
    known = builtin | set(parsed.providers)
    taken = sorted(builtin & set(parsed.providers))
    problems += [
        Problem(f"config.toml providers.{name}", "is built in", "Choose another name.") for name in taken
    ]
    unknown = sorted(set(parsed.ceilings.vendor_day) - known)
    problems += [
        Problem("config.toml ceilings.vendor_day", f"unknown provider {name!r}", "Name one that models use.")
        for name in unknown
    ]
    if parsed.summaries.model and parsed.summaries.model not in parsed.models:
        mend = "Name a model of this file, or remove the key."
        problems.append(Problem("config.toml summaries.model", "unknown model", mend))
    if parsed.moderation.check is Screen.WORDS and not any(map(str.strip, parsed.moderation.words)):
        mend = "List some, or set check to another value."
        problems.append(Problem("config.toml moderation.words", "is empty", mend))
    problems += check_channels("alerts.channels", parsed.alerts.channels)
    problems += check_channels("report.channels", parsed.report.channels)
    problems += check_zone(parsed.report.zone)
    problems += [problem for name, table in parsed.tiers.items() for problem in check_stop(name, table)]
    for name, table in parsed.models.items():
        problems += check_model(name, table, known, set(parsed.models))
    return problems


def check_channels(where: str, names: Sequence[str]) -> list[Problem]:
    """Each is a channel of a platform, by its id."""
    problems = []
    for name in names:
        try:
            Channel.parse(name)
        except ValueError as error:
            mend = (
                "Discord: Copy Channel ID, with Developer Mode on; Slack: both ids are in the channel's link."
            )
            problems.append(Problem(f"config.toml {where}", str(error), mend))
    return problems


def check_zone(zone: str) -> list[Problem]:
    """The clock by which the daily report comes is known."""
    try:
        ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError, OSError):  # a folder of zones, or a path out of it
        mend = "Write one like Europe/Berlin, as in the list of time zones of the IANA."
        return [Problem("config.toml report.zone", f"{zone!r} is no time zone", mend)]
    return []


def check_mail(variables: Variables) -> list[Problem]:
    """Mail needs a server, a sender and receivers, or none of these."""
    given = {
        "SMTP_URL": variables.smtp_url,
        "MAIL_FROM": variables.mail_from,
        "MAIL_TO": variables.mail_to,
    }
    there = [name for name, value in given.items() if value]
    if not there:
        return []
    mend = "Set it, or unset the others: smtp://user:password@host:587, a sender, and receivers."
    problems = [
        Problem(name, f"is missing beside {' and '.join(there)}", mend)
        for name, value in given.items()
        if not value
    ]
    problems += check_smtp(variables.smtp_url.get_secret_value()) if variables.smtp_url else []
    addresses = [("MAIL_FROM", variables.mail_from)] if variables.mail_from else []
    addresses += [("MAIL_TO", each) for each in (variables.mail_to or "").split(",") if variables.mail_to]
    problems += [
        Problem(name, f"{each.strip()!r} is no mail address", "Write name@example.com.")
        for name, each in addresses
        if not ADDRESS.fullmatch(each.strip())
    ]
    return problems


ADDRESS = re.compile(r"[^\s@<>,;:\"]+@[^\s@<>,;:\"]+\.?[^\s@<>,;:\"]*")


def check_smtp(address: str) -> list[Problem]:
    """The server is named whole; what is wrong is said without the password in it."""
    try:
        url = urlsplit(address)
        fits = url.scheme in {"smtp", "smtps"} and url.hostname and (url.port is None or url.port > 0)
    except ValueError:  # a port that is none
        fits = False
    if fits:
        return []
    mend = (
        "Write smtp://user:password@host:587, or smtps:// for TLS from the start; %40 is an @ in a password."
    )
    return [Problem("SMTP_URL", "is no address of a mail server", mend)]


def check_stop(name: TierName, table: TierTable) -> list[Problem]:
    """Where all ends is not below where models step down."""
    ceiling, stop = table.cost_ceiling_month, table.cost_stop_month
    if stop is None or (ceiling is not None and ceiling <= stop):
        return []
    mend = "Set cost_ceiling_month, and to no more than that."
    return [Problem(f"config.toml tiers.{name}.cost_stop_month", "lies below where it would step down", mend)]


LONGEST_NAME = 36
"""Characters of a model's name: Discord keeps 100 of what a button asks, with its owner and the turn."""


def check_model(name: str, table: ModelTable, providers: set[str], models: set[str]) -> list[Problem]:
    """A model has a name that fits on buttons, a vendor, room for its input, and fallbacks that exist."""
    where = f"config.toml models.{name}"
    problems = []
    if len(name) > LONGEST_NAME:
        mend = f"Take at most {LONGEST_NAME} characters; `id` is the vendor's name."
        problems.append(Problem(where, "has too long a name", mend))
    if table.provider not in providers:
        mend = f"Use one of {', '.join(sorted(providers))}, or add [providers.{table.provider}]."
        problems.append(Problem(where, f"unknown provider {table.provider!r}", mend))
    if table.max_output >= table.context:
        problems.append(Problem(where, "max_output leaves no room in context", "Lower max_output."))
    problems += check_days(where, table)
    unknown = sorted(set(table.fallback) - models)
    return problems + [
        Problem(where, f"unknown fallback {each!r}", "Name a model of this file.") for each in unknown
    ]


PriceNow = Callable[[ModelSpec], Price | None]
"""The price of a model as it would be sold now: config.toml's, else that of the price book."""


def check_days(where: str, table: ModelTable) -> list[Problem]:
    """Several prices are at least one, and of one day there is one."""
    if not isinstance(table.price, tuple):
        return []
    if not table.price:
        return [Problem(where, "has an empty list of prices", "Give it one, or remove the key.")]
    days = Counter(each.since for each in table.price)
    twice = sorted(day for day, times in days.items() if times > 1)
    return [Problem(where, f"has two prices from {day}", "Keep one of them.") for day in twice]


def check_prices(parsed: Tables, price_now: PriceNow) -> list[Problem]:
    """Every model has a price, or says that nobody knows it where nothing has to count what it costs."""
    return [
        problem
        for name, table in parsed.models.items()
        for problem in unpriced(parsed, name, table, price_now)
    ]


def unpriced(parsed: Tables, name: str, table: ModelTable, price_now: PriceNow) -> Iterator[Problem]:
    """What is wrong with a model that has no price."""
    if price_now(tables.model(name, table)):
        return
    where = f"config.toml models.{name}"
    if table.price != UNKNOWN:
        first = (
            min((each.since for each in table.price), default=None)
            if isinstance(table.price, tuple)
            else None
        )
        what = f"has no price before {first}" if first else "has no price"
        mend = (
            "Give it one, as price = { input = 0.10, output = 0.40 } in USD per million tokens, or "
            'price = "unknown" to offer it to paying tiers without a cost ceiling alone.'
        )
        yield Problem(where, f"{what}, here or in the price book", mend)
        return
    ceilings = parsed.ceilings
    counting = [
        *(["bot_month"] if ceilings.bot_month is not None else ()),
        *(["vendor_day"] if table.provider in ceilings.vendor_day else ()),
    ]
    for key in counting:
        what = f"has an unknown price, which ceilings.{key} could not count"
        yield Problem(where, what, "Give it a price, rather too high than too low, or remove that ceiling.")


def price_remarks(parsed: Tables, price_now: PriceNow) -> Iterator[str]:
    """What becomes of the models whose price is said to be unknown."""
    for name in (name for name, table in parsed.models.items() if table.price == UNKNOWN):
        table = parsed.models[name]
        if price_now(tables.model(name, table)):
            yield f'config.toml models.{name}: the price book knows its price, which holds; remove "unknown".'
            continue
        tiers = (tables.tier(each, 0, row) for each, row in parsed.tiers.items())
        may = [each.name for each in tiers if table.klass in each.classes and each.uncounted]
        whom = (
            f"{', '.join(may)} alone" if may else "nobody, since no paying tier of its class is without one"
        )
        yield (
            f"config.toml models.{name}: its price is unknown, so that no ceiling can count it. "
            f"It is offered to {whom}; give it a price to offer it to all."
        )


def check_slack(variables: Variables) -> list[Problem]:
    """Slack needs a bot token, or OAuth, and one way to get events."""
    either = variables.slack_app_token or variables.slack_signing_secret
    oauth = variables.slack_client_id or variables.slack_client_secret or variables.slack_token_key
    if oauth:
        return check_slack_oauth(variables, heard=bool(either))
    if variables.slack_bot_token and not either:
        return [Problem("SLACK_BOT_TOKEN", "is set without a way to receive events", WAYS_TO_HEAR)]
    if either and not variables.slack_bot_token:
        mend = (
            "Set SLACK_BOT_TOKEN (xoxb-...) from the app's OAuth page, or for many workspaces "
            "SLACK_CLIENT_ID and SLACK_CLIENT_SECRET, or unset the others."
        )
        return [Problem("SLACK_BOT_TOKEN", "is missing beside the other Slack variables", mend)]
    return []


def check_slack_oauth(variables: Variables, *, heard: bool) -> list[Problem]:
    """Installation into many workspaces needs both halves of the app's identity, and no token of one."""
    problems = []
    pair = {
        "SLACK_CLIENT_ID": variables.slack_client_id,
        "SLACK_CLIENT_SECRET": variables.slack_client_secret,
    }
    for name in [name for name, value in pair.items() if not value]:
        mend = "Copy it from the app's page Basic Information, or unset the others for a single workspace."
        problems.append(Problem(name, "is missing for the installation into many workspaces", mend))
    if variables.slack_bot_token:
        mend = (
            "With OAuth each workspace has a token of its own: unset SLACK_BOT_TOKEN and install the app at "
            "APP_URL/slack/install, or unset SLACK_CLIENT_ID and SLACK_CLIENT_SECRET."
        )
        problems.append(Problem("SLACK_BOT_TOKEN", "is set beside SLACK_CLIENT_ID", mend))
    if not heard:
        problems.append(Problem("SLACK_CLIENT_ID", "is set without a way to receive events", WAYS_TO_HEAR))
    key = variables.slack_token_key
    return problems + check_key("SLACK_TOKEN_KEY", key.get_secret_value() if key else "")


def check_stripe(variables: Variables) -> list[Problem]:
    """A key without a signing secret would take money and never hear of it."""
    problems = []
    key, secret = variables.stripe_secret_key, variables.stripe_webhook_secret
    if key and not secret:
        mend = (
            "Run `python main.py stripe-setup`, which makes the endpoint APP_URL/stripe/webhook and prints "
            "its signing secret (whsec_...), or copy it from Stripe."
        )
        problems.append(Problem(SIGNING_VARIABLE, "is missing beside STRIPE_SECRET_KEY", mend))
    if secret and not key:
        mend = "Set the secret or restricted key of the same Stripe account, or unset STRIPE_WEBHOOK_SECRET."
        problems.append(Problem("STRIPE_SECRET_KEY", "is missing beside STRIPE_WEBHOOK_SECRET", mend))
    if key and key.get_secret_value().startswith("pk_"):
        problems.append(
            Problem("STRIPE_SECRET_KEY", "is a publishable key", "Use the one that begins with sk_ or rk_.")
        )
    return problems


def check_playground(variables: Variables) -> list[Problem]:
    """The playground is never an open door."""
    if variables.playground and variables.host not in LOOPBACK and not variables.playground_key:
        mend = (
            "Set PLAYGROUND_KEY to a secret that visitors have to give, or HOST=127.0.0.1, or PLAYGROUND=0."
        )
        return [Problem("PLAYGROUND", f"is on while HOST={variables.host} can be reached by others", mend)]
    return []


def check_metrics(variables: Variables) -> list[Problem]:
    """Metrics tell what the house costs, so they are no open door either."""
    port, token, problems = variables.metrics_port, variables.metrics_token, []
    if token and len(token.get_secret_value()) < SHORTEST_TOKEN:
        mend = f"Give it at least {SHORTEST_TOKEN} characters by chance."
        problems.append(Problem("METRICS_TOKEN", "is short enough to be guessed", mend))
    if port is not None and not token and variables.host not in LOOPBACK:
        mend = "Set METRICS_TOKEN to a secret that Prometheus has to send, or HOST=127.0.0.1."
        problems.append(
            Problem("METRICS_PORT", f"is on while HOST={variables.host} can be reached by others", mend)
        )
    if port and port == variables.port:
        problems.append(Problem("METRICS_PORT", "is the port of the web server", "Take another one."))
    return problems


def check_shards(variables: Variables) -> list[Problem]:
    """Shard ids are numbers below the count."""
    ids, count = variables.discord_shard_ids, variables.discord_shard_count
    if ids is None:
        return []
    numbers = [part.strip() for part in ids.split(",")]
    if count is None or not all(each.isdigit() and int(each) < count for each in numbers):
        mend = "Give ids as 0,1,2 below DISCORD_SHARD_COUNT, which has to be set too."
        return [Problem("DISCORD_SHARD_IDS", f"{ids!r} does not fit", mend)]
    return []
