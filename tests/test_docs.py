"""What the pages claim, compared with the code."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path, PurePosixPath

import pytest
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from billing.prices import lookup_key, variable
from billing.rights import Right
from billing.webhook import SNAPSHOT_EVENTS, THIN_EVENTS
from bot.commands import BY_NAME, COMMANDS
from bot.console.arguments import ROLES, SIMULATED_ACTS, command_line
from bot.discord.places import NAMES as PERMISSION_NAMES
from bot.slack.manifest import scopes
from engine import environment, tables
from engine.alerts import AlertKind
from engine.domain import FailureReason, Interval, RefusalReason, TierName
from engine.environment import Variables
from engine.facts import AccessReason
from engine.happenings import HappeningKind
from engine.notices import NoticeKind
from engine.terms import DifferenceKind
from tests.pages import (
    Page,
    Row,
    broken_links,
    codes,
    elsewhere,
    long_record,
    lost_names,
    missing_files,
    read_page,
    read_pages,
    rows,
)
from webhooks.metrics import Metrics

ROOT = Path(__file__).parent.parent
PAGES = read_pages(ROOT)
COMPOSE_ONLY = {"POSTGRES_PASSWORD", "COMPOSE_PROFILES"}

Claims = Mapping[str, object]


def page(path: str) -> Page:
    return read_page(ROOT, ROOT / path)


def variables() -> Claims:
    """Each variable with its default, and whether a file may hold it."""
    return {
        name.upper(): (variable_default(field.default), environment.secret(name.upper()))
        for name, field in Variables.model_fields.items()
    }


def variable_default(value: object) -> str:
    if value is None:
        return "unset"
    return "on" if value is True else str(value)


def keys(model: type[BaseModel]) -> Claims:
    """Each key of a table of config.toml with its default; those that are best told in words are None."""
    return {field.alias or name: key_default(field) for name, field in model.model_fields.items()}


def key_default(field: FieldInfo) -> str | None:
    if field.is_required():
        return "required"
    if field.default is None or field.default_factory or isinstance(field.default, BaseModel):
        return None
    value = int(field.default) if isinstance(field.default, Decimal) else field.default
    return json.dumps(value)


def commands_of_main() -> Claims:
    told = command_line().format_help()
    return dict.fromkeys(re.findall(r"^    ([a-z-]+)(?:  |$)", told, re.MULTILINE))


def targets() -> Claims:
    made = re.findall(r"^([a-z]+):.*## ", (ROOT / "Makefile").read_text(), re.MULTILINE)
    return {f"make {target}": None for target in made}


def prices() -> Claims:
    """What is for sale, as config.toml says and billing looks for it."""
    tiers = tomllib.loads((ROOT / "config.toml").read_text())["tiers"]
    return {
        lookup_key((TierName(tier), interval)): (
            tier.capitalize(),
            f"{table[f'price_{interval}']:.2f} USD",
            f"by the {interval}",
            variable((TierName(tier), interval)),
        )
        for tier, table in tiers.items()
        for interval in Interval
        if table[f"price_{interval}"]
    }


def of_variable(row: Row) -> object:
    return (codes(row["Default"]) or [row["Default"]])[0], row["File"] == "yes"


def of_key(row: Row) -> object:
    told = row["Default"]
    return told.strip("`") if told == "required" or told.startswith("`") else None


def of_price(row: Row) -> object:
    return row["Product"], row["Price"], row["Recurs"], row["or the variable"].strip("`")


def of_command(row: Row) -> object:
    return row["What it does"]


def of_metric(row: Row) -> object:
    return row["Kind"], tuple(codes(row["Labels"]))


def nothing(_row: Row) -> object:
    return None


@dataclass(frozen=True)
class Table:
    """A table of a page, what its rows claim (by the code in column `key`), and what is so."""

    path: str
    heading: str
    key: str
    actual: Callable[[], Claims]
    told: Callable[[Row], object] = nothing

    def claims(self, text: str) -> Claims:
        found = rows(text)
        names = [codes(row[self.key])[0] for row in found]
        assert len(names) == len(set(names)), "a row stands twice"
        return dict(zip(names, map(self.told, found), strict=True))


def listed(values: Iterable[str]) -> Callable[[], Claims]:
    return lambda: {str(value): None for value in values}


CONFIG, OPERATIONS, BILLING = "docs/configuration.md", "docs/operations.md", "docs/billing.md"
TABLES = (
    Table(CONFIG, "Environment variables", "Variable", variables, of_variable),
    Table(CONFIG, "At the top", "Key", lambda: keys(tables.Tables), of_key),
    Table(CONFIG, "[billing]", "Key", lambda: keys(tables.BillingTable), of_key),
    Table(CONFIG, "[ceilings]", "Key", lambda: keys(tables.CeilingsTable), of_key),
    Table(CONFIG, "[moderation]", "Key", lambda: keys(tables.ModerationTable), of_key),
    Table(CONFIG, "[summaries]", "Key", lambda: keys(tables.SummariesTable), of_key),
    Table(CONFIG, "[retention]", "Key", lambda: keys(tables.RetentionTable), of_key),
    Table(CONFIG, "[alerts]", "Key", lambda: keys(tables.AlertsTable), of_key),
    Table(CONFIG, "[announcements]", "Key", lambda: keys(tables.AnnouncementsTable), of_key),
    Table(CONFIG, "[report]", "Key", lambda: keys(tables.ReportTable), of_key),
    Table(CONFIG, "[attachments]", "Key", lambda: keys(tables.AttachmentsTable), of_key),
    Table(CONFIG, "[discord]", "Key", lambda: keys(tables.DiscordTable), of_key),
    Table(CONFIG, "[slack]", "Key", lambda: keys(tables.SlackTable), of_key),
    Table(CONFIG, "[tiers.NAME]", "Key", lambda: keys(tables.TierTable), of_key),
    Table(CONFIG, "[providers.NAME]", "Key", lambda: keys(tables.ProviderTable), of_key),
    Table(CONFIG, "[models.NAME]", "Key", lambda: keys(tables.ModelTable), of_key),
    Table(CONFIG, "price", "Key", lambda: keys(tables.PriceTable), of_key),
    Table("README.md", "Commands", "Command", commands_of_main),
    Table("README.md", "Targets of make", "Target", targets),
    Table(OPERATIONS, "Commands", "Command", commands_of_main),
    Table(OPERATIONS, "Processes and roles", "Role", listed(ROLES)),
    Table(OPERATIONS, "Alerts", "Kind", listed(AlertKind)),
    Table(OPERATIONS, "Metrics", "Metric", lambda: dict(Metrics().families), of_metric),
    Table(OPERATIONS, "What each refusal means", "Reason", listed(RefusalReason)),
    Table(OPERATIONS, "What each failure means", "Reason", listed(FailureReason)),
    Table(
        "docs/members.md",
        "Commands",
        "Command",
        lambda: {command.usage: command.description for command in COMMANDS if not command.operator},
        of_command,
    ),
    Table(
        "docs/operator.md",
        "Commands in chat",
        "Command",
        lambda: {part.usage: part.description for part in BY_NAME["admin"].parts},
        of_command,
    ),
    Table("docs/operator.md", "Events", "Kind", listed(HappeningKind)),
    Table(BILLING, "Webhook endpoint", "Event", listed(SNAPSHOT_EVENTS)),
    Table(BILLING, "Thin events", "Event", listed(THIN_EVENTS)),
    Table(BILLING, "Products and prices", "Lookup key", prices, of_price),
    Table(BILLING, "Rights of a restricted key", "Right", listed(Right)),
    Table(BILLING, "What each status means", "Reason", listed(AccessReason)),
    Table(BILLING, "What members are told", "Notice", listed(NoticeKind)),
    Table(BILLING, "What reconciling finds", "Difference", listed(DifferenceKind)),
    Table(BILLING, "Simulated billing", "Act", listed(("advance", *SIMULATED_ACTS))),
    Table(
        "docs/discord.md",
        "Rules of a server",
        "Command",
        lambda: {part.usage: part.description for part in BY_NAME["server"].parts},
        of_command,
    ),
    Table("docs/discord.md", "Permissions", "Permission", listed(PERMISSION_NAMES.values())),
    Table("docs/slack.md", "What the app may do", "Scope", listed(scopes(follow_threads=True))),
)


def headed(heading: str) -> Table:
    return next(table for table in TABLES if table.heading == heading)


def name_of(table: Table) -> str:
    return f"{table.path}: {table.heading}"


@pytest.mark.parametrize("table", TABLES, ids=name_of)
def test_a_table_says_what_is_so(table: Table) -> None:
    assert table.claims(page(table.path).section(table.heading)) == table.actual()


@pytest.mark.parametrize("table", TABLES, ids=name_of)
def test_a_row_too_few_is_noticed(table: Table) -> None:
    lines = [line for line in page(table.path).section(table.heading).splitlines() if line.startswith("|")]
    for number in range(2, len(lines)):
        assert table.claims("\n".join(lines[:number] + lines[number + 1 :])) != table.actual()


def test_a_changed_default_or_price_is_noticed() -> None:
    for table, old, new in (
        (TABLES[0], "| `8080` |", "| `8081` |"),
        (
            headed("[tiers.NAME]"),
            '| `["everyday"]` |',
            "| `[]` |",
        ),
        (next(table for table in TABLES if table.told is of_price), "8.99 USD", "9.99 USD"),
        (next(table for table in TABLES if table.told is of_command), "is left", "was left"),
    ):
        text = page(table.path).section(table.heading)
        assert old in text
        assert table.claims(text.replace(old, new)) != table.actual()


def test_each_decision_has_a_number_of_its_own() -> None:
    records = sorted((ROOT / "docs/decisions").glob("*.md"))
    assert [int(each.name[:4]) for each in records] == list(range(1, len(records) + 1))
    for number, each in enumerate(records, 1):
        assert each.read_text().startswith(f"# {number}. "), each.name


def names_in_example() -> set[str]:
    lines = (ROOT / ".env.example").read_text().splitlines()
    return {found[1] for line in lines if (found := re.match(r"#? ?([A-Z][A-Z_]+)=", line))}


def test_the_example_environment_has_every_variable_and_no_other() -> None:
    known = {name.upper() for name in Variables.model_fields}
    assert names_in_example() == known | COMPOSE_ONLY


def test_what_only_compose_reads_is_read_by_it() -> None:
    compose = (ROOT / "compose.yaml").read_text()
    assert all(name in compose for name in COMPOSE_ONLY)


Rule = Callable[[Page], Iterator[str]]
RULES: Mapping[str, Rule] = {
    "links lead somewhere": lambda each: broken_links(each, ROOT),
    "files that are named exist": lambda each: missing_files(each, ROOT),
    "decision records are short": long_record,
    "nothing is bound to a registry or a machine": elsewhere,
}


@pytest.mark.parametrize("rule", RULES)
def test_the_pages_keep(rule: str) -> None:
    assert [words for each in PAGES for words in RULES[rule](each)] == []


def test_first_names_lead_to_places_that_exist() -> None:
    assert list(lost_names(page("docs/names.md"), ROOT)) == []


def spoiled(text: str, path: str = "docs/decisions/0000-spoiled.md") -> Page:
    return Page(PurePosixPath(path), text)


@pytest.mark.parametrize(
    ("rule", "text"),
    [
        ("links lead somewhere", "[gone](gone.md)"),
        ("links lead somewhere", "# Here\n[there](#there)"),
        ("links lead somewhere", "![picture](../gone.png)"),
        ("links lead somewhere", "[stripe](../billing.md#no-such-heading)"),
        ("files that are named exist", "the rules in `engine/gone.py`"),
        ("decision records are short", "line\n" * 31),
        ("nothing is bound to a registry or a machine", "see https://py" + "pi.org"),
    ],
)
def test_what_breaks_a_rule_is_noticed(rule: str, text: str) -> None:
    assert len(list(RULES[rule](spoiled(text)))) == 1


@pytest.mark.parametrize(
    ("rule", "text"),
    [
        ("links lead somewhere", "# Here it is\n[here](#here-it-is) [there](https://example.com/gone)"),
        ("links lead somewhere", "```\n[in code](gone.md)\n```"),
        ("files that are named exist", "`engine/chat.py` and `storage/`"),
        ("decision records are short", "line\n" * 30),
    ],
)
def test_what_keeps_a_rule_passes(rule: str, text: str) -> None:
    assert list(RULES[rule](spoiled(text))) == []


def test_a_first_name_that_leads_nowhere_is_noticed() -> None:
    table = "| Today | Where |\n|---|---|\n| `{}` | `engine/chat.py` |"
    assert list(lost_names(spoiled(table.format("Chat")), ROOT)) == []
    assert len(list(lost_names(spoiled(table.format("Chatter")), ROOT))) == 1
