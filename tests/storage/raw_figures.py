"""Figures once more, slowly: from the rows themselves, in plain Python, by nobody who counted anything."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from typing import Any

Query = Callable[[str], Sequence[tuple[Any, ...]]]
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def at(micros: int) -> datetime:
    """A stored moment."""
    return EPOCH + timedelta(microseconds=micros)


def use(query: Query) -> Counter[tuple[object, ...]]:
    """The ledger by day, tier, provider, model and purpose; answers by day, tier and model."""
    found: Counter[tuple[object, ...]] = Counter()
    for began, tier, provider, model, purpose, tokens_in, tokens_out, cost in query(
        "SELECT began_at, tier, provider, model, purpose, input_tokens, output_tokens, cost FROM charge"
    ):
        key = at(began).date(), tier or "", provider, model, purpose
        found[(*key, "requests")] += 1
        found[(*key, "unpriced")] += cost is None
        found[(*key, "in")] += tokens_in
        found[(*key, "out")] += tokens_out
        found[(*key, "cost")] += cost or 0
    for began, tier, model in query("SELECT started_at, tier, model FROM turn WHERE state = 'settled'"):
        found[at(began).date(), tier or "", model, "turns"] += 1
    return +found


def conversations(query: Query) -> Counter[tuple[date, str]]:
    """Those that count, by day and the tier of the first of their turns that counts."""
    rows = query("SELECT tier, day FROM conversation WHERE live_turns > 0")
    return Counter((EPOCH.date() + timedelta(days=day), tier or "") for tier, day in rows)


def months(query: Query) -> dict[tuple[str, int, int], tuple[int, int]]:
    """Requests and cost by the account that pays, year and month."""
    known = {account for (account,) in query("SELECT id FROM account")}
    found: defaultdict[tuple[str, int, int], list[int]] = defaultdict(lambda: [0, 0])
    for account, purse, began, cost in query("SELECT account, purse, began_at, cost FROM charge"):
        payer = purse[len("team:") :].split("/")[0] if (purse or "").startswith("team:") else account
        if account is not None and payer in known:
            month = found[payer, at(began).year, at(began).month]
            month[0] += 1
            month[1] += cost or 0
    return {key: (requests, cost) for key, (requests, cost) in found.items()}


def standing(query: Query, mode: str, before: date) -> dict[str, tuple[Fraction, str, str]]:
    """What each account brings in at the beginning of a day: its MRR, currency and tier."""
    found: dict[str, tuple[Fraction, str, str]] = {}
    sql = (
        "SELECT account, mode, mrr_after, currency, tier, moved_at FROM mrr_movement ORDER BY account, number"
    )
    for account, its, after, currency, tier, moved in query(sql):
        if its == mode and at(moved).date() < before:
            found[account] = Fraction(after), currency, tier
    return found


def moved(query: Query, mode: str) -> Counter[tuple[date, str, str]]:
    """What moved the MRR: sums by day, currency and kind."""
    found: Counter[tuple[date, str, str]] = Counter()
    for its, kind, delta, currency, when in query(
        "SELECT mode, kind, delta, currency, moved_at FROM mrr_movement"
    ):
        if its == mode:
            found[at(when).date(), currency, kind] += Fraction(delta)  # type: ignore[assignment]  # exact sums
    return found


def having(query: Query, mode: str, before: date) -> Counter[str]:
    """Accounts by the tier that they came to last before a day."""
    sql = "SELECT account, mode, tier_after, changed_at FROM tier_change ORDER BY account, number"
    changes = query(sql)
    found = {
        account: after for account, its, after, when in changes if its == mode and at(when).date() < before
    }
    return Counter(tier for tier in found.values() if tier != "free")


def steps(query: Query, mode: str) -> Counter[tuple[date, str]]:
    """Accounts by the day on which they came to a step."""
    rows = query("SELECT mode, step, reached_at FROM funnel")
    return Counter((at(when).date(), step) for its, step, when in rows if its == mode)


def earned(query: Query, mode: str, first: date, last: date) -> dict[str, Fraction]:
    """What each account's MRR earned day by day, in US dollars."""
    sql = "SELECT account, mode, mrr_after, currency, moved_at FROM mrr_movement ORDER BY account, number"
    lives: defaultdict[str, dict[date, tuple[Fraction, str]]] = defaultdict(dict)
    for account, its, after, currency, moved in query(sql):
        if its == mode:
            lives[account][at(moved).date()] = Fraction(after), currency
    found: defaultdict[str, Fraction] = defaultdict(Fraction)
    for account, changes in lives.items():
        day = min(changes)
        mrr, currency = changes[day]
        while day <= last:
            mrr, currency = changes.get(day, (mrr, currency))
            month = ((day.replace(day=28) + timedelta(days=4)).replace(day=1) - timedelta(days=1)).day
            if day >= first and currency == "usd":
                found[account] += mrr / month
            day += timedelta(days=1)
    return {account: amount for account, amount in found.items() if amount}


