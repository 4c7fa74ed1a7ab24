"""What documents does a file hold? Markdown, HTML, PDF, DOCX or CSV, told by its content.

The name is a hint only. Everything is bounded: bytes in, entries and sizes of an archive before
it is opened, pages, rows and characters out. A file that cannot be read is an error with a
sentence that says why; nothing of it is kept.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from pathlib import PurePosixPath

from core.errors import InvalidRequest, PayloadTooLarge, UnsupportedMedia
from knowledge.reading import csv_file, docx_file, html_file, markdown_file, pdf_file
from knowledge.reading.source import SourceDocument, decoded

MAXIMUM_FILE_BYTES = 10 * 1024 * 1024
READ_TIMEOUT_SECONDS = 30.0

# Starts of files that people try to load and that no reader here understands.
_OTHER_FORMATS = (
    b"\x89PNG",
    b"\xff\xd8\xff",
    b"GIF8",
    b"RIFF",
    b"\xd0\xcf\x11\xe0",
    b"\x1f\x8b",
    b"7z\xbc\xaf",
    b"Rar!",
    b"\x7fELF",
    b"MZ",
    b"ID3",
    b"OggS",
    b"{\\rtf",
)
_HTML_START = re.compile(
    r"\s*(?:<!--.*?-->\s*)*(?:<\?xml[^>]*>\s*)?<(?:!doctype\s+html|html|head|body)\b",
    re.IGNORECASE | re.DOTALL,
)
_HTML_BLOCK = re.compile(r"</(?:p|div|h[1-6]|li|td|section|article)\s*>", re.IGNORECASE)


async def read_file(data: bytes, name: str = "") -> list[SourceDocument]:
    """Read the documents of a file; most kinds hold one, a CSV file one a row.

    Raises PayloadTooLarge over `MAXIMUM_FILE_BYTES`, UnsupportedMedia for a kind that is not
    read, InvalidRequest for a file that is empty, damaged, protected or a decompression bomb.
    """
    if len(data) > MAXIMUM_FILE_BYTES:
        raise PayloadTooLarge(
            f"The file is larger than {MAXIMUM_FILE_BYTES // (1024 * 1024)} MB; cut it."
        )
    if not data.strip():
        raise InvalidRequest("The file is empty.")
    try:
        async with asyncio.timeout(READ_TIMEOUT_SECONDS):
            found = await asyncio.to_thread(read_bytes, data, name)
    except TimeoutError as error:
        raise InvalidRequest(
            "The file takes too long to read; cut it into smaller ones."
        ) from error
    if not found:
        raise InvalidRequest("No text was found in the file.")
    return found


def read_bytes(data: bytes, name: str) -> list[SourceDocument]:
    """The same in the calling thread, without the limits on size and time."""
    stem = PurePosixPath(name.replace("\\", "/")).stem[:200]
    return _reader(data, name.lower())(data, stem)


def _reader(data: bytes, name: str) -> Callable[[bytes, str], list[SourceDocument]]:
    if b"%PDF-" in data[:1024]:
        return pdf_file.read
    if data.startswith(b"PK"):
        return docx_file.read
    if data.startswith(_OTHER_FORMATS):
        raise UnsupportedMedia(
            "This kind of file is not read; use Markdown, HTML, PDF, DOCX or CSV."
        )
    start = decoded(data[:20_000])
    if _HTML_START.match(start) or (
        name.endswith((".html", ".htm", ".xhtml")) and _HTML_BLOCK.search(start)
    ):
        return html_file.read
    if name.endswith((".csv", ".tsv")) or csv_file.has_known_header(start):
        return csv_file.read
    if len(_HTML_BLOCK.findall(start)) >= 3 and start.lstrip().startswith("<"):
        return html_file.read
    return markdown_file.read
