"""The page of models: what each costs, and how its vendor does."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

from engine.charts import CostOfModel
from engine.circuit import Circuit
from engine.gauges import VendorLine, VendorPoint, VendorsPanel
from engine.panels import Panels
from engine.turns import CallEnd
from webhooks.admin.asked import Asked
from webhooks.admin.parts import Chart, Mood, Notice, Notices, Part, Series, Shape
from webhooks.admin.series import MOST_BARS, TONES, hour_words, hours_between, millis, models_chart
from webhooks.admin.tables import Cells, Column, Listed, Row, Table
from webhooks.admin.units import Unit, Value, written

HOURS = 48
MOST_LINES = 6
COSTS = (
    Column("model", "Model"),
    Column("cost", "Cost", Unit.MONEY),
    Column("turn", "An answer", Unit.MONEY, about="Cost of an answer on the average"),
    Column("provider", "Vendor"),
    Column("turns", "Answers", Unit.COUNT),
    Column("requests", "Requests", Unit.COUNT),
    Column("input", "Tokens in", Unit.COUNT),
    Column("output", "Tokens out", Unit.COUNT),
    Column("unpriced", "Unpriced", Unit.COUNT, about="Requests without a price: they are not in the cost"),
)
HEALTH = (
    Column("model", "Model"),
    Column(
        "failed", "Failed", Unit.SHARE, about="Of all requests: late, cut off, overloaded, refused our key"
    ),
    Column("requests", "Requests", Unit.COUNT),
    Column("provider", "Vendor"),
    Column("first50", "First words p50", Unit.MILLIS, about="Half of the answers began within it"),
    Column("first95", "First words p95", Unit.MILLIS, about="95 of 100 answers began within it"),
    Column("total50", "Answer p50", Unit.MILLIS, about="Half of the answers were whole within it"),
    Column("total95", "Answer p95", Unit.MILLIS, about="95 of 100 answers were whole within it"),
    *(Column(each.value, each.value.replace("_", " ").capitalize(), Unit.COUNT) for each in CallEnd),
)
EMPTY = f"No vendor was asked in the last {HOURS} hours."


class Models:
    """Builds the page."""

    def __init__(self, panels: Panels) -> None:
        self._panels = panels

    async def build(self, asked: Asked) -> Sequence[Part]:
        """Health first: what does not work costs most."""
        vendors = await self._panels.vendors(HOURS)
        margin = await self._panels.margin(asked.days)
        busiest = sorted(vendors.lines, key=lambda line: -line.requests)[:MOST_LINES]
        return [
            Notices(
                "circuits", "Models that are left alone now", circuit_notices(vendors.circuits, asked.now)
            ),
            *latency_charts(vendors, busiest),
            health(vendors),
            models_chart(margin.models),
            tokens_chart(margin.models),
            costs(margin.models, asked.span_words),
        ]


def circuit_notices(circuits: Sequence[Circuit], now: datetime) -> list[Notice]:
    """Every open circuit, or that there is none."""
    if not circuits:
        return [Notice("None: every model is asked.", Mood.GOOD)]
    return [Notice(circuit_words(each, now), Mood.BAD) for each in circuits]


def circuit_words(circuit: Circuit, now: datetime) -> str:
    """Since when, why, and when it is tried again."""
    next_try = "a question tries it now" if circuit.due(now) else f"tried again at {circuit.until:%H:%M:%S}"
    why = f" ({circuit.why})" if circuit.why else ""
    return (
        f"{circuit.name} since {written(circuit.opened_at)}{why}: {circuit.failed} tries failed, {next_try}."
    )


def latency_charts(panel: VendorsPanel, busiest: Sequence[VendorLine]) -> list[Chart]:
    """First words and failures, a line for each of the busiest models."""
    half = drawn(panel, busiest, lambda line: millis(line.first.p50))
    most = drawn(panel, busiest, lambda line: millis(line.first.p95))
    failed = drawn(panel, busiest, lambda line: line.share)
    span = f"the last {HOURS} hours"
    return [
        lines_chart(
            "half",
            f"First words: half within (p50), {HOURS} hours",
            f"Median time to first words, {span}.",
            half,
            Unit.MILLIS,
        ),
        lines_chart(
            "most",
            f"First words: 95 of 100 within (p95), {HOURS} hours",
            f"95th percentile, {span}.",
            most,
            Unit.MILLIS,
        ),
        lines_chart(
            "failures",
            f"Requests that failed, {HOURS} hours",
            f"Share of failed requests by model, {span}.",
            failed,
            Unit.SHARE,
            wide=True,
        ),
    ]


Drawn = tuple[list[str], list[Series]]


def drawn(panel: VendorsPanel, busiest: Sequence[VendorLine], value: Callable[[VendorLine], Value]) -> Drawn:
    """Hours, and a series for each model; nothing where it was not asked."""
    hours = hours_between({each.at for each in panel.points})
    found: Mapping[tuple[datetime, str, str], VendorPoint] = {
        (each.at, each.line.provider, each.line.model): each for each in panel.points
    }

    def at(hour: datetime, line: VendorLine) -> Value:
        point = found.get((hour, line.provider, line.model))
        return value(point.line) if point else None

    series = [
        Series(line.model, [at(hour, line) for hour in hours], tone, shape=Shape.LINES)
        for line, tone in zip(busiest, TONES, strict=False)
    ]
    return [hour_words(each) for each in hours], series


def lines_chart(id_: str, title: str, says: str, found: Drawn, unit: Unit, *, wide: bool = False) -> Chart:
    """A chart of lines by the hour."""
    labels, series = found
    empty = "No request failed." if unit is Unit.SHARE else EMPTY
    return Chart(id_, title, says, "Hour", labels, series, unit, Shape.LINES, wide=wide, empty=empty)


def health(panel: VendorsPanel) -> Table:
    """Every model that was asked."""
    rows = [Row(f"{each.provider}/{each.model}", health_cells(each), failing(each)) for each in panel.lines]
    return Table(
        "health",
        f"Vendors in the last {HOURS} hours",
        HEALTH,
        Listed(rows, ("model", "provider")),
        sort="-failed",
        search="Find a vendor or model" if rows else "",
        about="Durations are bounds: so many answers came within them.",
        empty=EMPTY,
    )


def health_cells(line: VendorLine) -> Cells:
    """A model's health."""
    return {
        "model": line.model,
        "provider": line.provider,
        "requests": line.requests,
        "failed": line.share,
        "first50": millis(line.first.p50),
        "first95": millis(line.first.p95),
        "total50": millis(line.total.p50),
        "total95": millis(line.total.p95),
        **{each.value: line.ends.get(each, 0) for each in CallEnd},
    }


