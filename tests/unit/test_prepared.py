"""Is what weights become made once, whole or not at all, and made again when they change?"""

from __future__ import annotations

from pathlib import Path
from threading import Barrier, Thread

import numpy as np
import pytest

from core.providers.embeddings import EmbeddedEncoder
from core.providers.prepared import (
    READ_BYTES,
    copy_models,
    open_prepared,
    read_array,
    write_arrays,
)


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "weights"
    path.write_bytes(b"one")
    return path


class Filler:
    """Writes an array, and counts how often."""

    def __init__(self) -> None:
        self.times = 0

    def __call__(self, folder: Path) -> None:
        self.times += 1
        write_arrays(folder, {"large": np.arange(100_000), "small": np.arange(3)})


def read(folder: Path | None, source: Path, fill: Filler) -> int:
    def opened(prepared: Path) -> int:
        large = read_array(prepared, "large", by_chance=True)
        return int(large[-1] + read_array(prepared, "small")[-1])

    return open_prepared(folder, "numbers", [source], fill, opened)


def test_that_it_is_made_once_and_again_when_its_source_changes(
    tmp_path: Path, source: Path
) -> None:
    fill, models = Filler(), tmp_path / "models"
    assert [read(models, source, fill) for _ in range(2)] == [100_001, 100_001]
    assert fill.times == 1
    source.write_bytes(b"two")
    read(models, source, fill)
    assert fill.times == 2
    assert len(list(models.iterdir())) == 1


def test_that_a_large_source_is_known_by_its_size(tmp_path: Path, source: Path) -> None:
    fill, models = Filler(), tmp_path / "models"
    for size in (READ_BYTES + 1, READ_BYTES + 2):
        source.write_bytes(bytes(size))
        read(models, source, fill)
    assert fill.times == 2


@pytest.mark.parametrize("folder", [None, "file/models"])
def test_that_it_is_used_where_it_cannot_be_kept(
    tmp_path: Path, source: Path, folder: str | None
) -> None:
    (tmp_path / "file").write_bytes(b"")
    fill = Filler()
    assert read(None if folder is None else tmp_path / folder, source, fill) == 100_001


def test_that_a_torn_one_is_never_seen(tmp_path: Path, source: Path) -> None:
    def fail(folder: Path) -> None:
        write_arrays(folder, {"small": np.arange(3)})
        raise RuntimeError("killed half-way")

    models = tmp_path / "models"
    with pytest.raises(RuntimeError, match="half-way"):
        open_prepared(models, "numbers", [source], fail, list)
    assert list(models.iterdir()) == []
    assert read(models, source, Filler()) == 100_001


@pytest.mark.parametrize("name", ["large", "small"])
def test_that_a_damaged_one_is_made_anew(tmp_path: Path, source: Path, name: str) -> None:
    fill, models = Filler(), tmp_path / "models"
    read(models, source, fill)
    for path in models.glob(f"*/{name}.npy"):
        path.write_bytes(path.read_bytes()[:-100])
    assert (read(models, source, fill), fill.times) == (100_001, 2)
    assert (read(models, source, fill), fill.times) == (100_001, 2)


def test_that_two_at_once_both_get_it(tmp_path: Path, source: Path) -> None:
    together, found = Barrier(2), list[int]()

    class Together(Filler):
        def __call__(self, folder: Path) -> None:
            super().__call__(folder)
            together.wait(30)

    threads = [
        Thread(target=lambda: found.append(read(tmp_path / "models", source, Together())))
        for _ in range(2)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert found == [100_001, 100_001]
    assert len(list((tmp_path / "models").iterdir())) == 1


def test_that_a_copy_shares_what_never_changes(tmp_path: Path, source: Path) -> None:
    models, copy = tmp_path / "models", tmp_path / "copy"
    read(models, source, Filler())
    (models / "vectors.sqlite3").write_bytes(b"changes")
    for _ in range(2):
        copy_models(models, copy)
    (copy / "vectors.sqlite3").write_bytes(b"changed")
    assert (models / "vectors.sqlite3").read_bytes() == b"changes"
    fill = Filler()
    assert (read(copy, source, fill), fill.times) == (100_001, 0)


def test_that_an_encoder_survives_the_loss_of_what_it_kept(tmp_path: Path) -> None:
    texts = ["Où est mon canapé ?", "Combien coûte la livraison ?"]
    before = EmbeddedEncoder(tmp_path).encode(texts)
    for path in tmp_path.glob("*/*"):
        path.write_bytes(b"")
    assert np.array_equal(EmbeddedEncoder(tmp_path).encode(texts), before)


def test_that_the_encoder_says_the_same_of_kept_weights(tmp_path: Path) -> None:
    texts = ["Où est mon canapé ?", "Straße, 12 €", "🛋️ livré hier"]
    made = EmbeddedEncoder(tmp_path).encode(texts)
    kept = EmbeddedEncoder(tmp_path).encode(texts)
    unkept = EmbeddedEncoder().encode(texts)
    assert np.array_equal(made, kept)
    assert np.array_equal(made, unkept)
