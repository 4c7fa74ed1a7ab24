"""Pictures, videos and documents drawn for tests: none is kept in the repository."""

from __future__ import annotations

import io
import random
import struct
import zlib
from functools import cache
from typing import Any

import av
import numpy
from PIL import Image, ImageDraw, ImageFilter
from pillow_heif import register_heif_opener
from pypdf import PdfWriter

register_heif_opener()


@cache
def scene(width: int = 800, height: int = 600) -> Image.Image:
    """A bright picture full of edges, always the same."""
    picture = Image.new("RGB", (width, height), (190, 180, 170))
    draw = ImageDraw.Draw(picture)
    chance = random.Random(7)
    for _ in range(200):
        x, y = chance.randrange(width), chance.randrange(height)
        colour = tuple(chance.randrange(256) for _ in range(3))
        size = chance.randrange(width // 60, width // 8)
        draw.rectangle((x, y, x + size, y + size), fill=colour)
    return picture


def blurred() -> Image.Image:
    return scene().filter(ImageFilter.GaussianBlur(8))


def dark() -> Image.Image:
    return scene().point(lambda value: value // 10)


def encoded(picture: Image.Image, format: str = "JPEG", **options: Any) -> bytes:
    written = io.BytesIO()
    picture.save(written, format, **options)
    return written.getvalue()


def photo(**options: Any) -> bytes:
    """A sharp and bright JPEG."""
    return encoded(scene(), **options)


def photo_with_place() -> bytes:
    """A JPEG lying on its side whose EXIF data say so, and where it was taken."""
    exif = Image.Exif()
    exif[0x0112] = 6
    exif[0x010F] = "Telephone of Camille"
    exif.get_ifd(0x8825).update({1: "N", 2: (48.0, 51.0, 30.0), 3: "E", 4: (2.0, 17.0, 40.0)})
    return encoded(scene(), exif=exif, comment=b"taken at home")


def empty_png(side: int) -> bytes:
    """A PNG of one bit a pixel that takes a few kilobytes and unpacks to `side` x `side`."""
    deflate = zlib.compressobj(9)
    row = b"\0" + b"\0" * ((side + 7) // 8)
    packed = b"".join(deflate.compress(row) for _ in range(side)) + deflate.flush()
    header = struct.pack(">IIBBBBB", side, side, 1, 0, 0, 0, 0)
    chunks = (_chunk(b"IHDR", header), _chunk(b"IDAT", packed), _chunk(b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


def _chunk(name: bytes, content: bytes) -> bytes:
    checksum = zlib.crc32(name + content)
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", checksum)


def video(format: str = "mp4", codec: str = "libx264", frames: int = 12, **metadata: str) -> bytes:
    """A short video of a moving square."""
    written = io.BytesIO()
    with av.open(written, "w", format=format) as container:
        container.metadata.update(metadata)
        stream: Any = container.add_stream(codec, rate=12)
        stream.width, stream.height, stream.pix_fmt = 160, 120, "yuv420p"
        for number in range(frames):
            pixels = numpy.full((120, 160, 3), 200, numpy.uint8)
            pixels[20:60, number * 8 : number * 8 + 40] = (180, 30, 30)
            frame = av.VideoFrame.from_ndarray(pixels, format="rgb24")
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return written.getvalue()


def pdf(pages: int = 1, password: str | None = None) -> bytes:
    """A PDF of empty pages."""
    writer = PdfWriter()
    for _ in range(pages):
        writer.add_blank_page(200, 200)
    if password is not None:
        writer.encrypt(password)
    written = io.BytesIO()
    writer.write(written)
    return written.getvalue()
