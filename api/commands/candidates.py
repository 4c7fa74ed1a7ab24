"""The configuration that `mdf eval --compare` sets beside the present one.

It is a folder of phrases, or a file as `.env`: settings of the model and encoder, `PHRASES` (a
folder), and the assistant's own values (`ANSWER_SCORE`, `STRICT_ANSWER_SCORE`, `SHOP_NAME`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError
from pydantic_settings import DotEnvSettingsSource

from bot.assistant import Assistant
from core.settings import Settings

PHRASES = "phrases"
NAME_CHARACTERS = 60
# Where a conversation is played is not what is compared.
_COMPARED_SETTINGS = frozenset(
    name
    for name in Settings.model_fields
    if name.startswith(("llm", "openai")) or name == "embeddings"
)
_ASSISTANT_VALUES = frozenset(item.name for item in fields(Assistant)) - {"revision"}


@dataclass(frozen=True)
class Candidate:
    """A configuration: changed settings, changed values of the assistant, a folder of phrases."""

    name: str
    settings: Mapping[str, Any] = field(default_factory=dict)
    assistant: Mapping[str, Any] = field(default_factory=dict)
    phrases: Path | None = None

    def applied_to(self, settings: Settings) -> Settings:
        """The settings with what this configuration changes."""
        return settings.model_copy(update=dict(self.settings))

    def assistant_of(self, present: Assistant) -> Assistant:
        return replace(present, **self.assistant)


PRESENT = Candidate("now")


def read_candidate(path: Path) -> Candidate:
    """Read a configuration; raises ValueError for a name or a value that is none."""
    name = path.name[:NAME_CHARACTERS]
    if path.is_dir():
        return Candidate(name, phrases=path)
    given = {key.lower(): value for key, value in _variables(path).items() if value is not None}
    unknown = sorted(set(given) - _COMPARED_SETTINGS - _ASSISTANT_VALUES - {PHRASES})
    if unknown:
        raise ValueError(f"cannot be compared: {', '.join(unknown).upper()}")
    phrases = path.parent / given.pop(PHRASES) if PHRASES in given else None
    if phrases is not None and not phrases.is_dir():
        raise ValueError(f"PHRASES: there is no folder {phrases}")
    return Candidate(
        name,
        _changed_settings({key: given[key] for key in given if key in _COMPARED_SETTINGS}),
        _changed_assistant({key: given[key] for key in given if key in _ASSISTANT_VALUES}),
        phrases,
    )


def _variables(path: Path) -> Mapping[str, str | None]:
    try:
        return DotEnvSettingsSource(Settings, env_file=path, case_sensitive=False).env_vars
    except UnicodeDecodeError as error:
        raise ValueError("this is not a text file") from error


def _changed_settings(given: Mapping[str, Any]) -> Mapping[str, Any]:
    settings = Settings(_env_file=None, **given)
    return {name: getattr(settings, name) for name in given}


def _changed_assistant(given: Mapping[str, Any]) -> Mapping[str, Any]:
    try:
        assistant = TypeAdapter(Assistant).validate_python({**asdict(Assistant()), **given})
    except ValidationError as error:
        problems = [f"{item['loc'][0]}: {item['msg']}" for item in error.errors()]
        raise ValueError("; ".join(problems).upper()) from None
    return {name: getattr(assistant, name) for name in given}
