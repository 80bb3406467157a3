"""Every expression for Prometheus parses, and names only metrics and labels that there are."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

import promql_parser as promql
import pytest
import yaml

from webhooks.metrics import PREFIX, Metrics

DEPLOY = Path(__file__).parents[2] / "deploy"
GIVEN = {"job", "instance"}
"""Labels that Prometheus gives to every series."""
FOREIGN = {"up", "process_resident_memory_bytes", "process_cpu_seconds_total"}
VARIABLES = {"$job": ".*", "$__rate_interval": "1m"}
"""What Grafana writes in their places."""


def exposed() -> Mapping[str, set[str]]:
    """The labels of each series by its name."""
    found = {name: set(GIVEN) for name in FOREIGN}
    for name, (kind, labels) in Metrics().families.items():
        ends = {"_bucket": {"le"}, "_count": set(), "_sum": set()} if kind == "histogram" else {"": set()}
        found |= {f"{name}{end}": {*GIVEN, *labels, *more} for end, more in ends.items()}
    return found


def shown() -> Iterator[tuple[str, str]]:
    """What Grafana asks for, by panel and target."""
    board = json.loads((DEPLOY / "grafana.json").read_text(encoding="utf-8"))
    for panel in board["panels"]:
        for target in panel.get("targets", ()):
            text = target["expr"]
            for variable, value in VARIABLES.items():
                text = text.replace(variable, value)
            yield f"{panel['title']} {target['refId']}", text


def rules() -> list[dict[str, object]]:
    """The rules that alert."""
    read = yaml.safe_load((DEPLOY / "alerts.yml").read_text(encoding="utf-8"))
    return [rule for group in read["groups"] for rule in group["rules"]]


def alerting() -> Iterator[tuple[str, str]]:
    """The same for the rules."""
    for rule in rules():
        yield str(rule["alert"]), str(rule["expr"])


ASKED = dict((*shown(), *alerting()))


def parsed(text: str) -> tuple[set[str], set[str], set[str]]:
    """The series of an expression, the labels that it chooses by, and those that it groups by."""
    names: set[str] = set()
    matched: set[str] = set()
    grouped: set[str] = set()

    def visit(node: promql.Expr) -> None:
        if isinstance(node, promql.VectorSelector):
            names.add(node.name or "")
            matched.update(each.name for each in node.matchers.matchers)
        if isinstance(node, promql.AggregateExpr) and node.modifier:
            grouped.update(node.modifier.labels)

    promql.walk(promql.parse(text), pre_visit=visit)
    return names, matched, grouped


@pytest.mark.parametrize("which", ASKED)
def test_an_expression_parses_and_names_what_there_is(which: str) -> None:
    names, matched, grouped = parsed(ASKED[which])
    known = exposed()
    assert names
    assert names <= known.keys()
    for name in names:
        assert matched - {"outcome"} <= known[name]
        assert grouped <= known[name]
    if "outcome" in matched:
        assert names == {f"{PREFIX}_webhook_events_total"}


@pytest.mark.parametrize("rule", rules(), ids=lambda rule: str(rule["alert"]))
def test_a_rule_says_what_it_means_in_words_with_labels_that_it_keeps(rule: dict[str, object]) -> None:
    names, _, grouped = parsed(str(rule["expr"]))
    kept = grouped or set().union(*(exposed()[name] for name in names))
    notes = rule["annotations"]
    assert isinstance(notes, dict)
    assert notes.keys() == {"summary", "description"}
    assert set(re.findall(r"\$labels\.(\w+)", " ".join(notes.values()))) <= kept


def test_what_is_no_expression_does_not_parse() -> None:
    """The parser is one: else all of the above would hold for anything."""
    for text in ("sum by (le (x)", "rate(x)", "nothing(x[1m])", "x{a=b}"):
        with pytest.raises(ValueError, match=r"."):
            promql.parse(text)


def test_prometheus_is_told_of_the_rules_and_of_the_job_that_they_name() -> None:
    read = yaml.safe_load((DEPLOY / "prometheus.yml").read_text(encoding="utf-8"))
    assert read["rule_files"] == ["alerts.yml"]
    (job,) = {each["job_name"] for each in read["scrape_configs"]}
    assert set(re.findall(r'job="([^"]+)"', " ".join(ASKED.values()))) == {job}


def test_grafana_shows_every_metric() -> None:
    named = {name for _, text in shown() for name in parsed(text)[0]}
    seen = {re.sub("_(bucket|count|sum)$", "", name) for name in named}
    assert set(Metrics().families) - seen == set()


def test_the_panels_of_grafana_have_places_that_do_not_overlap() -> None:
    board = json.loads((DEPLOY / "grafana.json").read_text(encoding="utf-8"))
    taken: set[tuple[int, int]] = set()
    for panel in board["panels"]:
        place = panel["gridPos"]
        cells = {(place["x"] + x, place["y"] + y) for x in range(place["w"]) for y in range(place["h"])}
        assert not cells & taken
        assert max(x for x, _ in cells) < 24
        taken |= cells
    assert len({panel["id"] for panel in board["panels"]}) == len(board["panels"])
