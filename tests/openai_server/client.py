"""The provider's own client, connected to the test server."""

from __future__ import annotations

from typing import Any

from openai import DefaultHttpx2Client, OpenAI

from tests.openai_server.serving import OpenAIServer


def connected(server: OpenAIServer, **options: Any) -> OpenAI:
    """A client without proxies and with a short time limit; close it, or use it as a context."""
    return OpenAI(
        base_url=server.base_url,
        api_key="a-key",
        http_client=DefaultHttpx2Client(trust_env=False),
        **{"timeout": 5.0, **options},
    )
