"""The first words of the dashboard: whether the bot earns or loses money, and why."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from engine.charts import CostOfModel, CurrencyRevenue, Margin, MarginPanel
from engine.domain import TierName
from webhooks.admin.parts import Mood, Verdict
from webhooks.admin.series import MOVEMENTS
from webhooks.admin.units import as_money, as_share


def verdict(margin: MarginPanel, usd: CurrencyRevenue, span: str) -> Verdict:
    """One sentence that answers, and the reasons below it; `span` is within the sentence."""
    total = margin.total
    reasons = [moved(usd), *([costs(margin)] if total.use.cost and margin.models else [])]
    return Verdict("verdict", "Do we earn or lose money?", answer(total, span), mood(total), reasons)


def answer(total: Margin, span: str) -> str:
    """What is left, or what is missing."""
    revenue, cost = as_money(total.revenue), as_money(total.use.cost)
    if not total.revenue:
        nothing = f"Nothing was earned in {span}"
        return f"{nothing}; vendors cost {cost}." if total.use.cost else f"{nothing}, and nothing was spent."
    if total.margin < 0:
        return f"Losing {as_money(-total.margin)} in {span}: {revenue} earned, {cost} paid to vendors."
    return f"Earning {as_money(total.margin)} in {span}: {revenue} earned, {cost} paid to vendors."


def mood(total: Margin) -> Mood:
    """Good is what leaves something."""
    if not total.margin:
        return Mood.LEVEL
    return Mood.GOOD if total.margin > 0 else Mood.BAD


def moved(usd: CurrencyRevenue) -> str:
    """How recurring revenue came to be what it is."""
    change, now = usd.closing - usd.opening, as_money(usd.closing)
    if not usd.closing and not usd.opening:
        return "Nobody pays by the month yet."
    found = {each.kind: each.total for each in usd.moved}
    parts = ", ".join(f"{kind.value} {signed(found[kind])}" for kind in MOVEMENTS if found.get(kind))
    if not change:
        return f"MRR is {now}, as before{f': {parts}' if parts else ''}."
    way = "rose" if change > 0 else "fell"
    return f"MRR {way} by {as_money(abs(change))} to {now}: {parts}."


def costs(margin: MarginPanel) -> str:
    """What costs most, what is given away, and which paid tiers lose money."""
    told = [dearest(margin.models, margin.total.use.cost)]
    for each in margin.tiers:
        if each.tier is TierName.FREE:
            told.append(f"free members cost {as_money(each.margin.use.cost)}")
        elif each.tier and each.margin.margin < 0:
            told.append(f"{each.tier} loses {as_money(-each.margin.margin)}")
    return f"{'; '.join(told)}."


def dearest(models: Sequence[CostOfModel], cost: int) -> str:
    """The model that costs most, with its part of everything."""
    first = models[0]
    part = as_share(Fraction(first.use.cost, cost))
    return f"Dearest model: {first.model}, {as_money(first.use.cost)} ({part} of the cost)"


def signed(value: Fraction) -> str:
    """An amount of money with its sign."""
    return f"{'+' if value > 0 else ''}{as_money(value)}"
