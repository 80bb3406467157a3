"""The operator's figures on a terminal, and as JSON."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from fractions import Fraction

from engine.facts import Mode
from engine.figures import STEPS
from engine.reports import FunnelRow, Revenue, SubscriptionStats
from engine.screening import Finding

MICROS = 1_000_000
WORLDS = {
    Mode.LIVE: "",
    Mode.TEST: "TEST MODE: no real money  ",
    Mode.SIMULATED: "SIMULATED: nobody paid anything  ",
}
NAME_WIDTH, AMOUNT_WIDTH = 18, 14


def stats_lines(stats: SubscriptionStats) -> list[str]:
    """All figures in sections; amounts are rounded here, once."""
    since, until = (f"{each:%Y-%m-%d %H:%M}" for each in (stats.span.since, stats.span.until))
    revenues = [line for each in stats.revenues for line in (*revenue_lines(each), "")]
    paused = [f"PAUSED: {each.told}" for each in stats.pauses]
    return [f"{WORLDS[stats.mode]}{since} to {until} UTC", *paused, "", *revenues, *account_lines(stats)]


def account_lines(stats: SubscriptionStats) -> list[str]:
    """Accounts lost, on their way and as they stand."""
    churn = stats.churn
    causes = f"{churn.voluntary} by choice, {churn.involuntary} payment failed"
    trouble = f"{stats.trials} on trial, {stats.past_due} past due, {stats.disputed} disputed"
    trouble += f", {stats.granted} granted"
    return [
        row("Accounts lost", percent(churn.rate), f"{churn.lost} of {churn.opening}: {causes}"),
        "",
        "Funnel",
        *(funnel_line(each) for each in stats.funnel),
        row("Time to upgrade", duration(stats.time_to_upgrade), "median, from the first limit hit"),
        "",
        "Accounts by tier",
        *(row(f"  {name}", str(count)) for name, count in stats.tiers.items()),
        row("Of these", "", trouble),
        "",
        row("Metered use", in_currency(stats.usage_revenue, "usd"), "reported in the trailing 30 days"),
        *look_lines(stats.looks),
    ]


def look_lines(looks: Mapping[Finding, int]) -> list[str]:
    """What came of looking at what members write, where it is looked at."""
    refused = f"{looks.get(Finding.FLAGGED, 0)} flagged, {looks.get(Finding.UNCHECKED, 0)} not checked"
    return [row("Looked at", str(sum(looks.values())), refused)] if looks else []


def revenue_lines(revenue: Revenue) -> list[str]:
    """Recurring revenue of one currency."""

    def amount(value: Fraction | None) -> str:
        return in_currency(value, revenue.currency)

    churn = revenue.churn
    causes = f"{amount(churn.lost_willing)} by choice, {amount(churn.lost_unwilling)} payment failed"
    missing = row("NOT RECORDED", amount(revenue.unrecorded), "run `python main.py reconcile`")
    return [
        row("MRR now", amount(revenue.mrr), f"{revenue.paying} paying, {amount(revenue.arpu)} each"),
        row("  committed", amount(revenue.committed), "without pending cancellations"),
        row("  at risk", amount(revenue.at_risk), "payment failing"),
        row("Trials would add", amount(revenue.pipeline)),
        row("MRR at the start", amount(revenue.opening)),
        *(row(f"  {each.kind}", amount(each.total), str(each.count)) for each in revenue.movements),
        row("MRR at the end", amount(revenue.closing)),
        row("Revenue churn", percent(churn.gross), f"gross; net {percent(churn.net)}; {causes}"),
        *([missing] if revenue.unrecorded else ()),
    ]


def funnel_line(funnel: FunnelRow) -> str:
    """One step with its conversion."""
    rate = "" if funnel.rate is None else f"{percent(funnel.rate)} of the step before"
    return row(f"  {STEPS[funnel.step]}", str(funnel.accounts), rate)


def row(name: str, value: str, note: str = "") -> str:
    """A name, its figure and a remark in columns."""
    return f"{name:<{NAME_WIDTH}}{value:>{AMOUNT_WIDTH}}  {note}".rstrip()


def stats_json(stats: SubscriptionStats) -> Mapping[str, object]:
    """The same as JSON-ready values: amounts as decimal strings, shares as numbers, times in ISO 8601."""
    return {
        "mode": stats.mode,
        "since": stats.span.since.isoformat(),
        "until": stats.span.until.isoformat(),
        "now": stats.now.isoformat(),
        "revenue": {each.currency: revenue_json(each) for each in stats.revenues},
        "logo_churn": {
            "opening": stats.churn.opening,
            "voluntary": stats.churn.voluntary,
            "involuntary": stats.churn.involuntary,
            "rate": number(stats.churn.rate),
        },
        "funnel": {
            each.step: {"accounts": each.accounts, "rate": number(each.rate)} for each in stats.funnel
        },
        "time_to_upgrade_seconds": stats.time_to_upgrade and stats.time_to_upgrade.total_seconds(),
        "tiers": dict(stats.tiers),
        "paused": [each.what for each in stats.pauses],
        "trials": stats.trials,
        "past_due": stats.past_due,
        "disputed": stats.disputed,
        "granted": stats.granted,
        "usage_revenue_30_days": plain(stats.usage_revenue),
        "looks": {finding: stats.looks.get(finding, 0) for finding in Finding},
    }


def revenue_json(revenue: Revenue) -> Mapping[str, object]:
    """One currency; `exact_micros` is the MRR as a fraction of micro-units."""
    churn = revenue.churn
    return {
        "mrr": plain(revenue.mrr),
        "exact_micros": str(revenue.mrr),
        "committed": plain(revenue.committed),
        "pipeline": plain(revenue.pipeline),
        "at_risk": plain(revenue.at_risk),
        "unrecorded": plain(revenue.unrecorded),
        "opening": plain(revenue.opening),
        "closing": plain(revenue.closing),
        "paying": revenue.paying,
        "arpu": None if revenue.arpu is None else plain(revenue.arpu),
        "movements": {
            each.kind: {"count": each.count, "total": plain(each.total)} for each in revenue.movements
        },
        "gross_churn": number(churn.gross),
        "net_churn": number(churn.net),
        "lost_voluntary": plain(churn.lost_willing),
        "lost_involuntary": plain(churn.lost_unwilling),
    }


def plain(micros: Fraction) -> str:
    """Micro-units as a decimal with two places, halves away from zero: `741.67`."""
    cents = abs(micros) * 100 / MICROS
    whole = int(cents + Fraction(1, 2))
    sign = "-" if micros < 0 and whole else ""
    return f"{sign}{whole // 100}.{whole % 100:02d}"


def in_currency(micros: Fraction | None, currency: str) -> str:
    """An amount with its currency; a dash for none."""
    if micros is None:
        return "-"
    text = plain(micros)
    whole, _, cents = text.lstrip("-").partition(".")
    text = f"{'-' if text.startswith('-') else ''}{{}}{int(whole):,}.{cents}"
    return text.format("$") if currency == "usd" else f"{text.format('')} {currency.upper()}"


def percent(share: Fraction | None) -> str:
    """A share as `12.5 %`; a dash for none."""
    return "-" if share is None else f"{float(share * 100):.1f} %"


def number(share: Fraction | None) -> float | None:
    """A share as a JSON number."""
    return None if share is None else round(float(share), 6)


def duration(span: timedelta | None) -> str:
    """About how long: `3 d 4 h`, `25 min`; a dash for none."""
    if span is None:
        return "-"
    minutes = round(span.total_seconds() / 60)
    days, hours = divmod(minutes // 60, 24)
    return f"{days} d {hours} h" if days else f"{hours} h {minutes % 60} min" if hours else f"{minutes} min"
