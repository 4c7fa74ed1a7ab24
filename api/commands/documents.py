"""`mdf openapi` and `mdf configuration`: what is documented from the code itself."""

from __future__ import annotations

import json
from pathlib import Path

from pydantic import SecretStr
from pydantic.fields import FieldInfo

from api.commands.output import fail, progress
from core.settings import Settings

DOCUMENTS = Path(__file__).resolve().parents[2] / "docs"
OPENAPI = DOCUMENTS / "openapi.json"
CONFIGURATION = DOCUMENTS / "configuration.md"
TABLE_BEGINS = "<!-- settings: written by `mdf configuration` -->\n"
TABLE_ENDS = "<!-- end of settings -->"


def openapi_document() -> str:
    """The application's OpenAPI document as it is committed: sorted, indented, ending in a line."""
    from api.app import create_app

    document = create_app(Settings(_env_file=None)).openapi()
    return json.dumps(document, indent=2, sort_keys=True, ensure_ascii=False) + "\n"


def configuration_table() -> str:
    """Every setting as a row of a Markdown table."""
    rows = ["| variable | default | what it sets |", "|---|---|---|"]
    for name, field in Settings.model_fields.items():
        rows.append(f"| `{name.upper()}` | {_default(field)} | {field.description or ''} |")
    return "\n".join(rows) + "\n"


def configuration_document() -> str:
    """docs/configuration.md with its table made anew; the text around it stays."""
    text = CONFIGURATION.read_text(encoding="utf-8")
    before, _, rest = text.partition(TABLE_BEGINS)
    _, _, after = rest.partition(TABLE_ENDS)
    return before + TABLE_BEGINS + configuration_table() + TABLE_ENDS + after


def write_openapi(*, check: bool) -> None:
    """Write docs/openapi.json, or with `check` fail where it is not what the application says."""
    _write(OPENAPI, openapi_document(), "mdf openapi", check)


def write_configuration(*, check: bool) -> None:
    """Write the table of settings, or with `check` fail where it is not today's."""
    _write(CONFIGURATION, configuration_document(), "mdf configuration", check)


def _write(file: Path, text: str, command: str, check: bool) -> None:
    current = file.read_text(encoding="utf-8") if file.exists() else ""
    if current == text:
        progress.print(f"{file.name} is up to date")
    elif check:
        raise fail(f"docs/{file.name} is not what the code says; write it anew: {command}")
    else:
        file.write_text(text, encoding="utf-8")
        progress.print(f"wrote docs/{file.name}")


def _default(field: FieldInfo) -> str:
    default = field.default
    if isinstance(default, SecretStr):
        return "a development secret"
    return f"`{default}`" if str(default) else "empty"
