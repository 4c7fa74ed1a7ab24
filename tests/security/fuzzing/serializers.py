"""How schemathesis writes bodies of types that it does not know."""

from __future__ import annotations

from typing import Any

import schemathesis


@schemathesis.serializer("message/rfc822")
def as_email(context: Any, value: Any) -> bytes:
    """Whatever it made up is the whole e-mail."""
    return value if isinstance(value, bytes) else str(value).encode("utf-8", "replace")
