"""Reads a web page: its headings and text in order, without scripts, menus and forms."""

from __future__ import annotations

from typing import Any

from core.errors import InvalidRequest
from knowledge.reading.source import SourceDocument, source_document, tidy

_SKIPPED = frozenset(
    "script style noscript template nav form button select svg canvas iframe object head footer "
    "aside dialog audio video".split()
)
_BLOCKS = frozenset(
    "address article blockquote body dd details div dl dt figcaption figure h1 h2 h3 h4 h5 h6 "
    "header hr li main ol p pre section summary table tr ul br".split()
)
_HEADINGS = {f"h{level}": "#" * level + " " for level in range(1, 7)}
_PARAGRAPHS = frozenset("p h1 h2 h3 h4 h5 h6 table ul ol section article div".split())


def read(data: bytes, stem: str) -> list[SourceDocument]:
    """One document; its title is the first `h1`, the page's title, or the file's name."""
    from lxml import html
    from lxml.etree import LxmlError

    parser = html.HTMLParser(no_network=True, remove_comments=True, encoding=_encoding(data))
    try:
        root = html.document_fromstring(data, parser=parser)
    except (LxmlError, ValueError, LookupError) as error:
        raise InvalidRequest("The web page cannot be read.") from error
    page_title = " ".join((root.findtext(".//title") or "").split())
    main = root.find(".//main")
    scope = main if main is not None and len(main.text_content().strip()) > 100 else root
    heading = scope.find(".//h1")
    title = " ".join(heading.text_content().split()) if heading is not None else page_title
    text = _text(scope)
    first = f"# {title}\n"
    if title and text.startswith(first):
        text = text[len(first) :]
    language = (root.get("lang") or "")[:2].lower() or None
    return [source_document(title or stem, text, "html", language=language)]


def _encoding(data: bytes) -> str | None:
    """UTF-8 where it fits; otherwise what the page declares, which the parser finds."""
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        return None
    return "utf-8"


def _text(scope: Any) -> str:
    """The scope's text, a line a block; walks without recursion."""
    from lxml.etree import iterwalk

    pieces: list[str] = []
    walk = iterwalk(scope, events=("start", "end"))
    for event, element in walk:
        tag = element.tag if isinstance(element.tag, str) else "script"
        if event == "start":
            if tag in _SKIPPED:
                walk.skip_subtree()
                continue
            pieces.append(_opening(tag))
            pieces.append(_inline(element.text))
        else:
            if tag in _PARAGRAPHS:
                pieces.append("\n\n")
            elif tag in _BLOCKS and tag not in ("li", "br"):
                pieces.append("\n")
            elif tag in ("td", "th"):
                pieces.append(" | ")
            pieces.append(_inline(element.tail) if element is not scope else "")
    lines = ("".join(pieces)).split("\n")
    return tidy("\n".join(" ".join(line.split()).strip("| ") for line in lines)).strip()


def _opening(tag: str) -> str:
    if tag in _HEADINGS:
        return "\n\n" + _HEADINGS[tag]
    if tag == "li":
        return "\n- "
    return "\n" if tag in _BLOCKS else ""


def _inline(text: str | None) -> str:
    return "" if text is None else text.replace("\n", " ").replace("\r", " ")
