"""A speech engine whose weights cannot be read; it counts in a file how often it was tried."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from core.providers.speech.worker import Engine


def open_engine(options: Mapping[str, Any]) -> Engine:
    """Fail as a library does that meets a torn file."""
    with Path(options["file"]).open("a") as file:
        file.write("opened\n")
    raise RuntimeError("the weights are torn")
