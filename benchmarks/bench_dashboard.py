"""How long the dashboard's first view takes over a million rows of use, and what it costs the chat."""

from __future__ import annotations

import asyncio
import resource
import secrets
import sqlite3
import tempfile
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, closing
from datetime import date, timedelta
from itertools import count
from pathlib import Path
from statistics import median

from aiohttp import ClientSession

from benchmarks.bench_storage import DESK, NOW, FixedClock, question
from engine.audit import Actor
from engine.config import load_settings
from engine.domain import Person, Platform
from engine.drafts import Drafts
from engine.entry import SESSION_LIFE, TOKEN_BYTES, Entrance, digest
from engine.facts import Mode
from engine.panels import Panels
from engine.tallies import MemberOrder
from providers.prices import ListPrices
from storage.migrate import for_sqlite, known_migrations, split_statements
from storage.store import Store, migrate, open_store
from webhooks.admin.asked import Asked
from webhooks.admin.export import contents
from webhooks.admin.members import Members
from webhooks.admin.tables import Table
from webhooks.server import serve
from webhooks.site import Admin, Site

MEMBERS, PAYING, TURNS, DAYS = 100_000, 5_000, 500_000, 90
"""Each turn has a charge: a million rows of use."""
RUNS, SECONDS, CALLERS = 5, 3.0, 64
Beside = Callable[[Panels], Awaitable[object]]
"""What an operator does while members ask."""
REFRESHED = 0.5
"""Seconds from one view to the next."""
DAY = 86_400_000_000
HERE, BOSS = "http://127.0.0.1", Person(Platform.LOCAL, "", "boss")
PAGES = {
    "first view of 30 days, the first of a process": "/admin",
    "first view of 30 days, again": "/admin?",
    "first view of 90 days": "/admin?span=90d",
    "money of 90 days": "/admin/money?span=90d",
    "members of this month": "/admin/members",
    "a member among 100,000": "/admin/members?members-search=99999",
    "models of 30 days": "/admin/models",
}
FILES = {
    "all members of this month": "/admin/members/members.csv",
    "the same by requests": "/admin/members/members.csv?members-sort=-requests",
}
BEGAN = int((NOW - timedelta(days=DAYS)).timestamp()) * 1_000_000
STEP = DAYS * DAY // TURNS
COLUMNS = "{:<58} {:>10}"
BACKFILL = "tallies"
"""The migration that counts what older rows say."""

