"""Reads a PDF: the text of its pages, with the lines of a paragraph joined again."""

from __future__ import annotations

import io
import logging
import re
import time
from statistics import median

from core.errors import InvalidRequest
from knowledge.reading.source import MAXIMUM_TEXT_CHARACTERS, SourceDocument, source_document

MAXIMUM_PAGES = 400
MAXIMUM_SECONDS = 25.0
_ENDS = (".", "!", "?", ":", ";", "…", "»", '"')
_HYPHENATED = re.compile(r"[^\W\d_]-$")
_NEW_BLOCK = re.compile(r"[-•*–]\s|\d{1,3}[.)]\s")


def read(data: bytes, stem: str) -> list[SourceDocument]:
    """One document; its title is the PDF's own, its first line, or the file's name."""
    import pypdf
    from pypdf.errors import PyPdfError

    logging.getLogger("pypdf").setLevel(logging.CRITICAL)
    try:
        reader = pypdf.PdfReader(io.BytesIO(data), strict=False)
        if reader.is_encrypted and not reader.decrypt(""):
            raise InvalidRequest("The PDF is protected by a password.")
        if len(reader.pages) > MAXIMUM_PAGES:
            raise InvalidRequest(f"The PDF has more than {MAXIMUM_PAGES} pages; cut it.")
        pages = _pages(reader)
        title = str((reader.metadata.title if reader.metadata else "") or "").strip()
    except InvalidRequest:
        raise
    except (PyPdfError, Exception) as error:
        # A damaged PDF raises nearly anything: KeyError, TypeError, RecursionError, zlib.error.
        raise InvalidRequest("The PDF is damaged and cannot be read.") from error
    text = "\n\n".join(joined_lines(page) for page in pages)
    return [source_document(title, text or " ", "pdf")]


def _pages(reader: object) -> list[str]:
    started = time.monotonic()
    pages: list[str] = []
    characters = 0
    for page in reader.pages:  # type: ignore[attr-defined]
        pages.append(page.extract_text() or "")
        characters += len(pages[-1])
        if characters > MAXIMUM_TEXT_CHARACTERS or time.monotonic() - started > MAXIMUM_SECONDS:
            raise InvalidRequest("The PDF holds too much text; cut it into several.")
    return pages


def joined_lines(page: str) -> str:
    """Join the lines of a paragraph: what is cut at the margin is no end of a sentence."""
    lines = [line.strip() for line in page.splitlines()]
    usual = median([len(line) for line in lines if line] or [0])
    text = ""
    previous = ""
    for line in lines:
        if not previous or not line or _NEW_BLOCK.match(line):
            text += f"\n{line}"
        elif _HYPHENATED.search(previous) and line[0].islower():
            text = text[:-1] + line
        elif line[0].islower() or (not previous.endswith(_ENDS) and len(previous) > 0.8 * usual):
            text += f" {line}"
        else:
            text += f"\n{line}"
        previous = line
    return text.strip()
