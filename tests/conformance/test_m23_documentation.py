"""M23: interactive documentation in development only, and complete."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from api.app import create_app
from api.documentation import openapi_document
from api.limits import group_of
from core.settings import Settings
from tests.conformance.shapes import assert_failure
from tests.edge import open_edge

PAGES = ("/docs", "/redoc", "/openapi.json")
METHODS = {"get", "post", "put", "patch", "delete"}

Operation = tuple[str, str, dict[str, Any]]


@pytest.mark.anyio
async def test_m23_production_has_no_documentation_pages(tmp_path: Path) -> None:
    async with (
        open_edge(tmp_path / "production", environment="production") as edge,
        edge.client(edge.tokens["admin"]) as client,
    ):
        for page in PAGES:
            assert_failure(await client.get(page), 404, "not_found")


@pytest.mark.anyio
async def test_m23_development_shows_every_route_under_its_version(tmp_path: Path) -> None:
    async with open_edge(tmp_path / "development") as edge, edge.client() as client:
        for page in PAGES:
            answer = await client.get(page)
            assert answer.status_code == 200
            assert ("json" if page.endswith("json") else "html") in answer.headers["content-type"]
        document = (await client.get("/openapi.json")).json()
    assert document["openapi"].startswith("3.1")
    assert document["info"]["version"]
    assert {"/api/auth/login", "/api/chat", "/api/tickets", "/health"} <= set(document["paths"])


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    return openapi_document(create_app(Settings(_env_file=None)))


def operations(document: dict[str, Any]) -> Iterator[Operation]:
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            if method in METHODS:
                yield path, method, operation


def test_m23_every_route_says_what_it_does_under_a_tag(document: dict[str, Any]) -> None:
    tags = {tag["name"] for tag in document["tags"]}
    bare = [
        f"{method} {path}"
        for path, method, operation in operations(document)
        if not (operation.get("summary") and operation.get("description"))
        or not set(operation.get("tags", ())) & tags
    ]
    assert bare == []


def test_m23_every_counted_route_tells_its_limits_and_errors(document: dict[str, Any]) -> None:
    for path, method, operation in operations(document):
        group = group_of(path)
        if group is None:
            continue
        assert f"{group.limit} requests a minute" in operation["description"], (method, path)
        assert {"413", "429", "500", "503", "504"} <= set(operation["responses"]), (method, path)
        for status, response in operation["responses"].items():
            if status[0] in "45":
                assert response["description"], (method, path, status)


def test_m23_every_json_body_comes_with_examples(document: dict[str, Any]) -> None:
    """Each field that must be given has an example, or a choice to pick from."""
    schemas = document["components"]["schemas"]
    bare = []
    for path, method, operation in operations(document):
        content = operation.get("requestBody", {}).get("content", {}).get("application/json", {})
        schema = content.get("schema", {})
        body = schemas.get(schema.get("$ref", "").rpartition("/")[2], schema)
        for field in body.get("required", ()):
            if not {"examples", "enum", "const", "$ref"} & set(body["properties"][field]):
                bare.append(f"{method} {path}: {field}")
    assert bare == []
