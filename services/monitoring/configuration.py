"""Which settings are set, left as they are, or missing: their state, never their value."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from pydantic import SecretStr

from core.settings import DEVELOPMENT_SECRET, Settings

SettingStatus = Literal["set", "default", "missing"]
_OPENAI = "openai:"


@dataclass(frozen=True)
class SettingState:
    """One setting: whether it was given, and whether it must be."""

    name: str
    status: SettingStatus
    required: bool
    secret: bool


def setting_states(settings: Settings) -> list[SettingState]:
    """Every setting of the product in the order of its documentation."""
    required = _required(settings)
    states = []
    for name, field in Settings.model_fields.items():
        given = name in settings.model_fields_set
        status: SettingStatus = "set" if given else "default"
        if not given and name in required:
            status = "missing"
        states.append(
            SettingState(name.upper(), status, name in required, field.annotation is SecretStr)
        )
    return states


def configuration_warnings(settings: Settings) -> list[str]:
    """What an operator should know of the settings; no value is repeated."""
    warnings = []
    if settings.secret_key.get_secret_value() == DEVELOPMENT_SECRET:
        warnings.append("SECRET_KEY is the published development secret; production refuses it.")
    if settings.rate_limits == "off":
        warnings.append("RATE_LIMITS is off; production refuses that.")
    if settings.cache_url.startswith("memory:") and settings.database.startswith("postgresql"):
        warnings.append(
            "CACHE_URL is memory://: several processes would each count requests by themselves."
        )
    if settings.memory_critical_mb < settings.memory_warning_mb:
        warnings.append("MEMORY_CRITICAL_MB is below MEMORY_WARNING_MB.")
    return warnings


def _required(settings: Settings) -> frozenset[str]:
    """The settings that must be given, because of where the product runs or of another setting."""
    required = set()
    if settings.environment == "production":
        required.add("secret_key")
    if settings.llm.startswith(_OPENAI) or settings.llm_fallback.startswith(_OPENAI):
        required.add("openai_api_key")
    return frozenset(required)