NUMBERS = "WITH RECURSIVE n (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < {} - 1)"
WHO = "CAST({members} * (((i * 48271) % 65537) / 65537.0) * (((i * 48271) % 65537) / 65537.0) AS INTEGER)"
"""Some ask often, most seldom."""
TIERS = "CASE i % 20 WHEN 0 THEN 'pro' WHEN 1 THEN 'team' WHEN 2 THEN 'premium' ELSE 'free' END"
MODELS = "CASE i % 5 WHEN 0 THEN 'deep' WHEN 1 THEN 'fast' ELSE 'quick' END"
ROWS = (
    """INSERT INTO account (id, platform, workspace, member, created_at, seen_at)
    {members} SELECT PRINTF('%032d', i), 'discord', '', PRINTF('%018d', i), {began}, {began} + i FROM n""",
    """INSERT INTO conversation (id, account, started_at, last_at, day, live_turns)
    {turns} SELECT PRINTF('c%031d', i), PRINTF('%032d', {who}), {began} + i * {step}, {began} + i * {step},
        ({began} + i * {step}) / {day}, 1
    FROM n WHERE i % 5 = 0""",
    """INSERT INTO turn (
        id, account, conversation, key, state, asked_model, model, prompt, answer, estimate, cost,
        input_tokens, cached_input_tokens, output_tokens, tokens_estimated, outcome, owner, started_at,
        lease_until, settled_at, provider, tier
    )
    {turns} SELECT PRINTF('t%031d', i), PRINTF('%032d', {who}),
        PRINTF('c%031d', i / 5 * 5), '', 'settled', 'quick',
        {models}, 'Asked.', 'Answered.', 900, 100 + i % 800, 900, 0, 200, 0, 'end', 'bench',
        {began} + i * {step}, 0,
        {began} + i * {step} + 4000000, 'one', {tiers}
    FROM n""",
    """INSERT INTO charge (
        turn, account, purpose, model, provider, input_tokens, cached_input_tokens, cache_written_tokens,
        output_tokens, reasoning_tokens, estimated, cost, began_at, at, tier
    )
    {turns} SELECT PRINTF('t%031d', i), PRINTF('%032d', {who}),
        'answer', {models}, 'one', 900, 0, 0, 200, 0, 0,
        100 + i % 800, {began} + i * {step}, {began} + i * {step} + 4000000, {tiers}
    FROM n""",
    """INSERT INTO usage_event (turn, account, mode, cost, used_at, hour, sealed)
    SELECT id, account, 'sim', cost, started_at, started_at / 3600000000, 1
    FROM turn
    WHERE CAST(account AS INTEGER) % 7 = 0 AND CAST(account AS INTEGER) < 7 * {pay} / 2""",
    """INSERT INTO mrr_movement (
        account, mode, number, kind, delta, mrr_after, tier, currency, voluntary, moved_at
    )
    {paying} SELECT PRINTF('%032d', i * 7), 'sim', 1, 'new', '8990000/1', '8990000/1', 'premium', 'usd', 1,
        {began} + i * ({days} * {day} / {pay})
    FROM n""",
    """INSERT INTO mrr_movement (
        account, mode, number, kind, delta, mrr_after, tier, currency, voluntary, moved_at
    )
    {paying} SELECT PRINTF('%032d', i * 7), 'sim', 2, CASE i % 3 WHEN 0 THEN 'churn' ELSE 'expansion' END,
        CASE i % 3 WHEN 0 THEN '-8990000/1' ELSE '41000000/1' END,
        CASE i % 3 WHEN 0 THEN '0/1' ELSE '49990000/1' END, CASE i % 3 WHEN 0 THEN 'premium' ELSE 'pro' END,
        'usd', 1, {began} + i * ({days} * {day} / {pay}) + 20 * {day}
    FROM n WHERE i % 2 = 0""",
    """INSERT INTO subscription (
        account, mode, stripe_subscription_id, stripe_customer_id, payment_status, tier, price, pay_interval,
        quantity, created_at, started_at, period_end, read_at, mrr, currency
    )
    SELECT account, mode, 'sub_' || account, 'cus_' || account,
        CASE kind WHEN 'churn' THEN 'canceled' ELSE 'active' END, tier, 'price', 'month', 1,
        moved_at, moved_at, {began} + ({days} + 30) * {day}, {began} + {days} * {day}, mrr_after, 'usd'
    FROM mrr_movement m
    WHERE number = (SELECT MAX(number) FROM mrr_movement l WHERE l.account = m.account)""",
    """INSERT INTO tier_change (account, mode, number, tier_before, tier_after, reason, changed_at)
    SELECT account, mode, number, CASE number WHEN 1 THEN 'free' ELSE 'premium' END,
        CASE kind WHEN 'churn' THEN 'free' ELSE tier END, 'active', moved_at
    FROM mrr_movement""",
    """INSERT INTO funnel (account, mode, step, reached_at)
    {members} SELECT PRINTF('%032d', i), 'sim', 'limit_hit', {began} + i * ({days} * {day} / {all}) FROM n""",
    """INSERT INTO stripe_event (
        id, type, mode, stripe_customer_id, status, payload, created_at, received_at, applied_at
    )
    {paying} SELECT 'evt_' || i, 'invoice.paid', 'sim', 'cus_' || i, 'applied', X'', {began},
        {began} + i * {step} * 100, {began} + i * {step} * 100 + 1200000 + i % 900000
    FROM n""",
    """INSERT INTO tally
    {hours} SELECT kind, '', {began} / 3600000000 + i, '', 'one', model, detail, 0, times, 0, 0, 0, 0, 0
    FROM n, (
        SELECT 'call' AS kind, 'answered' AS detail, 200 AS times UNION ALL SELECT 'call', 'busy', 3
        UNION ALL SELECT 'first', '500', 120 UNION ALL SELECT 'first', '1000', 80
        UNION ALL SELECT 'total', '5000', 150 UNION ALL SELECT 'total', '13000', 50
    ), (SELECT 'quick' AS model UNION ALL SELECT 'deep' UNION ALL SELECT 'fast')""",
)


