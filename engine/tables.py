"""The tables of config.toml: their keys, checks and defaults."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Discriminator, Field, Tag, ValidationError

from engine.budget import Ceilings
from engine.domain import Micros, Platform, Tier, TierName
from engine.environment import Problem
from engine.files import FileLimits, Medium
from engine.models import DatedPrice, Effort, ModelClass, ModelSpec, Price
from engine.retention import Retention
from engine.screening import Screen, Screening, WhenAway
from engine.terms import FullRefund, Policy, SecondSubscription

MICROS = 1_000_000
Dollars = Annotated[Decimal, Field(ge=0, le=1_000_000_000)]
"""Never NaN or infinite, which pydantic refuses in a Decimal, and small enough for a database's integers."""
Count = Annotated[int, Field(ge=0)]
Positive = Annotated[int, Field(ge=1)]
Days = Annotated[int, Field(ge=1, le=36_500)]
Seconds = Annotated[float, Field(gt=0, le=600)]
ALWAYS = datetime(1970, 1, 1, tzinfo=UTC)


class ProviderKind(StrEnum):
    """How a vendor is spoken to."""

    OPENAI = "openai"
    ANTHROPIC = "anthropic"
    GEMINI = "gemini"
    COMPATIBLE = "openai-compatible"
    DEMO = "demo"


class DemoModels(StrEnum):
    """When the offline demo models are offered."""

    AUTO = "auto"
    ALWAYS = "always"
    NEVER = "never"


class Table(BaseModel):
    """Unknown keys are errors, so that a typo is seen."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class TierTable(Table):
    """`[tiers.NAME]`; an absent limit means unlimited, 0 means none."""

    price_month: Dollars = Decimal(0)
    price_year: Dollars = Decimal(0)
    conversations_per_day: Count | None = None
    turns_per_conversation: Count | None = None
    requests_per_minute: Count | None = None
    concurrent: Count | None = None
    models: tuple[ModelClass, ...] = (ModelClass.EVERYDAY,)
    compare: Count | None = None
    seats: Positive = 1
    cost_ceiling_month: Dollars | None = None
    cost_stop_month: Dollars | None = None
    extra_seat_month: Dollars | None = None
    extra_seat_year: Dollars | None = None


class BillingTable(Table):
    """`[billing]`: how subscriptions are sold, and what is done about money that goes back."""

    trial_days: Count = 0
    promotion_codes: bool = False
    automatic_tax: bool = False
    full_refund: FullRefund = FullRefund.END
    second_subscription: SecondSubscription = SecondSubscription.REFUND
    metered_markup: Dollars = Decimal(0)

    def policy(self) -> Policy:
        """For the rules."""
        return Policy(**dict(self))


class AttachmentsTable(Table):
    """`[attachments]`: the files that a question may bring."""

    max_files: Annotated[int, Field(ge=0, le=10)] = 4
    max_megabytes: Annotated[int, Field(ge=1, le=25)] = 8
    max_pages: Positive = 50

    def limits(self) -> FileLimits:
        """For those who take files."""
        return FileLimits(self.max_files, self.max_megabytes, self.max_pages)


class CeilingsTable(Table):
    """`[ceilings]`: what vendors may charge, whoever asks."""

    bot_month: Dollars | None = None
    free_day: Dollars | None = None
    vendor_day: dict[str, Dollars] = Field(default_factory=dict)

    def ceilings(self) -> Ceilings:
        """For the rules."""
        vendors = {name: micros(dollars) for name, dollars in self.vendor_day.items()}
        return Ceilings(
            micros_or_none(self.bot_month), micros_or_none(self.free_day), MappingProxyType(vendors)
        )


class ModerationTable(Table):
    """`[moderation]`: whether and how a question is looked at before a model sees it."""

    check: Screen = Screen.OFF
    words: tuple[str, ...] = ()
    model: str = "omni-moderation-latest"
    when_away: WhenAway = WhenAway.REFUSE

    def screening(self) -> Screening:
        """For the rules."""
        return Screening(**dict(self))


class SummariesTable(Table):
    """`[summaries]`: what becomes of the beginning of a conversation that has grown long."""

    on: bool = True
    model: str | None = None


class RetentionTable(Table):
    """`[retention]`: after how many days what is old is let go; absent: never."""

    content_days: Days | None = None
    payload_days: Days = 30
    event_days: Days = 400
    audit_days: Days | None = None

    def retention(self) -> Retention:
        """For those who let it go."""
        days = (self.content_days, self.payload_days, self.event_days, self.audit_days)
        return Retention(*(None if each is None else timedelta(days=each) for each in days))


class AlertsTable(Table):
    """`[alerts]`: where the operator is told things beside direct messages, and how patient the watch is."""

    channels: tuple[str, ...] = ()
    language: Annotated[str, Field(pattern="^[a-z]{2}$")] = "en"
    backlog_minutes: Positive = 10


class AnnouncementsTable(Table):
    """`[announcements]`: how many direct messages a minute each process sends of what operators announce."""

    discord_per_minute: int = Field(default=60, ge=1, le=600)
    slack_per_minute: int = Field(default=40, ge=1, le=600)

    def pace(self) -> Mapping[Platform, int]:
        """By platform; the playground's limits are only our own database's."""
        slow = {Platform.DISCORD: self.discord_per_minute, Platform.SLACK: self.slack_per_minute}
        return MappingProxyType({**slow, Platform.LOCAL: 600})


class ReportTable(Table):
    """`[report]`: when the daily report comes, and in which channels beside the mail."""

    hour: Annotated[int, Field(ge=0, le=23)] = 8
    zone: str = "UTC"
    channels: tuple[str, ...] = ()


class DiscordTable(Table):
    """`[discord]`: what the bot may read there."""

    message_content: bool = False


class SlackTable(Table):
    """`[slack]`: what the bot listens to there."""

    follow_threads: bool = True


class ProviderTable(Table):
    """`[providers.NAME]`: a vendor that speaks OpenAI's protocol."""

    kind: ProviderKind = ProviderKind.COMPATIBLE
    base_url: str = Field(pattern="^https?://")
    api_key_env: str | None = None


