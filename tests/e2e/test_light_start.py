"""A process that answers in French needs no PyTorch: is nothing heavy loaded unasked?"""

from __future__ import annotations

import json
from pathlib import Path

from tests.e2e.commands import run_command, run_python
from tests.product import keep_models, reuse_models

HEAVY = (
    "torch",
    "tensorflow",
    "transformers",
    "sentence_transformers",
    "langchain",
    "langchain_core",
    "langgraph",
    "openai",
    "sklearn",
    "scipy",
    "kubernetes",
    "pandas",
    "alembic",
    "dbos",
    "psycopg",
    "PIL",
    "av",
    "cloudinary",
    "puremagic",
)

CONVERSE = """
import asyncio, json, sys
import httpx
from pathlib import Path
from api.app import create_app
from core.settings import Settings
from knowledge.index import Knowledge

async def converse():
    app = create_app(Settings())
    async with app.router.lifespan_context(app):
        # Until its vectors have been looked at, knowledge is searched by words alone.
        await app.state.runtime.part(Knowledge).settle()
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
            for message in ("Bonjour", "Quels sont les délais de livraison ?", "un canapé gris"):
                answer = await client.post("/api/chat", json={"message": message})
                assert answer.status_code == 200, answer.text

asyncio.run(converse())
# Chroma's default embedding model is unpacked here when something asks for it.
default_model = (Path.home() / ".cache" / "chroma").exists()
print(json.dumps({"modules": sorted(sys.modules), "default_model": default_model}))
"""


def converse(data_dir: Path) -> dict[str, object]:
    done = run_python(data_dir, "-c", CONVERSE, LOG_LEVEL="error")
    assert done.returncode == 0, done.stderr
    result: dict[str, object] = json.loads(done.stdout.splitlines()[-1])
    return result


def test_a_second_start_loads_nothing_heavy(tmp_path: Path) -> None:
    reuse_models(tmp_path)
    made = run_command(tmp_path, "seed", "--index")
    assert made.returncode == 0, made.stderr
    keep_models(tmp_path)
    second = converse(tmp_path)
    modules = second["modules"]
    assert isinstance(modules, list)
    assert "chromadb" in modules, "the conversation did not reach the vector index"
    assert sorted(set(HEAVY) & set(modules)) == []
    assert second["default_model"] is False


def test_the_names_are_those_of_installed_packages() -> None:
    """A name that nothing provides would make the test above pass for nothing."""
    from importlib.util import find_spec

    assert all(find_spec(name) for name in ("scipy", "onnxruntime", "kubernetes", "alembic"))