def fill(file: Path) -> None:
    """Write all rows past the store, and have the migration count them."""
    names = {
        "members": NUMBERS.format(MEMBERS),
        "turns": NUMBERS.format(TURNS),
        "paying": NUMBERS.format(PAYING),
        "hours": NUMBERS.format(DAYS * 24),
        "who": WHO.format(members=MEMBERS),
        "tiers": TIERS,
        "models": MODELS,
        "began": BEGAN,
        "step": STEP,
        "day": DAY,
        "days": DAYS,
        "pay": PAYING,
        "all": MEMBERS,
    }
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("PRAGMA synchronous=OFF")
        for each in (*(row.format_map(names) for row in ROWS), *counting()):
            connection.execute(each)
        connection.commit()
        connection.execute("ANALYZE")
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()


def counting() -> list[str]:
    """The migration's statements that read older rows."""
    (found,) = (each for each in known_migrations() if each.name == BACKFILL)
    return [
        each
        for each in split(found.sql)
        if each.startswith(("INSERT", "CREATE TABLE payer", "DROP TABLE payer"))
    ]


def split(sql: str) -> list[str]:
    """Statements for SQLite, without the comments before them."""
    lines = (line for line in for_sqlite(sql).splitlines() if not line.startswith("--"))
    return split_statements("\n".join(lines))


async def timed(work: Callable[[], Awaitable[object]]) -> float:
    """Milliseconds of one call."""
    before = time.perf_counter()
    await work()
    return (time.perf_counter() - before) * 1000


@asynccontextmanager
async def browser(url: str) -> AsyncIterator[ClientSession]:
    """An operator's browser at a dashboard that has just opened the database."""
    async with await open_store(url, FixedClock()) as store:
        token, until = secrets.token_urlsafe(TOKEN_BYTES), NOW + SESSION_LIFE
        await store.transact(lambda tx: tx.begin_session(digest(token), str(BOSS), NOW, until))
        entrance, panels = Entrance(store, FixedClock(), (BOSS,), HERE), figures(store)
        admin = Admin(entrance, store, FixedClock(), Mode.SIMULATED, nothing, panels, drafts(store))
        async with serve(Site(HERE, admin=admin), "127.0.0.1", 0) as port:
            address, cookies = f"http://127.0.0.1:{port}", {"admin": token}
            async with ClientSession(address, cookies=cookies, headers={"Accept": "text/html"}) as client:
                yield client


async def nothing(_actor: Actor, _mode: Mode, _about: str | None) -> int:
    """Nobody presses a button here."""
    return 0


def drafts(store: Store) -> Drafts:
    """Nobody asks what if, either."""
    clock, settings = FixedClock(), load_settings({})
    return Drafts(store, clock, Mode.SIMULATED, ListPrices(), lambda: settings, lambda _: settings, Path)


def figures(store: Store) -> Panels:
    """What the pages show."""
    return Panels(store, FixedClock(), DESK.catalogue, Mode.SIMULATED)


async def first_views(url: str) -> None:
    """Pages as a browser gets them: the first one of a process, and others."""
    times = defaultdict[str, list[float]](list)
    for _ in range(RUNS):
        async with browser(url) as client:
            for name, path in PAGES.items():
                times[name].append(await timed(lambda: seen(client, path)))  # noqa: B023 - awaited at once
    for name, each in times.items():
        told(f"page: {name}", median(each), "ms")


async def files(url: str) -> None:
    """All members as files, and what the process needs of memory for that."""
    async with browser(url) as client:
        await seen(client, PAGES["members of this month"])
        before = most_memory()
        for name, path in FILES.items():
            taken = await timed(lambda: seen(client, path))  # noqa: B023 - awaited at once
            told(f"file: {name}", taken / 1000, "s")
        told("file: memory that it took at most", most_memory() - before, "MiB")


