"""What can be set, and nowhere else is the environment read."""

from __future__ import annotations

from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Literal, Self

from pydantic import Field, SecretStr, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

DEVELOPMENT_SECRET = "development-only-secret-change-me-in-production"  # noqa: S105
MINIMUM_SECRET_LENGTH = 32


class Settings(BaseSettings):
    """Settings of one process; each is an environment variable of the same name in capitals."""

    model_config = SettingsConfigDict(
        frozen=True, env_file=".env", extra="ignore", env_ignore_empty=True
    )

    environment: Literal["development", "production"] = Field(
        "development", description="`production` refuses default secrets and demo accounts."
    )
    secret_key: SecretStr = Field(
        SecretStr(DEVELOPMENT_SECRET),
        description="Signs tokens; at least 32 characters; required in production.",
    )
    host: str = Field("127.0.0.1", description="Address that the server listens on.")
    port: int = Field(8000, ge=0, le=65535, description="Port that the server listens on.")
    data_dir: Path = Field(Path("data"), description="Folder of the database, vectors and files.")
    database_url: str = Field(
        "",
        description="`sqlite+aiosqlite:///…` or `postgresql+asyncpg://…`; "
        "empty: a SQLite file in DATA_DIR.",
    )
    cache_url: str = Field("memory://", description="`memory://` or `redis://…`.")
    vectors: str = Field(
        "",
        description="`chroma:<folder>` or `chroma+http://host:port`; empty: a folder in DATA_DIR.",
    )
    embeddings: str = Field(
        "embedded", description="`embedded` or `sentence-transformers:<name or folder>`."
    )
    storage: str = Field(
        "",
        description="`file:<folder>` or `cloudinary://<key>:<secret>@<cloud>`; "
        "empty: a folder in DATA_DIR.",
    )
    public_url: str = Field(
        "",
        description="Address that others reach this server by, such as `https://api.example.com`; "
        "empty: that of each request.",
    )
    llm: str = Field(
        "embedded",
        description="`embedded` (no language model), `openai:<model>` or "
        "`openai-compatible:<base url>#<model>`.",
    )
    openai_api_key: SecretStr = Field(
        SecretStr(""), description="Key of the provider that LLM names; never logged or stored."
    )
    llm_fallback: str = Field(
        "", description="A second language model, named as LLM is, asked when the first fails."
    )
    llm_timeout_seconds: float = Field(
        20.0, gt=0, le=120, description="Longest that a turn waits for the language model."
    )
    llm_tokens_per_turn: int = Field(
        20_000, ge=0, description="Tokens after which a turn asks the language model no more."
    )
    llm_tokens_per_conversation: int = Field(
        200_000, ge=0, description="Tokens after which a conversation does without the model."
    )
    llm_tokens_per_day: int = Field(
        5_000_000, ge=0, description="Tokens a UTC day and organization, then without the model."
    )
    llm_input_price_per_million: float = Field(
        0.0, ge=0, description="Price of a million tokens read, in the provider's currency."
    )
    llm_output_price_per_million: float = Field(
        0.0, ge=0, description="Price of a million tokens written, in the provider's currency."
    )
    speech_to_text: str = Field(
        "embedded",
        description="`embedded` (whisper-base inside a wheel), `whisper:<size or .pt file>`, "
        "`openai:<model>` or `openai-compatible:<base url>#<model>`; see docs/voice.md.",
    )
    text_to_speech: str = Field(
        "embedded",
        description="`embedded` (Pico inside a wheel), `kokoro:<folder>`, `gtts`, "
        "`openai:<model>` or `openai-compatible:<base url>#<model>`; see docs/voice.md.",
    )
    voice_calls_at_once: int = Field(
        4, ge=0, description="Calls that one process holds at once; further ones are refused."
    )
    voice_call_minutes: float = Field(
        20.0, gt=0, le=120, description="Longest that a call may last."
    )
    voice_name: str = Field("alloy", description="Voice that calls are answered with.")
    twilio_auth_token: SecretStr = Field(
        SecretStr(""),
        description="Signs what Twilio sends; empty: no telephone calls are taken.",
    )
    voice_transfer_number: str = Field(
        "",
        description="Telephone number that callers who want a person are put through to, such as "
        "`+33123456789`; empty: nobody is put through.",
    )
    smtp_url: SecretStr = Field(
        SecretStr(""),
        description="`smtp://user:password@host:port` (`?starttls=required` or `off`) or "
        "`smtps://…`; empty: a folder `mail` in DATA_DIR, in production no e-mail.",
    )
    email_from: str = Field(
        "Meuble de France <no-reply@localhost>", description="Sender of the product's e-mails."
    )
    password_reset_url: str = Field(
        "",
        description="Page that a password mail links to, the code behind `#code=`; "
        "empty: the mail shows the code alone.",
    )
    rate_limits: Literal["on", "off"] = Field(
        "on", description="`off` is accepted in development only."
    )
    allowed_origins: str = Field(
        "",
        description="Origins whose pages may chat and use the API, separated by commas, such as "
        "`https://shop.example`; `*`: any; empty: only this server's own.",
    )
    trusted_proxies: str = Field(
        "",
        description="Addresses or networks, separated by commas, whose `X-Forwarded-For` is "
        "believed; empty: nobody's.",
    )
    slow_query_ms: float = Field(
        1000.0, gt=0, description="A database statement from this long on is counted as slow."
    )
    memory_warning_mb: float = Field(
        800.0, gt=0, description="Memory of the process from which `GET /memory` warns."
    )
    memory_critical_mb: float = Field(
        1500.0, gt=0, description="Memory of the process from which `GET /ready` is not ready."
    )
    traces: str = Field(
        "", description="`otlp:<url of a collector>` sends OpenTelemetry traces; empty: none."
    )
    jobs: Literal["auto", "embedded", "workers"] = Field(
        "auto",
        description="Who does background work: the server itself (`embedded`) or `mdf worker` "
        "processes (`workers`); `auto`: embedded on SQLite, workers on PostgreSQL.",
    )
    retention_days: dict[str, int] = Field(
        {},
        description="Days that data classes are kept instead of the usual ones, as JSON: "
        '`{"conversation": 365}`; the classes are in docs/gdpr.md.',
    )
    app_name: str = Field(
        "Mobilier de France Chatbot", description="Name that `GET /health` answers."
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        "info", description="Lowest level that is logged."
    )
    log_format: Literal["json", "console"] = Field("json", description="How a log line is written.")

    @field_validator("trusted_proxies")
    @classmethod
    def check_proxies(cls, value: str) -> str:
        for network in _listed(value):
            ip_network(network)
        return value

    @model_validator(mode="after")
    def check_production(self) -> Self:
        """Production takes no default secret and no switched-off limits."""
        if self.environment == "production":
            secret = self.secret_key.get_secret_value()
            if secret == DEVELOPMENT_SECRET or len(secret) < MINIMUM_SECRET_LENGTH:
                raise ValueError(
                    "SECRET_KEY must be set to at least 32 random characters in production"
                )
            if self.rate_limits == "off":
                raise ValueError("RATE_LIMITS=off is accepted in development only")
        return self

    @property
    def proxy_networks(self) -> tuple[IPv4Network | IPv6Network, ...]:
        return tuple(ip_network(network) for network in _listed(self.trusted_proxies))

    @property
    def origins(self) -> tuple[str, ...]:
        return tuple(origin.rstrip("/").lower() for origin in _listed(self.allowed_origins))

    @property
    def database(self) -> str:
        return self.database_url or f"sqlite+aiosqlite:///{self.data_dir / 'mdf.sqlite3'}"

    @property
    def embeds_jobs(self) -> bool:
        """Whether a server does background work itself."""
        if self.jobs == "auto":
            return self.database.startswith("sqlite")
        return self.jobs == "embedded"

    @property
    def vector_store(self) -> str:
        return self.vectors or f"chroma:{self.data_dir / 'vectors'}"

    @property
    def file_storage(self) -> str:
        return self.storage or f"file:{self.data_dir / 'files'}"

    @property
    def phrase_folder(self) -> Path:
        """Where a shop's own training phrases are looked for."""
        return self.data_dir / "phrases"

    @property
    def model_folder(self) -> Path:
        """Where trained models are kept between starts."""
        return self.data_dir / "models"


def _listed(value: str) -> list[str]:
    """The items of a setting that lists them with commas."""
    return [item.strip() for item in value.split(",") if item.strip()]
