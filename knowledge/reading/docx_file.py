"""Reads a Word document: headings, paragraphs, lists and tables in order."""

from __future__ import annotations

import io
import stat
import zipfile
from pathlib import PurePosixPath
from typing import Any

from core.errors import InvalidRequest, UnsupportedMedia
from knowledge.reading.source import SourceDocument, source_document

MAXIMUM_ENTRIES = 2_000
MAXIMUM_UNPACKED_BYTES = 60 * 1024 * 1024
MAXIMUM_PART_RATIO = 200
RATIO_FREE_BYTES = 1024 * 1024
MAXIMUM_TABLE_CELLS = 20_000


def read(data: bytes, stem: str) -> list[SourceDocument]:
    """One document; its title is the document's own, its first heading, or the file's name."""
    check_archive(data)
    import docx

    try:
        document = docx.Document(io.BytesIO(data))
        title, text = _title_and_text(document)
    except (InvalidRequest, UnsupportedMedia):
        raise
    except Exception as error:
        # python-docx lets many errors of the archive and XML below it through.
        raise InvalidRequest("The Word document is damaged and cannot be read.") from error
    return [source_document(title or stem, text, "docx")]


def check_archive(data: bytes) -> None:
    """Refuse what is no Word document and what would unpack into too much, before unpacking.

    Sizes are those that the archive declares; Python's reader never gives out more than that.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            entries = archive.infolist()
    except (zipfile.BadZipFile, ValueError, OSError, NotImplementedError) as error:
        raise InvalidRequest("The file is a damaged archive.") from error
    names = {entry.filename for entry in entries}
    if len(entries) > MAXIMUM_ENTRIES:
        raise InvalidRequest("The file holds too many parts.")
    if sum(entry.file_size for entry in entries) > MAXIMUM_UNPACKED_BYTES:
        raise InvalidRequest("The file unpacks into too much data.")
    for entry in entries:
        _check_entry(entry)
    if "word/document.xml" not in names:
        raise UnsupportedMedia("The file is an archive but no Word document (.docx).")


def _check_entry(entry: zipfile.ZipInfo) -> None:
    path = PurePosixPath(entry.filename.replace("\\", "/"))
    if path.is_absolute() or ".." in path.parts or stat.S_ISLNK(entry.external_attr >> 16):
        raise InvalidRequest("The file holds a part that points outside of it.")
    if entry.flag_bits & 1:
        raise InvalidRequest("The file is protected by a password.")
    allowed = max(RATIO_FREE_BYTES, entry.compress_size * MAXIMUM_PART_RATIO)
    if entry.file_size > allowed:
        raise InvalidRequest("The file unpacks into too much data.")


def _title_and_text(document: Any) -> tuple[str, str]:
    lines: list[str] = []
    title = (document.core_properties.title or "").strip()
    for block in document.iter_inner_content():
        if hasattr(block, "rows"):
            lines.extend(_table_lines(block))
            continue
        text = " ".join(block.text.split())
        style = (block.style.name or "") if block.style is not None else ""
        if style == "Title" and text:
            title = title or text
        elif style.startswith("Heading") and text:
            level = style.removeprefix("Heading").strip()
            title = title or text
            lines.append("#" * (int(level) if level in "123456" and level else 1) + f" {text}")
        elif style.startswith("List") and text:
            lines.append(f"- {text}")
        else:
            lines.append(text)
    return title, "\n\n".join(lines)


def _table_lines(table: Any) -> list[str]:
    lines: list[str] = []
    cells = 0
    for row in table.rows:
        words = [" ".join(cell.text.split()) for cell in row.cells]
        cells += len(words)
        if cells > MAXIMUM_TABLE_CELLS:
            raise InvalidRequest("The Word document holds a table that is too large.")
        lines.append(" | ".join(dict.fromkeys(word for word in words if word)))
    return lines