def metered(query: Query, mode: str, first: date, last: date) -> dict[str, int]:
    """Vendor cost of metered use of some days, by account."""
    found: Counter[str] = Counter()
    for account, its, cost, used in query("SELECT account, mode, cost, used_at FROM usage_event"):
        if its == mode and first <= at(used).date() <= last:
            found[account] += cost
    return dict(found)


def cost(query: Query, first: date, last: date) -> int:
    """What vendors charged for what began on some days."""
    rows = query("SELECT began_at, cost FROM charge")
    return sum(amount or 0 for began, amount in rows if first <= at(began).date() <= last)


def limits_met(query: Query, mode: str, first: date, last: date) -> Counter[tuple[date, str, str]]:
    """Questions that a limit stopped, by day, tier and reason, from what members came to."""
    rows = query("SELECT at, mode, tier, reason FROM event WHERE kind = 'limit_hit'")
    days = ((at(when).date(), tier, reason) for when, its, tier, reason in rows if its == mode)
    return Counter(each for each in days if first <= each[0] <= last)


def events(query: Query, mode: str, first: date, last: date) -> list[timedelta | None]:
    """Stripe's events that came on some days, by how long reading their customer took; None: not read."""
    rows = query("SELECT mode, received_at, applied_at, status FROM stripe_event")
    return [
        at(applied) - at(received) if status == "applied" else None
        for its, received, applied, status in rows
        if its == mode and first <= at(received).date() <= last
    ]


def answers(query: Query, first: date, last: date) -> Counter[tuple[str, str]]:
    """Answers by model and how the request that wrote them ended, told from what their turns say."""
    ends = {"end": "answered", "length": "answered", "stopped": "left", "cut": "cut"}
    rows = query("SELECT model, outcome, started_at FROM turn WHERE state = 'settled'")
    return Counter(
        (model, ends[outcome]) for model, outcome, began in rows if first <= at(began).date() <= last
    )


def waiting(query: Query, mode: str) -> dict[str, int]:
    """What has to be done, from every queue."""
    queue = query("SELECT mode, gen, done_gen, dead FROM sync_queue")
    found = {"customers": sum(its == mode and gen > done and not dead for its, gen, done, dead in queue)}
    for kind, table in (("duties", "duty"), ("notices", "notice"), ("usage_reports", "usage_report")):
        rows = query(f"SELECT mode, state FROM {table}")  # noqa: S608 - names of ours
        found[kind] = sum(its == mode and state == "owed" for its, state in rows)
    for kind, table in (("summaries", "owed_summary"), ("alerts", "alert_owed")):
        found[kind] = sum(state == "owed" for (state,) in query(f"SELECT state FROM {table}"))  # noqa: S608
    return {**found, "answers": sum(state == "held" for (state,) in query("SELECT state FROM turn"))}