def failing(line: VendorLine) -> str:
    """One of twenty that fails wants to be seen."""
    return "bad" if line.share is not None and line.share * 20 >= 1 else ""


def tokens_chart(models: Sequence[CostOfModel]) -> Chart:
    """What an answer costs, by model."""
    answering = sorted(models, key=lambda each: each.per_turn or 0, reverse=True)
    answering = [each for each in answering if each.per_turn is not None][:MOST_BARS]
    return Chart(
        "per-answer",
        "Cost of an answer",
        "What an answer of each model costs on the average.",
        "Model",
        [each.model for each in answering],
        [Series("An answer", [each.per_turn for each in answering], "one")],
        Unit.MONEY,
        Shape.ACROSS,
        empty="No model has answered in these days.",
    )


def costs(models: Sequence[CostOfModel], span: str) -> Table:
    """What each model cost."""
    rows = [
        Row(
            f"{each.provider}/{each.model}",
            {
                "model": each.model,
                "provider": each.provider,
                "cost": each.use.cost,
                "turn": each.per_turn,
                "turns": each.use.turns,
                "requests": each.use.requests,
                "input": each.use.input_tokens,
                "output": each.use.output_tokens,
                "unpriced": each.use.unpriced,
            },
            "bad" if each.use.unpriced else "",
        )
        for each in models
    ]
    return Table(
        "costs",
        f"Cost by model in {span}",
        COSTS,
        Listed(rows, ("model", "provider")),
        sort="-cost",
        search="Find a model or vendor" if rows else "",
        empty="No vendor has charged anything in these days.",
    )
