"""The packaged whisper-base as a file of openai-whisper's own form, so that nothing is fetched.

    python -m tests.optional.whisper_checkpoint FILE.pt

The weights are those of the extra `speech`, written for CTranslate2: names change back, and what
was joined (keys and values, or all three) is parted again.
"""

from __future__ import annotations

import struct
import sys
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy

from core.providers.speech.whisper_weights import packaged_files

# CTranslate2's kinds of numbers by their code; the weights are in half precision, flags in bytes.
KINDS = {0: "<f4", 1: "i1", 2: "<i2", 3: "<i4", 4: "<f2"}
LAYERS, HEADS, STATE = 6, 8, 512
DIMENSIONS = {
    "n_mels": 80,
    "n_audio_ctx": 1_500,
    "n_audio_state": STATE,
    "n_audio_head": HEADS,
    "n_audio_layer": LAYERS,
    "n_vocab": 51_865,
    "n_text_ctx": 448,
    "n_text_state": STATE,
    "n_text_head": HEADS,
    "n_text_layer": LAYERS,
}
Array = numpy.ndarray[Any, numpy.dtype[Any]]
Weights = dict[str, Array]


def read_weights(content: bytes) -> Weights:
    """The variables of a CTranslate2 file (version 6) by their names."""
    file = BytesIO(content)
    version = _number(file, "<I")
    if version != 6:
        raise ValueError(f"a file of version {version}")
    _name(file)
    _number(file, "<I")
    found = {}
    for _ in range(_number(file, "<I")):
        name, rank = _name(file), _number(file, "B")
        shape = [_number(file, "<I") for _ in range(rank)]
        kind, size = KINDS[_number(file, "B")], _number(file, "<I")
        found[name] = numpy.frombuffer(file.read(size), kind).reshape(shape)
    return found


def _number(file: BytesIO, form: str) -> int:
    [found] = struct.unpack(form, file.read(struct.calcsize(form)))
    return int(found)


def _name(file: BytesIO) -> str:
    return file.read(_number(file, "<H"))[:-1].decode()


def state(weights: Weights) -> Iterator[tuple[str, Array]]:
    """The same variables under openai-whisper's names."""
    for number in (1, 2):
        for part in ("weight", "bias"):
            yield f"encoder.conv{number}.{part}", weights[f"encoder/conv{number}/{part}"]
    yield "encoder.positional_embedding", weights["encoder/position_encodings/encodings"]
    yield "decoder.positional_embedding", weights["decoder/position_encodings/encodings"]
    yield "decoder.token_embedding.weight", weights["decoder/embeddings/weight"]
    yield from _norm(weights, "encoder/layer_norm", "encoder.ln_post")
    yield from _norm(weights, "decoder/layer_norm", "decoder.ln")
    for side in ("encoder", "decoder"):
        for layer in range(LAYERS):
            yield from _block(weights, f"{side}/layer_{layer}", f"{side}.blocks.{layer}")


def _block(weights: Weights, source: str, target: str) -> Iterator[tuple[str, Array]]:
    queries = f"{source}/self_attention"
    yield from _norm(weights, f"{queries}/layer_norm", f"{target}.attn_ln")
    yield from _parted(weights, f"{queries}/linear_0", target + ".attn", ("query", "key", "value"))
    yield from _parted(weights, f"{queries}/linear_1", target + ".attn", ("out",))
    crossed = f"{source}/attention"
    if f"{crossed}/linear_0/weight" in weights:
        yield from _norm(weights, f"{crossed}/layer_norm", f"{target}.cross_attn_ln")
        joined = {0: ("query",), 1: ("key", "value"), 2: ("out",)}
        for number, names in joined.items():
            yield from _parted(weights, f"{crossed}/linear_{number}", f"{target}.cross_attn", names)
    yield from _norm(weights, f"{source}/ffn/layer_norm", f"{target}.mlp_ln")
    yield from _parted(weights, f"{source}/ffn/linear_0", f"{target}.mlp", ("0",))
    yield from _parted(weights, f"{source}/ffn/linear_1", f"{target}.mlp", ("2",))


def _norm(weights: Weights, source: str, target: str) -> Iterator[tuple[str, Array]]:
    yield f"{target}.weight", weights[f"{source}/gamma"]
    yield f"{target}.bias", weights[f"{source}/beta"]


def _parted(
    weights: Weights, source: str, target: str, names: tuple[str, ...]
) -> Iterator[tuple[str, Array]]:
    """The layers that one matrix was made of; Whisper's keys have no bias of their own."""
    for part in ("weight", "bias"):
        pieces = numpy.split(weights[f"{source}/{part}"], len(names))
        for name, piece in zip(names, pieces, strict=True):
            if (name, part) != ("key", "bias"):
                yield f"{target}.{name}.{part}", piece


def write_checkpoint(target: Path) -> None:
    """Write the file that `whisper.load_model` reads."""
    import torch

    weights = read_weights(packaged_files()["model.bin"])
    found = {name: torch.from_numpy(value.copy()) for name, value in state(weights)}
    torch.save({"dims": DIMENSIONS, "model_state_dict": found}, target)


if __name__ == "__main__":
    write_checkpoint(Path(sys.argv[1]))
