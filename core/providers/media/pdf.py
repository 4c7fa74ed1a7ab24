"""A PDF written anew from its pages; one that holds scripts or files, or starts something, is not.

The pages are copied object by object, so that whatever stood before, between or behind the objects
of the original is gone.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, BinaryIO

from pypdf import PdfReader, PdfWriter
from pypdf.errors import PyPdfError
from pypdf.generic import ArrayObject, DictionaryObject, IndirectObject

from core.providers.media.refusal import Refused

MAXIMUM_PAGES = 100
MAXIMUM_OBJECTS = 200_000
# What makes a document act: scripts, programs, embedded files, forms that send, moving media.
ACTIVE_KEYS = frozenset(
    {"/JS", "/JavaScript", "/Launch", "/EmbeddedFile", "/EmbeddedFiles", "/RichMedia", "/XFA"}
)
ACTIVE_ACTIONS = frozenset(
    {
        "/JavaScript",
        "/Launch",
        "/SubmitForm",
        "/ImportData",
        "/GoToR",
        "/GoToE",
        "/Rendition",
        "/RichMediaExecute",
        "/Movie",
        "/Sound",
    }
)


def prepare_pdf(file: BinaryIO, folder: Path) -> Mapping[str, Any]:
    """Write the pages into a folder; returns what is known of them."""
    try:
        reader = PdfReader(file, strict=False)
        if reader.is_encrypted:
            raise Refused("unreadable", "The PDF is protected by a password; send it without.")
        pages = len(reader.pages)
        if not 1 <= pages <= MAXIMUM_PAGES:
            raise Refused("too_large", f"A PDF may have 1 to {MAXIMUM_PAGES} pages.")
        _refuse_active(reader)
        writer = PdfWriter()
        for page in reader.pages:
            writer.add_page(page)
        with (folder / "content.pdf").open("wb") as target:
            writer.write(target)
    except (PyPdfError, ValueError, KeyError, TypeError, AttributeError, IndexError) as error:
        raise Refused("unreadable", "The PDF is damaged and cannot be read.") from error
    except RecursionError as error:
        raise Refused("unreadable", "The PDF is nested too deeply to be read.") from error
    return {"media_type": "application/pdf", "content": "content.pdf", "pages": pages}


def _refuse_active(reader: PdfReader) -> None:
    for dictionary in _dictionaries(reader.trailer):
        if ACTIVE_KEYS & dictionary.keys() or dictionary.get("/S") in ACTIVE_ACTIONS:
            raise Refused(
                "unsupported", "The PDF holds scripts, programs or other files; print it anew."
            )


def _dictionaries(root: DictionaryObject) -> Iterator[DictionaryObject]:
    """Every dictionary that can be reached, each once, without recursion."""
    waiting: list[Any] = [root]
    seen: set[tuple[int, int]] = set()
    visited = 0
    while waiting:
        found = waiting.pop()
        visited += 1
        if visited > MAXIMUM_OBJECTS:
            raise Refused("too_large", "The PDF holds too many parts.")
        if isinstance(found, IndirectObject):
            name = (found.idnum, found.generation)
            if name not in seen:
                seen.add(name)
                waiting.append(found.get_object())
        elif isinstance(found, DictionaryObject):
            yield found
            waiting.extend(found.values())
        elif isinstance(found, ArrayObject):
            waiting.extend(found)
