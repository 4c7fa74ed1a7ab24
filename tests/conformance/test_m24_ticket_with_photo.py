"""M24: the ticket workflow of seed 003, run as the shell script that operators are given."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import httpx

from tests.pictures import encoded, scene
from tests.serving import ROOT, Server

SCRIPT = ROOT / "examples" / "ticket_with_photo.sh"


def run_script(server: Server, photo: Path, **more: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [SCRIPT, photo],
        env={"PATH": "/usr/bin:/bin:/usr/local/bin", "SERVER": server.base_url, **more},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_m24_the_script_goes_from_signing_in_to_reading_the_ticket(
    server: Server, customer: httpx.Client, tmp_path: Path
) -> None:
    photo = tmp_path / "le photo du défaut.jpg"
    photo.write_bytes(encoded(scene()))
    run = run_script(server, photo)
    assert run.returncode == 0, run.stdout + run.stderr
    assert run.stderr == ""
    (ticket_id,) = set(re.findall(r"TKT-\d{4}-\d{6}", run.stdout))
    (file_id,) = set(re.findall(r"upload_\w+", run.stdout))
    ticket = customer.get(f"/api/tickets/{ticket_id}").json()["ticket"]
    assert ticket["attachments"] == [file_id]
    assert ticket["customer_id"] == "CUST123"
    assert ticket["product_sku"] == "CANAPÉ-OSLO-3P"
    assert ticket["problem_category"] == "défaut_fabrication"
    assert ticket["problem_severity"] == "moyen"
    assert ticket["description"] == "Déchirure sur l'accoudoir gauche"
    assert f"status {ticket['status']}, priority {ticket['priority']}" in run.stdout
    assert f"answer by {ticket['sla_response_deadline']}" in run.stdout
    (file,) = ticket["files"]
    opened = customer.get(file["file_url"])
    assert opened.headers["content-type"] == "image/jpeg"


def test_m24_the_script_stops_where_the_server_refuses(server: Server, tmp_path: Path) -> None:
    photo = tmp_path / "photo.jpg"
    photo.write_bytes(encoded(scene()))
    refused = run_script(server, photo, PASSWORD="wrong password")
    assert refused.returncode != 0
    assert "2. Tell the assistant" not in refused.stdout
    photo.write_text("no picture")
    refused = run_script(server, photo)
    assert refused.returncode != 0
    assert "4. File the ticket" not in refused.stdout
