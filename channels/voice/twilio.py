"""Twilio's wire: Media Streams messages, instructions, signatures; other carriers, other files.

https://www.twilio.com/docs/voice/media-streams/websocket-messages
"""

from __future__ import annotations

import base64
import binascii
import hmac
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from xml.sax.saxutils import escape, quoteattr

import orjson

from core.errors import InvalidRequest

SAMPLE_RATE_HERTZ = 8_000
ENCODING = "audio/x-mulaw"


@dataclass(frozen=True)
class Connected:
    """The first message of a stream."""


@dataclass(frozen=True)
class Started:
    """Which call the stream carries, with the parameters of our own instructions."""

    stream_id: str
    call_id: str
    parameters: Mapping[str, str]


@dataclass(frozen=True)
class Media:
    """The caller's next sound, μ-law at 8 kHz."""

    codes: bytes


@dataclass(frozen=True)
class Mark:
    """What was sent before this mark has been played, or cleared."""

    name: str


@dataclass(frozen=True)
class Digit:
    key: str


@dataclass(frozen=True)
class Stopped:
    """The stream is over."""


@dataclass(frozen=True)
class Other:
    """A message that means nothing to a call."""


Message = Connected | Started | Media | Mark | Digit | Stopped | Other


def read_message(text: str) -> Message:
    """One message of a stream; raises InvalidRequest for what is none."""
    try:
        body = orjson.loads(text)
        event = body["event"]
        match event:
            case "connected":
                return Connected()
            case "start":
                return _started(body["start"])
            case "media":
                return Media(base64.b64decode(body["media"]["payload"], validate=True))
            case "mark":
                return Mark(str(body["mark"]["name"]))
            case "dtmf":
                return Digit(str(body["dtmf"]["digit"]))
            case "stop":
                return Stopped()
    except (orjson.JSONDecodeError, KeyError, TypeError, binascii.Error) as error:
        raise InvalidRequest("This is no message of a media stream.") from error
    return Other()


def _started(start: Any) -> Started:
    found = start["mediaFormat"]
    if (found["encoding"], found["sampleRate"]) != (ENCODING, SAMPLE_RATE_HERTZ):
        raise InvalidRequest("A stream must be μ-law at 8 kHz.")
    parameters = start.get("customParameters") or {}
    return Started(
        str(start["streamSid"]),
        str(start["callSid"]),
        {str(name): str(value) for name, value in parameters.items()},
    )


def media(stream_id: str, codes: bytes) -> str:
    """Sound to be played behind what was sent before."""
    payload = base64.b64encode(codes).decode()
    return _message("media", stream_id, media={"payload": payload})


def mark(stream_id: str, name: str) -> str:
    """Ask to be told when everything sent so far has been played."""
    return _message("mark", stream_id, mark={"name": name})


def clear(stream_id: str) -> str:
    """Let go of what has not been played."""
    return _message("clear", stream_id)


def _message(event: str, stream_id: str, **body: Any) -> str:
    return orjson.dumps({"event": event, "streamSid": stream_id, **body}).decode()


def signature_of(auth_token: str, url: str, parameters: Sequence[tuple[str, str]]) -> str:
    """What `X-Twilio-Signature` must be: HMAC-SHA1 over the address and the sorted parameters.

    https://www.twilio.com/docs/usage/security#validating-requests
    """
    signed = url + "".join(name + value for name, value in sorted(parameters))
    digest = hmac.digest(auth_token.encode(), signed.encode(), "sha1")
    return base64.b64encode(digest).decode()


def is_signed(
    auth_token: str, url: str, parameters: Sequence[tuple[str, str]], signature: str
) -> bool:
    """Whether a request was signed by who knows the token; never without a token."""
    if not auth_token:
        return False
    expected = signature_of(auth_token, url, parameters)
    return hmac.compare_digest(expected.encode(), signature.encode("utf-8", "replace"))


def connect_document(stream_url: str, after_url: str, parameters: Mapping[str, str]) -> str:
    """Instructions: carry the call over a stream, then ask `after_url` what to do."""
    named = "".join(
        f"<Parameter name={quoteattr(name)} value={quoteattr(value)}/>"
        for name, value in parameters.items()
    )
    return _document(
        f"<Connect action={quoteattr(after_url)}>"
        f"<Stream url={quoteattr(stream_url)}>{named}</Stream></Connect>"
    )


def dial_document(number: str) -> str:
    """Instructions: put the caller through to a person."""
    return _document(f"<Dial>{escape(number)}</Dial>")


def hang_up_document(text: str = "", language: str = "fr-FR") -> str:
    """Instructions: say something, if anything, and hang up."""
    said = f"<Say language={quoteattr(language)}>{escape(text)}</Say>" if text else ""
    return _document(f"{said}<Hangup/>")


def _document(inner: str) -> str:
    return f'<?xml version="1.0" encoding="UTF-8"?><Response>{inner}</Response>'
