"""E-mail and web addresses as they are dictated."""

from __future__ import annotations

import re

from channels.voice.spoken.wording import Wording

LONGEST_SAID_ADDRESS = 40
_LINK = re.compile(r"\[([^\]\n]{1,200})\]\((?:https?://|/)[^)\s]*\)")
_EMAIL = re.compile(r"[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,4}")
_WEB = re.compile(r"(?:https?://|www\.)[^\s<>\"')\]]*[\w/]")


def say_addresses(text: str, wording: Wording) -> str:
    """`sav@shop.fr` becomes `sav arobase shop point fr`; a long web address is only named."""
    text = _LINK.sub(r"\1", text)
    text = _EMAIL.sub(lambda found: _dictated(found[0], wording), text)
    return _WEB.sub(lambda found: _web(found[0], wording), text)


def _web(address: str, wording: Wording) -> str:
    short = re.sub(r"^https?://", "", address)
    short = re.sub(r"^www\.", "", short).partition("?")[0].partition("#")[0].rstrip("/")
    if not short or len(short) > LONGEST_SAID_ADDRESS:
        return wording.words["link"]
    return _dictated(short, wording)


def _dictated(address: str, wording: Wording) -> str:
    names = {"@": "at", ".": "dot", "-": "dash", "_": "underscore", "/": "slash", "+": "plus"}
    said = "".join(f" {wording.words[names[sign]]} " if sign in names else sign for sign in address)
    return " ".join(said.split())
