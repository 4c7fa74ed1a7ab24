"""What kind of file is this, by its first bytes, and does it agree with what was announced?"""

from __future__ import annotations

from typing import Any, Literal

from core.providers.media.refusal import Refused

Kind = Literal["picture", "video", "pdf"]

HEAD_BYTES = 4096
ACCEPTED = "Send a JPEG, PNG, WebP, GIF, HEIC or AVIF picture, an MP4, MOV or WebM video, or a PDF."
# Every type that is accepted, with the way it is read.
KIND_OF_TYPE: dict[str, Kind] = {
    "image/jpeg": "picture",
    "image/png": "picture",
    "image/webp": "picture",
    "image/gif": "picture",
    "image/heic": "picture",
    "image/avif": "picture",
    "video/mp4": "video",
    "video/quicktime": "video",
    "video/webm": "video",
    "application/pdf": "pdf",
}
# Other names that programs send for the same types.
_SAME_TYPE = {
    "image/jpg": "image/jpeg",
    "image/pjpeg": "image/jpeg",
    "image/heif": "image/heic",
    "image/heic-sequence": "image/heic",
    "image/heif-sequence": "image/heic",
    "image/avif-sequence": "image/avif",
    "video/x-m4v": "video/mp4",
    "application/x-pdf": "application/pdf",
}
# Announces nothing: the content alone decides.
_ANY_TYPE = frozenset({"", "application/octet-stream", "binary/octet-stream"})
# Phones name one family of containers by either type.
_ONE_FAMILY = frozenset({"video/mp4", "video/quicktime"})
# Telephones' pictures lie in the same container as their videos; its first brand says which.
_BRANDS_MARK = b"ftyp"
_BRANDS_PLACE = 8
_BRAND_BYTES = 4
_PICTURE_BRANDS = {
    b"avif": "image/avif",
    b"avis": "image/avif",
    **dict.fromkeys((b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx"), "image/heic"),
}
# Says only that it is a picture: how it is packed is told by the brands that follow.
_ANY_PICTURE_BRANDS = frozenset({b"mif1", b"msf1"})
# `puremagic` knows formats by their first bytes, which a file of another format may imitate:
# the signature must stand at the very beginning.
_SIGNATURES: tuple[tuple[int, bytes, tuple[str, ...]], ...] = (
    (0, b"\xff\xd8\xff", ("image/jpeg",)),
    (0, b"\x89PNG\r\n\x1a\n", ("image/png",)),
    (0, b"GIF8", ("image/gif",)),
    (8, b"WEBP", ("image/webp",)),
    (4, _BRANDS_MARK, ("video/mp4", "video/quicktime")),
    (0, b"\x1aE\xdf\xa3", ("video/webm",)),
    (0, b"%PDF-", ("application/pdf",)),
)


def media_type_of(head: bytes) -> str:
    """The type of a file by its first bytes; raises Refused for a type that is not accepted."""
    import puremagic

    picture = _picture_by_brand(head)
    if picture is not None:
        return picture
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


def _picture_by_brand(head: bytes) -> str | None:
    """The type of a picture in the container of ISO/IEC 14496-12, None of any other file."""
    if head[4:_BRANDS_PLACE] != _BRANDS_MARK:
        return None
    end = min(int.from_bytes(head[:4]), len(head))
    brands = [head[at : at + _BRAND_BYTES] for at in range(_BRANDS_PLACE, end, _BRAND_BYTES)]
    if not brands or brands[0] not in {*_PICTURE_BRANDS, *_ANY_PICTURE_BRANDS}:
        return None
    return next((_PICTURE_BRANDS[one] for one in brands if one in _PICTURE_BRANDS), None)


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
