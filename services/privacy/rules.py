"""What is kept of people and for how long, read from personal_data.yaml."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, Literal

import yaml
from sqlalchemy import Table

from core.database import metadata
from core.settings import Settings

FILE = Path(__file__).with_name("personal_data.yaml")

Erase = Literal["delete", "empty", "keep"]


@dataclass(frozen=True)
class ClassRule:
    """How long rows of a data class are kept; `days` None: as long as the shop wants them."""

    name: str
    days: int | None
    why: str


@dataclass(frozen=True)
class TableRule:
    """What retention, export and erasure do with a table; see personal_data.yaml."""

    name: str
    age: str | None = None
    only: Mapping[str, list[str]] = field(default_factory=dict)
    found_by: Mapping[str, str] = field(default_factory=dict)
    erase: Erase = "keep"
    to: Mapping[str, Any] = field(default_factory=dict)
    kept: str | None = None
    hide: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
    nobody: bool = False

    @property
    def table(self) -> Table:
        return metadata.tables[self.name]

    @property
    def data_class(self) -> str:
        return str(self.table.info["data_class"])


@cache
def _document() -> Any:
    return yaml.safe_load(FILE.read_text(encoding="utf-8"))


@cache
def table_rules() -> tuple[TableRule, ...]:
    """The rules of all tables, parents before what points to them."""
    return tuple(TableRule(name, **_listed(rule)) for name, rule in _document()["tables"].items())


def _listed(rule: Mapping[str, Any]) -> dict[str, Any]:
    lists = {name: tuple(rule[name]) for name in ("hide", "files") if name in rule}
    return {**rule, **lists}


def class_rules(settings: Settings) -> dict[str, ClassRule]:
    """The data classes by name, with the days that RETENTION_DAYS sets instead.

    Raises ValueError for a class that does not exist, or fewer than no days.
    """
    rules = {name: ClassRule(name, **rule) for name, rule in _document()["classes"].items()}
    for name, days in settings.retention_days.items():
        if name not in rules:
            raise ValueError(f"RETENTION_DAYS: there is no data class {name!r}")
        if days < 0:
            raise ValueError(f"RETENTION_DAYS: {name} cannot be kept {days} days")
        rules[name] = ClassRule(name, days, rules[name].why)
    return rules
