"""What kind of file is this, by its first bytes, and does it agree with what was announced?"""

from __future__ import annotations

from typing import Any, Literal

from core.providers.media.refusal import Refused

Kind = Literal["picture", "video", "pdf"]

HEAD_BYTES = 4096
ACCEPTED = "Send a JPEG, PNG, WebP or GIF picture, an MP4, MOV or WebM video, or a PDF."
# Every type that is accepted, with the way it is read.
KIND_OF_TYPE: dict[str, Kind] = {
    "image/jpeg": "picture",
    "image/png": "picture",
    "image/webp": "picture",
    "image/gif": "picture",
    "video/mp4": "video",
    "video/quicktime": "video",
    "video/webm": "video",
    "application/pdf": "pdf",
}
# Other names that programs send for the same types.
_SAME_TYPE = {
    "image/jpg": "image/jpeg",
    "image/pjpeg": "image/jpeg",
    "video/x-m4v": "video/mp4",
    "application/x-pdf": "application/pdf",
}
# Announces nothing: the content alone decides.
_ANY_TYPE = frozenset({"", "application/octet-stream", "binary/octet-stream"})
# Phones name one family of containers by either type.
_ONE_FAMILY = frozenset({"video/mp4", "video/quicktime"})
# `puremagic` knows formats by their first bytes, which a file of another format may imitate:
# the signature must stand at the very beginning.
_SIGNATURES: tuple[tuple[int, bytes, tuple[str, ...]], ...] = (
    (0, b"\xff\xd8\xff", ("image/jpeg",)),
    (0, b"\x89PNG\r\n\x1a\n", ("image/png",)),
    (0, b"GIF8", ("image/gif",)),
    (8, b"WEBP", ("image/webp",)),
    (4, b"ftyp", ("video/mp4", "video/quicktime")),
    (0, b"\x1aE\xdf\xa3", ("video/webm",)),
    (0, b"%PDF-", ("application/pdf",)),
)


def media_type_of(head: bytes) -> str:
    """The type of a file by its first bytes; raises Refused for a type that is not accepted."""
    import puremagic

    try:
        found: list[Any] = puremagic.magic_string(head)
    except puremagic.PureError:
        found = []
    names = [_SAME_TYPE.get(match.mime_type, match.mime_type) for match in found]
    for offset, signature, types in _SIGNATURES:
        if head[offset : offset + len(signature)] == signature:
            known = [name for name in names if name in types]
            return known[0] if known else _of_signature(types)
    raise Refused("unsupported", f"This type of file is not accepted. {ACCEPTED}")


def _of_signature(types: tuple[str, ...]) -> str:
    """Brands of MP4 that are listed nowhere are still MP4; reading the file decides."""
    return types[0]


def check_announced(announced: str, found: str) -> None:
    """Refuse a file whose announced type is not the one of its content."""
    name = announced.partition(";")[0].strip().lower()
    name = _SAME_TYPE.get(name, name)
    if name in _ANY_TYPE or name == found or {name, found} <= _ONE_FAMILY:
        return
    raise Refused("unsupported", f"The file was announced as {name[:60]}, but it is {found}.")
