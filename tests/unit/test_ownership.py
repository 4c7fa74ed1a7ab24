"""One server a data folder: does a second one learn where the first is, and is a dead one gone?"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from api.commands.ownership import LOCK_FILE, DataFolderInUse, owning, running_server

HOLDER = """
import sys
from pathlib import Path
from api.commands.ownership import owning
with owning(Path(sys.argv[1]), "http://127.0.0.1:8123"):
    print("held", flush=True)
    sys.stdin.read()
"""


def test_no_folder_has_no_server(tmp_path: Path) -> None:
    assert running_server(tmp_path / "absent") is None


def test_the_owner_is_found_and_a_second_one_refused(tmp_path: Path) -> None:
    with owning(tmp_path, "http://127.0.0.1:8123"):
        assert running_server(tmp_path) == "http://127.0.0.1:8123"
        with pytest.raises(DataFolderInUse) as refused, owning(tmp_path, "http://127.0.0.1:9"):
            pytest.fail("two servers own one data folder")
    assert refused.value.address == "http://127.0.0.1:8123"
    assert running_server(tmp_path) is None


def test_a_refused_server_does_not_overwrite_the_address(tmp_path: Path) -> None:
    with owning(tmp_path, "http://127.0.0.1:8123"):
        with pytest.raises(DataFolderInUse), owning(tmp_path, "http://127.0.0.1:9"):
            pass
        assert running_server(tmp_path) == "http://127.0.0.1:8123"


def test_a_killed_server_leaves_the_folder_free(tmp_path: Path) -> None:
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(tmp_path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        assert running_server(tmp_path) == "http://127.0.0.1:8123"
        holder.kill()
        holder.wait(10)
    assert (tmp_path / LOCK_FILE).exists()
    assert running_server(tmp_path) is None
    with owning(tmp_path, "http://127.0.0.1:8124"):
        assert running_server(tmp_path) == "http://127.0.0.1:8124"