class PriceTable(Table):
    """USD per million tokens."""

    input: Dollars
    cached_input: Dollars | None = None
    cache_write: Dollars | None = None
    output: Dollars
    reasoning: Dollars | None = None


class DatedPriceTable(PriceTable):
    """The same from a day on, at midnight UTC."""

    since: date = Field(alias="from")


UNKNOWN: Literal["unknown"] = "unknown"
Priced = Annotated[
    Annotated[PriceTable, Tag("[one]")]
    | Annotated[tuple[DatedPriceTable, ...], Tag("[dated]")]
    | Annotated[Literal["unknown"], Tag("[word]")],
    Discriminator(lambda told: {list: "[dated]", str: "[word]"}.get(type(told), "[one]")),
]
"""One price, several with the days from which they hold, or the word that nobody knows it."""


class ModelTable(Table):
    """`[models.NAME]`; without a price it comes from the price book."""

    provider: str
    id: str
    klass: ModelClass = Field(alias="class")
    context: Positive
    max_output: Positive
    price: Priced | None = None
    fallback: tuple[str, ...] = ()
    description: str = ""
    accepts: tuple[Medium, ...] = ()
    reasoning: Effort | None = None
    first_token: Seconds | None = None
    between_tokens: Seconds | None = None
    hedge_after: Seconds | None = None


class Tables(Table):
    """The whole of config.toml."""

    demo_models: DemoModels = DemoModels.AUTO
    system_prompt: str = ""
    welcome: bool = True
    billing: BillingTable = BillingTable()
    attachments: AttachmentsTable = AttachmentsTable()
    ceilings: CeilingsTable = CeilingsTable()
    moderation: ModerationTable = ModerationTable()
    summaries: SummariesTable = SummariesTable()
    retention: RetentionTable = RetentionTable()
    alerts: AlertsTable = AlertsTable()
    announcements: AnnouncementsTable = AnnouncementsTable()
    report: ReportTable = ReportTable()
    discord: DiscordTable = DiscordTable()
    slack: SlackTable = SlackTable()
    tiers: dict[TierName, TierTable] = Field(default_factory=dict)
    providers: dict[str, ProviderTable] = Field(default_factory=dict)
    models: dict[str, ModelTable] = Field(default_factory=dict)