def most_memory() -> float:
    """What the process held at most until now, in MiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


async def seen(client: ClientSession, path: str) -> None:
    """A whole page."""
    async with client.get(path) as answer:
        answer.raise_for_status()
        await answer.read()


async def members(store: Store) -> None:
    """Pages of the table of members."""
    panels = figures(store)
    month = date(NOW.year, NOW.month, 1)
    total = (await panels.members(month)).total
    for name, order, skip, text in (
        ("first page, the worst first", MemberOrder.MARGIN, 0, ""),
        (f"the last of {total:,}, the worst first", MemberOrder.MARGIN, total - 50, ""),
        ("first page by cost", MemberOrder.COST, 0, ""),
        ("first page by requests", MemberOrder.REQUESTS, 0, ""),
        ("first page by name", MemberOrder.PERSON, 0, ""),
        ("first page by tier", MemberOrder.TIER, 0, ""),
        ("search among all members", MemberOrder.MARGIN, 0, "99999"),
    ):
        times = [
            await timed(lambda o=order, s=skip, t=text: panels.members(month, o, skip=s, text=t))  # type: ignore[misc]
            for _ in range(RUNS)
        ]
        told(f"members: {name}", median(times), "ms")


async def chat(store: Store, numbers: count[int], beside: Beside | None = None) -> float:
    """Questions a second that are admitted and settled, while somebody looks at the dashboard or nobody."""
    panels = figures(store)
    until, asked = time.perf_counter() + SECONDS, 0

    async def ask() -> None:
        nonlocal asked
        while time.perf_counter() < until:
            await question(store, next(numbers))
            asked += 1

    async def look(beside: Beside) -> None:
        while time.perf_counter() < until:
            await beside(panels)
            await asyncio.sleep(REFRESHED)

    async with asyncio.TaskGroup() as group:
        for _ in range(CALLERS):
            group.create_task(ask())
        if beside:
            group.create_task(look(beside))
    return asked / SECONDS


async def beside_the_chat(store: Store) -> None:
    """What the chat does alone, and beside a dashboard that is refreshed again and again."""
    numbers, alone, watched, filed = count(), [], [], []
    for _ in range(3):
        alone.append(await chat(store, numbers))
        watched.append(await chat(store, numbers, lambda panels: panels.overview(panels.back(30))))
        filed.append(await chat(store, numbers, whole_file))
    told("chat: questions admitted and settled, alone", median(alone), "/s")
    told("chat: the same beside a dashboard refreshed in a loop", median(watched), "/s")
    told("chat: the same beside a file of all members in a loop", median(filed), "/s")


async def whole_file(panels: Panels) -> None:
    """All members as a file."""
    asked = Asked("/admin/members", {}, NOW)
    for table in await Members(panels).build(asked):
        if isinstance(table, Table):
            _ = [part async for part in contents(table, table.view(asked))]


def told(what: str, amount: float, unit: str) -> None:
    """Print a line."""
    print(COLUMNS.format(what, f"{amount:,.1f} {unit}"), flush=True)


def floor(file: Path) -> None:
    """One query over the use itself, which the dashboard does not need."""
    times = []
    with closing(sqlite3.connect(file)) as connection:
        for _ in range(3):
            before = time.perf_counter()
            connection.execute(
                "SELECT began_at / 86400000000, model, SUM(cost) FROM charge WHERE began_at > ?"
                " GROUP BY 1, 2",
                (BEGAN + 60 * DAY,),
            ).fetchall()
            times.append((time.perf_counter() - before) * 1000)
    told("for comparison: cost by day and model from the ledger itself", median(times), "ms")


async def main() -> None:
    """Fill a database, measure and print a table."""
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        file = Path(name) / "chat.db"
        await migrate(f"sqlite:///{file}", FixedClock())
        before = time.perf_counter()
        fill(file)
        print(f"{2 * TURNS:,} rows of use of {MEMBERS:,} members, {PAYING:,} of them paying, on SQLite")
        told("(filling it)", time.perf_counter() - before, "s")
        floor(file)
        await first_views(f"sqlite:///{file}")
        await files(f"sqlite:///{file}")
        async with await open_store(f"sqlite:///{file}", FixedClock()) as store:
            await members(store)
            await beside_the_chat(store)


if __name__ == "__main__":
    asyncio.run(main())
