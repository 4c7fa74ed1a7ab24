"""Every error that a caller may see, as one tree.

    SupportError
    ├── InvalidRequest        400  the request cannot be understood or is not allowed as it is
    ├── NotAuthenticated      401  no credentials, or bad ones
    ├── PermissionDenied      403  known caller, not allowed
    ├── NotFound              404  nothing there, or nothing that this caller may know of
    ├── Conflict              409  the state does not allow it
    ├── PayloadTooLarge       413
    ├── UnsupportedMedia      415
    ├── RateLimitExceeded     429  `retry_after_seconds`
    ├── ServiceUnavailable    503  a part that is needed is down
    │   ├── SpeechUnavailable      no speech engine can answer
    │   │   └── VoiceUnavailable   the engine has no such voice or language
    │   └── SpeechBusy             too many wait for it: `retry_after_seconds`
    └── DeadlineExceeded      504

A contract folder under `api/` writes them in its own shape; nothing else turns them into HTTP.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar


class SupportError(Exception):
    """An error with a status, a code for programs, and a sentence that says what to do."""

    status: ClassVar[int] = 500
    code: ClassVar[str] = "internal_error"

    def __init__(self, message: str, details: Mapping[str, Any] | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.details: dict[str, Any] = dict(details or {})


class InvalidRequest(SupportError):
    status = 400
    code = "invalid_request"


class NotAuthenticated(SupportError):
    status = 401
    code = "unauthorized"


class PermissionDenied(SupportError):
    status = 403
    code = "forbidden"


class NotFound(SupportError):
    status = 404
    code = "not_found"


class Conflict(SupportError):
    status = 409
    code = "conflict"


class PayloadTooLarge(SupportError):
    status = 413
    code = "payload_too_large"


class UnsupportedMedia(SupportError):
    status = 415
    code = "unsupported_media_type"


class RateLimitExceeded(SupportError):
    status = 429
    code = "rate_limit_exceeded"

    def __init__(self, message: str, retry_after_seconds: int) -> None:
        super().__init__(message, {"retry_after": retry_after_seconds})
        self.retry_after_seconds = retry_after_seconds


class ServiceUnavailable(SupportError):
    status = 503
    code = "service_unavailable"


class SpeechUnavailable(ServiceUnavailable):
    code = "voice_unavailable"


class VoiceUnavailable(SpeechUnavailable):
    pass


class SpeechBusy(ServiceUnavailable):
    code = "voice_busy"

    def __init__(self, message: str, retry_after_seconds: int) -> None:
        super().__init__(message, {"retry_after": retry_after_seconds})
        self.retry_after_seconds = retry_after_seconds


class DeadlineExceeded(SupportError):
    status = 504
    code = "gateway_timeout"
