"""The `mdf` command as a person and a script use it: exit codes, JSON, and clear refusals."""

from __future__ import annotations

import json
import socket
from pathlib import Path

from tests.e2e.commands import run_command
from tests.serving import Server


def test_help_names_every_command(tmp_path: Path) -> None:
    done = run_command(tmp_path, "--help")
    assert done.returncode == 0
    for command in ("serve", "chat", "seed", "knowledge", "eval", "openapi", "doctor"):
        assert command in done.stdout


def test_an_unknown_command_is_a_usage_error(tmp_path: Path) -> None:
    done = run_command(tmp_path, "dance")
    assert done.returncode == 2
    assert done.stdout == ""


def test_a_wrong_setting_is_named(tmp_path: Path) -> None:
    done = run_command(tmp_path, "doctor", ENVIRONMENT="production")
    assert done.returncode == 2
    assert "SECRET_KEY" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_busy_port_is_said_at_once(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as busy:
        done = run_command(tmp_path, "serve", "--port", str(busy.getsockname()[1]))
    assert done.returncode == 1
    assert "cannot listen" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_second_server_on_the_same_data_is_refused(server: Server) -> None:
    done = run_command(server.data_dir, "serve")
    assert done.returncode == 1
    assert server.base_url in " ".join(done.stderr.split())


def test_doctor_finds_a_running_server_well(server: Server) -> None:
    done = run_command(server.data_dir, "doctor", "--json")
    found = json.loads(done.stdout)
    assert [finding["name"] for finding in found if not finding["ok"]] == []
    assert any(server.base_url in finding["detail"] for finding in found)
    assert done.returncode == 0


def test_doctor_is_content_before_the_first_start(tmp_path: Path) -> None:
    done = run_command(tmp_path, "doctor", "--json")
    assert done.returncode == 0, done.stdout
    assert all(finding["ok"] for finding in json.loads(done.stdout))


def test_doctor_says_what_to_do(tmp_path: Path) -> None:
    """A port that is taken, and a storage that there is not."""
    with socket.create_server(("127.0.0.1", 0)) as busy:
        port = str(busy.getsockname()[1])
        done = run_command(tmp_path, "doctor", "--json", PORT=port, STORAGE="tape:1")
    assert done.returncode == 1
    failed = {finding["name"]: finding for finding in json.loads(done.stdout) if not finding["ok"]}
    assert set(failed) == {"port", "storage"}
    assert all(finding["advice"] for finding in failed.values())


def test_seeding_again_adds_nothing(server: Server) -> None:
    done = run_command(server.data_dir, "seed", "--json")
    assert done.returncode == 0, done.stderr
    assert set(json.loads(done.stdout).values()) == {0}


def test_chat_goes_through_the_running_server(server: Server) -> None:
    done = run_command(
        server.data_dir, "chat", "--debug", text="Bonjour\nQuels sont les délais de livraison ?\n"
    )
    assert done.returncode == 0, done.stderr
    assert "intent greeting" in done.stdout
    assert "source" in done.stdout
    assert server.base_url in " ".join(done.stderr.split())


def test_chat_as_nobody_known_is_refused(server: Server) -> None:
    done = run_command(
        server.data_dir, "chat", "--email", "nobody@example.com", "--password", "wrong-password"
    )
    assert done.returncode == 1
    assert "error" in done.stderr


def test_knowledge_is_added_listed_and_found(server: Server, tmp_path: Path) -> None:
    article = tmp_path / "consigne.md"
    article.write_text(
        "# Consigne des parapluies\n\nLes parapluies trouvés en magasin attendent leur "
        "propriétaire quarante jours au comptoir d'accueil.\n",
        encoding="utf-8",
    )
    added = run_command(server.data_dir, "knowledge", "add", "--json", str(article))
    assert added.returncode == 0, added.stderr
    assert [row["title"] for row in json.loads(added.stdout)] == ["Consigne des parapluies"]
    listed = run_command(server.data_dir, "knowledge", "list", "--json")
    assert "Consigne des parapluies" in {row["title"] for row in json.loads(listed.stdout)}
    found = run_command(
        server.data_dir, "knowledge", "search", "--json", "parapluie oublié au magasin"
    )
    assert found.returncode == 0, found.stderr
    assert json.loads(found.stdout)[0]["title"] == "Consigne des parapluies"


def test_a_file_that_is_no_document_is_refused(server: Server, tmp_path: Path) -> None:
    broken = tmp_path / "broken.pdf"
    broken.write_bytes(b"%PDF-1.7 nothing behind")
    done = run_command(server.data_dir, "knowledge", "add", str(broken))
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
