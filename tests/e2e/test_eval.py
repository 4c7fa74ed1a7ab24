"""`mdf eval` as a person and CI use it: exit codes, JSON, the report, two configurations."""

from __future__ import annotations

import json
from pathlib import Path

from tests.e2e.commands import run_command
from tests.serving import Server

PASSING = """
scenarios:
  - name: la Corse
    turns:
      - say: "quel est le prix de la livraison en Corse ?"
        expect: {intent: delivery_question, says: ["149"]}
customers:
  - name: une personne
    moods: [terse, polite]
    words: {fr: {opens: ["je voudrais parler à un conseiller"]}}
    reached: {owner: waiting}
"""
FAILING = """
- name: un prix inventé
  turns:
    - say: "quel est le prix de la livraison en Corse ?"
      expect: {says: ["1 euro"]}
"""


def test_conversations_pass_and_a_report_is_written(server: Server, tmp_path: Path) -> None:
    file, html = tmp_path / "ok.yaml", tmp_path / "report.html"
    file.write_text(PASSING, "utf-8")
    other = tmp_path / "strict.env"
    other.write_text("ANSWER_SCORE=1.01\n", "utf-8")
    done = run_command(
        server.data_dir,
        *("eval", str(file), "--repeat", "4", "--json", "--html", str(html)),
        *("--compare", str(other)),
    )
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert (report["passed"], report["failed"]) == (12, 0)
    assert report["pass_1"] == report["pass_4"] == 1.0
    assert report["comparison"]["broken"] == [["ok.yaml", "la Corse"]]
    assert {one["test"] for one in report["comparison"]["differences"]} == {"la Corse"}
    page = html.read_text("utf-8")
    assert page.startswith("<!doctype html>")
    assert "strict.env" in page
    assert "differs in" in page


def test_a_failure_is_said_and_is_the_exit_code(server: Server, tmp_path: Path) -> None:
    file = tmp_path / "bad.yaml"
    file.write_text(FAILING, "utf-8")
    done = run_command(server.data_dir, "eval", str(file))
    assert done.returncode == 1
    assert "un prix inventé" in done.stdout
    assert "0 passed, 1 failed" in done.stdout


def test_stored_corrections_are_played(server: Server) -> None:
    with server.client() as visitor, server.client("agent@example.com") as agent:
        said = {"message": "Livrez-vous en Corse ?", "session_id": "corrected"}
        token = visitor.post("/api/chat", json=said).headers["x-visitor-token"]
        history = visitor.get(
            "/api/chat/history",
            params={"session_id": "corrected"},
            headers={"X-Visitor-Token": token},
        )
        body = {
            "message_id": history.json()["messages"][-1]["id"],
            "name": "stored correction",
            "correction": {"says": ["quelque chose que personne ne dit"]},
        }
        case = agent.post("/api/v1/evaluations/cases", json=body).json()["data"]
        done = run_command(server.data_dir, "eval", "--stored", "--json")
        agent.delete(f"/api/v1/evaluations/cases/{case['id']}")
    assert done.returncode == 1, done.stderr
    results = json.loads(done.stdout)["results"]
    assert [one["passed"] for one in results if one["scenario"] == "stored correction"] == [False]


def test_what_cannot_be_played_is_a_usage_error(tmp_path: Path) -> None:
    file, other = tmp_path / "a.yaml", tmp_path / "other.env"
    file.write_text("- {name: a, turns: []}\n", "utf-8")
    other.write_text("DATABASE_URL=x\n", "utf-8")
    for arguments in ([], [str(file)], [str(tmp_path / "none.yaml")], [str(other)]):
        done = run_command(tmp_path, "eval", *arguments)
        assert done.returncode == 2, arguments
        assert "Traceback" not in done.stderr
    file.write_text(FAILING, "utf-8")
    done = run_command(tmp_path, "eval", str(file), "--compare", str(other))
    assert done.returncode == 2
    assert "DATABASE_URL" in done.stderr
