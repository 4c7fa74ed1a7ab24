"""Keeps the vectors of texts in one file, so that an index that is made anew encodes nothing twice.

An encoder of passages takes 20 to 40 ms a passage: an index whose folder was lost, a second process
or a copied shop would spend minutes on what is known. The file is a cache and nothing more: where
it cannot be read or written, the texts are encoded.
"""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Callable, Sequence
from contextlib import closing, suppress
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from core.providers.embeddings import Encoder
from core.telemetry import logger

Vectors = NDArray[np.float32]
Encode = Callable[[Sequence[str]], Vectors]

# About 40 MB in half precision; when there are more, the older half goes.
MOST_TEXTS = 50_000
# What waits for another process that writes.
PATIENCE_SECONDS = 5.0
TEXTS_AT_ONCE = 64


class KeptVectors:
    """The file of one encoder: `kind` keeps apart what it reads in different ways.

    A text is known by its digest alone, its vector is kept in half precision.
    """

    def __init__(self, path: Path, dimensions: int) -> None:
        self._path = path
        self._dimensions = dimensions

    def of(self, kind: str, texts: Sequence[str], encode: Encode) -> Vectors:
        """One row a text: those of the file, and what `encode` says of the others."""
        vectors = np.zeros((len(texts), self._dimensions), dtype=np.float32)
        for start in range(0, len(texts), TEXTS_AT_ONCE):
            batch = texts[start : start + TEXTS_AT_ONCE]
            vectors[start : start + len(batch)] = self._batch(kind, batch, encode)
        return vectors

    def _batch(self, kind: str, texts: Sequence[str], encode: Encode) -> Vectors:
        digests = [
            hashlib.sha256(f"{kind}{text}".encode(errors="replace")).digest() for text in texts
        ]
        known = self._read(digests)
        missing = [place for place, digest in enumerate(digests) if digest not in known]
        if missing:
            # Rounded as the file does it, so that a vector is the same whoever gives it.
            rows = encode([texts[place] for place in missing]).astype("<f2").astype(np.float32)
            new = {digests[place]: row for place, row in zip(missing, rows, strict=True)}
            self._write(new)
            known |= new
        return np.stack([known[digest] for digest in digests])

    def _read(self, digests: Sequence[bytes]) -> dict[bytes, Vectors]:
        found: dict[bytes, Vectors] = {}
        if not self._path.exists():
            return found
        places = ",".join("?" * len(digests))
        query = f"SELECT digest, vector FROM vectors WHERE digest IN ({places})"  # noqa: S608
        try:
            with closing(sqlite3.connect(self._path, timeout=PATIENCE_SECONDS)) as file:
                for digest, vector in file.execute(query, list(digests)):
                    row = np.frombuffer(vector, dtype="<f2")
                    if len(row) == self._dimensions:
                        found[digest] = row.astype(np.float32)
        except sqlite3.Error as error:
            self._give_up(error)
        return found

    def _write(self, new: dict[bytes, Vectors]) -> None:
        rows = [(digest, row.astype("<f2").tobytes()) for digest, row in new.items()]
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            with closing(sqlite3.connect(self._path, timeout=PATIENCE_SECONDS)) as file, file:
                file.execute(
                    "CREATE TABLE IF NOT EXISTS vectors"
                    " (number INTEGER PRIMARY KEY, digest BLOB UNIQUE, vector BLOB)"
                )
                file.executemany(
                    "INSERT OR REPLACE INTO vectors (digest, vector) VALUES (?, ?)", rows
                )
                (last,) = file.execute("SELECT max(number) FROM vectors").fetchone()
                (count,) = file.execute("SELECT count(*) FROM vectors").fetchone()
                if count > MOST_TEXTS:
                    file.execute("DELETE FROM vectors WHERE number <= ?", (last - MOST_TEXTS // 2,))
        except (sqlite3.Error, OSError) as error:
            self._give_up(error)

    def _give_up(self, error: Exception) -> None:
        """Go on without the file; one that holds no database is thrown away."""
        logger("core.kept_vectors").warning("vectors_not_kept", reason=type(error).__name__)
        if isinstance(error, sqlite3.DatabaseError) and not isinstance(
            error, sqlite3.OperationalError
        ):
            with suppress(OSError):
                self._path.unlink()


class KeptEncoder:
    """An encoder of sentences for a shop's own texts, whose vectors are kept between starts.

    Not for what people write: that is read once, and its digest would outlive it.
    """

    def __init__(self, encoder: Encoder, folder: Path) -> None:
        self._encoder = encoder
        self._kept = KeptVectors(file_of(folder, encoder.name), encoder.dimensions)
        self.name = encoder.name
        self.dimensions = encoder.dimensions

    def encode(self, texts: Sequence[str]) -> Vectors:
        return self._kept.of("sentence", texts, self._encoder.encode)


def file_of(folder: Path, encoder_name: str) -> Path:
    """Where the vectors of an encoder are kept; its name may be that of a folder or a hub's."""
    safe = "".join(one if one.isalnum() or one in "-." else "-" for one in encoder_name)
    return folder / f"vectors-{safe}.sqlite3"
