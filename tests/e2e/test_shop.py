"""`mdf shop` makes what a production server needs to be used: a shop and its owner."""

from __future__ import annotations

from pathlib import Path

from tests.e2e.commands import run_command
from tests.product import reuse_models
from tests.serving import serving

EMAIL = "camille@example.com"
PASSWORD = "a long enough password"
PRODUCTION = {"ENVIRONMENT": "production", "SECRET_KEY": "k" * 64, "RATE_LIMITS": "on"}


def make(data_dir: Path, password: str = PASSWORD) -> tuple[int, str]:
    data_dir.mkdir(exist_ok=True)
    run = run_command(
        data_dir,
        *("shop", "Meuble de l'Été", "--email", EMAIL, "--password-input"),
        text=f"{password}\n",
        **PRODUCTION,
    )
    return run.returncode, run.stdout + run.stderr


def test_that_the_owner_of_a_new_shop_signs_in_and_invites(tmp_path: Path) -> None:
    data_dir = tmp_path / "data"
    refused, why = make(data_dir, "short")
    assert refused == 1
    assert "characters" in why
    made, said = make(data_dir)
    assert made == 0, said
    assert "pk_" in said
    again, why = make(data_dir)
    assert again == 1
    assert "holds a shop already" in why
    reuse_models(data_dir)
    with serving(data_dir, **PRODUCTION) as server, server.client() as client:
        body = {"email": EMAIL, "password": PASSWORD}
        token = client.post("/api/auth/login", json=body).json()["access_token"]
        headers = {"Authorization": f"Bearer {token}"}
        (owner,) = client.get("/api/v1/users", headers=headers).json()["data"]
        assert (owner["email"], owner["role"]) == (EMAIL, "owner")
        assert client.get("/openapi.json").status_code == 404
        answer = client.post("/api/chat", json={"message": "Bonjour"})
        assert answer.json()["success"] is True
