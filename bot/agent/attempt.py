"""What became of the language model's try at a turn."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from bot.messages import Sentence


@dataclass
class Attempt:
    """The sentences that were sent, and whether they answer the turn.

    Where they do not, the embedded engine goes on behind the last of them.
    """

    said: list[Sentence] = field(default_factory=list)
    complete: bool = False

    @property
    def has_claims(self) -> bool:
        return any(sentence.sources or sentence.tool for sentence in self.said)


@cache
def prompts() -> Mapping[str, Any]:
    """The texts of `prompts.yaml`."""
    path = Path(__file__).parent / "prompts.yaml"
    loaded: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
    return loaded
