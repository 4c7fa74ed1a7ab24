"""What a reader gives back, and how bytes become text."""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass

from charset_normalizer import from_bytes

from core.errors import InvalidRequest
from core.text import clean_text

MAXIMUM_TITLE_CHARACTERS = 300
MAXIMUM_TEXT_CHARACTERS = 1_000_000

_BYTE_ORDER_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_UNWANTED = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff\ufeff]")
_BLANK_LINES = re.compile(r"\n\s*\n\s*(?:\n\s*)*")


@dataclass(frozen=True)
class SourceDocument:
    """One document of a file; `language` is None where the file does not say."""

    title: str
    text: str
    source_kind: str
    tags: tuple[str, ...] = ()
    language: str | None = None


def decoded(data: bytes) -> str:
    """Bytes as text: by their mark, as UTF-8, or in the encoding that fits them best."""
    for mark, encoding in _BYTE_ORDER_MARKS:
        if data.startswith(mark):
            return tidy(data.decode(encoding, errors="replace"))
    try:
        return tidy(data.decode("utf-8"))
    except UnicodeDecodeError as error:
        # A cut through the last character of an excerpt is no other encoding.
        if error.start >= len(data) - 3:
            return tidy(data[: error.start].decode("utf-8"))
    best = from_bytes(data[:200_000], cp_isolation=["cp1252", "iso8859_15", "mac_roman"]).best()
    return tidy(data.decode(best.encoding if best is not None else "cp1252", errors="replace"))


def tidy(text: str) -> str:
    """NFC with plain line ends, without characters that no database keeps.

    Raises InvalidRequest for a text that would take for ever to bring to NFC.
    """
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    try:
        return clean_text(_UNWANTED.sub("", text))
    except ValueError as error:
        raise InvalidRequest(f"The file cannot be kept: {error}.") from error


def source_document(
    title: str,
    text: str,
    kind: str,
    tags: tuple[str, ...] = (),
    language: str | None = None,
) -> SourceDocument:
    """Bound and clean what a reader found; raise InvalidRequest when there is no text."""
    text = _BLANK_LINES.sub("\n\n", tidy(text)).strip()
    if not any(character.isalnum() for character in text):
        raise InvalidRequest("No text was found in the file; a scanned page has none.")
    if len(text) > MAXIMUM_TEXT_CHARACTERS:
        raise InvalidRequest(
            f"The file holds more than {MAXIMUM_TEXT_CHARACTERS} characters; cut it into several."
        )
    first_line = next((line for line in text.splitlines() if line.strip()), "")
    title = " ".join(tidy(title).split()) or " ".join(first_line.lstrip("# ").split())
    return SourceDocument(title[:MAXIMUM_TITLE_CHARACTERS], text, kind, tags, language)
