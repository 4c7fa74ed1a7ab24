"""Files kept on Cloudinary, as private assets that only signed addresses open.

The vendor's SDK is imported at the first use. Every call has a time limit and at most
`ATTEMPTS` tries, behind the breaker `cloudinary`.
"""

from __future__ import annotations

import asyncio
import io
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path, PurePosixPath
from typing import Any, TypeVar
from urllib.parse import parse_qs, unquote, urlsplit

import httpx

from core.errors import ServiceUnavailable
from core.providers.breaker import CircuitBreaker, CircuitOpen, ProviderRefused, ask
from core.telemetry import logger

ATTEMPTS = 2
TIMEOUT_SECONDS = 15.0
# The smallest that Cloudinary takes but for the last: what one upload holds in memory at a time.
CHUNK_BYTES = 5 * 1024 * 1024
READ_SECONDS = 60
DELIVERY_TYPE = "private"
_RESOURCE_OF_SUFFIX = {
    ".jpg": "image",
    ".png": "image",
    ".webp": "image",
    ".mp4": "video",
    ".webm": "video",
}

Result = TypeVar("Result")


@dataclass(frozen=True)
class CloudinaryAccount:
    """What `STORAGE` names; the secret appears in no representation."""

    cloud_name: str
    api_key: str
    api_secret: str = field(repr=False)
    upload_prefix: str | None = None

    def options(self) -> dict[str, Any]:
        """The SDK's options of every call; nothing is kept in its global configuration."""
        given = {
            "cloud_name": self.cloud_name,
            "api_key": self.api_key,
            "api_secret": self.api_secret,
        }
        return {**given, "upload_prefix": self.upload_prefix} if self.upload_prefix else given


class CloudinaryStorage:
    """Private assets of one Cloudinary account, named by their keys."""

    def __init__(
        self,
        account: CloudinaryAccount,
        breaker: CircuitBreaker,
        timeout_seconds: float = TIMEOUT_SECONDS,
    ) -> None:
        self.account = account
        self._timeout_seconds = timeout_seconds
        self._breaker = breaker

    async def write(self, key: str, content: bytes) -> None:
        await self._call(lambda: self._upload(key, io.BytesIO(content)))

    async def write_file(self, key: str, source: Path) -> None:
        def upload() -> None:
            with source.open("rb") as opened:
                self._upload(key, opened)

        await self._call(upload)

    def _upload(self, key: str, file: Any) -> None:
        from cloudinary import uploader

        uploader.upload_large(
            file,
            **self._named(key),
            filename=PurePosixPath(key).name,
            chunk_size=CHUNK_BYTES,
            overwrite=True,
            invalidate=True,
            timeout=self._timeout_seconds,
        )

    async def delete(self, key: str) -> None:
        def destroy() -> None:
            from cloudinary import uploader

            named = self._named(key)
            uploader.destroy(
                named.pop("public_id"), **named, invalidate=True, timeout=self._timeout_seconds
            )

        await self._call(destroy)

    async def read(self, key: str) -> bytes:
        address = self.locate(key, datetime.now(UTC) + timedelta(seconds=READ_SECONDS))

        def fetch() -> bytes:
            with httpx.Client(timeout=self._timeout_seconds, trust_env=False) as client:
                answer = client.get(str(address))
            if answer.status_code == 404:
                raise FileNotFoundError(key)
            return answer.raise_for_status().content

        return await self._call(fetch)

    def locate(self, key: str, expires_at: datetime) -> Path | str:
        from cloudinary import utils

        named = self._named(key)
        suffix = "" if named["resource_type"] == "raw" else PurePosixPath(key).suffix[1:]
        address: str = utils.private_download_url(
            named.pop("public_id"), suffix, **named, expires_at=int(expires_at.timestamp())
        )
        return address

    def _named(self, key: str) -> dict[str, Any]:
        """What names an asset: pictures and videos without their suffix, other files with it."""
        path = PurePosixPath(key)
        resource_type = _RESOURCE_OF_SUFFIX.get(path.suffix, "raw")
        name = key if resource_type == "raw" else str(path.with_suffix(""))
        return {
            **self.account.options(),
            "public_id": name,
            "resource_type": resource_type,
            "type": DELIVERY_TYPE,
        }

    async def _call(self, work: Callable[[], Result]) -> Result:
        """Do it in a thread; try again where that may help, and say plainly that it did not."""

        async def once() -> Result:
            return await asyncio.to_thread(_sorted_errors, work)

        try:
            return await ask(
                self._breaker,
                once,
                timeout_seconds=self._timeout_seconds,
                attempts=ATTEMPTS,
                retry_on=_Failed,
            )
        except _Missing as missing:
            raise FileNotFoundError(str(missing)) from None
        except (CircuitOpen, ProviderRefused, TimeoutError, _Failed) as error:
            reason = str(error) or type(error).__name__
            logger("core.storage").warning("cloudinary_failed", reason=reason)
            raise ServiceUnavailable(
                "Files cannot be kept for the moment; try again in a minute."
            ) from None


class _Failed(Exception):
    """The provider failed in a way that may pass."""


class _Missing(ProviderRefused):
    """There is no such file: an answer, no failure."""


def _sorted_errors(work: Callable[[], Result]) -> Result:
    """Do the work with the provider's errors sorted; their messages may hold what was sent."""
    from cloudinary import exceptions

    lasting = (
        exceptions.AuthorizationRequired,
        exceptions.BadRequest,
        exceptions.NotAllowed,
        exceptions.AlreadyExists,
    )
    try:
        return work()
    except (exceptions.NotFound, FileNotFoundError) as error:
        raise _Missing(type(error).__name__) from None
    except lasting as error:
        raise ProviderRefused(type(error).__name__) from None
    except (exceptions.Error, httpx.HTTPError, ValueError) as error:
        raise _Failed(type(error).__name__) from None


def open_cloudinary(setting: str, breaker: CircuitBreaker) -> CloudinaryStorage:
    """Open `cloudinary://<key>:<secret>@<cloud>`; `?upload_prefix=` names another server."""
    parsed = urlsplit(setting)
    query: Mapping[str, list[str]] = parse_qs(parsed.query)
    if not (parsed.username and parsed.password and parsed.hostname):
        raise ValueError("STORAGE: use cloudinary://<key>:<secret>@<cloud>")
    account = CloudinaryAccount(
        # The name of a cloud keeps its case, which `hostname` would lose.
        cloud_name=parsed.netloc.rpartition("@")[2].partition(":")[0],
        api_key=unquote(parsed.username),
        api_secret=unquote(parsed.password),
        upload_prefix=next(iter(query.get("upload_prefix", ())), None),
    )
    return CloudinaryStorage(account, breaker)