def load(path: Path) -> tuple[Tables, list[Problem]]:
    """Read and check the file; what is wrong is reported and an empty table stands in for it."""
    try:
        raw = tomllib.loads(path.read_text(encoding="utf-8"), parse_float=Decimal)
    except OSError as error:
        mend = "Set CONFIG to your configuration file, or run in the folder that has config.toml."
        return Tables(), [Problem(str(path), f"cannot be read ({error.strerror})", mend)]
    except ValueError as error:
        return Tables(), [Problem(str(path), f"is not TOML: {error}", "Mend that line.")]
    try:
        return Tables.model_validate(raw), []
    except ValidationError as error:
        return Tables(), [complaint(path, each["loc"], each["msg"], each["type"]) for each in error.errors()]


def complaint(path: Path, loc: tuple[int | str, ...], message: str, kind: str) -> Problem:
    """A key that does not fit its table."""
    where = f"{path.name} {'.'.join(str(part) for part in loc if not str(part).startswith('['))}"
    if kind == "extra_forbidden":
        return Problem(
            where, "unknown key", "Remove it or correct its spelling; docs/configuration.md lists all keys."
        )
    return Problem(where, message, "docs/configuration.md tells what it takes.")


def micros(dollars: Decimal) -> Micros:
    """Dollars as micro-dollars, to the nearest one."""
    return Micros(round(dollars * MICROS))


def micros_or_none(dollars: Decimal | None) -> Micros | None:
    """The same for an amount that may be absent."""
    return None if dollars is None else micros(dollars)


def tier(name: TierName, rank: int, table: TierTable) -> Tier:
    """A tier from its table; the order in the file is its rank."""
    return Tier(
        name=name,
        rank=rank,
        price_month=micros(table.price_month),
        price_year=micros(table.price_year),
        conversations_per_day=table.conversations_per_day,
        turns_per_conversation=table.turns_per_conversation,
        requests_per_minute=table.requests_per_minute,
        concurrent=table.concurrent,
        classes=frozenset(table.models),
        compare=table.compare,
        seats=table.seats,
        cost_ceiling_month=micros_or_none(table.cost_ceiling_month),
        cost_stop_month=micros_or_none(table.cost_stop_month),
        extra_seat_month=micros_or_none(table.extra_seat_month),
        extra_seat_year=micros_or_none(table.extra_seat_year),
    )


def model(name: str, table: ModelTable) -> ModelSpec:
    """A model from its table."""
    return ModelSpec(
        name=name,
        provider=table.provider,
        vendor_id=table.id,
        klass=table.klass,
        context=table.context,
        max_output=table.max_output,
        fallback=table.fallback,
        description=table.description,
        accepts=frozenset(table.accepts),
        prices=prices(table.price),
        reasoning=table.reasoning,
        first_token=table.first_token,
        between_tokens=table.between_tokens,
        hedge_after=table.hedge_after,
    )


def prices(
    told: PriceTable | tuple[DatedPriceTable, ...] | Literal["unknown"] | None,
) -> tuple[DatedPrice, ...]:
    """The prices of a model, oldest first; one without a date has always been so."""
    if told is None or told == UNKNOWN:
        return ()
    if isinstance(told, PriceTable):
        return (DatedPrice(ALWAYS, price(told)),)
    dated = (
        DatedPrice(datetime(each.since.year, each.since.month, each.since.day, tzinfo=UTC), price(each))
        for each in told
    )
    return tuple(sorted(dated, key=lambda each: each.since))


def price(table: PriceTable) -> Price:
    """A price from its table; without a cached price, cached tokens cost what others do."""
    cached = table.input if table.cached_input is None else table.cached_input
    return Price(
        micros(table.input),
        micros(cached),
        micros(table.output),
        micros_or_none(table.cache_write),
        micros_or_none(table.reasoning),
    )
