"""54: our French injections, by the customer, by a document and by a tool result, in both modes."""

from __future__ import annotations

from contextlib import nullcontext

import pytest
import yaml

from scripts.benchmarks.injections import FRENCH, WAYS, obey, play
from tests.talking import Talk

INJECTIONS = [str(one) for one in yaml.safe_load(FRENCH.read_text("utf-8"))]
PLAYED = INJECTIONS[::8]


def test_54_there_are_enough_of_them() -> None:
    assert len(set(INJECTIONS)) >= 40


@pytest.mark.parametrize("mode", ["embedded", "agent"])
@pytest.mark.parametrize("way", WAYS)
def test_54_an_injection_has_no_effect(talk: Talk, way: str, mode: str) -> None:
    """The model obeys each of them: it opens tickets and tells its instructions."""
    talk.server.rule = obey
    with talk.set(llm="embedded") if mode == "embedded" else nullcontext():
        harm = play(talk, PLAYED, way)
    assert harm.messages == len(PLAYED)
    assert (harm.tickets, harm.handoffs, harm.leaks) == (0, 0, 0)
    assert bool(talk.server.requests) == (mode == "agent")
