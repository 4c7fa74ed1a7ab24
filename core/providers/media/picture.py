"""A picture made anew from its pixels: upright, without metadata, with a thumbnail and figures.

What is kept is only what was decoded, so that neither a place in the EXIF data nor a second file
hidden behind the picture survives.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any, BinaryIO

import numpy
from PIL import Image, ImageOps

from core.providers.media.refusal import Refused

# A telephone's 50 megapixels; a JPEG is reduced while it is decoded, others are not.
MAXIMUM_PIXELS = 25_000_000
_MAXIMUM_PIXELS = {"image/jpeg": 64_000_000, "image/heic": 50_000_000}
MAXIMUM_SIDE = 4096
THUMBNAIL_SIDE = 400
MEASURED_SIDE = 512
JPEG_QUALITY = 88

_FORMATS = {
    "image/jpeg": "JPEG",
    "image/png": "PNG",
    "image/webp": "WEBP",
    "image/gif": "GIF",
    "image/heic": "HEIF",
    "image/avif": "AVIF",
}
# What each type is kept as, so that every browser shows it: of an animation the first picture.
_KEPT_AS = {
    "image/jpeg": ("image/jpeg", "jpg"),
    "image/png": ("image/png", "png"),
    "image/webp": ("image/webp", "webp"),
    "image/gif": ("image/png", "png"),
    "image/heic": ("image/jpeg", "jpg"),
    "image/avif": ("image/jpeg", "jpg"),
}


def prepare_picture(file: BinaryIO, media_type: str, folder: Path) -> Mapping[str, Any]:
    """Write the picture and its thumbnail into a folder; returns what is known of it."""
    picture = _decode(file, media_type)
    kept_type, extension = _KEPT_AS[media_type]
    content = f"content.{extension}"
    _save(picture, folder / content, kept_type)
    write_thumbnail(picture, folder / "thumbnail.jpg")
    return {
        "media_type": kept_type,
        "content": content,
        "thumbnail": "thumbnail.jpg",
        "width": picture.width,
        "height": picture.height,
        **measure(picture),
    }


def _decode(file: BinaryIO, media_type: str) -> Image.Image:
    """The pixels, upright and at most `MAXIMUM_SIDE` long; sizes are checked before decoding."""
    # Our own limit stands before Pillow's, which only warns at twice its figure.
    warnings.simplefilter("ignore", Image.DecompressionBombWarning)
    if media_type == "image/heic":
        import pi_heif

        pi_heif.register_heif_opener()
    try:
        with Image.open(file, formats=[_FORMATS[media_type]]) as opened:
            _check_size(opened.size, media_type)
            # Decodes a JPEG at a half, a quarter or an eighth where that is enough.
            opened.draft(None, (MAXIMUM_SIDE, MAXIMUM_SIDE))
            opened.load()
            # In place and converted only where needed: each copy takes 75 MB of the largest.
            ImageOps.exif_transpose(opened, in_place=True)
            mode = _mode(opened)
            picture = opened if opened.mode == mode else opened.convert(mode)
            picture.thumbnail((MAXIMUM_SIDE, MAXIMUM_SIDE))
            picture = picture.copy()
    except Image.DecompressionBombError as error:
        raise _too_large(media_type) from error
    except (OSError, ValueError, SyntaxError, EOFError, IndexError) as error:
        raise Refused(
            "unreadable", "The picture is damaged and cannot be read; send it again."
        ) from error
    # A picture without `info` is saved without EXIF, comments, profiles or text.
    picture.info.clear()
    return picture


def _check_size(size: tuple[int, int], media_type: str) -> None:
    if size[0] * size[1] > _maximum_pixels(media_type):
        raise _too_large(media_type)


def _maximum_pixels(media_type: str) -> int:
    return _MAXIMUM_PIXELS.get(media_type, MAXIMUM_PIXELS)


def _too_large(media_type: str) -> Refused:
    megapixels = _maximum_pixels(media_type) // 1_000_000
    return Refused("too_large", f"The picture has more than {megapixels} megapixels; reduce it.")


def _mode(picture: Image.Image) -> str:
    has_transparency = "A" in picture.getbands() or "transparency" in picture.info
    return "RGBA" if has_transparency and picture.format != "JPEG" else "RGB"


def _save(picture: Image.Image, path: Path, media_type: str) -> None:
    match media_type:
        case "image/jpeg":
            _opaque(picture).save(path, "JPEG", quality=JPEG_QUALITY, optimize=True)
        case "image/webp":
            picture.save(path, "WEBP", quality=JPEG_QUALITY)
        case _:
            picture.save(path, "PNG")


def write_thumbnail(picture: Image.Image, path: Path) -> None:
    """A small JPEG, on white where the picture is transparent."""
    small = picture.copy()
    small.thumbnail((THUMBNAIL_SIDE, THUMBNAIL_SIDE))
    _opaque(small).convert("RGB").save(path, "JPEG", quality=80)


def _opaque(picture: Image.Image) -> Image.Image:
    """The picture on white where it is transparent."""
    if picture.mode != "RGBA":
        return picture
    white = Image.new("RGB", picture.size, "white")
    white.paste(picture, mask=picture.getchannel("A"))
    return white


def measure(picture: Image.Image) -> Mapping[str, float]:
    """How sharp (variance of the Laplacian) and how bright (mean, 0 to 255) a picture is.

    Measured on grey pixels reduced to `MEASURED_SIDE`, so that figures of telephones compare. The
    sharpest of nine fields counts: what is photographed stands before a wall that has no detail.
    """
    grey = picture.convert("L")
    grey.thumbnail((MEASURED_SIDE, MEASURED_SIDE))
    pixels = numpy.asarray(grey, dtype=numpy.float32)
    brightness = round(float(pixels.mean()), 1)
    if min(pixels.shape) < 12:
        return {"sharpness": 0.0, "brightness": brightness}
    inner = pixels[1:-1, 1:-1]
    laplacian = pixels[:-2, 1:-1] + pixels[2:, 1:-1] + pixels[1:-1, :-2] + pixels[1:-1, 2:]
    laplacian -= 4 * inner
    fields = [
        float(field.var())
        for rows in numpy.array_split(laplacian, 3, axis=0)
        for field in numpy.array_split(rows, 3, axis=1)
    ]
    return {"sharpness": round(max(fields), 1), "brightness": brightness}
