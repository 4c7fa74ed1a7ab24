"""Do compose.yaml, the Dockerfile and the proxy's file hold together, without a Docker engine?"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
import yaml

from core.settings import Settings

ROOT = Path(__file__).resolve().parents[2]
SCHEMA = Path(__file__).with_name("compose_schema") / "compose-spec.json"
EXAMPLE = ROOT / "deploy" / "production.env.example"
VARIABLE = re.compile(r"\$\{([A-Z_]+)(?::([-?])([^}]*))?\}")
OURS = ("app", "worker")
FILLED = {"SITE_ADDRESS": "api.example.com", "SECRET_KEY": "a" * 64, "POSTGRES_PASSWORD": "b" * 64}
# What compose.yaml itself asks for, beside settings.
COMPOSE_OWN = {"SITE_ADDRESS", "POSTGRES_PASSWORD", "APP_REPLICAS", "EXTRAS"}


def compose_text() -> str:
    return (ROOT / "compose.yaml").read_text("utf-8")


def compose() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(compose_text())
    return found


def example() -> dict[str, str]:
    lines = (line for line in EXAMPLE.read_text("utf-8").splitlines() if "=" in line)
    return dict(line.split("=", 1) for line in lines if not line.startswith("#"))


def filled(part: Any, values: dict[str, str] = FILLED) -> Any:
    """The document with its variables replaced as Compose replaces them."""
    if isinstance(part, dict):
        return {name: filled(value, values) for name, value in part.items()}
    if isinstance(part, list):
        return [filled(value, values) for value in part]
    if not isinstance(part, str):
        return part

    def value(found: re.Match[str]) -> str:
        name, kind, word = found.groups()
        if values.get(name):
            return values[name]
        assert kind == "-", f"{name} must be given"
        return str(word)

    text = VARIABLE.sub(value, part)
    return int(text) if text != part and text.isdigit() else text


def service_settings(service: str) -> dict[str, str]:
    settings: dict[str, str] = filled(compose())["services"][service]["environment"]
    return settings


def test_compose_fits_the_schema_of_compose() -> None:
    schema = json.loads(SCHEMA.read_text("utf-8"))
    validator = jsonschema_rs.Draft201909Validator(schema)
    document = filled(compose())
    assert [error.message for error in validator.iter_errors(document)] == []
    document["services"]["app"]["depend_on"] = {}
    assert [error for error in validator.iter_errors(document)]


@pytest.mark.parametrize("service", OURS)
def test_every_variable_is_a_setting_that_production_takes(
    service: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = service_settings(service)
    assert {name.lower() for name in given} <= set(Settings.model_fields)
    for name in Settings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    settings = Settings(_env_file=None)
    assert settings.environment == "production"
    assert settings.database.startswith("postgresql+asyncpg://")
    assert settings.vector_store.startswith("chroma+http://")
    assert settings.cache_url.startswith("redis://")
    assert not settings.embeds_jobs


def test_addresses_name_services_and_the_believed_proxy_is_on_the_front() -> None:
    document = compose()
    given = service_settings("app")
    hosts = [
        re.search(r"(?:@|//)([a-z]+):[0-9]", given[name])
        for name in ("DATABASE_URL", "CACHE_URL", "VECTORS")
    ]
    assert {found.group(1) for found in hosts if found} == {"postgresql", "redis", "chroma"}
    (network,) = document["networks"]["front"]["ipam"]["config"]
    assert given["TRUSTED_PROXIES"] == network["subnet"]
    on_the_front = {
        name for name, one in document["services"].items() if "front" in one["networks"]
    }
    assert on_the_front == {"proxy", "app", "worker"}
    assert [name for name, one in document["services"].items() if "ports" in one] == ["proxy"]


def test_every_service_is_watched_and_its_volumes_exist() -> None:
    document = compose()
    for name, service in document["services"].items():
        assert "healthcheck" in service or name == "app", "the image brings the app's own"
        for volume in service.get("volumes", ()):
            source = volume.split(":")[0]
            assert source in document["volumes"] or (ROOT / source).exists()
        for needed in service.get("depends_on", ()):
            assert needed in document["services"]


def test_the_example_names_every_variable_and_holds_no_secret() -> None:
    wanted = {found.group(1) for found in VARIABLE.finditer(compose_text())}
    assert set(example()) == wanted
    assert {name for name, value in example().items() if value} == {"APP_REPLICAS"}
    assert all(name in COMPOSE_OWN or name.lower() in Settings.model_fields for name in wanted)
    required = {
        found.group(1) for found in VARIABLE.finditer(compose_text()) if found.group(2) == "?"
    }
    assert required == set(FILLED)
    for ignored in (".gitignore", ".dockerignore"):
        assert "deploy/*.env" in (ROOT / ignored).read_text("utf-8")


def dockerfile() -> str:
    """The Dockerfile with continued lines joined."""
    return re.sub(r"\\\n\s*", "", (ROOT / "Dockerfile").read_text("utf-8"))


def test_the_image_copies_and_runs_what_exists() -> None:
    for line in dockerfile().splitlines():
        if line.startswith("COPY "):
            assert all((ROOT / source).exists() for source in line.split()[1:-1]), line
        for script in re.findall(r"scripts/[a-z]+", line):
            assert os.access(ROOT / script, os.X_OK)
    last = dockerfile().strip().splitlines()[-1]
    command = json.loads(last.removeprefix("CMD "))
    assert command[1:] == ["serve", "--seed"]
    listed = subprocess.run(
        [sys.executable, "-m", "api.cli", "--help"], capture_output=True, text=True, check=True
    )
    assert all(word in listed.stdout for word in ("serve", "worker"))
    folders = re.search(r"mkdir (/[a-z/ ]+)&&", dockerfile())
    assert folders
    assert {"/data", "/files", "/vectors"} == set(folders.group(1).split())


def test_the_proxy_understands_its_file() -> None:
    caddy = Path(sys.executable).with_name("caddy")
    subprocess.run(
        [caddy, "validate", "--config", ROOT / "deploy" / "proxy" / "Caddyfile"],
        env={"SITE_ADDRESS": "api.example.com", "HOME": "/nonexistent"},
        capture_output=True,
        check=True,
    )
