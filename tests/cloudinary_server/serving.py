"""How does a test get a Cloudinary of its own: real HTTP on a free port, real signatures?

Upload (in chunks too), destroy and private download answer as the vendor documents; other
endpoints answer 404. A signature that is not the one of the secret answers 401, as there.
"""

from __future__ import annotations

import asyncio
import hashlib
import re
import threading
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Literal

import uvicorn
from starlette.applications import Starlette
from starlette.datastructures import UploadFile
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tests.serving import free_port

CLOUD, KEY, SECRET = "test-cloud", "123456", "not-a-real-secret"
START_SECONDS = 60.0
_UNSIGNED = frozenset({"file", "api_key", "cloud_name", "resource_type", "signature"})
_RANGE = re.compile(r"bytes (\d+)-(\d+)/(\d+)")

# `none`: this request is answered, the fault comes behind it.
Fault = Literal["none", "error", "garbage", "hang"]
_Answer = Callable[["CloudinaryServer", Request], Awaitable[Response]]


@dataclass
class CloudinaryServer:
    """A running stand-in; `faults` are what its next requests meet instead of an answer.

    `assets` holds what was uploaded by `<resource type>/<delivery type>/<public id>`.
    """

    base_url: str
    assets: dict[str, bytes] = field(default_factory=dict)
    chunks: dict[str, bytes] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)
    requests: int = 0
    hang_seconds: float = 5.0

    @property
    def setting(self) -> str:
        """A value of STORAGE that names this server."""
        return f"cloudinary://{KEY}:{SECRET}@{CLOUD}?upload_prefix={self.base_url}"

    def reset(self) -> None:
        self.assets.clear()
        self.chunks.clear()
        self.faults.clear()
        self.requests = 0


def _signature(fields: Mapping[str, str]) -> str:
    """The vendor's: SHA-1 of the signed fields in order, and the secret."""
    signed = "&".join(
        f"{name}={str(value).replace('&', '%26')}"
        for name, value in sorted(fields.items())
        if name not in _UNSIGNED and value != ""
    )
    return hashlib.sha1((signed + SECRET).encode()).hexdigest()  # noqa: S324


def _refused(fields: Mapping[str, str]) -> Response | None:
    if fields.get("api_key") != KEY or fields.get("signature") != _signature(fields):
        return JSONResponse({"error": {"message": "Invalid Signature"}}, 401)
    return None


async def _fault(server: CloudinaryServer) -> Response | None:
    server.requests += 1
    if not server.faults:
        return None
    match server.faults.pop(0):
        case "none":
            return None
        case "error":
            return JSONResponse({"error": {"message": f"internal, secret {SECRET}"}}, 500)
        case "garbage":
            return Response(b"<html>502", 502)
        case "hang":
            await asyncio.sleep(server.hang_seconds)
            return Response(b"", 504)


async def _upload(server: CloudinaryServer, request: Request) -> Response:
    async with request.form() as form:
        fields = {name: str(value) for name, value in form.items() if name != "file"}
        file = form["file"]
        assert isinstance(file, UploadFile)
        content = await file.read()
    if (refusal := _refused(fields)) is not None:
        return refusal
    whole = _join(server, request, content)
    if whole is None:
        return JSONResponse({"done": False, "public_id": fields["public_id"]})
    server.assets[_name(request, fields)] = whole
    return JSONResponse({"public_id": fields["public_id"], "bytes": len(whole)})


async def _destroy(server: CloudinaryServer, request: Request) -> Response:
    async with request.form() as form:
        fields = {name: str(value) for name, value in form.items()}
    if (refusal := _refused(fields)) is not None:
        return refusal
    found = server.assets.pop(_name(request, fields), None) is not None
    return JSONResponse({"result": "ok" if found else "not found"})


async def _download(server: CloudinaryServer, request: Request) -> Response:
    fields = dict(request.query_params)
    if (refusal := _refused(fields)) is not None:
        return refusal
    if int(fields["expires_at"]) <= time.time():
        return JSONResponse({"error": {"message": "Link has expired"}}, 404)
    name = _name(request, fields)
    if name not in server.assets:
        return JSONResponse({"error": {"message": "Resource not found"}}, 404)
    return Response(server.assets[name])


def _name(request: Request, fields: Mapping[str, str]) -> str:
    return f"{request.path_params['kind']}/{fields['type']}/{fields['public_id']}"


def _route(server: CloudinaryServer, action: str, method: str, answer: _Answer) -> Route:
    async def handle(request: Request) -> Response:
        return await _fault(server) or await answer(server, request)

    return Route(f"/v1_1/{CLOUD}/{{kind}}/{action}", handle, methods=[method])


def _routes(server: CloudinaryServer) -> list[Route]:
    return [
        _route(server, "upload", "POST", _upload),
        _route(server, "destroy", "POST", _destroy),
        _route(server, "download", "GET", _download),
    ]


def _join(server: CloudinaryServer, request: Request, content: bytes) -> bytes | None:
    """The whole file once its last chunk has come; chunks but the last have at least 5 MB."""
    upload_id = request.headers.get("x-unique-upload-id")
    if upload_id is None:
        return content
    found = _RANGE.fullmatch(request.headers["content-range"])
    assert found is not None
    start, end, total = map(int, found.groups())
    earlier = server.chunks.get(upload_id, b"")[:start]
    assert (len(earlier), end - start + 1) == (start, len(content))
    assert end + 1 == total or len(content) >= 5 * 1024 * 1024
    server.chunks[upload_id] = earlier + content
    return server.chunks.pop(upload_id) if end + 1 == total else None


@contextmanager
def cloudinary_server() -> Iterator[CloudinaryServer]:
    """Run the stand-in until the block ends."""
    port = free_port()
    server = CloudinaryServer(f"http://127.0.0.1:{port}")
    app = Starlette(routes=_routes(server))
    running = uvicorn.Server(
        uvicorn.Config(app, host="127.0.0.1", port=port, log_level="error", lifespan="off")
    )
    thread = threading.Thread(target=running.run, daemon=True)
    thread.start()
    deadline = time.monotonic() + START_SECONDS
    while not running.started:
        if time.monotonic() > deadline:
            raise RuntimeError("the stand-in of Cloudinary did not start")
        time.sleep(0.02)
    try:
        yield server
    finally:
        running.should_exit = True
        thread.join()
