"""M24: the voice workflow of seed 003, run as the shell script that operators are given."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

from tests.recordings import recording, said
from tests.serving import ROOT, Server

SCRIPT = ROOT / "examples" / "voice_conversation.sh"


def run_script(server: Server, *files: Path, **more: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [SCRIPT, *files],
        env={"PATH": "/usr/bin:/bin:/usr/local/bin", "SERVER": server.base_url, **more},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_m24_the_script_goes_from_a_recording_to_a_spoken_answer(
    server: Server, tmp_path: Path
) -> None:
    question = tmp_path / "ma question.mp3"
    question.write_bytes(recording(said("Bonjour, j'ai un problème avec mon canapé."), "mp3"))
    spoken = tmp_path / "la réponse.mp3"
    run = run_script(server, question, spoken)
    assert run.returncode == 0, run.stdout + run.stderr
    assert run.stderr == ""
    assert re.search(r"\d\.\d+ s: .*canapé", run.stdout)
    assert "4. Have the answer read aloud" in run.stdout
    content = spoken.read_bytes()
    assert content[0] == 0xFF
    assert len(content) > 10_000
    assert list(tmp_path.glob("*.part")) == []


def test_m24_the_script_stops_where_nothing_was_said(server: Server, tmp_path: Path) -> None:
    question = tmp_path / "silence.wav"
    question.write_bytes(recording(bytes(64_000), "wav"))
    spoken = tmp_path / "answer.mp3"
    run = run_script(server, question, spoken)
    assert run.returncode != 0
    assert "No speech" in run.stdout + run.stderr
    assert "3. Let the assistant answer" not in run.stdout
    assert not spoken.exists()
