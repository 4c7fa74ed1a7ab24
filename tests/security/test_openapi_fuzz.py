"""Does every route answer as the OpenAPI document says, whatever it is sent?

Schemathesis plays the examples, the bounds of each schema, random requests (valid and not) and
sequences of requests, with all its checks, against a server of its own. The same requests are
made in every run. What it does to whom stands in `fuzzing/schemathesis.toml`.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.product import keep_models, reuse_models
from tests.serving import Server, serving

CONFIGURATION = Path(__file__).with_name("fuzzing") / "schemathesis.toml"
LONGEST_SECONDS = 600


@pytest.fixture(scope="module")
def fuzzed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server whose accounts and documents may be lost."""
    data_dir = tmp_path_factory.mktemp("fuzzed") / "data"
    reuse_models(data_dir)
    with serving(data_dir) as running:
        keep_models(data_dir)
        yield running


def test_every_route_keeps_to_the_document(fuzzed: Server, tmp_path: Path) -> None:
    run = subprocess.run(
        [
            *(Path(sys.executable).with_name("schemathesis"), "--config-file", CONFIGURATION),
            *("run", f"{fuzzed.base_url}/openapi.json", "--checks", "all", "--no-color"),
        ],
        cwd=tmp_path,
        env={
            **os.environ,
            "SCHEMATHESIS_HOOKS": str(CONFIGURATION.with_name("serializers.py")),
            "AGENT_TOKEN": fuzzed.token("agent@example.com"),
            "CUSTOMER_TOKEN": fuzzed.token("customer@example.com"),
        },
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=LONGEST_SECONDS,
        check=False,
    )
    log = (fuzzed.data_dir / "server.log").read_text("utf-8", errors="replace")
    assert run.returncode == 0, run.stdout
    assert "request_failed" not in log
