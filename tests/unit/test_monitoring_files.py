"""Do the dashboard and the alerts speak of metrics, labels and states that really exist?"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from prometheus_client import REGISTRY, CollectorRegistry

import bot.engine  # noqa: F401  metrics of the process are declared where they are kept up
from core.providers.breaker import Breakers
from core.runtime import utc_now
from services.monitoring.metrics import BREAKER_STATES, OutboxFigures, _Moment

DEPLOY = Path(__file__).resolve().parents[2] / "deploy"
# What Prometheus itself adds to a target.
PROMETHEUS_OWN = {"up"}
SUFFIXES = {
    "counter": ("_total",),
    "histogram": ("_bucket", "_count", "_sum"),
    "gauge": ("",),
    "info": ("_info",),
}
OUTSIDE_LABELS = {"job", "instance", "le"}


def dashboards() -> list[dict[str, Any]]:
    return [json.loads(file.read_text("utf-8")) for file in sorted(DEPLOY.glob("grafana/*.json"))]


def rules() -> list[dict[str, Any]]:
    groups = yaml.safe_load((DEPLOY / "prometheus" / "alerts.yaml").read_text("utf-8"))["groups"]
    return [rule for group in groups for rule in group["rules"]]


def expressions() -> Iterator[str]:
    for dashboard in dashboards():
        for panel in dashboard["panels"]:
            for target in panel["targets"]:
                yield target["expr"]
    for rule in rules():
        yield rule["expr"]


def existing() -> dict[str, set[str]]:
    """Every sample's name with its labels, from the very registries that /metrics writes."""
    registry = CollectorRegistry()
    registry.register(_Moment(Breakers(), True, OutboxFigures(0, 0, None), utc_now()))
    known: dict[str, set[str]] = {}
    for source in (REGISTRY, registry):
        for family in source.collect():
            labels = {name for sample in family.samples for name in sample.labels}
            for suffix in SUFFIXES.get(family.type, ("",)):
                known[family.name + suffix] = labels
    for collector in set(REGISTRY._names_to_collectors.values()):
        declared = set(getattr(collector, "_labelnames", ()))
        for name in REGISTRY._get_names(collector):
            known.setdefault(name, set()).update(declared)
    return known


def names_in(expression: str) -> set[str]:
    return set(re.findall(r"\b(?:mdf|process|python)_[a-z_]+\b|\bup\b", expression))


def test_there_is_something_to_compare() -> None:
    assert len(list(expressions())) > 30
    assert "mdf_http_requests_total" in existing()
    assert names_in("rate(mdf_invented_total[5m])") - set(existing()) == {"mdf_invented_total"}


@pytest.mark.parametrize("expression", list(expressions()))
def test_every_metric_exists(expression: str) -> None:
    used = names_in(expression)
    assert used, expression
    assert used - PROMETHEUS_OWN <= set(existing()), expression


@pytest.mark.parametrize("expression", list(expressions()))
def test_every_label_exists(expression: str) -> None:
    known = existing()
    allowed = OUTSIDE_LABELS.union(*(known.get(name, set()) for name in names_in(expression)))
    selected = re.findall(r"[{,]\s*([a-z_]+)\s*[=!]", expression)
    grouped = [
        label.strip()
        for group in re.findall(r"\bby \(([^)]*)\)", expression)
        for label in group.split(",")
    ]
    assert {*selected, *grouped} <= allowed, expression
    for state in re.findall(r'state="([a-z_]+)"', expression):
        assert state in BREAKER_STATES


def test_every_rule_can_be_acted_on() -> None:
    names = [rule["alert"] for rule in rules()]
    assert len(names) == len(set(names))
    for rule in rules():
        assert rule["labels"]["severity"] in {"info", "warning", "critical"}
        assert rule["annotations"]["summary"].endswith(".")


def test_panels_do_not_lie_over_each_other() -> None:
    for dashboard in dashboards():
        taken: set[tuple[int, int]] = set()
        for panel in dashboard["panels"]:
            place = panel["gridPos"]
            cells = {
                (x, y)
                for x in range(place["x"], place["x"] + place["w"])
                for y in range(place["y"], place["y"] + place["h"])
            }
            assert not cells & taken, panel["title"]
            assert place["x"] + place["w"] <= 24
            taken |= cells
        identifiers = [panel["id"] for panel in dashboard["panels"]]
        assert len(identifiers) == len(set(identifiers))


def test_the_scrape_configuration_loads_the_rules() -> None:
    configuration = yaml.safe_load((DEPLOY / "prometheus" / "prometheus.yaml").read_text("utf-8"))
    for name in configuration["rule_files"]:
        assert (DEPLOY / "prometheus" / name).exists()
    assert [job["job_name"] for job in configuration["scrape_configs"]] == ["mdf"]
