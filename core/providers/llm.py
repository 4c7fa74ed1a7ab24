"""Which language model does the `LLM` setting name, and how is it asked?

`embedded` names none. The model is built at its first use: LangChain and OpenAI's client take
three seconds of CPU to import, which a process without a model never pays; `warm` pays it in the
background.
"""

from __future__ import annotations

import asyncio
import importlib
import importlib.util
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from core.providers.breaker import CircuitBreaker
from core.settings import Settings

if TYPE_CHECKING:
    from langchain_openai import ChatOpenAI

OPENAI_URL = "https://api.openai.com/v1"
LONGEST_ANSWER_TOKENS = 1_000
# What an agent needs beside the client, imported with it.
_IMPORTED_EARLY = ("langchain.agents", "langchain.agents.middleware", "langgraph.checkpoint.memory")


@dataclass(frozen=True)
class ModelName:
    """A model and the address where it is asked."""

    base_url: str
    model: str


@dataclass
class _Clients:
    """What is built at the first use, and closed with the model."""

    http: Any = None
    models: dict[ModelName, ChatOpenAI] = field(default_factory=dict)


@dataclass(frozen=True)
class LanguageModel:
    """A remote model, the one asked when it fails, and the breaker before both."""

    name: ModelName
    fallback_name: ModelName | None
    settings: Settings
    breaker: CircuitBreaker
    _clients: _Clients = field(default_factory=_Clients, repr=False)

    def chat(self) -> ChatOpenAI:
        """LangChain's client of the model: streaming, without retries of its own."""
        return self._client(self.name)

    def fallback(self) -> ChatOpenAI | None:
        """The client of `LLM_FALLBACK`, None where none is set."""
        return self._client(self.fallback_name) if self.fallback_name is not None else None

    def _client(self, name: ModelName) -> ChatOpenAI:
        from langchain_openai import ChatOpenAI
        from openai import DefaultAsyncHttpx2Client

        if self._clients.http is None:
            # The client that the library would make is kept for the life of the process, whatever
            # event loop it was made in.
            self._clients.http = DefaultAsyncHttpx2Client(trust_env=False)
        if name not in self._clients.models:
            timeout = self.settings.llm_timeout_seconds
            self._clients.models[name] = ChatOpenAI(
                model=name.model,
                base_url=name.base_url,
                api_key=self._key(name),
                use_responses_api=False,
                streaming=True,
                stream_usage=True,
                max_retries=0,
                timeout=timeout,
                stream_chunk_timeout=timeout,
                max_completion_tokens=LONGEST_ANSWER_TOKENS,
                temperature=0.0,
                http_async_client=self._clients.http,
            )
        return self._clients.models[name]

    def _key(self, name: ModelName) -> str:
        """The key, for the one provider that it belongs to: OpenAI where it is named at all."""
        addresses = [one.base_url for one in (self.name, self.fallback_name) if one is not None]
        owner = OPENAI_URL if OPENAI_URL in addresses else addresses[0]
        key = self.settings.openai_api_key.get_secret_value()
        return key if key and name.base_url == owner else "none"

    def cost(self, input_tokens: int, output_tokens: int) -> int:
        """What tokens cost, in millionths of the currency that the prices are set in."""
        settings = self.settings
        return round(
            input_tokens * settings.llm_input_price_per_million
            + output_tokens * settings.llm_output_price_per_million
        )

    async def warm(self) -> None:
        """Import what the first turn would import otherwise, off the event loop."""

        def load() -> None:
            for module in _IMPORTED_EARLY:
                importlib.import_module(module)
            importlib.import_module("langchain_openai")

        await asyncio.to_thread(load)

    async def close(self) -> None:
        if self._clients.http is not None:
            await self._clients.http.aclose()


def open_llm(settings: Settings, breaker: CircuitBreaker | None = None) -> LanguageModel | None:
    """Open what `LLM` and `LLM_FALLBACK` name, behind a breaker; None for `embedded`.

    Raises ValueError for a value of another form, or without the packages of the extra `llm`;
    nothing is connected to yet.
    """
    name = _name(settings.llm, "LLM")
    if name is None:
        return None
    if importlib.util.find_spec("langchain_openai") is None:
        raise ValueError("LLM: a language model needs more packages: scripts/install llm")
    fallback = _name(settings.llm_fallback or "embedded", "LLM_FALLBACK")
    return LanguageModel(name, fallback, settings, breaker or CircuitBreaker("openai"))


def _name(setting: str, variable: str) -> ModelName | None:
    kind, _, rest = setting.partition(":")
    if setting == "embedded":
        return None
    if kind == "openai" and rest:
        return ModelName(OPENAI_URL, rest)
    base_url, _, model = rest.rpartition("#")
    if kind == "openai-compatible" and model and base_url.startswith(("http://", "https://")):
        return ModelName(base_url, model)
    raise ValueError(
        f"{variable}: unknown value {setting!r}; use embedded, openai:<model> or "
        "openai-compatible:<base url>#<model>"
    )
